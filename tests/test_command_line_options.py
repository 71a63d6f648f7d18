"""Each option of the command line reaches what it is for."""

import sys

import numpy as np
import pytest
from PIL import Image
from test_command_line import folder, picture, refused, run  # noqa: F401

from patchconvnet import records
from patchconvnet.__main__ import main


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
    assert titles[0].splitlines()[0] == "…ry long name indeed.png"


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
