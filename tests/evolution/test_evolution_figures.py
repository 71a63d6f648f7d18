"""The figures of an evolution, and what its player is given."""

import base64
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_evolution import MASKS, data_of, small

from patchconvnet import evolution
from patchconvnet.errors import PatchConvNetError
from patchconvnet.evolution import figures

# === figures ===


def test_film_says_what_the_player_says(monkeypatch):
    texts = []
    monkeypatch.setattr(
        plt,
        "show",
        lambda: texts.extend(
            text.get_text()
            for axis in plt.gcf().axes
            for text in (axis.title, *axis.texts)
        ),
    )
    evolution.film(small())
    assert [text for text in texts if text] == [
        "circle", "untrained", "circle 33%", "epoch 1", "circle 33%", "epoch 2",
        "circle 80%", "star", "circle 33%", "star 50%", "square 50%",
    ]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("epochs", "columns"), [(3, 3), (9, 9), (10, 8), (51, 8)])
def test_a_long_film_shows_some_epochs_and_both_ends(monkeypatch, epochs, columns):
    titles = []
    monkeypatch.setattr(
        plt, "show", lambda: titles.extend(axis.get_title() for axis in plt.gcf().axes)
    )
    seen = small(
        maps=np.ones((epochs, 2, 2, 2), "float32"),
        logits=np.zeros((epochs, 2, 3)),
        labels=None,
    )
    evolution.film(seen)
    titles = [title for title in titles if title]
    assert (
        len(titles) == columns
        and titles[0] == "untrained"
        and titles[-1] == f"epoch {epochs - 1}"
    )


def test_long_names_in_a_film_have_lines_of_their_own(monkeypatch):
    found = []

    def look():
        figure = plt.gcf()
        figure.draw_without_rendering()
        widths = [axis.get_window_extent().width for axis in figure.axes]
        found.extend([min(widths) / figure.dpi, figure.axes[0].get_title()])
        found.extend(text.get_text() for axis in figure.axes for text in axis.texts)

    monkeypatch.setattr(plt, "show", look)
    evolution.film(small(class_names=("American bulldog", "square", "star")))
    width, title, *captions = found
    assert width > 1  # inches: captions side by side would leave the pictures less
    assert title == "American\nbulldog"
    assert captions[2] == "American\nbulldog\n80%" and captions[4] == "star\n50%"


def test_film_names_the_epochs_that_there_are():
    with pytest.raises(PatchConvNetError, match="has epochs 0 to 2, not 3"):
        evolution.film(small(), epochs=[0, 3])


def test_figures_can_be_written(tmp_path):
    evolution.film(small(pictures=None, labels=None), save_to=tmp_path / "film.png")
    evolution.curves(small(), save_to=tmp_path / "curves.png")
    assert all(
        (tmp_path / name).stat().st_size > 5_000 for name in ("film.png", "curves.png")
    )


def test_without_validation_curves_are_of_the_pictures(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        figures.plotting,
        "evolution",
        lambda columns, uniform, chance, save_to: drawn.append((columns, chance)),
    )
    evolution.curves(small(chance=0.1))
    own = {"history": {"epoch": np.array([1.0, 2.0]), "accuracy": np.ones(2)}}
    evolution.curves(small(**own))
    evolution.curves(small(**own, labels=None, masks=None))
    (given, given_chance), (columns, chance), (bare, no_chance) = drawn
    assert given.keys() == small().history.keys() and given_chance == 0.1
    assert columns["epoch"].tolist() == [0, 1, 2]
    assert columns["val_accuracy"].tolist() == [0.5, 1.0, 0.5]
    assert columns["attention_on_object"].tolist() == [1.0, 1.0, 0.5]
    np.testing.assert_allclose(columns["attention_entropy"], small().entropy.mean(1))
    assert chance == 0.5  # the upper half
    assert set(bare) == {"epoch", "attention_entropy"} and no_chance is None


# === player ===


def test_player_holds_the_numbers_and_the_pictures():
    seen, held = small(), data_of(evolution.player(small()))
    assert held["percent"] == [[33, 33], [33, 50], [80, 50]] and held["truth"] == [
        [33, 33],
        [33, 50],
        [80, 25],
    ]
    assert held["energy"] == [[50, 50], [50, 50], [80, 0]] and held["hits"] == [
        [1, 1],
        [1, 1],
        [1, 0],
    ]
    assert (
        held["entropy"][2] == [1.6, 0.0]
        and held["uniform"] == 2.0
        and held["greatest"][2] == [0, 3]
    )
    cells = np.frombuffer(base64.b64decode(held["maps"]), "uint8").reshape(3, 2, 2, 2)
    assert (
        cells[2].tolist() == [[[255, 85], [42, 42]], [[0, 0], [0, 255]]]
        and (cells[0] == 255).all()
    )
    assert base64.b64decode(held["pictures"]) == seen.pictures.tobytes()
    assert (
        np.unpackbits(np.frombuffer(base64.b64decode(held["masks"]), "uint8"))
        .reshape(2, 8, 8)
        .tolist()
        == MASKS.tolist()
    )


def test_player_is_the_same_each_time_and_small():
    seen = evolution.read("shapes").pick(range(12))
    one, two = (
        evolution.player(seen),
        evolution.player(evolution.read("shapes").pick(range(12))),
    )
    assert (
        one.html == two.html == one._repr_html_()
        and repr(one) == "Player('shapes': 12 pictures, 11 epochs)"
    )
    assert len(one.html) < 100_000
    assert not re.search(r"https?://|\bimport\b|\beval\b|Math\.random|Date", one.html)


def test_player_shrinks_large_pictures_and_their_masks():
    checks = np.arange(2 * 96 * 96).reshape(2, 96, 96) % 2  # 0 and 1 by turns
    pictures = np.stack([100 + 20 * checks] * 3, axis=-1).astype("uint8")
    pictures[:, :48] = 7
    masks = np.zeros((2, 96, 96), dtype=bool)
    masks[:, :, :48] = True
    maps = np.ones((3, 2, 5, 5), "float32")
    held = data_of(evolution.player(small(pictures=pictures, masks=masks, maps=maps)))
    assert held["size"] == [60, 60]  # 12 for each of 5 cells
    shown = np.frombuffer(base64.b64decode(held["pictures"]), "uint8")
    shown = shown.reshape(2, 60, 60, 3)
    assert (shown[:, :29] == 7).all() and (abs(shown[:, 31:] - 110.0) < 11).all()
    bits = np.unpackbits(np.frombuffer(base64.b64decode(held["masks"]), "uint8"))
    mask = bits.reshape(2, 60, 60)
    assert mask[:, :, :30].all() and not mask[:, :, 30:].any()
    # the numbers are those of the pictures as they were
    assert held["energy"] == [[50, 50]] * 3


def test_a_dozen_photographs_fit_into_a_chapter():
    seen = evolution.read("pets").pick(range(12))
    player = evolution.player(seen)
    assert data_of(player)["size"] == [56, 56] and len(player.html) < 300_000


def test_a_class_name_cannot_break_out():
    name = "</script><script>alert(1)</script>\"'&{css}"
    player = evolution.player(
        small(
            class_names=(name, "square", "star"), name="<b>mine", note="<!-- </script>"
        )
    )
    assert (
        data_of(player)["classes"][0] == name
        and data_of(player)["note"] == "<!-- </script>"
    )
    assert (
        "alert(1)</script>" not in player.html
        and "<b>" not in player.html
        and "<!--" not in player.html
    )
    assert player.html.count("</script>") == 3 and 'id="player-b-mine"' in player.html


def test_names_of_players():
    assert 'id="player-small"' in evolution.player(small()).html
    assert 'id="player-two-2"' in evolution.player(small(), name="two-2").html
    assert 'id="player-player"' in evolution.player(small(name="***")).html
    for name in ("", "Two", "a b", 'a"b', "-a", 3):
        with pytest.raises(
            PatchConvNetError, match="^name=.*small letters, digits and hyphens$"
        ):
            evolution.player(small(), name=name)


def test_a_player_that_is_too_large_is_refused():
    with pytest.raises(PatchConvNetError, match=r"would have 2\.\d MB: pick\(\) fewer"):
        evolution.player(small(maps=np.ones((3, 2, 600, 500), "float32"), masks=None))


def test_player_can_be_written_as_a_page(tmp_path):
    evolution.player(small()).write(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.startswith("<!doctype html>") and evolution.player(small()).html in page
    (tmp_path / "letter").write_text("dear reader")
    with pytest.raises(PatchConvNetError, match="cannot be written"):
        evolution.player(small()).write(tmp_path / "letter" / "page.html")


def test_without_javascript_there_is_a_sentence_and_nothing_dead():
    """GitHub drops scripts and styles: the sentence remains, and no dead control."""
    rest = re.sub(
        r"<(script|style).*?</\1>", "", evolution.player(small()).html, flags=re.DOTALL
    )
    assert "film strip" in rest and not re.search(r"<(button|input|canvas|label)", rest)


def test_the_files_go_into_the_wheel():
    import tomllib

    patterns = tomllib.loads(
        (Path(__file__).parents[2] / "pyproject.toml").read_text()
    )["tool"]["setuptools"]["package-data"]
    package = Path(evolution.__file__).parents[1]
    found = {
        path for pattern in patterns["patchconvnet"] for path in package.glob(pattern)
    }
    assert (
        found
        >= {
            path
            for path in (package / "evolution").iterdir()
            if path.suffix in (".html", ".css", ".js")
        }
        != set()
    )
