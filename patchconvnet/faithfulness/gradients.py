"""Slopes of a logit, on each backend; and a network cut open at its pooling.

logit_gradients   how a class's logit changes with what a model takes
cut_at_pooling    weights and values as the pooling had them, and what reads them
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from patchconvnet.attention_pooling import scaled
from patchconvnet.errors import PatchConvNetError, plain, whole
from patchconvnet.preprocessing import check_images

BATCH = whole(1, 1_000_000)


def logit_gradients(model, inputs, classes, batch_size=128):
    """How the logit of each example's class changes with the first input.

    Args:
        model: a Keras model that gives logits (N, classes). It runs as at prediction.
        inputs: list of float arrays (N, ...), one for each input of the model.
        classes: int (N,), the classes whose logits are followed.
        batch_size: how many examples are computed at a time.

    Returns:
        float32 array, shaped as the first input.
    """
    gradient = GRADIENTS[keras.backend.backend()]
    BATCH.check("batch_size", plain(batch_size))
    inputs = [np.asarray(each, "float32") for each in inputs]
    chosen = np.eye(model.output_shape[-1], dtype="float32")[classes]  # (N, classes)
    found = []
    for start in range(0, len(chosen), batch_size):
        part = slice(start, start + batch_size)
        first, *others = (each[part] for each in inputs)

        def total(first, others=others, chosen=chosen[part]):
            given = [first, *map(ops.convert_to_tensor, others)]
            logits = model(given if others else first, training=False)
            return ops.sum(logits * ops.convert_to_tensor(chosen))

        found.append(gradient(total, first))
    return np.concatenate(found)


def _by_tensorflow(function, values):
    import tensorflow as tf

    values = tf.convert_to_tensor(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = function(values)
    return tape.gradient(result, values).numpy()


def _by_jax(function, values):
    import jax

    return np.asarray(jax.grad(function)(jax.numpy.asarray(values)))


def _by_torch(function, values):
    import torch

    values = ops.convert_to_tensor(values).requires_grad_()
    (slopes,) = torch.autograd.grad(function(values), values)
    return slopes.detach().cpu().numpy()


GRADIENTS = {"tensorflow": _by_tensorflow, "jax": _by_jax, "torch": _by_torch}


class Cut(NamedTuple):
    """A network with one class token, cut open at its attention pooling.

    Attributes; P patches lie in h rows and w columns, and S = 1 + P:
        weights: float32 (N, 1, S), the token's own first, then the patches'. They sum
            to 1.
        values: float32 (N, S, C), what the weights weigh.
        grid: (h, w).
        reader: `keras.Model` that takes [weights, values] and gives the network's
            logits (N, classes). Its layers are the network's own.
    """

    weights: np.ndarray
    values: np.ndarray
    grid: tuple
    reader: keras.Model


def cut_at_pooling(model, images, batch_size=128):
    """What a network's pooling had, and what reads it: a `Cut`.

    Args:
        model: a `PatchConvNet` or `PooledNetwork` with a single class token.
        images: what it takes, (N, ...).
        batch_size: how many images are computed at a time.

    Raises:
        PatchConvNetError: another pooling, or several class tokens.
    """
    patches = features_before(model, "pooling", images, batch_size)  # (N, h, w, C)
    settings = model.get_config()
    if settings["pooling"] != "attention" or settings["class_tokens"] != "single":
        raise PatchConvNetError(
            "other maps of attention need a network with attention pooling and a single"
            f" class token, got pooling={settings['pooling']!r} and"
            f" class_tokens={settings['class_tokens']!r}"
        )
    pool = model.get_layer("pooling")
    count, *grid, channels = patches.shape
    patches = patches.reshape(count, -1, channels)  # (N, h, w, C) -> (N, P, C)
    token = ops.convert_to_numpy(pool.class_token)  # (1, 1, C)
    token = np.broadcast_to(token, (count, 1, channels))
    together = np.concatenate([token, patches], axis=1)  # (N, S, C)
    values = ops.convert_to_numpy(pool.value(pool.norm_tokens(together)))
    _, maps = model.explain(images, batch_size)
    weights = maps.reshape(count, 1, -1)  # (N, 1, h, w) -> (N, 1, P)
    own = 1 - weights.sum(axis=-1, keepdims=True)  # (N, 1, 1)
    weights = np.concatenate([own, weights], axis=-1)  # (N, 1, S)
    return Cut(weights, values, tuple(grid), _reader(model))


def _reader(model):
    """What a network does once its pooling has weights: a `keras.Model`."""
    pool = model.get_layer("pooling")
    weights = keras.Input((1, None), name="weights")
    values = keras.Input((None, pool.value.units), name="values")
    # (N, 1, S) x (N, S, C) -> (N, 1, C)
    update = pool.project(ops.matmul(weights, values))
    token = scaled(update, pool.scale_attention) + pool.class_token
    update = pool.mlp_out(pool.mlp_in(pool.norm_mlp(token)))  # (N, 1, C)
    token = token + scaled(update, pool.scale_mlp)
    normalized = model.get_layer("norm")(token)
    logits = model.get_layer("head")(normalized[:, 0])  # (N, C) -> (N, classes)
    return keras.Model([weights, values], logits)


def features_before(model, name, images, batch_size=128):
    """What a network's layer `name` takes, for each image: float32 (N, h, w, C)."""
    BATCH.check("batch_size", plain(batch_size))
    layers = [layer.name for layer in getattr(model, "layers", [])]
    if name not in layers:
        raise PatchConvNetError(
            f"this map needs a `PatchConvNet` or a `PooledNetwork`, which have a layer"
            f" {name!r}, got {type(model).__name__}"
        )
    if model.inputs[0].shape[-1] == 3:  # else it takes the output of a trunk
        images = check_images(images)
    before = keras.Model(model.inputs, model.get_layer(name).input)
    return before.predict(np.asarray(images), batch_size=batch_size, verbose=0)
