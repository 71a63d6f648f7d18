"""A chapter, taken apart into sections and exercises, and what of it a class takes.

read_chapter   a notebook, as a list of `Cell`s that know their section, their
               exercise and their job
select         what a plan's parts take of it; code that a later cell needs is kept
               although its section is not
"""

import ast
import copy
import dis
import functools
import re
import types
from dataclasses import dataclass

import nbformat

from patchconvnet.errors import PatchConvNetError, listing, nearest

HEADING = re.compile(r"(?m)^(?=## )")
EXERCISE = re.compile(r"(?m)^(?=\*\*\d+\. )")
NUMBER = re.compile(r"\*\*(\d+)\. ")
LEVEL = re.compile(r"\((easy|medium|hard|open)\)")
FOLD = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>\s*", re.DOTALL)
QUESTION = re.compile(r"> \*\*(?:Predict|By hand)\b")
UNSEEN = "hide-output"  # tag of a cell whose output a reader predicts
GIVEN = "given"  # tag of what later text speaks of: where needed, it is shown
STUB_CHECK = "stub-check"  # tag of a check of what a reader writes
# taken unless a plan leaves them out
ALWAYS = ("Quiz", "What to remember", "Further reading", "Where to go from here")


@dataclass
class Cell:
    """A cell of a notebook and its place.

    Attributes:
        node: the nbformat cell.
        section: heading of its section (level 2); "" before the first.
        exercise: number of the exercise that it belongs to, or None.
        job: "text", "code", "solution" or "check".
        helper: whether it stays only because a later cell needs its names.
    """

    node: nbformat.NotebookNode
    section: str = ""
    exercise: int | None = None
    job: str = "text"
    helper: bool = False


@dataclass(eq=False)
class Chapter:
    """A notebook: its name, title, cells, and whether it works on swapped data."""

    name: str
    title: str
    cells: list
    metadata: dict
    takes_data: bool

    def sections(self):
        return list(dict.fromkeys(cell.section for cell in self.cells if cell.section))

    def exercises(self):
        """Numbers of the exercises, each with its title and its level."""
        texts = {
            cell.exercise: cell.node.source
            for cell in self.cells
            if cell.exercise and cell.job == "text"
        }
        return {
            number: (title_of(text), level_of(text)) for number, text in texts.items()
        }


def title_of(text):
    """ "In the dark" from "**1. In the dark.** (easy) Multiply ...".

    Also from "**1. In the dark (easy).** ...".
    """
    bold = re.match(r"\*\*\d+\. (.+?)\*\*", text)[1]
    return LEVEL.sub("", bold).strip(" .")


def level_of(text):
    found = LEVEL.search(text)
    return found[1] if found else "open"


def ends_with_question(text):
    """Whether the last block of a text is a question that the next cell answers."""
    return bool(QUESTION.match(re.split(r"\n\s*\n", text.strip())[-1]))


def read_chapter(path):
    notebook = nbformat.read(path, as_version=4)
    cells, section, exercise = [], "", None
    for node in notebook.cells:
        for piece in _pieces(node):
            if piece.cell_type == "markdown":
                if piece.source.startswith("## "):
                    section, exercise = piece.source.splitlines()[0][3:].strip(), None
                if section == "Exercises" and (found := NUMBER.match(piece.source)):
                    exercise = int(found[1])
            cells.append(Cell(piece, section, exercise, _job(piece)))
    title = cells[0].node.source.splitlines()[0].removeprefix("# ")
    sources = [cell.node.source for cell in cells if cell.job == "code"]
    takes_data = any("announce(dataset=None" in source for source in sources)
    return Chapter(path.stem, title, cells, notebook.metadata, takes_data)


def _pieces(node):
    """A text cell in which a section or an exercise begins, as several.

    Any other cell stays as it is.
    """
    if node.cell_type != "markdown":
        return [node]
    texts = [
        text
        for part in HEADING.split(node.source)
        for text in EXERCISE.split(part)
        if text.strip()
    ]
    if len(texts) < 2:
        return [node]
    made = nbformat.v4.new_markdown_cell
    return [
        made(text.rstrip(), metadata=copy.deepcopy(node.metadata)) for text in texts
    ]


def _job(node):
    if node.cell_type != "code":
        return "text"
    tags = node.metadata.get("tags", [])
    if "check" in tags:
        return "check"
    return "solution" if node.source.startswith("# @title Solution") else "code"


def select(chapter, parts):
    """The cells of a chapter that the parts of a plan take, in order.

    Those kept for their names alone are marked.

    Raises:
        PatchConvNetError: a section or exercise that the chapter does not have; an
            exercise that needs another's solution.
    """
    wanted, exercises = set(), set()
    for part in parts:
        wanted |= _sections(chapter, part)
        what = f"exercise of {chapter.name}"
        exercises |= set(_known(part.exercises, chapter.exercises(), what))
    if exercises:
        wanted.add("Exercises")

    def is_taken(cell):
        return cell.section in wanted and (
            cell.exercise is None or cell.exercise in exercises
        )

    return _with_helpers(chapter, is_taken)


def _sections(chapter, part):
    names = chapter.sections()
    last = [name for name in names if name in ALWAYS]
    if part.sections is not None:
        return {"", *_known(part.sections, names, f"section of {chapter.name}"), *last}
    left_out = set(_known(part.leave_out, names, f"section of {chapter.name}"))
    return {"", *names} - left_out - ({"Exercises"} if not part.exercises else set())


def _known(given, known, what):
    for name in given:
        if name not in known:
            raise listing(
                f"{name!r} is no {what}: accepted are those below"
                f"{nearest(name, map(str, known))}",
                known,
            )
    return given


def _with_helpers(chapter, is_taken):
    """The cells that are taken, and those that make a name that a later one needs."""
    modules = {
        name
        for cell in chapter.cells
        if cell.node.cell_type == "code"
        for name in _imported(_tree(cell.node.source))
    }
    kept, needed = [], set()
    for cell in reversed(chapter.cells):
        taken = is_taken(cell)
        if cell.node.cell_type == "code":
            made, changed, used = names_of(cell.node.source)
            if STUB_CHECK in cell.node.metadata.get("tags", []):
                used = used | set(checked_names(cell.node.source))
            later = (made | changed - modules) & needed
            if not taken and not later:
                continue
            if not taken and cell.exercise:
                raise PatchConvNetError(
                    f"a later exercise of {chapter.name} uses"
                    f" {', '.join(sorted(later))} from exercise {cell.exercise}: take"
                    " it, too"
                )
            needed = (needed - made) | used
        elif not taken:
            continue
        node = copy.deepcopy(cell.node)
        if not taken and GIVEN in node.metadata.get("tags", []):
            kept.append(Cell(node, job=cell.job))
            kept.append(Cell(_paragraph_above(chapter, cell)))
            continue
        kept.append(Cell(node, cell.section, cell.exercise, cell.job, not taken))
    return kept[::-1]


def _paragraph_above(chapter, cell):
    """The last paragraph of the text above a cell, as a cell of text."""
    above = chapter.cells[chapter.cells.index(cell) - 1].node
    paragraph = re.split(r"\n\s*\n", above.source.strip())[-1]
    return nbformat.v4.new_markdown_cell(paragraph)


@functools.cache
def names_of(source):
    """Names that a code cell makes, changes and needs: three frozen sets.

    It changes one by `model.fit(...)`, or `array[0] = 1`. A name that the cell makes
    before it uses it is not needed.
    """
    tree = _tree(source)
    made, used = set(), set()
    _follow(compile(tree, "cell", "exec"), made, used)
    return frozenset(made), frozenset(_changed(tree)), frozenset(used)


def checked_names(source):
    """Names that a check cell looks at: it gives them as strings."""
    calls = [node for node in ast.walk(_tree(source)) if isinstance(node, ast.Call)]
    return [
        call.args[0].value for call in calls if getattr(call.func, "id", "") == "check"
    ]


def _tree(source):
    lines = source.splitlines()
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("%", "!")):  # only notebooks understand it
            lines[number] = f"{line[: len(line) - len(line.lstrip())]}pass"
    return ast.parse("\n".join(lines))


def _follow(code, made, used):
    """Go through a compiled cell and its functions, instruction by instruction."""
    for step in dis.get_instructions(code):
        if step.opname in ("STORE_NAME", "STORE_GLOBAL") and code.co_name == "<module>":
            made.add(step.argval)
        elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL") and step.argval not in made:
            used.add(step.argval)
        elif isinstance(step.argval, types.CodeType):
            _follow(step.argval, made, used)


def _changed(tree):
    """Names that a cell may change: by an attribute, an item, or a call.

    A call counts if it returns nothing to anyone.
    """
    nodes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.Attribute, ast.Subscript))
        and isinstance(node.ctx, ast.Store)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Attribute):
                nodes.append(function)
            elif getattr(function, "id", "") != "print":
                nodes += node.value.args
    return {_root(node) for node in nodes} - {None}


def _imported(tree):
    aliases = [
        alias
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    ]
    return {(alias.asname or alias.name).split(".")[0] for alias in aliases}


def _root(node):
    """The name at the beginning of `name.part[0].other`, or None."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
