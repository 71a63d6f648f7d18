"""The command line: what it does, and one line with exit code 2 where it cannot."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from patchconvnet import files, records
from patchconvnet.__main__ import main

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments, folder, **variables):
    """The command in a process of its own, as a user starts it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "patchconvnet", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def refused(capsys):
    """Runs a command that must be refused, and gives its one line."""

    def call(*arguments):
        capsys.readouterr()
        assert main(list(map(str, arguments))) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("error: ") and err.count("\n") == 1, err
        return err

    return call


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype("uint8")
    Image.fromarray(pixels).save(path)
    return path


# === help ===


def test_help_needs_no_keras(tmp_path):
    """No clock: what would take seconds ends the command where it is imported."""
    for name in ("keras", "tensorflow", "numpy", "matplotlib", "PIL"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} was imported')")
    for arguments in (["--help"], ["train", "--help"], ["attend", "--help"]):
        result = run(*arguments, folder=tmp_path)
        assert (result.returncode, result.stderr) == (
            0,
            "",
        ) and result.stdout.startswith("usage: ")
    assert "--record" in result.stdout


# === in a process of its own: exit code, and no more than one line ===


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (
            ["train", "--preset", "shapes", "--out", "run"],
            {"KERAS_BACKEND": "nonsense"},
            "KERAS_BACKEND is 'nonsense'",
        ),
        ([], {}, "the following arguments are required: COMMAND"),
        (
            ["train", "--preset", "shapes", "--out", "run", "--epochs", "many"],
            {},
            "--epochs: invalid int value: 'many'",
        ),
        (
            ["train", "--preset", "shaps", "--out", "run"],
            {},
            "no preset 'shaps'.*did you mean \"shapes\"",
        ),
    ],
)
def test_bad_input_ends_with_exit_code_2_and_one_line(
    tmp_path, arguments, variables, message
):
    result = run(*arguments, folder=tmp_path, **variables)
    assert result.returncode == 2 and result.stdout == ""
    assert re.fullmatch(f"error: .*{message}.*\n", result.stderr), result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_backend_that_is_not_installed(tmp_path):
    # Found before an installed JAX, this file behaves as if there were none.
    (tmp_path / "jax.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'jax'\")"
    )
    result = run(
        "train",
        "--preset",
        "shapes",
        "--out",
        "run",
        folder=tmp_path,
        KERAS_BACKEND="jax",
    )
    assert result.returncode == 2
    wanted = (
        r"error: .*backend jax \(ModuleNotFoundError: No module named 'jax.*\): pip"
        r" install jax, or set KERAS_BACKEND to .*\n"
    )
    assert re.fullmatch(wanted, result.stderr), result.stderr


# === refused ===


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "shaeps"], "no data set 'shaeps'"),
        (["--epochs", "0"], "epochs must be a whole number from 1 to 100,000, got 0"),
        (
            ["--limit", "0"],
            "limit must be None or a whole number from 1 to 1,000,000,000, got 0",
        ),
        (["--seed", "-1"], "seed must be a whole number from 0"),
        (["--speed", "9"], "unrecognized arguments: --speed 9"),
        (["--set", "depth"], "--set depth: wanted NAME=VALUE"),
        (
            ["--set", "dept=4"],
            (
                "dept is not a setting of the network or its training that can be"
                " changed; did you mean depth?"
            ),
        ),
        (["--set", "num_classes=4"], "num_classes is not a setting"),
        (["--set", "pooling=max"], "pooling must be one of"),
        (
            ["--set", "pooling=max"],
            "pooling must be one of 'attention', 'average', got 'max'",
        ),
        (["--set", "dim=7"], "dim must be positive and divisible by 2"),
        (
            ["--set", "stem_strides=3"],
            "stem_strides must be a sequence of 1 to 8, each one of 1, 2, got 3",
        ),
    ],
)
def test_train_refuses(refused, tmp_path, options, message):
    assert message in refused(
        "train", "--preset", "shapes", "--out", tmp_path / "run", *options
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_train_refuses_places_that_are_taken(refused, finished_run, picture):
    line = refused(
        "train", "--preset", "shapes", "--out", finished_run, "--epochs", "9"
    )
    assert "holds another run: its epochs is 2, not 9" in line
    assert "is a file, not a folder" in refused(
        "train", "--preset", "shapes", "--out", picture
    )
    assert "holds no run" in refused(
        "train", "--preset", "shapes", "--out", picture.parent
    )


@pytest.mark.parametrize("missing", [["--preset", "shapes"], ["--out", "run"]])
def test_train_needs_a_preset_and_a_place(refused, missing):
    assert "the following arguments are required" in refused("train", *missing)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("letter.png", b"dear reader", "is not a picture"),
        ("empty.png", b"", "is not a picture"),
        ("none.png", None, "is not there"),
        (".", None, "is a folder without a picture"),
    ],
)
def test_attend_refuses_what_is_no_picture(
    refused, finished_run, tmp_path, name, content, message
):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    line = refused(
        "attend",
        tmp_path / name,
        "--record",
        finished_run,
        "--out",
        tmp_path / "map.png",
    )
    assert message in line and not (tmp_path / "map.png").exists()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_attend_refuses_a_picture_that_is_cut_short(
    refused, finished_run, picture, suffix
):
    path = picture.with_name(f"cut.{suffix}")
    Image.open(picture).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    line = refused(
        "attend", path, "--record", finished_run, "--out", picture.with_name("map.png")
    )
    assert "is it damaged or cut short?" in line


@pytest.mark.parametrize("name", ["map.txt", "map", "map.jpeg", ".png"])
def test_attend_refuses_other_kinds_of_output(refused, finished_run, picture, name):
    line = refused(
        "attend", picture, "--record", finished_run, "--out", picture.with_name(name)
    )
    assert "must end in .png, .pdf or .svg" in line


def test_attend_does_not_overwrite_the_picture(refused, finished_run, picture):
    before = picture.read_bytes()
    line = refused(
        "attend",
        picture,
        "--record",
        finished_run,
        "--out",
        picture.parent / "." / "photo.png",
    )
    assert "would replace the picture itself" in line and picture.read_bytes() == before


def test_attend_refuses_records_that_are_not_there_or_not_whole(
    refused, finished_run, picture, tmp_path
):
    assert "no record 'nonsense'" in refused(
        "attend", picture, "--record", "nonsense", "--out", tmp_path / "map.png"
    )
    records.write_json(tmp_path / "run" / "recipe.json", {})
    line = refused(
        "attend", picture, "--record", tmp_path / "run", "--out", tmp_path / "map.png"
    )
    assert "has not finished" in line


def test_attend_refuses_a_place_that_cannot_be_written(
    refused, finished_run, picture, tmp_path, monkeypatch
):
    line = refused(
        "attend", picture, "--record", finished_run, "--out", picture / "map.png"
    )
    assert "map.png cannot be written" in line

    def refuse(*given):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.os, "replace", refuse)
    line = refused(
        "attend", picture, "--record", finished_run, "--out", tmp_path / "map.png"
    )
    assert "map.png cannot be written: permission denied" in line
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


@pytest.fixture
def folder(tmp_path):
    """Three pictures, a damaged one, and a letter."""
    place = tmp_path / "holidays"
    place.mkdir()
    for number, size in enumerate(((40, 40), (90, 30), (1, 1))):
        Image.new("RGB", size, (90 * number, 120, 60)).save(place / f"{number}.png")
    (place / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (place / "letter.txt").write_text("dear reader")
    return place
