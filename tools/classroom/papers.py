"""What a university expects besides: syllabus, formulas, capstone, exam with key.

Their sources are in the folder `classroom`. A line of them says in a comment what it
rests on, `06 How sharp?`, and goes where a plan does not take that.
"""

import re
from pathlib import Path

import times
from classroom import cuts, gift
from classroom.chapters import FOLD
from classroom.grading import POINTS
from classroom.links import linked
from classroom.schedule import day
from classroom.text import plain

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "classroom"
MARK = re.compile(r"<!--.*?-->")
GOAL = re.compile(r"(?m)^> ?- (.*)$")


def for_students(plan, taken, kit):
    """Pages of the students' book: a dict from a file's name to its Markdown.

    Args:
        plan: a `Plan`.
        taken: dict from a `Chapter` to its cells, as `cuts.trim` leaves them.
        kit: what is there of each chapter, as for `links.linked`.
    """
    pages = {"syllabus.md": syllabus(plan, taken)}
    if formulas := _kept("formulas.md", kit):
        pages["formulas.md"] = (
            f"# Formulas\n\nOne page, allowed in the exam.\n\n{formulas}"
        )
    if has_capstone(plan):
        pages["capstone.md"] = _kept("capstone.md", kit)
    return {name: linked(text, kit, "chapters/") for name, text in pages.items()}


def has_capstone(plan):
    """Whether a class has the weeks that a capstone takes."""
    return plan.graded and len(plan.session) > 1


def for_instructor(plan, taken, kit):
    """Files of the instructor's folder: a dict from a file's name to its text."""
    files = {}
    if exam := _kept("exam.md", kit):
        head = (
            f"# Exam: {plain(plan.title)}\n\nPencil, paper, and the page of formulas."
        )
        points = sum(map(int, re.findall(r"\*\*\d+\.\*\* \((\d+) points\)", exam)))
        head += f" {points} points.\n\n"
        files["exam.md"] = head + FOLD.sub("", exam)
        files["exam_key.md"] = head + exam
    if quizzes := gift.gift(plan, taken):
        files["quizzes.gift"] = quizzes
    return files


def _kept(name, kit):
    """What of a source rests on what the kit has; "" where that is nothing."""
    present = {
        f"{chapter[:2]} {section}"
        for chapter, there in kit.items()
        for section in there
    }
    text = (SOURCES / name).read_text(encoding="utf-8")
    return MARK.sub("", cuts.numbered(cuts.trimmed(text, present))).strip()


# === the syllabus ===


def syllabus(plan, taken):
    """Outcomes, load, assessment and policy of a class, as Markdown."""
    policy = plain(plan.policy) or _kept("policy.md", {})
    return "\n\n".join(
        [
            "# Syllabus",
            f"{plain(plan.institution)}. Contact: {plain(plan.contact)}. {_when(plan)}",
            f"## Outcomes\n\n{_outcomes(taken)}",
            f"## Load\n\n{_load(plan, taken)}",
            f"## Assessment\n\n{_assessment(plan, taken)}",
            f"## Copying, and assistants\n\n{policy}\n",
        ]
    )


def _when(plan):
    dates = [session.date for session in plan.session if session.date]
    count = len(plan.session)
    said = f"{count} session{'s' if count > 1 else ''}"
    if dates:
        said += f", from {day(min(dates))} to {day(max(dates))}"
    return f"{said}: see the [schedule](schedule.md)."


def _outcomes(taken):
    """The chapters' goals, without those that the plan leaves out."""
    lines = ["After the course, students can:", ""]
    for chapter, cells in taken.items():
        goals = [goal.rstrip(" ;,.") for goal in GOAL.findall(cells[0].node.source)]
        lines += [f"- **{chapter.title}**: {'; '.join(goals)}."] * bool(goals)
    return "\n".join(lines)


def _load(plan, taken):
    """Minutes of each chapter, and hours of all."""
    lines = ["| chapter | read and try | in class | homework |"]
    lines.append("| --- | --- | --- | --- |")
    whole = [0, 0, 0]
    for chapter, cells in taken.items():
        minutes = _minutes(chapter, cells, plan.parts_of(chapter.name))
        minutes = [times.rounded(one) for one in minutes]
        whole = [first + second for first, second in zip(whole, minutes)]
        shown = " | ".join(map(str, minutes))
        lines.append(f"| {chapter.title} | {shown} |")
    lines.append(
        f"| **all, in hours** | {' | '.join(f'{m / 60:.1f}' for m in whole)} |"
    )
    sessions = sum(part.minutes for session in plan.session for part in session.part)
    lines += [
        "",
        "Minutes to read a chapter and try its code, for its exercises in class, and"
        " for those at home, counted as in the chapters' heads. An open exercise has no"
        f" end, and is not counted. The sessions take {sessions / 60:.1f} hours."
        + " The capstone takes about twelve hours more."
        * has_capstone(plan),
    ]
    return "\n".join(lines)


def _minutes(chapter, cells, parts):
    reading = times.together(cuts.counted(cells).values()).reading
    homework = {number for part in parts for number in part.homework}
    every = {number for part in parts for number in part.exercises}
    levels = {number: level for number, (_, level) in chapter.exercises().items()}
    both = [
        sum(times.MINUTES_AN_EXERCISE[levels[number]] for number in numbers)
        for numbers in (every - homework, homework)
    ]
    return [reading, *both]


def _assessment(plan, taken):
    if not plan.graded:
        return "Nothing is graded. Exercises have checks, which say what is missing."
    points = sum(
        POINTS[chapter.exercises()[number][1]]
        for chapter in taken
        for number in {n for p in plan.parts_of(chapter.name) for n in p.exercises}
    )
    capstone = ""
    if has_capstone(plan):
        capstone = "30 points for the [capstone](capstone.md), by its own rubric; "
    what = "half for the result, half for what is written about it"
    return (
        f"{points} points for exercises ({what}); {capstone}an exam with pencil and"
        " paper."
        " What each counts is said in the first session."
    )
