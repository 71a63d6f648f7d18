"""The picture that opens the README is what its command draws: small, and sharp."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ROOT / "site_static" / "hero.png"
PHOTOGRAPHS = ROOT / "site_static" / "photographs.jpg"
WIDTH = 830  # in which GitHub shows it


@pytest.fixture
def hero(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import hero

    return hero


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype="int16")


def blurred(path):
    """The mean colour of each block of 20 x 20 pixels."""
    dots = pixels(path)  # (720, 1660, 3)
    return dots.reshape(dots.shape[0] // 20, 20, dots.shape[1] // 20, 20, 3).mean(
        axis=(1, 3)
    )


def test_it_is_what_the_command_draws(hero, tmp_path, monkeypatch, capsys):
    assert hero.HERO == SHOWN
    drawn = tmp_path / "hero.png"
    monkeypatch.setattr(hero, "HERO", drawn)
    monkeypatch.setattr(hero, "PHOTOGRAPHS", tmp_path / "photographs.jpg")
    assert hero.main([]) == 0
    assert f"written to {drawn}" in capsys.readouterr().out
    assert pixels(drawn).shape == pixels(SHOWN).shape
    # Edges of letters may differ between machines; a cell of a map, or a word, that
    # changed is more.
    assert np.abs(blurred(drawn) - blurred(SHOWN)).max() < 10, (
        "site_static/hero.png is out of date: python tools/hero.py"
    )

    for path in (tmp_path / "photographs.jpg", PHOTOGRAPHS):
        assert path.stat().st_size < 200_000
    found, shown = (
        np.asarray(Image.open(path).resize((62, 52)), dtype="int16")
        for path in (tmp_path / "photographs.jpg", PHOTOGRAPHS)
    )
    assert np.abs(found - shown).max() < 25, (
        "site_static/photographs.jpg is out of date: python tools/hero.py"
    )


def test_right_and_wrong_ones_are_chosen_by_a_rule(hero):
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    answers = np.array([1, 1, 0, 0, 2, 2, 0])
    assert hero.six_of(answers, labels) == [3, 1, 5, 0, 4, 2]


def test_it_is_small_and_sharp():
    assert SHOWN.stat().st_size < 300_000
    assert pixels(SHOWN).shape[1] >= 2 * WIDTH


@pytest.mark.parametrize("page", ["README.md", "intro.md"])
def test_the_pages_show_and_describe_it(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in ("hero.png", "photographs.jpg"):
        before, shown, _ = text.partition(f"](site_static/{name})")
        assert shown and len(before.rpartition("![")[2]) > 80


def test_a_place_that_cannot_be_written_is_one_line(
    hero, tmp_path, monkeypatch, capsys
):
    (tmp_path / "hero.png").mkdir()
    monkeypatch.setattr(hero, "HERO", tmp_path / "hero.png")
    assert hero.main([]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
