"""What stands in a hidden test: it runs a student's cell once more, on other data."""

import builtins
import runpy
import warnings

import numpy as np
import pytest
from grader import ROOT

from classroom.grading import parts

AGAIN = runpy.run_path(str(ROOT / "classroom" / "graded" / "again.py"))
SOLUTION = ["mean = sum(values) / len(values)"]


def other(values):
    return {"values": [2 * value + 0.3 for value in values]}


def graded(*cells, other=other, use=None, **names):
    """Grade these cells as the last ones that ran; the notebook's names afterwards."""
    names = {"values": [0.1, 0.25, 0.4, 0.5], "In": [*cells, "test"], **names}
    for cell in cells:
        exec(cell, names)
    AGAIN["compare"]("mean", SOLUTION, names, other, use)
    return names


@pytest.mark.parametrize(
    "cell",
    [
        SOLUTION[0],
        "import numpy as np\nmean = np.float32(np.mean(values))",
        "mean = [round(sum(values) / 4, 2)]",
        "def mean_of(v):\n    return sum(v) / len(v)\nmean = mean_of(values)",
        "for turn in range(3):\n    mean = sum(values) / len(values)",
    ],
)
def test_what_is_right_on_other_data_passes(cell):
    names = graded(cell)
    assert names["values"] == [0.1, 0.25, 0.4, 0.5]  # as they were
    assert np.ravel(names["mean"]) == pytest.approx(0.3125, abs=0.005)


@pytest.mark.parametrize(
    "cell",
    [
        "mean = 0.3125",  # right on the page
        "mean = sum([0.1, 0.25, 0.4, 0.5]) / 4",
        "mean = max(values)",
        "mean = [sum(values) / len(values)] * 2",
        "mean = 'a string'",
        "mean = float('nan')",
    ],
)
def test_a_number_that_does_not_follow_the_data_fails(cell):
    with pytest.raises((AssertionError, TypeError)):
        graded(cell)


def test_the_last_cell_that_makes_the_name_counts():
    graded("mean = 0.3", SOLUTION[0], "other = 3", "def f():\n    mean = 4")
    with pytest.raises(AssertionError, match="mean is not right"):
        graded(SOLUTION[0], "mean = 0.3")
    with pytest.raises(AssertionError, match="no cell makes mean"):
        graded("other = 3", mean=0.3)


def test_an_error_in_the_second_run_fails_and_leaves_no_trace():
    names = {"values": [1], "mean": 1, "In": ["mean = values[1:][0] + new", "test"]}
    with pytest.raises(IndexError):
        AGAIN["compare"](
            "mean", SOLUTION, names, lambda: {"new": 1, "values": []}, None
        )
    assert names["values"] == [1] and names["mean"] == 1 and "new" not in names


def test_what_is_printed_and_warned_in_the_second_run_is_not_seen(capfd):
    cell = "import sys, warnings\nwarnings.warn('careful')\nprint('x', file=sys.stderr)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {"values": [0.5, 0.7], "In": [f"{cell}\n{SOLUTION[0]}", "test"]}
        AGAIN["compare"]("mean", SOLUTION, names, other, None)
    assert capfd.readouterr() == ("", "")


def test_a_students_own_max_or_sum_disturbs_nothing():
    graded("total = sum\nmean = total(values) / len(values)\nmax = all = len = 3")
    with pytest.raises(AssertionError, match="mean is not right"):
        graded("mean = 1\nabs = all = len = zip = lambda *given: []")


def test_a_comparison_that_was_made_to_say_yes_is_noticed(monkeypatch):
    monkeypatch.setattr(builtins, "all", lambda values: True)
    with pytest.raises(AssertionError, match="tampered"):
        graded("mean = 1")


def test_a_function_is_called_with_what_the_page_does_not_use():
    def use(mean):
        return [mean([1, 2]), mean([3, 5, 10])]

    solution = ["def mean(v):\n    return sum(v) / len(v)"]

    def grade(cell):
        names = {"In": [cell, "test"]}
        AGAIN["compare"]("mean", solution, names, None, use)

    grade("mean = lambda v: sum(v) / len(v)")
    for wrong in ("mean = lambda v: 1.5", "mean = lambda v: sum(v) / 2"):
        with pytest.raises(AssertionError, match="mean is not right"):
            grade(wrong)


def test_a_check_cell_comes_apart_into_one_test_for_each_name():
    source = """# @title Check
import a


def helper():
    return 1


check("one", {"x": helper}, hint="?")
check(
    "two",
    {},
    hint="?",
)"""
    above = "import a\n\n\ndef helper():\n    return 1\n\n\n"
    assert [name for name, _ in parts(source)] == ["one", "two"]
    [(_, one), (_, two)] = parts(source)
    assert one.replace("\n", "") == (
        above + 'check("one", {"x": helper}, hint="?")'
    ).replace("\n", "")
    assert "helper" in two and '"two"' in two and '"one"' not in two
