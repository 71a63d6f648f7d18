"""The rules of how chapters let a reader predict, and write a part: CONTRIBUTING.md."""

import ast
import itertools
import re

import times
from classroom.chapters import checked_names, ends_with_question
from test_notebooks import source_of

MOST_BOXES = 4
MOST_WORDS = 2800
MOST_LINES = 25  # of a solution
MOST_TRUTHS = 40  # printed in the whole course
SAYS = "<details><summary>What it says</summary>\n\n"
TRUTH = re.compile(r"\b(?:True|False)\b")


def is_text(cell):
    return cell["cell_type"] == "markdown"


def tags_of(cell):
    return cell["metadata"].get("tags", [])


def prompt_of(cell):
    return cell["metadata"].get("mystnb", {}).get("code_prompt_show")


def printed(cell):
    """What a cell prints, and how its last value is written: one text."""
    return "".join(
        "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for output in cell.get("outputs", [])
    )


NOTHING = {"cell_type": "raw", "source": "", "metadata": {}}


def after(cells, place):
    """The two cells after a place; empty texts where the notebook ends."""
    return (cells[place + 1 :] + 2 * [NOTHING])[:2]


# === predict means predict ===


def question_problems(cells):
    asking = [
        (place, cell)
        for place, cell in enumerate(cells)
        if is_text(cell) and times.BOX.search(source_of(cell))
    ]
    count = sum(len(times.BOX.findall(source_of(cell))) for _, cell in asking)
    if count > MOST_BOXES:
        yield f"{count} boxes to predict or compute: at most {MOST_BOXES}"
    if asking and "Clear all outputs" not in source_of(cells[0]):
        yield 'the head does not say "Clear all outputs"'
    for place, cell in asking:
        box = times.BOX.search(source_of(cell))
        words = repr(source_of(cell)[box.start() :][:50])
        if len(times.BOX.findall(source_of(cell))) > 1 or not ends_with_question(
            source_of(cell)
        ):
            yield f"a box does not end its cell: {words}"
        yield from (
            f"{problem}: {words}" for problem in outcome_problems(cells, place, box[0])
        )


def outcome_problems(cells, place, box):
    shown = list(
        itertools.takewhile(
            lambda cell: cell["cell_type"] == "code", cells[place + 1 :]
        )
    )
    says = next(iter(cells[place + 1 + len(shown) :]), NOTHING)
    for number, cell in enumerate(shown):  # an outcome may take several cells
        if "hide-output" not in tags_of(cell):
            yield "no tag hide-output in the cell below"
        if not cell["metadata"].get("jupyter", {}).get("outputs_hidden"):
            yield "no jupyter.outputs_hidden in the cell below"
        if number == 0 and prompt_of(cell) != "What came out" or not prompt_of(cell):
            yield 'the prompt of the cell below is not "What came out"'
    if not shown and not box.endswith("By hand"):  # there a pencil alone may answer
        yield "no code cell below"
    if not (is_text(says) and source_of(says).startswith(SAYS)):
        yield "no text that begins with the fold What it says"
    elif "\n\n</details>" not in source_of(says):
        yield "the fold What it says has no end"


# === stubs that teach ===


def made_in(source):
    """Names of the functions and classes that a cell makes."""
    return [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]


def is_solution(cell):
    return source_of(cell).startswith("# @title One way to write it\n")


def stub_problems(cells):
    for place, cell in enumerate(cells):
        above = cells[place - 1] if place else {"metadata": {}}
        if "stub-check" in tags_of(cell) and "stub" not in tags_of(above):
            yield "a stub-check without its stub above it"
        if is_solution(cell) and "stub-check" not in tags_of(above):
            yield "a solution without its stub-check above it"
        if "stub" in tags_of(cell):
            check, solution = after(cells, place)
            for problem in three_cells_problems(cell, check, solution):
                yield f"{problem}: {source_of(cell)[:50]!r}"


def three_cells_problems(stub, check, solution):
    names = made_in(source_of(stub))
    if len(names) != 1:
        yield f"a stub makes one function or layer, not {len(names)}"
        return
    [name] = names
    if not source_of(stub).startswith("# Yours to write.\n"):
        yield "the stub does not begin with # Yours to write."
    yield from input_problems(source_of(stub))

    if "stub-check" not in tags_of(check):
        yield "no stub-check below the stub"
    elif checked_names(source_of(check)) != [name]:
        yield f"the check does not look at {name}"
    yield from fold_problems(check, "Check", "hide-input")
    if not printed(check).startswith("Not yet."):
        yield "the check of the stub does not say Not yet."

    if not is_solution(solution):
        yield "no solution below the check"
        return
    yield from fold_problems(solution, "One way to write it", "hide-cell")
    *lines, last = source_of(solution).strip().splitlines()
    if made_in(source_of(solution)) != [name]:
        yield f"the solution does not make {name}, and nothing else"
    if last != f"check_{name}()":
        yield f"the solution does not end with check_{name}()"
    if not printed(solution).startswith(f"ok, {name}"):
        yield f"the solution is not found right: it prints no ok, {name}"
    said = [line for line in map(str.strip, lines) if line and line[0] != "#"]
    if len(said) > MOST_LINES:
        yield f"{len(said)} lines of solution: at most {MOST_LINES}"


def fold_problems(cell, title, tag):
    if not source_of(cell).startswith(f"# @title {title}\n"):
        yield f"no cell begins with # @title {title}"
    if tag not in tags_of(cell) or cell["metadata"].get("cellView") != "form":
        yield f"{title}: no tag {tag}, or no cellView form"
    if prompt_of(cell) != title:
        yield f'the prompt is not "{title}"'


def input_problems(source):
    """A stub runs as it is: what is called returns one of its arguments."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        if function.name in ("__init__", "build"):  # of a layer
            continue
        if not ast.get_docstring(function) and function.name != "call":
            yield f"{function.name} has no docstring"
        names = {argument.arg for argument in function.args.args} - {"self"}
        last = function.body[-1]
        value = last.value if isinstance(last, ast.Return) else None
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        if not all(isinstance(part, ast.Name) and part.id in names for part in parts):
            yield f"{function.name} does not end by returning what it is given"


# === numbers, and words ===


def truths_in(notebook):
    """How often True or False is printed."""
    return sum(len(TRUTH.findall(printed(cell))) for cell in notebook["cells"])


def words_in(notebook):
    return times.together(times.sections_of(notebook).values()).words


def problems_of(notebook):
    cells = notebook["cells"]
    problems = [*question_problems(cells), *stub_problems(cells)]
    if words_in(notebook) > MOST_WORDS:
        problems.append(f"{words_in(notebook):,} words: at most {MOST_WORDS:,}")
    return problems
