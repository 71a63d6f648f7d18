"""Times in processes of their own, one after the other, beside the course's goals."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WORKER = Path(__file__).with_name("step.py")
FIRST_WORKER = Path(__file__).with_name("first.py")
MEASURES_WORKER = Path(__file__).with_name("measures.py")

# name in results.json: (heading, unit factor, format, goal, whether more is better)
MEASURES = {
    "test_accuracy": ("test accuracy, %", 100, ".1f", 95.0, True),
    "attention_on_object": ("attention on object, %", 100, ".1f", 90.0, True),
    "attention_chance": ("  a random cell, %", 100, ".1f", None, True),
    "attention_best_fixed_cell": ("  the best fixed cell, %", 100, ".1f", None, True),
    "seconds": ("training, s", 1, ".0f", 60.0, False),
    "peak_memory_bytes": ("peak memory, GB", 1e-9, ".2f", 2.0, False),
}


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"error: {' '.join(message.split())} (see {self.prog} --help)\n")


def seed(text):
    if not text.isascii() or not text.isdecimal() or int(text[:11]) >= 2**32:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no seed: give whole numbers from 0 to {2**32 - 1}"
        )
    return int(text)


def main(arguments=None):
    parser = Parser(description="Measure what the course promises, on this machine.")
    parser.add_argument(
        "what",
        nargs="*",
        metavar="PART",
        help="step, first, shapes or measures; all if not given",
    )
    parser.add_argument("--seeds", type=seed, nargs="+", default=[0, 1, 2])
    options = parser.parse_args(arguments)
    parts = {
        "step": step,
        "first": first,
        "shapes": lambda: shapes(options.seeds),
        "measures": measures,
    }
    unknown = [name for name in options.what if name not in parts]
    if unknown:
        parser.error(f"no part {unknown[0]!r}: there are {', '.join(parts)}")
    try:
        missed = [goal for name in options.what or parts for goal in parts[name]()]
    # what the process itself says is above
    except (subprocess.CalledProcessError, OSError) as error:
        parser.error(f"a measurement has failed: {error}")
    print("\nall goals met" if not missed else f"\nmissed: {', '.join(missed)}")
    return 1 if missed else 0


# === a training step of `keras_example` ===


def step(rounds=3):
    """Time both networks in turns, so that a busy machine slows both: missed goals."""
    kinds = {"published": None, "ours": 0.85}
    if has_bfloat16():
        kinds["ours, mixed_bfloat16"] = 0.5
    runs = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            runs[kind].append(answer_of([sys.executable, WORKER, kind]))
    print(
        "\na training step of keras_example, batch 128, float32, on"
        f" {runs['ours'][0]['device']}, {rounds} rounds\n"
    )
    heading = f"{'arrangement':24}{'s a step':>10}{'peak GB':>9}"
    print(f"{heading}{'ratio in each round':>24}{'median':>9}  goal")
    missed = []
    for kind, goal in kinds.items():
        seconds = statistics.median(run["seconds"] for run in runs[kind])
        memory = max(run["peak_memory_bytes"] for run in runs[kind]) / 1e9
        ratios = [
            run["seconds"] / other["seconds"]
            for run, other in zip(runs[kind], runs["published"])
        ]
        each = "  ".join(f"{ratio:.2f}" for ratio in ratios)
        ratio = statistics.median(ratios)
        wanted = "" if goal is None else f"  at most {goal}"
        row = f"{kind:24}{seconds:>10.2f}{memory:>9.2f}"
        print(f"{row}{each:>24}{ratio:>9.2f}{wanted}")
        if goal is not None and ratio > goal:
            missed.append(f"step, {kind}")
    return missed


def answer_of(command, environment=None):
    """What a worker prints in its last line, a line of JSON: a dict."""
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=environment
    )
    return json.loads(done.stdout.splitlines()[-1])


def has_bfloat16():
    """Whether this CPU has bfloat16 units (Linux)."""
    flags = Path("/proc/cpuinfo")
    return flags.is_file() and any(
        name in flags.read_text() for name in ("avx512_bf16", "amx_bf16")
    )


# === the epochs of `keras_example`, the first of which compiles ===

FIRST_GOAL, WHOLE_GOAL = 15.0, 60.0  # seconds, JAX on an H100 or H200, an empty cache


def first():
    """Time the first epoch, the others and all of them: the goals that were missed."""
    with tempfile.TemporaryDirectory() as folder:
        runs = {"empty": epochs_of(Path(folder), "empty")}
        if runs["empty"]["backend"] == "jax":  # only JAX's compilations are kept
            runs["filled"] = epochs_of(Path(folder), "filled")
    run = runs["empty"]
    fast = run["backend"] == "jax" and any(
        name in run["device"] for name in ("H100", "H200")
    )
    print(
        f"\n{len(run['seconds'])} epochs of keras_example, {run['images']:,} images, on"
        f" {run['device']}, {run['backend']}\n"
    )
    print(
        f"{'compilations':16}{'first epoch, s':>16}{'a later one, s':>16}{'all, s':>9}"
    )
    for cache, each in runs.items():
        start, *others = each["seconds"]
        row = f"{f'cache {cache}':16}{start:>16.1f}{statistics.median(others):>16.1f}"
        print(f"{row}{sum(each['seconds']):>9.1f}")
    print(
        f"goals, JAX on an H100 or H200, cache empty: first epoch at most"
        f" {FIRST_GOAL:g}, 50 epochs at most {WHOLE_GOAL:g}"
        f"{'' if fast else '; not asked here'}"
    )
    found = {
        "first epoch": run["seconds"][0] > FIRST_GOAL,
        "50 epochs": sum(run["seconds"]) > WHOLE_GOAL,
    }
    return [f"first, {name}" for name, missed in found.items() if fast and missed]


def epochs_of(folder, name):
    """One run, with a cache folder that all runs in `folder` share."""
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    for switch in ("JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE"):
        environment.pop(switch, None)
    return answer_of([sys.executable, FIRST_WORKER, folder / name], environment)


# === the measures of attention ===

# name in the worker's output: (heading, goal in seconds)
MEASURING = {
    "measures": ("all measures with masks and the entropy, 10,000 maps of 12 x 12", 1),
    "deletion": ("deletion, 100 images, 64 steps, network shapes", 60.0),
    "insertion": ("insertion, 100 images, 64 steps, network shapes", 60.0),
}


def measures():
    """Time the measures; the goals that were missed."""
    result = answer_of([sys.executable, MEASURES_WORKER])
    print(f"\nmeasures of attention on {result['device']}\n")
    for name, (heading, goal) in MEASURING.items():
        print(f"{heading:64}{result['seconds'][name]:>7.2f} s  at most {goal:g}")
    return [
        f"measures, {name}"
        for name, (_, goal) in MEASURING.items()
        if result["seconds"][name] > goal
    ]


# === three seeds of `shapes` ===


def shapes(seeds):
    """Train and print each measure; the goals that were missed."""
    with tempfile.TemporaryDirectory() as folder:
        results = [train(Path(folder) / str(seed), seed) for seed in seeds]
    print(
        f"\npreset shapes on {results[0]['device']}, seeds"
        f" {', '.join(map(str, seeds))}\n"
    )
    columns = [*(f"seed {seed}" for seed in seeds), "mean", "95% from", "to"]
    print(f"{'measure':24}{''.join(f'{column:>9}' for column in columns)}  goal")
    return [f"shapes, {name}" for name in MEASURES if not report(name, results)]


def train(folder, seed):
    """One run in a process of its own: the dict of its results.json."""
    command = [sys.executable, "-m", "patchconvnet", "train", "--preset", "shapes"]
    command += ["--seed", str(seed), "--out", folder]
    # a seed does not find what the one before it has compiled
    environment = os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return json.loads((folder / "results.json").read_text())


def report(name, results):
    """Print one row; False if the mean misses the goal."""
    # not at the top: what is timed has both cores to itself
    from patchconvnet.faithfulness import uncertainty

    heading, factor, form, goal, more = MEASURES[name]
    values = [factor * result[name] for result in results]
    mean = statistics.mean(values)
    row = "".join(f"{value:>9{form}}" for value in (*values, mean))
    if len(values) > 1:  # where the mean of many seeds should lie
        interval = uncertainty.t_interval(values)
        row += f"{interval.low:>9{form}}{interval.high:>9{form}}"
    else:
        row += f"{'-':>9}{'-':>9}"
    if goal is None:
        print(f"{heading:24}{row}")
        return True
    print(f"{heading:24}{row}  {'at least' if more else 'at most'} {goal:g}")
    return mean >= goal if more else mean <= goal
