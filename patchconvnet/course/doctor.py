"""Is this machine ready for the course? `python -m patchconvnet doctor` asks.

    examine     a list of `Check`: what was found, and how to mend it
    the rest    see `doctor_report`: chapters, read_plan, as_table, as_json

A check never raises: whatever goes wrong in it is what it has found. Those that import
Jupyter, NumPy or Keras run in a process of their own (`doctor_apart`), which is this
module as a program: a machine on which they kill it gets a report, too.
"""

import hashlib
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from patchconvnet.course import doctor_apart, doctor_jupyter
from patchconvnet.course.doctor_report import (  # noqa: F401 - for those who ask the doctor
    MEND,
    OK,
    PLAIN_SIGNS,
    REFERENCE_STEP,
    REMARK,
    SIGNS,
    Check,
    as_json,
    as_table,
    chapters,
    is_ready,
    read_plan,
)
from patchconvnet.errors import PatchConvNetError, one_line

PYTHONS = ((3, 11), (3, 13))  # tried
# as in pyproject.toml
LOWEST = {"keras": "3.8", "numpy": "1.26", "matplotlib": "3.8", "pillow": "10"}
BACKENDS = ("tensorflow", "jax", "torch")
MEMORY = 1.5e9  # bytes that a chapter needs: chapter 09 takes 1.4 GB
DISK = 0.5e9  # bytes for run folders and files of a class
# sha256 of the first 20 test pictures of Shapes and their labels, on every machine
SHAPES = "8e7c9522ce5bff4c"
SECONDS = 20.0  # that the training may take
STEPS = 24
NEED_KERAS = ("records", "training")
NEW_ENVIRONMENT = "in a new virtual environment: pip install -r requirements.txt"
DAMAGED = "the package is changed or damaged: install it again"


def examine(dataset=None):
    """Look at everything, in the order in which it must be mended.

    Args:
        dataset: a plan's own pictures, a path; None for what `PATCHCONVNET_DATASET`
            names, if anything.

    Returns:
        A list of `Check`, and the seconds of one training step, or None where no step
        succeeded.
    """
    own = dataset or os.environ.get("PATCHCONVNET_DATASET")
    names = ["Shapes", "own pictures", "CIFAR-10", *NEED_KERAS]
    if "COLAB_RELEASE_TAG" not in os.environ:  # Colab has its own way to open notebooks
        names = ["JupyterLab", "kernel", *names]
    if not own or own == "shapes":
        names.remove("own pictures")
    rest = ["Keras", *names]
    found, step = {}, None
    for name, report in doctor_apart.reports(rest, own):
        if isinstance(report, dict):
            step = report.pop("step", step)
            found[name] = Check(**report)
            continue
        found[name] = _killed(name, report)
        if name == "Keras":  # it would kill these as well, and may take its time
            for other in NEED_KERAS:
                rest.remove(other)
                found[other] = Check(
                    other, MEND, "not tried: Keras does not start", "mend Keras first"
                )
    names = ["Python", "packages", "Keras", "memory", "disk", *names]
    return [found.get(name) or look(name) for name in names], step


def look(name, own=None, step=None):
    """One check in this process: a `Check`.

    `step` is a list to which the training adds the seconds of one step.
    """
    looks = {
        "Python": _python,
        "packages": _packages,
        "Keras": _backend,
        "memory": _memory,
        "disk": _disk,
        "JupyterLab": doctor_jupyter.lab,
        "kernel": doctor_jupyter.kernel,
        "Shapes": _shapes,
        "own pictures": lambda: _own(own),
        "CIFAR-10": _cifar10,
        "records": _records,
        "training": lambda: _training([] if step is None else step),
    }
    try:
        return looks[name]()
    except (Exception, SystemExit) as error:  # a check that breaks has found something
        usual = doctor_jupyter.ADVICE.get(name, NEW_ENVIRONMENT)
        return Check(name, MEND, _one_line(error), _advice(error, usual))


def _advice(error, usual):
    """What to do about an error: the usual, unless a home folder is missing.

    matplotlib and our cache of CIFAR-10 want one, and some containers have none.
    """
    if "home directory" in str(error):
        return "set the environment variable HOME to a folder of your own"
    return usual


def main():
    """The process of its own: its arguments are own pictures, or "", and checks."""
    own, *names = sys.argv[1:]
    for name in names:
        step = []
        check = look(name, own, step)
        doctor_apart.report(asdict(check) | ({"step": step[0]} if step else {}))


def _killed(name, end):
    """The finding where a check took its process with it."""
    found, advice = _without_home(end), NEW_ENVIRONMENT
    if "SIGKILL" in end:
        advice = "close other programs: memory may have run out"
    elif name in ("Keras", *NEED_KERAS):
        backend = _usual_backend()
        others = " or ".join(other for other in BACKENDS if other != backend)
        why = f"{backend} may be damaged"
        if "SIGILL" in end:
            why = f"this build of {backend} is for newer processors"
        advice = (
            f"{why}: pip install --force-reinstall {backend}, or set KERAS_BACKEND to"
            f" {others}"
        )
    return Check(name, MEND, found, advice)


def _usual_backend():
    backend = os.environ.get("KERAS_BACKEND")
    return backend if backend in BACKENDS else "tensorflow"


def _one_line(error):
    """An error in one line, without the folders of the person whose machine it is."""
    return _without_home(f"{type(error).__name__}: {error}")


def _without_home(text):
    home = os.path.expanduser("~")  # not Path.home(): that fails where nobody has one
    line = one_line(text)
    return (line.replace(home, "~") if len(home) > 1 else line)[:200]


# === the checks ===


def _python():
    found, (lowest, highest) = platform.python_version(), PYTHONS
    if sys.version_info[:2] < lowest:
        return Check("Python", MEND, found, "install Python 3.11, 3.12 or 3.13")
    if sys.version_info[:2] > highest:
        return Check("Python", REMARK, found, "not tried: use 3.11, 3.12 or 3.13")
    return Check("Python", OK, found)


def _packages():
    found, poor = [], []
    for name, lowest in LOWEST.items():
        try:
            here = version(name) or "damaged"
        except PackageNotFoundError:
            here = "missing"
        found.append(f"{name} {here}")
        if _numbers(here) < _numbers(lowest):
            poor.append(f'"{name}>={lowest}"')
    if poor:
        advice = f"pip install {' '.join(poor)}"
        return Check("packages", MEND, ", ".join(found), advice)
    return Check("packages", OK, ", ".join(found))


def _numbers(text):
    return tuple(int(part) for part in text.split(".")[:3] if part.isdecimal())


def _backend():
    try:
        import keras

        from patchconvnet.training import machine
    except (Exception, SystemExit) as error:
        missing = getattr(error, "name", None)
        if missing not in LOWEST:
            missing = _usual_backend()
        usual = f"pip install {missing}; KERAS_BACKEND may be {', '.join(BACKENDS)}"
        said = f"does not start: {_one_line(error)}"
        return Check("Keras", MEND, said, _advice(error, usual))
    found = machine.versions()
    backend = keras.backend.backend()
    engine = f"{backend} {found.get(backend, '')}".rstrip()
    return Check("Keras", OK, f"{found['keras']} with {engine}, on {machine.device()}")


def _memory():
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = 1024 * next(
            int(line.split()[1]) for line in lines if line.startswith("MemAvailable")
        )
    except (OSError, StopIteration):
        return Check("memory", OK, "this system does not tell how much is free", "")
    found = f"{free / 1e9:.1f} GB free"
    if free < MEMORY:
        advice = f"close other programs: {MEMORY / 1e9} GB are needed"
        return Check("memory", REMARK, found, advice)
    return Check("memory", OK, found)


def _disk():
    free = shutil.disk_usage(".").free
    try:
        with tempfile.TemporaryFile(dir="."):
            pass
    except OSError as error:
        found = f"no file can be written here: {_one_line(error)}"
        return Check("disk", REMARK, found, "change to a folder of your own")
    found = f"{free / 1e9:.1f} GB free here"
    if free < DISK:
        return Check("disk", REMARK, found, f"free some: {DISK / 1e9} GB are needed")
    return Check("disk", OK, found)


def _shapes():
    from patchconvnet import load_dataset

    data = load_dataset("shapes", train=1, val=1, test=20)
    drawn = data.x_test.tobytes() + data.y_test.astype("uint8").tobytes()
    if hashlib.sha256(drawn).hexdigest()[:16] != SHAPES:
        return Check("Shapes", MEND, "drawn, but other pictures", DAMAGED)
    return Check("Shapes", OK, "drawn, and the same as everywhere")


def _own(place):
    from patchconvnet import load_dataset

    try:
        data = load_dataset(place)
    except PatchConvNetError as error:
        advice = "see chapter 15 for what a folder must look like"
        return Check("own pictures", MEND, _one_line(error), advice)
    count = sum(len(part) for part in (data.y_train, data.y_val, data.y_test))
    masks = "with masks" if data.mask_test is not None else "no masks"
    return Check(
        "own pictures",
        OK,
        f"{one_line(data.name)}: {count:,} in {len(data.class_names)} classes, {masks}",
    )


def _cifar10():
    from patchconvnet.data import cifar10

    if cifar10.is_here():
        return Check("CIFAR-10", OK, "on this machine")
    return Check(
        "CIFAR-10",
        OK,
        "not on this machine: only the last part of chapter 09 and some figures use it",
    )


def _records():
    import numpy as np

    from patchconvnet import load_dataset, records

    runs = [
        records.load(name, seed)
        for name in records.names()
        for seed in records.seeds(name)
    ]
    for run in runs:
        run.results  # noqa: B018 - reading is the check
    record = records.load("shapes")
    probes = load_dataset("shapes", train=1, val=1, test=8).x_test
    logits, _ = record.model().explain(probes)
    recorded = records.read_arrays(record.folder / "attention.npz")["logits"]
    worst = float(np.abs(logits - np.asarray(recorded)[-1, :8]).max())
    found = f"{len(runs)} load; the network answers"
    if worst < 0.1:  # of logits of up to 10; kept in half precision
        return Check("records", OK, f"{found} as recorded")
    return Check("records", MEND, f"{found} not as recorded", DAMAGED)


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
    while len(seconds) < STEPS:
        if len(seconds) >= 2 and time.perf_counter() - began >= SECONDS:
            break
        start = time.perf_counter()
        losses.append(float(model.train_on_batch(data.x_train, labels)[0]))
        seconds.append(time.perf_counter() - start)
    after = keras.ops.convert_to_numpy(model.trainable_variables[0])
    moved = not np.array_equal(before, after)
    if not (np.isfinite(losses).all() and moved):
        found = f"loss {losses[-1]}, weights {'moved' if moved else 'did not move'}"
        return Check("training", MEND, found, "try another KERAS_BACKEND")
    step.append(float(np.median(seconds[1:])))  # the first one compiles
    return Check("training", OK, f"{len(seconds)} steps, {1000 * step[0]:.0f} ms each")


if __name__ == "__main__":
    main()
