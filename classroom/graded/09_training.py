"""Chapter 09: other pictures; another network; a beginner that learns in a second."""

import dataclasses
from types import SimpleNamespace

import keras

from patchconvnet import records
from patchconvnet.data import shapes

WITHIN = {"late_losses": 0.02}


def of_seed(data, count, seed):
    x_val, y_val, mask_val = shapes.generate(count, seed)
    return dataclasses.replace(data, x_val=x_val, y_val=y_val, mask_val=mask_val)


def other_1(data):
    return {"data": of_seed(data, 400, 901)}


def other_2(data):
    return {"data": of_seed(data, 400, 902), "cheat": records.load("shapes").model()}


def linear(*given, **settings):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 127.5, -1),
            layers.Flatten(),
            layers.Dense(10, kernel_initializer="zeros"),
        ]
    )


def other_3(data):
    x_train, y_train, _ = shapes.generate(1_280, 903)
    return {
        "data": dataclasses.replace(data, x_train=x_train, y_train=y_train),
        "PatchConvNet": SimpleNamespace(from_preset=linear),
    }
