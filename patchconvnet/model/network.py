"""The whole network, built of its parts: see the top of `patchconvnet.model`."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import read_arrays
from patchconvnet.model.config import NetworkConfig
from patchconvnet.model.head import classify, make_head, make_pooling
from patchconvnet.model.presets import PRESETS, preset_config
from patchconvnet.model.weights import set_weights
from patchconvnet.preprocessing import Augment, Resize, check_images, rescaling
from patchconvnet.stem import ConvStem
from patchconvnet.trunk import Trunk

RECORDS = Path(__file__).parents[1] / "records"


@keras.saving.register_keras_serializable(package="patchconvnet")
class PatchConvNet(keras.Model):
    """The network of the paper (arXiv 2112.13692), and its relatives.

    "Augmenting convolutional networks with attention-based aggregation" is the title. A
    standard `keras.Model`: `compile`, `fit`, `evaluate`, `save` and
    `keras.models.load_model` work as always.

    Args, all but the first by name, with their defaults in `NetworkConfig`:
        num_classes: number of classes, at least 1.
        image_size: side to which images are resized, in pixels (with
            `preprocessing=None`: not resized).
        dim: channels of every patch (d in the paper).
        depth: number of trunk blocks (N in the paper).
        stem_strides, stem_bias, stem_final_activation: see `ConvStem`.
        norm: "layer" or "batch", for the trunk and before the head; with "batch" the
            stem is normalized too. With average pooling the head reads the mean of the
            patches as it is, so that the class activation map is exact.
        tied: see `Trunk`.
        spatial, se_ratio, se_bias, layer_scale, drop_path: see `BlockConfig`;
            `layer_scale` goes to the pooling too.
        kernel_initializer: how weights start: "glorot_uniform" or another name that
            Keras knows; "authors", as the paper's presets: convolutions as in
            `convolution_start`, dense layers as in `linear_start`.
        pooling: "attention" (the paper's) or "average" (for comparison).
        class_tokens: "single" or "per_class" (paper, section 3.3).
        mlp_ratio, dropout, attention_dropout, mlp_dropout, token_initializer: see
            `AttentionPooling`.
        preprocessing: "rescale" (0..255 to -1..1), "imagenet" (0..255, the paper's mean
            and deviation), or None: images are taken as they are, and not varied.
        shift, flip, cutout, seed: see `Augment`.
        name, dtype, trainable: as for every Keras model.

    Input: uint8 or float (N, H, W, 3), 0..255.
    Output: logits, float32 (N, num_classes).

    Raises:
        PatchConvNetError: if an argument is not as said above, or there is none of that
            name; arguments that do not go together.
        ValueError: Keras knows no such initializer or dtype.
    """

    def __init__(
        self, num_classes=10, *, name=None, dtype=None, trainable=True, **settings
    ):
        config = NetworkConfig.from_settings({"num_classes": num_classes, **settings})
        dtype = keras.dtype_policies.get(dtype)
        stem = ConvStem(
            config.dim,
            config.stem_strides,
            norm="batch" if config.norm == "batch" else None,
            use_bias=config.stem_bias,
            final_activation=config.stem_final_activation,
            kernel_initializer=config.kernel_initializer,
            dtype=dtype,
            name="stem",
        )
        trunk = Trunk(
            config.depth, config.tied, config.block, dtype=dtype, name="trunk"
        )
        pool, head = make_pooling(config, dtype), make_head(config)

        inputs = keras.Input((None, None, 3), dtype="float32", name="images")
        # (N, H, W, 3) -> (N, size, size, 3) -> (N, h, w, dim)
        patches = trunk(stem(_preprocessed(inputs, config)))
        logits, attention = classify(patches, pool, head, config, dtype)

        super().__init__(inputs, logits, name=name, trainable=trainable)
        self._config = {**asdict(config), "stem_strides": list(config.stem_strides)}
        self._attention = attention
        # `compile` asks the model whether the loss must be scaled (mixed_float16)
        self.dtype_policy = dtype

    @classmethod
    def from_preset(cls, preset, load_weights=False, **overrides):
        """An untrained network; with `load_weights=True`, a trained one.

        Args:
            preset: a key of `PRESETS`: "shapes", "keras_example", "cifar10",
                "cifar10_cpu", or one of the paper's: "s60", "s120", "b60", "b120",
                "l60", "l120", "s60_multi".
            load_weights: whether to take the weights of the preset's record with seed
                0, if there is one.
            **overrides: any argument of `PatchConvNet`, instead of the preset's.

        Raises:
            PatchConvNetError: no such preset or argument; no weights of it, or those of
                another architecture.
        """
        arguments = {**preset_config(preset), **overrides}
        if not load_weights:
            return cls(**arguments)
        recorded = sorted(
            path.parents[1].name
            for path in RECORDS.glob("*/seed_0/weights.npz")
            if path.parents[1].name in PRESETS
        )
        if preset not in recorded:
            raise PatchConvNetError(
                f"no weights of {preset!r} come with the package: there are those of"
                f" {', '.join(recorded)}"
            )
        model = cls(**arguments)
        weights = read_arrays(RECORDS / preset / "seed_0" / "weights.npz")
        set_weights(model, weights, f"the record of {preset!r}")
        return model

    def explain(self, images, batch_size=128):
        """Classify images and say where the network looked.

        Args:
            images: uint8 or float (N, H, W, 3), 0..255 (with `preprocessing=None`: any
                float range).
            batch_size: how many images are computed at a time.

        Returns:
            logits: float32 NumPy array (N, num_classes).
            attention: float32 NumPy array (N, Q, h, w): for each of the Q class tokens
                the softmax weight of every patch (see `AttentionPooling`), over the
                grid of h x w patches.

        Raises:
            PatchConvNetError: if the images are not as said above, or the network pools
                by averaging.
        """
        if self._attention is None:
            raise PatchConvNetError(
                'this network has pooling="average" and so no attention map; its'
                " counterpart is the class activation map: each patch of the trunk's"
                " output times the head's weights of one class"
            )
        if self._config["preprocessing"] is not None:
            images = check_images(images)
        logits, attention = self._explainer.predict(
            np.asarray(images), batch_size=batch_size, verbose=0
        )
        return logits, attention

    # made on first use, past Keras' tracking: it is no part of the network
    @cached_property
    def _explainer(self):
        return keras.Model(self.inputs, [self.outputs[0], self._attention])

    def get_config(self):
        return {
            **self._config,
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
        }


def _preprocessed(images, config):
    """(N, H, W, 3) -> (N, size, size, 3), scaled, and varied in training.

    Without preprocessing, images stay as they are.
    """
    if config.preprocessing is None:
        return images
    resize = Resize(config.image_size, dtype="float32", name="resize")
    changes = config.shift, config.flip, config.cutout
    augment = Augment(*changes, config.seed, dtype="float32", name="augment")
    return rescaling(config.preprocessing)(augment(resize(images)))
