"""Every measured number in the prose comes from a record.

A number that a run produced is followed by a comment that names it:

    The network is right on 96.3%<!-- claim: shapes.test_accuracy --> of the test
    images.

`shapes` is a shipped record, `test_accuracy` a key of its results.json;
`shapes.2.test_accuracy` is that of seed 2, `shapes.mean.test_accuracy` the mean over
all seeds, and `shapes.low.test_accuracy` and `shapes.high.test_accuracy` are the ends
of its 95% interval (`uncertainty.t_interval`).

`measures.pets.NETWORK.MAP.PICTURES.MEASURE` is the mean over the seeds in the table
`measures_pets.csv`, and with `.low` or `.high` behind it an end of its interval; other
tables have no PICTURES. `course.download_megabytes` is no record's: it is computed
here.
"""

import functools
import json
import re
import subprocess
import zlib
from pathlib import Path

import pytest

from patchconvnet import records
from patchconvnet.faithfulness import uncertainty

ROOT = Path(__file__).parents[2]
CLAIM = re.compile(
    r"(?P<number>(?:(?<!\w)-)?\d[\d,]*(?:\.\d+)?)\s*(?P<percent>%)?\s*<!--\s*claim:\s*(?P<name>[\w.]+)\s*-->"
)
ANY_CLAIM = re.compile(r"<!--\s*claim:")
PERCENTAGE = re.compile(r"\d\s?%")
DECIMAL = re.compile(r"(?<![\w.,/-])\d[\d,]*\.\d+(?!\w|\.\d)")
# Code, formulas, addresses, claims, places in other people's works and `<details>` do
# not state what we measured.
NO_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$|\]\([^)]*\)|\d[\d,.]*\s?%?\s*<!--.*?-->|sections?"
    r" [\d. and,]+",
    re.DOTALL,
)
# Cited facts about other people's work, which cannot drift with ours; and a level of
# confidence, which is chosen.
CITED = ("84.59%", "99.21%", "95% interval")
CITED_DECIMALS = {
    "05_squeeze_excite": ("25.2",),  # million parameters of the paper's S60
    # what others measured, with references
    # and what a PyTorch version of tools/yardstick.py reached on the JPEG copy
    "09_training": ("4.72", "3.99", "90.1"),
    # defaults of the authors' code, of PyTorch, of Addons
    "13_official": ("0.02", "0.00001", "0.000001", "0.00005"),
}
# Worked out in the text (1/64, the logarithm of 4, of 10, 0.05 times a rate), or
# supposed in a question of the quiz.
BY_PENCIL = {
    "01_overview": ("0.02",),
    "06_attention_pooling": ("0.93", "0.07"),
    "09_training": ("2.31",),
    "13_official": ("2.3", "0.05", "0.12"),
}


def texts():
    """(where, Markdown) of every page and of every Markdown cell."""
    for name in (
        "README.md",
        "intro.md",
        "try_it.md",
        "set_up.md",
        "where_it_stands.md",
        "glossary.md",
    ):
        yield name, (ROOT / name).read_text(encoding="utf-8")
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        for number, cell in enumerate(
            json.loads(path.read_text(encoding="utf-8"))["cells"]
        ):
            if cell["cell_type"] == "markdown":
                yield f"{path.name}, cell {number}", "".join(cell["source"])


@functools.cache
def download_megabytes():
    """What `pip install git+https://...` fetches, as the first cell does in Colab.

    pip clones without old contents, so that is every file that git has, each compressed
    alone; the history itself adds a hundredth.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    files = [ROOT / name for name in listed.split("\0") if name]
    # a file may have been removed, and git not yet told
    contents = [path.read_bytes() for path in files if path.is_file()]
    return sum(len(zlib.compress(content)) for content in contents) / 1e6


def in_table(table, network, which, *rest):
    """The mean over the seeds of a table, or an end of its interval."""
    end = rest[-1] if rest[-1] in ("low", "high") else "estimate"
    *pictures, measure = rest if end == "estimate" else rest[:-1]
    wanted = {"network": network, "map": which}
    if pictures:
        wanted["pictures"] = pictures[0]
    values = [
        row[measure] for row in records.measures(table) if wanted.items() <= row.items()
    ]
    if end == "estimate":
        return sum(values) / len(values)
    return getattr(uncertainty.t_interval(values), end)


def value_of(name):
    """The measured value behind a claim's name; a share is given in 0..1."""
    record, *statistic, key = name.split(".")
    if record == "course":
        return {"download_megabytes": download_megabytes}[key]()
    if record == "measures":
        return in_table(*statistic, key)
    if not statistic:
        return records.load(record).results[key]
    values = {
        seed: records.load(record, seed).results[key] for seed in records.seeds(record)
    }
    if statistic[0].isdigit():
        return values[int(statistic[0])]
    interval = uncertainty.t_interval(list(values.values()))
    ends = {"mean": interval.estimate, "low": interval.low, "high": interval.high}
    return ends[statistic[0]]


def drift(text):
    """Sentences whose number is not what the record says, or that state a percentage
    without a claim: a list.
    """
    found = []
    matches = list(CLAIM.finditer(text))
    if len(matches) != len(ANY_CLAIM.findall(text)):
        found.append("a claim does not directly follow a number")
    for match in matches:
        decimals = len(match["number"].partition(".")[2])
        measured = value_of(match["name"]) * (100 if match["percent"] else 1)
        if f"{measured:.{decimals}f}" != match["number"].replace(",", ""):
            found.append(
                f"{_sentence(text, match.start())!r}: {match['name']} is"
                f" {measured:.{decimals}f}"
            )
    for match in PERCENTAGE.finditer(
        CLAIM.sub("", re.sub("|".join(map(re.escape, CITED)), "", text))
    ):
        found.append(
            f"a percentage without a claim: {match.group()!r} in {text[:80]!r}"
        )
    return found


def _sentence(text, position):
    start = max(text.rfind(". ", 0, position) + 2, text.rfind("\n", 0, position) + 1)
    return text[start : position + 40].strip()


def test_every_number_in_the_prose_is_what_its_record_says():
    found = [
        f"{where}: {problem}" for where, text in texts() for problem in drift(text)
    ]
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
    assert not drift(
        f"Right on {accuracy:.1%}<!-- claim: shapes.test_accuracy --> of images."
    )
    assert not drift(
        f"It has {records.load('shapes').results['parameters']:,}<!-- claim:"
        " shapes.parameters --> weights."
    )


def test_colab_downloads_little_and_readme_says_how_much():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = re.findall(
        r"\(a download of (\d+)<!-- claim: course.download_megabytes --> MB\)", readme
    )
    right = f"{download_megabytes():.0f}"
    assert said == [right], f"README must say: a download of {right} MB"
    assert download_megabytes() < 35


# === decimal numbers: what the notebook itself prints or computes, and nbval therefore
# compares ===


def unfounded(notebook, allowed=()):
    """Decimal numbers of the prose and the alt texts that no cell of the notebook holds
    or prints: a list of sentences.
    """
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    printed = [
        "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for cell in code
        for output in cell["outputs"]
    ]
    numbers = re.findall(
        r"\d[\d,]*\.?\d*(?:e-?\d+)?",
        " ".join(["".join(cell["source"]) for cell in code] + printed),
    )
    values = [float(number.replace(",", "")) for number in numbers]
    found = []
    for cell in notebook["cells"]:
        metadata = cell["metadata"].get("mystnb", {}).get("image", {})
        text = (
            NO_PROSE.sub(" ", "".join(cell["source"]))
            if cell["cell_type"] == "markdown"
            else metadata.get("alt", "")
        )
        for match in DECIMAL.finditer(text):
            decimals = len(match.group().partition(".")[2])
            wanted = match.group().replace(",", "")
            known = any(
                wanted in (f"{value:.{decimals}f}", f"{100 * value:.{decimals}f}")
                for value in values
            )
            if not known and match.group() not in allowed:
                found.append(f"{match.group()} in {_sentence(text, match.start())!r}")
    return found


@pytest.mark.parametrize(
    "path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_every_decimal_of_a_chapter_is_printed_or_computed_there(path):
    allowed = CITED_DECIMALS.get(path.stem, ()) + BY_PENCIL.get(path.stem, ())
    assert unfounded(json.loads(path.read_text(encoding="utf-8")), allowed) == []


def test_a_decimal_that_nothing_prints_is_named():
    printed = {"output_type": "stream", "name": "stdout", "text": ["share 0.634\n"]}
    code = {
        "cell_type": "code",
        "source": ["print(share)"],
        "outputs": [printed],
        "metadata": {},
    }
    prose = {
        "cell_type": "markdown",
        "source": ["It rose. Now it is 0.63 there."],
        "metadata": {},
    }
    assert unfounded({"cells": [code, prose]}) == []
    prose["source"] = ["It rose. Now it is 0.64 there."]
    assert unfounded({"cells": [code, prose]}) == ["0.64 in 'Now it is 0.64 there.'"]
    code["metadata"] = {
        "mystnb": {"image": {"alt": "A line that ends at 0.71, far up"}}
    }
    assert len(unfounded({"cells": [code, prose]})) == 2


def test_who_compares_with_the_example_says_which_copy_was_measured():
    for where, text in texts():
        for paragraph in text.split("\n\n"):
            assert "84.59" not in paragraph or "JPEG copy" in paragraph, (
                f"{where}: {paragraph}"
            )
