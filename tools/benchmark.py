#!/usr/bin/env python3
"""Measure what the course promises, on this machine.

    python tools/benchmark.py                three seeds of the `shapes` preset: accuracy, attention, seconds, memory
    python tools/benchmark.py --seeds 0 1    other seeds

Each run is a process of its own, one after the other. Exit code 1 if a goal is missed.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from patchconvnet import records

# name in results.json: (heading, unit factor, format, goal, whether more is better)
MEASURES = {
    "test_accuracy": ("test accuracy, %", 100, ".1f", 95.0, True),
    "attention_on_object": ("attention on object, %", 100, ".1f", 90.0, True),
    "attention_chance": ("  a random cell, %", 100, ".1f", None, True),
    "attention_best_fixed_cell": ("  the best fixed cell, %", 100, ".1f", None, True),
    "seconds": ("training, s", 1, ".0f", 60.0, False),
    "peak_memory_bytes": ("peak memory, GB", 1e-9, ".2f", 2.0, False),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    seeds = parser.parse_args().seeds
    with tempfile.TemporaryDirectory() as folder:
        results = [train(Path(folder) / str(seed), seed) for seed in seeds]
    print(f"preset shapes on {results[0]['device']}, seeds {', '.join(map(str, seeds))}\n")
    print(f"{'measure':24}" + "".join(f"{f'seed {seed}':>9}" for seed in seeds) + f"{'mean':>9}{'spread':>9}  goal")
    missed = [name for name in MEASURES if not report(name, results)]
    print("\nall goals met" if not missed else f"\nmissed: {', '.join(missed)}")
    return 1 if missed else 0


def train(folder, seed):
    """One run in a process of its own: the dict of its results.json."""
    command = [sys.executable, "-m", "patchconvnet", "train", "--preset", "shapes", "--seed", str(seed), "--out", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return records.load(folder).results


def report(name, results):
    """Print one row; False if the mean misses the goal."""
    heading, factor, form, goal, more = MEASURES[name]
    values = [factor * result[name] for result in results]
    mean = statistics.mean(values)
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    row = "".join(f"{value:>9{form}}" for value in (*values, mean, spread))
    print(f"{heading:24}{row}" + ("" if goal is None else f"  {'at least' if more else 'at most'} {goal:g}"))
    return goal is None or (mean >= goal if more else mean <= goal)


if __name__ == "__main__":
    sys.exit(main())
