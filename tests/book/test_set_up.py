"""The page "Set up" quotes what the course says, and a first cell names that page."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from patchconvnet import __main__ as command_line
from patchconvnet import files, load_dataset, records
from patchconvnet.course import doctor
from patchconvnet.data.reading import read_image
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training import running

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "set_up.md").read_text(encoding="utf-8")
# Runs a cell as Jupyter does, where one package is not to be found.
RUN = """
import sys
from IPython.core.interactiveshell import InteractiveShell

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hide())
shell = InteractiveShell.instance(colors="nocolor")
found = shell.run_cell(sys.stdin.read())
sys.exit(not found.success)
"""


def quoted():
    """The messages of the page: for each numbered one, a list of patterns."""
    items = re.findall(r"(?ms)^\d+\. (.+?)(?=^\d+\. |^#|\Z)", PAGE)
    return [re.findall(r"`([^`]+)`", item) for item in items]


def is_quoted(message):
    """Whether the page has the message, or the part of it that does not differ."""
    patterns = [
        ".*".join(map(re.escape, text.split("…")))
        for texts in quoted()
        for text in texts
    ]
    return any(re.fullmatch(pattern, message) for pattern in patterns)


def test_the_page_has_twenty_messages_and_is_short():
    assert len(quoted()) == 20 and all(quoted())
    assert len(PAGE.split()) <= 1100


def refused(call, *arguments):
    with pytest.raises(PatchConvNetError) as refusal:
        call(*arguments)
    return str(refusal.value)


def of_a_run(tmp_path):
    """What is said of folders that hold no run, or another one."""
    yield refused(records.load, "runs/shapes")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "notes.txt").touch()
    yield refused(running.has_finished, folder, {"epochs": 3})
    (folder / "recipe.json").write_text('{"epochs": 11}')
    yield refused(running.has_finished, folder, {"epochs": 3})


def of_a_picture(tmp_path):
    whole = (ROOT / "site_static" / "photographs.jpg").read_bytes()
    path = tmp_path / "picture.jpg"
    path.write_bytes(whole[: len(whole) // 2])
    yield refused(read_image, path)
    path.write_text("no picture")
    yield refused(read_image, path)


def of_a_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "tensorfow")
    yield refused(command_line._check_backend)
    monkeypatch.setenv("PATCHCONVNET_OFFLINE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("PATCHCONVNET_CIFAR10", raising=False)
    yield refused(load_dataset, "cifar10")
    yield files._reason("map.png", OSError(errno.ENOSPC, "No space left on device"))
    yield command_line.NO_MEMORY
    bad = doctor.Check("Python", doctor.MEND, "3.10.13")
    yield doctor.as_table([bad], [], False).splitlines()[-1]


def test_the_course_says_what_the_page_quotes(monkeypatch, tmp_path):
    said = [*of_a_run(tmp_path), *of_a_picture(tmp_path)]
    said += of_a_machine(monkeypatch, tmp_path)
    assert len(said) == 10
    assert not [message for message in said if not is_quoted(message)]
    assert not is_quoted("another message")


def first_cell():
    path = ROOT / "chapters" / "01_overview.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "".join(
        next(cell for cell in cells if cell["cell_type"] == "code")["source"]
    )


def run_first_cell(hidden, tmp_path):
    """What a reader sees of the first cell where the package `hidden` is missing."""
    result = subprocess.run(
        [sys.executable, "-c", RUN, hidden],
        input=first_cell(),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "IPYTHONDIR": str(tmp_path),
            "KERAS_BACKEND": "tensorflow",
        },
    )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("missing", ["patchconvnet", "keras", "tensorflow"])
def test_a_first_cell_without_the_package_says_how_to_install_it(missing, tmp_path):
    code, shown = run_first_cell(missing, tmp_path)
    assert code == 1 and "Traceback" not in shown
    line = next(line for line in shown.splitlines() if line.startswith("SystemExit"))
    assert line == (
        f"SystemExit: No module named {missing!r}: in the course's folder, in a"
        " terminal, run pip install -r requirements.txt (see the page Set up)"
    )
    assert PAGE.startswith("# Set up,")
    assert is_quoted("No module named 'patchconvnet'")


def test_a_first_cell_with_the_package_says_nothing_of_it(tmp_path):
    code, shown = run_first_cell("no_such_package", tmp_path)
    assert code == 0 and "backend   tensorflow" in shown
    assert "install" not in shown and "SystemExit" not in shown
