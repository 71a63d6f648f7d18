"""What version 0.1 saved still opens, and answers as it did: a `.keras` file, a run."""

from pathlib import Path

import keras
import numpy as np

from patchconvnet import records
from patchconvnet.data import shapes
from patchconvnet.training.recipes import make_recipe

FOLDER = Path(__file__).parent / "version_0_1"
SAID = np.load(FOLDER / "answers.npz")


def test_a_saved_network_answers_as_it_did():
    network = keras.models.load_model(FOLDER / "network.keras")
    pictures = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
    logits, attention = network.explain(pictures)
    np.testing.assert_allclose(logits, SAID["logits"], atol=1e-4)
    np.testing.assert_allclose(attention, SAID["attention"], atol=1e-3)
    config = network.get_config()
    assert (
        config["dropout"],
        config["drop_path"],
        config["se_ratio"],
        config["spatial"],
    ) == (0.1, 0.1, 4, "depthwise")
    labels = np.eye(3, dtype="float32")[np.arange(8) % 3]
    assert network.optimizer.iterations == 2 and np.isfinite(
        network.train_on_batch(pictures, labels)[0]
    )


def test_a_run_folder_opens_and_its_network_answers_as_it_did():
    record = records.load(FOLDER / "run")
    assert (
        record.name == "run"
        and record.results["versions"]["patchconvnet"] == "0.1.0"
        and len(record.history["epoch"]) == 2
    )
    images, _, _ = shapes.generate(96 + 20 + 8, seed=5)
    logits, _ = record.model().explain(images[-8:])
    np.testing.assert_allclose(
        logits, np.load(FOLDER / "run_answers.npz")["logits"], atol=1e-4
    )


def test_a_run_of_version_0_1_is_still_this_run():
    settings = {"dim": 8, "depth": 1, "image_size": 16}
    assert (
        make_recipe("shapes", epochs=2, keep="weights", settings=settings)
        == records.load(FOLDER / "run").recipe
    )
