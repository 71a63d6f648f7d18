"""Letters of every figure: high enough to be read on a page of the book."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_plotting import CALLS, HISTORY, MAPS, MASKS, PICTURES, TITLES

from figure_letters import kept_width, smallest_letters
from patchconvnet import plotting
from patchconvnet.plotting.style import (
    COLUMN,
    FOLDED_COLUMN,
    LETTERS,
    figure,
    height_on_page,
    letters,
)

TEN, TEN_MAPS = np.concatenate([PICTURES] * 2), np.concatenate([MAPS] * 2)
NINE = ["pentagon 99%"] * 2
# as wide as each gets
WIDE = {
    "images, ten": (plotting.images, [TEN, TITLES * 2], {}),
    "attention, four": (plotting.attention, [TEN, TEN_MAPS, TITLES * 2], {}),
    "attention, six": (plotting.attention, [TEN, TEN_MAPS, TITLES * 2, 6], {}),
    "contact_sheet, four": (
        plotting.contact_sheet,
        [PICTURES, MAPS, ["a.png\nstar, 97%"] * 5],
        {},
    ),
    "film, nine": (
        plotting.film,
        [PICTURES[:2], np.stack([MAPS[:2]] * 8), range(8), TITLES[:2], [NINE] * 8],
        {},
    ),
    "film, twelve": (
        plotting.film,
        [PICTURES[:2], np.stack([MAPS[:2]] * 11), range(11)],
        {},
    ),
    "evolution, wide": (plotting.evolution, [HISTORY], {"chance": 0.1}),
    "images, masks": (plotting.images, [PICTURES, TITLES, 5, MASKS], {}),
}
ALL = CALLS | WIDE


@pytest.fixture
def smallest(monkeypatch):
    """smallest(function, ...): the height and words of the smallest letters of the
    figure that it shows.
    """

    def look(function, *given, **options):
        found = []
        monkeypatch.setattr(
            plt, "show", lambda: found.append(smallest_letters(plt.gcf()))
        )
        function(*given, **options)
        return found[0]

    return look


@pytest.mark.long
@pytest.mark.parametrize("name", ALL)
def test_letters_are_high_enough_on_a_page(smallest, name):
    function, given, options = ALL[name]
    height, words = smallest(function, *given, **options)
    assert height >= LETTERS, words


def draw_small(points, width, place):
    """A figure of the package's look, with small letters in one place."""
    with figure(None, size=(width, 2)) as (canvas, axes):
        axis = axes[0, 0]
        axis.plot([0, 1], label="a line")
        if place == "text":
            axis.text(0, 0, "small", fontsize=points)
        elif place == "legend":
            axis.legend(fontsize=points)
        elif place == "ticks":
            axis.tick_params(labelsize=points)
        elif place == "above all":
            canvas.suptitle("small", fontsize=points)


@pytest.mark.parametrize("place", ["text", "legend", "ticks", "above all"])
@pytest.mark.parametrize("points, width", [(6, 6), (9, 11)])
def test_small_letters_are_seen(smallest, place, points, width):
    assert smallest(draw_small, points, width, place)[0] < LETTERS
    assert smallest(draw_small, letters(width, points), width, place)[0] >= LETTERS


def test_letters_that_are_not_drawn_do_not_count(smallest):
    def hidden():
        with figure(None) as (_, axes):
            axes[0, 0].text(0, 0, "large", fontsize=20)
            axes[0, 0].text(0, 0, "hidden", fontsize=2, visible=False)
            axes[0, 0].text(0, 0, " ", fontsize=2)
            axes[0, 0].tick_params(labelsize=2)
            axes[0, 0].axis("off")

    height, words = smallest(hidden)
    assert words == "large" and height > 20


def test_the_height_is_that_of_the_points_in_pixels_shrunk_with_the_figure():
    # 72 points are an inch; a figure of 688 pixels has 8 on each side less room
    assert height_on_page(72, 688, dpi=110) == pytest.approx(110 * 672 / 688)
    assert height_on_page(72, 344, dpi=110) == pytest.approx(110 * 328 / 344)
    assert height_on_page(72, 1344, dpi=110) == pytest.approx(55)
    assert height_on_page(36, 1344, dpi=100, column=352) == pytest.approx(12.5)


def test_a_wide_figure_has_larger_letters_and_a_narrow_one_those_it_asks_for():
    assert letters(5, 9) == 9 and letters(6.8, 11) == 11
    sizes = [letters(width, 9) for width in (7, 10, 12, 14)]
    assert sizes == sorted(set(sizes)) and sizes[0] == 9
    for width, points in zip((10, 12, 14), sizes[1:]):
        pixels = 110 * width + 22
        assert height_on_page(points, pixels, column=FOLDED_COLUMN) >= LETTERS
        assert height_on_page(points - 0.2, pixels, column=FOLDED_COLUMN) < LETTERS
    assert FOLDED_COLUMN < COLUMN


def test_the_width_is_that_of_the_figure_as_a_notebook_keeps_it():
    from patchconvnet.plotting import notebook

    canvas = plt.figure(figsize=(4, 2), dpi=110)
    canvas.add_axes([0, 0, 1, 1]).set_title("a title")
    _, size = notebook.sharp_png(canvas)
    assert abs(kept_width(canvas) - size["width"]) <= 1
    plt.close(canvas)


def test_a_title_is_as_large_as_other_letters():
    assert plotting.STYLE["axes.titlesize"] == plotting.STYLE["font.size"]
