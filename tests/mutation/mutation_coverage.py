"""Which tests run which lines of the package, and how long each takes: measured once,
so that a fault runs few tests.

    plan = Plan(copy)                      measures the test files not measured yet
    plan.tests("training", range(40, 42))  the tests that run these lines, their seconds

What a fixture runs that several tests share, counts for all tests of its file; what
runs in another process, for the test that started it. As a pytest plugin (`-p
mutation_coverage`) this file tells coverage which test is running.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

# Of the book, its pages, the class and the repository, about no code of the package; of
# other backends, precisions and processes, slow.
LEFT_OUT = set(
    """accessibility backends benchmark book browser bundle classroom classroom_trial
    claims full_run_cell mixed_precision notebooks repository serialization
    try_it_engines try_it_files try_it_measures try_it_network try_it_page try_it_pets
    try_it_photographs try_it_pixels try_it_use""".split()
)
LONGEST = 120  # seconds of tests for one fault, as measured
SETTINGS = (
    "[run]\nsource = patchconvnet\nrelative_files = true\nparallel = true\npatch ="
    " subprocess\ncontext = ${PYTEST_CURRENT_TEST-}\n"
)
TEST = re.compile(r"tests/((?:\w+/)?test_\w+\.py)(?:::(\w+))?")


class Plan:
    """What to run for a fault in a copy of the course that is without faults yet."""

    def __init__(self, copy):
        self.copy = copy
        names = sorted(
            path.relative_to(copy / "tests").as_posix()
            for path in (copy / "tests").rglob("test_*.py")
        )
        names = [
            name
            for name in names
            if Path(name).stem.removeprefix("test_") not in LEFT_OUT
        ]
        with ThreadPoolExecutor(2) as two_at_once:
            measures = dict(zip(names, two_at_once.map(self._measure, names)))
        self.seconds = {name: measure["seconds"] for name, measure in measures.items()}
        # module, line: pairs of a file, and a test or ""
        self.runs = defaultdict(lambda: defaultdict(set))
        for name, measure in measures.items():
            for module, lines in measure["lines"].items():
                for line, tests in lines.items():
                    self.runs[module][int(line)] |= {(name, test) for test in tests}

    def tests(self, module, lines):
        """Names for pytest, the quickest first, as many as fit into the seconds that a
        fault may take; and these seconds.
        """
        found = set().union(*(self.runs[module][line] for line in lines))
        chosen = {}
        for name, test in found:
            known = self.seconds[name]
            chosen |= {
                (name, each): known[each]
                for each in (known if test == "shared" else {test} & known.keys())
            }
        total, files = 0, defaultdict(list)
        for name, test in sorted(chosen, key=chosen.get):
            total += chosen[name, test]
            if total > LONGEST and files:
                break
            files[name].append(test)
        cost = lambda name: sum(chosen[name, test] for test in files[name])
        return [
            f"tests/{name}::{test}"
            for name in sorted(files, key=cost)
            for test in files[name]
        ], total

    def _measure(self, name):
        """The seconds of each test in a file, and of each line the tests that run it:
        kept in a temporary folder.
        """
        sources = [
            path
            for part in ("patchconvnet", "tests")
            for path in sorted((self.copy / part).rglob("*.py"))
        ]
        helpers = [
            path
            for path in sources
            if "mutation" not in path.parts and not path.name.startswith("test_")
        ]
        sources = [*helpers, self.copy / "tests" / name]
        content = b"".join(path.name.encode() + path.read_bytes() for path in sources)
        kept = (
            Path(tempfile.gettempdir())
            / "patchconvnet_mutation"
            / f"{Path(name).stem}-{hashlib.sha256(content).hexdigest()[:16]}.json"
        )
        if not kept.is_file():
            kept.parent.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory() as folder:
                measure = json.dumps(self._run(name, Path(folder)))
            kept.write_text(measure, encoding="utf-8")
        return json.loads(kept.read_text(encoding="utf-8"))

    def _run(self, name, folder):
        import coverage

        (folder / "settings").write_text(SETTINGS)
        data, seconds = folder / "data", folder / "seconds.json"
        environment = os.environ | {
            "PYTHONPATH": f"{self.copy}{os.pathsep}{Path(__file__).parent}",
            "COVERAGE_FILE": str(data),
            "MUTATION_SECONDS": str(seconds),
        }
        command = [
            sys.executable,
            "-m",
            "coverage",
            "run",
            f"--rcfile={folder / 'settings'}",
            "-m",
            "pytest",
            "-q",
            "-o",
            "addopts=",
        ]
        command += [
            "-p",
            "no:cacheprovider",
            "-p",
            "mutation_coverage",
            f"tests/{name}",
        ]
        done = subprocess.run(
            command, cwd=self.copy, env=environment, capture_output=True, text=True
        )
        if done.returncode not in (0, 5):
            raise SystemExit(
                f"tests/{name} fails without any fault: mend it"
                f" first\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        whole = coverage.Coverage(data_file=data, config_file=folder / "settings")
        whole.combine([str(folder)])
        found = whole.get_data()
        lines = defaultdict(lambda: defaultdict(list))
        for path in found.measured_files():
            module = (
                path.replace("\\", "/")
                .rpartition("patchconvnet/")[2]
                .removesuffix(".py")
            )
            for line, contexts in found.contexts_by_lineno(path).items():
                lines[module][line] += {
                    match[2] or "shared"
                    for context in contexts
                    for match in TEST.finditer(context)
                }
        return {"seconds": json.loads(seconds.read_text()), "lines": lines}


# === the plugin ===

seconds = defaultdict(float)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    _switch(item.nodeid)
    try:
        return (yield)
    finally:
        _switch("")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    test = os.environ["PYTEST_CURRENT_TEST"]
    _switch(test if fixturedef.scope == "function" else test.partition("::")[0])
    try:
        return (yield)
    finally:
        _switch(test)


def pytest_runtest_logreport(report):
    seconds[report.nodeid.partition("::")[2].partition("[")[0]] += report.duration


def pytest_sessionfinish():
    Path(os.environ["MUTATION_SECONDS"]).write_text(json.dumps(seconds))


def _switch(test):
    import coverage

    if current := coverage.Coverage.current():
        current.switch_context(test)
