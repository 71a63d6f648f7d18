"""Chapter 07: other depths, other pixels."""

import keras
import numpy as np


def use_parameters_at(parameters_at):
    return [parameters_at(depth) for depth in (1, 3, 4, 9)]


def use_tied(tied):
    """As many numbers at any depth, and with the same numbers another answer."""
    pictures = np.random.default_rng(701).integers(0, 256, (4, 32, 32, 3))
    models = [tied(depth) for depth in (1, 2, 5)]
    answers = []
    for model in models:
        model.set_weights(models[0].get_weights())
        logits, maps = model(pictures.astype("float32"))
        answers.append(keras.ops.convert_to_numpy(logits))
    apart = [np.abs(answers[a] - answers[b]).max() for a, b in ((0, 1), (1, 2))]
    return [model.count_params() for model in models], np.array(apart) > 1e-4


def use_reached_cells(reached_cells):
    return [reached_cells(pixel) for pixel in (0, 4, 12, 16, 31)]


def use_needed_depth(needed_depth):
    return [needed_depth(pixels) for pixels in (4, 16, 32, 64)]
