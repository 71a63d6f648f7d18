"""The doctor's lines for JupyterLab and for the kernel that it starts."""

import json
import os
import sys

import pytest
from test_doctor_apart import doctor_with  # noqa: F401

from patchconvnet.course import doctor, doctor_apart
from patchconvnet.course.doctor import MEND, OK

KERNEL = "from ipykernel.kernelapp import launch_new_instance as go; go()"


@pytest.fixture
def kernel_of(tmp_path, monkeypatch):
    """What the doctor finds where another kernel is installed."""

    def look(python, code):
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True)
        argv = [python, "-c", code, "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "Python", "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        return doctor.look("kernel")

    return look


@pytest.mark.long
@pytest.mark.parametrize(
    ("code", "state"),
    [(KERNEL, OK), (f"import sys; sys.prefix = '/elsewhere'; {KERNEL}", MEND)],
)
def test_the_kernel_must_be_of_this_python(kernel_of, code, state):
    check = kernel_of(sys.executable, code)
    assert (check.name, check.state) == ("kernel", state)
    assert ("another Python" in check.found) == (state == MEND)
    assert ("python -m ipykernel install --" in check.advice) == (state == MEND)


@pytest.mark.long
@pytest.mark.parametrize("python", ["/nowhere/python", sys.executable])
def test_a_kernel_that_does_not_start(kernel_of, python):
    """Its Python was removed; or it has no ipykernel."""
    check = kernel_of(python, "import a_kernel_that_is_gone")
    assert check.state == MEND and "Error: " in check.found
    assert check.advice.startswith("pip install ipykernel, then python -m ipykernel")


@pytest.mark.long
def test_without_jupyterlab_nobody_is_ready(doctor_with, tmp_path):  # noqa: F811
    broken = {"keras": "raise ImportError", "jupyterlab": "raise ImportError('gone')"}
    out, code = doctor_with("--json", "report.json", modules=broken)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    found = {check["name"]: check for check in report["checks"]}
    assert found["JupyterLab"]["state"] == MEND and found["kernel"]["state"] == OK
    assert found["JupyterLab"]["advice"] == "pip install jupyterlab"
    assert code == 1 and not report["ready"] and "ImportError: gone" in out


@pytest.mark.parametrize("colab", [True, False])
def test_colab_opens_notebooks_in_its_own_way(monkeypatch, colab):
    asked = []
    monkeypatch.setattr(
        doctor_apart, "reports", lambda rest, own: asked.extend(rest) or ()
    )
    monkeypatch.setattr(doctor, "look", lambda name: name)
    environment = {"COLAB_RELEASE_TAG": "release-colab"} if colab else {}
    monkeypatch.setattr(os, "environ", environment)
    names, _ = doctor.examine()
    for name in ("JupyterLab", "kernel"):
        assert (name in names) == (name in asked) == (not colab)
