"""A graded class: only an answer that solves the exercise gets its points."""

import re
import runpy

import pytest
from grader import HONEST, ROOT, Grader, answers, checked_exercises, submissions

from classroom.chapters import read_chapter, select
from classroom.plan import Part

CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
COSTLY = re.compile(
    r"load_dataset\(|keras\.Model\(|records\.|\.fit\(|generate\(|explain\("
)


def cells_for(path, number):
    part = Part(1, chapter=path.stem, sections=(), exercises=(number,))
    return select(read_chapter(path), [part])


def is_quick(path, number):
    """Whether neither the chapter's cells nor the solution load or train anything."""
    return not any(
        COSTLY.search(cell.node.source)
        for cell in cells_for(path, number)
        if cell.job in ("code", "solution")
    )


QUICK = {
    path: numbers
    for path in CHAPTERS
    if (numbers := [n for n in checked_exercises(path) if is_quick(path, n)])
}


def problems(path, numbers):
    """What got points and should not have, or the other way round."""
    grader, room = Grader(path, numbers), submissions(path.stem)
    own = runpy.run_path(str(ROOT / "classroom" / "graded" / f"{path.stem}.py"))
    within = own.get("WITHIN", {})
    for number in numbers:
        for name in grader.tests(number):
            given = answers(grader, number, name, room[name], within.get(name, 0.0051))
            for kind, source in given:
                if grader.passed(number, name, source) != (kind in HONEST):
                    yield f"{path.stem}, {number}: {kind} for {name}"


def test_some_exercises_are_quick_to_grade():
    assert sum(map(len, QUICK.values())) >= 5


@pytest.mark.long
@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.stem)
def test_only_what_solves_an_exercise_gets_its_points(path):
    assert list(problems(path, QUICK[path])) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_of_all_exercises_too(path):
    assert list(problems(path, checked_exercises(path))) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_graded_name_has_its_submissions(path):
    names = [
        name
        for number in checked_exercises(path)
        for name in re.findall(
            r'(?m)^check\(\n    "(\w+)"',
            "\n".join(
                cell.node.source
                for cell in read_chapter(path).cells
                if cell.exercise == number and cell.job == "check"
            ),
        )
    ]
    assert sorted(submissions(path.stem)) == sorted(names)
