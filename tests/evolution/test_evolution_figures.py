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


def test_film_names_the_epochs_that_there_are():
    with pytest.raises(PatchConvNetError, match="has epochs 0 to 2, not 3"):
        evolution.film(small(), epochs=[0, 3])


def test_figures_can_be_written(tmp_path):
    evolution.film(small(pictures=None, labels=None), save_to=tmp_path / "film.png")
    evolution.curves(small(), save_to=tmp_path / "curves.png")
    assert all(
        (tmp_path / name).stat().st_size > 5_000 for name in ("film.png", "curves.png")
    )


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
        evolution.player(small(pictures=np.zeros((2, 512, 512, 3), "uint8")))


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
