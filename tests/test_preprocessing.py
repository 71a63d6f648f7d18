"""Resizing, scaling and varying images inside the model."""

import keras
import numpy as np
import pytest

from patchconvnet.errors import PatchConvNetError
from patchconvnet.preprocessing import Augment, Resize, check_images, rescaling


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def pictures(count=4, size=8):
    return (
        np.random.default_rng(0)
        .integers(0, 256, (count, size, size, 3))
        .astype("float32")
    )


def test_resize_leaves_right_sized_images_alone_and_brings_others_to_size():
    layer = Resize(8)
    np.testing.assert_array_equal(numpy(layer(pictures())), pictures())
    assert layer(np.zeros((2, 20, 11, 3), "uint8")).shape == (2, 8, 8, 3)
    np.testing.assert_allclose(
        numpy(layer(np.full((1, 20, 11, 3), 77.0))), 77, atol=1e-3
    )


def test_resize_averages_what_it_shrinks():
    stripes = np.zeros((1, 64, 64, 3), "uint8")
    # one column in four: bilinear alone would take some and lose others
    stripes[:, :, 1::4] = 255
    small = numpy(Resize(16)(stripes))
    np.testing.assert_allclose(small[:, 2:-2, 2:-2], 255 / 4, rtol=0.1)


def test_augment_does_nothing_outside_training():
    layer = Augment(shift=3, flip=True, cutout=4, seed=0)
    np.testing.assert_array_equal(numpy(layer(pictures())), pictures())


def test_shift_is_a_reflected_shift_and_each_image_has_its_own():
    layer = Augment(shift=2, seed=0)
    images = pictures(64)
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    offsets = set()
    for result, around in zip(numpy(layer(images, training=True)), padded):
        found = [
            (down, right)
            for down in range(5)
            for right in range(5)
            if np.array_equal(result, around[down : down + 8, right : right + 8])
        ]
        assert len(found) == 1
        offsets.update(found)
    assert len(offsets) > 15  # of 25


def test_flip_mirrors_about_half_of_the_images():
    images = pictures(200)
    results = numpy(Augment(flip=True, seed=0)(images, training=True))
    mirrored = np.array(
        [
            np.array_equal(result, image[:, ::-1])
            for result, image in zip(results, images)
        ]
    )
    kept = np.array(
        [np.array_equal(result, image) for result, image in zip(results, images)]
    )
    assert np.all(mirrored ^ kept)
    assert 70 < mirrored.sum() < 130


def test_cutout_paints_one_grey_square_of_the_size_said():
    images = np.zeros((100, 12, 12, 3), "float32")
    results = numpy(Augment(cutout=4, seed=0)(images, training=True))
    assert set(np.unique(results)) == {0.0, 127.5}
    hidden = results[..., 0] > 0
    assert hidden.sum(axis=(1, 2)).max() == 16
    assert (
        len({tuple(np.argwhere(square)[0]) for square in hidden if square.any()}) > 30
    )


def test_the_middle_of_the_cutout_may_be_any_pixel():
    results = numpy(
        Augment(cutout=1, seed=1)(np.zeros((4000, 6, 6, 3), "float32"), training=True)
    )
    often = (results[..., 0] > 0).mean(axis=0)
    # four standard deviations: 0.010
    np.testing.assert_allclose(often, 1 / 36, atol=0.012)


def test_augment_differs_from_call_to_call_and_repeats_with_the_seed():
    images = pictures(16)
    first, second = (
        Augment(shift=2, flip=True, seed=5),
        Augment(shift=2, flip=True, seed=5),
    )
    once = numpy(first(images, training=True))
    np.testing.assert_array_equal(once, numpy(second(images, training=True)))
    assert np.abs(once - numpy(first(images, training=True))).max() > 0


@pytest.mark.parametrize("arguments", [{"shift": -1}, {"cutout": -1}])
def test_augment_rejects_negative_sizes(arguments):
    with pytest.raises(ValueError, match="must not be negative"):
        Augment(**arguments)


def test_rescaling_ranges():
    ends = np.array([0.0, 255.0]).reshape(1, 1, 2, 1) * np.ones(3)
    np.testing.assert_allclose(
        numpy(rescaling("rescale")(ends))[0, 0, :, 0], [-1, 1], atol=1e-6
    )
    # The paper's networks: (value / 255 - mean) / deviation, by channel.
    wanted = (ends / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(numpy(rescaling("imagenet")(ends)), wanted, atol=1e-5)


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((32, 32, 3), "uint8"), "images\\[None\\]"),
        (np.zeros((2, 32, 32), "uint8"), "shape \\(2, 32, 32\\)"),
        (np.zeros((2, 32, 32, 1), "uint8"), "shape \\(2, 32, 32, 1\\)"),
        (np.zeros((0, 32, 32, 3), "uint8"), "shape \\(0, 32, 32, 3\\)"),
        (np.full((1, 8, 8, 3), 0.5), "look like 0..1"),
        (np.full((1, 8, 8, 3), -1.0), "values from -1"),
        (np.full((1, 8, 8, 3), 256), "values from 256"),
        (np.full((1, 8, 8, 3), np.nan), "not finite"),
        (np.full((1, 8, 8, 3), "a"), "dtype"),
        (np.zeros((1, 8, 8, 3), bool), "dtype"),
    ],
)
def test_check_images_says_what_is_wrong(images, message):
    with pytest.raises(PatchConvNetError, match=message):
        check_images(images)


def test_check_images_accepts_bytes_floats_and_lists():
    assert check_images(np.zeros((1, 8, 8, 3), "uint8")).dtype == np.uint8
    assert check_images(np.full((1, 8, 8, 3), 200.0)).dtype == np.float32
    # black is black in any range
    assert check_images(np.zeros((1, 8, 8, 3))).shape == (1, 8, 8, 3)
    assert check_images([[[[1, 2, 3]]]]).dtype == np.float32


def test_the_cutout_lies_around_its_middle():
    """Of five pixels, two on either side of the middle: borders cut equally much."""
    results = numpy(
        Augment(cutout=5, seed=2)(np.zeros((1500, 9, 9, 3), "float32"), training=True)
    )
    hidden = results[..., 0] > 0
    for axis in (1, 2):
        line = hidden.any(axis=axis)  # (N, 9): which rows, or columns
        assert set(line.sum(axis=1)) == {3, 4, 5}
        often = line.mean(axis=0)
        # four standard deviations
        np.testing.assert_allclose(
            often, [3 / 9, 4 / 9, *[5 / 9] * 5, 4 / 9, 3 / 9], atol=0.05
        )


def test_shifts_of_all_lengths_are_as_frequent():
    ramp = np.broadcast_to(
        np.arange(8, dtype="float32")[None, :, None, None] * 8
        + np.arange(8)[None, None, :, None],
        (900, 8, 8, 3),
    )
    moved = numpy(Augment(shift=1, seed=0)(ramp, training=True))[:, 3, 3, 0] - (
        3 * 8 + 3
    )
    often = np.array(
        [
            [(moved == 8 * down + right).mean() for right in (-1, 0, 1)]
            for down in (-1, 0, 1)
        ]
    )
    np.testing.assert_allclose(often, 1 / 9, atol=0.045)


def test_a_picture_may_be_both_shifted_and_mirrored_and_neither_changes_it_otherwise():
    images = pictures(200)
    found = set()
    for result, image in zip(
        numpy(Augment(shift=1, flip=True, seed=0)(images, training=True)), images
    ):
        around = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="reflect")
        places = [
            (down, right, mirrored)
            for down in range(3)
            for right in range(3)
            for mirrored in (False, True)
        ]
        moved = lambda down, right, mirrored: around[
            down : down + 8, right : right + 8
        ][:, :: -1 if mirrored else 1]
        [place] = [place for place in places if np.array_equal(result, moved(*place))]
        found.add(place)
    assert len(found) == 18
    np.testing.assert_array_equal(numpy(Augment()(images, training=True)), images)


def test_resizing_smooths_only_where_a_side_shrinks():
    """Smoothing blurs a side that is enlarged; without it a smaller side loses rows."""
    picture = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype("float32")
    enlarged = numpy(Resize(16)(picture))
    # a corner has no neighbour to mix with
    np.testing.assert_allclose(enlarged[:, 0, 0], picture[:, 0, 0], atol=1e-3)
    tall = np.zeros((1, 64, 8, 3), "float32")
    tall[:, 1::4] = 255
    np.testing.assert_allclose(numpy(Resize(16)(tall))[:, 2:-2], 255 / 4, rtol=0.1)


@pytest.mark.parametrize(
    ("values", "accepted"),
    [
        (255.0, True),
        (255.5, False),
        (0.0, True),
        (-0.5, False),
        (1.0, False),
        (1.5, True),
    ],
)
def test_the_range_of_images_ends_at_0_and_255(values, accepted):
    images = np.full((1, 4, 4, 3), values)
    if accepted:
        np.testing.assert_array_equal(check_images(images), images)
    else:
        with pytest.raises(PatchConvNetError, match="values from"):
            check_images(images)


def test_whole_numbers_of_one_are_dark_and_no_share():
    assert check_images(np.ones((1, 4, 4, 3), "int64")).dtype == np.float32
    with pytest.raises(PatchConvNetError, match="^photos: shape"):
        check_images(np.ones((4, 4)), "photos")
