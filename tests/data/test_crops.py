"""Squares in which the object lies towards a corner."""

import numpy as np
import pytest

from patchconvnet.data.crops import centre_distance, off_centre
from patchconvnet.errors import PatchConvNetError

SIZE = 112


def one_block(row, column, side=8):
    """A picture that is white on its object, and the mask: both of one."""
    mask = np.zeros((1, SIZE, SIZE), bool)
    mask[0, row : row + side, column : column + side] = True
    image = np.repeat(255 * mask[..., None].astype("uint8"), 3, axis=3)
    return image, mask


def test_the_object_comes_to_a_quarter_from_a_corner():
    image, mask = one_block(52, 52)
    corners = set()
    for seed in range(20):
        images, masks = off_centre(image, mask, side=56, seed=seed)
        row, column = np.argwhere(masks[0]).mean(axis=0) + 0.5
        corners.add((row > SIZE / 2, column > SIZE / 2))
        for place in (row, column):
            assert min(abs(place - 28), abs(place - 84)) <= 2
        # the picture is cut as its mask is
        white = images[0].mean(axis=2) > 128
        assert (white != masks[0]).mean() < 0.01
        assert masks.sum() == 4 * mask.sum()  # twice as large
    assert len(corners) == 4


def test_it_goes_as_far_as_the_picture_allows():
    image, mask = one_block(0, 104)
    for seed in range(6):
        _, masks = off_centre(image, mask, side=56, seed=seed)
        assert masks.sum() == 4 * mask.sum()  # nothing of it is cut away


def test_the_whole_square_changes_nothing():
    image, mask = one_block(20, 70)
    images, masks = off_centre(image, mask, side=SIZE)
    np.testing.assert_array_equal(images, image)
    np.testing.assert_array_equal(masks, mask)


def test_a_seed_draws_the_same_corners():
    image, mask = one_block(52, 52)
    many = np.repeat(image, 9, axis=0), np.repeat(mask, 9, axis=0)
    first, again = (off_centre(*many, side=60, seed=4)[1] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != off_centre(*many, side=60, seed=5)[1])


def test_distance_from_the_middle():
    _, mask = one_block(52, 52)
    _, aside = one_block(52, 80)
    both = np.concatenate([mask, aside, np.zeros_like(mask)])
    np.testing.assert_allclose(centre_distance(both), [0, 28 / SIZE, np.nan])


@pytest.mark.parametrize("side", [0, SIZE + 1])
def test_an_impossible_side(side):
    with pytest.raises(PatchConvNetError, match=f"side must be from 1 to {SIZE}"):
        off_centre(*one_block(5, 5), side=side)


def test_an_empty_mask():
    image, mask = one_block(5, 5)
    with pytest.raises(PatchConvNetError, match="one is empty"):
        off_centre(image, np.zeros_like(mask))


def test_masks_of_other_pictures():
    image, mask = one_block(5, 5)
    with pytest.raises(PatchConvNetError, match="wanted"):
        off_centre(image, mask[:, :50])
