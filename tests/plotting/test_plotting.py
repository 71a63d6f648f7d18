"""Every figure: written or shown, never both, and never left open."""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from patchconvnet import plotting
from patchconvnet.errors import PatchConvNetError

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (5, 32, 32, 3)).astype("uint8")
GREY = RANDOM.integers(0, 256, (3, 32, 32)).astype("uint8")
MAPS = RANDOM.random((5, 8, 8)).astype("float16")
MASKS = np.zeros((5, 32, 32), dtype=bool)
MASKS[:, 8:20, 8:20] = True
WIDE = np.tile(PICTURES[0], (1, 3, 1))
TITLES = ["circle", "square", "triangle", "star", "cross"]
HISTORY = {
    "epoch": np.array([1.0, 2.0, 3.0]),
    "loss": np.array([2.0, 1.0, 0.5]),
    "val_loss": np.array([2.1, 1.2, 0.7]),
    "accuracy": np.array([0.2, 0.5, 0.8]),
    "val_accuracy": np.array([0.2, 0.4, 0.7]),
    "attention_on_object": np.array([0.2, 0.6, 0.9]),
}
NO_VALIDATION = {key: HISTORY[key] for key in ("epoch", "loss", "accuracy")}
ONE_EPOCH = {key: column[:1] for key, column in HISTORY.items()}

CALLS = {
    "images": (plotting.images, [PICTURES], {}),
    "images, all set": (
        plotting.images,
        [PICTURES],
        {"titles": TITLES, "columns": 2, "masks": MASKS},
    ),
    "images, grey": (plotting.images, [GREY], {}),
    "images, masks as pictures": (plotting.images, [MASKS], {}),
    "attention": (plotting.attention, [PICTURES, MAPS], {}),
    "attention, all set": (
        plotting.attention,
        [PICTURES, MAPS],
        {"titles": TITLES, "columns": 2, "masks": MASKS},
    ),
    "attention, one": (plotting.attention, [PICTURES[:1], MAPS[:1]], {}),
    "attention, other sizes": (
        plotting.attention,
        [[PICTURES[0], np.tile(PICTURES[1], (1, 3, 1))], MAPS[:2]],
        {},
    ),
    "attention, a part": (
        plotting.attention,
        [[PICTURES[0], WIDE], MAPS[:2]],
        {"squares": [(0, 0, 32), (32, 0, 32)]},
    ),
    "contact_sheet": (
        plotting.contact_sheet,
        [[PICTURES[0], WIDE], MAPS[:2], ["a.png\nstar, 97%", "b.png"]],
        {},
    ),
    "contact_sheet, many": (
        plotting.contact_sheet,
        [
            [WIDE, WIDE.swapaxes(0, 1)] * 9,
            np.repeat(MAPS[:1], 18, axis=0),
            ["name\nclass"] * 18,
        ],
        {"squares": [(32, 0, 32), (0, 32, 32)] * 9, "columns": 3},
    ),
    "prediction": (
        plotting.prediction,
        [PICTURES[0], MAPS[0].astype("float32"), TITLES, [0.5, 0.2, 0.2, 0.1, 0]],
        {},
    ),
    "prediction, a part": (
        plotting.prediction,
        [WIDE, MAPS[0], TITLES[:1], [1.0]],
        {"square": (32, 0, 32)},
    ),
    "prediction, wide": (
        plotting.prediction,
        [np.tile(PICTURES[0], (1, 9, 1)), MAPS[0], TITLES[:1], [1.0]],
        {},
    ),
    "history": (plotting.history, [HISTORY], {"chance": 0.15}),
    "history, no validation": (plotting.history, [NO_VALIDATION], {}),
    "history, one epoch": (plotting.history, [ONE_EPOCH], {}),
    "evolution": (
        plotting.evolution,
        [HISTORY | {"attention_entropy": np.array([5.5, 2.0, 3.0])}],
        {"uniform": 6.0, "chance": 0.15},
    ),
    "evolution, accuracy alone": (
        plotting.evolution,
        [NO_VALIDATION | {"val_accuracy": HISTORY["val_accuracy"]}],
        {},
    ),
    "confusion": (
        plotting.confusion,
        [[0, 0, 1, 1], [0, 1, 1, 1], ["a", "b", "never seen"]],
        {},
    ),
    "film": (
        plotting.film,
        [PICTURES[:2], np.stack([MAPS[:2]] * 4), [0, 1, 3]],
        {"titles": TITLES[:2]},
    ),
    "film, all set": (
        plotting.film,
        [
            PICTURES[:2],
            np.stack([MAPS[:2]] * 3),
            [0, 2],
            TITLES[:2],
            [["a 10%", "b 20%"], ["a 90%", "b 80%"]],
            MASKS[:2],
        ],
        {},
    ),
    "film, maps alone": (plotting.film, [None, np.stack([MAPS[:2]] * 3), [0, 2]], {}),
    "film, one": (plotting.film, [PICTURES[:1], MAPS[:1][None], [0]], {}),
    "curve": (plotting.curve, [[1, 2, 3], {"rate": [1, 3, 2]}, "step", "rate"], {}),
    "curve, four": (
        plotting.curve,
        [[1, 2], {name: [index, 2] for index, name in enumerate("abcd")}, "x", "y"],
        {"points": True},
    ),
    "block_diagram": (plotting.block_diagram, [], {}),
    "squeeze_excite_diagram": (plotting.squeeze_excite_diagram, [], {}),
    "pooling_diagram": (plotting.pooling_diagram, [], {}),
    "network_diagram": (plotting.network_diagram, [], {}),
    **{
        f"network_diagram, {part}": (plotting.network_diagram, [part], {})
        for part in (
            "image",
            "stem",
            "squeeze_excite",
            "trunk",
            "attention_pooling",
            "head",
        )
    },
}
every_call = pytest.mark.parametrize("name", CALLS)
FIRST_CALLS = [name for name in CALLS if "," not in name]


def call(name, **options):
    function, given, own = CALLS[name]
    return function(*given, **own, **options)


def written(name, folder):
    path = folder / f"{name}.png"
    assert call(name, save_to=path) is None
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


# tests/plotting/test_marks.py and test_tables.py
NO_FIGURES = {"frame", "outline", "table"}


def public_functions():
    return {name for name, _ in inspect.getmembers(plotting, inspect.isfunction)}


def test_every_public_function_is_tested_here():
    assert public_functions() == set(FIRST_CALLS) | NO_FIGURES
    assert public_functions() <= set(plotting.__all__)


@pytest.mark.long
@every_call
def test_a_written_figure_is_a_picture_and_is_not_shown(tmp_path, monkeypatch, name):
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("it was shown, too"))
    pixels = written(name, tmp_path)
    assert min(pixels.shape[:2]) > 80 and max(pixels.shape[:2]) < 3000
    assert pixels[0, 0].tolist() == [255, 255, 255]  # a white face, in dark mode too
    # neither blank nor all ink
    assert 0.01 < (pixels != 255).any(axis=-1).mean() < 0.95
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", FIRST_CALLS)
def test_a_shown_figure_is_one_and_is_closed(monkeypatch, name):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(len(plt.get_fignums())))
    before = dict(plt.rcParams)
    assert call(name) is None
    assert shown == [1] and plt.get_fignums() == []
    assert dict(plt.rcParams) == before  # the reader's own figures keep their look


@pytest.mark.parametrize("suffix", ["pdf", "svg"])
def test_other_formats(tmp_path, suffix):
    path = tmp_path / f"figure.{suffix}"
    call("network_diagram", save_to=str(path))
    assert path.read_bytes()[:5] == {"pdf": b"%PDF-", "svg": b"<?xml"}[suffix]


@pytest.mark.parametrize("part", ["stem", "squeeze_excite", "head"])
def test_the_highlight_is_seen(tmp_path, part):
    assert not np.array_equal(
        written("network_diagram", tmp_path),
        written(f"network_diagram, {part}", tmp_path),
    )


def test_a_figure_that_fails_is_closed_and_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match="shape"):
        plotting.curve(
            [1, 2], {"rate": [1, 2, 3]}, "x", "y", save_to=tmp_path / "a.png"
        )
    (tmp_path / "letter").write_text("dear reader")
    with pytest.raises(PatchConvNetError, match=r"a\.png cannot be written"):
        call("curve", save_to=tmp_path / "letter" / "a.png")
    assert plt.get_fignums() == [] and [path.name for path in tmp_path.iterdir()] == [
        "letter"
    ]
