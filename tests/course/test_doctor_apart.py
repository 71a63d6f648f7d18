"""The doctor's checks in a process of their own, which may die or hang."""

import csv
import json
import os
import signal
import subprocess
import sys
import tomllib

import nbformat
import pytest
from test_doctor import NAMES, ROOT, quick  # noqa: F401

from patchconvnet import PatchConvNetError
from patchconvnet.__main__ import main
from patchconvnet.course import doctor, doctor_apart
from patchconvnet.course.doctor import MEND, OK, REMARK


@pytest.fixture
def doctor_with(tmp_path):
    """Runs `doctor` as a user does, with modules that stand in for installed ones: what
    it printed, and its exit code.
    """

    def call(*arguments, modules, out=subprocess.PIPE, **variables):
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(source)
        environment = {
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "KERAS_BACKEND": "tensorflow",
            **variables,
        }
        environment = {
            name: value for name, value in environment.items() if value is not None
        }
        command = [sys.executable, "-m", "patchconvnet", "doctor", *arguments]
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, stdout=out, stderr=subprocess.PIPE
        )
        assert result.stderr == b"", result.stderr
        return (result.stdout or b"").decode(), result.returncode

    return call


KILL = "import os, signal; os.kill(os.getpid(), signal.{})"


def test_without_keras_there_is_still_a_report(doctor_with):
    """As a newcomer's machine: no Keras, and a terminal that prints ASCII alone."""
    modules = {"keras": "raise ImportError('no keras here')"}
    out, code = doctor_with("--class", modules=modules, PYTHONIOENCODING="ascii")
    assert code == 1 and "MEND Keras" in out and "-> pip install tensorflow" in out


@pytest.mark.long
@pytest.mark.skipif(
    not hasattr(signal, "SIGILL") or os.name == "nt",
    reason="this system has no such signals",
)
@pytest.mark.parametrize(
    ("source", "found", "advice"),
    [
        (
            KILL.format("SIGILL"),
            "the process died of SIGILL",
            (
                "for newer processors: pip install --force-reinstall tensorflow, or set"
                " KERAS_BACKEND to jax or torch"
            ),
        ),
        (
            KILL.format("SIGSEGV"),
            "the process died of SIGSEGV",
            "tensorflow may be damaged: pip install",
        ),
        (KILL.format("SIGKILL"), "the process died of SIGKILL", "close other programs"),
        (
            "import os; print('no AVX here', flush=True); os._exit(0)",
            "the process ended with exit code 0, and said: no AVX here",
            "may be damaged",
        ),
        (
            "import sys; sys.exit('enough')",
            "does not start: SystemExit: enough",
            "pip install tensorflow",
        ),
    ],
)
def test_a_backend_that_kills_its_process(doctor_with, tmp_path, source, found, advice):
    out, code = doctor_with("--json", "report.json", modules={"tensorflow": source})
    checks = {
        check["name"]: check
        for check in json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))[
            "checks"
        ]
    }
    assert list(checks) == [*NAMES, "training"]
    assert (
        checks["Keras"]["state"] == MEND
        and checks["Keras"]["found"] == found
        and advice in checks["Keras"]["advice"]
    )
    assert checks["Shapes"]["state"] == OK  # a new process went on
    assert checks["records"]["state"] == checks["training"]["state"] == MEND
    assert code == 1 and found in out


@pytest.mark.skipif(os.name == "nt", reason="this system has no such signals")
def test_a_numpy_that_kills_every_process(doctor_with):
    out, code = doctor_with(modules={"numpy": KILL.format("SIGSEGV")})
    # Keras, Shapes, CIFAR-10
    assert (
        code == 1
        and out.count("the process died of SIGSEGV") == 3
        and "not ready" in out
    )
    out, code = doctor_with(
        modules={
            "numpy": "raise ModuleNotFoundError('No module named numpy', name='numpy')"
        }
    )
    assert code == 1 and "-> pip install numpy" in out


@pytest.mark.long
def test_a_backend_that_never_ends(tmp_path, monkeypatch):
    (tmp_path / "tensorflow.py").write_text(
        "import time\nwhile True: print('still at it', flush=True)"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(doctor_apart, "PATIENCE", 15.0)
    checks, step = doctor.examine()
    found = {check.name: check for check in checks}
    assert (
        found["Keras"].found == "it did not end within 15 seconds"
        and found["Keras"].state == MEND
    )
    assert found["Shapes"].state == OK and step is None


def test_a_process_that_cannot_be_started(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    checks, _ = doctor.examine()
    found = {check.name: check for check in checks}
    assert (
        "no process can be started" in found["Keras"].found
        and found["Python"].state == OK
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows knows its users in another way")
def test_without_a_home_folder_and_a_name(doctor_with):
    nobody = (
        "import pwd\ndef getpwuid(user): raise KeyError('uid not found')\npwd.getpwuid"
        " = getpwuid"
    )
    out, code = doctor_with(
        modules={
            "sitecustomize": nobody,
            "keras": "from pathlib import Path; Path.home()",
        },
        HOME=None,
    )
    assert code == 1 and "RuntimeError: Could not determine home directory" in out
    assert "-> set the environment variable HOME to a folder of your own" in out


def test_a_home_that_is_the_root_hides_no_slashes(monkeypatch):
    monkeypatch.setenv("HOME", "/")
    assert doctor._one_line(ValueError("no /a/b")) == "ValueError: no /a/b"


@pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="this system has no /dev/full"
)
def test_a_terminal_that_is_gone(doctor_with, tmp_path, monkeypatch, capfd, quick):
    broken = {"keras": "raise ImportError('\N{SNOWMAN}')"}
    closed = os.pipe()
    os.close(closed[0])
    assert doctor_with("--json", "report.json", modules=broken, out=closed[1])[1] == 1
    assert "\N{SNOWMAN}" in (tmp_path / "report.json").read_text(encoding="utf-8")
    assert (
        doctor_with(modules=broken, PYTHONIOENCODING="ascii")[0].count("ImportError: ?")
        >= 1
    )
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["doctor"]) == 2
        monkeypatch.setattr(sys, "stdout", None)
        assert main(["doctor"]) == 0
        monkeypatch.undo()
    assert (
        "error: standard output cannot be written (No space left on device)"
        in capfd.readouterr().err
    )


def test_chapters_and_titles_are_those_of_the_notebooks():
    with open(
        ROOT / "patchconvnet" / "course" / "chapters.csv", encoding="utf-8", newline=""
    ) as file:
        listed = {row["chapter"]: row["title"] for row in csv.DictReader(file)}
    notebooks = {
        path.stem: (
            nbformat.read(path, 4).cells[0].source.splitlines()[0].removeprefix("# ")
        )
        for path in (ROOT / "chapters").glob("*.ipynb")
    }
    assert listed == notebooks


def test_versions_are_those_that_the_package_asks_for():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]["dependencies"]
    assert sorted(
        f"{name}>={lowest}" for name, lowest in doctor.LOWEST.items()
    ) == sorted(wanted)


def test_an_unknown_chapter_is_named():
    with pytest.raises(PatchConvNetError, match="the plan has a chapter 99_none"):
        doctor.chapters(1.0, ["99_none"])


def test_where_nothing_can_be_written_it_is_a_remark_that_says_why(monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    check = doctor._disk()
    assert (
        (check.name, check.state) == ("disk", REMARK)
        and "Permission denied" in check.found
        and "your own" in check.advice
    )


def test_a_training_that_does_not_train_must_be_mended(monkeypatch):
    import keras

    # and no weight moves
    monkeypatch.setattr(
        keras.Model, "train_on_batch", lambda self, images, labels: [2.0]
    )
    steps = []
    check = doctor._training(steps)
    assert (check.name, check.state, check.found) == (
        "training",
        MEND,
        "loss 2.0, weights did not move",
    ) and steps == []
    monkeypatch.setattr(
        keras.Model, "train_on_batch", lambda self, images, labels: [float("nan")]
    )
    assert (
        doctor._training(steps).found == "loss nan, weights did not move"
        and steps == []
    )


def test_own_pictures_that_cannot_be_used_are_named_and_the_chapter_helps(tmp_path):
    found = doctor.look("own pictures", str(tmp_path / "gone"))
    assert (
        found.state == MEND
        and "gone is not there" in found.found
        and "chapter 15" in found.advice
    )
