"""A plan: which parts of which chapters a class takes, for how long, and on what data. Read from TOML, and checked.

`classroom/plans/90min.toml` shows every key with a comment. A mistake is named with its place and with what is accepted.
"""

import difflib
import json
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from patchconvnet.errors import PatchConvNetError
from patchconvnet.recipes import RECIPES

PLANS = Path(__file__).resolve().parent.parent / "classroom" / "plans"


@dataclass(frozen=True)
class Part:
    """Some minutes of a session: a chapter, whole or in part, or a break (a title and no chapter).

    Attributes:
        minutes: whole minutes, at least 1.
        title: what the schedule calls it; for a chapter its own title if empty.
        chapter: name of the notebook ("06_attention_pooling"), or None.
        sections: headings of the only sections to take, or None for all.
        leave_out: headings of sections not to take.
        exercises: numbers of the exercises to take.
        note: a sentence for the instructor.
    """

    minutes: int
    title: str = ""
    chapter: str | None = None
    sections: tuple | None = None
    leave_out: tuple = ()
    exercises: tuple = ()
    note: str = ""


@dataclass(frozen=True)
class Session:
    """A meeting of the class: a title, parts, and the time of day at which it starts, if not the plan's own."""

    title: str
    part: tuple
    start: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything that a kit is made from.

    Attributes:
        title, institution, contact: strings for the first page.
        session: a tuple of `Session`.
        start: time of day of the sessions, "HH:MM".
        dataset: "shapes" for the chapters as they are, or a folder of pictures or an `.npz` for chapter 15.
        preset: what chapter 15 trains.
        graded: whether solutions and quiz answers are kept from the students altogether.
    """

    title: str
    institution: str
    contact: str
    session: tuple
    start: str = "09:00"
    dataset: str = "shapes"
    preset: str = "shapes"
    graded: bool = False

    def parts_of(self, chapter):
        return [part for session in self.session for part in session.part if part.chapter == chapter]

    def chapters(self):
        """Names of the chapters, each once, in the order of the course."""
        return sorted({part.chapter for session in self.session for part in session.part if part.chapter})


def find(name):
    """The file of a plan: a path to one, or the name of one that comes with the course.

    Raises:
        PatchConvNetError: if there is none.
    """
    own, ours = Path(name).expanduser(), PLANS / f"{name}.toml"
    if own.suffix == ".toml" and own.is_file():
        return own
    if ours.is_file():
        return ours
    known = ", ".join(path.stem for path in sorted(PLANS.glob("*.toml")))
    raise PatchConvNetError(f"there is no plan {name}: give the path of a .toml file, or one of {known}")


def read(path):
    """Read and check a plan; a relative `dataset` is looked for beside the file.

    Raises:
        PatchConvNetError: no TOML; an unknown, missing or impossible value.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PatchConvNetError(f"{path} cannot be read as a plan ({error})") from error
    sessions = tuple(_session(session, f"session {number}") for number, session in enumerate(_tables(table, "session"), 1))
    plan = _make(Plan, {**table, "session": sessions}, Path(path).name)
    for value in (plan.start, *(session.start for session in sessions if session.start)):
        if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value):
            raise PatchConvNetError(f"start = {value!r} in {path}: wanted a time of day, as in 09:00")
    if plan.preset not in RECIPES:
        raise PatchConvNetError(f"preset = {plan.preset!r} in {path}: wanted one of {', '.join(RECIPES)}")
    if not plan.chapters():
        raise PatchConvNetError(f"{path} names no chapter: give at least one [[session.part]] a chapter")
    if plan.dataset != "shapes":
        place = Path(path).resolve().parent / Path(plan.dataset).expanduser()
        if not place.exists():
            raise PatchConvNetError(f"dataset = {plan.dataset!r} in {path}: {place} is not there")
        plan = _make(Plan, {**plan.__dict__, "dataset": str(place)}, Path(path).name)
    return plan


def with_dataset(text, value):
    """The text of a plan with another `dataset`; its comments and all else stay."""
    line = f"dataset = {json.dumps(value, ensure_ascii=False)}"
    changed, count = re.subn(r"(?m)^dataset\s*=.*$", lambda found: line, text, count=1)
    return changed if count else f"{line}\n{text}"


def _tables(table, key):
    found = table.get(key)
    if not isinstance(found, list) or not found or not all(isinstance(item, dict) for item in found):
        raise PatchConvNetError(f"a plan needs at least one [[{key}]]: see classroom/plans/90min.toml")
    return found


def _session(table, place):
    parts = tuple(
        _part({"part": {}, **part}, f"{place}, part {number}") for number, part in enumerate(_tables(table, "part"), 1)
    )
    return _make(Session, {**table, "part": parts}, place)


def _part(table, place):
    table.pop("part")
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    part = _make(Part, {**table, **lists}, place)
    if part.minutes < 1:
        raise PatchConvNetError(f"minutes = {part.minutes} in {place}: wanted at least 1")
    if not part.chapter and not part.title:
        raise PatchConvNetError(f"{place} has neither a chapter nor a title")
    if part.sections is not None and part.leave_out:
        raise PatchConvNetError(f"{place} has sections and leave_out: give one of them")
    return part


def _make(kind, values, place):
    """A dataclass from a table, if the table has the right keys with values of the right types."""
    known = {field.name: field for field in fields(kind)}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise PatchConvNetError(f"{key} in {place} is not known: accepted are {', '.join(known)}{hint}")
        wanted = known[key].type
        if not isinstance(value, wanted if isinstance(wanted, type) else object) or isinstance(value, bool) != (wanted is bool):
            raise PatchConvNetError(f"{key} = {value!r} in {place}: wanted {getattr(wanted, '__name__', wanted)}")
    needed = [name for name, field in known.items() if name not in values and field.default is field.default_factory]
    if needed:
        raise PatchConvNetError(f"{place} lacks {', '.join(needed)}")
    return kind(**values)
