"""tools/bundle.py: a whole course in the zip, no more; a failure keeps the old zip."""

import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tiny_wheels

from test_book import link_problems, soup_of

TOOLS = Path(__file__).resolve().parents[2] / "tools"
FILES = {
    "_config.yml": "title: t\nauthor: a\nonly_build_toc_files: true\n",
    "_toc.yml": "format: jb-book\nroot: intro\nchapters:\n  - file: second\n",
    "intro.md": "# Title\n\n[on](second.md)\n",
    "second.md": "# Second\n",
    "pyproject.toml": (
        '[project]\nname = "patchconvnet"\nversion = "1.2.3"\n[build-system]\n'
        'requires = []\nbuild-backend = "tiny_wheels"\nbackend-path = ["."]\n'
        '[project.urls]\nRepository = "https://github.com/OWNER/course"\n'
    ),
    "requirements.txt": '-e .\nrust ; sys_platform == "nowhere"\n',
    "tiny_wheels.py": Path(tiny_wheels.__file__).read_text(encoding="utf-8"),
    ".gitignore": "runs/\ndist/\n__pycache__/\n",
    # Drawn by the package of the commit: another package may be installed.
    "patchconvnet/__init__.py": (
        "import types, numpy\ndef load_dataset(name, **options):\n    assert (name,"
        " options) == ('shapes', {'train': 1, 'val': 0})\n    ones = numpy.ones(3,"
        " dtype='uint8')\n    return types.SimpleNamespace(x_test=ones, y_test=ones,"
        " mask_test=ones, class_names=('circle',))\n"
    ),
}
NOT_PACKED = (
    "runs/weights.npz",
    "patchconvnet/__pycache__/old.pyc",
    "cifar-10-python.tar.gz",
    "my_notes.md",
)
NAME = "patchconvnet-course-1.2.3"


def commit(root):
    git = [
        "git",
        "-C",
        str(root),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
    ]
    subprocess.run([*git, "add", *FILES], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "all"], check=True)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of two pages in a git clone, with files about that are nobody's
    business. Tests only read it.
    """
    if shutil.which("git") is None:
        pytest.skip("a bundle is made of a commit: this needs git")
    root = tmp_path_factory.mktemp("course")
    for name, text in {**FILES, **dict.fromkeys(NOT_PACKED, "private")}.items():
        root.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        root.joinpath(name).write_text(text)
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    commit(root)
    return root


@pytest.fixture(scope="module")
def bundle():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        import bundle

        yield bundle


@pytest.fixture(scope="module")
def made(bundle, course, tmp_path_factory):
    """The zip, and the folder that comes out of it."""
    path = bundle.make(course)
    folder = tmp_path_factory.mktemp("unpacked")
    shutil.unpack_archive(path, folder)
    return path, folder / NAME


def test_everything_committed_is_in_it_and_nothing_else(made, course):
    path, folder = made
    assert path == course / "dist" / f"{NAME}.zip" and [
        entry.name for entry in folder.parent.iterdir()
    ] == [NAME]
    for name, text in FILES.items():
        assert (folder / name).read_text() == text
    inside = {
        entry.relative_to(folder).as_posix()
        for entry in folder.rglob("*")
        if entry.is_file()
    }
    own = {name for name in inside if not name.startswith("book/")}
    assert own == {*FILES, "START-HERE.html", "SHA256SUMS", "shapes_test.npz"}
    assert {"book/intro.html", "book/second.html", "book/search.html"} <= inside
    with np.load(folder / "shapes_test.npz") as arrays:
        assert sorted(arrays) == ["class_names", "images", "labels", "masks"]


def test_the_checksums_are_those_of_the_files(made):
    path, folder = made
    sums = dict(
        reversed(line.split("  "))
        for line in (folder / "SHA256SUMS").read_text().splitlines()
    )
    inside = {
        entry.relative_to(folder).as_posix()
        for entry in folder.rglob("*")
        if entry.is_file()
    }
    assert set(sums) == inside - {"SHA256SUMS"}
    assert all(
        hashlib.sha256((folder / name).read_bytes()).hexdigest() == value
        for name, value in sums.items()
    )
    beside = path.with_name(f"{path.name}.sha256").read_text()
    assert beside == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"


def test_every_page_leads_on_without_a_server(made):
    _, folder = made
    pages = [page for page in folder.rglob("*.html") if "_static" not in page.parts]
    assert len(pages) >= 5
    assert [problem for page in pages for problem in link_problems(page)] == []
    start = soup_of(folder / "START-HERE.html")
    assert [link["href"] for link in start.find_all("a")] == ["book/intro.html"]
    assert start.pre.text.splitlines()[2:] == [
        "pip install -r requirements.txt",
        "jupyter lab chapters",
    ]


def test_the_same_commit_gives_the_same_bytes(bundle, made, course, tmp_path):
    subprocess.run(
        ["git", "clone", "--quiet", str(course), str(tmp_path / "clone")], check=True
    )
    again = bundle.make(tmp_path / "clone", tmp_path / "new" / "again.zip")
    assert again.read_bytes() == made[0].read_bytes()


# === what fails ===


@pytest.fixture
def fails(bundle, tmp_path, monkeypatch, capsys):
    """Try to make a bundle where a good one is; give the one line that says why not."""
    old = tmp_path / "out" / "course.zip"
    old.parent.mkdir()
    for path in (old, old.with_name("course.zip.sha256")):
        path.write_text("good")

    def try_it(root, out=old):
        monkeypatch.setattr(bundle, "ROOT", root)
        assert bundle.main(["--out", str(out)]) == 2
        assert sorted(old.parent.iterdir()) == [old, old.with_name("course.zip.sha256")]
        assert {path.read_text() for path in old.parent.iterdir()} == {"good"}
        line = capsys.readouterr().err
        assert line.startswith("error: ") and line.count("\n") == 1
        return line

    return try_it


@pytest.fixture
def no_build(bundle, monkeypatch):
    def collect(root, folder, work, seconds, kit, laptops):
        folder.mkdir()
        (folder / "README.md").write_text("read me")

    monkeypatch.setattr(bundle, "collect", collect)


def test_a_book_that_does_not_build(fails, bundle, course, monkeypatch):
    # as jupyter-book colours it
    line = "\x1b[91m{os.getcwd()}/intro.md:3: WARNING: no target\x1b[39;49;00m"
    build = f"import os, sys; sys.exit(f'''building\n{line}\nsee above''')"
    monkeypatch.setattr(bundle, "JUPYTER_BOOK", build)
    assert (
        fails(course)
        == "error: the book cannot be built: intro.md:3: WARNING: no target\n"
    )


def test_what_is_not_committed(fails, course, tmp_path):
    root = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(course), str(root)], check=True)
    (root / "intro.md").write_text("# Another title\n")
    assert "intro.md: changed, not committed" in fails(root)
    (root / "second.md").unlink()
    assert "intro.md and 1 more: changed, not committed" in fails(root)


def test_what_is_missing_is_named(fails, course, tmp_path, monkeypatch):
    assert "no git clone" in fails(tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "jupyter_book" else find(name),
    )
    assert "jupyter-book is not installed: pip install -r requirements.txt" in fails(
        course
    )


def test_a_full_disk(fails, no_build, course, monkeypatch):
    def writestr(*given, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(zipfile.ZipFile, "writestr", writestr)
    assert "the disk is full" in fails(course)


def test_a_bundle_that_is_too_large(fails, no_build, bundle, course, monkeypatch):
    monkeypatch.setattr(bundle, "MOST_BYTES", 100)
    assert "the bundle would have" in fails(course)


@pytest.mark.parametrize("name", ["course.tar", "."])
def test_a_name_that_is_no_zip(fails, course, tmp_path, name):
    assert "must name a file that ends in .zip" in fails(course, tmp_path / name)


# === of a class's kit ===


@pytest.fixture(scope="module")
def kit(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kits") / "my-class"
    for name in ("student/chapters", "student/data", "student/_build", "instructor"):
        (folder / name).mkdir(parents=True)
    for name in FILES:
        if name.endswith((".yml", ".md")) and "/" not in name:
            shutil.copy2(course / name, folder / "student")
    (folder / "student" / "intro.md").write_text("# Our class\n")
    (folder / "student" / "_config.yml").write_text(
        "title: Our class\nonly_build_toc_files: true\n"
    )
    (folder / "student" / "_toc.yml").write_text("format: jb-book\nroot: intro\n")
    (folder / "student" / "data" / "animals.npz").write_bytes(b"pictures")
    (folder / "instructor" / "answers.ipynb").write_text("{}")
    (folder / "kit.json").write_text("{}")
    (folder / "plan.toml").write_text(
        'title = "Ours"\ninstitution = "A <school>"\ncontact = "us@example.org"\n'
        'dataset = "../somewhere/photos"  # mine\nstart = "09:00"\n[[session]]\n'
        'title = "One"\n[[session.part]]\nchapter = "15_own_pictures"\nminutes = 5\n'
        'note = "Ask them."\n'
    )
    return folder


@pytest.fixture(scope="module")
def handed_out(bundle, course, kit, tmp_path_factory):
    """The folder that comes out of a class's zip with wheels."""
    shelf = tmp_path_factory.mktemp("shelf")
    tiny_wheels.write_wheel(shelf, "leaf")
    tiny_wheels.write_wheel(shelf, "leaf", "2.0", ["missing; os_name == 'nowhere'"])
    folder = tmp_path_factory.mktemp("handed out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(shelf))
        patch.setattr(bundle, "ROOT", course)
        out = folder / "class.zip"
        options = ["--out", str(out), "--kit", str(kit), "--wheels"]
        assert bundle.main(options) == 0
    shutil.unpack_archive(out, folder)
    return folder / "my-class-1.2.3"


def test_a_class_gets_its_own_book_and_no_answers(handed_out):
    folder = handed_out
    assert "Our class" in (folder / "book" / "intro.html").read_text()
    assert (folder / "patchconvnet").is_dir() and (
        folder / "student" / "intro.md"
    ).is_file()
    assert (
        not list(folder.rglob("answers*"))
        and not (folder / "intro.md").exists()
        and not (folder / "student" / "_build").exists()
    )
    plan = (folder / "plan.toml").read_text()
    assert 'dataset = "student/data/animals.npz"\nstart' in plan
    assert "Ask them." not in plan and "mine" not in plan
    assert "OWNER" not in (folder / "pyproject.toml").read_text()


def test_without_a_network_start_here_installs(handed_out):
    """Its own lines, word by word, with an index that nobody can reach."""
    *lines, opens = soup_of(handed_out / "START-HERE.html").pre.text.splitlines()
    assert opens == "jupyter lab student/chapters"
    own = {name: one for name, one in os.environ.items() if not name.startswith("PIP_")}
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_CONFIG_FILE": os.devnull}
    ask = "python -c 'import leaf, patchconvnet as course; print(leaf.version, course)'"
    result = subprocess.run(
        ["bash", "-ec", "\n".join([*lines, "cd book", ask])],
        cwd=handed_out,
        env={**own, **nowhere, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    installed = result.stdout.splitlines()[-1]
    assert installed.startswith("2.0 <module 'patchconvnet' from ")
    assert "site-packages" in installed
    guide = (handed_out / "README.md").read_text()
    assert "A \\<school\\>. Questions: us@example.org" in guide
    assert all(f"\n   {line}\n" in guide for line in (*lines, opens))


def test_what_wheels_are_for_is_said_with_them(bundle, course, monkeypatch, capsys):
    monkeypatch.setattr(bundle, "ROOT", course)
    monkeypatch.setattr(bundle, "make", lambda *given: pytest.fail("it is made"))
    for options in (["--platform", "linux"], ["--python", "3.12"]):
        assert bundle.main(options) == 2
        assert "say what --wheels are for" in capsys.readouterr().err
    assert bundle.main(["--wheels", "--platform", "amiga"]) == 2
    assert "linux-arm" in capsys.readouterr().err


def test_a_folder_that_is_no_kit_is_no_bundle(bundle, course, tmp_path):
    with pytest.raises(
        bundle.PatchConvNetError,
        match="no kit is there. Make one: python tools/classroom.py",
    ):
        bundle.make(course, tmp_path / "class.zip", tmp_path)
