"""What stands in each figure of pictures, and where: maps, frames, outlines, words."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from patchconvnet import plotting
from patchconvnet.plotting.style import BLUE

DICE = np.random.default_rng(0)
PICTURES = DICE.integers(0, 256, (5, 8, 8, 3)).astype("uint8")
MAPS = DICE.random((5, 2, 2))
MASKS = np.zeros((5, 8, 8), dtype=bool)
for number in range(5):
    MASKS[number, number : number + 3, 1:4] = True
TITLES = ["circle", "square", "triangle", "star", "cross"]


def assert_picture(panel, picture, place=0):
    np.testing.assert_array_equal(panel.images[place][0], picture)


def assert_laid_over(panel, picture, weights, outline=None):
    """The picture in grey under the map, in one place; the greatest cell framed."""
    (grey, below), (laid, above) = panel.images
    height, width = picture.shape[:2]
    np.testing.assert_allclose(grey, picture.mean(axis=2))
    np.testing.assert_allclose(laid, weights, rtol=1e-6)
    assert below == above == panel.view == (
        -0.5,
        width - 0.5,
        height - 0.5,
        -0.5,
    ) and panel.ranges[0] == (0, 255)
    row, column = np.argwhere(weights == weights.max())[0]
    rows, columns = weights.shape
    assert panel.frame() == (
        width / columns * column - 0.5,
        height / rows * row - 0.5,
        width / columns,
        height / rows,
    )
    assert panel.outlines == outlines(outline)


def outlines(mask):
    """White, half a pixel around a mask; its black edges: test_marks.py."""
    if mask is None:
        return []
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    ends = (
        columns[0] - 0.5,
        columns[-1] + 0.5,
        max(rows[0] - 0.5, 0),
        min(rows[-1] + 0.5, len(mask) - 1),
    )
    return [("#ffffff", *ends)]


# === pictures ===


@pytest.mark.parametrize(("titles", "masks"), [(TITLES, None), (None, MASKS)])
def test_each_picture_has_its_own_title_and_outline(drawn, titles, masks):
    panels = drawn(plotting.images, PICTURES, titles, columns=3, masks=masks)
    assert (
        len(panels) == 6
        and all(panel.bare for panel in panels)
        and panels[5].images == []
    )
    for number, panel in enumerate(panels[:5]):
        assert_picture(panel, PICTURES[number])
        assert panel.title == (titles[number] if titles else "")
        assert panel.outlines == outlines(None if masks is None else masks[number])


def test_grey_is_the_same_in_all_pictures_and_what_is_no_bytes_has_its_own(drawn):
    assert [
        panel.ranges for panel in drawn(plotting.images, 100 + MASKS.astype("uint8"))
    ] == [[(0, 255)]] * 5
    assert [panel.ranges for panel in drawn(plotting.images, MAPS)] == [
        [(0, weights.max())] for weights in MAPS
    ]


@pytest.mark.parametrize(("titles", "masks"), [(TITLES, None), (None, MASKS)])
def test_each_map_stands_right_of_its_picture(drawn, titles, masks):
    panels = drawn(plotting.attention, PICTURES, MAPS, titles, columns=2, masks=masks)
    assert len(panels) == 12 and all(panel.bare for panel in panels)
    assert panels[10].images == panels[11].images == []
    for number in range(5):
        plain, laid_over = panels[2 * number : 2 * number + 2]
        assert_picture(plain, PICTURES[number])
        assert_laid_over(
            laid_over,
            PICTURES[number],
            MAPS[number],
            None if masks is None else masks[number],
        )
        assert (plain.left_title, plain.title) == (
            titles[number] if titles else "",
            "",
        ) and plain.outlines == []
        assert laid_over.title == laid_over.left_title == ""


WIDE, TALL = (
    DICE.integers(0, 256, (4, 12, 3)).astype("uint8"),
    DICE.integers(0, 256, (12, 4, 3)).astype("uint8"),
)


def dimmed(picture, square):
    left, top, side = square
    grey = picture.mean(axis=2)
    wanted = 255 - 0.3 * (255 - grey)
    wanted[top : top + side, left : left + side] = grey[
        top : top + side, left : left + side
    ]
    return wanted


@pytest.mark.parametrize(
    ("picture", "square"),
    [(WIDE, (5, 0, 4)), (TALL, (0, 3, 4)), (PICTURES[0], (2, 3, 4))],
)
def test_a_map_lies_over_its_square_and_what_is_outside_is_dimmed(
    drawn, picture, square
):
    weights = np.array([[0.1, 0.2, 0.3], [0.4, 0.9, 0.1]])
    left, top, side = square
    for panel in (
        drawn(plotting.prediction, picture, weights, ["a"], [1.0], square)[1],
        drawn(plotting.attention, [picture], weights[None], squares=[square])[1],
    ):
        (grey, whole), (laid, part) = panel.images
        np.testing.assert_allclose(grey, dimmed(picture, square))
        np.testing.assert_array_equal(laid, weights)
        assert (
            whole
            == panel.view
            == (-0.5, picture.shape[1] - 0.5, picture.shape[0] - 0.5, -0.5)
        )
        assert part == (left - 0.5, left + side - 0.5, top + side - 0.5, top - 0.5)
        assert panel.frame() == pytest.approx(
            (left - 0.5 + side / 3, top - 0.5 + side / 2, side / 3, side / 2)
        )


def test_a_prediction_shows_picture_map_scale_and_bars_from_the_most_probable_down(
    drawn,
):
    plain, laid_over, bars, scale = drawn(
        plotting.prediction, PICTURES[0], MAPS[0], TITLES[:3], [0.6, 0.3, 0.1]
    )
    assert_picture(plain, PICTURES[0])
    assert_laid_over(laid_over, PICTURES[0], MAPS[0])
    assert (
        [panel.title for panel in (plain, laid_over)] == ["picture", "attention"]
        and plain.bare
        and laid_over.bare
    )
    ends = [
        (bar.get_y() + bar.get_height() / 2, bar.get_width()) for bar in bars.patches
    ]
    assert ends == [pytest.approx(end) for end in ((0, 0.6), (1, 0.3), (2, 0.1))]
    assert all(to_hex(bar.get_facecolor()) == BLUE.lower() for bar in bars.patches)
    assert bars.ticks[1] == [0, 1, 2] and bars.names[1] == TITLES[:3] and not bars.bare
    assert (
        bars.view[:2] == (0, 1)
        and bars.view[2] > 2 > 0 > bars.view[3]
        and bars.labels[0] == "probability"
    )
    assert scale.labels[1] == "weight of a patch" and scale.view[2:] == pytest.approx(
        (MAPS[0].min(), MAPS[0].max())
    )
    assert (
        drawn(
            plotting.prediction, PICTURES[0], MAPS[0], ["a"], [1.0], None, "evidence"
        )[1].title
        == "evidence"
    )


CAPTIONS = [["a 10%", "b 20%"], ["a 90%", "b 80%"]]


@pytest.mark.parametrize(
    ("pictures", "captions", "masks"),
    [
        (None, None, None),
        (PICTURES[:2], CAPTIONS, None),
        (PICTURES[:2], None, MASKS[:2]),
        (None, CAPTIONS, None),
    ],
)
def test_a_film_has_a_row_for_each_picture_and_a_column_for_each_epoch(
    drawn, pictures, captions, masks
):
    maps = DICE.random((3, 2, 2, 2))
    panels = drawn(plotting.film, pictures, maps, [0, 2], TITLES[:2], captions, masks)
    assert all(panel.bare for panel in panels)
    first = 0 if pictures is None else 1
    rows = [panels[: first + 2], panels[first + 2 :]]
    for row, (*plain, before, after) in enumerate(rows):
        if first:
            assert_picture(plain[0], pictures[row])
            assert plain[0].title == TITLES[row] and plain[0].texts == []
        for column, (panel, epoch) in enumerate(((before, 0), (after, 2))):
            white = np.full((2, 2, 3), 255)
            mask = None if masks is None else masks[row]
            assert_laid_over(
                panel, pictures[row] if first else white, maps[epoch, row], mask
            )
            assert [text[0] for text in panel.texts] == (
                [captions[column][row]] if captions else []
            )
            # below it, in parts of its sides
            assert all(0 <= x <= 1 and y < 0 for _, x, y in panel.texts)
            assert panel.title == ("" if row else ("untrained", "epoch 2")[column])


def test_captions_of_a_film_have_room_and_are_larger(monkeypatch):
    seen = []

    def look():
        canvas = plt.gcf()
        seen.append((canvas.get_size_inches()[1], canvas.axes[0].title.get_fontsize()))

    monkeypatch.setattr(plt, "show", look)
    for captions in (None, CAPTIONS):
        plotting.film(None, MAPS[:2][None], [0], captions=captions)
    (height, font), (with_captions, larger) = seen
    assert with_captions > height and larger > font


def test_without_titles_a_films_pictures_have_none(drawn):
    panels = drawn(plotting.film, PICTURES[:2], MAPS[:2][None], [0])
    assert [panel.title for panel in panels] == ["", "untrained", "", ""]


def test_a_contact_sheet_writes_each_caption_below_its_pair(drawn):
    pictures, captions = [WIDE, TALL, PICTURES[0]], ["wide", "tall", "square"]
    (sheet,) = drawn(plotting.contact_sheet, pictures, MAPS[:3], captions, columns=2)
    assert sheet.bare and len(sheet.images) == 9 and len(sheet.patches) == 3
    assert [text[0] for text in sheet.texts] == captions
    # to the next column, to the next row
    steps = sheet.texts[1][1], sheet.texts[2][2] - sheet.texts[0][2]
    assert steps[0] > 2 and steps[1] > 1
    for number, (picture, (_, x, y)) in enumerate(zip(pictures, sheet.texts)):
        row, column = divmod(number, 2)
        assert (x, y) == pytest.approx(
            (column * steps[0], sheet.texts[0][2] + row * steps[1])
        )
        assert y > row * steps[1] + 1
        (plain, place), (grey, below), (laid, above) = sheet.images[
            3 * number : 3 * number + 3
        ]
        np.testing.assert_array_equal(plain, picture)
        np.testing.assert_allclose(grey, picture.mean(axis=2))
        np.testing.assert_array_equal(laid, MAPS[number])
        height, width = np.array(picture.shape[:2]) / max(picture.shape[:2])
        left, upper = column * steps[0], row * steps[1] + (1 - height) / 2
        assert place == pytest.approx((left, left + width, upper + height, upper))
        assert below == above and below == pytest.approx(
            (left + 1.08, left + 1.08 + width, upper + height, upper)
        )
    assert sheet.view[0] == sheet.view[3] == 0  # it points down
    assert 2 * steps[0] - 0.5 < sheet.view[1] < 2 * steps[0] and sheet.view[
        2
    ] == pytest.approx(2 * steps[1])
