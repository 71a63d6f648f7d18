"""doctor: what it finds on a good machine and on bad ones, what it says to do, and how it ends."""

import csv
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import numpy as np
import pytest

from patchconvnet import PatchConvNetError, doctor
from patchconvnet.__main__ import main
from patchconvnet.doctor import MEND, OK, REMARK, Check

ROOT = Path(__file__).resolve().parent.parent
PLAN = '[[session]]\ntitle = "One"\n[[session.part]]\nchapter = "02_data"\nminutes = 5\n[[session.part]]\ntitle = "Break"\nminutes = 5\n'


@pytest.fixture(scope="module")
def healthy():
    """A real examination of this machine, with the real training steps."""
    return doctor.examine()


def test_this_machine_is_ready(healthy):
    checks, step = healthy
    assert [check.name for check in checks] == ["Python", "packages", "Keras", "memory", "disk", "Shapes", "CIFAR-10", "records", "training"]
    assert not [check for check in checks if check.state == MEND] and 0 < step < 20
    assert "the network answers as recorded" in checks[7].found


@pytest.fixture
def quick(monkeypatch):
    """No real examination: one remark, and a step of twice the reference's time."""
    checks = [Check("Python", OK, "3.11.7"), Check("memory", REMARK, "1.0 GB free", "close other programs")]
    given = []
    monkeypatch.setattr(doctor, "examine", lambda dataset=None: given.append(dataset) or (checks, 2 * doctor.REFERENCE_STEP))
    return given


def test_a_remark_stops_a_class_only(quick, capsys):
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("ready")
    assert main(["doctor", "--class"]) == 1
    out = capsys.readouterr().out
    assert "-> close other programs" in out and "not ready" in out
    assert "34 s  From pixels to patches" in out and "9 min  Train it" in out


def test_what_must_be_mended_stops_everybody(quick, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda dataset: ([Check("Keras", MEND, "does not start", "pip install tensorflow")], None))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "-> pip install tensorflow" in out and "run in about" not in out  # no step, no estimate


def test_a_plan_chooses_chapters_and_pictures(quick, tmp_path, capsys):
    plan = tmp_path / "plan.toml"
    plan.write_text(f'dataset = "photos"\n{PLAN}')
    main(["doctor", "--class", "--plan", str(plan)])
    out = capsys.readouterr().out
    assert "02_data" in out and "01_overview" not in out and "run in about 60 s" in out
    assert quick == [str(tmp_path / "photos")]


@pytest.mark.parametrize("text", ["no toml at all", "[[session]]\n", PLAN.replace("02_data", "99_none")])
def test_a_wrong_plan_is_one_line(quick, tmp_path, capsys, text):
    (tmp_path / "plan.toml").write_text(text)
    assert main(["doctor", "--plan", str(tmp_path / "plan.toml")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_json_for_a_list_of_laptops(quick, tmp_path, capsys):
    assert main(["doctor", "--json", "-", "--name", "laptop 7"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["name"] == "laptop 7" and report["ready"] is True and len(report["chapters"]) == len(list(doctor.chapters(1.0)))
    assert report["checks"][1] == {"name": "memory", "state": "remark", "found": "1.0 GB free", "advice": "close other programs"}
    assert main(["doctor", "--class", "--json", str(tmp_path / "report.json")]) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert "name" not in report and report["ready"] is False


def test_nothing_of_the_person_is_in_the_report(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "anna"))
    text = doctor._one_line(FileNotFoundError(f"{tmp_path / 'anna'}/photos is not there"))
    assert "~/photos" in text and "anna" not in text


def test_a_check_that_breaks_is_a_finding(monkeypatch):
    def broken():
        raise RuntimeError("a library\nfell over")

    for name in ("_shapes", "_records", "_backend", "_memory"):
        monkeypatch.setattr(doctor, name, broken)
    monkeypatch.setattr(doctor, "_training", lambda step: broken())
    checks, step = doctor.examine()
    found = {check.name: check for check in checks}
    assert step is None and found["training"].found == "RuntimeError: a library fell over"
    assert all(found[name].state == MEND and found[name].advice for name in ("Shapes", "records", "Keras", "memory", "training"))


def test_old_and_missing_packages(monkeypatch):
    versions = {"keras": "3.7.0", "numpy": "2.1.3", "matplotlib": "3.10.0"}

    def version(name):
        if name not in versions:
            raise doctor.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(doctor, "version", version)
    check = doctor._packages()
    assert check.state == MEND and check.advice == 'pip install "keras>=3.8" "pillow>=10"'


@pytest.mark.parametrize(("version", "state"), [((3, 10), MEND), ((3, 11), OK), ((3, 13), OK), ((3, 14), REMARK)])
def test_python_versions(monkeypatch, version, state):
    monkeypatch.setattr(doctor.sys, "version_info", version)
    assert doctor._python().state == state


def test_little_disk_and_no_place_to_write(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 1e8}))
    assert doctor._disk().state == REMARK and "0.5 GB are needed" in doctor._disk().advice

    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert "a folder of your own" in doctor._disk().advice


def test_changed_data_and_records_are_noticed(monkeypatch):
    from patchconvnet import records

    monkeypatch.setattr(doctor, "SHAPES", "another")
    assert doctor._shapes().state == MEND
    read = records.read_arrays
    monkeypatch.setattr(records, "read_arrays", lambda path: {**read(path), **({"logits": 0 * read(path)["logits"]} if path.name == "attention.npz" else {})})
    assert doctor._records().state == MEND


def test_own_pictures_are_loaded(tmp_path):
    np.savez(tmp_path / "own.npz", images=np.random.default_rng(0).integers(256, size=(8, 8, 8, 3), dtype=np.uint8), labels=np.arange(8) % 2)
    assert doctor._own(tmp_path / "own.npz").found == "own: 8 in 2 classes, no masks"
    assert doctor._own(tmp_path / "nothing.npz").state == MEND


def test_without_keras_there_is_still_a_report(tmp_path):
    """As a newcomer's machine: Keras cannot be imported, the network is cut."""
    (tmp_path / "keras.py").write_text("raise ImportError('no keras here')\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "patchconvnet", "doctor", "--class"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 1 and "Traceback" not in result.stderr + result.stdout, result.stderr
    assert "MEND Keras" in result.stdout and "-> pip install tensorflow" in result.stdout


def test_chapters_and_titles_are_those_of_the_notebooks():
    with open(ROOT / "patchconvnet" / "chapters.csv", encoding="utf-8", newline="") as file:
        listed = {row["chapter"]: row["title"] for row in csv.DictReader(file)}
    notebooks = {path.stem: nbformat.read(path, 4).cells[0].source.splitlines()[0].removeprefix("# ") for path in (ROOT / "chapters").glob("*.ipynb")}
    assert listed == notebooks


def test_versions_are_those_that_the_package_asks_for():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert sorted(f"{name}>={lowest}" for name, lowest in doctor.LOWEST.items()) == sorted(wanted)


def test_an_unknown_chapter_is_named():
    with pytest.raises(PatchConvNetError, match="the plan has a chapter 99_none"):
        doctor.chapters(1.0, ["99_none"])
