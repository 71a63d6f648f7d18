"""Scores of attention maps, against values worked out by hand."""

import numpy as np
import pytest

from patchconvnet import faithfulness
from patchconvnet.errors import PatchConvNetError


def mask_of(height, width, rows, columns):
    mask = np.zeros((1, height, width), dtype=bool)
    mask[0, rows, columns] = True
    return mask


def map_at(*cells, grid=(2, 2)):
    """One map with weight 1 at each of `cells`."""
    weights = np.zeros((1, *grid))
    for cell in cells:
        weights[0][cell] = 1
    return weights


# === cell shares ===


def test_cell_shares_where_cells_hold_whole_pixels():
    mask = mask_of(4, 4, slice(0, 1), slice(0, 3))  # three pixels of the first row
    assert np.array_equal(
        faithfulness.cell_shares(mask, (2, 2)), [[[0.5, 0.25], [0, 0]]]
    )
    assert np.array_equal(faithfulness.cell_shares(mask, (4, 4)), mask)
    assert np.array_equal(faithfulness.cell_shares(mask, (1, 1)), [[[3 / 16]]])


def test_cell_shares_where_cells_cut_through_pixels():
    """32 pixels to 12 cells: each cell is 8/3 pixels wide. Pixel 2 is cut, 2/3 to cell
    0 and 1/3 to cell 1.
    """
    shares = faithfulness.cell_shares(mask_of(32, 32, slice(None), 2), (12, 12))[0]
    wanted = np.zeros(12)
    wanted[:2] = (2 / 3) / (8 / 3), (1 / 3) / (8 / 3)
    np.testing.assert_allclose(shares, np.tile(wanted, (12, 1)), atol=1e-12)
    corner = faithfulness.cell_shares(mask_of(32, 32, 2, 2), (12, 12))[0]
    np.testing.assert_allclose(corner, np.outer(wanted, wanted), atol=1e-12)


def test_cell_shares_where_cells_are_smaller_than_pixels():
    shares = faithfulness.cell_shares(mask_of(2, 2, 0, 0), (3, 4))[0]
    np.testing.assert_allclose(shares, [[1, 1, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 0]])


def test_cell_shares_of_a_flat_picture_and_of_numbers():
    mask = np.array([[[0.0, 0.5, 1.0, 1.0]]])  # (1, 1, 4)
    assert np.array_equal(faithfulness.cell_shares(mask, (1, 2)), [[[0.25, 1]]])


def test_cell_shares_keep_the_area():
    masks = np.random.default_rng(0).random((5, 32, 32)) < 0.3
    for grid in ((8, 8), (12, 12), (7, 5), (40, 33)):
        shares = faithfulness.cell_shares(masks, grid)
        assert shares.shape == (5, *grid) and shares.min() >= 0 and shares.max() <= 1
        np.testing.assert_allclose(shares.mean(axis=(1, 2)), masks.mean(axis=(1, 2)))


# === pointing game and chance ===


@pytest.mark.parametrize(
    ("cell", "hit"), [((0, 0), True), ((0, 1), False), ((1, 0), False), ((1, 1), False)]
)
def test_exactly_one_half_is_on_the_object(cell, hit):
    mask = mask_of(4, 4, slice(0, 1), slice(0, 3))  # shares 0.5, 0.25, 0, 0
    assert faithfulness.pointing_game(map_at(cell), mask) == [hit]


@pytest.mark.parametrize("part", [slice(0, 4), slice(4, 32)])
def test_exactly_one_half_counts_where_cells_cut_through_pixels_too(part):
    """Of 12 cells over 32 pixels, cell 1 goes from 8/3 to 16/3: its middle is 4."""
    masks = mask_of(32, 32, slice(None), part)
    assert faithfulness.pointing_game(map_at((6, 1), grid=(12, 12)), masks) == [True]


def test_threshold_of_the_pointing_game():
    mask = mask_of(4, 4, slice(0, 1), slice(0, 3))
    pointed = map_at((0, 1))
    assert faithfulness.pointing_game(pointed, mask, threshold=0.25) == [True]
    assert faithfulness.pointing_game(pointed, mask, threshold=0.26) == [False]
    assert faithfulness.pointing_game(map_at((1, 1)), mask, threshold=1e-9) == [False]


def test_pointing_game_takes_each_maps_own_mask_and_greatest_cell():
    masks = np.concatenate(
        [mask_of(4, 4, slice(2), slice(2)), mask_of(4, 4, slice(2, 4), slice(2, 4))]
    )
    maps = np.array([[[0.6, 0.1], [0.1, 0.2]], [[0.6, 0.1], [0.1, 0.2]]])
    assert list(faithfulness.pointing_game(maps, masks)) == [True, False]
    # the first of equals
    assert list(faithfulness.pointing_game(np.full((2, 2, 2), 0.25), masks)) == [
        True,
        False,
    ]


def test_best_fixed_cell_is_the_one_that_is_on_the_object_most_often():
    masks = np.zeros((4, 4, 4), bool)
    masks[:3, :2, :2] = True  # the upper left cell in three images of four
    masks[3, 2:, 2:] = True
    assert faithfulness.best_fixed_cell(masks, (2, 2)) == 3 / 4
    assert faithfulness.chance(masks, (2, 2)) == 1 / 4


def test_chance_is_the_share_of_cells_on_the_object():
    masks = np.concatenate(
        [mask_of(4, 4, slice(2), slice(2)), mask_of(4, 4, slice(0, 1), slice(4))]
    )
    assert faithfulness.chance(masks, (2, 2)) == 3 / 8  # one cell whole; two cells half
    assert faithfulness.chance(masks, (2, 2), threshold=0.75) == 1 / 8
    assert isinstance(faithfulness.chance(masks, (2, 2)), float)


# === energy and entropy ===


def test_energy_by_hand():
    mask = mask_of(4, 4, slice(0, 1), slice(0, 3))  # shares 0.5, 0.25, 0, 0
    maps = np.array([[[2, 1], [0, 1]]])  # a half, a quarter, none, a quarter
    assert faithfulness.energy(maps, mask) == pytest.approx([0.5 * 0.5 + 0.25 * 0.25])


def test_energy_of_a_uniform_map_is_the_objects_share():
    masks = np.random.default_rng(0).random((4, 32, 32)) < 0.2
    for dtype in ("float16", "float32"):
        energy = faithfulness.energy(np.full((4, 12, 12), 0.01, dtype), masks)
        np.testing.assert_allclose(energy, masks.mean(axis=(1, 2)), rtol=1e-9)


def test_entropy_by_hand():
    maps = np.array(
        [
            [[1, 1], [1, 1]],
            [[1, 0], [0, 0]],
            [[0.5, 0.25], [0.25, 0]],
            [[20, 20], [0, 0]],
        ],
        "float16",
    )
    bits = faithfulness.entropy(maps)
    assert bits == pytest.approx([2, 0, 1.5, 1])
    assert f"{bits[1]:g}" == "0"  # not "-0"


# === bad input ===


@pytest.mark.parametrize("score", [faithfulness.pointing_game, faithfulness.energy])
@pytest.mark.parametrize(
    ("maps", "masks"),
    [
        ((2, 4, 4), (3, 8, 8)),
        ((2, 1, 4, 4), (2, 8, 8)),
        ((4, 4), (1, 8, 8)),
        ((2, 4, 4), (2, 8, 8, 1)),
    ],
)
def test_wrong_shapes_are_named(score, maps, masks):
    with pytest.raises(PatchConvNetError) as raised:
        score(np.ones(maps), np.ones(masks))
    assert str(maps) in str(raised.value) and str(masks) in str(raised.value)


def test_wrong_shapes_of_a_single_array_are_named():
    with pytest.raises(PatchConvNetError, match=r"masks: shape \(8, 8\)"):
        faithfulness.cell_shares(np.ones((8, 8)), (2, 2))
    with pytest.raises(PatchConvNetError, match=r"maps: shape \(3, 1, 4, 4\)"):
        faithfulness.entropy(np.ones((3, 1, 4, 4)))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            [[0, 0], [0, 0]],
            "no value may be negative, and no map may be zero everywhere",
        ),
        (
            [[2, -1], [0, 0]],
            "no value may be negative, and no map may be zero everywhere",
        ),
        ([[np.nan, 1], [1, 1]], "no finite numbers: the network's training has failed"),
        ([[np.inf, 1], [1, 1]], "no finite numbers: the network's training has failed"),
    ],
)
def test_maps_that_cannot_be_divided_by_their_sum(bad, message):
    maps = np.stack([np.ones((2, 2)), bad])
    with pytest.raises(PatchConvNetError, match=message):
        faithfulness.entropy(maps)
    with pytest.raises(PatchConvNetError, match=message):
        faithfulness.energy(maps, np.ones((2, 8, 8), bool))


# === order of the cells ===


def test_rank_accuracy_by_hand():
    mask = mask_of(4, 4, slice(0, 4), slice(0, 2))  # the two cells on the left
    maps = np.array(
        [[[4, 3], [2, 1]], [[4, 2], [3, 1]], [[1, 3], [2, 4]], [[1, 3], [0, 4]]]
    )
    found = faithfulness.rank_accuracy(maps, np.repeat(mask, 4, axis=0))
    assert list(found) == [1 / 2, 1, 0, 0]


def test_average_precision_by_hand():
    # the two cells on the left
    mask = np.repeat(mask_of(4, 4, slice(0, 4), slice(0, 2)), 3, axis=0)
    maps = np.array([[[4, 3], [2, 1]], [[4, 2], [3, 1]], [[2, 3], [1, 4]]])
    # Right at place 1 and 3; at 1 and 2; at 3 and 4.
    expected = [(1 + 2 / 3) / 2, 1, (1 / 3 + 2 / 4) / 2]
    assert faithfulness.average_precision(maps, mask) == pytest.approx(expected)


def test_equal_cells_share_what_they_find():
    mask = mask_of(4, 4, slice(0, 4), slice(0, 2))
    # the second place belongs to an object's cell and to another
    maps = np.array([[[4, 2], [2, 1]]])
    assert faithfulness.rank_accuracy(maps, mask) == pytest.approx([(1 + 0.5) / 2])
    assert faithfulness.average_precision(maps, mask) == pytest.approx(
        [(1 + 2 / 3) / 2]
    )


@pytest.mark.parametrize(
    "measure", [faithfulness.rank_accuracy, faithfulness.average_precision]
)
def test_a_uniform_map_scores_the_objects_share_of_the_cells(measure):
    masks = np.concatenate(
        [
            mask_of(32, 32, slice(0, 8), slice(0, 12)),
            mask_of(32, 32, slice(4, 32), slice(0, 32)),
        ]
    )
    shares = (faithfulness.cell_shares(masks, (8, 8)) >= 0.5).mean(axis=(1, 2))
    assert measure(np.full((2, 8, 8), 1 / 64, "float32"), masks) == pytest.approx(
        shares
    )
    # and the mask itself, all
    assert measure(faithfulness.cell_shares(masks, (8, 8)), masks) == pytest.approx(
        [1, 1]
    )


@pytest.mark.parametrize(
    "measure", [faithfulness.rank_accuracy, faithfulness.average_precision]
)
def test_without_an_object_there_is_no_score(measure):
    masks = np.concatenate(
        [np.zeros((1, 4, 4), bool), mask_of(4, 4, slice(2), slice(2))]
    )
    found = measure(np.array([[[4, 3], [2, 1]]] * 2), masks)
    assert np.isnan(found[0]) and found[1] == 1
    assert np.isnan(faithfulness.energy_ratio(np.ones((2, 2, 2)), masks)[0])


def test_threshold_says_which_cells_are_the_object():
    mask = mask_of(4, 4, slice(0, 1), slice(0, 3))  # shares 0.5, 0.25, 0, 0
    maps = np.array([[[3, 1], [4, 2]]])
    assert faithfulness.rank_accuracy(maps, mask) == [0]  # the object is one cell
    assert faithfulness.rank_accuracy(maps, mask, threshold=0.25) == [0.5]  # now two
    assert faithfulness.average_precision(maps, mask, threshold=0.25) == pytest.approx(
        [(1 / 2 + 2 / 4) / 2]
    )


def test_energy_ratio_by_hand():
    # a quarter of the image: the first cell
    mask = mask_of(4, 4, slice(0, 2), slice(0, 2))
    maps = np.array([[[2, 1], [0, 1]], [[1, 1], [1, 1]]])
    assert faithfulness.energy_ratio(maps, np.repeat(mask, 2, axis=0)) == pytest.approx(
        [2, 1]
    )
