"""Check cells: what they say when a result is missing, wrong, odd or right, and that
they keep the solution to themselves.
"""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from patchconvnet.course.checking import NotYet, check, describe

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
WANTED = {
    "five numbers": lambda shares: np.shape(shares) == (5,),
    "their sum is 1": lambda shares: abs(sum(shares) - 1) < 1e-6,
}


def run(value):
    global shares
    shares = value
    check("shares", WANTED, hint="Softmax?")


def test_a_right_result_prints_one_line(capsys):
    run(np.full(5, 0.2))
    assert capsys.readouterr().out == "ok, shares: five numbers; their sum is 1\n"


def test_long_sentences_are_wrapped_at_79_columns(capsys):
    global shares
    shares = [0.2] * 5
    words = "a property that takes many words to say, and then a few more"
    check("shares", {words: bool, f"{words} still": bool}, hint="")
    first, *others = capsys.readouterr().out.splitlines()
    assert others and all(line.startswith("  ") for line in others)
    assert max(map(len, [first, *others])) <= 79
    assert (
        " ".join([first, *(line.strip() for line in others)])
        == f"ok, shares: {words}; {words} still"
    )
    with pytest.raises(NotYet) as caught:
        check("shares", {words: lambda shares: False}, hint=f"{words}, {words}")
    lines = str(caught.value).splitlines()
    assert max(map(len, lines)) <= 79 and lines[-1].startswith(" " * 12)


def test_a_wrong_result_names_the_first_property_that_it_lacks_what_came_and_a_hint():
    with pytest.raises(NotYet) as caught:
        run(np.full(5, 0.3))
    said = str(caught.value)
    assert "expected: their sum is 1" in said
    assert "came:     ndarray of shape (5,): array([0.3, 0.3, 0.3, 0.3, 0.3])" in said
    assert "hint:     Softmax?" in said


@pytest.mark.parametrize(
    "value", [None, "five", 3, [], {}, np.zeros((5, 2)), lambda: 1, np.full(5, np.nan)]
)
def test_a_value_of_any_kind_is_no_traceback(value):
    with pytest.raises(NotYet):
        run(value)


def test_a_missing_result_is_said():
    with pytest.raises(
        NotYet, match="no `nothing_of_this_name` yet. Write the exercise's cell"
    ):
        check("nothing_of_this_name", WANTED, hint="")


@pytest.mark.long
def test_a_notebook_shows_the_message_alone():
    program = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell(
    "from patchconvnet.course.checking import check\\nresult = 3\\n"
    "check('result', {'a 4': lambda x: x == 4}, hint='Add one.')"
)
"""
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    ).stdout
    assert "Not yet. `result`" in shown and "hint:     Add one." in shown
    assert "Traceback" not in shown and "lambda" not in shown


def test_long_values_are_cut():
    assert len(describe(list(range(1000)))) < 80


def identity(values):
    return values


def broken(values):
    raise ValueError(f"no shape {values.shape} here")


@pytest.mark.parametrize(
    "value, came",
    [
        (identity, "came:     function identity, with another result"),
        (np.negative, "ok, part: the negative"),
        (broken, "came:     ValueError: no shape (2, 3) here"),
        (3, "came:     int: 3"),
    ],
)
def test_a_part_to_write_is_called_and_what_is_lacking_stops_nothing(
    capsys, value, came
):
    global part
    part = value
    values = np.ones((2, 3))
    wanted = {"the negative": lambda part: np.array_equal(part(values), -values)}
    check("part", wanted, hint="Minus.", stop=False)
    said = capsys.readouterr().out
    assert came in said and said.startswith(("Not yet. `part`\n", "ok, "))
    assert " at 0x" not in said


# === the chapters' check cells ===


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def is_check(cell):
    return "check" in cell["metadata"].get("tags", [])


def source_of(cell):
    return "".join(cell["source"])


def names_checked(cell):
    calls = [
        node
        for node in ast.walk(ast.parse(source_of(cell)))
        if isinstance(node, ast.Call)
    ]
    return [
        call.args[0].value for call in calls if getattr(call.func, "id", "") == "check"
    ]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_each_chapter_has_check_cells_that_follow_a_solution(path):
    cells = cells_of(path)
    places = [place for place, cell in enumerate(cells) if is_check(cell)]
    text = "\n".join(source_of(cell) for cell in cells)
    exercises = re.findall(r"(?m)^\*\*\d+\. .*\((easy|medium|hard|open)\)", text)
    closed = sum(level != "open" for level in exercises)
    assert len(places) >= min(3, closed) >= 2, (
        "three exercises of each chapter have a check cell, or all that are not open"
    )
    for place in places:
        assert source_of(cells[place]).startswith("# @title Check\n")
        assert source_of(cells[place - 1]).startswith("# @title Solution\n")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_checked_name_is_asked_for_and_comes_from_the_solution_alone(path):
    """A name that an earlier cell has set would be taken for the student's result."""
    cells = cells_of(path)
    for place in [place for place, cell in enumerate(cells) if is_check(cell)]:
        assert names_checked(cells[place]), "a check cell calls check()"
        for name in names_checked(cells[place]):
            earlier = [
                source_of(cell)
                for cell in cells[: place - 1]
                if cell["cell_type"] == "code"
            ]
            assert not any(re.search(rf"\b{name}\b", source) for source in earlier), (
                f"{name} is used before the exercise"
            )
            assert re.search(rf"\b{name}\b", source_of(cells[place - 1])), (
                f"the solution does not set {name}"
            )
            assert f"`{name}" in source_of(cells[place - 2]), (
                f"the exercise does not ask for `{name}`"
            )


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_check_refuses_what_is_no_answer(path):
    for cell in filter(is_check, cells_of(path)):
        for name in names_checked(cell):
            for value in (None, 0, [], "done", np.zeros(3)):
                with pytest.raises(NotYet):
                    exec(source_of(cell), {name: value, "np": np})
