"""What a player and the figures of an evolution are given, by hand, for maps and
pictures that are not square.
"""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from patchconvnet import evolution, plotting
from patchconvnet.errors import PatchConvNetError
from patchconvnet.evolution import Evolution

# (2, 1, 3, 2)
MAPS = np.array(
    [[[[1, 1], [1, 1], [1, 1]]], [[[4, 2], [1, 0], [0.5, 0.5]]]], "float32"
) / np.float32(8)
MASKS = np.zeros((1, 6, 4), dtype=bool)
MASKS[0, :2, :2] = True  # the first cell
SEEN = Evolution(
    name="Größe & Form",
    maps=MAPS,
    logits=np.log([[[1, 2, 1]], [[1, 8, 1]]]),
    class_names=("circle", "square", "star"),
    history={"epoch": np.array([1.0])},
    chance=0.2,
    pictures=np.arange(6 * 4 * 3, dtype="uint8").reshape(1, 6, 4, 3),
    labels=np.array([2]),
    masks=MASKS,
    note="a note",
)


def without(*names):
    return replace(SEEN, **dict.fromkeys(names))


def data_of(shown):
    return json.loads(script_of(shown))


def script_of(shown):
    return re.search(
        r'<script type="application/json" class="data">(.*?)</script>',
        shown.html,
        re.DOTALL,
    )[1]


def bytes_of(text):
    return list(base64.b64decode(text))


def test_a_player_is_given_all_that_it_shows():
    held = data_of(evolution.player(SEEN))
    # of each map's greatest
    assert bytes_of(held.pop("maps")) == [255] * 6 + [255, 128, 64, 0, 32, 32]
    assert bytes_of(held.pop("pictures")) == [*range(72)]
    assert bytes_of(held.pop("masks")) == [0b11001100, 0, 0]  # eight pixels a byte
    viridis = matplotlib.colormaps["viridis"]
    assert held.pop("colours") == [
        matplotlib.colors.to_hex(viridis(share)) for share in np.linspace(0, 1, 32)
    ]
    assert held == {
        "classes": ["circle", "square", "star"],
        "grid": [3, 2],  # rows, columns
        "size": [6, 4],
        "peaks": [[0.125], [0.5]],
        "greatest": [[0], [0]],
        "labels": [2],
        "answers": [[1], [1]],
        "percent": [[50], [80]],
        "truth": [[25], [10]],
        "energy": [[17], [50]],
        "hits": [[1], [1]],
        "entropy": [[2.6], [1.9]],
        "uniform": 2.6,
        "note": "a note",
    }


@pytest.mark.parametrize(
    ("missing", "unknown"),
    [
        ("pictures", ["pictures", "size"]),
        ("labels", ["labels", "truth"]),
        ("masks", ["masks", "energy", "hits"]),
    ],
)
def test_what_is_not_known_is_left_open_and_nothing_else(missing, unknown):
    all_known, held = (
        data_of(evolution.player(SEEN)),
        data_of(evolution.player(without(missing))),
    )
    assert held == all_known | dict.fromkeys(unknown)


def test_peaks_are_kept_with_four_digits():
    third = replace(SEEN, maps=np.full((2, 1, 3, 2), 0.123456, "float32"))
    assert data_of(evolution.player(third))["peaks"] == [[0.1235], [0.1235]]


def test_a_player_has_a_name_a_label_and_a_description(tmp_path):
    shown = evolution.player(SEEN)
    assert (
        'id="player-gr-e-form" aria-label="Attention over the epochs, Größe &amp;'
        ' Form">' in shown.html
    )
    assert repr(shown) == "Player('Größe & Form': 1 pictures, 1 epochs)"
    shown.write(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_bytes().decode("utf-8")
    assert page.count(shown.html) == 1 and "{player}" not in page


def test_a_page_is_written_in_utf_8_whatever_the_system_has(tmp_path, monkeypatch):
    read, write = Path.read_text, Path.write_text
    monkeypatch.setattr(
        Path, "read_text", lambda path, encoding="ascii": read(path, encoding=encoding)
    )
    monkeypatch.setattr(
        Path,
        "write_text",
        lambda path, text, encoding="ascii": write(path, text, encoding=encoding),
    )
    evolution.player(SEEN).write(tmp_path / "page.html")
    assert "Größe &amp; Form".encode() in (tmp_path / "page.html").read_bytes()


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_two_megabytes_are_the_most(more, taken):
    start = len(evolution.player(without("note")).html) - len("null") + len('""')
    padded = replace(SEEN, note="x" * (2_000_000 - start + more))
    if taken:
        assert len(evolution.player(padded).html) == 2_000_000
    else:
        with pytest.raises(PatchConvNetError, match=r"would have 2\.0 MB"):
            evolution.player(padded)


def test_a_player_without_a_readable_name_is_called_so():
    assert 'id="player-player"' in evolution.player(replace(SEEN, name="--")).html


# === what the figures are given ===


@pytest.fixture
def given(monkeypatch):
    """given(function, ...): what it has given to `plotting`."""

    def call(function, *arguments, **options):
        calls = []
        for name in ("film", "evolution"):
            keep = lambda *given, name=name, **options: calls.append(
                (name, given, options)
            )
            monkeypatch.setattr(plotting, name, keep)
        function(*arguments, **options)
        [found] = calls
        return found

    return call


def test_a_film_is_given_pictures_maps_and_what_stands_around_them(given):
    name, (pictures, maps, epochs, titles, captions, masks), options = given(
        evolution.film, SEEN, save_to="film.png"
    )
    assert (
        name == "film"
        and pictures is SEEN.pictures
        and maps is SEEN.maps
        and masks is SEEN.masks
    )
    assert (
        list(epochs) == [0, 1]
        and titles == ["star"]
        and captions == [["square 50%"], ["square 80%"]]
    )
    assert options == {"save_to": "film.png"}
    _, (pictures, _, epochs, titles, captions, _), options = given(
        evolution.film, without("labels", "pictures"), [1]
    )
    assert (
        pictures is None
        and titles is None
        and epochs == [1]
        and captions == [["square 80%"]]
    )
    assert options == {"save_to": None}


@pytest.mark.parametrize(
    ("last", "shown"),
    [
        (7, range(8)),
        (8, range(9)),
        (9, [0, 1, 3, 4, 5, 6, 8, 9]),
        (50, [0, 7, 14, 21, 29, 36, 43, 50]),
    ],
)
def test_of_more_than_nine_epochs_a_film_shows_eight(given, last, shown):
    maps, logits = np.repeat(MAPS[:1], last + 1, axis=0), np.zeros((last + 1, 1, 3))
    _, (_, _, epochs, _, captions, _), _ = given(
        evolution.film, replace(SEEN, maps=maps, logits=logits)
    )
    assert list(epochs) == list(shown) and len(captions) == len(shown)


@pytest.mark.parametrize("epoch", [-1, 2])
def test_an_epoch_that_is_not_there_is_named(epoch):
    with pytest.raises(PatchConvNetError, match=f"has epochs 0 to 1, not {epoch}"):
        evolution.film(SEEN, [0, epoch, 5])


def test_curves_are_given_the_history_equal_weights_and_chance(given):
    seen = replace(SEEN, history={"epoch": [1.0], "val_accuracy": [0.5]})
    name, (history, uniform), options = given(
        evolution.curves, seen, save_to="curves.png"
    )
    assert (
        name == "evolution"
        and history is seen.history
        and uniform == pytest.approx(np.log2(6))
    )
    assert options == {"chance": 0.2, "save_to": "curves.png"}
