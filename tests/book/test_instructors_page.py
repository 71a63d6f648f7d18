"""What chapter 14 promises instructors is so: outcomes, timetables, numbers, chapters.

Each rule is tried on the page, and on a copy with one thing broken.
`test_teaching_notes.py` reads the notes that the page includes.
"""

import dataclasses

import pytest

from instructor_rules import (
    PLANS,
    ROOT,
    chapters_named,
    minutes,
    note_problems,
    notes,
    outcomes,
    plan,
    sessions,
    steps,
)

PAGE = (ROOT / "chapters" / "14_instructors.md").read_text(encoding="utf-8")
RULES = (outcomes, minutes, sessions, steps, chapters_named, notes)


@pytest.mark.parametrize("rule", RULES)
def test_the_page_keeps(rule):
    assert list(rule(PAGE)) == []


@pytest.mark.parametrize(
    "rule, old, new, said",
    [
        (outcomes, "| 06: 1 |", "| 06: 9 |", "06 has no exercise 9"),
        (outcomes, "| 10 | 10: 1", "| 19 | 10: 1", "19 is no chapter"),
        (outcomes, "| 10 | 10: 1", "| 10 | 10, 1", "cannot be read: 10, 1"),
        (outcomes, "| 01, 05, 06,", "| 05, 06,", "01 shows it, and is not in its row"),
        (outcomes, "| 11 | 11: 1, 3, 4", "| 12 | 12: 1", "11 has no outcome"),
        (outcomes, "04, 05, 06, 07 |", "05, 06, 07, 09 |", "to be written in 09"),
        (outcomes, "04, 05, 06, 07 |", "04, 05, 06, 07, 08 |", "08 sets no weights"),
        (outcomes, '"Yours to write" in 16; ', "", "a part to write in 16"),
        (minutes, "| 25 | [01]", "| 30 | [01]", "'25 [01](01_overview.ipynb), wi"),
        (minutes, "ipynb), three sec", "ipynb), two sec", "three sections' in the"),
        (minutes, "| 10 | break | |\n| 45", "| 45", "'10 break' in the plan"),
        (minutes, "does a map prove", "is a map", "'10 discussion: what does a map"),
        (sessions, "07 in part (30)", "07 (30)", "'07 in part (30), 08"),
        (sessions, "16 in part (25), 15 (30)", "15 (30), 16 in part (25)", "'16 in"),
        (sessions, "Six sessions", "Seven sessions", "Seven sessions are 6"),
        (sessions, "but 11 and 18", "but 11", "page leaves out ['11'], not"),
        (steps, ', "Where it fails"]', "]", "not one section less"),
        (steps, '"Where it fails"]', '"Where it ends"]', "no sections of 01"),
        (steps, "`04_trunk` for", "`04_stem` for", "other old names"),
        (steps, "up to five", "up to two", "the commands run for 4"),
        (chapters_named, "path (01, 02, 06", "path (01, 02, 03", "the core path is"),
        (chapters_named, "(chapters 03 and 13)", "(chapters 03 and 23)", "23 is no ch"),
        (chapters_named, "3 of chapter 17", "2 of chapter 17", "17 is no project"),
        (chapters_named, "last part of chapter 09", "last part of chapter 10", "CIFAR"),
        (notes, "### 07 The whole network", "### 07 The network", "The whole network"),
        (notes, "notes/07_model.md", "notes/08_schedule.md", "notes/07_model.md"),
        (notes, "two or three to discuss", "two to discuss", "10_evolution: 3"),
    ],
)
def test_a_breach_is_seen(rule, old, new, said):
    assert PAGE.count(old) == 1
    problems = list(rule(PAGE.replace(old, new)))
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize("name", PLANS)
def test_what_a_plans_notes_name_is_there(name):
    parts = [part for session in plan(name).session for part in session.part]
    assert [list(note_problems(part)) for part in parts] == [[] for _ in parts]


def test_what_a_plans_note_should_not_name_is_seen():
    part = plan("three-weeks").parts_of("01_overview")[0]
    broken = dataclasses.replace(part, note="Homework: exercise 3, 'Not there'.")
    assert list(note_problems(broken)) == [
        "nothing is called 'Not there'",
        "exercises that the part does not take: {3}",
    ]
