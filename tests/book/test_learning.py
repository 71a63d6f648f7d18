"""How chapters let a reader predict, and write a part (CONTRIBUTING.md): the rules, and
a notebook that breaks each.
"""

import copy
import json

import pytest

from book_pages import CHAPTERS, ROOT
from learning_rules import (
    MOST_TRUTHS,
    MOST_WORDS,
    SAYS,
    problems_of,
    truths_in,
    words_in,
)
from test_notebooks import code_cell, stream


def read(name):
    path = ROOT / "chapters" / f"{name}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_lets_its_reader_predict_and_write(name):
    assert problems_of(read(name)) == []


def test_cells_print_numbers():
    assert sum(truths_in(read(name)) for name in CHAPTERS) <= MOST_TRUTHS


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
