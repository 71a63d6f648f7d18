"""What teaching notes say of their chapter is there: sections, figures, exercises."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTES = sorted((ROOT / "classroom" / "notes").glob("*.md"))
# What students say or ask stands in italics, and what it quotes is theirs.
SAID = re.compile(r"\*(?=\S).+?\*", re.DOTALL)
QUOTED = re.compile(r'"([^"]+)"')


def words(text):
    return " ".join(text.split())


def sections_of(path):
    """Heading -> whether a figure or a player stands below it, up to the next one."""
    sections, current = {}, ""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            for heading in re.findall(r"^#+ (.+)$", source, re.M):
                current = heading
                sections.setdefault(current, False)
        for output in cell.get("outputs", []):
            kinds = set(output.get("data", {}))
            page = "".join(output.get("data", {}).get("text/html", ""))
            if "attention-player" in page or kinds & {"image/png", "image/jpeg"}:
                sections[current] = True
    return sections


def places_named(note):
    """What is quoted as a place: what to leave out, what to show, what lies under."""
    parts = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", note, re.M | re.DOTALL))
    named = QUOTED.findall(parts.get("Shorten", ""))
    named += re.findall(r'(?:under|see|sections?|[Ss]how)\s+"([^"]+)"', note)
    opening = re.match(r'\s*"([^"]+)"', parts.get("Show it live", ""))
    return named + ([opening[1]] if opening else [])


def problems(note, path):
    """What a note names that its chapter does not have: a list of strings."""
    content = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = words(" ".join("".join(cell["source"]) for cell in content))
    shown = words(
        " ".join(
            "".join(output.get("data", {}).get("text/html", ""))
            for cell in content
            for output in cell.get("outputs", [])
        )
    )
    sections, found = sections_of(path), []
    for quoted in map(words, places_named(SAID.sub(" ", note))):
        plain = quoted.rstrip(".,:;?!")
        if plain not in text and plain not in shown:
            found.append(f"nothing is called {quoted!r}")
    for name in re.findall(r'figures?\s+(?:under|in|of)\s+"([^"]+)"', note):
        if not sections.get(words(name)):
            found.append(f"no figure under {words(name)!r}")
    exercises = set(re.findall(r"\*\*(\d)\. ", text))
    # not those of another chapter
    for number in re.findall(r"(?<!chapter \d\d, )[Ee]xercise\s+(\d)", note):
        if number not in exercises:
            found.append(f"no exercise {number}")
    return found


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_what_a_note_names_is_in_its_chapter(path):
    chapter = ROOT / "chapters" / f"{path.stem}.ipynb"
    assert problems(path.read_text(encoding="utf-8"), chapter) == []


def test_what_is_not_there_is_named():
    chapter = ROOT / "chapters" / "02_data.ipynb"
    note = (
        'Show "A section that is not there", exercise 9, and the figure under'
        ' "Balanced, and split once and for all". *"Students say anything."*'
    )
    assert problems(note, chapter) == [
        "nothing is called 'A section that is not there'",
        "no figure under 'Balanced, and split once and for all'",
        "no exercise 9",
    ]
