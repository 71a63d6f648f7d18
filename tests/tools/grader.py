"""Grades submissions as nbgrader does: a kernel, the chapter's cells, the answer, and
the test cells of `instructor/nbgrader` with what is hidden in them.
"""

import math
import tomllib
from pathlib import Path

import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from classroom.chapters import read_chapter, select
from classroom.grading import exercise_cells, parts
from classroom.plan import Part

ROOT = Path(__file__).resolve().parents[2]
ROOM = Path(__file__).parent / "submissions"
HONEST = ("the solution", "rounded", "another way")
# To save time, the solution runs once, and other data are made once for each exercise.
OTHER = "names.update(given(other, names) if other else {})"
OTHER_ONCE = "names.update(OTHERS(given, other, names))"
REFERENCE = 'outcome(name, "\\n".join(solution), names, other, use)'
ONCE = f"WANTED[name] if name in WANTED else WANTED.setdefault(name, {REFERENCE})"
DISHONEST = ("a mistake", "an invented number", "a constant", "a copy")


def submissions(chapter):
    return tomllib.loads((ROOM / f"{chapter}.toml").read_text(encoding="utf-8"))


def checked_exercises(path):
    """Numbers of a chapter's exercises that a check cell grades."""
    cells = read_chapter(path).cells
    return sorted({cell.exercise for cell in cells if cell.job == "check"})


class Grader:
    """A notebook of a chapter, run up to its exercises."""

    def __init__(self, path, numbers):
        self.chapter = read_chapter(path)
        part = Part(1, chapter=path.stem, sections=(), exercises=tuple(numbers))
        self.shell = InteractiveShell()
        for cell in select(self.chapter, [part]):
            if cell.job == "code":
                assert self.run(cell.node.source), cell.node.source
        self.names = self.shell.user_ns
        self.made, self.fresh = {}, False
        self.names |= {"WANTED": {}, "OTHERS": self.others}

    def run(self, source):
        """Whether a cell runs without an error."""
        with capture_output():
            return self.shell.run_cell(source, store_history=True).success

    def cell(self, number, job):
        [cell] = [
            cell
            for cell in self.chapter.cells
            if cell.exercise == number and cell.job == job
        ]
        return cell

    def solution(self, number):
        return self.cell(number, "solution").node.source

    def tests(self, number):
        """Names that are looked at, each with the source of its test cell."""
        cell = self.cell(number, "check")
        nodes = exercise_cells(self.chapter, cell, "", for_nbgrader=True)
        names = [name for name, _ in parts(cell.node.source)]
        sources = [
            node.source.replace(REFERENCE, ONCE).replace(OTHER, OTHER_ONCE)
            for node in nodes
            if node.cell_type == "code"
        ]
        assert all(ONCE in source and OTHER_ONCE in source for source in sources)
        return dict(zip(names, sources))

    def others(self, given, other, names):
        """Other data, as new: an answer may have written into an array."""
        if other is None:
            return {}
        if self.fresh or other.__name__ not in self.made:
            self.made[other.__name__] = given(other, names)
        return {
            name: value.copy() if isinstance(value, np.ndarray) else value
            for name, value in self.made[other.__name__].items()
        }

    def visible(self, number, name):
        return dict(parts(self.cell(number, "check").node.source))[name]

    def passed(self, number, name, source):
        """Whether an answer gets the points of a name."""
        self.run(source)  # whose error, if any, stops nothing
        return self.run(self.tests(number)[name])


# === submissions ===


def changed(solution, submission):
    """The source of a submission: given whole, or as changes of the solution."""
    if isinstance(submission, str):
        return submission
    for old, new in submission:
        assert old in solution, old
        solution = solution.replace(old, new)
    return solution


def answers(grader, number, name, submission, within):
    """Pairs of a kind and the source of an answer; those of `HONEST` are right.

    What is made by rule knows more than a cheat does: the number that the solution
    comes to on the page, and of a function what it says in the check.
    """
    solution, names = grader.solution(number), grader.names
    grader.fresh = submission.get("fresh", False)
    yield "the solution", solution
    if not submission.get("exact"):
        names["rounded_"] = lambda value: rounded(value, decimals_of(within))
        yield "rounded", f"{solution}\n{name} = rounded_({name})"
    yield "another way", changed(solution, submission["way"])
    yield "a mistake", changed(solution, submission["mistake"])
    grader.run(solution)  # the mistake may have changed what it needs
    right = names[name]
    seen = memory_of(right, grader, number, name) if is_function(right) else right
    drawn = submission.get("unique")  # a little more than right would be right
    names["copied_"], names["invented_"] = seen, (by_lot if drawn else invented)(seen)
    names["constant_"] = constant(seen)
    if not submission.get("any"):
        yield "an invented number", f"{name} = invented_"
    yield "a constant", f"{name} = constant_"
    if not submission.get("unique"):
        yield "a copy", f"{name} = copied_"


def memory_of(right, grader, number, name):
    """What a right function says while the visible check asks."""
    said = {}

    def recorded(*given):
        said[repr(given)] = right(*given)
        return said[repr(given)]

    grader.names[name] = recorded
    assert grader.run(grader.visible(number, name)), name
    return Memory(said)


def is_function(value):
    return (
        callable(value) and not isinstance(value, type) and not hasattr(value, "call")
    )


def shifted(value, change):
    """The same shape with other numbers; of a function, the same for what it says."""
    if isinstance(value, Memory):
        return value.changed(lambda said: shifted(said, change))
    if is_function(value):
        return lambda *given: shifted(value(*given), change)
    if isinstance(value, str):
        return value[::-1]
    if isinstance(value, (list, tuple)):
        return type(value)(shifted(part, change) for part in value)
    if isinstance(value, (np.ndarray, bool, int, float, np.number)):
        return change(value)
    return 1.0


def invented(value):
    """A little more than right, in the same order."""
    return shifted(value, lambda number: number + np.maximum(0.02, 0.07 * abs(number)))


def by_lot(value):
    draw = np.random.default_rng(0).normal
    return shifted(value, lambda number: draw(size=np.shape(number)))


def constant(value):
    """One number, however often it is wanted: the mean."""
    if isinstance(value, Memory):
        return value.changed(constant)
    try:
        mean = float(np.mean(np.asarray(value, float)))
    except (TypeError, ValueError):
        return [value[0]] * len(value) if isinstance(value, list) else 1.0
    return shifted(value, lambda number: number * 0 + mean)


def rounded(value, decimals):
    """As a page prints it."""
    return shifted(value, lambda number: np.round(np.asarray(number, float), decimals))


def decimals_of(within):
    return max(math.ceil(-math.log10(2 * within) - 1e-9), 2)  # as pages print


class Memory:
    """A function that says what the right one has said; else the last of that."""

    def __init__(self, said, change=lambda value: value):
        self.said, self.change = said, change

    def __call__(self, *given):
        *_, last = self.said.values()
        return self.change(self.said.get(repr(given), last))

    def changed(self, change):
        return Memory(self.said, change)
