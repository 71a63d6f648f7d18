"""The plan of a class, as its file has it: TOML, and each value of its kind.

`doctor` asks a plan for its chapters and pictures; `tools/classroom/plan.py` makes a
kit of it. What is wrong with a file both learn from here, in one line.
`classroom/plans/90min.toml` shows every key with a comment.
"""

import os
import re
import tomllib
from datetime import date
from pathlib import Path

from patchconvnet.errors import PatchConvNetError, listing, nearest, one_line, short
from patchconvnet.files import existing_file, place

MOST_BYTES = 200_000  # fifty times the course's longest plan
# in one line: a key of thousands of parts, a.a.a.a, would take minutes to read
MOST_DOTS = 100
# and comments: their dots cost nothing
QUOTED = re.compile(r"""\"(?:\\.|[^"\\])*"|'[^']*'|\#.*""")
MOST_MINUTES = 24 * 60
# What each table may hold: kinds of values; in a list, the kind of its items.
PLAN = {
    "title": str,
    "institution": str,
    "contact": str,
    "session": [dict],
    "start": str,
    "dataset": str,
    "preset": str,
    "graded": bool,
    "minutes": int,
    "policy": str,
}
SESSION = {
    "title": str,
    "part": [dict],
    "start": str,
    "date": date,
    "minutes": int,
}
PART = {
    "minutes": int,
    "title": str,
    "chapter": str,
    "sections": [str],
    "leave_out": [str],
    "exercises": [int],
    "homework": [int],
    "note": str,
}
MAY_BE_EMPTY = ("start", "note")
EXAMPLE = "classroom/plans/90min.toml shows how one looks"
# What version 0.2 called otherwise: the two chapters changed places.
OLD_NAMES = {"04_squeeze_excite": "05_squeeze_excite", "05_trunk": "04_trunk"}


def read_table(path):
    """The table in a plan's file, a dict, with its sessions and their parts.

    Other keys may be missing.

    Raises:
        PatchConvNetError: no file, or one that is too large, or no TOML; a key that is
            not known; a value that cannot be.
    """
    path = place(path)
    text = read_text(path)
    if max(QUOTED.sub("", line).count(".") for line in text.split("\n")) > MOST_DOTS:
        raise PatchConvNetError(
            f"{one_line(path)} cannot be read as a plan (a line has more than"
            f" {MOST_DOTS} dots): {EXAMPLE}"
        )
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # no TOML; a number of 5,000 digits
        raise PatchConvNetError(
            f"{one_line(path)} cannot be read as a plan ({one_line(error)}): {EXAMPLE}"
        ) from error
    _check(table, PLAN, one_line(path.name))
    for number, session in enumerate(_tables(table, "session"), 1):
        _check(session, SESSION, f"session {number}")
        for part_number, part in enumerate(_tables(session, "part"), 1):
            _check(part, PART, f"session {number}, part {part_number}")
    return table


def read_text(path):
    """The text of a plan's file, a string; errors as in `read_table`."""
    path = existing_file(path, "a plan: a .toml file")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PatchConvNetError(
                f"{one_line(path)} is larger than {MOST_BYTES:,} bytes: {EXAMPLE}"
            )
        # Windows' editor begins a file with a mark
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PatchConvNetError(
            f"{one_line(path)} cannot be read as a plan ({one_line(error)}): {EXAMPLE}"
        ) from error


def pictures(table, path):
    """The place of the plan's own pictures, a `Path`; None for the course's own.

    A relative one is beside the plan's file. "shapes" and "pets" are the course's own;
    a folder beside the plan that is called pets comes first.

    Raises:
        PatchConvNetError: no path, or one that cannot be used here.
    """
    name = table.get("dataset", "shapes")
    if name == "shapes":
        return None
    if not name.startswith("~"):
        beside = os.path.join(Path(path).resolve().parent, name)
        if name == "pets" and not os.path.exists(beside):
            return None
        name = beside
    return place(name)


def check_chapter(name, known):
    """An error if a plan's chapter is none of the course's, whose names are `known`."""
    if name in known:
        return
    if name in OLD_NAMES:
        raise PatchConvNetError(
            f"the plan has a chapter {name}, which is {OLD_NAMES[name]} since version"
            " 0.2: chapters 04 and 05 changed places"
        )
    raise listing(
        f"the plan has a chapter {one_line(name)}, which the course does not"
        f" have: accepted are those below{nearest(name, known)}",
        known,
    )


def _tables(table, key):
    if not table.get(key):
        raise PatchConvNetError(f"a plan needs at least one [[{key}]]: {EXAMPLE}")
    return table[key]


def _check(table, known, where):
    """An error if a table has an unknown key, or a value of another kind."""
    for key, value in table.items():
        if key not in known:
            raise PatchConvNetError(
                f"{one_line(key[:40])} in {where} is not known: accepted are"
                f" {', '.join(known)}{nearest(key[:40], known)}"
            )
        if wanted := _wanted(key, value, known[key]):
            raise PatchConvNetError(
                f"{key} = {short(value)} in {where}: wanted {wanted}"
            )


def _wanted(key, value, kind):
    """What is wanted instead of a value; "" if it will do."""
    if isinstance(kind, list):
        if isinstance(value, list) and all(_is(item, kind[0]) for item in value):
            return ""
        if kind == [dict]:
            return f"[[{key}]] tables"
        return f"a list of {kind[0].__name__}"
    if kind is date:
        fits = type(value) is date
        return "" if fits else "a date, without quotes, as in 2027-03-01"
    if not _is(value, kind):
        return kind.__name__
    if key == "minutes" and not 1 <= value <= MOST_MINUTES:
        return f"at least 1, at most {MOST_MINUTES}"
    if kind is str and key not in MAY_BE_EMPTY and not value.strip():
        return "some letters"
    return ""


def _is(value, kind):
    # for Python, True is an int
    return isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
