"""doctor: what it finds on good and bad machines, what it says to do, how it ends."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from patchconvnet.__main__ import main
from patchconvnet.course import doctor
from patchconvnet.course.doctor import MEND, OK, REMARK, Check

ROOT = Path(__file__).resolve().parents[2]
# of the checks, but for own pictures and the training
NAMES = [
    "Python",
    "packages",
    "Keras",
    "memory",
    "disk",
    "JupyterLab",
    "kernel",
    "Shapes",
    "CIFAR-10",
    "records",
]
PLAN = (
    '[[session]]\ntitle = "One"\n[[session.part]]\nchapter = "02_data"\nminutes ='
    ' 5\n[[session.part]]\ntitle = "Break"\nminutes = 5\n'
)


@pytest.fixture(scope="module")
def healthy():
    """A real examination of this machine, with the real training steps."""
    return doctor.examine()


@pytest.mark.long
def test_this_machine_is_ready(healthy):
    checks, step = healthy
    assert [check.name for check in checks] == [*NAMES, "training"]
    assert not [check for check in checks if check.state == MEND] and 0 < step < 20
    assert "the network answers as recorded" in checks[9].found


@pytest.fixture
def quick(monkeypatch):
    """No real examination: one remark, and a step of twice the reference's time."""
    checks = [
        Check("Python", OK, "3.11.7"),
        Check("memory", REMARK, "1.0 GB free", "close other programs"),
    ]
    given = []
    monkeypatch.setattr(
        doctor,
        "examine",
        lambda dataset=None: (
            given.append(dataset) or (checks, 2 * doctor.REFERENCE_STEP)
        ),
    )
    return given


def test_a_remark_stops_a_class_only(quick, capsys):
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("ready")
    assert main(["doctor", "--class"]) == 1
    out = capsys.readouterr().out
    assert "-> close other programs" in out and "not ready" in out
    assert "34 s  From pixels to patches" in out and "4 min  Train it" in out


def test_what_must_be_mended_stops_everybody(quick, monkeypatch, capsys):
    monkeypatch.setattr(
        doctor,
        "examine",
        lambda dataset: (
            [Check("Keras", MEND, "does not start", "pip install tensorflow")],
            None,
        ),
    )
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    # no step, no estimate
    assert "-> pip install tensorflow" in out and "run in about" not in out


def test_a_plan_chooses_chapters_and_pictures(quick, tmp_path, capsys):
    plan = tmp_path / "plan.toml"
    plan.write_text(f'dataset = "photos"\n{PLAN}')
    main(["doctor", "--class", "--plan", str(plan)])
    out = capsys.readouterr().out
    assert "02_data" in out and "01_overview" not in out and "run in about 60 s" in out
    assert quick == [str(tmp_path / "photos")]


@pytest.fixture
def refused(monkeypatch, capsys):
    """Runs the command, which must be refused at once, and gives what it says: one
    line, and below it, indented, what is accepted.
    """
    monkeypatch.setattr(
        doctor, "examine", lambda dataset=None: pytest.fail("the machine was examined")
    )

    def call(*arguments):
        assert main(["doctor", *map(str, arguments)]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("error: "), err
        assert all(line.startswith("  ") for line in err.splitlines()[1:]), err
        return err

    return call


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no toml at all", "cannot be read as a plan"),
        ("[[session]]\n", "needs at least one [[part]]"),
        ("[session]\ntitle = 1\n", "wanted [[session]] tables"),
        ("session = [1, 2]\n", "wanted [[session]] tables"),
        ("session = []\n", "needs at least one [[session]]"),
        ("[[session]]\npart = 5\n", "part = 5 in session 1: wanted [[part]] tables"),
        (
            PLAN.replace("02_data", "99_none"),
            "99_none, which the course does not have: accepted are those below",
        ),
        (
            PLAN.replace("02_data", "05_trunk"),
            (
                "a chapter 05_trunk, which is 04_trunk since version 0.2: chapters 04"
                " and 05 changed places"
            ),
        ),
        (
            PLAN.replace('"02_data"', "2"),
            "chapter = 2 in session 1, part 1: wanted str",
        ),
        (PLAN.replace('"02_data"', '["02_data"]'), "wanted str"),
        (
            PLAN.replace("minutes = 5", "minutes = -5", 1),
            "minutes = -5 in session 1, part 1: wanted at least 1",
        ),
        (PLAN.replace("minutes = 5", "minutes = true", 1), "minutes = True"),
        (PLAN.replace("minutes = 5", f"minutes = {10**12}", 1), "at most 1440"),
        (
            PLAN.replace("minutes = 5", f"minutes = 1{'0' * 5000}", 1),
            "cannot be read as a plan",
        ),
        (f"dataset = 7\n{PLAN}", "dataset = 7 in plan.toml: wanted str"),
        (f'dataset = ""\n{PLAN}', "dataset = '' in plan.toml: wanted some letters"),
        (f'dataset = "a\\u0000b"\n{PLAN}', "is no path here"),
        (f'dataset = "~nobody-has-this-name"\n{PLAN}', "is no path here"),
        (f'dataset = "{"x" * 300}"\n{PLAN}', "cannot be used"),
        (f"{PLAN}exercises = [[1]]\n", "wanted a list of int"),
        (f"title = {'[' * 5000}\n{PLAN}", "cannot be read as a plan"),
        (f"{PLAN}{'# much ' * 50_000}", "is larger than"),
        ("\xff", "cannot be read as a plan"),
        (f"title{'.a' * 50_000} = 1\n{PLAN}", "a line has more than 100 dots"),
        (f"title{'.a' * 100} = 1\n{PLAN}", "title = {'a': {'a': {'a':"),
        (f"{'k' * 100_000} = 1\n{PLAN}", "is not known: accepted are title"),
        (
            f"start = 09:00:00\n{PLAN}",
            "start = datetime.time(9, 0) in plan.toml: wanted str",
        ),
    ],
    ids=lambda text: text[:30].strip(),
)
def test_a_wrong_plan_is_told_before_the_examination(refused, tmp_path, text, said):
    (tmp_path / "plan.toml").write_text(text, encoding="latin-1")
    assert said in refused("--plan", tmp_path / "plan.toml")


def test_a_plan_is_a_file(refused, tmp_path):
    assert "is a folder: give a plan" in refused("--plan", tmp_path)
    assert "is no path" in refused("--plan", "")
    assert "is not there" in refused("--plan", tmp_path / "plan.toml")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.toml")
        assert "is no file that can be read" in refused(
            "--plan", tmp_path / "pipe.toml"
        )


def test_what_else_was_given_is_looked_at_first(refused, tmp_path, monkeypatch):
    (tmp_path / "letter").write_text("dear reader")
    (tmp_path / "loop").symlink_to("loop")
    for name, said in (
        ("", "is no path"),
        (tmp_path, "is a folder"),
        ("x" * 300, "too long"),
        (tmp_path / "loop", "cannot be used"),
        ("~nobody-has-this-name/x", "is no path here"),
        (tmp_path / "letter" / "x", "cannot be written"),
    ):
        assert said in refused("--json", name)
    assert "is no name" in refused("--name", "")
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["doctor", "--json", "-"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter", "loop"]


def test_json_for_a_list_of_laptops(quick, tmp_path, capsys):
    assert main(["doctor", "--json", "-", "--name", "laptop 7"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (
        report["name"] == "laptop 7"
        and report["ready"] is True
        and len(report["chapters"]) == len(list(doctor.chapters(1.0)))
    )
    assert report["checks"][1] == {
        "name": "memory",
        "state": "remark",
        "found": "1.0 GB free",
        "advice": "close other programs",
    }
    assert main(["doctor", "--class", "--json", str(tmp_path / "report.json")]) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert "name" not in report and report["ready"] is False


def test_nothing_of_the_person_is_in_the_report(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "anna"))
    text = doctor._one_line(
        FileNotFoundError(f"{tmp_path / 'anna'}/photos is not there")
    )
    assert "~/photos" in text and "anna" not in text


def test_a_check_that_breaks_is_a_finding(monkeypatch):
    def broken():
        raise RuntimeError("a library\nfell over")

    for name in ("_shapes", "_records", "_backend", "_memory"):
        monkeypatch.setattr(doctor, name, broken)
    monkeypatch.setattr(doctor, "_training", lambda step: broken())
    for name in ("Shapes", "records", "Keras", "memory", "training"):
        check = doctor.look(name)
        assert (check.name, check.state, check.found) == (
            name,
            MEND,
            "RuntimeError: a library fell over",
        ) and check.advice


def test_old_and_missing_packages(monkeypatch):
    versions = {"keras": "3.7.0", "numpy": "2.1.3", "matplotlib": "3.10.0"}

    def version(name):
        if name not in versions:
            raise doctor.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(doctor, "version", version)
    check = doctor._packages()
    assert (
        check.state == MEND and check.advice == 'pip install "keras>=3.8" "pillow>=10"'
    )


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10), MEND), ((3, 11), OK), ((3, 13), OK), ((3, 14), REMARK)],
)
def test_python_versions(monkeypatch, version, state):
    monkeypatch.setattr(doctor.sys, "version_info", version)
    assert doctor._python().state == state


def test_little_disk_and_no_place_to_write(monkeypatch):
    monkeypatch.setattr(
        doctor.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 1e8})
    )
    assert (
        doctor._disk().state == REMARK and "0.5 GB are needed" in doctor._disk().advice
    )

    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert "a folder of your own" in doctor._disk().advice


def test_changed_data_and_records_are_noticed(monkeypatch):
    from patchconvnet import records

    monkeypatch.setattr(doctor, "SHAPES", "another")
    assert doctor._shapes().state == MEND
    read = records.read_arrays
    monkeypatch.setattr(
        records,
        "read_arrays",
        lambda path: {
            **read(path),
            **(
                {"logits": 0 * read(path)["logits"]}
                if path.name == "attention.npz"
                else {}
            ),
        },
    )
    assert doctor._records().state == MEND


def test_own_pictures_are_loaded(tmp_path):
    np.savez(
        tmp_path / "own.npz",
        images=np.random.default_rng(0).integers(
            256, size=(8, 8, 8, 3), dtype=np.uint8
        ),
        labels=np.arange(8) % 2,
    )
    assert doctor._own(tmp_path / "own.npz").found == "own: 8 in 2 classes, no masks"
    assert doctor._own(tmp_path / "nothing.npz").state == MEND
