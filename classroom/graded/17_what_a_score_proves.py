"""Chapter 17: other pictures, and another network behind the same name."""

from types import SimpleNamespace

import keras
import numpy as np

from patchconvnet import faithfulness
from patchconvnet.data import shapes
from patchconvnet.faithfulness import class_activation_maps


def other_1(records):
    pictures, labels, masks = shapes.generate(640, seed=1701)

    def load(name, **which):
        early = records.load(name, **which)
        return SimpleNamespace(model=lambda **epoch: early.model(epoch=5))

    return {
        "pictures": pictures,
        "views": pictures,
        "labels": labels,
        "masks": masks,
        "network": records.load("shapes").model(epoch=5),
        "records": SimpleNamespace(load=load),
    }


def other_2():
    pictures, labels, masks = shapes.generate(2_000, seed=1702)
    return {
        "pictures": pictures,
        "labels": labels,
        "masks": masks,
        "shares": faithfulness.cell_shares(masks, (8, 8)),
    }


def use_added_to_all(added_to_all, average):
    """How often the maps are still on the object; below 0.66 it is far enough."""
    pictures, _, masks = shapes.generate(300, seed=1703)
    trunk = keras.Model(average.inputs, average.get_layer("trunk").output)
    patches = trunk.predict(pictures, verbose=0)  # (300, 8, 8, 64)
    said, maps = class_activation_maps(average, pictures)
    maps = maps[range(300), said.argmax(axis=1)]  # (300, 8, 8)
    moved = maps + patches @ np.reshape(added_to_all, 64)
    return max(faithfulness.pointing_game(moved, masks).mean(), 0.66)
