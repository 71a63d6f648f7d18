"""The running mean of the weights, and the statistics of its batch norms."""

import keras
import numpy as np
import pytest

from patchconvnet import PatchConvNet
from patchconvnet.training import averaging, recipes, running

OPTIONS = {"image_size": 16, "dim": 8, "depth": 1, "norm": "batch", "seed": 0}


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (200, 16, 16, 3), dtype=np.uint8)


def compiled(averaged=0.9, **options):
    keras.utils.set_random_seed(0)
    network = PatchConvNet(**{**OPTIONS, **options})
    recipe = {**recipes.make_recipe("shapes"), "weight_averaging": averaged}
    running.compile_model(network, recipe, steps_per_epoch=10)
    return network


def numbers(network):
    """All weights, statistics included, as NumPy arrays."""
    return [keras.ops.convert_to_numpy(weight) for weight in network.weights]


def test_statistics_are_the_means_of_64_images_at_a_time(images):
    """The stem's first norm follows its first convolution alone: by hand."""
    network = compiled()
    scaled = images.astype("float32") / 127.5 - 1
    pad, convolution, norm = network.get_layer("stem").steps[:3]
    outputs = keras.ops.convert_to_numpy(convolution(pad(scaled)))  # (N, h, w, C)
    chosen = np.random.default_rng(0).permutation(200)[:192]
    parts = [outputs[batch] for batch in chosen.reshape(3, 64)]
    averaging.measure_statistics(network, images)
    kept = norm.moving_mean, norm.moving_variance
    mean, variance = map(keras.ops.convert_to_numpy, kept)
    expected = np.mean([part.mean(axis=(0, 1, 2)) for part in parts], axis=0)
    np.testing.assert_allclose(mean, expected, rtol=1e-4, atol=1e-5)
    expected = np.mean([part.var(axis=(0, 1, 2)) for part in parts], axis=0)
    np.testing.assert_allclose(variance, expected, rtol=1e-4)


def test_the_same_weights_get_the_same_statistics(images):
    network = compiled(dropout=0.3, shift=2, flip=True, drop_path=0.2)
    averaging.measure_statistics(network, images)
    first = numbers(network)
    keras.random.uniform((5,))
    network(images[:8], training=True)  # draws, and moves the statistics
    averaging.measure_statistics(network, images)
    assert all(map(np.array_equal, first, numbers(network)))


def test_training_goes_on_as_if_nothing_had_been_measured(images):
    labels = np.eye(10, dtype="float32")[np.arange(200) % 10]

    def train(look):
        network = compiled(dropout=0.3, shift=2, flip=True)
        for _ in range(2):
            network.train_on_batch(images[:32], labels[:32])
            if look:
                with averaging.averaged_weights(network, images):
                    inside = numbers(network)
                after = numbers(network)
                assert not all(map(np.array_equal, inside, after))
        return numbers(network)

    assert all(map(np.array_equal, train(look=False), train(look=True)))


def test_a_network_without_a_running_mean_is_left_alone(images):
    network = compiled(averaged=0)
    before = numbers(network)
    with averaging.averaged_weights(network, images):
        assert all(map(np.array_equal, before, numbers(network)))
    assert not averaging.keeps_average(network)
    assert averaging.keeps_average(compiled())


def test_one_image_and_layer_norms_do(images):
    network = compiled()
    averaging.measure_statistics(network, images[:1])
    assert all(np.isfinite(each).all() for each in numbers(network))
    plain = compiled(norm="layer")
    before = numbers(plain)
    averaging.measure_statistics(plain, images)
    assert all(map(np.array_equal, before, numbers(plain)))


def test_an_error_inside_leaves_the_weights_as_they_were(images):
    network = compiled()
    network.train_on_batch(images[:32], np.eye(10, dtype="float32")[[1] * 32])
    before = numbers(network)
    with pytest.raises(ZeroDivisionError):
        with averaging.averaged_weights(network, images):
            1 / 0  # noqa: B018
    assert all(map(np.array_equal, before, numbers(network)))


@pytest.mark.long
def test_history_has_both_and_the_record_the_mean(train_on_small_data, tmp_path):
    settings = {"weight_averaging": 0.9, "dim": 8, "depth": 1}
    record = train_on_small_data(tmp_path / "run", epochs=2, settings=settings)
    assert len(record.history["val_accuracy_raw"]) == 2
    plain = train_on_small_data(
        tmp_path / "plain", epochs=2, settings={"dim": 8, "depth": 1}
    )
    assert "val_accuracy_raw" not in plain.history
    # raw weights are those that training without averaging has
    np.testing.assert_allclose(
        record.history["val_accuracy_raw"], plain.history["val_accuracy"]
    )
