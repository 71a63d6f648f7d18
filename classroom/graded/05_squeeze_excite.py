"""Chapter 05: other sizes; layers and activations of its own."""

import keras
import numpy as np

from patchconvnet.squeeze_excite import SqueezeExcite


def layer_and_patches(ratio, shape):
    keras.utils.set_random_seed(501)
    layer = SqueezeExcite(ratio=ratio)
    layer.build(shape)
    return layer, np.random.default_rng(502).normal(size=shape).astype("float32")


def use_gate_parameters(gate_parameters):
    return [gate_parameters(60, 384, 4), gate_parameters(7, 64, 8)]


def use_before_sigmoid(before_sigmoid):
    return [
        before_sigmoid(*layer_and_patches(ratio, (5, 4, 6, 32))) for ratio in (2, 8)
    ]


def use_local_gate(local_gate):
    return local_gate(*layer_and_patches(4, (2, 5, 6, 16)))
