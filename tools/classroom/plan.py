"""A plan: which parts of which chapters a class takes, for how long, on what data.

It is read from TOML, and checked. `classroom/plans/90min.toml` shows every key with a
comment. A mistake is named with its place and with what is accepted; those that need no
knowledge of the chapters are found in `patchconvnet/course/plans.py`.
"""

import datetime
import json
import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from patchconvnet.course import plans
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import existing_file
from patchconvnet.training.recipes import RECIPES

PLANS = Path(__file__).resolve().parents[2] / "classroom" / "plans"


@dataclass(frozen=True)
class Part:
    """Some minutes of a session: a chapter, whole or in part, or a break.

    A break has a title and no chapter.

    Attributes:
        minutes: whole minutes, at least 1.
        title: what the schedule calls it; for a chapter its own title if empty.
        chapter: name of the notebook ("06_attention_pooling"), or None.
        sections: headings of the only sections to take, or None for all.
        leave_out: headings of sections not to take.
        exercises: numbers of the exercises to take, those for home among them.
        homework: numbers of those for home.
        note: a sentence for the instructor.
    """

    minutes: int
    title: str = ""
    chapter: str | None = None
    sections: tuple | None = None
    leave_out: tuple = ()
    exercises: tuple = ()
    homework: tuple = ()
    note: str = ""


@dataclass(frozen=True)
class Session:
    """A meeting of the class: a title, parts; when and how long, if not as usual."""

    title: str
    part: tuple
    start: str = ""
    date: datetime.date | None = None
    minutes: int = 0


@dataclass(frozen=True)
class Plan:
    """Everything that a kit is made from.

    Attributes:
        title, institution, contact: strings for the first page.
        session: a tuple of `Session`.
        start: time of day of the sessions, "HH:MM".
        dataset: "shapes" for the chapters as they are ("pets" is read as that), or a
            folder of pictures or an `.npz` for chapter 15.
        preset: what chapter 15 trains.
        graded: whether solutions and quiz answers are kept from the students
            altogether.
        minutes: of a session, to hold the parts' sum against; 0 for any.
        policy: on copying and on assistants, for the syllabus; "" for the course's.
    """

    title: str
    institution: str
    contact: str
    session: tuple
    start: str = "09:00"
    dataset: str = "shapes"
    preset: str = "shapes"
    graded: bool = False
    minutes: int = 0
    policy: str = ""

    def parts_of(self, chapter):
        parts = [part for session in self.session for part in session.part]
        return [part for part in parts if part.chapter == chapter]

    def chapters(self):
        """Names of the chapters, each once, in the order of the plan."""
        parts = [part for session in self.session for part in session.part]
        return list(dict.fromkeys(part.chapter for part in parts if part.chapter))


def find_plan(name):
    """The file of a plan: a path to one, or the name of one that comes with the course.

    Raises:
        PatchConvNetError: if there is none.
    """
    ours = {path.stem: path for path in sorted(PLANS.glob("*.toml"))}
    if name in ours:
        return ours[name]
    if str(name).endswith(".toml"):
        return existing_file(name, "a plan: the path of a .toml file")
    raise PatchConvNetError(
        f"there is no plan {one_line(name) or repr(name)}: give the path of a .toml"
        f" file, or one of {', '.join(ours)}"
    )


def read_plan(path):
    """Read and check a plan; a relative `dataset` is looked for beside the file.

    Raises:
        PatchConvNetError: no TOML; an unknown, missing or impossible value.
    """
    table, shown = plans.read_table(path), one_line(path)
    sessions = tuple(
        _session(session, f"session {number}")
        for number, session in enumerate(table["session"], 1)
    )
    pictures = plans.pictures(table, path)
    if pictures and not pictures.exists():
        raise PatchConvNetError(
            f"dataset = {one_line(repr(table['dataset']))} in {shown}:"
            f" {one_line(pictures)} is not there (a kit has its own copy in"
            " student/data)"
        )
    table |= {"session": sessions, "dataset": str(pictures or "shapes")}
    plan = _make(Plan, table, one_line(Path(path).name))
    starts = [session.start for session in sessions if session.start]
    for value in (plan.start, *starts):
        if not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", value):
            raise PatchConvNetError(
                f"start = {one_line(repr(value))} in {shown}: wanted a time of day, as"
                " in 09:00"
            )
    if plan.preset not in RECIPES:
        raise PatchConvNetError(
            f"preset = {one_line(repr(plan.preset))} in {shown}: wanted one of"
            f" {', '.join(RECIPES)}"
        )
    if not plan.chapters():
        raise PatchConvNetError(
            f"{shown} names no chapter: give at least one [[session.part]] a chapter"
        )
    return plan


def lengths_amiss(plan, name):
    """Where a session is not as long as the plan says, or its name: a list of texts."""
    lines = []
    named = re.search(r"(\d+)[ -]?min", f"{name} {plan.title}")
    for number, session in enumerate(plan.session, 1):
        whole = sum(part.minutes for part in session.part)
        wanted = session.minutes or plan.minutes or (named and int(named[1]))
        if wanted and wanted != whole:
            lines.append(
                f"session {number} has {whole} minutes, and the plan says {wanted}"
            )
    return lines


def with_dataset(text, value):
    """The text of a plan with another `dataset`; its comments and all else stay.

    Raises:
        PatchConvNetError: the line of its dataset cannot be told from the others.
    """
    # JSON's strings are TOML's, but for this letter
    written = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    line = f"dataset = {written}"
    changed, count = re.subn(r"(?m)^dataset\s*=.*$", lambda found: line, text, count=1)
    changed = changed if count else f"{line}\n{text}"
    try:
        good = tomllib.loads(changed) == tomllib.loads(text) | {"dataset": value}
    except tomllib.TOMLDecodeError:
        good = False
    if not good:  # another spelling of the key; strings of many lines
        raise PatchConvNetError(
            "the plan's dataset cannot be changed: write it as a line of its own, as"
            ' in dataset = "shapes"'
        )
    return changed


def _session(table, place):
    parts = tuple(
        _part(part, f"{place}, part {number}")
        for number, part in enumerate(table["part"], 1)
    )
    return _make(Session, {**table, "part": parts}, place)


def _part(table, place):
    lists = {
        key: tuple(value) for key, value in table.items() if isinstance(value, list)
    }
    for key in ("exercises", "homework"):
        if twice := [one for one in lists.get(key, ()) if lists[key].count(one) > 1]:
            raise PatchConvNetError(
                f"{key} of {place} names {twice[0]} twice: give each once"
            )
    if homework := lists.get("homework"):
        both = (*lists.get("exercises", ()), *homework)
        lists["exercises"] = tuple(dict.fromkeys(both))
    part = _make(Part, {**table, **lists}, place)
    if not part.chapter and not part.title:
        raise PatchConvNetError(f"{place} has neither a chapter nor a title")
    if part.sections is not None and part.leave_out:
        raise PatchConvNetError(f"{place} has sections and leave_out: give one of them")
    return part


def _make(kind, values, place):
    """A dataclass from a table that has all it needs."""
    needed = [
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.name not in values
    ]
    if needed:
        raise PatchConvNetError(f"{place} lacks {', '.join(needed)}")
    return kind(**values)
