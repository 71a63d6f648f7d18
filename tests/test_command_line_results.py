"""The command line where all is well: what is written and said."""

import re
import shutil

import pytest
from PIL import Image
from test_command_line import folder, picture, refused, run  # noqa: F401

from patchconvnet import records
from patchconvnet.__main__ import main
from patchconvnet.course import commands


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


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a/1.jpg", "a/2.jpg"], ["1.jpg", "2.jpg"]),
        (["cat/1.jpg", "dog/1.jpg", "dog/2.jpg"], ["cat/1.jpg", "dog/1.jpg", "2.jpg"]),
        (["x/a/1.jpg", "y/a/1.jpg"], ["x/a/1.jpg", "y/a/1.jpg"]),
        (["1.jpg", "a/1.jpg"], ["1.jpg", "a/1.jpg"]),
        (["a/1.jpg", "a/1.jpg"], ["1.jpg", "1.jpg"]),  # one picture, given twice
        (["C:\\cat\\1.jpg", "C:\\dog\\1.jpg"], ["cat/1.jpg", "dog/1.jpg"]),
    ],
)
def test_equal_names_in_two_folders_are_told_apart(sources, names):
    assert commands.names_apart(sources) == names


@pytest.mark.long
def test_attend_tells_equal_names_apart(finished_run, picture, tmp_path, capsys):
    folders = [tmp_path / name for name in ("cat", "dog")]
    for place in folders:
        place.mkdir()
        shutil.copy2(picture, place / "1.png")
    drawn = tmp_path / "maps.png"
    given = ["attend", *map(str, folders), "--record", str(finished_run)]
    assert main([*given, "--out", str(drawn)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("cat/1.png: ") and lines[1].startswith("dog/1.png: ")
