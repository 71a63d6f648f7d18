"""The command line: what it does, and one line with exit code 2 where it cannot."""

import os
import re
import shutil
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


# === done ===


@pytest.mark.long
def test_train_then_attend(train_on_small_data, picture, tmp_path, capsys):
    """`train_on_small_data` replaces the data set."""
    train = [
        "train",
        "--preset",
        "shapes",
        "--out",
        str(tmp_path / "run"),
        "--epochs",
        "1",
        "--limit",
        "64",
        "--seed",
        "3",
    ]
    assert main(train) == 0
    out, err = capsys.readouterr()
    record = records.load(tmp_path / "run")
    assert (
        "val_accuracy: " in out and out.endswith(record.summary() + "\n") and err == ""
    )
    assert [record.recipe[key] for key in ("epochs", "limit", "seed", "dataset")] == [
        1,
        64,
        3,
        "shapes",
    ]

    assert main(train) == 0  # again: only the results
    assert capsys.readouterr().out == record.summary() + "\n"

    drawn = tmp_path / "drawn" / "map.png"
    assert (
        main(
            [
                "attend",
                str(picture),
                "--record",
                str(tmp_path / "run"),
                "--out",
                str(drawn),
            ]
        )
        == 0
    )
    *classes, last = capsys.readouterr().out.splitlines()
    if len(classes) == 4:
        assert classes.pop().startswith(
            "note: this is unlike the pictures that the network was trained on"
        )
    assert len(classes) == 3 and last == f"attention map written to {drawn}"
    matches = [re.fullmatch(r"(\w+) +([\d.]+)%", line) for line in classes]
    assert {match[1] for match in matches} < set(record.results["class_names"])
    shares = [float(match[2]) for match in matches]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 100.2
    with Image.open(drawn) as figure:
        assert figure.width > 800 and figure.height > 200
        assert len(figure.convert("RGB").getcolors(2**24)) > 100


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


def height_of(path):
    with Image.open(path) as figure:
        return figure.height


@pytest.mark.long
def test_attend_to_several_pictures_side_by_side(
    finished_run, folder, tmp_path, capsys
):
    drawn, files = (
        tmp_path / "maps.png",
        [str(folder / f"{number}.png") for number in range(3)],
    )
    assert (
        main(["attend", *files, "--record", str(finished_run), "--out", str(drawn)])
        == 0
    )
    out, err = capsys.readouterr()
    *lines, last = out.splitlines()
    assert last == f"3 attention maps written to {drawn}" and err == ""
    for number, line in enumerate(lines[:3]):
        assert re.fullmatch(rf"{number}\.png: \w+, [\d% a-z]+; attention .*", line), (
            line
        )
    # plain colours, all of them
    assert lines[3].startswith("note, for 3 of 3: this is unlike the pictures")
    assert 100 < height_of(drawn) < 300  # one row


@pytest.mark.long
def test_attend_to_a_folder_names_what_it_left_out_and_skipped(
    finished_run, folder, tmp_path, capsys
):
    drawn = tmp_path / "sheet.png"
    assert (
        main(
            ["attend", str(folder), "--record", str(finished_run), "--out", str(drawn)]
        )
        == 1
    )
    out, err = capsys.readouterr()
    first, *lines = out.splitlines()
    assert first == "left out, as no pictures by their names: letter.txt"
    assert [line.partition(":")[0] for line in lines[:3]] == ["0.png", "1.png", "2.png"]
    assert lines[-1] == f"3 attention maps written to {drawn}"
    assert re.fullmatch(
        rf"warning: skipped: {re.escape(str(folder))}/broken\.jpg .*\n", err
    ), err
    assert height_of(drawn) > 100


@pytest.mark.long
def test_attend_to_many_pictures_makes_a_sheet(finished_run, picture, tmp_path, capsys):
    drawn = tmp_path / "sheet.png"
    assert (
        main(
            [
                "attend",
                *[str(picture)] * 13,
                "--record",
                str(finished_run),
                "--out",
                str(drawn),
            ]
        )
        == 0
    )
    assert capsys.readouterr().out.count("photo.png: ") == 13
    assert height_of(drawn) > 600  # four rows


def test_attend_to_an_address(finished_run, picture, tmp_path, capsys, monkeypatch):
    content = picture.read_bytes()
    monkeypatch.setattr("patchconvnet.data.reading._download", lambda url: content)
    drawn = tmp_path / "map.png"
    assert (
        main(
            [
                "attend",
                "https://example.org/photo.png",
                "--record",
                str(finished_run),
                "--out",
                str(drawn),
            ]
        )
        == 0
    )
    assert "attention map written" in capsys.readouterr().out and drawn.exists()


def test_attend_refuses_where_nothing_can_be_read_or_too_much_is_given(
    refused, finished_run, folder, tmp_path
):
    options = ["--record", finished_run, "--out", tmp_path / "map.png"]
    line = refused("attend", folder / "broken.jpg", tmp_path / "none.png", *options)
    assert (
        "none of the 2 pictures could be read; the first: " in line
        and "broken.jpg" in line
    )
    assert "401 pictures: at most 400 fit on one sheet" in refused(
        "attend", *[folder / "0.png"] * 401, *options
    )
    assert not (tmp_path / "map.png").exists()
    before = (folder / "0.png").read_bytes()
    line = refused(
        "attend", folder, "--record", finished_run, "--out", folder / "0.png"
    )
    assert (
        "would replace the picture itself" in line
        and (folder / "0.png").read_bytes() == before
    )


def test_attend_says_where_nobody_measured_what_is_usual(
    finished_run, picture, tmp_path, capsys
):
    shutil.copytree(finished_run, tmp_path / "old")
    (tmp_path / "old" / "familiarity.npz").unlink()
    assert (
        main(
            [
                "attend",
                str(picture),
                "--record",
                str(tmp_path / "old"),
                "--out",
                str(tmp_path / "map.png"),
            ]
        )
        == 0
    )
    assert "note: nobody measured how near this is" in capsys.readouterr().out


@pytest.mark.long
def test_attend_in_a_process_of_its_own_is_quiet(folder, tmp_path):
    """TensorFlow's warnings, say of a new picture size, would be errors to a script."""
    for number in range(8):
        Image.new("RGB", (60 + 7 * number, 50)).save(folder / f"size{number}.png")
    (folder / "broken.jpg").unlink()
    result = run(
        "attend",
        folder,
        "--record",
        "shapes",
        "--out",
        tmp_path / "sheet.png",
        folder=tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stderr


@pytest.mark.long
@pytest.mark.parametrize(("suffix", "first"), [("PDF", b"%PDF"), ("svg", b"<?xml")])
def test_attend_writes_other_formats(finished_run, picture, suffix, first):
    path = picture.with_name(f"map.{suffix}")
    assert (
        main(
            ["attend", str(picture), "--record", str(finished_run), "--out", str(path)]
        )
        == 0
    )
    assert path.read_bytes().startswith(first)


def test_an_interrupted_training_says_how_to_go_on(monkeypatch, capsys, tmp_path):
    def interrupt(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("patchconvnet.training.train", interrupt)
    assert main(["train", "--preset", "shapes", "--out", str(tmp_path / "run")]) == 130
    assert (
        "the same train command goes on from the last whole epoch"
        in capsys.readouterr().err
    )


# === each option reaches what it is for ===


@pytest.fixture
def trained(monkeypatch):
    """What `train` would have been called with: nothing is trained."""
    from patchconvnet import training

    calls = []

    class Said:
        def summary(self):
            return "the summary"

    monkeypatch.setattr(
        training,
        "train",
        lambda *given, **options: calls.append((given, options)) or Said(),
    )
    return calls


def test_without_options_train_gets_the_usual(trained, capsys):
    assert main(["train", "--preset", "shapes", "--out", "run"]) == 0
    usual = {
        "data": None,
        "epochs": None,
        "limit": None,
        "seed": 0,
        "keep": None,
        "settings": {},
        "devices": None,
        "verbose": 2,
    }
    assert (
        trained == [(("shapes", "run"), usual)]
        and capsys.readouterr().out == "the summary\n"
    )


@pytest.mark.parametrize(
    ("options", "given"),
    [
        (["--data", "photos/"], {"data": "photos/"}),
        (["--epochs", "3"], {"epochs": 3}),
        (["--limit", "50"], {"limit": 50}),
        (["--seed", "7"], {"seed": 7}),
        (["--keep", "scores"], {"keep": "scores"}),
        (["--devices", "2"], {"devices": 2}),
        (["--devices", "all"], {"devices": "all"}),
        (["--set", "depth=4", "--set", "norm=batch", "--set", "flip=True",
          "--set", "stem_strides=(1, 2)", "--set", "warmup=1e-1"],
         {"settings": {"depth": 4, "norm": "batch", "flip": True,
                       "stem_strides": (1, 2), "warmup": 0.1}}),
        (["--set", "token_initializer=a=b"],
         {"settings": {"token_initializer": "a=b"}}),
    ],
)  # fmt: skip
def test_each_option_of_train_is_passed_on(trained, options, given):
    assert main(["train", "--preset", "cifar10", "--out", "run", *options]) == 0
    [(places, passed)] = trained
    assert places == ("cifar10", "run") and {key: passed[key] for key in given} == given


def test_a_terminal_gets_a_progress_bar(trained, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["train", "--preset", "shapes", "--out", "run"]) == 0
    assert trained[0][1]["verbose"] == 1


@pytest.mark.parametrize("text", ["depth", "=4", "depth=", "="])
def test_a_setting_has_a_name_and_a_value(refused, text):
    assert "wanted NAME=VALUE, as in depth=4" in refused(
        "train", "--preset", "shapes", "--out", "run", "--set", text
    )


@pytest.fixture
def attended(monkeypatch, picture, tmp_path):
    """`attend` with a network of six classes made of numbers; it keeps the drawing."""
    monkeypatch.chdir(tmp_path)
    from patchconvnet import inference, plotting

    drawn = {}
    shares = np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
    strange = iter([True, False, None] * 200)

    def predict(network, pixels, names, usual):
        return inference.Prediction(
            tuple("abcdef"), shares, np.eye(4), (0, 0, 8), strange=next(strange)
        )

    class Record:
        results = {"class_names": list("abcdef")}
        usual = None
        model = staticmethod(lambda: None)

    monkeypatch.setattr(records, "load", lambda name: Record())
    monkeypatch.setattr(inference, "predict", predict)
    for kind in ("prediction", "attention", "contact_sheet"):
        monkeypatch.setattr(
            plotting,
            kind,
            lambda *given, kind=kind, **options: drawn.update({kind: (given, options)}),
        )
    return drawn


def test_one_picture_is_drawn_with_five_classes_and_three_are_printed(
    attended, picture, capsys
):
    assert main(["attend", str(picture), "--record", "mine", "--out", "map.png"]) == 0
    given, _ = attended.pop("prediction")
    assert (
        attended == {}
        and given[2] == tuple("abcde")
        and given[3].tolist() == [0.4, 0.25, 0.15, 0.1, 0.06]
    )
    assert given[0].shape == (60, 90, 3) and given[4:] == (
        (0, 0, 8),
        "attention",
        "map.png",
    )
    *classes, note, last = capsys.readouterr().out.splitlines()
    assert classes == [
        "a             40.0%",
        "b             25.0%",
        "c             15.0%",
    ]
    assert (
        note.startswith("note: this is unlike the pictures")
        and last == "attention map written to map.png"
    )


@pytest.mark.parametrize(
    ("count", "kind", "columns"),
    [
        (2, "attention", 2),
        (3, "attention", 3),
        (12, "attention", 3),
        (13, "contact_sheet", None),
    ],
)
def test_up_to_twelve_pictures_stand_side_by_side(
    attended, picture, capsys, count, kind, columns
):
    assert (
        main(
            ["attend", *[str(picture)] * count, "--record", "mine", "--out", "map.png"]
        )
        == 0
    )
    given, options = attended.pop(kind)
    assert (
        attended == {}
        and options.get("columns") == columns
        and options["save_to"] == "map.png"
    )
    pictures, maps, titles, *_ = given
    assert len(pictures) == len(maps) == count and titles[:2] == [
        "photo.png\na, 40% (strange)",
        "photo.png\na, 40%",
    ]
    noted = sum(number % 3 != 1 for number in range(count))
    assert f"note, for {noted} of {count}: this is unlike" in capsys.readouterr().out


def test_four_hundred_pictures_are_the_most(attended, refused, picture):
    assert (
        main(["attend", *[str(picture)] * 400, "--record", "mine", "--out", "map.png"])
        == 0
    )
    assert "401 pictures: at most 400 fit on one sheet" in refused(
        "attend", *[picture] * 401, "--record", "mine", "--out", "map.png"
    )


def test_a_folder_of_one_picture_is_a_sheet_and_pictures_are_shrunk_for_it(
    attended, tmp_path
):
    place = tmp_path / "holidays"
    place.mkdir()
    Image.new("RGB", (900, 640)).save(
        place / "a picture with a very long name indeed.png"
    )
    assert (
        main(
            [
                "attend",
                str(place),
                "--record",
                "mine",
                "--out",
                str(tmp_path / "map.png"),
            ]
        )
        == 0
    )
    pictures, _, titles, squares = attended["contact_sheet"][0]
    assert pictures[0].shape == (228, 320, 3) and squares == [(46, 0, 228)]
    assert (
        titles[0].splitlines()[0] == "a picture with a very long name indeed.png"[:24]
    )


def test_nothing_speaks_against_a_usual_picture(attended, picture, monkeypatch, capsys):
    from patchconvnet import inference

    usual = inference.Prediction(
        tuple("abcdef"), np.full(6, 1 / 6), np.eye(4), (0, 0, 8), strange=False
    )
    monkeypatch.setattr(inference, "predict", lambda *given: usual)
    for pictures in ([picture], [picture] * 2):
        assert (
            main(
                ["attend", *map(str, pictures), "--record", "mine", "--out", "map.png"]
            )
            == 0
        )
        assert "note" not in capsys.readouterr().out
