"""How chapters let a reader predict, and write a part (CONTRIBUTING.md): the rules, and
a notebook that breaks each.
"""

import ast
import copy
import json
import re

import pytest

import times
from book_pages import CHAPTERS, ROOT
from classroom.chapters import checked_names, ends_with_question
from test_notebooks import code_cell, source_of, stream

# Chapters that do not keep these rules yet.
NOT_YET = [
    "01_overview",
    "02_data",
    "03_stem",
    "04_trunk",
    "05_squeeze_excite",
    "06_attention_pooling",
    "07_model",
    "08_schedule",
    "09_training",
    "10_evolution",
    "11_inference",
    "12_faithfulness",
    "13_official",
    "15_own_pictures",
    "16_any_network",
    "17_what_a_score_proves",
]
DONE = [name for name in CHAPTERS if name not in NOT_YET]

MOST_BOXES = 4
MOST_WORDS = 2800
MOST_LINES = 25  # of a solution
MOST_TRUTHS = 40  # printed in the whole course
MOST_TRUTHS_EACH = 3  # while some chapters are still to come
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


def after(cells, place):
    """The two cells after a place; empty texts where the notebook ends."""
    nothing = {"cell_type": "raw", "source": "", "metadata": {}}
    return (cells[place + 1 :] + 2 * [nothing])[:2]


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
    shows, says = after(cells, place)
    if shows["cell_type"] == "code":
        if "hide-output" not in tags_of(shows):
            yield "no tag hide-output in the cell below"
        if not shows["metadata"].get("jupyter", {}).get("outputs_hidden"):
            yield "no jupyter.outputs_hidden in the cell below"
        if prompt_of(shows) != "What came out":
            yield 'the prompt of the cell below is not "What came out"'
    elif box.endswith("By hand"):  # a pencil alone may answer
        says = shows
    else:
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


def read(name):
    path = ROOT / "chapters" / f"{name}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", DONE)
def test_a_chapter_lets_its_reader_predict_and_write(name):
    assert problems_of(read(name)) == []


def truth_problems(counts, all_done):
    """Too many, of a dict from a chapter to how often it prints True or False."""
    if all_done:
        if sum(counts.values()) > MOST_TRUTHS:
            yield f"{sum(counts.values())} True or False: at most {MOST_TRUTHS}"
        return
    for name, count in counts.items():
        if count > MOST_TRUTHS_EACH:
            yield f"{name}: {count} True or False: at most {MOST_TRUTHS_EACH}"


def test_cells_print_numbers():
    counts = {name: truths_in(read(name)) for name in DONE}
    assert list(truth_problems(counts, all_done=not NOT_YET)) == []


def test_the_list_of_those_to_come_names_chapters():
    assert set(NOT_YET) <= set(CHAPTERS) and len(set(NOT_YET)) == len(NOT_YET)


# === a good notebook, and one broken on purpose for each rule ===


def text_cell(source):
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def asked(count):
    """A code cell whose output a reader predicts."""
    return code_cell(
        count,
        "print(8)",
        [stream("8\n")],
        tags=["hide-output"],
        jupyter={"outputs_hidden": True},
        mystnb={"code_prompt_show": "What came out"},
    )


def folded(count, title, source, output, *tags):
    return code_cell(
        count,
        f"# @title {title}\n{source}",
        [stream(output)],
        tags=list(tags),
        cellView="form",
        mystnb={"code_prompt_show": title},
    )


STUB = '''# Yours to write.
def double(x):
    """Twice the numbers: (N,) -> (N,)."""
    # 1. Add x to itself.
    return x'''
LAYER = '''# Yours to write.
class Double(layers.Layer):
    """Twice the numbers: (N,) -> (N,)."""

    def build(self, shape):
        self.two = 2

    def call(self, x):
        # 1. Add x to itself.
        return x'''
CHECK = """def check_double():
    check("double", {"twice": lambda double: double(2) == 4}, hint="?", stop=False)


check_double()"""
SOLUTION = """def double(x):
    # twice
    return 2 * x


check_double()"""
GOOD = {
    "cells": [
        text_cell("# Title\n\n> In Colab, choose Edit, Clear all outputs first."),
        text_cell("Words.\n\n> **Predict.** What is $2^3$?\n>\n> And why?"),
        asked(1),
        text_cell(f"{SAYS}Eight.\n\n</details>\n\nMore.\n\n> **By hand.** $3^2$?"),
        text_cell(f"{SAYS}Nine.\n\n</details>"),
        text_cell("> **By hand.** And $2^2$?"),
        asked(2),
        text_cell(f"{SAYS}Four.\n\n</details>"),
        code_cell(3, STUB, [], tags=["stub"]),
        folded(4, "Check", CHECK, "Not yet. `double`\n", "stub-check", "hide-input"),
        folded(5, "One way to write it", SOLUTION, "ok, double: twice\n", "hide-cell"),
        code_cell(6, "print(2 > 1)", [stream("True\n")]),
    ]
}


def test_a_good_notebook_passes():
    assert problems_of(GOOD) == []
    layer = copy.deepcopy(GOOD)
    for cell in layer["cells"]:
        cell["source"] = cell["source"].replace("double", "Double")
    layer["cells"][8]["source"] = LAYER
    layer["cells"][10]["outputs"] = [stream("ok, Double: twice\n")]
    assert problems_of(layer) == []
    assert truths_in(GOOD) == 1


def replaced(place, old, new):
    """A change: in the source of the cell at this place, `old` becomes `new`."""

    def change(cells):
        assert old in cells[place]["source"]
        cells[place]["source"] = cells[place]["source"].replace(old, new)

    return change


def given(place, **metadata):
    return lambda cells: cells[place]["metadata"].update(metadata)


def removed(place):
    return lambda cells: cells.pop(place)


def printing(place, text):
    return lambda cells: cells[place].update(outputs=[stream(text)])


TWO_MORE = "> **Predict.** One?\n\n> **Predict.** Two?\n\n> **Predict.** $2^3$"


@pytest.mark.parametrize(
    ("problem", "change"),
    [
        ("5 boxes", replaced(1, "> **Predict.** What is $2^3$", TWO_MORE)),
        ("a box does not end", replaced(1, "And why?", "And why?\n\nThink.")),
        ("a box does not end", replaced(1, "Words.", "> **Predict.** One?")),
        ("Clear all outputs", replaced(0, "Clear all outputs", "Run all")),
        ("no tag hide-output", given(2, tags=[])),
        ("no jupyter.outputs_hidden", given(6, jupyter={})),
        ("the prompt of the cell below", given(2, mystnb={})),
        ("no code cell below", removed(2)),
        ("fold What it says", removed(4)),
        ("fold What it says", replaced(7, SAYS, "Look.\n\n")),
        ("fold What it says", replaced(7, "What it says", "Hint")),
        ("has no end", replaced(3, "\n\n</details>", "")),
        ("a stub-check without", given(8, tags=[])),
        ("a solution without", removed(9)),
        ("no stub-check below", removed(9)),
        ("no solution below", removed(10)),
        ("one function or layer, not 2", replaced(8, "# Yours", "def f(): 0\n# Yours")),
        ("does not begin with # Yours", replaced(8, "# Yours to write.\n", "")),
        ("has no docstring", replaced(8, '"""', "# ")),
        ("does not end by returning", replaced(8, "return x", "return 2 * x")),
        ("does not end by returning", replaced(8, "return x", "return y")),
        ("does not end by returning", replaced(8, "return x", "print(x)")),
        ("does not look at double", replaced(9, '"double"', '"halve"')),
        ("begins with # @title Check", replaced(9, "@title Check", "")),
        ("Check: no tag hide-input", given(9, tags=["stub-check"])),
        ("One way to write it: no tag hide-cell", given(10, cellView="code")),
        ('the prompt is not "Check"', given(9, mystnb={})),
        ("say Not yet.", printing(9, "ok, double: twice\n")),
        ("does not make double", replaced(10, "def double", "def halve")),
        ("end with check_double()", replaced(10, "\n\n\ncheck_double()", "")),
        ("prints no ok, double", printing(10, "Not yet. `double`\n")),
        ("lines of solution", replaced(10, "# twice", "\n    ".join(25 * ["x += 0"]))),
        ("words: at most", replaced(0, "# Title", f"# Title\n\n{2800 * 'word '}")),
    ],
)
def test_a_broken_notebook_is_seen(problem, change):
    notebook = copy.deepcopy(GOOD)
    change(notebook["cells"])
    found = problems_of(notebook)
    assert any(problem in one for one in found), found


def test_at_the_limits_nothing_is_wrong():
    notebook = copy.deepcopy(GOOD)
    long = "\n    ".join(23 * ["x += 0"])
    replaced(10, "# twice", f"# twice\n    {long}\n\n    # and")(notebook["cells"])
    more = MOST_WORDS - words_in(notebook)
    replaced(0, "# Title", f"# Title\n\n{more * 'word '}")(notebook["cells"])
    assert words_in(notebook) == MOST_WORDS and problems_of(notebook) == []


def test_too_many_true_or_false_are_seen():
    values = {
        "output_type": "execute_result",
        "data": {"text/plain": ["array([ True, ", "False])"]},
    }
    figure = {
        "output_type": "display_data",
        "data": {"image/png": "", "text/plain": "<F>"},
    }
    cells = [
        code_cell(1, "print(True)", [stream("True Falsehood\nx=False\n"), values]),
        code_cell(2, "draw()", [figure]),
        text_cell("True"),
    ]
    assert truths_in({"cells": cells}) == 4
    assert len(list(truth_problems({"a": 4, "b": 3}, all_done=False))) == 1
    assert list(truth_problems({"a": 38, "b": 2}, all_done=True)) == []
    assert len(list(truth_problems({"a": 38, "b": 3}, all_done=True))) == 1
