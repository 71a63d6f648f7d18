"""Kits from hostile hands: lists, plans and paths that would harm, and words that mean
something to Python, Markdown or HTML.
"""

import hashlib
import json
import os
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from classroom import kit as classroom_kit
from patchconvnet import PatchConvNetError

ROOT = Path(__file__).resolve().parents[2]

HEAD = 'title = "A test"\ninstitution = "A school"\ncontact = "a@example.org"\n'
PLAN = (
    f'{HEAD}[[session]]\ntitle = "One"\n[[session.part]]\nchapter ='
    ' "01_overview"\nminutes = 40\nnote = "Ask."\n'
)


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


@pytest.fixture
def refused(tmp_path, capsys, monkeypatch):
    """Makes a kit, which must be refused: in one line, at once, changing nothing."""
    monkeypatch.setattr(
        classroom_kit, "fill", lambda *given: pytest.fail("the work began")
    )
    monkeypatch.chdir(tmp_path)

    def call(plan, out):
        before = contents(tmp_path)
        assert classroom_kit.main(["--plan", str(plan), "--out", str(out)]) == 2
        shown, err = capsys.readouterr()
        assert shown == "" and err.startswith("error: ") and err.count("\n") == 1, err
        assert contents(tmp_path) == before
        return err

    return call


def contents(folder):
    """Everything below a folder, without following links."""
    found = {}
    for path in folder.rglob("*"):
        found[path] = (
            os.readlink(path)
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else None
        )
    return found


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


# === the list of what was made ===


@pytest.fixture
def kit(tmp_path):
    """A folder with the list of a kit; and a letter beside it."""
    (tmp_path / "letter").write_text("dear reader")
    folder = tmp_path / "class" / "kit"
    (folder / "student").mkdir(parents=True)
    (folder / "student" / "old.md").write_text("old")
    (folder / "kit.json").write_text(json.dumps({"student/old.md": [digest("old")]}))
    return folder


@pytest.mark.parametrize(
    "name",
    ["../../letter", "student/../../../letter", "/{tmp}/letter", "C:\\letter",
     "C:letter", "..\\letter", "\\\\host\\share\\letter", "", ".", "./student/old.md",
     "student//old.md", "student/", "student", "plan.toml", "a\0b"],
)  # fmt: skip
def test_a_list_names_files_of_the_kit_alone(refused, plan, kit, tmp_path, name):
    name = name.replace("/{tmp}", str(tmp_path))
    (kit / "kit.json").write_text(
        json.dumps({"student/old.md": [digest("old")], name: [digest("dear reader")]})
    )
    assert "of the kit in" in refused(plan, kit)


@pytest.mark.parametrize(
    "link", ["student", "student/chapters", "student/old.md", "kit.json"]
)
def test_links_in_a_kit_are_not_followed(refused, plan, kit, tmp_path, link):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "old.md").write_text("old")
    (kit / "kit.json").write_text(
        json.dumps(
            {
                "student/old.md": [digest("old")],
                "student/chapters/old.md": [digest("old")],
            }
        )
    )
    if (kit / link).exists():
        (kit / link).rename(tmp_path / "elsewhere" / "moved")
    target = (
        tmp_path
        / "elsewhere"
        / (
            "moved"
            if link in ("student", "kit.json")
            else "old.md"
            if link.endswith(".md")
            else ""
        )
    )
    (kit / link).symlink_to(target)
    assert "is a link" in refused(plan, kit)


@pytest.mark.parametrize(
    "text",
    ["[]", "5", "null", '"text"', '{"a": 1}', '{"a": "digest"}', '{"a": [1]}',
     '{"a": {}}', '{"a"', "", "\xff", "[" * 100_000, '{"a": [' + "1" * 5000 + "]}",
     '{"a": []}' + " " * 1_000_000],
    ids=lambda text: text[:12].strip(),
)  # fmt: skip
def test_a_damaged_list_is_one_line(refused, plan, kit, text):
    (kit / "kit.json").write_text(text, encoding="latin-1")
    assert "kit.json is damaged: make the kit in another folder" in refused(plan, kit)


@pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="this system has no pipes with names"
)
def test_a_list_that_is_no_file(refused, plan, kit):
    (kit / "kit.json").unlink()
    os.mkfifo(kit / "kit.json")
    assert "is no file that can be read" in refused(plan, kit)
    (kit / "kit.json").unlink()
    (kit / "kit.json").mkdir()
    assert "is a folder" in refused(plan, kit)


def test_the_kit_itself_may_be_behind_a_link(kit, plan, tmp_path, monkeypatch):
    def fill(folder, plan, out):
        (folder / "student").mkdir(parents=True)
        (folder / "student" / "new.md").write_text("new")

    monkeypatch.setattr(classroom_kit, "fill", fill)
    (tmp_path / "link").symlink_to(kit)
    classroom_kit.make(plan, tmp_path / "link")
    assert sorted(path.name for path in kit.rglob("*")) == [
        "kit.json",
        "new.md",
        "plan.toml",
        "student",
    ]
    assert (tmp_path / "letter").read_text() == "dear reader"


@pytest.mark.parametrize("theirs", ["file", "folder", "link", "file above"])
def test_what_is_new_replaces_nothing_of_the_instructors(
    kit, plan, tmp_path, monkeypatch, theirs
):
    def fill(folder, plan, out):
        (folder / "student" / "chapters").mkdir(parents=True)
        (folder / "student" / "chapters" / "new.md").write_text("new")

    monkeypatch.setattr(classroom_kit, "fill", fill)
    place = kit / "student" / "chapters" / "new.md"
    if theirs == "file above":
        place.parent.write_text("mine")
    else:
        place.parent.mkdir()
        {
            "file": lambda: place.write_text("mine"),
            "folder": place.mkdir,
            "link": lambda: place.symlink_to(tmp_path / "letter"),
        }[theirs]()
    before = contents(tmp_path)
    with pytest.raises(PatchConvNetError, match="move it away"):
        classroom_kit.make(plan, kit)
    assert contents(tmp_path) == before


# === plans and paths ===


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"needs at least one \[\[session\]\]"),
        ("session = 5\n", "wanted .*session.* tables"),
        (f"{HEAD}[[session]]\ntitle = 'One'\npart = [5]\n", "wanted .*part.* tables"),
        (
            PLAN.replace('"01_overview"', "[1]"),
            r"chapter = \[1\] in session 1, part 1: wanted str",
        ),
        (
            PLAN.replace('"01_overview"', '"../chapters/01_overview"'),
            (
                "a chapter ../chapters/01_overview, which the course does not have:"
                ' .*; did you mean "01_overview"'
            ),
        ),
        (
            PLAN.replace('"A test"', '" "'),
            "title = ' ' in plan.toml: wanted some letters",
        ),
        (f"{PLAN}exercises = ['1']\n", "wanted a list of int"),
        (f"{PLAN}exercises = [true]\n", "wanted a list of int"),
        (f"{PLAN}exercises = [2, 1, 2]\n", "session 1, part 1 names 2 twice"),
        (f"{PLAN}sections = [['a']]\n", "wanted a list of str"),
        (f"start = '\N{ARABIC-INDIC DIGIT ONE}:00'\n{PLAN}", "wanted a time of day"),
    ],
)
def test_a_plan_of_the_wrong_shape(plan, tmp_path, text, said):
    plan.write_text(text, encoding="utf-8")
    with pytest.raises(PatchConvNetError, match=said):
        classroom_kit.make(plan, tmp_path / "kit")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.toml"]


@pytest.mark.parametrize(
    ("out", "said"),
    [("", "is no path"), ("~nobody-has-this-name/x", "is no path here"),
     ("x" * 300, "too long"), ("loop", "cannot be used"),
     ("letter", "is there and is no kit"), ("letter/kit", "letter"),
     ("a\udce4", "is no UTF-8")],
)  # fmt: skip
def test_a_place_that_cannot_be(refused, plan, tmp_path, out, said):
    (tmp_path / "letter").write_text("dear reader")
    (tmp_path / "loop").symlink_to("loop")
    assert said in refused(plan, out)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "45min",
        "../plans/90min",
        "x" * 300,
        "x.toml",
        "~nobody-has-this-name/x.toml",
        "x" * 300 + ".toml",
    ],
)
def test_a_plan_that_is_nowhere(refused, name):
    assert "give " in refused(name, "kit")


def test_arguments_that_are_missing_are_one_line(capsys):
    assert classroom_kit.main(["--plan", "90min"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def shown(markdown):
    """The text and the kinds of what CommonMark makes of a text."""
    tokens = [
        child
        for token in MarkdownIt("commonmark").enable("table").parse(markdown)
        for child in (token, *(token.children or ()))
    ]
    return "".join(
        token.content for token in tokens if token.type in ("text", "text_special")
    ), {token.type for token in tokens}
