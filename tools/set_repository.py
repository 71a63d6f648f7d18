"""Change the address of the course's repository, everywhere at once.

    python tools/set_repository.py                # the address of `git remote`, origin
    python tools/set_repository.py https://github.com/you/your-course
    python tools/set_repository.py --tag autumn-2026    # links lead to that version,
                                                        # not to main
    python tools/set_repository.py --check        # fails while it is nobody's

The address stands in _config.yml, and in every link, badge and install command that
cannot read it from there. This command replaces it in all of them.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ADDRESS = re.compile(
    r"https://github\.com/([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)/([A-Za-z0-9._-]+)"
)
GIVE_IT = "give the address, https://github.com/OWNER/REPO"
BRANCH = re.compile(r"(?m)^(  branch: )(\S+)$")
TAG = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
NOBODY = "OWNER/"  # how the course's own address begins
OVER_SSH = re.compile(r"(?:ssh://)?git@github\.com[:/]")
PLACES = (
    "_config.yml", "pyproject.toml", "CITATION.cff", "*.md",
    "chapters/*.ipynb", "chapters/*.md", "patchconvnet/**/*.py", "tools/*.py",
)  # fmt: skip


class BadInput(Exception):
    """Something that the person at the keyboard can put right."""


def parse_address(text):
    """https://github.com/OWNER/REPO (a slash or .git may follow) -> OWNER/REPO."""
    address = text.removesuffix("/").removesuffix(".git")
    match = ADDRESS.fullmatch(address)
    if (
        match is None
        or not match[2].strip(".")
        or match[2].endswith(".git")
        or len(match[1]) > 39
        or len(match[2]) > 100
    ):
        wanted = "https://github.com/OWNER/REPO"
        raise BadInput(f"not a repository address: {text!r} (expected {wanted})")
    return f"{match[1]}/{match[2]}"


def remote_address(root):
    """The address that git pushes to, as https://github.com/OWNER/REPO."""
    command = ["git", "-C", str(root), "remote", "get-url", "origin"]
    try:
        found = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        raise BadInput(f"git is not installed here: {GIVE_IT}") from None
    if found.returncode:
        raise BadInput(f"git knows no address called origin: {GIVE_IT}")
    return OVER_SSH.sub("https://github.com/", found.stdout.strip())


def read(path):
    """The text of a file, with its own line ends."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(
            f"{path} is no UTF-8: save it as such, or move it away"
        ) from None


def current_name(root):
    """OWNER/REPO, as _config.yml says now."""
    config = Path(root, "_config.yml")
    if not config.is_file():
        raise BadInput(f"no _config.yml in {root}: run this in a clone of the course")
    url = r"(?m)^\s+url:\s*[\"']?(https://github\.com/[^\s\"'#]+)"
    line = re.search(url, read(config))
    if line is None:
        raise BadInput(f"no repository url in {config}")
    return parse_address(line[1])


def replace_name(text, old, new):
    """Replace OWNER/REPO where it is part of an address, and nowhere else.

    GitHub's own address, Colab's (.../github/OWNER/REPO/blob/...) and Binder's
    (.../gh/OWNER/REPO/...) hold it. The
    end matters: `me/course` must not match inside `me/course-two` or `me/course.js`,
    while the `.git` of a clone address and the full stop of a sentence may follow.
    """
    end = r"(?![A-Za-z0-9_-])(?!\.(?!git\b)[A-Za-z0-9_-])"
    hosts = r"github\.com|githubusercontent\.com|/github|/gh"
    pattern = rf"((?:{hosts})/){re.escape(old)}{end}"
    return re.sub(pattern, lambda match: match[1] + new, text)


def current_branch(root):
    """The branch or tag that links lead to, as _config.yml says now."""
    line = BRANCH.search(read(Path(root, "_config.yml")))
    if line is None:
        raise BadInput(f"no repository branch in {Path(root, '_config.yml')}")
    return line[2]


def replace_branch(text, name, old, new):
    """Replace the branch or tag in addresses of OWNER/REPO, and in `git clone`.

    The link for a hub keeps its branch: nbgitpuller gets no news from a tag.
    """
    name, old = re.escape(name), re.escape(old)
    links = rf"((?:/{name}/(?:blob|tree)|/gh/{name})/){old}(?![\w.-])"
    text = re.sub(links, lambda match: match[1] + new, text)
    clone = rf"git clone (?:--branch \S+ )?(https://github\.com/{name})"
    option = "" if new == "main" else f"--branch {new} "
    return re.sub(clone, lambda match: f"git clone {option}{match[1]}", text)


def write_whole(path, text):
    """Write a file whole or not at all: a half-written notebook cannot be opened."""
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=path.name, suffix=".tmp"
    )
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(temporary, path.stat().st_mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def set_repository(address, root=".", tag=None):
    """Change the address in all files under `root`; return those that changed.

    With a `tag` (or a branch), links lead to that from now on.
    """
    new = parse_address(address)
    old = current_name(root)
    branch = current_branch(root)
    if tag is not None and not TAG.fullmatch(tag):
        raise BadInput(f"not a name for a tag: {tag!r} (expected one as autumn-2026)")
    paths = sorted(
        path
        for place in PLACES
        for path in Path(root).glob(place)
        if path.is_file() and not path.is_symlink()
    )
    changes = []
    for path in paths:
        before = read(path)
        after = replace_name(before, old, new)
        if tag is not None:
            after = replace_branch(after, new, branch, tag)
            if path.name == "_config.yml":
                after = BRANCH.sub(lambda match: match[1] + tag, after)
        if after != before:
            changes.append((path, after))
    # _config.yml, the place that the old name is read from, goes last: a run that was
    # interrupted can simply be started again.
    changes.sort(key=lambda change: change[0].name == "_config.yml")
    for path, after in changes:
        write_whole(path, after)
    return [path for path, _ in changes]


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise BadInput(f"{message} (see {self.prog} --help)")


def check_somebody(root):
    """Fail where the address is still the one that the course comes with."""
    if current_name(root).startswith(NOBODY):
        raise BadInput(
            "the course's address is still https://github.com/OWNER/...: run python"
            " tools/set_repository.py once, and commit what it changes"
        )


def main(arguments=None):
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "address", nargs="?", help="https://github.com/OWNER/REPO; default: git's"
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail if it is nobody's"
    )
    parser.add_argument(
        "--tag", help="the term's version: links lead to it; main undoes that"
    )
    root = Path(__file__).resolve().parent.parent
    try:
        options = parser.parse_args(arguments)
        if options.check:
            return check_somebody(root) or 0
        address = options.address
        address = remote_address(root) if address is None else address
        changed = set_repository(address, root, options.tag)
    except (BadInput, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    for path in changed:
        print(f"changed {path.relative_to(root)}")
    if not changed:
        print("nothing to change: the address is this one already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
