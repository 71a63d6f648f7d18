"""What single figures show, and what they refuse."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_plotting import HISTORY, MAPS

from patchconvnet import plotting


def test_attention_lies_over_the_picture_cell_by_cell(monkeypatch):
    """The greatest cell of a 2 x 4 map over 20 x 40 pixels: row 1, column 2."""
    weights = np.zeros((2, 4))
    weights[1, 2] = 1
    seen = {}

    def look():
        axis = plt.gcf().axes[1]
        picture, laid_over = axis.images
        seen["extents"] = tuple(picture.get_extent()), tuple(laid_over.get_extent())
        frame = axis.patches[-1]
        seen["frame"] = *frame.get_xy(), frame.get_width(), frame.get_height()

    monkeypatch.setattr(plt, "show", look)
    plotting.attention(np.zeros((1, 20, 40, 3), "uint8"), weights[None])
    assert seen["extents"] == ((-0.5, 39.5, 19.5, -0.5),) * 2
    assert seen["frame"] == (19.5, 9.5, 10, 10)


def test_a_map_of_a_part_lies_there_and_the_rest_is_dimmed(monkeypatch):
    """A 2 x 2 map over the central square of a picture of 20 x 60 pixels; its greatest
    cell: row 1, column 0.
    """
    seen = {}

    def look():
        axis = plt.gcf().axes[1]
        seen["extents"] = [tuple(image.get_extent()) for image in axis.images]
        seen["grey"] = axis.images[0].get_array()
        (frame,) = axis.patches
        seen["frame"] = *frame.get_xy(), frame.get_width(), frame.get_height()
        seen["view"] = *axis.get_xlim(), *axis.get_ylim()

    monkeypatch.setattr(plt, "show", look)
    weights = np.array([[0.1, 0.2], [0.4, 0.3]])
    plotting.prediction(
        np.zeros((20, 60, 3), "uint8"), weights, ["a"], [1.0], square=(20, 0, 20)
    )
    assert seen["extents"] == [(-0.5, 59.5, 19.5, -0.5), (19.5, 39.5, 19.5, -0.5)]
    assert np.all(seen["grey"][:, 20:40] == 0)
    assert np.all(seen["grey"][:, :20] > 170) and np.all(seen["grey"][:, 40:] > 170)
    assert seen["frame"] == (19.5, 9.5, 10, 10)
    assert seen["view"] == (-0.5, 59.5, 19.5, -0.5)


def test_a_contact_sheet_keeps_aspects_and_places_maps_beside(monkeypatch):
    seen = []
    monkeypatch.setattr(
        plt,
        "show",
        lambda: seen.extend(
            tuple(image.get_extent()) for image in plt.gcf().axes[0].images
        ),
    )
    tall = np.zeros((40, 20, 3), "uint8")
    plotting.contact_sheet(
        [tall, tall],
        np.ones((2, 2, 2)),
        ["a", "b"],
        squares=[(0, 10, 20)] * 2,
        columns=1,
    )
    picture, grey, laid_over = np.array(seen[:3])
    assert picture.tolist() == [0, 0.5, 1, 0]  # as tall as a row, half as wide
    assert grey - picture == pytest.approx([1.08, 1.08, 0, 0])
    assert laid_over == pytest.approx([1.08, 1.58, 0.75, 0.25])
    below = np.array(seen[3]) - picture
    assert below == pytest.approx([0, 0, 1.34, 1.34])


def test_confusion_shows_shares_of_each_true_class(monkeypatch):
    seen = {}

    def look():
        axis = plt.gcf().axes[0]
        seen["texts"] = {
            (text.get_position()[1], text.get_position()[0]): text.get_text()
            for text in axis.texts
        }

    monkeypatch.setattr(plt, "show", look)
    plotting.confusion([0, 0, 0, 0, 1], [0, 0, 0, 1, 1], ["a", "b"])
    # row: true, column: predicted
    assert seen["texts"] == {(0, 0): "75", (0, 1): "25", (1, 1): "100"}


def test_film_writes_each_caption_below_its_own_map(monkeypatch):
    seen = []
    monkeypatch.setattr(
        plt,
        "show",
        lambda: seen.extend(
            axis.texts[0].get_text() for axis in plt.gcf().axes if axis.texts
        ),
    )
    plotting.film(
        None,
        np.stack([MAPS[:2]] * 3),
        [2, 0],
        captions=[["first at 2", "second at 2"], ["first at 0", "second at 0"]],
    )
    # row by row: a row is a picture
    assert seen == ["first at 2", "first at 0", "second at 2", "second at 0"]


def test_evolution_draws_what_was_recorded(monkeypatch):
    seen = {}

    def look():
        for axis in plt.gcf().axes:
            seen.update(
                {
                    line.get_label(): np.asarray(line.get_ydata()).tolist()
                    for line in axis.lines
                }
            )

    monkeypatch.setattr(plt, "show", look)
    plotting.evolution(
        HISTORY | {"attention_entropy": np.array([5.5, 2.0, 3.0])},
        uniform=6.0,
        chance=0.15,
    )
    assert seen["accuracy"] == [0.2, 0.4, 0.7] and seen["attention on the object"] == [
        0.2,
        0.6,
        0.9,
    ]
    assert seen["entropy of attention"] == [5.5, 2.0, 3.0] and seen[
        "equal weights"
    ] == [6.0, 6.0]


def test_history_marks_chance_and_both_parts(monkeypatch):
    legends = []

    def look():
        for axis in plt.gcf().axes:
            legends.append([text.get_text() for text in axis.get_legend().get_texts()])

    monkeypatch.setattr(plt, "show", look)
    plotting.history(HISTORY, chance=0.15)
    assert legends == [["training", "validation"]] * 2 + [["validation", "chance"]]


def test_an_unknown_part_is_named_with_those_there_are():
    with pytest.raises(
        ValueError, match="highlight must be one of .*stem.*got 'steam'"
    ):
        plotting.network_diagram("steam")


def test_pictures_and_maps_of_different_number_are_refused(tmp_path):
    picture = np.zeros((2, 8, 8, 3), "uint8")
    with pytest.raises(ValueError, match="2 pictures, 3 maps"):
        plotting.attention(picture, np.ones((3, 4, 4)), save_to=tmp_path / "figure.png")
    with pytest.raises(ValueError):
        plotting.contact_sheet(
            picture, np.ones((2, 4, 4)), ["one"], save_to=tmp_path / "figure.png"
        )
    with pytest.raises(ValueError, match="2 pictures, 1 titles"):
        plotting.images(picture, ["one"], save_to=tmp_path / "figure.png")
    assert not list(tmp_path.iterdir())


def test_more_lines_than_looks_are_refused():
    with pytest.raises(ValueError, match="one to 4 lines, got 5"):
        plotting.curve([0, 1], {str(number): [0, 1] for number in range(5)}, "x", "y")


def test_film_lays_each_map_over_its_own_picture_in_grey(monkeypatch):
    seen = []

    def look():
        for axis in plt.gcf().axes:
            seen.append(
                [
                    np.asarray(image.get_array(), dtype="float64")
                    for image in axis.images
                ]
            )

    monkeypatch.setattr(plt, "show", look)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype="uint8")
    maps = np.random.default_rng(1).random((3, 2, 2, 2))
    plotting.film(pictures, maps, [0, 2])
    (first, *films), (second, *others) = seen[:3], seen[3:]
    for (picture,), laid_over, index in ((first, films, 0), (second, others, 1)):
        np.testing.assert_array_equal(picture, pictures[index])
        for (grey, weights), epoch in zip(laid_over, (0, 2)):
            np.testing.assert_allclose(grey, pictures[index].mean(axis=2))
            np.testing.assert_allclose(weights, maps[epoch, index], rtol=1e-6)
    seen.clear()
    plotting.film(None, maps, [1])
    for (grey, weights), index in zip(seen, (0, 1)):
        assert grey.shape == (2, 2) and np.all(grey == 255)
        np.testing.assert_allclose(weights, maps[1, index], rtol=1e-6)


def test_rows_and_columns_hold_all_pictures_and_are_wider_the_more_there_are(
    monkeypatch,
):
    seen = {}

    def look():
        seen["shape"] = [
            sum(bool(axis.images) for axis in plt.gcf().axes),
            len(plt.gcf().axes),
        ]
        seen["size"] = tuple(plt.gcf().get_size_inches())

    monkeypatch.setattr(plt, "show", look)
    sizes = []
    for count, columns, drawn, places in (
        (1, 4, 1, 1),
        (4, 4, 4, 4),
        (5, 4, 5, 8),
        (8, 4, 8, 8),
    ):
        plotting.images([np.zeros((8, 8, 3), "uint8")] * count, columns=columns)
        assert seen["shape"] == [drawn, places]
        sizes.append(seen["size"])
    assert (
        sizes[0][0] < sizes[1][0] == sizes[2][0]
        and sizes[1][1] < sizes[2][1] == sizes[3][1]
    )


def test_shares_have_the_whole_range_and_the_loss_its_own(monkeypatch):
    limits = {}

    def look():
        for axis in plt.gcf().axes:
            limits[axis.get_title() or axis.get_ylabel()] = axis.get_ylim()

    monkeypatch.setattr(plt, "show", look)
    plotting.history(
        {
            **HISTORY,
            "loss": np.array([9.0, 5.0, 3.0]),
            "val_loss": np.array([8.0, 5.0, 4.0]),
        }
    )
    (name, (low, high)), *others = limits.items()
    assert name == "cross-entropy" and low == 0 and high >= 9 and len(others) >= 2
    assert all(limit == (0, 1.02) for _, limit in others)
