"""What a user sees of a command: one line for what is wrong, and no work lost to a
terminal, a pipe or a disk.
"""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from patchconvnet import __main__ as command_line
from patchconvnet import records
from patchconvnet.__main__ import main
from patchconvnet.course.terminal import Output
from patchconvnet.errors import PatchConvNetError

SIGN = "\N{REPLACEMENT CHARACTER}"


def picture(path, seed=0):
    Image.fromarray(
        np.random.default_rng(seed).integers(256, size=(24, 24, 3), dtype="uint8")
    ).save(path)
    return str(path)


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused: gives its line."""

    def call(*arguments):
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert (
            out == ""
            and err.startswith("error: ")
            and err.count("\n") == 1
            and err[:-1].isprintable()
        )
        return err

    return call


# === names ===


@pytest.mark.long
def test_a_dollar_in_a_name_is_a_dollar_and_what_cannot_be_printed_is_replaced(
    finished_run, tmp_path, capsys
):
    names = (
        "$x_1$ and $.png",
        "a\x1b[31m\n.png",
        b"\xff.png".decode("utf-8", "surrogateescape"),
        "写真.png",
    )
    files = [picture(tmp_path / name, seed) for seed, name in enumerate(names)]
    assert (
        main(
            [
                "attend",
                *files,
                "--record",
                str(finished_run),
                "--out",
                str(tmp_path / "maps.png"),
            ]
        )
        == 0
    )
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split(": ")[0] for line in lines[:4]] == [
        "$x_1$ and $.png",
        f"a{SIGN}[31m .png",
        f"{SIGN}.png",
        "写真.png",
    ]
    assert err == "" and Image.open(tmp_path / "maps.png").size > (100, 100)


def test_names_of_classes_may_hold_a_dollar(finished_run, tmp_path, capsys):
    copy = tmp_path / "run"
    copy.mkdir()
    for path in finished_run.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    results = records.read_json(copy / "results.json")
    records.write_json(
        copy / "results.json",
        results | {"class_names": [f"$_{index}\n{{$" for index in range(10)]},
    )
    assert (
        main(
            [
                "attend",
                picture(tmp_path / "a.png"),
                "--record",
                str(copy),
                "--out",
                str(tmp_path / "map.png"),
            ]
        )
        == 0
    )
    assert capsys.readouterr().out.startswith("$_") and (tmp_path / "map.png").is_file()


# === the terminal ===


def output_of(finished_run, tmp_path, redirection="", encoding="utf-8"):
    """What a shell shows of `attend` on two pictures: the finished process."""
    files = [
        picture(tmp_path / name, seed) for seed, name in enumerate(("ä.png", "b.png"))
    ]
    out = tmp_path / "maps.png"
    script = (
        f'"$0" -m patchconvnet attend "$1" "$2" --record "$3" --out "$4" {redirection};'
        ' echo "code ${PIPESTATUS[0]}" >&2'
    )
    environment = {
        **os.environ,
        "PYTHONIOENCODING": encoding,
        "PYTHONPATH": os.path.dirname(os.path.dirname(command_line.__file__)),
    }
    done = subprocess.run(
        ["bash", "-c", script, sys.executable, *files, str(finished_run), str(out)],
        env=environment,
        capture_output=True,
    )
    assert out.is_file()  # whatever becomes of the words
    return done


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
@pytest.mark.parametrize(
    ("redirection", "errors"),
    [
        ("| head -1", "code 0\n"),
        ("| true", "code 0\n"),
        (">&-", "code 0\n"),
        (
            "> /dev/full",
            (
                "error: standard output cannot be written (No space left on"
                " device)\ncode 2\n"
            ),
        ),
    ],
)
def test_no_work_is_lost_where_nobody_listens(
    finished_run, tmp_path, redirection, errors
):
    assert output_of(finished_run, tmp_path, redirection).stderr.decode() == errors


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_letters_that_the_terminal_lacks_are_replaced(finished_run, tmp_path):
    done = output_of(finished_run, tmp_path, encoding="ascii")
    assert done.stdout.startswith(b"?.png: ") and done.stderr == b"code 0\n"


def test_a_stream_that_is_not_there_takes_everything():
    output = Output(None)
    print("word", file=output, flush=True)
    assert output.problem is None and not output.isatty() and not output.can_show("ä")


# === bad input ===


@pytest.mark.long
@pytest.mark.parametrize(
    "path", ["", "~nobody-has-this-name/x", "x" * 256, "loop", "letter.txt/x"]
)
@pytest.mark.parametrize(
    "option",
    ["image", "--record", "--out", "train --out", "train --data", "evaluate --record"],
)
def test_what_is_no_path_is_one_line_wherever_it_is_given(
    option, path, refused, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("loop", "loop.png"):
        (tmp_path / name).symlink_to(name)
    (tmp_path / "letter.txt").write_text("dear reader")
    picture("a.png")
    given = {"image": "a.png", "--record": "shapes", "--out": "map.png"}
    before = sorted(tmp_path.iterdir())
    if option.startswith("train"):
        arguments = {"--out": "run", option.split()[1]: path}
        refused(
            "train",
            "--preset",
            "shapes",
            *(word for pair in arguments.items() for word in pair),
        )
    elif option.startswith("evaluate"):
        refused("evaluate", "--record", path)
    else:
        given[option] = path + ".png" if option == "--out" and path else path
        refused(
            "attend",
            given["image"],
            "--record",
            given["--record"],
            "--out",
            given["--out"],
        )
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "setting",
    [
        "shift=1.5",
        "cutout=99",
        "flip=1",
        "tied=yes",
        "depth=True",
        "layer_scale=abc",
        "dim=1000000000",
        "image_size=1",
        "depth=" + "[" * 5000,
        "dropout=1" + "0" * 400,
    ],
)
def test_a_setting_that_is_refused_leaves_no_folder(setting, refused, tmp_path):
    name = setting.split("=")[0]
    assert f"{name} must be" in refused(
        "train",
        "--preset",
        "shapes",
        "--out",
        tmp_path / "new" / "run",
        "--set",
        setting,
    )
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_told_before_any_picture_is_answered(
    refused, tmp_path, monkeypatch
):
    from patchconvnet import inference

    monkeypatch.setattr(inference, "read_image", lambda *given: pytest.fail("it began"))
    (tmp_path / "map.png").mkdir()
    (tmp_path / "letter").write_text("")
    files = [picture(tmp_path / name) for name in ("a.png", "b.png")]
    for out, reason in (
        (tmp_path / "map.png", "it is a folder. Choose another place."),
        (tmp_path / "letter" / "map.png", "cannot be written"),
    ):
        assert reason in refused("attend", *files, "--record", "shapes", "--out", out)


def test_a_full_disk_and_no_memory_are_one_line(refused, tmp_path, monkeypatch):
    from patchconvnet import training

    def fail(error):
        def train(*given, **options):
            raise error

        return train

    of_jax = RuntimeError(
        "RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes\nwith details"
    )
    no_memory = "not enough memory: close other programs"
    for error, line in (
        (OSError(28, "No space left on device"), "No space left"),
        (MemoryError(), no_memory),
        (of_jax, no_memory),
    ):
        monkeypatch.setattr(training, "train", fail(error))
        assert line in refused("train", "--preset", "shapes", "--out", tmp_path / "run")


def test_a_fault_of_ours_keeps_its_traceback(tmp_path, monkeypatch):
    from patchconvnet import training

    def train(*given, **options):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(training, "train", train)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        main(["train", "--preset", "shapes", "--out", str(tmp_path / "run")])


def test_a_warning_is_one_line(refused, tmp_path, monkeypatch):
    """Told without the line of our source that noticed it."""
    from patchconvnet import training

    def train(*given, **options):
        raise PatchConvNetError(
            warnings.formatwarning(
                UserWarning("2 of 3\npictures"), UserWarning, "file.py", 7
            ).strip()
        )

    before = warnings.formatwarning
    monkeypatch.setattr(training, "train", train)
    assert (
        refused("train", "--preset", "shapes", "--out", tmp_path / "run")
        == "error: warning: 2 of 3 pictures\n"
    )
    # whoever calls `main` in a program of their own keeps theirs
    assert warnings.formatwarning is before
