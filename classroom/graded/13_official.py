"""Chapter 13: other pictures, other weights, a network of its own."""

import dataclasses

import keras
import numpy as np

WITHIN = {"logit_errors": 0.00006, "carried_layer": 0.001, "shown_loss": 0.8}
LAYER = "blocks.0.attn.qkv_pos.2"


def other_1(reference, forward, weights):
    noise = np.random.default_rng(1301).normal(size=reference["images"].shape)
    reference["images"], images = 0.01 * noise, reference["images"]
    reference["images"][1] *= 0.1
    by_hand, maps = forward(weights)
    changed, reference["images"] = reference["images"], images
    return {"reference": reference | {"images": changed}, "by_hand": by_hand}


def other_2(reference, weights):
    draw = np.random.default_rng(1302).normal
    kernel, bias = draw(size=(64, 1, 3, 3)), draw(size=64)
    return {
        "weights": weights | {f"{LAYER}.weight": kernel, f"{LAYER}.bias": bias},
        "reference": reference,
    }


def use_carried_layer(carried_layer):
    x = np.random.default_rng(1303).normal(size=(2, 4, 4, 64)).astype("float32")
    return carried_layer(x)


class Pooling(keras.layers.Layer):
    """Writes down whether it is called to train."""

    def __init__(self):
        super().__init__()
        self.head, self.said = keras.layers.Dense(10), []

    def call(self, patches, training=None):
        self.said.append(training)
        return self.head(keras.ops.mean(patches, axis=1)), patches[..., 0]


def use_NewNetwork(NewNetwork, data, pictures, cross_entropy):
    layers = keras.layers
    stem = keras.Sequential([layers.Conv2D(8, 4, strides=4), layers.Reshape((-1, 8))])
    network = NewNetwork(stem, Pooling())
    network.compile(keras.optimizers.Adam(1e-3), cross_entropy)
    few, labels = pictures[:100], data.y_train[:100]
    network.fit(few, labels, batch_size=50, verbose=0)
    in_training = True in network.pooling.said
    shown = network.evaluate(few, labels, batch_size=50, verbose=0, return_dict=True)
    true = float(cross_entropy(labels, network(few)[0]))
    right = [abs(float(value) - true) < 1e-3 for value in shown.values()]
    return in_training, any(right)


def other_3(data, test, miniature):
    """Fresh, trained on one class, and asked for another: the loss is high."""
    keras.utils.set_random_seed(1304)  # both answers begin with the same weights
    labels = np.zeros_like(data.y_train)
    data = dataclasses.replace(data, y_train=labels)
    return {
        "old": miniature("gelu"),
        "data": data,
        "test": (test[0], np.ones_like(test[1])),
    }
