"""tools/wheels.py: what a laptop needs of its own kind, in versions that fit.

`test_bundle.py` installs from a zip with wheels.
"""

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tiny_wheels import COURSE, write_wheel

import wheels
from patchconvnet import PatchConvNetError

REQUIREMENTS = (
    "# all of it\n-e .\n\nleaf[more]==1.0  # a remark\n"
    'glass==1.0 ; sys_platform == "win32"\n'
)
SHELF = {
    "leaf": ("1.0", ['vein>=2; extra == "more"', 'dew; python_version < "3.13"']),
    "vein": ("2.0", ['rust; sys_platform == "win32"']),
    "dew": ("1.0", ["leaf"]),  # a circle
    "rust": ("1.0", []),
    "glass": ("1.0", []),
}


@pytest.fixture
def collected(tmp_path, monkeypatch):
    """Collects wheels for laptops from a shelf, without pip: their names."""

    def build(command, problem, source):
        write_wheel(tmp_path / "wheels", *COURSE)

    def collect(*laptops, requirements=REQUIREMENTS, shelf=SHELF):
        def download(missing, folder, laptop):
            for name in {one.name for one in missing}:
                write_wheel(folder, name, *shelf[name])

        monkeypatch.setattr(wheels, "run", build)
        monkeypatch.setattr(wheels, "_download", download)
        (tmp_path / "requirements.txt").write_text(requirements, encoding="utf-8")
        wheels.collect(tmp_path, tmp_path / "wheels", laptops)
        return sorted(path.name.split("-")[0] for path in tmp_path.glob("wheels/*.whl"))

    return collect


def test_markers_are_asked_of_the_laptop_not_of_this_machine(collected, tmp_path):
    windows, mac = wheels.Laptop("windows", "3.13"), wheels.Laptop("macos", "3.12")
    all_of_both = ["dew", "glass", "leaf", "patchconvnet", "rust", "vein"]
    assert collected(windows, mac) == all_of_both
    assert (tmp_path / "wheels" / "requirements.txt").read_text() == (
        'patchconvnet==1.2.3\nleaf[more]==1.0\nglass==1.0 ; sys_platform == "win32"\n'
    )


@pytest.mark.parametrize(
    ("laptop", "lacking"),
    [
        (wheels.Laptop("windows", "3.13"), {"dew"}),
        (wheels.Laptop("windows", "3.12"), set()),
        (wheels.Laptop("macos", "3.13"), {"dew", "glass", "rust"}),
    ],
)
def test_a_laptop_gets_no_more_than_it_needs(collected, laptop, lacking):
    assert {*SHELF, "patchconvnet"} - {*collected(laptop)} == lacking


def test_what_contradicts_itself_makes_no_wheels(collected):
    shelf = {"leaf": ("1.0", ["vein"]), "vein": ("2.0", ["leaf>=2"])}
    said = r"fit Linux, Python 3.12: leaf 1.0 would be taken, and leaf>=2 is needed"
    with pytest.raises(PatchConvNetError, match=said):
        collected(
            wheels.Laptop("linux", "3.12"),
            requirements="leaf==1.0\n-e .\n",
            shelf=shelf,
        )


def test_pip_takes_wheels_for_that_laptop_and_a_missing_one_is_named(
    tmp_path, monkeypatch
):
    shelf, folder = tmp_path / "shelf", tmp_path / "folder"
    shelf.mkdir()
    folder.mkdir()
    for python in ("cp312", "cp313"):
        for system in ("win_amd64", "macosx_11_0_arm64"):
            write_wheel(shelf, "glass", tag=f"{python}-{python}-{system}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    laptop = wheels.Laptop("windows", "3.13")
    wheels._download([Requirement("glass; os_name == 'posix'")], folder, laptop)
    assert [path.name for path in folder.iterdir()] == [
        "glass-1.0-cp313-cp313-win_amd64.whl"
    ]
    said = r"needs a network\): ERROR: No matching distribution found for twig==7"
    with pytest.raises(PatchConvNetError, match=said):
        wheels._download([Requirement("twig==7")], folder, laptop)


def test_a_version_of_this_machine_is_taken_where_it_may_be(monkeypatch, tmp_path):
    """It was tried together with the others; but not with every Python."""
    asked = []
    monkeypatch.setattr(wheels, "run", lambda command, *rest: asked.append(command))
    monkeypatch.setattr(wheels.importlib.metadata, "distribution", installed)
    asks = ("Leaf>=1", "leaf<2", "fern<5", "fern<4", "dew", "moss")
    missing = [Requirement(one) for one in asks]
    for python in ("3.11", "3.12"):
        wheels._download(missing, tmp_path, wheels.Laptop("linux-arm", python))
    after = "--platform=manylinux_2_28_aarch64"
    old, new = (line[line.index(after) + 1 :] for line in asked)
    assert old == ["leaf<2,==1.5,>=1", "fern<4,<5", "dew", "moss"]
    assert new == ["leaf<2,==1.5,>=1", "fern<4,<5", "dew==4.0", "moss"]
    assert "--python-version=3.12" in asked[1]


def installed(name):
    found = {
        "leaf": ("1.5", None),
        "fern": ("4.2", ">=3.9"),
        "dew": ("4.0", ">=3.11.5"),
    }
    if name not in found:
        raise wheels.importlib.metadata.PackageNotFoundError(name)
    version, python = found[name]
    given = {"version": version, "metadata": {"Requires-Python": python}}
    return type("Installed", (), given)


@pytest.mark.parametrize("kind", [None, *wheels.KINDS])
def test_every_kind_of_laptop_gets_one_tensorflow(kind):
    """By the course's own requirements."""
    root = Path(__file__).resolve().parents[2]
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    network = [line for line in lines if line.startswith("tensorflow")]
    laptop = wheels.Laptop(kind, "3.13")
    [one] = filter(laptop.holds, map(Requirement, network))
    if kind:
        assert one.name == ("tensorflow-cpu" if kind == "linux" else "tensorflow")
