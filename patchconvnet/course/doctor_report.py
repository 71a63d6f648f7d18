"""What `doctor` has found, for people and for a list of thirty laptops.

Check       one thing that was looked at
chapters    how long each chapter will run here, from one measured training step
read_plan   the chapters and the pictures of a class
as_table    all of it for people
as_json     all of it for a list
"""

import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from patchconvnet.course import plans

OK, REMARK, MEND = "ok", "remark", "mend"
SIGNS = {OK: "\N{CHECK MARK}", REMARK: "!", MEND: "\N{BALLOT X}"}
PLAIN_SIGNS = {OK: "ok", REMARK: "!", MEND: "MEND"}  # for a terminal without ticks
# Seconds of one training step of `shapes` (batch 32, float32) on the machine on which
# chapters.csv was measured: two cores of an AMD EPYC (Zen 3, AVX2), TensorFlow 2.20.
REFERENCE_STEP = 0.036


@dataclass
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at, in a word or two.
        state: "ok"; "remark", where a class would stumble and one person may go on; or
            "mend".
        found: what is there.
        advice: what to do; "" if nothing.
    """

    name: str
    state: str
    found: str
    advice: str = ""


def chapters(step, names=None):
    """How long each chapter runs here: dicts with chapter, title, and seconds.

    An estimate: what was measured on the course's own machine, times the ratio of
    training steps. The seconds are None where no step was measured.

    Args:
        step: seconds of a training step here, or None.
        names: the chapters of a plan, or None for all.

    Raises:
        PatchConvNetError: a chapter that the course does not have.
    """
    measured = Path(__file__).with_name("chapters.csv")
    with open(measured, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = [row["chapter"] for row in rows]
    for name in sorted(set(names or ())):
        plans.check_chapter(name, known)
    chosen = [row for row in rows if names is None or row["chapter"] in names]
    for row in chosen:
        seconds = float(row["seconds"])
        row["seconds"] = step and round(seconds * step / REFERENCE_STEP)
    return chosen


def read_plan(path):
    """The chapters of a plan, and its own pictures as a path, or None.

    For plans see classroom/plans.

    Raises:
        PatchConvNetError: if it is no plan; a chapter that the course does not have;
            pictures at no possible place.
    """
    table = plans.read_table(path)
    names = [
        part["chapter"]
        for session in table["session"]
        for part in session["part"]
        if "chapter" in part
    ]
    chapters(None, names)
    pictures = plans.pictures(table, path)
    return names, None if pictures is None else str(pictures)


def is_ready(checks, strict):
    """Whether nothing must be mended; with `strict`, a remark counts as well."""
    return all(
        check.state == OK or (check.state == REMARK and not strict) for check in checks
    )


def as_table(checks, estimates, strict, plain=False):
    """The report as text: a line a check, then the chapters, then the verdict.

    Without `strict`, the chapters are a sum.
    """
    signs = PLAIN_SIGNS if plain else SIGNS
    lines = []
    for check in checks:
        lines.append(f"{signs[check.state]:4} {check.name:13} {check.found}")
        if check.advice:
            lines.append(f"{'':19}-> {check.advice}")
    known = [row for row in estimates if row["seconds"] is not None]
    if strict:
        lines.append("")
        for row in known:
            time = _minutes(row["seconds"])
            lines.append(f"     {row['chapter']:22} {time:>8}  {row['title']}")
    if known:
        whole = _minutes(sum(row["seconds"] for row in known))
        which = "all of these chapters" if strict else "all chapters"
        lines.append(f"     {which} run in about {whole}")
    ready = is_ready(checks, strict)
    verdict = "ready" if ready else "not ready: see the lines with an arrow"
    return "\n".join([*lines, "", verdict])


def _minutes(seconds):
    return f"{seconds} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def as_json(checks, estimates, strict, name=None):
    """The same as JSON text. It names no person and no folder.

    `name` is what the caller calls this machine.
    """
    report = {
        "ready": is_ready(checks, strict),
        "checks": [asdict(check) for check in checks],
        "chapters": estimates,
    }
    if name:
        report = {"name": name} | report
    return json.dumps(report, indent=1, ensure_ascii=False)
