"""The course's pooling on a trunk: by attention, or by averaging."""

from functools import cached_property

import keras
import numpy as np
from keras import layers

from patchconvnet.any_network.feature_maps import trunk_of
from patchconvnet.errors import YES_OR_NO
from patchconvnet.model import NetworkConfig
from patchconvnet.model.head import classify, evidence, make_head, make_pooling
from patchconvnet.preprocessing import Resize, check_images


def add_attention(
    backbone,
    num_classes,
    *,
    trainable=False,
    layer=None,
    preprocess=None,
    dropout=0.2,
    class_tokens="single",
):
    """Put attention pooling on a network: for any, as the paper's abstract says.

    What is added is the layer of the paper's section 3.2, `AttentionPooling`.

    Args:
        backbone: any Keras model, functional or Sequential, whose output is a feature
            map (N, h, w, C). Its layers are shared, not copied.
        num_classes: number of classes, at least 1.
        trainable: False freezes the backbone's layers up to `layer`, in place, and
            leaves their dropout and batch norms as they are at prediction. True trains
            them; batch norms that are frozen, by an earlier call, too, stay so.
        layer: name of the layer whose output to take instead of the last.
        preprocess: a layer, or a function of a tensor: what the backbone wants done to
            images first. It becomes a part of the network.
        dropout: see `AttentionPooling`.
        class_tokens: "single" or "per_class" (paper, section 3.3).

    Returns:
        A `PooledNetwork`, untrained but for the backbone.

    Raises:
        PatchConvNetError: no Keras model, no such layer, no feature map; channels
            first; an argument that is not as said above.
    """
    settings = {"dropout": dropout, "class_tokens": class_tokens}
    return _added(backbone, num_classes, trainable, layer, preprocess, settings)


def add_average(backbone, num_classes, *, trainable=False, layer=None, preprocess=None):
    """Put average pooling on a network: what attention is compared with.

    Arguments, what is returned and errors are as in `add_attention`.
    """
    settings = {"pooling": "average"}
    return _added(backbone, num_classes, trainable, layer, preprocess, settings)


def _added(backbone, num_classes, trainable, layer, preprocess, settings):
    """A `PooledNetwork`; nothing is frozen before all arguments are checked."""
    YES_OR_NO.check("trainable", trainable)
    NetworkConfig(num_classes=num_classes, **settings)
    trunk = trunk_of(backbone, layer, preprocess)
    _set_trainable(trunk, trainable)
    return PooledNetwork(trunk, num_classes, frozen=not trainable, **settings)


def _set_trainable(trunk, trainable):
    """Freeze all layers; or thaw them, but for batch norms that are frozen."""
    parts = list(_parts_of(trunk))
    frozen_norms = [
        part
        for part in parts
        if isinstance(part, layers.BatchNormalization) and not part.trainable
    ]
    for part in (trunk, *parts):
        part.trainable = trainable
    for norm in frozen_norms:
        norm.trainable = False


def _parts_of(model):
    """All layers of a model, and those of models in it, one by one.

    Keras' setter of `trainable` does not reach into all models in a model.
    """
    for part in model.layers:
        yield part
        if isinstance(part, keras.Model):
            yield from _parts_of(part)


@keras.saving.register_keras_serializable(package="patchconvnet")
class PooledNetwork(keras.Model):
    """A trunk, the course's pooling, and a head.

    trunk           feature map (N, h, w, C)
    norm_features   each channel with mean 0 and variance 1: a batch norm without
                    scale and shift, as trunks differ in their units
    pooling         the class token (N, 1, C) and the map (N, 1, h, w); or the mean
    norm, head      logits (N, num_classes); averages go to the head as they are

    A standard `keras.Model`: `compile`, `fit`, `evaluate`, `save` and
    `keras.models.load_model` work as always.

    Args:
        trunk: `keras.Model` with the input and output that `trunk_of` returns.
        num_classes, dropout, class_tokens: see `add_attention`.
        pooling: "attention" or "average".
        frozen: whether the trunk runs as at prediction in training, too.
        name: as for every Keras model.

    Input: float or uint8, as the trunk's. Images are resized where the trunk takes
        squares of one size.
    Output: logits, float32 (N, num_classes).

    Raises:
        PatchConvNetError: a number or word that is not as said above.
    """

    def __init__(
        self,
        trunk,
        num_classes,
        *,
        pooling="attention",
        class_tokens="single",
        dropout=0.2,
        frozen=True,
        name=None,
    ):
        settings = {
            "num_classes": num_classes,
            "pooling": pooling,
            "class_tokens": class_tokens,
            "dropout": dropout,
        }
        channels = trunk.output.shape[-1]
        config = NetworkConfig(**settings, dim=channels, norm="batch")
        pool, head = make_pooling(config, None), make_head(config)

        inputs, sized = _inputs_of(trunk)  # (N, H, W, 3) -> (N, size, size, 3)
        patches = _Trunk(trunk, frozen)(sized)  # (N, size, size, 3) -> (N, h, w, C)
        normalize = layers.BatchNormalization(
            momentum=0.9, center=False, scale=False, name="norm_features"
        )
        logits, attention = classify(normalize(patches), pool, head, config, None)

        super().__init__(inputs, logits, name=name)
        self._config = {**settings, "frozen": frozen}
        self._attention = attention

    @property
    def trunk(self):
        """The trunk, a `keras.Model`."""
        return self.get_layer("trunk").model

    @property
    def own_weights(self):
        """The weights of what follows the trunk: a list."""
        after = [part for part in self.layers if part.name != "trunk"]
        return [weight for part in after for weight in part.weights]

    def explain(self, images, batch_size=32):
        """Classify images and say where the network looked.

        Args:
            images: what the trunk takes; of images uint8 or float (N, H, W, 3), 0 to
                255.
            batch_size: how many are computed at a time.

        Returns:
            logits: float32 NumPy array (N, num_classes).
            maps: float32 NumPy array. With attention (N, Q, h, w): for each of the Q
                class tokens the softmax weight of every place. With averaging (N,
                num_classes, h, w): the class activation maps, of any sign, whose means
                are the logits but for the head's bias (Zhou et al., 2016).

        Raises:
            PatchConvNetError: images that are not as said above.
        """
        if self.inputs[0].shape[-1] == 3:
            images = check_images(images)
        if self._attention is None:
            return evidence(self, images, batch_size)
        logits, maps = self._explainer.predict(
            np.asarray(images), batch_size=batch_size, verbose=0
        )
        return logits, maps

    # made on first use, past Keras' tracking: it is no part of the network
    @cached_property
    def _explainer(self):
        return keras.Model(self.inputs, [self.outputs[0], self._attention])

    def get_config(self):
        trunk = keras.saving.serialize_keras_object(self.trunk)
        return {**self._config, "trunk": trunk, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        trunk = keras.saving.deserialize_keras_object(
            config["trunk"], custom_objects=custom_objects
        )
        return cls(**{**config, "trunk": trunk})


class _Trunk(layers.Layer):
    """A model as a layer; a frozen one runs as at prediction in training, too.

    Keras would hand "in training" on to what is in the model, whatever it was told when
    the graph was made: to its dropout.
    """

    def __init__(self, model, frozen):
        super().__init__(name="trunk")
        self.model, self.frozen = model, frozen

    def build(self, input_shape):
        pass  # the model is

    def call(self, images, training=None):
        # (N, H, W, 3) -> (N, h, w, C)
        return self.model(images, training=False if self.frozen else training)

    def compute_output_shape(self, input_shape):
        return self.model.output.shape


def _inputs_of(trunk):
    """The input of a network on this trunk, and what the trunk gets of it."""
    height, width, channels = trunk.inputs[0].shape[1:]
    if channels == 3 and height is not None and height == width:
        inputs = keras.Input((None, None, 3), dtype="float32", name="images")
        return inputs, Resize(height, dtype="float32", name="resize")(inputs)
    inputs = keras.Input((height, width, channels), dtype="float32", name="images")
    return inputs, inputs
