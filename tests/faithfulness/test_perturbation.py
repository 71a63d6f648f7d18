"""Deletion, insertion, class activation maps, and maps that ignore the image."""

import keras
import numpy as np
import pytest
from test_faithfulness import map_at, mask_of

from patchconvnet import PatchConvNet, faithfulness
from patchconvnet.errors import PatchConvNetError

# === deletion and insertion ===


class Watcher:
    """Stands for a network: the logit of class 1 is the mean brightness of the upper
    left quarter, of class 0 zero.
    """

    def predict(self, images, **options):
        brightness = images[:, :2, :2].mean(axis=(1, 2, 3)) / 255
        return np.stack([np.zeros(len(images)), 4 * brightness], axis=1)


def sure(brightness):
    return 1 / (1 + np.exp(-4 * brightness))


@pytest.fixture
def spot():
    """One image, white in the upper left quarter, else black: its mean is 1/4."""
    image = np.zeros((1, 4, 4, 3), "uint8")
    image[:, :2, :2] = 255
    return image


# maps: the white quarter first, or last
FIRST, LAST = np.array([[[4, 3], [2, 1]]]), np.array([[[1, 2], [3, 4]]])
PAINTED = sure(63 / 255)  # 63 is the mean, as whole number


@pytest.mark.parametrize(
    ("maps", "probabilities"),
    [(FIRST, [sure(1)] + [PAINTED] * 4), (LAST, [sure(1)] * 4 + [PAINTED])],
)
def test_deletion_by_hand(spot, maps, probabilities):
    curve, area = faithfulness.deletion(Watcher(), spot, maps, [1])
    np.testing.assert_allclose(curve, [probabilities])
    assert area == pytest.approx(
        [np.mean([sum(pair) / 2 for pair in zip(probabilities, probabilities[1:])])]
    )


def test_insertion_is_deletion_backwards(spot):
    for maps in (FIRST, LAST):
        inserted, area = faithfulness.insertion(Watcher(), spot, maps, [1], fill="mean")
        deleted, other = faithfulness.deletion(Watcher(), spot, -maps, [1])
        np.testing.assert_allclose(inserted, deleted[:, ::-1])
        np.testing.assert_allclose(area, other)


def test_the_label_and_the_number_of_steps_count(spot):
    curve, area = faithfulness.deletion(
        Watcher(),
        np.repeat(spot, 2, axis=0),
        np.repeat(FIRST, 2, axis=0),
        [1, 0],
        steps=2,
    )
    assert curve.shape == (2, 3) and area.shape == (2,)
    # two classes: what one loses, the other gains
    np.testing.assert_allclose(curve.sum(axis=0), 1)
    # after one step of two, two cells of four are gone
    assert curve[0, 1] == pytest.approx(PAINTED)


def test_blurring_keeps_the_colours_and_loses_the_form(spot):
    curve, _ = faithfulness.insertion(Watcher(), spot, FIRST, [1])
    assert 0.5 < curve[0, 0] < sure(1) and curve[0, -1] == pytest.approx(sure(1))
    plain = np.full((1, 4, 4, 3), 100, "uint8")
    curve, _ = faithfulness.insertion(Watcher(), plain, FIRST, [1])
    np.testing.assert_allclose(curve, sure(100 / 255))  # nothing to blur


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 5}, "steps must be a whole number from 1 to 4.* got 5"),
        ({"steps": 0}, "steps must be .*0"),
        ({"steps": True}, "steps must be .*True"),
        ({"fill": "grey"}, 'fill must be "mean" or "blur", got \'grey\''),
        (
            {"maps": FIRST[0]},
            r"maps \(2, 2\).*wanted \(N, H, W, 3\), \(N, h, w\), \(N,\)",
        ),
        ({"labels": [0, 1]}, r"labels \(2,\)"),
    ],
)
def test_deletion_refuses_what_it_cannot_use(spot, changes, message):
    given = {"images": spot, "maps": FIRST, "labels": [1], **changes}
    with pytest.raises(PatchConvNetError, match=message):
        faithfulness.deletion(Watcher(), **given)


# === class activation maps ===


@pytest.fixture(scope="module")
def averaging():
    """A network with average pooling, random head included, and images."""
    keras.utils.set_random_seed(0)
    network = PatchConvNet(dim=8, depth=1, pooling="average", image_size=16)
    network.get_layer("head").bias.assign(np.arange(10))
    return network, np.random.default_rng(0).integers(
        0, 256, (5, 16, 16, 3), dtype="uint8"
    )


def test_a_class_activation_maps_mean_is_the_logit(averaging):
    network, images = averaging
    logits, maps = faithfulness.class_activation_maps(network, images, batch_size=2)
    assert maps.shape == (5, 10, 4, 4) and maps.min() < 0 < maps.max()
    np.testing.assert_allclose(logits, network.predict(images, verbose=0), atol=1e-5)
    np.testing.assert_allclose(
        maps.mean(axis=(2, 3)) + np.arange(10), logits, atol=1e-5
    )


def test_with_attention_there_is_no_class_activation_map():
    with pytest.raises(PatchConvNetError, match='need pooling="average"'):
        faithfulness.class_activation_maps(
            PatchConvNet(dim=8, depth=1), np.zeros((1, 32, 32, 3), "uint8")
        )


# === all together, and maps that ignore the image ===


def test_measure_is_the_mean_of_each():
    generator = np.random.default_rng(3)
    maps, masks = generator.random((20, 6, 5)), generator.random((20, 31, 17)) < 0.4
    masks[0] = False  # no object: left out where a measure is not defined
    found = faithfulness.measure(maps, masks)
    for name in (
        "pointing_game",
        "energy",
        "energy_ratio",
        "rank_accuracy",
        "average_precision",
    ):
        assert found[name] == pytest.approx(
            np.nanmean(getattr(faithfulness, name)(maps, masks))
        ), name
    assert found["entropy"] == pytest.approx(faithfulness.entropy(maps).mean())
    assert faithfulness.measure(maps) == {"entropy": found["entropy"]}


def test_a_centre_map_is_a_bell():
    bell = faithfulness.centre_map((2, 4), width=0.5)
    assert bell.shape == (2, 4) and bell.sum() == pytest.approx(1)
    assert np.array_equal(bell, bell[::-1, ::-1])
    # Cell centres lie at -1/4 and 1/4 of the height, at -3/8, -1/8, 1/8 and 3/8 of the
    # width: half that, in widths.
    assert bell[0, 1] / bell[0, 0] == pytest.approx(np.exp((0.75**2 - 0.25**2) / 2))


def test_random_maps_repeat_and_differ():
    maps = faithfulness.random_maps(3, (4, 5), seed=1)
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), 1)
    assert np.array_equal(maps, faithfulness.random_maps(3, (4, 5), seed=1))
    assert len({tuple(each.argsort(axis=None)) for each in maps}) == 3


# === each border ===


@pytest.mark.parametrize(
    "measure",
    [
        faithfulness.pointing_game,
        faithfulness.rank_accuracy,
        faithfulness.average_precision,
    ],
)
def test_the_threshold_is_a_half_unless_told_and_reached_by_equals(measure):
    mask = mask_of(4, 4, slice(0, 1), slice(0, 3))  # shares 0.5, 0.25, 0, 0
    pointed = map_at((0, 0))
    assert measure(pointed, mask) == [1] and measure(pointed, mask, threshold=0.5) == [
        1
    ]
    assert not measure(pointed, mask, threshold=0.51) == [1]
    for function in (faithfulness.chance, faithfulness.best_fixed_cell):
        assert [
            function(mask, (2, 2), threshold) for threshold in (0.25, 0.5, 0.51)
        ] == ([0.5, 0.25, 0] if function is faithfulness.chance else [1, 1, 0])


class Counting:
    """Stands for a network: the logit is how many of six cells are still bright."""

    def predict(self, images, **options):
        return np.stack(
            [np.zeros(len(images)), (images[..., 0] > 200).sum(axis=(1, 2)) / 4], axis=1
        )


@pytest.mark.parametrize(
    ("steps", "taken"),
    [
        (1, [0, 6]),
        (2, [0, 3, 6]),
        (4, [0, 2, 3, 4, 6]),
        (6, [*range(7)]),
        (None, [*range(7)]),
    ],
)
@pytest.mark.parametrize("inserting", [False, True])
def test_steps_take_cells_in_even_parts_and_the_area_counts_their_widths(
    steps, taken, inserting
):
    image = np.full((1, 4, 6, 3), 255, "uint8")
    image[0, ::2, ::2] = 0  # a quarter of each cell is black: the mean is not bright
    probability = lambda left: 1 / (1 + np.exp(-left * 0.75))
    function = faithfulness.insertion if inserting else faithfulness.deletion
    curve, area = function(
        Counting(),
        image,
        np.array([[[6, 1, 5], [2, 4, 3]]]),
        [1],
        steps=steps,
        fill="mean",
    )
    by_hand = np.array(
        [probability(count if inserting else 6 - count) for count in taken]
    )
    np.testing.assert_allclose(curve, [by_hand])
    assert area == pytest.approx(
        [(np.diff(taken) / 6 * (by_hand[1:] + by_hand[:-1]) / 2).sum()]
    )


def test_the_greatest_cell_goes_first_and_of_equals_the_first():
    seen = []

    class Seeing:
        def predict(self, images, **options):
            seen.append(images[0, :, :, 0].astype(int))
            return np.zeros((len(images), 2))

    image = np.arange(4, dtype="uint8").reshape(1, 2, 2, 1) * 60 + np.zeros(
        (1, 2, 2, 3), "uint8"
    )
    faithfulness.deletion(Seeing(), image, np.array([[[1, 3], [3, 2]]]), [0])
    mean = int(image.mean())
    changed = [np.argwhere(step == mean).tolist() for step in seen]
    assert changed == [
        [],
        [[0, 1]],
        [[0, 1], [1, 0]],
        [[0, 1], [1, 0], [1, 1]],
        [[0, 0], [0, 1], [1, 0], [1, 1]],
    ]


def test_the_painted_mean_is_each_images_own_and_each_colours():
    seen = []

    class Seeing:
        def predict(self, images, **options):
            seen.append(images.copy())
            return np.zeros((len(images), 2))

    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), dtype="uint8")
    faithfulness.deletion(Seeing(), images, np.ones((2, 2, 2)), [0, 1], steps=1)
    np.testing.assert_array_equal(seen[0], images)
    np.testing.assert_array_equal(
        seen[1],
        np.broadcast_to(
            images.mean(axis=(1, 2), keepdims=True).astype("uint8"), images.shape
        ),
    )


@pytest.mark.parametrize("width", [0.25, 0.5])
def test_a_centre_map_is_as_wide_as_told(width):
    bell = faithfulness.centre_map((101, 51), width=width)
    row, column = bell[:, 25] / bell[50, 25], bell[50] / bell[50, 25]
    assert row[50 + 25] == pytest.approx(
        np.exp(-((25 / 101 / width) ** 2) / 2)
    ) and column[25 - 10] == pytest.approx(np.exp(-((10 / 51 / width) ** 2) / 2))
    np.testing.assert_array_equal(
        faithfulness.centre_map((5, 5)), faithfulness.centre_map((5, 5), width=0.25)
    )


def test_random_maps_of_another_seed_are_others_and_seed_0_is_usual():
    assert np.array_equal(
        faithfulness.random_maps(2, (3, 3)), faithfulness.random_maps(2, (3, 3), seed=0)
    )
    assert not np.array_equal(
        faithfulness.random_maps(2, (3, 3)), faithfulness.random_maps(2, (3, 3), seed=1)
    )


def test_equal_cells_at_the_end_count_together_in_average_precision():
    """The object's cells are the second and the last of four equals, after one that is
    greater and none of it.
    """
    mask = mask_of(2, 3, [0, 1], [1, 2])
    maps = np.array([[[1, 1, 1], [5, 1, 1]]])
    assert faithfulness.average_precision(maps, mask) == pytest.approx([2 / 6])
    assert faithfulness.rank_accuracy(maps, mask) == pytest.approx([(1 * 2 / 5) / 2])
