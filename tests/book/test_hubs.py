"""What opens the chapters: JupyterLab, Colab, Binder, a hub; and a term's version."""

import itertools
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from test_repository import (
    BINDER,
    BRANCH,
    COLAB,
    NAME,
    REPOSITORY,
    ROOT,
    SETTINGS,
    address_problems,
    copy,  # noqa: F401
    read,
    set_repository,
)

LINKED = re.compile(r"my\.course/blob/([^/\s]+)/|/gh/me/my\.course/([^?]+)\?")


def versions_linked(root):
    """The branches and tags that links and `git clone` lines lead to, by file."""
    found = {}
    for path in [*root.glob("*.md"), *root.glob("chapters/*")]:
        text = path.read_text(encoding="utf-8")
        own = [line for line in text.splitlines() if "my.course" in line]
        links = {one for line in own for one in LINKED.findall(line)}
        cloned = re.findall(r"git clone --branch (\S+) ", text)
        found[path.name] = {*cloned, *filter(None, itertools.chain(*links))}
    return found


def test_the_terms_version_is_one_tag_for_all_links(copy):  # noqa: F811
    address = "https://github.com/me/my.course"
    assert set_repository(copy, address).returncode == 0
    at_main = versions_linked(copy)
    assert set().union(*at_main.values()) == {"main"}
    result = set_repository(copy, address, "--tag", "autumn-2026")
    assert result.returncode == 0, result.stderr
    assert address_problems(copy) == []
    tagged = versions_linked(copy)
    assert set().union(*tagged.values()) == {"autumn-2026"}
    for name in ("README.md", "set_up.md"):
        line = f"git clone --branch autumn-2026 {address}"
        assert line in read(name, copy).splitlines()
    for name in ("README.md", "intro.md", "14_instructors.md"):
        assert at_main[name] and tagged[name], name
    config = yaml.safe_load(read("_config.yml", copy))["repository"]
    assert config == {"url": address, "branch": "autumn-2026"}
    assert set_repository(copy, address, "--tag", "spring-2027").returncode == 0
    assert set().union(*versions_linked(copy).values()) == {"spring-2027"}
    assert set_repository(copy, address, "--tag", "main").returncode == 0
    assert versions_linked(copy) == at_main
    assert f"git clone {address}" in read("README.md", copy).splitlines()


@pytest.mark.parametrize("tag", ["", "a b", "-a", "a..b", "a/b", "a.", "\xe9"])
def test_what_is_no_tag_changes_nothing(copy, tag):  # noqa: F811
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    result = set_repository(copy, REPOSITORY, f"--tag={tag}")
    assert result.returncode == 2 and "not a name for a tag" in result.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_what_opens_the_chapters_is_installed_with_the_rest():
    assert "\njupyter lab chapters\n" in read("README.md")
    assert re.search(r"(?m)^jupyterlab==", read("requirements.txt"))
    for page in ("intro.md", "set_up.md", "chapters/14_instructors.md"):
        assert "jupyter lab" in read(page), page


# === in the cloud ===


def test_badges_and_buttons_open_the_first_chapter_in_colab_and_binder():
    badges = re.findall(r"(?m)^\[!\[.+?\]\(\S+\)\]\((\S+)\)$", read("README.md"))
    first = "chapters/01_overview.ipynb"
    assert badges == [
        f"{COLAB}{NAME}/blob/{BRANCH}/{first}",
        f"{BINDER}{NAME}/{BRANCH}?urlpath=lab/tree/{first}",
    ]
    buttons = SETTINGS["launch_buttons"]
    assert BINDER.startswith(buttons["binderhub_url"])
    assert buttons["notebook_interface"] == "jupyterlab"


def test_binder_takes_a_python_that_the_course_runs_on():
    """It reads runtime.txt where there is no folder binder, and no environment.yml."""
    name, version = read("runtime.txt").strip().split("-")
    assert name == "python" and version in ("3.11", "3.12", "3.13")
    others = ("binder", ".binder", "environment.yml", "Dockerfile", "setup.py")
    assert not [other for other in others if (ROOT / other).exists()]


def test_the_hubs_link_is_one_that_nbgitpuller_reads():
    [link] = re.findall(
        r"https://hub\.example\.org/[^\s`]+", read("chapters/14_instructors.md")
    )
    asked = parse_qs(urlsplit(link).query, strict_parsing=True)
    [folder], [place] = asked["targetpath"], asked["urlpath"]
    # which updates from a branch, and not from a term's tag
    assert asked["repo"] == [REPOSITORY] and asked["branch"] == ["main"]
    assert (ROOT / place.removeprefix(f"lab/tree/{folder}/")).is_file()
