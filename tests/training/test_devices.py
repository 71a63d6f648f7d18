"""Training on several devices, simulated ones; and what is refused."""

import importlib.util
import os
import subprocess
import sys
from contextlib import nullcontext

import keras
import pytest

import patchconvnet
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training import devices, running

# One process with two devices: a run on one of them, and the same on both.
TWO = """
import sys
import keras
import numpy as np
sys.path.insert(0, "TESTS")
from drawn_data import draw_small_data
from patchconvnet import model
from patchconvnet.training import running

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, two)
data = draw_small_data()
running.load_dataset = lambda name, **options: data
# Nothing random between the seed and the loss, and no statistics of a batch: the sums
# must be the same.
model.PRESETS["shapes"] = {"image_size": 16, "dim": 8, "depth": 1}
runs = {}
for count in (None, "all"):
    settings = {"batch_size": 48, "learning_rate": 1e-3}
    runs[count] = running.train(
        "shapes", f"runs/{count}", epochs=2, settings=settings, devices=count, verbose=0
    )
one, both = (run.results for run in runs.values())
assert (one["devices"], both["devices"]) == (1, 2), (one, both)
for column in ("loss", "val_loss"):
    np.testing.assert_allclose(
        runs[None].history[column], runs["all"].history[column], rtol=1e-4
    )
np.testing.assert_allclose(one["test_loss"], both["test_loss"], rtol=1e-3)
print("same loss on two devices")
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_devices_train_as_one(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(
            f"{backend} is not installed: pip install -r requirements-backends.txt"
        )
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "PYTHONPATH": os.path.dirname(patchconvnet.__path__[0]),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    script = TWO.replace("TESTS", os.path.dirname(os.path.dirname(__file__)))
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.stdout.endswith("same loss on two devices\n"), result.stderr[-3000:]


def test_nothing_changes_where_no_devices_are_asked_for():
    with devices.spread(None) as count:
        assert count == 1 and keras.distribution.distribution() is None


@pytest.fixture
def three(monkeypatch):
    """Three devices are here, and the engine only notes which it gets."""
    used = []
    engine = (
        lambda: ["gpu:0", "gpu:1", "gpu:2"],
        lambda names: used.append(names) or nullcontext(),
    )
    monkeypatch.setattr(devices, "_ENGINES", {keras.backend.backend(): engine})
    return used


@pytest.mark.parametrize(("asked", "count"), [("all", 3), (2, 2), (1, 1)])
def test_as_many_devices_as_are_asked_for(three, asked, count):
    with devices.spread(asked) as found:
        assert found == count
    assert three == ([["gpu:0", "gpu:1", "gpu:2"][:count]] if count > 1 else [])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (4, "there are not 4 devices here, but 3: gpu:0, gpu:1, gpu:2"),
        (0, 'devices must be "all" or a whole number, at least 1, got 0'),
        (True, "devices must be .*True"),
        ("gpu:7", "devices must be .*'gpu:7'"),
    ],
)
def test_devices_that_are_not_there(three, asked, message, tmp_path):
    with pytest.raises(PatchConvNetError, match=message):
        running.train("shapes", tmp_path / "run", devices=asked)
    assert not (tmp_path / "run").exists()


def test_a_backend_without_an_engine_says_what_to_set(monkeypatch):
    monkeypatch.setattr(devices, "_ENGINES", {})
    with pytest.raises(
        PatchConvNetError,
        match="not possible on .*: set KERAS_BACKEND to jax or tensorflow",
    ):
        with devices.spread("all"):
            pass


def test_batches_must_be_shared_out_evenly():
    devices.check_shares(1, {"training": (45_001, 128), "validation": (0, 128)})
    devices.check_shares(
        8, {"training": (45_000, 128), "validation": (0, 128), "probe": (32, 128)}
    )
    with pytest.raises(
        PatchConvNetError,
        match="45000 training images in batches of 128 leave a last one of 72, and 5",
    ):
        devices.check_shares(5, {"training": (45_000, 128)})
    with pytest.raises(
        PatchConvNetError,
        match="8000 training images in batches of 32 leave a last one of 32, and 3",
    ):
        devices.check_shares(3, {"training": (8_000, 32)})
