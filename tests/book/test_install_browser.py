"""`tests/install_browser.sh` decides the same each time: Debian's browser where there
is one, else a download.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "install_browser.sh"
# no browser among them, whatever is installed here
TOOLS = ("env", "bash", "dirname", "id", "cat", "seq", "touch", "chmod")
LONG_POLICY = "seq 1 20000"  # more than a pipe holds


@pytest.fixture
def machine(tmp_path):
    """A function of what apt-cache prints: a machine of stubs that note their calls."""
    if any(shutil.which(tool) is None for tool in TOOLS):
        pytest.skip(f"needs {', '.join(TOOLS)}")

    def make(policy):
        folder = tmp_path / "bin"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for tool in TOOLS:
            (folder / tool).symlink_to(shutil.which(tool))
        chromium = folder / "chromium"
        stubs = {
            "apt-cache": policy,
            "apt-get": (
                f'[ "$1" = update ] || {{ echo apt-get >>"{tmp_path}/asked"; touch'
                f' "{chromium}"; chmod +x "{chromium}"; }}'
            ),
            "sudo": '"$@"',
            "python": (
                f'case "$*" in *playwright*) echo download >>"{tmp_path}/asked"; touch'
                f' "{chromium}"; chmod +x "{chromium}";; -) cat >/dev/null; exit 1;;'
                " esac"
            ),
        }
        for name, body in stubs.items():
            (folder / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
            (folder / name).chmod(0o755)
        done = subprocess.run(
            [folder / "bash", SCRIPT],
            env={"PATH": str(folder), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and "The browser tests will use" in done.stdout, (
            done.stderr
        )
        asked = (tmp_path / "asked").read_text().split()
        (tmp_path / "asked").unlink()
        return asked

    return make


def test_the_package_is_taken_twenty_times_of_twenty(machine):
    for _ in range(20):
        assert machine(f"echo '  Candidate: 131.0'; {LONG_POLICY}") == ["apt-get"]


@pytest.mark.parametrize("policy", ["echo '  Candidate: (none)'", "exit 1", ":"])
def test_without_a_package_it_is_downloaded(machine, policy):
    assert machine(policy) == ["download"]
