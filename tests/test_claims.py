"""Every measured number in the prose comes from a record.

A number that a run produced is followed by a comment that names it:

    The network is right on 96.3%<!-- claim: shapes.test_accuracy --> of the test images.

`shapes` is a shipped record, `test_accuracy` a key of its results.json; `shapes.mean.test_accuracy` is the mean over the
record and its further seeds (`shapes_seed_1`, ...), `shapes.spread.test_accuracy` their standard deviation.
"""

import json
import re
import statistics
from pathlib import Path

import pytest

from patchconvnet import records

ROOT = Path(__file__).parents[1]
CLAIM = re.compile(r"(?P<number>\d[\d,]*(?:\.\d+)?)\s*(?P<percent>%)?\s*<!--\s*claim:\s*(?P<name>[\w.]+)\s*-->")
ANY_CLAIM = re.compile(r"<!--\s*claim:")
PERCENTAGE = re.compile(r"\d\s?%")
# Cited facts about other people's work; they cannot drift with ours.
CITED = ("84.59%", "99.21%")


def texts():
    """(where, Markdown) of every page and of every Markdown cell."""
    for name in ("README.md", "intro.md", "glossary.md"):
        yield name, (ROOT / name).read_text(encoding="utf-8")
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            if cell["cell_type"] == "markdown":
                yield f"{path.name}, cell {number}", "".join(cell["source"])


def value_of(name):
    """The measured value behind a claim's name; a share is given in 0..1."""
    record, *statistic, key = name.split(".")
    if not statistic:
        return records.load(record).results[key]
    seeds = [record] + [other for other in records.names() if other.startswith(f"{record}_seed_")]
    values = [records.load(seed).results[key] for seed in seeds]
    return {"mean": statistics.mean, "spread": statistics.stdev}[statistic[0]](values)


def drift(text):
    """Sentences whose number is not what the record says, or that state a percentage without a claim: a list."""
    found = []
    matches = list(CLAIM.finditer(text))
    if len(matches) != len(ANY_CLAIM.findall(text)):
        found.append("a claim does not directly follow a number")
    for match in matches:
        decimals = len(match["number"].partition(".")[2])
        measured = value_of(match["name"]) * (100 if match["percent"] else 1)
        if f"{measured:.{decimals}f}" != match["number"].replace(",", ""):
            found.append(f"{_sentence(text, match.start())!r}: {match['name']} is {measured:.{decimals}f}")
    for match in PERCENTAGE.finditer(CLAIM.sub("", re.sub("|".join(map(re.escape, CITED)), "", text))):
        found.append(f"a percentage without a claim: {match.group()!r} in {text[:80]!r}")
    return found


def _sentence(text, position):
    start = max(text.rfind(". ", 0, position) + 2, text.rfind("\n", 0, position) + 1)
    return text[start : position + 40].strip()


def test_every_number_in_the_prose_is_what_its_record_says():
    found = [f"{where}: {problem}" for where, text in texts() for problem in drift(text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "Right on 12.3%<!-- claim: shapes.test_accuracy --> of images.",
        "Right on 96% of images.",
        "Right on most<!-- claim: shapes.test_accuracy --> images.",
    ],
)
def test_a_wrong_number_a_bare_percentage_and_a_claim_without_number_are_found(text):
    assert drift(text)


def test_a_right_number_passes():
    accuracy = records.load("shapes").results["test_accuracy"]
    assert not drift(f"Right on {accuracy:.1%}<!-- claim: shapes.test_accuracy --> of images.")
    assert not drift(f"It has {records.load('shapes').results['parameters']:,}<!-- claim: shapes.parameters --> weights.")
