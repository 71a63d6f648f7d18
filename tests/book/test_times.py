"""The times that heads and pages state are those that `tools/times.py` counts."""

import functools
import json
import shutil
from pathlib import Path

import pytest

import times
from patchconvnet.errors import PatchConvNetError

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
PRINTED = [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}]
DRAWN = [{"output_type": "display_data", "data": {"image/png": ""}, "metadata": {}}]
SETUP = f"import os\n\n{times.SETUP}\n\nannounce(minutes=1)"
HEAD = (
    '# Title\n\n> **Time:** a while. "There" is good for a pause.\n> **You need:** it.'
)


def text(source):
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def code(source="answer = 1", outputs=(), *tags):
    return {
        "cell_type": "code",
        "source": source.splitlines(keepends=True),
        "outputs": list(outputs),
        "metadata": {"tags": list(tags)} if tags else {},
    }


def count(*cells):
    """What a notebook of these cells has, all its sections together."""
    return times.together(times.sections_of({"cells": list(cells)}).values())


# === what stands in the repository ===


@functools.cache
def committed():
    return times.updated(ROOT)


def stale(old, new):
    """Lines that `--write` would write now: a list."""
    return sorted(set(new.splitlines()) - set(old.splitlines()))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_head_says_what_is_counted(path):
    assert stale(*committed()[path]) == [], "run python tools/times.py --write"


@pytest.mark.parametrize("page", times.PAGES)
def test_a_page_says_what_is_counted(page):
    assert stale(*committed()[ROOT / page]) == [], "run python tools/times.py --write"


def test_the_first_page_and_that_for_instructors_have_marks():
    for page in ("intro.md", "chapters/14_instructors.md"):
        assert times.MARK.search((ROOT / page).read_text(encoding="utf-8")), page


# === words ===


@pytest.mark.parametrize(
    "source, words",
    [
        ("Three short words.", 3),
        ("## A heading\n\n- and - a *list* -", 5),
        ("> A quotation, **bold**\n> of lines", 5),
        ("| width | 32 |\n| --- | --- |\n|deep|two words|", 5),
        ("96%<!-- claim: shapes.test_accuracy --> of them<!-- a\n\ncomment -->", 3),
        ("Before\n\n```python\nx = not_counted()\n```\n\nand after", 3),
        ("1. Before\n\n   ~~~\n   not counted\n   ~~~\n\n   and after", 4),
        ("the [glossary](../glossary.md#a-term) and [x](<a b>)", 4),
        ("with $a + b < c$ and $$\nd = e\n\nf\n$$ it is five", 7),
        ("a formula $a +\nb$ that goes on", 6),
        ("two dollars, 5 $\n\nand 6 $ more", 6),
        ("`x < y` or `a > $b` as code, $c$", 8),
        ("a < b and c > d", 5),
        ("A<b>bold</b> word, <br>and another", 5),
        ("", 0),
    ],
)
def test_words_are_what_a_reader_sees(source, words):
    assert times.words_in(source) == words


def test_answers_and_hints_are_prose():
    hidden = "<details><summary>Answer</summary>\n\nIt is two.\n\n</details>"
    assert count(text(hidden)).words == 4


def test_the_sentence_that_is_written_is_not_counted_and_what_follows_it_is():
    assert (
        times.words_in("> **Time:** about an hour. A pause.\n> **You need:** it") == 5
    )


def test_two_hundred_words_take_a_minute():
    assert count(text("word " * 500)).reading == 2.5


# === code and outputs ===


def test_twenty_lines_of_code_take_a_minute_and_empty_ones_none():
    assert count(code("a = 1\n\n# why\n   \nb = 2")).lines == 3
    assert count(code("a = 1\n" * 30)).reading == 1.5


@pytest.mark.parametrize(
    "tag, lines, outputs",
    [
        ("check", 1, 1),
        ("hide-cell", 0, 0),
        ("remove-cell", 0, 0),
        ("hide-input", 0, 1),
        ("remove-input", 0, 1),
        ("hide-output", 1, 0),
        ("remove-output", 1, 0),
    ],
)
def test_what_is_folded_takes_no_time(tag, lines, outputs):
    found = count(code("draw()", DRAWN, "nbval-ignore-output", tag))
    assert (found.lines, found.outputs) == (lines, outputs)


def test_a_cell_that_shows_something_takes_half_a_minute_more():
    assert count(code("", DRAWN)).reading == count(code("", PRINTED)).reading == 0.5
    assert count(code("", [*DRAWN, *PRINTED])).outputs == 1
    assert count(code("")).outputs == 0


def test_the_cell_that_sets_up_takes_no_time():
    setup = code(SETUP, PRINTED)
    assert count(text("words"), setup, code("a", PRINTED)) == times.Count(1, 1, 1)
    # only where it comes first
    assert count(code("a"), setup).lines == 4


def test_raw_cells_are_not_counted():
    assert count({**text("some words"), "cell_type": "raw"}) == times.Count()


# === boxes and exercises ===


def test_predictions_and_pencils_take_a_minute_and_a_half():
    boxes = "> **Predict.** A\n\n> **By hand.** B\n\n> **Rule.** C\n\nPredict. D"
    assert count(text(boxes)).boxes == 2
    without_words = "> **Predict**\n\n> **By hand, again.**"
    words = times.words_in(without_words)
    assert count(text(without_words)).reading == 3 + words / 200


@pytest.mark.parametrize(
    "title, minutes",
    [
        ("**1. In the dark.** (easy) Do it.", 5),
        ("**1. In the dark (easy)** Do it.", 5),
        ("**1. In the dark (easy).** Do it.", 5),
        ("**2. Of *two* things (really).** (medium) Do it.", 15),
        ("**3. Two objects (hard)**", 30),
        ("**4. Catch the eye.** (open) As (hard) as you like.", 0),
        ("**5. No level.** Take an (easy) one.", 0),
        ("Look at **1. A title.** (easy)", 0),
    ],
)
def test_exercises_take_what_their_level_says(title, minutes):
    assert count(text("## Exercises"), text(title)).exercises == minutes
    assert count(text(f"## Exercises\n\n{title}\n\n{title}")).exercises == 2 * minutes


def test_exercises_are_apart_and_only_where_they_are_announced():
    one = "**1. A title.** (easy)"
    found = count(text(f"## Exercises\n\n{one}"))
    assert found.whole == found.reading + 5 and found.reading < 1
    assert count(text(f"## Reading\n\n{one}")).exercises == 0


# === sections ===


def test_a_section_goes_to_the_next_heading_of_its_level():
    sections = times.sections_of(
        {
            "cells": [
                text("# Title"),
                code(SETUP),
                text("## One\n\n```\n## no heading\n```\n\n### Part\n\nword"),
                code("a = 1", PRINTED),
                text("more\n\n## Two\n\nwords here"),
                text("## One\n\nagain"),
            ]
        }
    )
    assert sections == {
        "": times.Count(words=1),
        "One": times.Count(words=6, lines=1, outputs=1),
        "Two": times.Count(words=3),
    }


# === writing ===


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small course: two chapters, and a page with marks."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / times.SECONDS).parent.mkdir(parents=True)
    seconds = "chapter,title,seconds\n01_first,First,44\n02_second,Second,61\n"
    (tmp_path / times.SECONDS).write_text(seconds)
    exercises = text("## Exercises\n\n**1. A (hard)**\n\n**2. B.** (hard)")
    cells = {"01_first": text("word " * 4000), "02_second": exercises}
    for name, cell in cells.items():
        notebook = {"cells": [text(HEAD), cell]}
        # as no tool would lay it out, and with another system's line ends
        path = tmp_path / "chapters" / f"{name}.ipynb"
        path.write_bytes(json.dumps(notebook, indent=3).encode() + b"\r\n \r\n")
    for page in times.PAGES:
        (tmp_path / page).write_bytes(b"No time.\r\n")
    (tmp_path / "intro.md").write_bytes(
        b"About 7<!-- time: 01..02 hours --> hours, 3<!-- time: 01 minutes --> and\r\n"
        b"5<!--time: 02 exercises minutes--> or 0<!-- time: 01 reading hours -->."
    )
    monkeypatch.setattr(times, "ROOT", tmp_path)
    return tmp_path


def test_write_changes_these_numbers_and_no_other_byte(course, capsys):
    first, second = sorted(course.glob("chapters/*.ipynb"))
    old = first.read_bytes(), second.read_bytes()
    assert times.main(["--write"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "changed chapters/01_first.ipynb",
        "changed chapters/02_second.ipynb",
        "changed intro.md",
    ]
    sentences = (
        b"less than a minute to run, 20 minutes to read and try.",
        b"about 2 minutes to run, 0 minutes to read and try, 60 for the exercises.",
    )
    for path, before, sentence in zip((first, second), old, sentences):
        assert path.read_bytes() == before.replace(b"a while.", sentence)
    assert (course / "intro.md").read_bytes() == (
        b"About 1<!-- time: 01..02 hours --> hours, 20<!-- time: 01 minutes --> and\r\n"
        b"60<!--time: 02 exercises minutes--> or 0<!-- time: 01 reading hours -->."
    )


def test_write_twice_changes_nothing(course, capsys):
    assert times.main(["--write"]) == 0
    files = [path for path in sorted(course.rglob("*")) if path.is_file()]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]
    capsys.readouterr()
    assert times.main(["--write"]) == 0
    assert capsys.readouterr().out == "nothing to change: every time is as counted\n"
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in files] == before


def test_the_committed_chapters_are_written_once(tmp_path):
    for name in ("chapters", Path(times.SECONDS).parent):
        shutil.copytree(ROOT / name, tmp_path / name)
    for page in times.PAGES:
        shutil.copy(ROOT / page, tmp_path / page)
    times.write(tmp_path)
    assert times.write(tmp_path) == []


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0, "less than a minute to run"),
        (44.9, "less than a minute to run"),
        (45, "about 1 minute to run"),
        (60, "about 1 minute to run"),
        (60.1, "about 2 minutes to run"),
        (261, "about 5 minutes to run"),
    ],
)
def test_running_time_is_rounded_up(seconds, said):
    assert times.head(times.Count(), seconds).startswith(f"{said}, ")


@pytest.mark.parametrize("minutes, said", [(2.4, 0), (2.5, 5), (52.4, 50), (52.5, 55)])
def test_minutes_are_rounded_to_five(minutes, said):
    assert times.rounded(minutes) == said
    assert f", {said} minutes to read and try." in times.head(
        times.Count(words=round(200 * minutes)), 1
    )


# === what its user can mend ===


def change(path, old, new):
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    "name, old, new, said",
    [
        ("chapters/02_second.ipynb", "Time:", "Lime:", "02_second.ipynb: its head"),
        ("chapters/02_second.ipynb", "a while. ", "long ", "there are none"),
        ("chapters/02_second.ipynb", "# Title", "> **Time:** it is.", "there are 2"),
        ("chapters/01_first.ipynb", '"cells"', '"sells"', "01_first.ipynb is no"),
        ("chapters/01_first.ipynb", "[", "", "01_first.ipynb is no notebook"),
        (times.SECONDS, "02_second", "03_third", "02_second has no line in"),
        ("intro.md", "About 7", "About ", "intro.md: <!-- time: 01..02 hours --> foll"),
        ("intro.md", "02 hours", "02 days", "'01..02 days' is no time"),
        ("intro.md", "01 minutes", "03 minutes", "'03 minutes' is the time of no chap"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    course, capsys, name, old, new, said
):
    change(course / name, old, new)
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    assert times.main(["--write"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1
    assert said in err
    after = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    assert after == before


def test_an_option_that_there_is_not(capsys):
    assert times.main(["--minutes"]) == 2
    assert capsys.readouterr().err.startswith("error: unrecognized arguments")


def test_an_error_names_the_chapter():
    with pytest.raises(PatchConvNetError, match="04_x.ipynb.*there are none"):
        times.with_head("{}", "04_x.ipynb", "an hour.")


# === the table ===


def test_the_table_adds_up(course, capsys):
    assert times.main([]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1:3] == [
        ["01_first", "4,010", "20", "0"],
        ["02_second", "17", "0", "60"],
    ]
    assert rows[3] == "core, in hours 0 0.0 0.0 together 0.0".split()
    assert rows[4] == "all, in hours 4,027 0.3 1.0 together 1.3".split()


def test_sections_are_lines_of_their_own(course, capsys):
    assert times.main(["--sections"]) == 0
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows[1:]] == [
        "01_first",
        "(head)",
        "02_second",
        "(head)",
        "Exercises",
        "core,",
        "all,",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "1,500<!-- time: 01 minutes -->",
        "5.5<!-- time: 01 hours -->",
        "-5<!-- time: 01 minutes -->",
        "5<!-- times: 01 minutes -->",
        "5<!-- Time: 01 minutes -->",
        "5<!-- time: 01 minutes",
    ],
)
def test_what_looks_like_a_mark_and_is_none_is_refused(text):
    chapters = {"01_first": {"": times.Count(words=2_000)}}
    with pytest.raises(PatchConvNetError, match="page.md: <!--"):
        times.with_times(text, "page.md", chapters)


def test_a_mark_may_be_wrapped():
    chapters = {"01_first": {"": times.Count(words=2_000)}}
    text = "7<!-- time: 01 reading\nminutes --> minutes"
    assert times.with_times(text, "page.md", chapters) == text.replace("7", "10")
