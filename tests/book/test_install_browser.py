"""`tests/install_browser.sh` decides the same each time: Debian's browsers where there
are any; else a Chromium is downloaded, and the others are left out.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "install_browser.sh"
# no browser among them, whatever is installed here
TOOLS = ("env", "bash", "dirname", "id", "cat", "seq", "touch", "chmod")
LONG_POLICY = "seq 1 20000"  # more than a pipe holds
OTHERS = {
    "firefox-esr": "firefox-esr",
    "webkit2gtk-driver": "WebKitWebDriver",
    "xvfb": "Xvfb",
}
THERE = "echo '  Candidate: 131.0'"


@pytest.fixture
def machine(tmp_path):
    """A function of what apt-cache prints: a machine of stubs that note their calls."""
    if any(shutil.which(tool) is None for tool in TOOLS):
        pytest.skip(f"needs {', '.join(TOOLS)}")
    folder = tmp_path / "bin"

    def make(policy, installed=()):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for tool in TOOLS:
            (folder / tool).symlink_to(shutil.which(tool))
        appears = lambda name: f'touch "{folder}/{name}"; chmod +x "{folder}/{name}"'
        cases = "".join(
            f"{package}) {appears(name)};;"
            for package, name in {"chromium": "chromium", **OTHERS}.items()
        )
        note = f'echo >>"{tmp_path}/asked"'
        stubs = {
            "apt-cache": policy,
            "apt-get": (
                f'[ "$1" = update ] && {{ {note} update; exit; }}; {note} "${{!#}}";'
                f' case "${{!#}}" in {cases} esac'
            ),
            "sudo": '"$@"',
            "python": (
                f'case "$*" in *playwright*) {note} download; {appears("chromium")};;'
                " -) cat >/dev/null; exit 1;; esac"
            ),
            **dict.fromkeys(installed, ""),
        }
        for name, body in stubs.items():
            (folder / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
            (folder / name).chmod(0o755)
        (tmp_path / "asked").write_text("")
        done = subprocess.run(
            [folder / "bash", SCRIPT],
            env={"PATH": str(folder), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and "The browser tests will use" in done.stdout, (
            done.stderr
        )
        return (tmp_path / "asked").read_text().split(), done.stdout

    return make


def test_the_packages_are_taken_twenty_times_of_twenty(machine):
    for _ in range(20):
        asked, _ = machine(f"{THERE}; {LONG_POLICY}")
        assert asked == ["update", "chromium", *OTHERS]


@pytest.mark.parametrize("policy", ["echo '  Candidate: (none)'", "exit 1", ":"])
def test_without_packages_one_is_downloaded_and_the_others_are_left_out(
    machine, policy
):
    asked, said = machine(policy)
    assert asked == ["update", "download"]
    for package in OTHERS:
        assert f"apt has no {package} here" in said


def test_what_is_there_stays_and_what_is_missing_comes(machine):
    all_there = ["chromium", *OTHERS.values()]
    assert machine(THERE, all_there)[0] == []
    for missing in OTHERS:
        others = [name for name in all_there if name != OTHERS[missing]]
        assert machine(THERE, others)[0] == ["update", missing]
