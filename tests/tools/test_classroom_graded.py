"""A graded kit: nbgrader's course folder, what is in it, and what tells nothing."""

import ast
import re

import nbformat
import pytest
from test_classroom import PLAN, ROOT, kit, write  # noqa: F401

from classroom import assignments
from classroom import plan as classroom_plan
from classroom.chapters import read_chapter
from classroom.for_students import without_notes
from classroom.grading import POINTS, asks_to_predict, points_of
from classroom.pages import LOOK_UP

CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
SESSIONS = PLAN.replace(
    '[[session.part]]\ntitle = "Break"',
    '[[session]]\ntitle = "Next"\n\n[[session.part]]\ntitle = "Break"',
)


def course(kit):
    return kit / "instructor" / "nbgrader"


def notebooks(folder):
    return [
        nbformat.read(path, as_version=4) for path in sorted(folder.rglob("*.ipynb"))
    ]


def marked(notebook):
    return [cell for cell in notebook.cells if "nbgrader" in cell.metadata]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_points_of_an_exercise_are_those_of_its_level(path):
    """Half for the result, shared by its parts; the rest for what a person reads."""
    chapter = read_chapter(path)
    for number, (_, level) in chapter.exercises().items():
        points = points_of(chapter, number)
        assert sum(points.values()) == POINTS[level] and min(points.values()) > 0
        written = points["-explanation"] + points.get("-prediction", 0)
        has_code = any(
            cell.exercise == number and cell.job == "solution" for cell in chapter.cells
        )
        assert written == POINTS[level] / (2 if has_code else 1)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("**1. A.** (easy) Predict first.", True),
        ("Guess first: what makes a shape easy?", True),
        ("What do you expect?", True),
        ("`model.predict(x)` gives it.", False),
        ("Keep it.", False),
    ],
)
def test_a_cell_for_the_prediction_is_where_one_is_asked_for(text, asks):
    assert asks_to_predict(text) == asks


def test_nbgrader_finds_what_it_needs(kit):  # noqa: F811
    """Version 3 of its metadata: unique names; a grade has points; a test is locked;
    what a person reads is to be solved.
    """
    for folder in (kit / "student" / "chapters", course(kit)):
        cells = [cell for notebook in notebooks(folder) for cell in marked(notebook)]
        marks = [cell.metadata.nbgrader for cell in cells]
        assert [mark.grade_id for mark in marks] == [
            "01_overview-1",
            "01_overview-1-right_by_light",
            "01_overview-1-explanation",
            "01_overview-4",
            "01_overview-4-explanation",
            "06_attention_pooling-1",
            "06_attention_pooling-1-ask_for",
            "06_attention_pooling-1-explanation",
        ]
        for cell, mark in zip(cells, marks):
            assert mark.schema_version == 3 and mark.cell_type == cell.cell_type
            assert mark.grade == ("points" in mark)
            assert mark.locked == (not mark.solution) and not mark.task
        points = [mark.get("points", 0) for mark in marks]
        assert points == [0, 2, 2, 6, 6, 0, 2, 2]


def test_rubric_and_cells_count_the_same(kit):  # noqa: F811
    rubric = (kit / "instructor" / "rubric.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| (\d\d) .*\| (\d+) \|$", rubric)
    total = sum(int(points) for _, points in rows)
    of_cells = sum(
        cell.metadata.nbgrader.get("points", 0)
        for notebook in notebooks(course(kit))
        for cell in marked(notebook)
    )
    assert total == of_cells == 20 and "20 points in all" in rubric
    assert "| 4. Catch the eye | open | a person | 6 | 6 | 12 |" in rubric


def test_hidden_tests_and_solutions_are_in_nbgraders_folder_alone(kit):  # noqa: F811
    for notebook in notebooks(course(kit)):
        for cell in marked(notebook):
            job = cell.metadata.nbgrader
            if job.locked:
                visible, hidden = cell.source.split("### BEGIN HIDDEN TESTS\n")
                assert "check(" in visible and hidden.endswith("### END HIDDEN TESTS")
                ast.parse(cell.source)
                assert "compare(" in hidden and "assert near(" in hidden
                assert "check(" not in hidden  # a line of a student's replaces that
            elif cell.cell_type == "code":
                assert re.match(
                    r"# Exercise \d\. Write the whole answer in this cell", cell.source
                )
                assert cell.source.endswith("\n### END SOLUTION")
    for path in (kit / "student").rglob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "HIDDEN" not in text and "hidden_test" not in text
        assert "BEGIN SOLUTION" not in text


def test_metadata_of_an_exercise_tells_nothing(kit):  # noqa: F811
    """No alt text of a solution's figure, no tag or view that hid it."""
    for folder in (kit / "student" / "chapters", course(kit)):
        for notebook in notebooks(folder):
            for cell in marked(notebook):
                assert not cell.metadata.keys() - {"nbgrader", "tags", "nbval_reason"}
                assert "hide-cell" not in cell.metadata.get("tags", [])
                assert not cell.get("outputs")
            for cell in notebook.cells:
                if "hide-output" in cell.metadata.get("tags", []):
                    assert "image" not in cell.metadata.get("mystnb", {})


def test_links_lead_to_files_of_the_course_folder(kit):  # noqa: F811
    links = 0
    for path in course(kit).rglob("*"):
        if path.suffix not in (".ipynb", ".md"):
            continue
        text = path.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if re.fullmatch(r"[\w./]+\.(?:md|ipynb)", link):
                links += 1
                assert (path.parent / link).is_file(), f"{path.name}: {link}"
    assert links > 20


def test_an_assignment_is_a_session(tmp_path):
    plan = classroom_plan.read_plan(write(tmp_path / "plan.toml", SESSIONS))
    assert assignments.assignment_of(plan, "01_overview") == "session_1"
    assert assignments.assignment_of(plan, "06_attention_pooling") == "session_2"
    text = (
        "[a](06_attention_pooling.ipynb#x) [b](01_overview.ipynb)"
        " [c](../glossary.md#chance) [d](chapters/01_overview.ipynb)"
        " [e](https://a.b/chapters/06_attention_pooling.ipynb)"
    )
    assert assignments.linked_here(text, plan, "session_1") == (
        "[a](../session_2/06_attention_pooling.ipynb#x) [b](01_overview.ipynb)"
        " [c](glossary.md#chance) [d](01_overview.ipynb)"
        " [e](https://a.b/chapters/06_attention_pooling.ipynb)"
    )


def test_nbgraders_settings_name_the_kernel_of_chapter_14(kit):  # noqa: F811
    text = (course(kit) / "nbgrader_config.py").read_text(encoding="utf-8")

    class Anything:
        def __getattr__(self, name):
            self.__dict__[name] = Anything()
            return self.__dict__[name]

    settings = Anything()
    exec(text, {"get_config": lambda: settings})
    guide = (ROOT / "chapters" / "14_instructors.md").read_text(encoding="utf-8")
    name = settings.Execute.kernel_name
    assert f"python -m ipykernel install --user --name {name}\n" in guide
    assert settings.IgnorePattern.enabled and settings.Execute.timeout >= 600
    assert re.search(settings.IgnorePattern.pattern, "RuntimeWarning:\n divide")
    assert settings.CourseDirectory.course_id == "a_test"
    assert {path.name for path in (course(kit) / "source").iterdir()} == {"session_1"}
    files = {path.name for path in (course(kit) / "source" / "session_1").iterdir()}
    assert files == {"01_overview.ipynb", "06_attention_pooling.ipynb", *LOOK_UP}


def test_a_plan_that_is_handed_out_has_no_notes():
    text = f"# A comment\n{PLAN}"
    handed = without_notes(text)
    assert "Ask before" in text and "Ask before" not in handed and "#" not in handed
    assert "Three jobs, three versions of a patch" in handed
    for own in sorted((ROOT / "classroom" / "plans").glob("*.toml")):
        text = own.read_text(encoding="utf-8")
        assert "note" not in without_notes(text)


def test_a_plan_without_notes_is_read_as_the_same_plan(tmp_path):
    first = classroom_plan.read_plan(write(tmp_path / "a.toml"))
    second = classroom_plan.read_plan(
        write(tmp_path / "b.toml", without_notes(PLAN.replace("note = ", "note = ")))
    )
    for session, other in zip(first.session, second.session):
        for part, stripped in zip(session.part, other.part):
            assert part.__dict__ | {"note": ""} == stripped.__dict__
