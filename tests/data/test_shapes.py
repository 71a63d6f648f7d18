"""Shapes: the same bytes everywhere, exact masks, and classes by outline alone."""

import hashlib

import numpy as np
import pytest

from patchconvnet.data import shapes

PINNED = "2366eab9199d084c036efcac10bed0faf55fa98ae9da9bc34ed7f03ea2bd4e33"


@pytest.fixture(scope="module")
def drawn():
    return shapes.generate(2000, seed=0)


def test_sizes_types_and_balance(drawn):
    images, labels, masks = drawn
    assert images.shape == (2000, 32, 32, 3) and images.dtype == np.uint8
    assert labels.shape == (2000,) and labels.dtype == np.int64
    assert masks.shape == (2000, 32, 32) and masks.dtype == bool
    assert np.all(np.bincount(labels) == 200) and len(shapes.CLASS_NAMES) == 10


def test_same_seed_same_bytes_on_every_platform():
    images, _, masks = shapes.generate(200, seed=0)
    assert hashlib.sha256(images.tobytes() + masks.tobytes()).hexdigest() == PINNED


def test_more_images_begin_with_the_same_ones(drawn):
    few = shapes.generate(30, seed=0)
    assert all(np.array_equal(many[:30], part) for many, part in zip(drawn, few))


def test_other_seeds_draw_other_images():
    assert not np.array_equal(
        shapes.generate(10, seed=1)[0], shapes.generate(10, seed=2)[0]
    )
    assert not np.array_equal(
        shapes.generate(10, seed=(0, 1))[0], shapes.generate(10, seed=(0, 2))[0]
    )


def features(images, masks):
    """What must not tell the class: the object's place, size, colour; their squares."""
    rows, columns = np.arange(32)[None, :, None], np.arange(32)[None, None, :]
    area = masks.sum(axis=(1, 2))
    place = [(masks * axis).sum(axis=(1, 2)) / area for axis in (rows, columns)]
    colour = [
        (images[..., channel] * masks).sum(axis=(1, 2)) / area for channel in range(3)
    ]
    values = np.stack([area, *place, *colour], axis=1)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    products = [values[:, i] * values[:, j] for i in range(6) for j in range(i, 6)]
    return np.column_stack([np.ones(len(values)), values, *products])


def test_position_size_and_colour_do_not_predict_the_class(drawn):
    images, labels, masks = drawn
    found = features(images, masks)
    fitted, *_ = np.linalg.lstsq(found[:1000], np.eye(10)[labels[:1000]], rcond=None)
    accuracy = (found[1000:] @ fitted).argmax(axis=1) == labels[1000:]
    assert accuracy.mean() < 0.14  # chance 0.10, four standard deviations 0.038


def test_this_test_of_features_would_see_a_leak(drawn):
    images, labels, masks = drawn
    leaking = images.copy()
    leaking[..., 0] = np.where(masks, (labels * 25)[:, None, None], leaking[..., 0])
    found = features(leaking, masks)
    fitted, *_ = np.linalg.lstsq(found[:1000], np.eye(10)[labels[:1000]], rcond=None)
    assert ((found[1000:] @ fitted).argmax(axis=1) == labels[1000:]).mean() > 0.2


def test_position_size_angle_and_colour_vary(drawn):
    images, labels, masks = drawn
    area = masks.sum(axis=(1, 2))
    assert area.min() > 110 and area.max() < 280 and area.std() > 20
    # objects are everywhere but at the very border
    assert masks.mean(axis=0)[3:29, 3:29].min() > 0.01
    for label in range(10):
        of_class = masks[labels == label]
        assert len({mask.tobytes() for mask in of_class}) > 0.9 * len(of_class)


def test_little_of_an_object_is_cut_off_by_the_border(drawn):
    _, labels, masks = drawn
    area = masks.sum(axis=(1, 2))
    assert area.min() > 0.9 * shapes.SIDE_RANGE[0] ** 2
    means = np.array([area[labels == label].mean() for label in range(10)])
    assert means.max() / means.min() < 1.05  # of no class more than of another


def test_no_place_is_always_on_the_object(drawn):
    """Else a map that ignores the image would score well."""
    _, _, masks = drawn
    assert masks.mean(axis=0).max() < 0.7


def test_masks_fit_the_picture(drawn):
    """Just inside the mask the colour is the object's, which is nearly constant."""
    images, _, masks = drawn
    inner = (
        masks
        & np.roll(masks, 1, 1)
        & np.roll(masks, -1, 1)
        & np.roll(masks, 1, 2)
        & np.roll(masks, -1, 2)
    )
    for image, mask, inside in zip(images[:200].astype(float), masks, inner):
        assert image[inside].std(axis=0).max() < 12
        assert np.abs(image[inside].mean(axis=0) - image[~mask].mean(axis=0)).max() > 12


@pytest.mark.parametrize(
    "label, area",
    [("circle", np.pi), ("square", 1.4**2), ("cross", 4 * 0.42 * 2 - 0.84**2)],
)
def test_outlines_have_the_area_that_geometry_says(label, area):
    index = shapes.CLASS_NAMES.index(label)
    assert shapes._AREA[index] == pytest.approx(area, rel=0.01)


def test_the_ring_has_a_hole(drawn):
    _, labels, masks = drawn
    rings = masks[labels == shapes.CLASS_NAMES.index("ring")]
    whole = [
        ring for ring in rings if not (ring[[0, -1]].any() or ring[:, [0, -1]].any())
    ]
    assert len(whole) > 20
    for ring in whole:
        rows, columns = np.nonzero(ring)
        assert not ring[round(rows.mean()), round(columns.mean())]


@pytest.mark.parametrize(
    "arguments, error",
    [((0,), ValueError), ((-3,), ValueError), ((2.5,), TypeError), ((True,), TypeError),
     ((5, -1), ValueError), ((5, "a"), TypeError)],
)  # fmt: skip
def test_bad_arguments(arguments, error):
    with pytest.raises(error):
        shapes.generate(*arguments)


# === two objects in one image ===


@pytest.fixture(scope="module")
def pairs():
    return shapes.generate_pairs(180, seed=0)


def test_pairs_have_two_classes_and_two_masks(pairs):
    images, labels, masks = pairs
    assert images.shape == (180, 32, 32, 3) and images.dtype == np.uint8
    assert masks.shape == (180, 2, 32, 32) and masks.dtype == bool
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, tuple(labels.T), 1)
    # each ordered pair twice, none with itself
    assert np.array_equal(counts, 2 * (1 - np.eye(10, dtype=int)))
    assert not (masks[:, 0] & masks[:, 1]).any()
    assert (
        masks.sum(axis=(2, 3)).min() > 100 and np.ptp(masks[:, 0].sum(axis=(1, 2))) > 20
    )


def test_objects_of_a_pair_stand_out_where_their_masks_say(pairs):
    """Inside each mask the colour is one, and not what lies around it."""
    images, _, masks = pairs
    background = ~masks.any(axis=1)
    for index in range(2):
        spread = [
            images[number][mask].std(axis=0).max()
            for number, mask in enumerate(masks[:, index])
        ]
        assert np.median(spread) < 25
        distance = [
            np.abs(image[mask].mean(axis=0) - image[rest].mean(axis=0)).max()
            for image, mask, rest in zip(images, masks[:, index], background)
        ]
        assert np.median(distance) > 50


def test_pairs_repeat_and_lie_apart(pairs):
    again = shapes.generate_pairs(180, seed=0)
    assert all(np.array_equal(first, second) for first, second in zip(pairs, again))
    assert not np.array_equal(pairs[0], shapes.generate_pairs(180, seed=1)[0])
    rows, columns = np.arange(32)[:, None], np.arange(32)[None]
    area = pairs[2].sum(axis=(2, 3))
    # two of (N, 2)
    centres = [(pairs[2] * axis).sum(axis=(2, 3)) / area for axis in (rows, columns)]
    distance = np.hypot(*(centre[:, 0] - centre[:, 1] for centre in centres))
    assert distance.min() > 10 and all(
        0.2 < (np.ptp(centre, axis=1) > 10).mean() for centre in centres
    )


@pytest.mark.parametrize("count", [0, 2.5, True])
def test_pairs_need_a_count(count):
    with pytest.raises((TypeError, ValueError), match="count must be"):
        shapes.generate_pairs(count)


def test_pairs_of_the_same_seed_have_the_same_bytes_on_every_platform():
    images, labels, masks = shapes.generate_pairs(40, seed=3)
    content = images.tobytes() + labels.astype("uint8").tobytes() + masks.tobytes()
    assert hashlib.sha256(content).hexdigest()[:16] == "e000005c3635c5c7"


def test_one_of_a_pair_lies_left_of_the_other_or_above(pairs):
    """Along one axis far apart, the first before the second; half on each axis."""
    _, _, masks = pairs
    rows, columns = np.arange(32)[:, None], np.arange(32)[None]
    # (N, 2)
    middle = lambda axis: (
        (masks * axis).sum(axis=(2, 3)) / np.maximum(masks.sum(axis=(2, 3)), 1)
    )
    down, right = (middle(axis)[:, 1] - middle(axis)[:, 0] for axis in (rows, columns))
    assert np.all(np.maximum(down, right) > 8)
    assert 0.3 < (right > down).mean() < 0.7
