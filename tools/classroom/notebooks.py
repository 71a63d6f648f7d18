"""The notebooks of a kit, one for the student and one for the instructor.

The student's is without solutions; the instructor's has everything, and more. A
student's exercise is a cell that fails with a friendly line until it is done, and the
chapter's check cell below it. Below a question to predict there is a line for the
guess, and what the next cell shows is not there before the student runs it. In a graded
class, exercises are made of nbgrader's cells (grading.py), and the answers of the quiz
are left out as well. A part that a chapter lets its reader write (`stub`, `stub-check`,
and the folded "One way to write it") is in all of them as it is in the chapter.
"""

import copy
import re

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from classroom.chapters import FOLD, UNSEEN, checked_names, ends_with_question
from classroom.grading import POINTS, YOURS, exercise_cells
from classroom.text import plain
from patchconvnet.course import doctor
from patchconvnet.errors import PatchConvNetError

GUESS = "**My guess:** …"
TO_COME = "raises-exception"  # nbval and nbclient go on behind such a cell
FREE = "nbval-ignore-output"
DATA = """\
# The pictures of this class. Where they are missing, the chapter draws its own.
for pictures in ({beside}, {here}):
    if os.path.exists(pictures):
        os.environ.setdefault("PATCHCONVNET_DATASET", pictures)

"""


def set_preset(cells, preset):
    """Write the plan's preset into the cell with the tag `parameters`, if any.

    Returns:
        Whether that changes anything.
    """
    changed = False
    for cell in cells:
        if "parameters" in cell.node.metadata.get("tags", []):
            source = f"preset = {literal(preset)}"
            changed |= source != cell.node.source
            cell.node.source = source
    return changed


def literal(text):
    """A string as Python code, in double quotes where it has no quotes.

    Whatever is in it, it is that string and no more.
    """
    code = repr(text)
    return code if '"' in code else f'"{code[1:-1]}"'


def run_on(chapter, cells, data, folder):
    """Run what a class takes of a chapter on its own pictures or preset.

    The outputs are kept in the cells.

    Args:
        data: file name of the pictures, in the folder `data` beside `folder`, or None
            for the chapter's own.
        folder: where the notebook will lie.

    Raises:
        PatchConvNetError: if a cell fails: with its first line, and the error.
    """
    nodes = [_common(copy.deepcopy(cell.node), cell, data) for cell in cells]
    notebook = _notebook(chapter, nodes)
    where = {"metadata": {"path": str(folder)}}
    try:
        NotebookClient(notebook, timeout=600, resources=where).execute()
    except CellExecutionError as error:
        raise PatchConvNetError(
            f"{chapter.name} does not run on {data or 'this preset'}: {error.ename}:"
            f" {error.evalue}"
        ) from error
    except DeadKernelError as error:
        raise PatchConvNetError(
            f"{chapter.name} does not run on {data or 'this preset'}: {error}"
        ) from error
    for cell, node in zip(cells, notebook.cells):
        if cell.node.cell_type == "code":
            cell.node.outputs = node.outputs
            cell.node.execution_count = node.execution_count


def student_notebook(chapter, cells, plan, data=None, for_nbgrader=False):
    """What a student gets of a chapter: an nbformat notebook.

    Args:
        chapter: a `Chapter`.
        cells: what the class takes of it, as `chapters.select` returns it.
        plan: a `Plan`.
        data: file name of the class's own pictures, if the chapter runs on them.
        for_nbgrader: solutions stay, between the marks at which nbgrader cuts them out:
            its "source" version.
    """
    nodes = []
    for place, cell in enumerate(cells):
        node = copy.deepcopy(cell.node)
        if plan.graded and cell.job in ("solution", "check"):
            stub = _stub(cell, _checked_names(cells, place), YOURS).source
            made = exercise_cells(chapter, cell, stub, for_nbgrader)
            nodes += made if for_nbgrader else map(_waiting, made)
            continue
        if cell.job == "solution":
            node = _stub(cell, _checked_names(cells, place))
        elif cell.job == "check":
            node = _pending(node)
        elif UNSEEN in node.metadata.get("tags", []):
            node = _unseen(node)
        elif plan.graded and cell.section == "Quiz":
            node.source = FOLD.sub(_question_alone, node.source)
        nodes.append(_common(node, cell, data))
        if plan.graded and cell.exercise and cell.job == "text":
            nodes += exercise_cells(chapter, cell, "", for_nbgrader)
        if cell.job == "text" and ends_with_question(node.source):
            nodes.append(nbformat.v4.new_markdown_cell(GUESS))
    return _notebook(chapter, nodes)


def instructor_notebook(chapter, cells, plan, notes, data=None):
    """What the instructor gets: solutions with outputs, notes, minutes.

    The notes are the teaching notes and the plan's.
    """
    nodes = [_common(copy.deepcopy(cell.node), cell, data) for cell in cells]
    words = _for_the_instructor(chapter, plan, notes)
    nodes.insert(1, nbformat.v4.new_markdown_cell(words))
    return _notebook(chapter, nodes)


def _notebook(chapter, nodes):
    for number, node in enumerate(nodes):
        node.id = f"{chapter.name[:2]}-{number:03}"  # the same notebook each time
    metadata = copy.deepcopy(chapter.metadata)
    return nbformat.v4.new_notebook(cells=nodes, metadata=metadata)


def _common(node, cell, data):
    """What both notebooks need: notes above helping code; the class's pictures.

    Such code stays for its names alone.
    """
    if cell.helper:
        node.source = (
            f'# From the section "{cell.section}", which this class leaves out: later'
            f" cells need it.\n{node.source}"
        )
        tags = {*node.metadata.get("tags", []), "hide-cell", "remove-output"}
        node.metadata["tags"] = sorted(tags)
        node.metadata.setdefault("jupyter", {})["source_hidden"] = True
        shown = node.metadata.setdefault("mystnb", {})
        shown["code_prompt_show"] = "From a section that is left out"
    if data and cell.job == "code":
        marker = "try:\n    from patchconvnet.course.announcement import announce"
        places = {
            "beside": literal(f"../data/{data}"),
            "here": literal(data),  # in nbgrader's folders
        }
        node.source = node.source.replace(marker, DATA.format(**places) + marker)
        _tag(node, FREE, "depends on the pictures of this class")
    return node


def _unseen(node):
    """What a reader predicts: without what it shows, which is not compared here.

    It is compared in the instructor's notebook and in the course's own.
    """
    node.outputs, node.execution_count = [], None
    node.metadata.get("mystnb", {}).pop("image", None)  # its alt text tells
    _tag(node, FREE, "shows nothing until the student has predicted it")
    return node


def _tag(node, tag, reason=None):
    node.metadata["tags"] = sorted({*node.metadata.get("tags", []), tag})
    if reason:
        node.metadata.setdefault("nbval_reason", reason)


# === exercises ===


def _checked_names(cells, place):
    """Names that the check below a solution looks at."""
    if place + 1 >= len(cells) or cells[place + 1].job != "check":
        return []
    return checked_names(cells[place + 1].node.source)


def _stub(cell, names, begin="# Exercise {}: your code goes here."):
    """The cell in which a student works."""
    wanted = f"The check below looks at: {', '.join(names)}\n# " if names else ""
    source = (
        f"{begin.format(cell.exercise)}\n# {wanted}Delete the last line when you"
        " begin.\n"
        f'raise NotImplementedError("Exercise {cell.exercise} is still to do: put your'
        ' code here.")'
    )
    return _pending(nbformat.v4.new_code_cell(source))


def _pending(node):
    """A cell that fails until the exercise is done: no output, and none is compared."""
    node.outputs, node.execution_count = [], None
    _tag(node, TO_COME)
    _tag(node, FREE, "waits for the student's work")
    node.metadata["tags"] = [tag for tag in node.metadata["tags"] if tag != "hide-cell"]
    return node


def _waiting(node):
    return _pending(node) if node.cell_type == "code" else node


def _question_alone(details):
    """Of a folded answer nothing; of a question that folds its answer the question."""
    summary = details[1].strip()
    return "" if summary in ("Answer", "Solution") else f"**{summary}**\n\n"


# === for the instructor ===


def _for_the_instructor(chapter, plan, notes):
    parts = plan.parts_of(chapter.name)
    lines = ["> **For the instructor.** This cell is in no student's notebook.", ""]
    for part in parts:
        what = f": {', '.join(part.sections)}" if part.sections else ""
        lines.append(f"- {part.minutes} minutes{what}. {plain(part.note)}".rstrip())
    lines.append(
        "- On the course's machine (two CPU cores) the whole chapter runs in"
        f" {_seconds(chapter.name)} seconds."
    )
    exercises = sorted({number for part in parts for number in part.exercises})
    for number in exercises:
        title, level = chapter.exercises()[number]
        points = f", {POINTS[level]} points" if plan.graded else ""
        lines.append(f"- Exercise {number}, {title} ({level}{points})")
    return "\n".join([*lines, "", re.sub(r"(?m)^## ", "### ", notes.strip())])


def _seconds(name):
    """What was measured for a whole chapter."""
    [row] = doctor.chapters(doctor.REFERENCE_STEP, [name])
    return row["seconds"]
