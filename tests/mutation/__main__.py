"""Do the tests notice? Plant one fault at a time in a copy of the course, and see
whether anything turns red.

    python tests/mutation                        43 faults chosen by hand; about half an hour on two cores
    python tests/mutation trunk schedule         those of these modules
    python tests/mutation --sample 100 --seed 1  so many made by rule, of thousands;
    some twenty minutes
    python tests/mutation --javascript           ten made by rule in the scripts of "Try it yourself"

A fault by hand runs the unit tests of its module, and where those stay green, the
chapter that teaches the module, under nbval. A fault by rule (see mutation_rules.py)
runs the tests that reach its line (see mutation_coverage.py: needs
requirements-mutation.txt), never a chapter. What nothing notices is printed as MISSED.
A test that hangs has noticed. Exit code 1 if fewer than are wanted are caught. pytest
does not collect this file: it is run on demand, and its last result stands in
CONTRIBUTING.md.
"""

import argparse
import contextlib
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import mutation_rules
from mutation_worker import Worker

ROOT = Path(__file__).resolve().parents[2]
WANTED, WANTED_BY_RULE = 0.9, 0.85  # share of faults to be caught
LOOKS = ("plotting", "evolution/figures.py")  # sizes and colours: looked at, not tested


class Fault(NamedTuple):
    module: str  # below patchconvnet/, without .py
    right: str  # as it stands there, once
    wrong: str
    tests: str  # test files, without test_ and .py
    chapter: str


LAYERS, POOLING = "layers model", "06_attention_pooling"
FAULTS = [
    # === the network ===
    Fault(
        "stem",
        "                    1, data_format=",
        "                    ((0, 1), (0, 1)), data_format=",
        LAYERS + " official",
        "03_stem",
    ),
    Fault(
        "stem",
        "if not last or self.final_activation:",
        "if self.final_activation:",
        LAYERS + " official",
        "03_stem",
    ),
    Fault("stem", "gelu, dtype", "relu, dtype", LAYERS, "03_stem"),
    Fault("stem", "-(-height // stride)", "height // stride", LAYERS, "03_stem"),
    Fault("squeeze_excite", "axis=(1, 2)", "axis=(1, 3)", LAYERS, "05_squeeze_excite"),
    Fault(
        "squeeze_excite",
        'activation="sigmoid"',
        'activation="relu"',
        LAYERS,
        "05_squeeze_excite",
    ),
    Fault(
        "squeeze_excite",
        "return x * self.gate(x)",
        "return x + self.gate(x)",
        LAYERS,
        "05_squeeze_excite",
    ),
    Fault("trunk", "return x + self.skip(", "return self.skip(", LAYERS, "04_trunk"),
    Fault(
        "trunk",
        "block = self.blocks[0] if self.tied",
        "block = self.blocks[0] if True",
        LAYERS,
        "04_trunk",
    ),
    Fault(
        "trunk",
        "distinct = 1 if tied else depth",
        "distinct = depth",
        LAYERS,
        "04_trunk",
    ),
    Fault("trunk", "epsilon=1e-6", "epsilon=1e-3", LAYERS + " official", "04_trunk"),
    Fault(
        "trunk",
        "x = gelu(self.look_around(x))",
        "x = self.look_around(x)",
        LAYERS,
        "04_trunk",
    ),
    Fault("trunk", "else x * self.scale", "else x", LAYERS, "04_trunk"),
    Fault(
        "trunk", "noise_shape=(None, 1, 1, 1)", "noise_shape=None", LAYERS, "04_trunk"
    ),
    Fault(
        "attention_pooling",
        "keys.shape[-1] ** -0.5",
        "keys.shape[-1] ** -1",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "weights = weights[..., 1:]",
        "weights = weights[..., :-1]",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "normalized[:, : self.tokens]",
        "normalized[:, -self.tokens :]",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "source = normalized  #",
        "source = normalized[:, 1:]  #",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "softmax(ops.cast(scores",
        "sigmoid(ops.cast(scores",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "(-1, self.tokens, height, width)",
        "(-1, self.tokens, width, height)",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "return ops.sum(tokens * self.kernel",
        "return ops.mean(tokens * self.kernel",
        LAYERS,
        POOLING,
    ),
    Fault(
        "attention_pooling",
        "token + _scaled(update, self.scale_mlp)",
        "_scaled(update, self.scale_mlp)",
        LAYERS,
        POOLING,
    ),
    Fault(
        "model/network",
        "patches = trunk(stem(",
        "patches = (stem(",
        "model",
        "07_model",
    ),
    Fault(
        "model/network",
        "return tokens[:, 0] if",
        "return tokens[:, -1] * 2 if",
        "model scores records",
        "07_model",
    ),
    Fault(
        "model/presets",
        '"se_ratio": None,',
        '"se_ratio": 8,',
        "model records",
        "07_model",
    ),
    Fault("preprocessing", "offset=-1", "offset=0", "preprocessing model", "02_data"),
    Fault(
        "preprocessing",
        "antialias=shrinks",
        "antialias=False",
        "preprocessing",
        "02_data",
    ),
    Fault(
        "preprocessing",
        "(count, 1), -self.shift",
        "(1, 1), -self.shift",
        "preprocessing",
        "02_data",
    ),
    Fault(
        "preprocessing",
        "ops.where(mirrored, (width - 1)",
        "ops.where(mirrored, width",
        "preprocessing",
        "02_data",
    ),
    # === its training ===
    Fault("schedule", "(step + 1) / max(", "step / max(", "schedule", "08_schedule"),
    Fault(
        "schedule",
        "share = step + 1 - self",
        "share = step - self",
        "schedule",
        "08_schedule",
    ),
    Fault(
        "schedule",
        '"bias", "gamma"',
        '"gamma"',
        "schedule training_parts",
        "08_schedule",
    ),
    Fault(
        "training/callbacks",
        "self.order[index * self.batch_size :",
        "self.order[index * self.batch_size + 1 :",
        "training_parts",
        "09_training",
    ),
    Fault(
        "training/callbacks",
        "default_rng((self.seed, epoch))",
        "default_rng((self.seed, 0))",
        "training_parts training",
        "09_training",
    ),
    Fault(
        "training/callbacks",
        "self._probe(epoch + 1)",
        "self._probe(epoch)",
        "training training_parts",
        "09_training",
    ),
    Fault("training/scores", "(rank < 5)", "(rank <= 5)", "scores", "09_training"),
    Fault(
        "training/running",
        'int(recipe["warmup"] * steps)',
        "0",
        "training training_parts",
        "09_training",
    ),
    # === the data, the maps and their measures ===
    Fault(
        "data/shapes",
        "coverage >= 0.5\n",
        "(coverage >= 0.5).swapaxes(1, 2)\n",
        "shapes",
        "02_data",
    ),
    Fault(
        "faithfulness/localization",
        '"Hh,nhw,Ww->nHW", rows, masks',
        '"Hh,nwh,Ww->nHW", rows, masks',
        "faithfulness",
        "12_faithfulness",
    ),
    Fault(
        "faithfulness/localization",
        "greatest] >= threshold",
        "greatest] > threshold",
        "faithfulness",
        "12_faithfulness",
    ),
    Fault(
        "faithfulness/localization",
        "np.log2(",
        "np.log(",
        "faithfulness",
        "12_faithfulness",
    ),
    Fault(
        "faithfulness/activation",
        '"nhwd,dc->nchw"',
        '"nhwd,dc->ncwh"',
        "faithfulness",
        "12_faithfulness",
    ),
    Fault(
        "faithfulness/perturbation",
        "(ranks < count) == inserting",
        "(ranks <= count) == inserting",
        "faithfulness",
        "12_faithfulness",
    ),
]


def plant(fault, copy):
    """Put the fault into the copy; an error if the line that it changes is no longer
    there once.
    """
    path = copy / "patchconvnet" / f"{fault.module}.py"
    text = path.read_text(encoding="utf-8")
    if text.count(fault.right) != 1:
        raise SystemExit(
            f"{path.name} has {text.count(fault.right)} times {fault.right!r}, not"
            " once: mend this list"
        )
    path.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")


@contextlib.contextmanager
def copied():
    """A copy of the course, for as long as this lasts."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "course"
        shutil.copytree(
            ROOT,
            copy,
            ignore=shutil.ignore_patterns(
                ".*", "_build", "__pycache__", "runs", "*.egg-info"
            ),
        )
        yield copy


def turns_red(copy, *arguments):
    """Whether pytest fails in the copy. The package comes from there, in kernels and
    other processes too.
    """
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        *arguments,
    ]
    code = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True
    ).returncode
    if code not in (0, 1, 2):  # 2: the fault shows when the tests are read
        raise SystemExit(
            f"pytest could not run (exit code {code}): {' '.join(arguments)}"
        )
    return code != 0


def report(number, where, words, by):
    print(
        f"{number:3} {where}: {words}: {f'caught by {by}' if by else 'MISSED'}",
        flush=True,
    )
    return bool(by)


# === by hand ===


def found(name):
    """Where in the tests test_NAME.py lies."""
    (path,) = ROOT.glob(f"tests/**/test_{name}.py")
    return path.relative_to(ROOT).as_posix()


def caught_by(fault, copy):
    """What notices the fault: "tests", its chapter's name, or "" for nothing."""
    if turns_red(copy, *(found(name) for name in fault.tests.split())):
        return "tests"
    chapter = f"chapters/{fault.chapter}.ipynb"
    return (
        fault.chapter
        if turns_red(copy, "--nbval", "--nbval-current-env", chapter)
        else ""
    )


def by_hand(modules):
    """How many faults of the list are caught, and how many there are."""
    chosen = [fault for fault in FAULTS if not modules or fault.module in modules]
    if not chosen:
        known = sorted({fault.module for fault in FAULTS})
        raise SystemExit(
            f"no faults for {' '.join(modules)}: there are some for {', '.join(known)}"
        )
    caught = 0
    for number, fault in enumerate(chosen, 1):
        with copied() as copy:
            plant(fault, copy)
            caught += report(
                number, fault.module, repr(fault.wrong.strip()), caught_by(fault, copy)
            )
    return caught, len(chosen)


# === by rule ===


def draw(paths, mutants_of, count, seed):
    """So many mutants, of each rule as many: pairs of a path and a mutant."""
    by_rule = defaultdict(list)
    for path in paths:
        for mutant in mutants_of(path):
            by_rule[mutant.rule].append((path, mutant))
    dice = random.Random(seed)
    columns = [
        dice.sample(by_rule[rule], min(count, len(by_rule[rule])))
        for rule in sorted(by_rule)
    ]
    turns = [
        pair
        for turn in range(count)
        for column in columns
        for pair in column[turn : turn + 1]
    ]
    return sorted(turns[:count], key=lambda pair: (pair[0], pair[1].start))


def run_mutants(chosen, tests_of, jobs):
    """Plant each mutant in turn and run the tests for it, several at once: how many are
    caught.
    """
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(jobs) as pool:
        workers = queue.Queue()
        for _ in range(jobs):
            copy = stack.enter_context(copied())
            workers.put((copy, stack.enter_context(contextlib.closing(Worker(copy)))))

        def run(numbered):
            number, (path, mutant) = numbered
            text = (ROOT / path).read_text(encoding="utf-8")
            line, before, after = mutant.shown(text)
            tests, seconds = tests_of(path, text, mutant)
            copy, worker = workers.get()
            try:
                (copy / path).write_text(mutant.planted(text), encoding="utf-8")
                by = (
                    "tests"
                    if tests and worker.turns_red(tests, patience=60 + 4 * seconds)
                    else ""
                )
            finally:
                (copy / path).write_text(text, encoding="utf-8")
                workers.put((copy, worker))
            return report(
                number, f"{path}:{line} ({mutant.rule})", f"{before}  ->  {after}", by
            )

        return sum(pool.map(run, chosen))


def in_python(count, seed, modules):
    from mutation_coverage import Plan

    paths = sorted(
        path.relative_to(ROOT).as_posix() for path in ROOT.glob("patchconvnet/**/*.py")
    )
    paths = [
        path
        for path in paths
        if not modules or any(f"patchconvnet/{module}" in path for module in modules)
    ]

    def mutants_of(path):
        text = (ROOT / path).read_text(encoding="utf-8")
        return mutation_rules.of_python(
            text,
            numbers=not path.startswith(
                tuple(f"patchconvnet/{part}" for part in LOOKS)
            ),
        )

    with copied() as copy:
        plan = Plan(copy)

    def tests_of(path, text, mutant):
        return plan.tests(
            path.removeprefix("patchconvnet/").removesuffix(".py"),
            mutation_rules.statement(text, mutant.start),
        )

    return draw(paths, mutants_of, count, seed), tests_of


def in_javascript(count, seed, modules):
    paths = sorted(
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("site_extra/try_it/*.js")
    )
    paths = [
        path
        for path in paths
        if not modules or any(f"try_it/{module}" in path for module in modules)
    ]
    tests = [f"tests/book/test_try_it_{part}.py" for part in ("network", "page")]

    def tests_of(path, text, mutant):
        return (tests if "network" in path else tests[::-1]), 60

    return (
        draw(
            paths,
            lambda path: mutation_rules.of_javascript(
                (ROOT / path).read_text(encoding="utf-8")
            ),
            count,
            seed,
        ),
        tests_of,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", help="these modules alone")
    parser.add_argument(
        "--sample",
        type=int,
        nargs="?",
        const=100,
        help="so many faults made by rule (100)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the sample (1)")
    parser.add_argument(
        "--javascript",
        action="store_true",
        help="in the scripts of the page, ten if --sample is not given",
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (2)")
    parser.add_argument(
        "--only", type=int, nargs="+", help="of the sample only these numbers"
    )
    options = parser.parse_args()
    if not (options.sample or options.javascript):
        (caught, count), wanted = by_hand(options.modules), WANTED
    else:
        lane = in_javascript if options.javascript else in_python
        chosen, tests_of = lane(options.sample or 10, options.seed, options.modules)
        chosen = [
            pair
            for pair in enumerate(chosen, 1)
            if not options.only or pair[0] in options.only
        ]
        if not chosen:
            raise SystemExit(
                f"no faults by rule for {' '.join(options.modules) or options.only}"
            )
        caught, count, wanted = (
            run_mutants(chosen, tests_of, options.jobs),
            len(chosen),
            WANTED_BY_RULE,
        )
    print(f"caught {caught} of {count}, {caught / count:.0%}")
    return 0 if caught >= wanted * count else 1


if __name__ == "__main__":
    sys.exit(main())
