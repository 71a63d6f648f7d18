"""PatchConvNet: stem, trunk, pooling, head.

image (N, 32, 32, 3)
  -> preprocessing   resize, vary (in training), scale
  -> stem            patches (N, 8, 8, dim)
  -> trunk           patches (N, 8, 8, dim), each now knows its surroundings
  -> pooling         class token (N, 1, dim), and the attention map (N, 1, 8, 8)
  -> norm, head      logits (N, classes)
"""

import difflib
import math
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from patchconvnet.attention_pooling import AttentionPooling, PerClassHead, linear_start
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import read_arrays
from patchconvnet.preprocessing import Augment, Resize, check_images, rescaling
from patchconvnet.rules import (
    ANYTHING,
    SHARE,
    YES_OR_NO,
    none_or,
    number,
    one_of,
    plain,
    setting,
    several,
    whole,
)
from patchconvnet.stem import ConvStem
from patchconvnet.trunk import DEPTH, BlockConfig, Trunk, make_normalization

RECORDS = Path(__file__).with_name("records")

# What all networks of the paper share (section 3 and the authors' code).
PAPER = {
    "num_classes": 1000,
    "image_size": 224,
    "stem_strides": (2, 2, 2, 2),
    "stem_bias": False,
    "stem_final_activation": False,
    "spatial": "depthwise",
    "se_ratio": 4,
    "se_bias": True,
    "layer_scale": 1e-6,
    "mlp_ratio": 3,
    "preprocessing": "imagenet",
    "kernel_initializer": "authors",
    "token_initializer": {
        "class_name": "TruncatedNormal",
        "config": {"mean": 0.0, "stddev": 0.02},
    },
}

PRESETS = {
    # The course's own: small enough for two CPU cores. No
    # squeeze-and-excitation: it tells every patch what the whole image holds,
    # so that attention ends on the object less often (chapter 05).
    "shapes": {
        "image_size": 32,
        "dim": 64,
        "depth": 2,
        "norm": "batch",
        "se_ratio": None,
        "dropout": 0.2,
        "shift": 2,
        "flip": True,
    },
    # The sizes of the Keras example (Gosthipaty, 2022), 2,174,986 parameters;
    # chapter 13 lists what we corrected.
    "keras_example": {
        "image_size": 48,
        "dim": 256,
        "depth": 2,
        "dropout": 0.2,
        "shift": 4,
        "flip": True,
    },
    # CIFAR-10 on a GPU, at its own 32 pixels: 16 x 16 patches, fine enough for
    # small objects.
    "cifar10": {
        "image_size": 32,
        "dim": 256,
        "depth": 8,
        "stem_strides": (1, 2),
        "norm": "batch",
        "spatial": "depthwise",
        "drop_path": 0.1,
        "shift": 4,
        "flip": True,
        "cutout": 8,
    },
    # CIFAR-10 on two CPU cores: narrower, and 8 x 8 patches; deep, because
    # depth costs less than width.
    "cifar10_cpu": {
        "image_size": 32,
        "dim": 128,
        "depth": 4,
        "stem_strides": (1, 2, 2),
        "norm": "batch",
        "dropout": 0.1,
        "shift": 2,
        "flip": True,
    },
    "s60": {**PAPER, "dim": 384, "depth": 60, "layer_scale": 1e-4},
    "s120": {**PAPER, "dim": 384, "depth": 120},
    "b60": {**PAPER, "dim": 768, "depth": 60},
    "b120": {**PAPER, "dim": 768, "depth": 120},
    "l60": {**PAPER, "dim": 1024, "depth": 60},
    "l120": {**PAPER, "dim": 1024, "depth": 120},
    "s60_multi": {
        **PAPER,
        "dim": 384,
        "depth": 60,
        "layer_scale": 1e-4,
        "class_tokens": "per_class",
    },
}


def preset_config(preset):
    """The arguments of `PatchConvNet` that a preset stands for: a new dict.

    Raises:
        PatchConvNetError: if there is no such preset; the message lists those
            there are.
    """
    if preset not in PRESETS:
        raise PatchConvNetError(
            f"no preset {preset!r}: there are"
            f" {', '.join(PRESETS)}{_near(preset, PRESETS)}"
        )
    return dict(PRESETS[preset])


def _near(name, known):
    near = difflib.get_close_matches(str(name), known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


MOST_WEIGHTS = 1e9  # three times the paper's largest network
MOST_NUMBERS = 2**26  # of one image, in one layer


@dataclass(frozen=True)
class NetworkConfig(BlockConfig):
    """All that a `PatchConvNet` is made of: defaults, and what each may be.
    What they mean is said there.

    The bounds are far beyond any use: past them, memory ends before training
    begins.
    """

    num_classes: int = setting(10, whole(1, 100_000))
    image_size: int = setting(32, whole(8, 1024))
    dim: int = setting(64, whole(1, 4096))
    depth: int = setting(2, DEPTH)
    stem_strides: tuple = setting((2, 2), several(one_of(1, 2), 8))
    stem_bias: bool = setting(True, YES_OR_NO)
    stem_final_activation: bool = setting(True, YES_OR_NO)
    tied: bool = setting(False, YES_OR_NO)
    layer_scale: float | None = setting(
        None, none_or(number(0, 100, "a number above 0, at most 100", above=True))
    )
    pooling: str = setting("attention", one_of("attention", "average"))
    class_tokens: str = setting("single", one_of("single", "per_class"))
    mlp_ratio: float = setting(
        1, number(0, 16, "a number above 0, at most 16", above=True)
    )
    dropout: float = setting(0.0, SHARE)
    attention_dropout: float | None = setting(None, none_or(SHARE))
    mlp_dropout: float | None = setting(None, none_or(SHARE))
    # Keras judges
    token_initializer: str | dict = setting("truncated_normal", ANYTHING)
    preprocessing: str | None = setting("rescale", one_of("rescale", "imagenet", None))
    shift: int = setting(0, whole(0, 1023))
    flip: bool = setting(False, YES_OR_NO)
    cutout: int = setting(0, whole(0, 1024))
    seed: int | None = setting(None, none_or(whole(0, 2**32 - 1)))

    def __post_init__(self):
        super().__post_init__()
        if self.pooling == "average" and self.class_tokens == "per_class":
            raise PatchConvNetError(
                'class_tokens="per_class" needs pooling="attention": average pooling'
                " has no tokens"
            )
        size, dim = self.image_size, self.dim
        for name, most in (("shift", size - 1), ("cutout", size)):
            if getattr(self, name) > most:
                value = getattr(self, name)
                raise PatchConvNetError(
                    f"{name} must be at most {most} for images of {size} pixels, got"
                    f" {value!r}"
                )
        # of the trunk's convolutions
        weights = self.depth * dim**2 * (11 if self.spatial == "dense" else 2)
        side = size // math.prod(self.stem_strides)
        if weights > MOST_WEIGHTS or side**2 * dim > MOST_NUMBERS:
            raise PatchConvNetError(
                f"dim={dim}, depth={self.depth}, image_size={size} and"
                f" stem_strides={tuple(self.stem_strides)} make a network of"
                f" {weights / 1e6:,.0f} million weights on {side} x {side} patches:"
                " make it smaller"
            )

    @classmethod
    def of(cls, arguments):
        """From a dict; an error with the nearest name for one that is no
        argument.
        """
        for name in arguments.keys() - set(cls.names()):
            raise PatchConvNetError(
                f"PatchConvNet has no argument {name}{_near(name, cls.names())}"
            )
        return cls(**{name: plain(value) for name, value in arguments.items()})

    @property
    def block(self):
        """That of each block of the trunk: a `BlockConfig`."""
        return BlockConfig(
            **{name: getattr(self, name) for name in BlockConfig.names()}
        )

    @property
    def tokens(self):
        """How many class tokens there are with attention pooling."""
        return self.num_classes if self.class_tokens == "per_class" else 1


@keras.saving.register_keras_serializable(package="patchconvnet")
class PatchConvNet(keras.Model):
    """The network of "Augmenting convolutional networks with attention-based
    aggregation" (arXiv 2112.13692).

    A standard `keras.Model`: `compile`, `fit`, `evaluate`, `save` and
    `keras.models.load_model` work as always.

    Args, all by name, with their defaults in `NetworkConfig`:
        num_classes: number of classes, at least 1.
        image_size: side to which images are resized, in pixels (with
            `preprocessing=None`: not resized).
        dim: channels of every patch (d in the paper).
        depth: number of trunk blocks (N in the paper).
        stem_strides, stem_bias, stem_final_activation: see `ConvStem`.
        norm: "layer" or "batch", for the trunk and before the head; with
            "batch" the stem is normalized too. With average pooling the head
            reads the mean of the patches as it is, so that the class
            activation map is exact.
        tied: see `Trunk`.
        spatial, se_ratio, se_bias, layer_scale, drop_path: see `BlockConfig`;
            `layer_scale` goes to the pooling too.
        kernel_initializer: how weights start: "glorot_uniform" or another name
            that Keras knows; "authors", as the paper's presets: convolutions
            as in `convolution_start`, dense layers as in `linear_start`.
        pooling: "attention" (the paper's) or "average" (for comparison).
        class_tokens: "single" or "per_class" (paper, section 3.3).
        mlp_ratio, dropout, attention_dropout, mlp_dropout, token_initializer:
            see `AttentionPooling`.
        preprocessing: "rescale" (0..255 to -1..1), "imagenet" (0..255, the
            paper's mean and deviation), or None: images are taken as they are.
        shift, flip, cutout, seed: see `Augment`.

    Input: uint8 or float (N, H, W, 3), 0..255. Output: logits, float32 (N,
        num_classes).

    Raises:
        PatchConvNetError: if an argument is not as said above, or there is
            none of that name.
    """

    def __init__(self, num_classes=10, **arguments):
        options = {
            name: arguments.pop(name)
            for name in ("name", "dtype", "trainable")
            if name in arguments
        }
        config = NetworkConfig.of({"num_classes": num_classes, **arguments})
        dtype = keras.dtype_policies.get(options.pop("dtype", None))
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
        pool, head = _pooling(config, dtype), _head(config)

        inputs = keras.Input((None, None, 3), dtype="float32", name="images")
        # (N, H, W, 3) -> (N, size, size, 3) -> (N, h, w, dim)
        patches = trunk(stem(_preprocessed(inputs, config)))
        attention = None
        if config.pooling == "attention":
            # (N, h, w, dim) -> (N, Q, dim), (N, Q, h, w)
            tokens, attention = pool(patches)
            # (N, Q, dim) -> (N, Q, dim), or (N, dim) if Q is 1
            pooled = _normalized(tokens, config, dtype)
        else:
            pooled = pool(patches)  # (N, h, w, dim) -> (N, dim)
        logits = head(pooled)  # (N, dim) or (N, Q, dim) -> (N, num_classes)

        super().__init__(inputs=inputs, outputs=logits, **options)
        self._config = {**asdict(config), "stem_strides": list(config.stem_strides)}
        self._attention = attention
        # `compile` asks the model whether the loss must be scaled
        # (mixed_float16)
        self.dtype_policy = dtype

    @classmethod
    def from_preset(cls, preset, load_weights=False, **overrides):
        """An untrained network; with `load_weights=True`, a trained one.

        Args:
            preset: a key of `PRESETS`: "shapes", "keras_example", "cifar10",
                "cifar10_cpu", or one of the paper's: "s60", "s120", "b60",
                "b120", "l60", "l120", "s60_multi".
            load_weights: whether to take the weights of the preset's record
            with seed 0, if there is one. **overrides: any argument of
            `PatchConvNet`, instead of the preset's.

        Raises:
            PatchConvNetError: no such preset; no weights of it, or weights of
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
        set_weights(
            model,
            read_arrays(RECORDS / preset / "seed_0" / "weights.npz"),
            f"the record of {preset!r}",
        )
        return model

    def explain(self, images, batch_size=128):
        """Classify images and say where the network looked.

        Args:
            images: uint8 or float (N, H, W, 3), 0..255 (with
                `preprocessing=None`: any float range).
            batch_size: how many images are computed at a time.

        Returns:
            logits: float32 NumPy array (N, num_classes).
            attention: float32 NumPy array (N, Q, h, w): for each of the Q
                class tokens the softmax weight of every patch (see
                `AttentionPooling`), over the grid of h x w patches.

        Raises:
            PatchConvNetError: if the images are not as said above, or the
                network pools by averaging.
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

    # made when it is first asked for, past Keras' tracking: it is no part of
    # the network
    @cached_property
    def _explainer(self):
        return keras.Model(self.inputs, [self.outputs[0], self._attention])

    def get_config(self):
        return {
            **self._config,
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
        }


def _preprocessed(images, config):
    """(N, H, W, 3) -> (N, size, size, 3), scaled, and varied in training; as
    it is without preprocessing.
    """
    if config.preprocessing is None:
        return images
    # (N, H, W, 3) -> (N, size, size, 3)
    x = Resize(config.image_size, dtype="float32", name="resize")(images)
    x = Augment(
        config.shift,
        config.flip,
        config.cutout,
        config.seed,
        dtype="float32",
        name="augment",
    )(x)
    return rescaling(config.preprocessing)(x)


def _pooling(config, dtype):
    if config.pooling == "average":
        return layers.GlobalAveragePooling2D(
            data_format="channels_last", dtype=dtype, name="pooling"
        )
    names = (
        "mlp_ratio",
        "dropout",
        "layer_scale",
        "token_initializer",
        "kernel_initializer",
        "attention_dropout",
        "mlp_dropout",
    )
    return AttentionPooling(
        config.tokens,
        **{name: getattr(config, name) for name in names},
        dtype=dtype,
        name="pooling",
    )


def _head(config):
    # Logits stay float32 in mixed precision: a loss needs the range.
    if config.pooling == "attention" and config.class_tokens == "per_class":
        return PerClassHead(config.kernel_initializer, dtype="float32", name="head")
    start = linear_start(config.kernel_initializer)
    return layers.Dense(
        config.num_classes, kernel_initializer=start, dtype="float32", name="head"
    )


def _normalized(tokens, config, dtype):
    """Class tokens as the head reads them: (N, Q, dim) -> (N, Q, dim), or (N,
    dim) if there is a single one.
    """
    # A batch norm removes what class tokens of all images share. A layer norm
    # cannot: it sees one image.
    normalize = make_normalization(config.norm, dtype=dtype, name="norm")
    count, dim = config.tokens, config.dim
    # every token shares something else: its numbers are channels
    if config.norm == "batch" and count > 1:
        # (N, Q, dim) -> (N, Q * dim)
        tokens = ops.reshape(tokens, (-1, count * dim))
        # (N, Q * dim) -> (N, Q, dim)
        tokens = ops.reshape(normalize(tokens), (-1, count, dim))
    else:
        tokens = normalize(tokens)
    # (N, 1, dim) -> (N, dim)
    return tokens[:, 0] if config.class_tokens == "single" else tokens


# === weights ===


def weights_of(model):
    """The weights of a model as float16 arrays: a dict from Keras' path to
    array.
    """
    # where training fails: `set_weights` refuses them
    with np.errstate(over="ignore"):
        return {
            weight.path: keras.ops.convert_to_numpy(weight).astype("float16")
            for weight in model.weights
        }


def set_weights(model, weights, source="the file"):
    """Give `model` the weights of a dict as `weights_of` makes it.

    Raises:
        PatchConvNetError: if they belong to another architecture; the first
            difference is named.
    """
    for weight in model.weights:
        if weight.path not in weights:
            raise PatchConvNetError(
                f"{source} lacks the weight {weight.path}: it is of another"
                " architecture"
            )
        found = weights[weight.path]
        if found.shape != tuple(weight.shape):
            raise PatchConvNetError(
                f"{source}: {weight.path} has shape {found.shape}, this network wants"
                f" {weight.shape}"
            )
        # what is too large becomes infinite, and is refused
        with np.errstate(over="ignore"):
            finite = (
                found.dtype.kind in "fiu" and np.isfinite(found.astype("float32")).all()
            )
        if not finite:
            raise PatchConvNetError(
                f"{source}: {weight.path} holds what is no finite number: its training"
                " failed, or it is damaged"
            )
    unknown = weights.keys() - {weight.path for weight in model.weights}
    if unknown:
        raise PatchConvNetError(
            f"{source} has a weight that this network lacks: {sorted(unknown)[0]}"
        )
    for weight in model.weights:
        weight.assign(weights[weight.path].astype("float32"))
