"""One repository address, and one list of chapters, wherever they stand."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
SETTINGS = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY = SETTINGS["repository"]["url"]
BRANCH = SETTINGS["repository"]["branch"]
NAME = REPOSITORY.removeprefix("https://github.com/")
PLACEHOLDER = "OWNER/patchconvnet-course"
# a card, or a line of a list
LISTED = r"^(?:- )?\*\*\d\d\*\* \[.*?\]\(chapters/(\w+)\.ipynb\)"
COLAB = "https://colab.research.google.com/github/"
BINDER = "https://mybinder.org/v2/gh/"
HUB = "/hub/user-redirect/git-pull?repo=https://github.com/"


def read(name, root=ROOT):
    return Path(root, name).read_text(encoding="utf-8")


def names_in(text):
    """OWNER/REPO of every address that must be the course's: Colab's, pip's, git's."""
    own = (
        rf"{re.escape(COLAB)}|{re.escape(BINDER)}|{re.escape(HUB)}|"
        r"git\+https://github\.com/|git clone (?:--branch \S+ )?https://github\.com/"
    )
    return set(re.findall(rf"(?:{own})([\w-]+/[\w.-]+?)(?=\.git\b|[^\w.-]|$)", text))


def address_problems(root):
    """Files under `root` that do not agree with its _config.yml."""
    address = yaml.safe_load(read("_config.yml", root))["repository"]["url"]
    name = address.removeprefix("https://github.com/")
    problems = []
    chapters = sorted(Path(root, "chapters").glob("*.ipynb"))
    for path in [
        *map(
            Path(root).joinpath,
            ("README.md", "intro.md", "set_up.md", "CITATION.cff", "pyproject.toml"),
        ),
        Path(root, "chapters", "14_instructors.md"),
        *chapters,
    ]:
        text = path.read_text(encoding="utf-8")
        if f"github.com/{name}" not in text:
            problems.append(f"{path.name} lacks {address}")
        for other in sorted(names_in(text) - {name}):
            problems.append(f"{path.name} has {other}")
        if name != PLACEHOLDER and PLACEHOLDER in text:
            problems.append(f"{path.name} still has the placeholder")
    return problems


def set_repository(root, *arguments):
    command = [
        sys.executable,
        str(Path(root, "tools", "set_repository.py")),
        *arguments,
    ]
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


@pytest.fixture
def copy(tmp_path):
    """A copy of the course's text, with some addresses that are easy to get wrong."""
    for name in (
        "_config.yml",
        "README.md",
        "intro.md",
        "CITATION.cff",
        "pyproject.toml",
        "CONTRIBUTING.md",
        "set_up.md",
    ):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "set_repository.py", tmp_path / "tools")
    (tmp_path / "chapters").mkdir()
    shutil.copy(ROOT / "chapters" / "14_instructors.md", tmp_path / "chapters")
    source = [
        f"%pip install git+https://github.com/{NAME}@v0.2.0\n",
        f"{COLAB}{NAME}/blob",
    ]
    cell = {"cell_type": "code", "source": source}
    (tmp_path / "chapters" / "01_sample.ipynb").write_text(
        json.dumps({"cells": [cell]}, indent=1), newline="\r\n"
    )
    not_ours = [f"{REPOSITORY}-two", f"{REPOSITORY}.js", f"https://example.org/{NAME}"]
    (tmp_path / "others.md").write_text(
        "\n".join([*not_ours, f"{REPOSITORY}.git", f"{REPOSITORY}."])
    )
    return tmp_path


def test_every_place_has_the_same_address():
    assert address_problems(ROOT) == []
    assert yaml.safe_load(read("CITATION.cff"))["repository-code"] == REPOSITORY
    assert (
        tomllib.loads(read("pyproject.toml"))["project"]["urls"]["Repository"]
        == REPOSITORY
    )


def test_every_place_has_the_same_version():
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert str(yaml.safe_load(read("CITATION.cff"))["version"]) == version, (
        "CITATION.cff"
    )
    assert (
        re.search(r'(?m)^__version__ = "(.+)"$', read("patchconvnet/__init__.py"))[1]
        == version
    ), "patchconvnet/__init__.py"
    for path in CHAPTERS:
        tags = re.findall(
            rf"git\+https://github\.com/{re.escape(NAME)}@v([\d.]+)",
            path.read_text(encoding="utf-8"),
        )
        assert set(tags) == {version}, path.name


def test_a_different_address_is_seen(copy):
    assert address_problems(copy) == []
    for name in (
        "README.md",
        "CITATION.cff",
        "pyproject.toml",
        "chapters/01_sample.ipynb",
    ):
        path = copy / name
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(NAME, "someone/else"), encoding="utf-8")
        assert any(path.name in problem for problem in address_problems(copy)), name
        path.write_text(text, encoding="utf-8")


def test_set_repository_changes_every_place(copy):
    result = set_repository(copy, "https://github.com/me/my.course")
    assert result.returncode == 0, result.stderr
    assert (
        yaml.safe_load(read("_config.yml", copy))["repository"]["url"]
        == "https://github.com/me/my.course"
    )
    assert address_problems(copy) == []
    for name in (
        "_config.yml",
        "README.md",
        "CITATION.cff",
        "pyproject.toml",
        "01_sample.ipynb",
    ):
        assert re.search(rf"changed (.*\W)?{re.escape(name)}", result.stdout), name
    assert "CONTRIBUTING.md" not in result.stdout  # it names no address of ours
    notebook = (copy / "chapters" / "01_sample.ipynb").read_bytes()
    assert b"\r\n" in notebook and "git+https://github.com/me/my.course@v0.2.0" in str(
        json.loads(notebook)
    )
    *not_ours, git, stop = read("others.md", copy).split()
    assert not_ours == [
        f"{REPOSITORY}-two",
        f"{REPOSITORY}.js",
        f"https://example.org/{NAME}",
    ]
    assert (git, stop) == (
        "https://github.com/me/my.course.git",
        "https://github.com/me/my.course.",
    )
    assert not list(copy.rglob("*.tmp"))
    again = set_repository(copy, "https://github.com/me/my.course/")
    assert (again.returncode, "nothing to change" in again.stdout) == (0, True)


def test_set_repository_can_be_undone(copy):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert set_repository(copy, "https://github.com/me/course").returncode == 0
    assert set_repository(copy, REPOSITORY).returncode == 0
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("end", ["", "/", ".git", ".git/"])
def test_an_address_may_end_as_browsers_and_git_write_it(copy, end):
    result = set_repository(copy, f"https://github.com/me/my.course{end}")
    assert result.returncode == 0, result.stderr
    assert (
        yaml.safe_load(read("_config.yml", copy))["repository"]["url"]
        == "https://github.com/me/my.course"
    )
    assert address_problems(copy) == []


@pytest.mark.parametrize(
    "address",
    ["https://github.com/me/..", "https://github.com/me/.",
     "https://github.com/me/course//", "me/course", "http://github.com/me/course",
     "https://gitlab.com/me/course", "https://github.com/me",
     "https://github.com/me/course/tree/main", "https://github.com/me/a b",
     "https://github.com/-me/course", "", "https://github.com/me/.git",
     "https://github.com/me/...", "https://github.com/me/a.git.git",
     "https://github.com/me//a", "https://github.com/me/a\n", "https://github.com//a",
     f"https://github.com/{'m' * 40}/a", f"https://github.com/me/{'a' * 101}",
     "https://github.com/me/a?b", "https://github.com/m\xe9/a", "--help me"],
)  # fmt: skip
def test_set_repository_rejects_bad_input(copy, address):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    result = set_repository(copy, "--", address)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in before} == before


def test_set_repository_changes_nothing_if_it_cannot_read_all(copy, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "letter.md"
    outside.write_text(REPOSITORY)
    (copy / "link.md").symlink_to(outside)  # left alone
    (copy / "folder.md").mkdir()
    (copy / "zebra.md").write_bytes(b"\xff")
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    result = set_repository(copy, "https://github.com/me/course")
    assert (
        result.returncode == 2
        and "zebra.md is no UTF-8" in result.stderr
        and result.stderr.count("\n") == 1
    )
    assert {path: path.read_bytes() for path in before} == before
    (copy / "zebra.md").unlink()
    assert set_repository(copy, "https://github.com/me/course").returncode == 0
    assert outside.read_text() == REPOSITORY and (copy / "link.md").is_symlink()


def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/me/my.course.git",
        "git@github.com:me/my.course.git",
        "ssh://git@github.com/me/my.course.git",
    ],
)
def test_without_an_address_it_is_that_of_git(copy, remote):
    git(copy, "init")
    git(copy, "remote", "add", "origin", remote)
    assert set_repository(copy, "--check").returncode == 2
    result = set_repository(copy)
    assert result.returncode == 0, result.stderr
    assert address_problems(copy) == []
    url = yaml.safe_load(read("_config.yml", copy))["repository"]["url"]
    assert url == "https://github.com/me/my.course"
    checked = set_repository(copy, "--check")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "remote, said",
    [
        (None, "git knows no address called origin: give the address"),
        ("https://gitlab.com/me/course.git", "not a repository address"),
        ("/somewhere/course", "not a repository address: '/somewhere/course'"),
    ],
)
def test_where_git_knows_no_such_address_it_is_one_line(copy, remote, said):
    git(copy, "init")
    if remote:
        git(copy, "remote", "add", "origin", remote)
    before = {path: path.read_bytes() for path in copy.glob("*") if path.is_file()}
    result = set_repository(copy)
    assert result.returncode == 2 and said in result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in before} == before


def test_the_check_names_the_command_and_changes_nothing(copy):
    config = (copy / "_config.yml").read_text(encoding="utf-8")
    ours = config.replace(NAME, "OWNER/patchconvnet-course")
    (copy / "_config.yml").write_text(ours, encoding="utf-8")
    result = set_repository(copy, "--check")
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert "run python tools/set_repository.py once" in result.stderr
    assert (copy / "_config.yml").read_text(encoding="utf-8") == ours


def test_set_repository_needs_the_course(tmp_path):
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "set_repository.py", tmp_path / "tools")
    result = set_repository(tmp_path, "https://github.com/me/course")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)


# === the list of chapters ===


def test_every_chapter_is_listed_everywhere():
    parts = yaml.safe_load(read("_toc.yml"))["parts"]
    listed = [entry["file"] for part in parts for entry in part["chapters"]]
    names = [path.stem for path in CHAPTERS]
    chapters = [
        name.removeprefix("chapters/")
        for name in listed
        if name.startswith("chapters/")
    ]
    # the guide is a page, no notebook
    assert sorted({*names, "14_instructors"}) == sorted(chapters), "_toc.yml"
    titles = {
        entry["file"]: entry.get("title")
        for part in parts
        for entry in part["chapters"]
    }
    for name in names:  # the menu has the numbers that the text refers to
        cells = json.loads(read(f"chapters/{name}.ipynb"))["cells"]
        title = "".join(cells[0]["source"]).splitlines()[0].removeprefix("# ")
        assert titles[f"chapters/{name}"] == f"{name[:2]} {title}"
    for part in parts:
        files = [entry["file"] for entry in part["chapters"]]
        course = [file for file in files if file.startswith("chapters/")]
        assert course == sorted(course), part["caption"]
    in_order = [name for name in chapters if name != "14_instructors"]
    listed = re.findall(LISTED, read("intro.md"), re.M)
    assert listed == in_order, "cards and lists in intro.md"
    linked = re.findall(
        rf"(?m)^\|.*{re.escape(COLAB)}{re.escape(NAME)}/blob/{BRANCH}/chapters/(\w+)\.ipynb",
        read("README.md"),
    )
    assert linked == names, "the table in README.md"


# === publishing ===


def test_the_workflow_tests_what_it_publishes_and_pins_what_it_runs():
    text = read(".github/workflows/publish.yml")
    jobs = yaml.safe_load(text)["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert (
        jobs["publish"]["needs"] == "test"
        and "refs/heads/main" in jobs["publish"]["if"]
    )
    for step in steps:
        assert "run" in step or re.fullmatch(
            r"actions/[\w-]+@[0-9a-f]{40}", step["uses"]
        ), step
    commands = [step["run"] for step in steps if "run" in step]
    assert commands[0] == "bash .ci/run" and (ROOT / ".ci" / "run").is_file()
    check, *others = commands[1:]
    assert check == "python tools/set_repository.py --check"  # before anything is built
    assert all(command in read("README.md").splitlines() for command in others)
    for pin, version in re.findall(r"uses: (\S+) # (\S+)", text):
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version), pin
    assert len(re.findall(r"uses: \S+ # v", text)) == text.count("uses:")


def test_links_to_files_of_the_repository_lead_to_files():
    link = re.compile(rf"{re.escape(REPOSITORY)}/blob/{BRANCH}/([\w./-]*\w)")
    pages = [*CHAPTERS, *ROOT.glob("*.md"), *ROOT.glob("chapters/*.md")]
    found = {
        (page.name, path)
        for page in pages
        for path in link.findall(page.read_text(encoding="utf-8"))
    }
    assert len(found) >= 3
    assert not {pair for pair in found if not (ROOT / pair[1]).exists()}


def test_once_a_week_four_packages_are_not_pinned_and_all_others_are():
    """What the workflow's own lines leave of the pins."""
    steps = yaml.safe_load(read(".github/workflows/newest.yml"))["jobs"]["newest"][
        "steps"
    ]
    install = next(step["run"] for step in steps if "Install" in step.get("name", ""))
    found = re.findall(r"sed -E 's/(.+?)/\\1/' (\S+\.txt)", install)
    assert [name for _, name in found] == [
        "requirements.txt",
        "requirements-backends.txt",
    ]
    lines = [
        re.sub(pattern, r"\1", line)
        for pattern, name in found
        for line in read(name).splitlines()
        if line and not line.startswith(("#", "-e"))
    ]
    free = {line.split()[0] for line in lines if "==" not in line.split(";")[0]}
    assert free == {"keras", "tensorflow", "tensorflow-cpu", "jax", "numpy"}
