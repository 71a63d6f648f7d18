"""A new instructor's first evening, as chapter 14 tells it step by step: kit, changes,
book, tests, bundle, doctor.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "chapters" / "14_instructors.md").read_text(encoding="utf-8")
STEPS = GUIDE[GUIDE.index("## Your kit, step by step") : GUIDE.index("## Assessment")]
pytestmark = pytest.mark.slow

PROXY = "http://127.0.0.1:9"  # where nobody listens: the network is cut


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A clone of the course as it is here, the instructor's photos beside it, and a
    shell without a network.
    """
    if shutil.which("git") is None:
        pytest.skip("a bundle is made of a commit: this needs git")
    desk = tmp_path_factory.mktemp("desk")
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (desk / "course" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, desk / "course" / name)
    git = [
        "git",
        "-C",
        str(desk / "course"),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
    ]
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "course"],
    ):
        subprocess.run([*git, *command], check=True)
    dice = np.random.default_rng(0)
    for label, kind in enumerate(("leaf", "stone")):
        (desk / "photos" / kind).mkdir(parents=True)
        for number in range(24 + 12 * label):  # unequal classes, pictures of many sizes
            noise = dice.integers(0, 120, size=(*dice.integers(30, 60, size=2), 3))
            noise[10:20, 10:20, label] += 130
            Image.fromarray(noise.astype("uint8")).save(
                desk / "photos" / kind / f"{number}.jpg"
            )
    return desk


def commands():
    """The guide's own commands, in its order."""
    return [
        line
        for block in re.findall(r"```bash\n(.*?)```", STEPS, re.DOTALL)
        for line in block.strip().splitlines()
    ]


def do(command, folder, **variables):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **variables,
    }
    environment |= dict.fromkeys(
        ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), PROXY
    )
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_the_kits_own_tests_pass(desk):
    """Every cell of it is compared in the course's own chapters, too."""
    make, _, _, test, _, _ = commands()
    for command in (make, test):
        result = do(command, desk / "course")
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    assert re.search(r"\d+ passed", result.stdout)
    shutil.rmtree(desk / "my-class")


def test_the_evening(desk):
    make, again, build, test, bundle, doctor = commands()
    assert test.startswith("pytest ")
    course, kit = desk / "course", desk / "my-class"
    assert make == "python tools/classroom.py --plan 90min --out ../my-class"
    result = do(make, course)
    assert result.returncode == 0, result.stderr

    # The three changes of the guide: institution, data, a section less.
    plan = kit / "plan.toml"
    text = plan.read_text(encoding="utf-8")
    [changes] = re.findall(r"```toml\n(.*?)```", STEPS, re.DOTALL)
    for line in changes.strip().splitlines():
        text, count = re.subn(
            rf"(?m)^{line.split(' = ')[0]} = .*$", lambda found: line, text, count=1
        )
        assert count == 1, line
    plan.write_text(text, encoding="utf-8")
    result = do(again, course)
    assert result.returncode == 0, result.stderr
    assert (kit / "student" / "data" / "photos.npz").is_file()
    own = json.loads(
        (kit / "student" / "chapters" / "15_own_pictures.ipynb").read_text(
            encoding="utf-8"
        )
    )
    assert "classes: leaf, stone" in json.dumps(own)
    assert "## Where it fails" not in (
        kit / "student" / "chapters" / "01_overview.ipynb"
    ).read_text(encoding="utf-8")

    result = do(build, course)
    assert result.returncode == 0, result.stderr
    assert "Evening School of Testing" in (
        kit / "student" / "_build" / "html" / "intro.html"
    ).read_text(encoding="utf-8")

    result = do(bundle, course)
    assert result.returncode == 0, result.stderr
    shutil.unpack_archive(desk / "my-class.zip", desk / "stick")
    [folder] = (desk / "stick").iterdir()
    assert "Evening School of Testing" in (folder / "book" / "intro.html").read_text(
        encoding="utf-8"
    )

    result = do(doctor, folder, PYTHONPATH=str(folder))
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads((folder / "7.json").read_text(encoding="utf-8"))
    assert report["ready"] and report["name"] == "7"
    assert (
        "photos: 60 in 2 classes" in result.stdout
        and "15_own_pictures" in result.stdout
        and "09_training" not in result.stdout
    )
