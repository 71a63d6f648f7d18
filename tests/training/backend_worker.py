"""Run by test_backends.py in its own process: the backend is chosen once a process.

    KERAS_BACKEND=jax python backend_worker.py FOLDER

Reads FOLDER/images.npy and every *.keras file that lies in FOLDER; writes to
FOLDER/BACKEND/ what this backend makes of them, a run of two epochs, a run that was
stopped beside one that was not, and a saved model.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from drawn_data import draw_small_data

from patchconvnet import PatchConvNet, model, official, records
from patchconvnet.training import running

AVERAGED = {"weight_averaging": 0.9}


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
        logits, attention = official.convert(reference["weights"]).explain(
            reference["images"]
        )
        outputs[f"{name}_logits"], outputs[f"{name}_attention"] = logits, attention

    data = draw_small_data(train=320, val=32, test=64)
    running.load_dataset = lambda name, **options: data
    record = running.train(
        "shapes", out / "run", epochs=2, settings=AVERAGED, verbose=0
    )
    outputs["losses"] = np.array(record.history["loss"])
    trained = record.model()
    outputs["trained"] = keras.ops.convert_to_numpy(trained(images))
    trained.save(out / "trained.keras")
    assert isinstance(trained, PatchConvNet)
    outputs["went_on_equal"] = np.array(went_on_equal(out))
    outputs["fitted_again"] = np.array(fit_predict_and_fit(images))
    np.savez(out / "outputs.npz", **outputs)


def went_on_equal(out):
    """Train with dropout, random pictures and averaging; stop after an epoch and go on;
    is all as without the stop?
    """
    model.PRESETS["shapes"] = {
        "image_size": 16,
        "dim": 8,
        "depth": 1,
        "norm": "batch",
        "shift": 2,
        "flip": True,
        "dropout": 0.2,
    }
    data = draw_small_data()
    running.load_dataset = lambda name, **options: data
    train = lambda name: running.train(
        "shapes", out / name, epochs=3, settings=AVERAGED, verbose=0
    )
    begin = running.Checkpoint.on_epoch_begin

    def stop(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    running.Checkpoint.on_epoch_begin = stop
    try:
        train("stopped")
    except KeyboardInterrupt:
        pass
    running.Checkpoint.on_epoch_begin = begin
    assert records.read_arrays(out / "stopped" / "checkpoint.npz")["epochs_done"] == 1
    keras.random.uniform((7,))  # whatever was drawn before
    keras.layers.Dropout(0.5)(np.ones((3, 3), "float32"), training=True)
    stopped, whole = train("stopped"), train("whole")
    equal = [
        np.array_equal(stopped.history[key], whole.history[key])
        for key in sorted(set(whole.history) - {"seconds"})
    ]
    for file in ("weights.npz", "epochs.npz", "attention.npz"):
        arrays, others = (
            records.read_arrays(record.folder / file) for record in (stopped, whole)
        )
        equal += [np.array_equal(arrays[key], others[key]) for key in others]
    return equal


def fit_predict_and_fit(images):
    """The losses of a network, fitted twice with averaging and asked in between."""
    network = PatchConvNet(dim=8, depth=1)
    running.compile_model(
        network, {**running.make_recipe("shapes"), **AVERAGED}, steps_per_epoch=10
    )
    labels = np.eye(10, dtype="float32")[: len(images)]
    losses = []
    for _ in range(2):
        losses += network.fit(images, labels, epochs=2, verbose=0).history["loss"]
        losses.append(float(np.abs(network.predict(images, verbose=0)).mean()))
    return losses


if __name__ == "__main__":
    main(Path(sys.argv[1]))
