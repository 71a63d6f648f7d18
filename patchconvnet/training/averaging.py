"""The running mean of the weights, with batch-norm statistics of its own.

Averaged weights give other activations than the current ones, so the means and
variances that batch normalization keeps do not belong to them. They are measured anew
on training images (Izmailov et al., 2018, section 3.3).
"""

from contextlib import contextmanager

import keras
import numpy as np

IMAGES, BATCH = 1024, 64  # with which statistics are measured


def keeps_average(model):
    """Whether a compiled model's optimizer keeps a running mean of the weights."""
    return _optimizer(model).use_ema


@contextmanager
def averaged_weights(model, images):
    """While this lasts, a compiled model is its running mean, if it keeps one.

    Args:
        model: compiled, with `use_ema` or not.
        images: those it trains on, uint8 (N, H, W, 3): for its batch norms.
    """
    if not keeps_average(model):
        yield
        return
    variables = [*model.weights, *_random_states(model)]
    current = [np.array(keras.ops.convert_to_numpy(each)) for each in variables]
    try:
        _optimizer(model).finalize_variable_values(model.trainable_variables)
        # not every optimizer is ours: see `AdamW.finalize_variable_values`
        for variable in model.trainable_variables:
            variable.assign(keras.ops.copy(variable))
        measure_statistics(model, images)
        yield
    finally:
        for variable, value in zip(variables, current):
            variable.assign(value)


def measure_statistics(model, images):
    """Set the mean and variance of every batch norm to those of training images.

    Up to 1,024 images, the same ones each time, are computed as training computes them,
    64 at a time, and each 64 count the same. With the same weights the same statistics
    come out.
    """
    norms = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    usual = [norm.momentum for norm in norms]
    chosen = np.random.default_rng(0).permutation(len(images))[:IMAGES]
    set_random_states(model, 0, 0)
    try:
        for index in range(max(1, len(chosen) // BATCH) if norms else 0):
            for norm in norms:
                # a mean of all so far: the first replaces what was there
                norm.momentum = index / (index + 1)
            batch = images[chosen[index * BATCH : (index + 1) * BATCH]]
            model(batch, training=True)
    finally:
        for norm, momentum in zip(norms, usual):
            norm.momentum = momentum


def set_random_states(model, seed, epoch):
    """Set all generators of chance in a model from a seed and an epoch's number."""
    for index, state in enumerate(_random_states(model)):
        first = (seed * 1000 + index) % 2**32
        state.assign(np.array([first, epoch], dtype="uint32"))
    # where dropout has no such state: PyTorch draws from its own generator
    if keras.backend.backend() == "torch":
        import torch

        torch.manual_seed(seed + 2**32 * epoch)


def _random_states(model):
    return [
        variable
        for variable in model.variables
        if variable.path.endswith("seed_generator_state")
    ]


def _optimizer(model):
    # mixed_float16 scales the loss
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)
