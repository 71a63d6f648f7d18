"""Scores of attention maps, against values worked out by hand."""

import keras
import numpy as np
import pytest

from patchconvnet import PatchConvNet, faithfulness
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


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="takes TensorFlow's gradient"
)
def test_grad_cam_on_the_last_block_is_the_same_map(averaging):
    import tensorflow as tf

    network, images = averaging
    _, maps = faithfulness.class_activation_maps(network, images)
    parts = keras.Model(
        network.inputs[0], [network.get_layer("trunk").output, network.outputs[0]]
    )
    with tf.GradientTape() as tape:
        patches, logits = parts(images)
        logit = tf.reduce_sum(logits[:, 3])
    # (N, h, w, dim) -> (N, dim)
    weights = tf.reduce_mean(tape.gradient(logit, patches), axis=(1, 2))
    grad_cam = np.einsum("nhwd,nd->nhw", patches, weights)
    # up to scale: of 16 patches the mean was taken
    np.testing.assert_allclose(16 * grad_cam, maps[:, 3], atol=1e-5)


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
