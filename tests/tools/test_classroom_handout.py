"""What students get in a class's zip: a guide, links that lead somewhere, no OWNER."""

import json
import re
import shutil
from urllib.parse import unquote

import pytest
from test_classroom import ROOT, kit  # noqa: F401

import bundle
import handout
import wheels
from classroom import links
from classroom.plan import read_plan

LINK = re.compile(
    r"\]\((?!https?://|mailto:|#)([^)\s]+)\)|\bhref=\"(?!http|#)([^\"]+)\""
)


@pytest.fixture(scope="module")
def unzipped(kit, tmp_path_factory):  # noqa: F811
    """What the zip holds of texts, but for the built book."""
    folder = tmp_path_factory.mktemp("unzipped")
    for name in (*bundle.PACKAGE, "README.md", "tools", "chapters"):
        if (ROOT / name).is_dir():
            texts = shutil.ignore_patterns("*.npz", "*.json", "*.csv", "*.jpg")
            shutil.copytree(ROOT / name, folder / name, ignore=texts)
        else:
            shutil.copy2(ROOT / name, folder)
    bundle.take_kit(folder, kit)
    guide = handout.Guide("student/chapters", [])
    text = handout.readme(guide, read_plan(folder / "plan.toml"))
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder


def texts_of(path):
    """The Markdown of a page or a notebook, a list of strings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return [text]
    cells = json.loads(text)["cells"]
    return ["".join(one["source"]) for one in cells if one["cell_type"] == "markdown"]


def broken_links(folder):
    """Relative links, in Markdown and notebooks, to what is not in the folder."""
    for path in [*folder.rglob("*.md"), *folder.rglob("*.ipynb")]:
        for text in texts_of(path):
            for link in (one[1] or one[2] for one in LINK.finditer(text)):
                target = (path.parent / unquote(link.split("#")[0])).resolve()
                place = target.relative_to(folder.resolve()).as_posix()
                # a page of the book is built from one of the class's
                place = re.sub(r"^book/(.+)\.html$", r"student/\1.md", place)
                if not (folder / place).exists():
                    yield f"{path.relative_to(folder)}: {link}"


def test_every_link_of_the_zip_leads_to_what_is_in_it(unzipped):
    assert list(broken_links(unzipped)) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path):
    cell = {"cell_type": "markdown", "source": ["[a](../b.md#c), [d](e.ipynb)"]}
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "e.ipynb").write_text(json.dumps({"cells": [cell]}))
    (tmp_path / "b.md").write_text('[x](https://a.b/c) [y](#z) <a href="w.md">w</a>')
    (tmp_path / "README.md").write_text("[s](book/set_up.html)")
    assert sorted(broken_links(tmp_path)) == [
        "README.md: book/set_up.html",
        "b.md: w.md",
    ]


def test_nothing_in_the_zip_is_nobodys(unzipped):
    read = [path for path in unzipped.rglob("*") if path.is_file()]
    assert {"README.md", "_config.yml", "set_up.md"} <= {path.name for path in read}
    assert [path for path in read if b"OWNER" in path.read_bytes()] == []
    config = (unzipped / "student" / "_config.yml").read_text(encoding="utf-8")
    assert "launch_buttons: {}" in config


def test_the_guide_goes_from_the_zip_to_the_hand_in(unzipped):
    text = (unzipped / "README.md").read_text(encoding="utf-8")
    steps = re.findall(r"(?m)^\d\. \*\*(.+?)\*\*", text)
    assert [step.split(".")[0] for step in steps] == [
        "Unzip", "Read", "Make an environment, and install", "Open", "Hand in"
    ]  # fmt: skip
    assert "   jupyter lab student/chapters\n" in text
    assert "python -m patchconvnet doctor --class --plan plan.toml" in text
    assert "a@example.org" in text and "3.11, 3.12 or 3.13" in text
    page = (unzipped / "student" / "set_up.md").read_text(encoding="utf-8")
    assert "README.md" in page and "git clone" not in page and "[Tell us]" not in page


def test_what_the_wheels_are_for_stands_in_the_guide():
    laptops = [wheels.Laptop(kind, "3.12") for kind in ("windows", "linux")]
    page = handout.start_page(handout.Guide("chapters", laptops))
    assert "Python 3.12, on Linux or Windows" in page and "--no-index" in page
    assert "needs no network: it takes" in page


COURSE = "https://github.com/me/course/blob/autumn/chapters"


@pytest.mark.parametrize("address", [None, COURSE.removesuffix("/chapters")])
def test_chapters_outside_the_kit_are_linked_where_they_have_an_address(
    monkeypatch, address
):
    monkeypatch.setattr(links, "address", lambda: address)
    text = "[a [b] c](07_model.ipynb#x), [in](../chapters/01_overview.ipynb)"
    there = f"[a [b] c]({COURSE}/07_model.ipynb#x)" if address else "a [b] c"
    kept = "[in](../chapters/01_overview.ipynb)"
    assert links.linked(text, {"01_overview": set()}) == f"{there}, {kept}"
    code = (
        'import sys\n\nif "google.colab" in sys.modules:  # x\n    %pip install y\ngo()'
    )
    assert ("%pip" in links.installing(code)) == bool(address)
    assert links.installing(code).endswith("\ngo()")
