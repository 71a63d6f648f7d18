"""The timetable of a class: one for its students, one with notes for its instructor."""

from datetime import datetime, timedelta

from classroom.text import plain


def schedule(plan, titles, notes=False):
    """The timetable as Markdown: a table for each session, with times of day.

    Args:
        plan: a `Plan`.
        titles: dict from a chapter's name to its title.
        notes: whether the plan's notes stand in it: they are the instructor's.
    """
    parts = [part for session in plan.session for part in session.part]
    columns = ["time", "minutes", "what", "exercises"]
    columns += ["homework"] * any(part.homework for part in parts)
    columns += ["note"] * notes
    lines = ["# Schedule", ""]
    for session in plan.session:
        moment = datetime.strptime(session.start or plan.start, "%H:%M")
        lines += [
            f"## {plain(session.title)} ({_when(session)})",
            "",
            _row(columns),
            _row(["---"] * len(columns)),
        ]
        for part in session.part:
            cells = _cells(part, titles) | {"time": f"{moment:%H:%M}"}
            lines.append(_row(cells[column] for column in columns))
            moment += timedelta(minutes=part.minutes)
        lines.append("")
    return "\n".join(lines)


def day(date):
    """ "Tuesday, 12 January 2027"."""
    return f"{date:%A}, {date.day} {date:%B %Y}"


def _when(session):
    minutes = f"{sum(part.minutes for part in session.part)} minutes"
    return f"{day(session.date)}, {minutes}" if session.date else minutes


def _cells(part, titles):
    what = plain(part.title) or titles[part.chapter]
    exercises = homework = ""
    if part.chapter:
        what = f"[{what}](chapters/{part.chapter}.ipynb)"
        what += f": {'; '.join(part.sections)}" if part.sections else ""
        in_class = [number for number in part.exercises if number not in part.homework]
        exercises = ", ".join(map(str, in_class)) or "none"
        homework = ", ".join(map(str, part.homework))
    return {
        "minutes": str(part.minutes),
        "what": what,
        "exercises": exercises,
        "homework": homework,
        "note": plain(part.note),
    }


def _row(cells):
    return f"| {' | '.join(cells)} |"
