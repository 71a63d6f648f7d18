"""Other maps of one network, against slopes and losses worked out by hand."""

import keras
import numpy as np
import pytest

from patchconvnet import PatchConvNet, any_network, faithfulness
from patchconvnet.errors import PatchConvNetError
from patchconvnet.faithfulness.gradients import cut_at_pooling, logit_gradients

dice = np.random.default_rng(0)
IMAGES = dice.integers(0, 256, (5, 16, 16, 3), dtype="uint8")
CLASSES = np.array([3, 0, 9, 9, 1])


def network(**settings):
    keras.utils.set_random_seed(0)
    made = PatchConvNet(dim=8, depth=1, image_size=16, **settings)
    for weight in made.trainable_weights:  # the class token starts near zero, others at
        weight.assign(weight + 0.1 * dice.standard_normal(weight.shape))
    return made


@pytest.fixture(scope="module")
def attending():
    return network(layer_scale=0.5)


@pytest.fixture(scope="module")
def averaging():
    return network(pooling="average")


@pytest.fixture(scope="module")
def brightness():
    """The logit of class 1 is the sum of all pixels of the first channel, of class 0
    that of the upper left quarter, less.
    """
    images = keras.Input((4, 4, 3))
    logits = keras.layers.Dense(2, use_bias=False)(keras.layers.Flatten()(images))
    model = keras.Model(images, logits)
    kernel = np.zeros((4, 4, 3, 2), "float32")
    kernel[..., 0, 1] = 0.01
    kernel[:2, :2, :, 0] = -0.02
    model.set_weights([kernel.reshape(48, 2)])
    return model


def of_class(model, images, classes):
    return model.predict(images, verbose=0)[np.arange(len(classes)), classes]


# === slopes, and the network cut open ===


def test_slopes_of_a_linear_model_are_its_kernel(brightness):
    images = np.zeros((3, 4, 4, 3))
    slopes = logit_gradients(brightness, [images], np.array([1, 0, 1]), batch_size=2)
    kernel = brightness.get_weights()[0].reshape(4, 4, 3, 2)
    np.testing.assert_allclose(slopes, np.moveaxis(kernel, 3, 0)[[1, 0, 1]])


def test_the_reader_answers_as_the_network(attending):
    cut = cut_at_pooling(attending, IMAGES, batch_size=2)
    logits, maps = attending.explain(IMAGES)
    assert cut.grid == (4, 4) and cut.weights.shape == (5, 1, 17)
    np.testing.assert_allclose(cut.weights.sum(axis=-1), 1, atol=1e-6)
    patches = cut.weights[:, 0, 1:].reshape(5, 4, 4)
    np.testing.assert_allclose(patches, maps[:, 0], atol=1e-6)
    read = cut.reader.predict([cut.weights, cut.values], verbose=0)
    np.testing.assert_allclose(read, logits, atol=1e-5)
    # other weights are another answer: it does read them
    other = cut.reader.predict([cut.weights[::-1], cut.values], verbose=0)
    assert np.abs(other - logits).max() > 1e-3


def test_a_network_on_features_is_cut_open_too():
    trunk = keras.Sequential([keras.Input((3, 5, 6)), keras.layers.Dense(4)])
    made = any_network.add_attention(trunk, 2)
    features = dice.random((4, 3, 5, 6), dtype="float32")
    cut = cut_at_pooling(made, features)
    assert cut.grid == (3, 5)
    read = cut.reader.predict([cut.weights, cut.values], verbose=0)
    np.testing.assert_allclose(read, made.predict(features, verbose=0), atol=1e-5)
    assert faithfulness.grad_cam(made, features, np.array([0, 1, 1, 0])).shape == (
        4,
        3,
        5,
    )


# === the maps ===


def test_grad_cam_of_averages_is_the_class_activation_map(averaging):
    """Up to a factor, the number of patches, and a cut at zero."""
    _, maps = faithfulness.class_activation_maps(averaging, IMAGES)
    wanted = np.maximum(maps[np.arange(5), CLASSES], 0) / 16
    found = faithfulness.grad_cam(averaging, IMAGES, CLASSES, batch_size=2)
    assert wanted.max() > 0.01
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_gradient_times_attention_by_differences(attending):
    cut = cut_at_pooling(attending, IMAGES)
    found = faithfulness.gradient_times_attention(attending, IMAGES, CLASSES, 2)
    assert found.shape == (5, 4, 4) and found.min() == 0 < found.max()
    for patch in (0, 7, 15):
        ends = []
        for change in (0.02, -0.02):
            moved = cut.weights.copy()
            moved[:, 0, 1 + patch] += change
            read = cut.reader.predict([moved, cut.values], verbose=0)
            ends.append(read[np.arange(5), CLASSES])
        slope = (ends[0] - ends[1]) / 0.04
        wanted = np.maximum(cut.weights[:, 0, 1 + patch] * slope, 0)
        np.testing.assert_allclose(found[:, patch // 4, patch % 4], wanted, atol=5e-3)


def test_gradient_times_input_by_hand(brightness):
    image = np.full((1, 4, 4, 3), 100, "uint8")
    image[0, 0, 0, 0], image[0, 3, 3, 0] = 180, 20  # the mean stays 100
    found = faithfulness.gradient_times_input(brightness, image, [1], (2, 2))
    # 80 * 0.01 in one of four pixels; signs are dropped
    np.testing.assert_allclose(found, [[[0.2, 0], [0, 0.2]]], atol=1e-6)


def test_occlusion_by_hand(brightness):
    """What is covered takes the mean colour; the loss is of probability, not logit."""
    image = np.zeros((1, 4, 4, 3), "uint8")
    image[0, :2, 2:, 0] = 200  # the upper right cell; mean 50 in the first channel
    found = faithfulness.occlusion(brightness, image, [1], (2, 2))

    def probability(first, upper_left):
        return 1 / (1 + np.exp(-(0.01 * first + 0.02 * upper_left)))

    before = probability(800, 0)
    wanted = [
        [before - probability(1000, 200), before - probability(200, 0)],
        [before - probability(1000, 0)] * 2,
    ]
    np.testing.assert_allclose(found, [wanted], atol=1e-6)
    blurred = faithfulness.occlusion(brightness, image, [1], (2, 2), fill="blur")
    assert np.abs(blurred - found).max() > 0.001


def test_every_map_asks_about_the_class_that_is_named(attending):
    other = (CLASSES + 1) % 10
    for ask in (
        faithfulness.grad_cam,
        faithfulness.gradient_times_attention,
        lambda *asked: faithfulness.gradient_times_input(*asked, (4, 4)),
        lambda *asked: faithfulness.occlusion(*asked, (4, 4)),
    ):
        assert not np.allclose(
            ask(attending, IMAGES, CLASSES), ask(attending, IMAGES, other), atol=1e-6
        )


def test_the_network_stays_as_it_was(attending):
    before = [weight.copy() for weight in attending.get_weights()]
    for ask in (faithfulness.grad_cam, faithfulness.gradient_times_attention):
        ask(attending, IMAGES, CLASSES)
    for old, new in zip(before, attending.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([0, 1], "one for each of the 5 images, got int64 (2,)"),
        ([0.0] * 5, "must be whole numbers, one for each of the 5 images, got float64"),
        ([[0]] * 5, "got int64 (5, 1)"),
        ([0, 1, 2, 3, 10], "classes must be from 0 to 9, got 0 to 10"),
        ([0, 1, 2, 3, -1], "classes must be from 0 to 9, got -1 to 3"),
    ],
)
@pytest.mark.parametrize("name", ["grad_cam", "gradient_times_attention"])
def test_impossible_classes_are_refused(attending, name, classes, message):
    with pytest.raises(PatchConvNetError) as caught:
        getattr(faithfulness, name)(attending, IMAGES, classes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "settings", [{"pooling": "average"}, {"class_tokens": "per_class"}]
)
def test_attention_times_gradient_needs_one_class_token(settings):
    with pytest.raises(PatchConvNetError, match="single class token, got pooling="):
        faithfulness.gradient_times_attention(network(**settings), IMAGES, CLASSES)


# === a map that asks no network ===


def test_contrast_by_hand():
    image = np.full((1, 4, 4, 3), 100, "uint8")
    image[0, 0, 0] = 160, 100, 90
    found = faithfulness.contrast_maps(image, (2, 2))
    np.testing.assert_allclose(found, [[[70 / 4, 0], [0, 0]]])
    plain = faithfulness.contrast_maps(np.zeros((2, 4, 4, 3), "uint8"), (2, 2))
    np.testing.assert_array_equal(plain, np.zeros((2, 2, 2)))


# === other weights, the same answers ===


def test_other_weights_leave_the_object_and_keep_the_answers(attending):
    before = [weight.copy() for weight in attending.get_weights()]
    flags = [weight.trainable for weight in attending.weights]
    logits, maps = attending.explain(IMAGES)
    avoid = np.zeros((5, 16, 16), bool)
    avoid[:, :8] = True  # the upper half: 2 of 4 rows of cells
    found, answers = faithfulness.other_weights(attending, IMAGES, avoid, steps=200)
    assert found.shape == (5, 4, 4) and found.min() >= 0
    assert found.sum(axis=(1, 2)).max() <= 1 + 1e-5
    on_it = maps[:, 0, :2].sum(axis=(1, 2)), found[:, :2].sum(axis=(1, 2))
    assert (on_it[0] > 0.2).all() and (on_it[1] < on_it[0] / 3).all()
    np.testing.assert_array_equal(answers.argmax(axis=1), logits.argmax(axis=1))
    # it is what the network says with them
    cut = cut_at_pooling(attending, IMAGES)
    own = 1 - found.sum(axis=(1, 2))
    weights = np.concatenate([own[:, None], found.reshape(5, 16)], axis=1)[:, None]
    read = cut.reader.predict([weights, cut.values], verbose=0)
    np.testing.assert_allclose(read, answers, atol=1e-4)
    for old, new in zip(before, attending.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert [weight.trainable for weight in attending.weights] == flags


def test_held_loosely_the_weights_go_further_and_the_answers_too(attending):
    avoid = np.zeros((5, 4, 4))
    avoid[:, 1:] = 1
    tight, kept = faithfulness.other_weights(attending, IMAGES, avoid, 150, hold=1000.0)
    loose, moved = faithfulness.other_weights(attending, IMAGES, avoid, 150, hold=0.0)
    logits, _ = attending.explain(IMAGES)
    assert loose[:, 1:].sum() < 0.05 < tight[:, 1:].sum()
    assert np.abs(kept - logits).max() < np.abs(moved - logits).max()


def test_other_weights_of_averages_are_refused(averaging):
    with pytest.raises(PatchConvNetError, match="need a network with attention"):
        faithfulness.other_weights(averaging, IMAGES, np.ones((5, 4, 4)))


def test_an_image_gets_the_same_weights_among_others(attending):
    avoid = np.zeros((5, 16, 16), bool)
    avoid[:, :8] = True
    together, _ = faithfulness.other_weights(attending, IMAGES, avoid, 100)
    alone, _ = faithfulness.other_weights(attending, IMAGES[:2], avoid[:2], 100)
    np.testing.assert_allclose(together[:2], alone, atol=1e-3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"avoid": np.ones((4, 4, 4))}, "one for each image, got float64 (4, 4, 4)"),
        ({"avoid": np.full((5, 4, 4), np.nan)}, "from nan to nan"),
        ({"avoid": np.full((5, 4, 4), 255, "uint8")}, "from 255 to 255"),
        ({"avoid": np.ones((5, 0, 0))}, "got float64 (5, 0, 0)"),
        ({"avoid": None}, "avoid must be bool or numbers from 0 to 1, (5, h, w)"),
        ({"steps": 0}, "steps must be a whole number from 1 to 100,000, got 0"),
        ({"steps": 2.0}, "steps must be"),
        ({"hold": -1}, "hold must be a number from 0 to 1,000,000, got -1"),
        ({"hold": float("nan")}, "hold must be"),
    ],
)
def test_impossible_searches_are_refused(attending, changed, message):
    asked = {"avoid": np.ones((5, 4, 4)), "steps": 2, "hold": 1.0} | changed
    with pytest.raises(PatchConvNetError) as caught:
        faithfulness.other_weights(attending, IMAGES, **asked)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "grid", [(0, 2), (2.5, 2), (2, 2, 2), (-1, 2), (True, 2), (17, 4), 4, None, "22"]
)
def test_impossible_grids_are_refused(attending, grid):
    for ask in (
        lambda: faithfulness.contrast_maps(IMAGES, grid),
        lambda: faithfulness.gradient_times_input(attending, IMAGES, CLASSES, grid),
        lambda: faithfulness.occlusion(attending, IMAGES, CLASSES, grid),
    ):
        with pytest.raises(PatchConvNetError, match="grid must be two whole numbers"):
            ask()


@pytest.mark.parametrize(
    "images", [IMAGES / 255 - 1, np.full((5, 16, 16, 3), np.nan), IMAGES[:0], IMAGES[0]]
)
def test_every_map_looks_at_its_images_first(attending, images):
    for ask in (
        faithfulness.grad_cam,
        faithfulness.gradient_times_attention,
        lambda *asked: faithfulness.gradient_times_input(*asked, (4, 4)),
        lambda *asked: faithfulness.occlusion(*asked, (4, 4)),
    ):
        with pytest.raises(PatchConvNetError, match="images: "):
            ask(attending, images, CLASSES)


def test_other_models_are_told_what_is_needed(brightness):
    images = np.zeros((1, 4, 4, 3), "uint8")
    for ask in (faithfulness.grad_cam, faithfulness.gradient_times_attention):
        with pytest.raises(PatchConvNetError, match="have a layer 'pooling', got"):
            ask(brightness, images, [0])
    with pytest.raises(PatchConvNetError, match="batch_size must be a whole number"):
        faithfulness.gradient_times_input(brightness, images, [0], (2, 2), batch_size=0)
    for model in (None, keras.Sequential([keras.layers.Dense(2)])):
        with pytest.raises(PatchConvNetError, match="must be a built Keras model"):
            faithfulness.grad_cam(model, images, [0])
