"""Time the epochs of `keras_example` in this process: prints one line of JSON.

    KERAS_BACKEND=jax python tools/benchmark/first.py FOLDER

The run is written to FOLDER, and the epochs' seconds are those of its history. On a GPU
it is the whole run, of as many images as CIFAR-10 has. On a CPU it is three epochs of a
whole batch and a rest, so that as much is compiled. The images are noise: to compile
and to compute, all are the same.
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from patchconvnet.data import Dataset
from patchconvnet.training import running
from patchconvnet.training.machine import device

# images to train on, to validate and to test with
ON_A_GPU, ON_A_CPU = (40_000, 10_000, 10_000), (192, 16, 32)
EPOCHS_ON_A_CPU = 3


def noise(counts):
    """A `Dataset` of noise, with these numbers of images."""
    dice, fields = np.random.default_rng(0), {}
    for part, count in zip(("train", "val", "test"), counts):
        shape = (count, 32, 32, 3)
        fields[f"x_{part}"] = dice.integers(0, 256, shape, dtype="uint8")
        fields[f"y_{part}"] = dice.integers(0, 10, count)
    return Dataset("cifar10", "noise", class_names=tuple("0123456789"), **fields)


def main(folder):
    on_cpu = device().startswith("CPU")
    data = noise(ON_A_CPU if on_cpu else ON_A_GPU)
    running.load_dataset = lambda name, **options: data
    epochs = EPOCHS_ON_A_CPU if on_cpu else None
    record = running.train("keras_example", folder, epochs=epochs, verbose=0)
    result = {
        "seconds": [float(each) for each in record.history["seconds"]],
        "images": len(data.x_train),
        "backend": keras.backend.backend(),
        "device": device(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])
