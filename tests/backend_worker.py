"""Run by test_backends.py in a process of its own, because the backend is chosen once a process.

    KERAS_BACKEND=jax python backend_worker.py FOLDER

Reads FOLDER/images.npy and every *.keras file that lies in FOLDER; writes to FOLDER/BACKEND/ what this backend makes
of them, a run of two epochs, and a saved model.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from conftest import draw_small_data

from patchconvnet import PatchConvNet, official, training


def main(folder):
    backend = keras.backend.backend()
    out = folder / backend
    out.mkdir()
    images = np.load(folder / "images.npy")
    outputs = {}
    for path in sorted(folder.glob("*.keras")):
        model = keras.models.load_model(path)
        outputs[path.stem] = keras.ops.convert_to_numpy(model(images))
    for name in ("single", "multi"):
        reference = official.reference(name)
        logits, attention = official.convert(reference["weights"]).explain(reference["images"])
        outputs[f"{name}_logits"], outputs[f"{name}_attention"] = logits, attention

    data = draw_small_data(train=320, val=32, test=64)
    training.load_dataset = lambda name, **options: data
    record = training.train("shapes", out / "run", epochs=2, verbose=0)
    outputs["losses"] = np.array(record.history["loss"])
    trained = record.model()
    outputs["trained"] = keras.ops.convert_to_numpy(trained(images))
    trained.save(out / "trained.keras")
    assert isinstance(trained, PatchConvNet)
    np.savez(out / "outputs.npz", **outputs)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
