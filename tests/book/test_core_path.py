"""The core path: marked in heads, counted apart, and short enough to be finished."""

from pathlib import Path

import yaml

import times
from test_times import CHAPTERS, ROOT, change, count, course, text

__all__ = ["course"]  # a fixture


def test_of_a_core_chapter_two_exercises_are_counted():
    cells = [text(f"**{number}. A title.** (medium)") for number in range(1, 5)]
    head, exercises = text(f"# Title\n\n{times.CORE} Complete."), text("## Exercises")
    assert count(head, exercises, *cells).exercises == 30
    assert count(head, exercises, *cells[:1]).exercises == 15
    assert count(text("# Title"), exercises, *cells).exercises == 60
    mixed = ("(easy)", "(hard)", "(medium)", "(open)")
    cells = [text(f"**1. A title.** {level}") for level in mixed]
    assert count(head, exercises, *cells).exercises == 35


def test_the_core_path_has_marks_and_a_line_of_its_own(course, capsys):
    change(course / "chapters" / "02_second.ipynb", "# Title", f"# T\\n\\n{times.CORE}")
    (course / "README.md").write_bytes(
        b"0<!-- time: core exercises minutes -->, 0<!-- time: all hours -->,"
        b" 0<!-- time: core hours -->"
    )
    assert times.main(["--write"]) == 0
    assert (course / "README.md").read_bytes() == (
        b"60<!-- time: core exercises minutes -->, 1<!-- time: all hours -->,"
        b" 1<!-- time: core hours -->"
    )
    capsys.readouterr()
    assert times.main([]) == 0
    assert "core, in hours         19      0.0        1.0" in capsys.readouterr().out


# What the course promises of itself.
MOST_CORE_HOURS, MOST_HOURS, MOST_WORDS = 8, 26, 34_000


def test_the_core_path_and_the_course_can_be_finished():
    chapters = times.read_chapters(ROOT)
    core = [sections for sections in chapters.values() if sections[""].core]
    for some, most in ((core, MOST_CORE_HOURS), (chapters.values(), MOST_HOURS)):
        whole = times.together(one for sections in some for one in sections.values())
        assert whole.whole <= 60 * most
    assert whole.words <= MOST_WORDS


def test_the_core_path_is_that_of_the_table_of_contents():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    listed = {
        part["caption"]: [Path(one["file"]).stem for one in part["chapters"]]
        for part in parts
    }
    chapters = times.read_chapters(ROOT)
    core = [name for name, sections in chapters.items() if sections[""].core]
    assert listed["Core path"] == core
    depth = [
        path.stem
        for path in CHAPTERS
        if "> **Depth.** No core chapter needs it." in path.read_text(encoding="utf-8")
    ]
    assert listed["Depth"] == depth
