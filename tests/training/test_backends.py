"""One result on TensorFlow, JAX and PyTorch: the same weights, files and training."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from patchconvnet import PatchConvNet, official

pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("backend_worker.py")
ROOT = Path(__file__).resolve().parents[2]
MODELS = {
    "plain": {"dim": 16, "depth": 2},
    "batch_norm": {
        "dim": 16,
        "depth": 1,
        "norm": "batch",
        "se_ratio": None,
        "shift": 2,
        "flip": True,
        "cutout": 4,
    },
    "paper": {
        "dim": 16,
        "spatial": "depthwise",
        "se_ratio": 4,
        "se_bias": True,
        "layer_scale": 0.1,
        "mlp_ratio": 3,
    },
    "per_class": {
        "dim": 16,
        "class_tokens": "per_class",
        "num_classes": 4,
        "image_size": 24,
    },
    "average": {
        "dim": 16,
        "pooling": "average",
        "tied": True,
        "preprocessing": "imagenet",
    },
}


def images():
    return np.random.default_rng(3).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


def randomize(model, seed):
    generator = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(weight + generator.normal(0, 0.1, weight.shape))
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of models saved on this process' backend, and images."""
    folder = tmp_path_factory.mktemp("backends")
    np.save(folder / "images.npy", images())
    for seed, (name, options) in enumerate(MODELS.items()):
        keras.utils.set_random_seed(seed)
        randomize(PatchConvNet(**options), seed).save(folder / f"{name}.keras")
    return folder


@pytest.fixture(scope="module", params=["tensorflow", "jax", "torch"])
def outputs(request, folder):
    """What a backend made of them, in a process of its own."""
    backend = request.param
    if importlib.util.find_spec(backend) is None:
        pytest.skip(
            f"{backend} is not installed: pip install -r requirements-backends.txt"
        )
    # the same sums
    one_thread = dict.fromkeys(
        ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"
    )
    environment = {
        **os.environ,
        **one_thread,
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)]),
    }
    done = subprocess.run(
        [sys.executable, WORKER, folder],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(folder / backend / "outputs.npz") as archive:
        return backend, {key: archive[key] for key in archive.files}


def test_saved_models_give_the_same_logits(outputs, folder):
    for name in MODELS:
        here = keras.ops.convert_to_numpy(
            keras.models.load_model(folder / f"{name}.keras")(images())
        )
        np.testing.assert_allclose(outputs[1][name], here, atol=1e-4, err_msg=name)


def test_the_authors_network_is_matched(outputs):
    for name in ("single", "multi"):
        reference = official.reference(name)
        np.testing.assert_allclose(
            outputs[1][f"{name}_logits"], reference["logits"], atol=1e-4
        )
        np.testing.assert_allclose(
            outputs[1][f"{name}_attention"], reference["attention"], atol=1e-4
        )


def test_two_epochs_train(outputs):
    first, second = outputs[1]["losses"]
    assert np.isfinite(first) and second < first


def test_a_stopped_run_ends_bit_for_bit_as_one_that_was_not(outputs):
    """With dropout, random pictures, averaging; test_training.py kills a process."""
    assert len(outputs[1]["went_on_equal"]) > 50 and outputs[1]["went_on_equal"].all()


def test_a_network_with_averaging_can_be_fitted_asked_and_fitted_again(outputs):
    assert (
        outputs[1]["fitted_again"].shape == (6,)
        and np.isfinite(outputs[1]["fitted_again"]).all()
    )


def test_a_model_trained_there_loads_here(outputs, folder):
    backend, made_there = outputs
    trained = keras.models.load_model(folder / backend / "trained.keras")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(trained(images())), made_there["trained"], atol=1e-4
    )


def test_a_run_folder_made_there_is_read_here(outputs, folder):
    from patchconvnet import records

    backend, made_there = outputs
    record = records.load(folder / backend / "run")
    assert backend in record.results["versions"]
    logits = keras.ops.convert_to_numpy(record.model()(images()))
    np.testing.assert_allclose(logits, made_there["trained"], atol=1e-4)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_tests_of_the_network_pass(backend):
    """Those of the layers on JAX, and of saving on PyTorch, run in `.ci/run`."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(
            f"{backend} is not installed: pip install -r requirements-backends.txt"
        )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-o", "addopts=", "-m", "not slow", "-q"]
        + [ROOT / "tests" / "model", ROOT / "tests" / "test_mixed_precision.py"],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout[-3000:]
