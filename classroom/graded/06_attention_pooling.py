"""Chapter 06: other channels; layers with weights of its own."""

import dataclasses

import keras
import numpy as np

from patchconvnet.data import shapes


def use_ask_for(ask_for):
    return [part for channel in (0, 1, 2) for part in ask_for(channel)]


class Watched:
    """A layer whose maps come from its query's bias alone, and are written down."""

    def __init__(self):
        self.query, self.key = keras.layers.Dense(64), keras.layers.Dense(64)
        for dense in (self.query, self.key):
            dense.build((None, 64))
        self.seen = []

    def __call__(self, grid):
        bias = keras.ops.convert_to_numpy(self.query.bias)  # (64,)
        powers = np.exp(bias - bias.max())
        maps = np.tile((powers / powers.sum()).reshape(1, 8, 8), (len(grid), 1, 1))
        self.seen.append(maps)
        return np.zeros((len(grid), 64)), maps


def other_2():
    return {"pooling": Watched(), "grid": np.zeros((6, 8, 8, 64), "float32")}


def use_moved(moved, pooling, grid):
    """Is the change that it names the one that there was?"""
    found = []
    for dense in (pooling.key, pooling.query):
        before = pooling(grid)[1]
        pooling.seen.clear()
        named = float(moved(dense))
        changes = [np.abs(after - before).max() for after in pooling.seen]
        found += [named - max(changes, default=0), named > 0.001]
        found.append(np.abs(keras.ops.convert_to_numpy(dense.bias)).max())
    return found


def other_3(data, mine, pooling, TokenPooling, trunk):
    """The trained layer with its token turned round: its opposite finds the object."""
    x_test, y_test, mask_test = shapes.generate(300, seed=603)
    images = keras.Input((32, 32, 3))
    turned = TokenPooling()
    pooled, maps = turned(trunk(images))
    turned.set_weights(pooling.get_weights())
    turned.token.assign(-turned.token)
    changed = {"x_test": x_test, "y_test": y_test, "mask_test": mask_test}
    return {
        "data": dataclasses.replace(data, **changed),
        "pooling": turned,
        "mine": keras.Model(images, [keras.layers.Dense(10)(pooled), maps]),
    }
