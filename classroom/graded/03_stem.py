"""Chapter 03: other sizes; another stem."""

import keras
import numpy as np

from patchconvnet.stem import ConvStem

WITHIN = {"folded_kernel": 0.0005, "folded_bias": 0.0005}


def use_stem_weights(stem_weights):
    return [stem_weights(dim) for dim in (16, 64, 128, 384)]


def use_stem_grid(stem_grid):
    return [stem_grid(pixels) for pixels in (32, 64, 224, 384)]


def other_2(Stem, pictures):
    draws = np.random.default_rng(301)
    stem, mine = ConvStem(64, (2, 2), norm="batch"), Stem()
    stem.build((None, 32, 32, 3))
    values = [0.5 + draws.random(weight.shape) for weight in stem.weights]
    stem.set_weights(values)
    mine(keras.ops.convert_to_tensor(pictures[:1]))  # makes the weights
    mine.set_weights(values)
    return {"stem": stem, "mine": mine}


def use_path_counts(path_counts):
    return [path_counts(convolutions) for convolutions in (1, 2, 3, 4)]
