"""What a kit does with predictions, and with the parts that a chapter lets its reader
write: in both notebooks, and on the slides.
"""

import re
import subprocess
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup
from test_classroom import PLAN, write

from classroom import chapters as classroom_chapters
from classroom import notebooks as classroom_notebooks
from classroom import plan as classroom_plan
from classroom import slides as classroom_slides
from classroom.chapters import ends_with_question
from classroom.plan import Part

NAME = "06_attention_pooling"  # one whose seconds are known
CHECK = """# @title Check
def check(name, wanted, hint, stop):  # in a chapter, that of the package
    print("ok, double: twice" if globals()[name](2) == 4 else "Not yet. `double`")


def check_double():
    check("double", {"twice": lambda double: double(2) == 4}, hint="?", stop=False)


check_double()"""
SOLUTION = """# @title One way to write it
def double(x):
    return 2 * x


check_double()"""
STUB = (
    '# Yours to write.\ndef double(x):\n    """Twice x."""\n    # 1. Add.\n    return x'
)
SAYS = "<details><summary>What it says</summary>\n\n{}\n\n</details>"
SLIDE, SUBSLIDE = "slide", "subslide"


def text(source, kind=None):
    metadata = {"slideshow": {"slide_type": kind}} if kind else {}
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)


def code(source, prints=None, tags=(), kind=None):
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata |= text("", kind).metadata | {"tags": list(tags)}
    if "hide-output" in tags:
        cell.metadata.jupyter = {"outputs_hidden": True}
        cell.metadata.mystnb = {"code_prompt_show": "What came out"}
    if prints:
        cell.outputs = [nbformat.v4.new_output("stream", text=f"{prints}\n")]
        cell.execution_count = 1
    return cell


FOLDED = ["hide-output"]
STUBS = [
    code(STUB, tags=["stub"]),
    code(CHECK, "Not yet. `double`", ["stub-check", "hide-input"]),
    code(SOLUTION, "ok, double: twice", ["hide-cell"]),
]
CELLS = [
    text("# Title\n\n> In this chapter"),
    code("x = 3\nprint(x)", "3"),
    text("## One\n\n> **Predict.** What is $2^3$?\n>\n> And why?", SLIDE),
    code("print(x + 5)", "8", FOLDED),
    text(f"{SAYS.format('Eight comes out. Nine is wrong. The rest.')}\n\nOn we go."),
    text("Words.\n\n> **By hand.** And $3^2$?", SUBSLIDE),
    text(SAYS.format("It is nine.\n\n- by hand\n- by head")),
    code("print(x - 1)", "2", FOLDED),
    text("> **Note.** This ends a text, too."),
    text("## Two\n\nNow write.", SLIDE),
    *STUBS,
    text("## Three\n\nUse it.\n\n> **Predict.** And $2 * 4$?"),
    code("print(double(4))", "8", [*FOLDED, "other"]),
    text("## Exercises\n\n**1. One.** (easy) Do."),
    code("# @title Solution\nvalue = 5", tags=["hide-cell"]),
    text("## Quiz\n\nQ."),
]


@pytest.fixture
def plan(tmp_path):
    ungraded = PLAN.replace("graded = true", "graded = false")
    return classroom_plan.read_plan(write(tmp_path / "plan.toml", ungraded))


def chapter_of(tmp_path, nodes):
    notebook = nbformat.v4.new_notebook(cells=nodes)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / f"{NAME}.ipynb")
    return classroom_chapters.read_chapter(tmp_path / f"{NAME}.ipynb")


@pytest.fixture
def chapter(tmp_path):
    return chapter_of(tmp_path, CELLS)


def select(chapter, **options):
    return classroom_chapters.select(chapter, [Part(10, chapter=NAME, **options)])


@pytest.fixture
def student(chapter, plan):
    return classroom_notebooks.student_notebook(
        chapter, select(chapter, exercises=(1,)), plan
    )


@pytest.fixture
def instructor(chapter, plan):
    return classroom_notebooks.instructor_notebook(
        chapter, select(chapter, exercises=(1,)), plan, "## The point\n\nIt."
    )


def found(notebook, source):
    [cell] = [cell for cell in notebook.cells if cell.source == source]
    return cell


# === notebooks ===


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("> **Predict.** What?", True),
        ("Words.\n\n> **By hand.** What?\n>\n> Or what?\n", True),
        ("> **Predict what comes.** What?", True),
        ("> **Predict.** What?\n\nWords.", False),
        ("> **Prediction.** It was right.", False),
        ("> **Note.** Words.", False),
        ("**Predict.** What?", False),
    ],
)
def test_which_texts_end_with_a_question(source, expected):
    assert ends_with_question(source) == expected


def test_a_student_has_a_line_for_each_guess_right_below_its_question(student):
    lines = [
        place
        for place, cell in enumerate(student.cells)
        if cell.source == "**My guess:** …"
    ]
    assert len(lines) == 3
    for place in lines:
        line, question = student.cells[place], student.cells[place - 1]
        assert line.cell_type == "markdown" and not line.metadata
        assert ends_with_question(question.source)
    assert len({cell.id for cell in student.cells}) == len(student.cells)


@pytest.mark.parametrize("for_nbgrader", [False, True])
def test_a_guess_is_not_graded(chapter, tmp_path, for_nbgrader):
    graded = classroom_plan.read_plan(write(tmp_path / "plan.toml"))
    cells = select(chapter, exercises=(1,))
    student = classroom_notebooks.student_notebook(
        chapter, cells, graded, for_nbgrader=for_nbgrader
    )
    marked = [cell.source for cell in student.cells if "nbgrader" in cell.metadata]
    assert len(marked) == 2 and not any("My guess" in source for source in marked)
    assert sum(cell.source == "**My guess:** …" for cell in student.cells) == 3


def test_what_is_predicted_is_in_the_instructors_notebook_alone(student, instructor):
    for source, printed in (("print(x + 5)", "8\n"), ("print(x - 1)", "2\n")):
        unseen, seen = found(student, source), found(instructor, source)
        assert unseen.outputs == [] and unseen.execution_count is None
        assert "nbval-ignore-output" in unseen.metadata.tags
        assert "shows nothing until" in unseen.metadata.nbval_reason
        assert seen.outputs[0].text == printed and seen.metadata.tags == FOLDED
        for cell in (unseen, seen):  # folded, once it has been run
            assert cell.metadata.jupyter.outputs_hidden is True
            assert "raises-exception" not in cell.metadata.tags
    assert found(student, "x = 3\nprint(x)").outputs[0].text == "3\n"
    assert not any("My guess" in cell.source for cell in instructor.cells)


def test_parts_to_write_stay_as_they_are(student, instructor):
    for node in STUBS:
        for notebook in (student, instructor):
            cell = found(notebook, node.source)
            assert cell.metadata == node.metadata and cell.outputs == node.outputs


def test_parts_to_write_are_no_exercises(chapter):
    jobs = {cell.node.source: cell.job for cell in chapter.cells}
    assert [jobs[node.source] for node in STUBS] == ["code"] * 3
    assert list(chapter.exercises()) == [1]


def test_of_a_section_left_out_all_three_parts_stay_if_one_is_needed(chapter):
    """Else the check, which looks at a name, would say that there is none."""
    kept = {cell.node.source: cell for cell in select(chapter, leave_out=("Two",))}
    assert all(kept[node.source].helper for node in STUBS)
    kept = {cell.node.source for cell in select(chapter, sections=("One",))}
    assert not kept & {node.source for node in STUBS}


@pytest.mark.parametrize("leave_out", [(), ("Two",)])
def test_the_students_and_the_instructors_notebook_pass(
    chapter, plan, tmp_path, leave_out
):
    cells = select(chapter, exercises=(1,), leave_out=leave_out)
    notebooks = {
        "student": classroom_notebooks.student_notebook(chapter, cells, plan),
        "instructor": classroom_notebooks.instructor_notebook(
            chapter, cells, plan, "## The point"
        ),
    }
    for name, notebook in notebooks.items():
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q"]
    files = [f"{name}.ipynb" for name in notebooks]
    result = subprocess.run(
        [*command, "-p", "no:cacheprovider", *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr


# === slides ===


def slides(chapter, plan, **options):
    """The words of each slide, without the notes; and all that is in the notes."""
    page = classroom_slides.slides_of(chapter, select(chapter, **options), plan)
    soup = BeautifulSoup(page, "html.parser")
    notes = [note.extract().get_text(" ") for note in soup.select("aside.notes")]
    # a column of slides is a section of sections
    shown = [part for part in soup.select("section") if not part.find("section")]
    return [
        " ".join(part.get_text(" ").replace("¶", "").split()) for part in shown
    ], " ".join(notes)


def test_an_outcome_is_on_the_slide_after_its_question(chapter, plan):
    """Whether its cells are marked or not; and not without its question."""
    found, notes = slides(chapter, plan)
    title, question, shown, said, answer, *rest = found
    assert question.startswith("One Predict. What is $2^3$? And why?")
    assert "print(x + 5)" not in question and "comes out" not in question
    assert re.fullmatch(r"One print *\( *x \+ 5 *\) 8", shown)
    # the next question has room below
    says = "One What it says Eight comes out. Nine is wrong."
    assert said == f"{says} By hand. And $3^2$?"
    assert "The rest." in notes and "On we go." in notes
    assert answer == "One What it says by hand by head"
    assert not any("print(x - 1)" in slide or "Note" in slide for slide in found)
    assert not any("double(4)" in slide for slide in found)  # its question has none
    assert [slide[:3] for slide in rest] == ["Two"]


def test_marked_outcomes_come_once_and_text_after_a_fold_goes_on(tmp_path, plan):
    nodes = [
        *CELLS[:2],
        text("## One\n\n- an item\n\n> **Predict.** What?", SLIDE),
        code("print(x + 5)", "8", FOLDED, SUBSLIDE),
        text(f"{SAYS.format('Eight.')}\n\n| a |\n| --- |\n| 1 |", SUBSLIDE),
        text(f"Two items:\n\n- one\n- two\n\n{SAYS.format('$$ x = 1 $$')}", SUBSLIDE),
        text("## Two\n\nWords. More.", SLIDE),
    ]
    found, _ = slides(chapter_of(tmp_path, nodes), plan)
    assert [re.sub(r" print.* ", " print ", slide) for slide in found[1:]] == [
        "One an item Predict. What?",
        "One print 8",
        "One What it says Eight. a 1 Two items: one two",
        "One What it says $$ x = 1 $$",
        "Two Words. More.",
    ]


def test_an_outcome_in_a_section_left_out_is_on_no_slide(chapter, plan):
    found, _ = slides(chapter, plan, leave_out=("One",))
    assert not any("Predict" in slide or "What it says" in slide for slide in found)
