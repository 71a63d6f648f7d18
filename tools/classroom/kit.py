"""Make an instructor's kit from the chapters.

Student and instructor notebooks, slides, schedule and rubric.

    python tools/classroom.py --plan 90min --out ../my-class
    python tools/classroom.py --plan ../my-class/plan.toml --out ../my-class
                              # again, after you have edited the plan

A plan is a small text file that says which chapters and sections, for how many minutes,
with which exercises, and on whose pictures. The course has three: 90min, half-day,
three-weeks (in classroom/plans). The kit gets a copy of it to edit. Making a kit again
replaces what it made before, and nothing else: a notebook that you have edited is never
overwritten.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path, PurePosixPath, PureWindowsPath

# TensorFlow's start-up notes would drown what matters
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from classroom.filling import fill
from classroom.plan import find_plan, lengths_amiss, read_plan, with_dataset
from command import Parser, check_utf8, in_one_line
from patchconvnet.course import plans
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import existing_file, made, place, written_aside

ROOT = Path(__file__).resolve().parents[2]
LIST = "kit.json"  # of what was made, with checksums: all else is the instructor's
MOST_BYTES = 1_000_000  # of the list: a kit of all chapters has a twentieth of it


def make(plan_name, out):
    """Make or renew the kit in the folder `out`; returns its `Plan`.

    Everything is made beside it and moved when it is complete: a failure leaves the old
    kit as it was.

    Raises:
        PatchConvNetError: a plan that is wrong; a folder that is not a kit; files in it
            that were edited by hand.
    """
    out, path = place(out), find_plan(plan_name)
    plan = read_plan(path)
    _check_folder(out, path)
    with (
        made(out.parent),
        tempfile.TemporaryDirectory(dir=out.parent, prefix=".kit-") as work,
    ):
        fresh = Path(work, "kit")
        fill(fresh, plan, out)
        if not (out / "plan.toml").exists():
            text = _plan_for(out, plan, plans.read_text(path))
            (fresh / "plan.toml").write_text(text, encoding="utf-8")
        _move(fresh, out)
    for line in lengths_amiss(plan, path.stem):
        print(f"note: {line}", file=sys.stderr)
    return plan


def _plan_for(out, plan, text):
    """The plan as the kit keeps it: its pictures are where they were, seen from there.

    So a kit that is made again takes new ones in.
    """
    if plan.dataset == "shapes":
        return text
    pictures = Path(plan.dataset).resolve()
    with contextlib.suppress(ValueError):  # on another disk
        pictures = Path(os.path.relpath(pictures, out.resolve()))
    check_utf8(pictures, "pictures")
    return with_dataset(text, pictures.as_posix())


def _check_folder(out, plan):
    """An error if making a kit in `out` could destroy something that is not ours."""
    shown = one_line(out)
    check_utf8(out, "a kit")
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / LIST).exists()):
        raise PatchConvNetError(f"{shown} is there and is no kit: choose another place")
    own = out / "plan.toml"
    if own.is_file() and not _is_same_plan(own, plan):
        raise PatchConvNetError(
            f"{shown} has a plan of its own: give --plan {one_line(own)}, or choose"
            " another --out"
        )
    made_before = _list(out)
    _check_names(out, made_before)
    edited = [
        name
        for name, digests in made_before.items()
        if (out / name).exists() and _digest(out / name) not in digests
    ]
    if edited:
        more = f" and {len(edited) - 1} more" if len(edited) > 1 else ""
        raise PatchConvNetError(
            f"{one_line(edited[0])}{more} in {shown} was changed by hand and would be"
            " lost: make the kit in another folder, or move it away first"
        )


def _is_same_plan(own, other):
    """Whether two files are one, or say the same, wherever pictures are seen from."""
    if own.resolve() == other.resolve() or own.read_bytes() == other.read_bytes():
        return True

    def said(path):
        table = plans.read_table(path)
        pictures = plans.pictures(table, path)
        return table | {"dataset": pictures and pictures.resolve()}

    try:
        return said(own) == said(other)
    except PatchConvNetError:
        return False


def _list(out):
    """What was made: a dict of names, each with its checksums.

    It is one, or the old and the new one if the tool was stopped while it moved files.
    """
    if not os.path.lexists(out / LIST):
        return {}
    path = existing_file(out / LIST, "the folder of a kit")
    made_before = None
    with contextlib.suppress(ValueError, RecursionError):
        if path.stat().st_size <= MOST_BYTES:
            made_before = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(made_before, dict) and all(map(_are_texts, made_before.values())):
        return made_before
    raise PatchConvNetError(
        f"{one_line(path)} is damaged: make the kit in another folder"
    )


def _are_texts(values):
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _check_names(out, names):
    """An error unless each name is that of a plain file in the kit, or of none yet."""
    inside = out.resolve()
    for name in (LIST, *names):
        path = Path(inside, name)
        # a link leads elsewhere
        if not _is_plain(name) or os.path.realpath(path) != str(path):
            reason = "does not lie in the kit, or is a link"
        elif any(above.is_file() for above in path.parents):
            reason = "would lie in a folder where a file is"
        elif path.exists() and not path.is_file():
            reason = "is no file"
        else:
            continue
        raise PatchConvNetError(
            f"{one_line(name)} of the kit in {one_line(out)} {reason}: move it away, or"
            " make the kit in another folder"
        )


def _is_plain(name):
    """Whether a name is a relative path, on any system, that leads nowhere else."""
    if name != PurePosixPath(name).as_posix() or "\0" in name:
        return False
    if name.casefold() in (".", "plan.toml"):  # the plan is the instructor's
        return False
    paths = PurePosixPath(name), PureWindowsPath(name)
    return not any(path.anchor or ".." in path.parts for path in paths)


def _move(fresh, out):
    """Replace what was made before by what is new; all else in `out` stays.

    Only a book that was built from the old kit goes.
    """
    old = _list(out)
    files = sorted(
        path.relative_to(fresh).as_posix()
        for path in fresh.rglob("*")
        if path.is_file()
    )
    new = {name: [_digest(fresh / name)] for name in files if name != "plan.toml"}
    _check_names(out, [*old, *new])
    if theirs := [
        name
        for name in new.keys() - old.keys()
        if (out / name).exists() and _digest(out / name) not in new[name]
    ]:
        raise PatchConvNetError(
            f"{one_line(min(theirs))} in {one_line(out)} is not of the kit and would be"
            " lost: move it away first"
        )
    out.mkdir(exist_ok=True)
    both = {name: old.get(name, []) + new.get(name, []) for name in old | new}
    _write_list(out, both)
    shutil.rmtree(out / "student" / "_build", ignore_errors=True)
    for name in old.keys() - new.keys():
        (out / name).unlink(missing_ok=True)
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(fresh / name, out / name)
    _write_list(out, new)


def _write_list(out, made):
    with written_aside(out / LIST) as aside:
        aside.write_text(json.dumps(made, indent=1), encoding="utf-8")


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument(
        "--plan",
        required=True,
        help="90min, half-day, three-weeks, or the path of a .toml file",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="DIR",
        help="folder for the kit; one that was made before is renewed",
    )
    options = parser.parse_args(arguments)
    plan = make(options.plan, options.out)
    print(
        f"{one_line(options.out)}: {len(plan.chapters())} chapters for"
        f" {one_line(plan.institution)}. Begin with its README.md"
    )
