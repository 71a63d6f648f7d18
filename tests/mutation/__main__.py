"""Do the tests notice? Plant faults one at a time, and see whether anything turns red.

    python tests/mutation                        43 chosen by hand; half an hour
    python tests/mutation trunk schedule         those of these modules
    python tests/mutation --sample 100 --seed 1  made by rule, drawn from thousands
    python tests/mutation --javascript           made by rule in the page's scripts

A fault by hand (see mutation_faults.py) runs the quick tests of its module, where those
stay green the longer ones, and where those do, too, the chapter that teaches the
module, under nbval. A fault by rule (see mutation_rules.py)
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

import mutation_rules
from mutation_faults import FAULTS
from mutation_worker import OPTIONS, Worker

ROOT = Path(__file__).resolve().parents[2]
WANTED, WANTED_BY_RULE = 0.9, 0.85  # share of faults to be caught
LOOKS = ("plotting", "evolution/figures.py")  # sizes and colours: looked at, not tested


def plant(fault, copy):
    """Put the fault into the copy; an error unless its line is there exactly once."""
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
    """Whether pytest fails in the copy, whose package all its processes find."""
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *OPTIONS, *arguments]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True)
    code = done.returncode
    # 2: the fault shows when the tests are read. 5: none of them is of this lane.
    if code not in (0, 1, 2, 5):
        raise SystemExit(
            f"pytest could not run (exit code {code}): {' '.join(arguments)}"
        )
    return code in (1, 2)


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
    """What notices the fault: "quick", "tests", its chapter's name, or "": nothing."""
    tests = [found(name) for name in fault.tests.split()]
    for lane, chosen in (("quick", "quick"), ("tests", "not quick and not slow")):
        if turns_red(copy, "-m", chosen, *tests):
            return lane
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
    by = []
    for number, fault in enumerate(chosen, 1):
        with copied() as copy:
            plant(fault, copy)
            by.append(caught_by(fault, copy))
        report(number, fault.module, repr(fault.wrong.strip()), by[-1])
    quick = by.count("quick")
    print(f"the quick lane alone: {quick} of {len(chosen)}, {quick / len(chosen):.0%}")
    return sum(map(bool, by)), len(chosen)


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
    """Plant each mutant in turn, several at once, and test: how many are caught."""
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
    tests = [
        f"tests/book/test_try_it_{part}.py"
        for part in (
            *("network", "files", "page", "measures", "use"),
            *("pets", "photographs", "pixels"),
        )
    ]

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
