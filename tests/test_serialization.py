"""What is saved comes back: outputs, options, optimizer. Runs on every backend."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from patchconvnet import PatchConvNet
from patchconvnet.model import PRESETS
from patchconvnet.schedule import AdamW
from patchconvnet.training import compile_model

pytestmark = pytest.mark.long
SLOW = pytest.mark.slow

# Every preset's options, in small: the largest of the paper's would need gigabytes.
MINIATURES = {
    preset: {**PRESETS[preset], "dim": 16, "depth": 2, "num_classes": 4}
    for preset in PRESETS
}
RECIPE = {
    "epochs": 2,
    "learning_rate": 1e-2,
    "warmup": 0.25,
    "weight_decay": 0.5,
    "label_smoothing": 0.1,
}


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def small_batch():
    generator = np.random.default_rng(0)
    return (
        generator.integers(0, 256, (8, 32, 32, 3), dtype=np.uint8),
        np.eye(4, dtype="float32")[np.arange(8) % 4],
    )


def trained(preset="s60_multi", steps=3, **options):
    """A miniature after a few steps; nothing random, so that steps can be compared."""
    keras.utils.set_random_seed(0)
    quiet = {
        "image_size": 32,
        "dropout": 0.0,
        "shift": 0,
        "flip": False,
        "layer_scale": 0.1,
    }
    model = PatchConvNet(**{**MINIATURES[preset], **quiet, **options})
    compile_model(model, RECIPE, steps_per_epoch=10)
    for _ in range(steps):
        model.train_on_batch(*small_batch())
    return model


@pytest.mark.parametrize(
    "preset",
    ["shapes", "cifar10", "s60", "s60_multi"]
    # made of the same parts as these
    + [pytest.param(name, marks=SLOW) for name in ("keras_example", "cifar10_cpu")],
)
def test_a_preset_in_small_comes_back(preset, tmp_path):
    model = trained(preset)
    images, _ = small_batch()
    expected = numpy(model(images))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(numpy(again(images)), expected, atol=1e-5)

    model.save_weights(tmp_path / "model.weights.h5")
    other = PatchConvNet.from_config(model.get_config())
    assert np.abs(numpy(other(images)) - expected).max() > 1e-3
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(numpy(other(images)), expected, atol=1e-5)

    # Keras makes a plain functional model of it
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(numpy(clone(images)), expected, atol=1e-5)


GO_ON = """
import sys
import keras
import numpy as np
import patchconvnet  # which registers its classes

folder = sys.argv[1]
model = keras.models.load_model(f"{folder}/model.keras")
with np.load(f"{folder}/batch.npz") as batch:
    images, labels = batch["images"], batch["labels"]
before = keras.ops.convert_to_numpy(model(images))
model.train_on_batch(images, labels)
after = keras.ops.convert_to_numpy(model(images))
iterations = int(model.optimizer.iterations)
np.savez(f"{folder}/there.npz", before=before, after=after, iterations=iterations)
"""


@pytest.mark.parametrize("preset", ["shapes", pytest.param("s60_multi", marks=SLOW)])
def test_a_fresh_process_goes_on_training(preset, tmp_path):
    model = trained(preset)
    images, labels = small_batch()
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "batch.npz", images=images, labels=labels)
    done = subprocess.run(
        [sys.executable, "-c", GO_ON, tmp_path],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(tmp_path / "there.npz") as there:
        # Equal but for the order in which threads add: the last digit.
        np.testing.assert_allclose(
            there["before"], numpy(model(images)), rtol=1e-4, atol=1e-5
        )
        model.train_on_batch(images, labels)
        assert there["iterations"] == 4
        # Without the optimizer's state the step would be about as long as the learning
        # rate: far off.
        np.testing.assert_allclose(there["after"], numpy(model(images)), atol=1e-4)
        assert np.abs(there["after"] - there["before"]).max() > 1e-2


def test_weight_decay_spares_the_same_weights_after_loading(tmp_path):
    model = trained()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is AdamW
    decayed = [
        weight.path
        for weight in again.trainable_variables
        if again.optimizer._use_weight_decay(weight)
    ]
    assert decayed and all("kernel" in path for path in decayed)
    spared = {weight.path for weight in again.trainable_variables} - set(decayed)
    assert not any("kernel" in path for path in spared)


def test_a_loaded_model_can_be_explained(tmp_path):
    model = trained()
    model.save(tmp_path / "model.keras")
    here, there = (
        model.explain(small_batch()[0]),
        keras.models.load_model(tmp_path / "model.keras").explain(small_batch()[0]),
    )
    np.testing.assert_allclose(here[0], there[0], atol=1e-5)
    np.testing.assert_allclose(here[1], there[1], atol=1e-6)
    assert there[1].shape == (8, 4, 2, 2)
