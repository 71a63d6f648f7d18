"""Is this machine ready for the course? `python -m patchconvnet doctor` asks, in order, and says what to do.

    examine     a list of `Check`: what was found, and how to mend it
    chapters    how long each chapter will run here, from one measured training step
    as_table    all of it for people
    as_json     all of it for a list of thirty laptops

A check never raises: whatever goes wrong in it is what it has found. Keras is imported by the checks that need it, so that a
machine without it gets a report, too.
"""

import csv
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
import tomllib
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from patchconvnet.errors import PatchConvNetError

OK, REMARK, MEND = "ok", "remark", "mend"
SIGNS = {OK: "\N{CHECK MARK}", REMARK: "!", MEND: "\N{BALLOT X}"}
PLAIN_SIGNS = {OK: "ok", REMARK: "!", MEND: "MEND"}  # for a terminal that cannot print ticks
PYTHONS = ((3, 11), (3, 13))  # tried
LOWEST = {"keras": "3.8", "numpy": "1.26", "matplotlib": "3.8", "pillow": "10"}  # as in pyproject.toml
BACKENDS = ("tensorflow", "jax", "torch")
MEMORY = 1.5e9  # bytes that a chapter needs: chapter 09 takes 1.4 GB
DISK = 0.5e9  # bytes for run folders and files of a class
# sha256 of the pixels and labels of the first 20 test pictures of Shapes: the same on every machine
SHAPES = "8e7c9522ce5bff4c"
SECONDS = 20.0  # that the training may take
STEPS = 24
# Seconds of one training step of `shapes` (batch 32) on the machine on which chapters.csv was measured: two cores of an AMD
# EPYC (Zen 3, AVX2), TensorFlow 2.20, float32.
REFERENCE_STEP = 0.036


@dataclass
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at, in a word or two.
        state: "ok"; "remark", where a class would stumble and one person may go on; or "mend".
        found: what is there.
        advice: what to do; "" if nothing.
    """

    name: str
    state: str
    found: str
    advice: str = ""


def examine(dataset=None):
    """Look at everything, in the order in which it must be mended.

    Args:
        dataset: a plan's own pictures, a path; None for what `PATCHCONVNET_DATASET` names, if anything.

    Returns:
        A list of `Check`, and the seconds of one training step, or None where no step succeeded.
    """
    step = []
    looks = {"Python": _python, "packages": _packages, "Keras": _backend, "memory": _memory, "disk": _disk, "Shapes": _shapes}
    own = dataset or os.environ.get("PATCHCONVNET_DATASET")
    if own and own != "shapes":
        looks["own pictures"] = lambda: _own(own)
    looks |= {"CIFAR-10": _cifar10, "records": _records, "training": lambda: _training(step)}
    checks = []
    for name, look in looks.items():
        try:
            checks.append(look())
        except Exception as error:  # a check that breaks has found something
            checks.append(Check(name, MEND, _one_line(error), "in a new virtual environment: pip install -r requirements.txt"))
    return checks, (step[0] if step else None)


def _one_line(error):
    """An error in one line, without the folders of the person whose machine it is."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text.replace(str(Path.home()), "~")[:200]


# === the checks ===


def _python():
    found, (lowest, highest) = platform.python_version(), PYTHONS
    if sys.version_info[:2] < lowest:
        return Check("Python", MEND, found, "install Python 3.11, 3.12 or 3.13")
    newer = sys.version_info[:2] > highest
    return Check("Python", REMARK if newer else OK, found, "not tried: use 3.11, 3.12 or 3.13" if newer else "")


def _packages():
    found, poor = [], []
    for name, lowest in LOWEST.items():
        try:
            here = version(name)
        except PackageNotFoundError:
            here = "missing"
        found.append(f"{name} {here}")
        if here == "missing" or _numbers(here) < _numbers(lowest):
            poor.append(f'"{name}>={lowest}"')
    return Check("packages", MEND if poor else OK, ", ".join(found), f"pip install {' '.join(poor)}" if poor else "")


def _numbers(text):
    return tuple(int(part) for part in text.split(".")[:3] if part.isdecimal())


def _backend():
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    try:
        import keras

        from patchconvnet import environment
    except Exception as error:
        return Check("Keras", MEND, f"does not start: {_one_line(error)}", f"pip install {backend if backend in BACKENDS else 'tensorflow'}; KERAS_BACKEND may be {', '.join(BACKENDS)}")
    found = environment.versions()
    backend = keras.backend.backend()
    return Check("Keras", OK, f"{found['keras']} with {backend} {found.get(backend, '')}, on {environment.device()}".replace(" ,", ","))


def _memory():
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return Check("memory", OK, "this system does not tell how much is free", "")
    free = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    short = free < MEMORY
    return Check("memory", REMARK if short else OK, f"{free / 1e9:.1f} GB free", f"close other programs: {MEMORY / 1e9} GB are needed" if short else "")


def _disk():
    free = shutil.disk_usage(".").free
    try:
        with tempfile.TemporaryFile(dir="."):
            pass
    except OSError as error:
        return Check("disk", REMARK, f"no file can be written here: {_one_line(error)}", "change to a folder of your own")
    short = free < DISK
    return Check("disk", REMARK if short else OK, f"{free / 1e9:.1f} GB free here", f"free some: {DISK / 1e9} GB are needed" if short else "")


def _shapes():
    from patchconvnet import load_dataset

    data = load_dataset("shapes", train=1, val=1, test=20)
    same = hashlib.sha256(data.x_test.tobytes() + data.y_test.astype("uint8").tobytes()).hexdigest()[:16] == SHAPES
    advice = "" if same else "the package is changed or damaged: install it again"
    return Check("Shapes", OK if same else MEND, "drawn, and the same as everywhere" if same else "drawn, but other pictures", advice)


def _own(place):
    from patchconvnet import load_dataset

    try:
        data = load_dataset(place)
    except PatchConvNetError as error:
        return Check("own pictures", MEND, _one_line(error), "see chapter 15 for what a folder must look like")
    count = sum(len(part) for part in (data.y_train, data.y_val, data.y_test))
    masks = "with masks" if data.mask_test is not None else "no masks"
    return Check("own pictures", OK, f"{data.name}: {count:,} in {len(data.class_names)} classes, {masks}")


def _cifar10():
    from patchconvnet import cifar10

    if cifar10.is_here():
        return Check("CIFAR-10", OK, "on this machine")
    return Check("CIFAR-10", OK, "not on this machine: only the last part of chapter 09 and some figures use it")


def _records():
    import numpy as np

    from patchconvnet import load_dataset, records

    folders = sorted(path.parent.name for path in Path(records.__file__).parent.glob("*/results.json"))
    for name in folders:
        records.load(name).results  # noqa: B018 - reading is the check
    record, probes = records.load("shapes"), load_dataset("shapes", train=1, val=1, test=8).x_test
    logits, _ = record.model().explain(probes)
    recorded = np.asarray(records.read_arrays(record.folder / "attention.npz")["logits"])[-1, :8]
    worst = float(np.abs(logits - recorded).max())
    good = worst < 0.1  # of logits of up to 10; kept in half precision
    advice = "" if good else "the package is changed or damaged: install it again"
    return Check("records", OK if good else MEND, f"{len(folders)} load; the network answers {'as' if good else 'not as'} recorded", advice)


def _training(step):
    """Train for a few steps; puts the seconds of one into the list `step`."""
    import keras
    import numpy as np

    from patchconvnet import PatchConvNet, load_dataset
    from patchconvnet.training import RECIPES, compile_model

    began = time.perf_counter()
    data = load_dataset("shapes", train=32, val=1, test=1)
    keras.utils.set_random_seed(0)
    model = PatchConvNet.from_preset("shapes", seed=0)
    compile_model(model, RECIPES["shapes"], steps_per_epoch=250)
    labels = np.eye(10, dtype="float32")[data.y_train]
    before = keras.ops.convert_to_numpy(model.trainable_variables[0])
    losses, seconds = [], []
    while len(seconds) < STEPS and (len(seconds) < 2 or time.perf_counter() - began < SECONDS):
        start = time.perf_counter()
        losses.append(float(model.train_on_batch(data.x_train, labels)[0]))
        seconds.append(time.perf_counter() - start)
    moved = not np.array_equal(before, keras.ops.convert_to_numpy(model.trainable_variables[0]))
    if not (np.isfinite(losses).all() and moved):
        return Check("training", MEND, f"loss {losses[-1]}, weights {'moved' if moved else 'did not move'}", "try another KERAS_BACKEND")
    step.append(float(np.median(seconds[1:])))  # the first one compiles
    return Check("training", OK, f"{len(seconds)} steps, {1000 * step[0]:.0f} ms each")


# === chapters ===


def chapters(step, names=None):
    """How long each chapter runs here: dicts with chapter, title, and seconds (None where no step was measured).

    An estimate: what was measured on the course's own machine, times the ratio of training steps.

    Args:
        step: seconds of a training step here, or None.
        names: the chapters of a plan, or None for all.

    Raises:
        PatchConvNetError: a chapter that the course does not have.
    """
    with open(Path(__file__).with_name("chapters.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if unknown := set(names or ()) - {row["chapter"] for row in rows}:
        raise PatchConvNetError(f"the plan has a chapter {sorted(unknown)[0]}, which the course does not have")
    chosen = [row for row in rows if names is None or row["chapter"] in names]
    return [{**row, "seconds": step and round(float(row["seconds"]) * step / REFERENCE_STEP)} for row in chosen]


def read_plan(path):
    """The chapters of a plan (see classroom/plans), and its own pictures as a path, or None.

    Raises:
        PatchConvNetError: if it is no plan.
    """
    try:
        plan = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        names = [part["chapter"] for session in plan["session"] for part in session["part"] if "chapter" in part]
        dataset = plan.get("dataset", "shapes")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PatchConvNetError(f"--plan {path} cannot be read as a plan ({type(error).__name__}: {error})") from error
    return names, None if dataset == "shapes" else str(Path(path).resolve().parent / Path(dataset).expanduser())


# === reports ===


def is_ready(checks, strict):
    """Whether nothing must be mended; with `strict`, as a class needs it, a remark counts as well."""
    return all(check.state == OK or (check.state == REMARK and not strict) for check in checks)


def as_table(checks, estimates, strict, plain=False):
    """A line a check, then the chapters (with `strict`) or their sum, then the verdict: a string."""
    signs = PLAIN_SIGNS if plain else SIGNS
    lines = [f"{signs[check.state]:4} {check.name:13} {check.found}" + (f"\n{'':19}-> {check.advice}" if check.advice else "") for check in checks]
    known = [row for row in estimates if row["seconds"] is not None]
    if strict:
        lines += ["", *(f"     {row['chapter']:22} {_minutes(row['seconds']):>8}  {row['title']}" for row in known)]
    if known:
        lines.append(f"     {'all of these chapters' if strict else 'all chapters'} run in about {_minutes(sum(row['seconds'] for row in known))}")
    return "\n".join([*lines, "", "ready" if is_ready(checks, strict) else "not ready: see the lines with an arrow"])


def _minutes(seconds):
    return f"{seconds} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def as_json(checks, estimates, strict, name=None):
    """The same as JSON text. It names no person and no folder; `name` is what the caller calls this machine."""
    report = {"ready": is_ready(checks, strict), "checks": [asdict(check) for check in checks], "chapters": estimates}
    return json.dumps(({"name": name} if name else {}) | report, indent=1, ensure_ascii=False)
