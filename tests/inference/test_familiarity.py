"""How far a picture is from those of a training: whose pictures count for what."""

import keras
import numpy as np
import pytest

from patchconvnet.inference import familiarity
from patchconvnet.model import PatchConvNet


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return PatchConvNet(image_size=16, dim=8, depth=1, se_ratio=None)


@pytest.fixture
def described(monkeypatch):
    """Pictures stand for their own descriptions: `measure` can be followed by hand."""
    monkeypatch.setattr(
        familiarity, "descriptions", lambda model, images: np.asarray(images, "float32")
    )


def drawn(count, seed, dim=3):
    return np.random.default_rng(seed).normal(size=(count, dim))


def test_a_description_is_the_mean_of_the_trunks_patches(network):
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype="uint8")
    patches = keras.Model(network.inputs, network.get_layer("trunk").output).predict(
        images, verbose=0
    )
    found = familiarity.descriptions(network, images, batch_size=2)
    assert found.dtype == np.float32 and found.shape == (5, 8)
    np.testing.assert_allclose(found, patches.mean(axis=(1, 2)), atol=1e-5)
    np.testing.assert_allclose(
        familiarity.descriptions(network, images), found, atol=1e-5
    )


def test_the_limit_is_what_one_test_picture_in_twenty_exceeds(described):
    """Test pictures are three times as far away as training's: the limit is theirs."""
    training, test = drawn(4000, 0), 3 * drawn(2000, 1)
    usual = familiarity.measure(None, training, test)
    assert (
        familiarity.distances(None, test, usual) > usual["limit"]
    ).mean() == pytest.approx(0.05)
    assert (
        familiarity.distances(None, training, usual) > usual["limit"]
    ).mean() < 0.001


def test_mean_and_deviations_are_those_of_the_training_pictures(described):
    training = drawn(4000, 0) * [1, 5, 20] + [3, -3, 7]
    usual = familiarity.measure(None, training, 100 + drawn(50, 1))
    np.testing.assert_allclose(usual["mean"], training.mean(axis=0), rtol=1e-5)
    assert (familiarity.distances(None, training, usual) ** 2).mean() == pytest.approx(
        1, abs=0.1
    )
    by_hand = np.sqrt(
        (
            ((np.array([4, 2, 47]) - training.mean(axis=0)) / training.std(axis=0)) ** 2
        ).mean()
    )
    assert familiarity.distances(None, [[4, 2, 47]], usual)[0] == pytest.approx(
        by_hand, rel=0.03
    )


def test_directions_that_belong_together_count_together(described):
    """Two numbers that always agree: disagreement is strange, each alone is usual."""
    one = drawn(4000, 0, 1)
    usual = familiarity.measure(
        None,
        np.concatenate([one, one + 0.1 * drawn(4000, 1, 1)], axis=1),
        drawn(50, 2, 2),
    )
    agreeing, disagreeing = familiarity.distances(None, [[1, 1], [1, -1]], usual)
    assert disagreeing > 8 * agreeing


def test_a_direction_in_which_nothing_varies_does_not_decide_alone(described):
    # the mean variance is 200 / 3: a thousandth of it is added
    training = drawn(1000, 0) * [10, 10, 0]
    usual = familiarity.measure(None, training, training)
    assert np.all(np.isfinite(usual["whitening"]))
    assert familiarity.distances(None, [[0, 0, 0.3]], usual)[0] == pytest.approx(
        np.sqrt(0.09 / 0.0667 / 3), rel=0.15
    )


def test_the_first_five_thousand_of_each_are_used(described):
    training, test = (
        np.concatenate([drawn(5000, 0), 50 + drawn(10, 1)]),
        np.concatenate([drawn(5000, 2), 50 + drawn(3000, 3)]),
    )
    usual = familiarity.measure(None, training, test)
    first = familiarity.measure(None, training[:5000], test[:5000])
    assert all(np.array_equal(usual[key], first[key]) for key in first)
    fewer = familiarity.measure(None, training[:4999], test[:4999])
    assert not any(np.array_equal(usual[key], fewer[key]) for key in ("mean", "limit"))
