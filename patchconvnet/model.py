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

import keras
import numpy as np
from keras import layers, ops

from patchconvnet.attention_pooling import AttentionPooling, PerClassHead
from patchconvnet.errors import PatchConvNetError
from patchconvnet.preprocessing import Augment, Resize, check_images, rescaling
from patchconvnet.rules import SHARE, YES_OR_NO, none_or, number, one_of, plain, several, whole
from patchconvnet.stem import ConvStem
from patchconvnet.trunk import Trunk, make_normalization

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
}

PRESETS = {
    # The course's own: small enough for two CPU cores. No squeeze-and-excitation: it tells every patch what the whole
    # image holds, so that attention ends on the object less often (chapter 04).
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
    # The sizes of the Keras example (Gosthipaty, 2022), 2,174,986 parameters; chapter 13 lists what we corrected.
    "keras_example": {"image_size": 48, "dim": 256, "depth": 2, "dropout": 0.2, "shift": 4, "flip": True},
    # CIFAR-10 on a GPU, at its own 32 pixels: 16 x 16 patches, fine enough for small objects.
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
    # CIFAR-10 on two CPU cores: narrower, and 8 x 8 patches; deep, because depth costs less than width.
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
    "s60_multi": {**PAPER, "dim": 384, "depth": 60, "layer_scale": 1e-4, "class_tokens": "per_class"},
}


def preset_config(preset):
    """The arguments of `PatchConvNet` that a preset stands for: a new dict.

    Raises:
        PatchConvNetError: if there is no such preset; the message lists those there are.
    """
    if preset not in PRESETS:
        raise PatchConvNetError(f"no preset {preset!r}: there are {', '.join(PRESETS)}{_near(preset, PRESETS)}")
    return dict(PRESETS[preset])


def _near(name, known):
    near = difflib.get_close_matches(str(name), known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


@keras.saving.register_keras_serializable(package="patchconvnet")
class PatchConvNet(keras.Model):
    """The network of "Augmenting convolutional networks with attention-based aggregation" (arXiv 2112.13692).

    A standard `keras.Model`: `compile`, `fit`, `evaluate`, `save` and `keras.models.load_model` work as always.

    Args:
        num_classes: number of classes, at least 1.
        image_size: side to which images are resized, in pixels (with `preprocessing=None`: not resized).
        dim: channels of every patch (d in the paper).
        depth: number of trunk blocks (N in the paper).
        stem_strides, stem_bias, stem_final_activation: see `ConvStem`.
        norm: "layer" or "batch", for the trunk and before the head; with "batch" the stem is normalized too. With average
            pooling the head reads the mean of the patches as it is, so that the class activation map is exact.
        tied, spatial, se_ratio, se_bias, layer_scale, drop_path: see `Trunk`; `layer_scale` goes to the pooling too.
        pooling: "attention" (the paper's) or "average" (for comparison).
        class_tokens: "single" or "per_class" (paper, section 3.3).
        mlp_ratio, dropout, token_initializer: see `AttentionPooling`.
        preprocessing: "rescale" (0..255 to -1..1), "imagenet" (0..255, the paper's mean and deviation), or None:
            images are taken as they are.
        shift, flip, cutout, seed: see `Augment`.

    Input: uint8 or float (N, H, W, 3), 0..255. Output: logits, float32 (N, num_classes).

    Raises:
        ValueError: if an argument is not as said above.
    """

    def __init__(
        self,
        num_classes=10,
        image_size=32,
        dim=64,
        depth=2,
        stem_strides=(2, 2),
        stem_bias=True,
        stem_final_activation=True,
        norm="layer",
        tied=False,
        spatial="dense",
        se_ratio=8,
        se_bias=False,
        layer_scale=None,
        drop_path=0.0,
        pooling="attention",
        class_tokens="single",
        mlp_ratio=1,
        dropout=0.0,
        token_initializer="truncated_normal",
        preprocessing="rescale",
        shift=0,
        flip=False,
        cutout=0,
        seed=None,
        **kwargs,
    ):
        config = {key: plain(value) for key, value in locals().items() if key not in ("self", "kwargs", "__class__")}
        _check(config)
        for name in kwargs.keys() - {"name", "dtype", "trainable"}:  # Keras would take it without a word
            raise PatchConvNetError(f"PatchConvNet has no argument {name}{_near(name, config)}")
        dtype = keras.dtype_policies.get(kwargs.pop("dtype", None))

        # === layers ===
        stem = ConvStem(
            dim,
            stem_strides,
            norm="batch" if norm == "batch" else None,
            use_bias=stem_bias,
            final_activation=stem_final_activation,
            dtype=dtype,
            name="stem",
        )
        trunk = Trunk(
            depth, tied, spatial, norm, se_ratio, se_bias, layer_scale, drop_path, dtype=dtype, name="trunk"
        )
        tokens = num_classes if class_tokens == "per_class" else 1
        if pooling == "attention":
            pool = AttentionPooling(
                tokens, mlp_ratio, dropout, layer_scale, token_initializer, dtype=dtype, name="pooling"
            )
        else:
            pool = layers.GlobalAveragePooling2D(data_format="channels_last", dtype=dtype, name="pooling")
        # Logits stay float32 in mixed precision: a loss needs the range.
        if pooling == "attention" and class_tokens == "per_class":
            head = PerClassHead(dtype="float32", name="head")
        else:
            head = layers.Dense(num_classes, dtype="float32", name="head")

        # === forward ===
        inputs = keras.Input((None, None, 3), dtype="float32", name="images")
        x = inputs
        if preprocessing is not None:
            x = Resize(image_size, dtype="float32", name="resize")(x)  # (N, H, W, 3) -> (N, size, size, 3)
            x = Augment(shift, flip, cutout, seed, dtype="float32", name="augment")(x)
            x = rescaling(preprocessing)(x)
        patches = trunk(stem(x))  # (N, size, size, 3) -> (N, h, w, dim)
        attention = None
        if pooling == "attention":
            pooled, attention = pool(patches)  # (N, h, w, dim) -> (N, Q, dim), (N, Q, h, w)
            # A batch norm removes what class tokens of all images share. A layer norm cannot: it sees one image.
            normalize = make_normalization(norm, dtype=dtype, name="norm")
            if norm == "batch" and tokens > 1:  # every token shares something else: its numbers are channels
                pooled = ops.reshape(pooled, (-1, tokens * dim))  # (N, Q, dim) -> (N, Q * dim)
                pooled = ops.reshape(normalize(pooled), (-1, tokens, dim))  # (N, Q * dim) -> (N, Q, dim)
            else:
                pooled = normalize(pooled)
            if class_tokens == "single":
                pooled = pooled[:, 0]  # (N, 1, dim) -> (N, dim)
        else:
            pooled = pool(patches)  # (N, h, w, dim) -> (N, dim)
        logits = head(pooled)  # (N, dim) or (N, Q, dim) -> (N, num_classes)

        super().__init__(inputs=inputs, outputs=logits, **kwargs)
        self._config = {**config, "stem_strides": list(stem_strides)}
        self._attention = attention
        self.dtype_policy = dtype  # `compile` asks the model whether the loss must be scaled (mixed_float16)
        object.__setattr__(self, "_explainer", None)

    @classmethod
    def from_preset(cls, preset, **overrides):
        """An untrained network.

        Args:
            preset: a key of `PRESETS`: "shapes", "keras_example", "cifar10", "cifar10_cpu", or one of the paper's:
                "s60", "s120", "b60", "b120", "l60", "l120", "s60_multi".
            **overrides: any argument of `PatchConvNet`, instead of the preset's.
        """
        return cls(**{**preset_config(preset), **overrides})

    def explain(self, images, batch_size=128):
        """Classify images and say where the network looked.

        Args:
            images: uint8 or float (N, H, W, 3), 0..255 (with `preprocessing=None`: any float range).
            batch_size: how many images are computed at a time.

        Returns:
            logits: float32 NumPy array (N, num_classes).
            attention: float32 NumPy array (N, Q, h, w): for each of the Q class tokens the softmax weight of every
                patch (see `AttentionPooling`), over the grid of h x w patches.

        Raises:
            PatchConvNetError: if the images are not as said above, or the network pools by averaging.
        """
        if self._attention is None:
            raise PatchConvNetError(
                'this network has pooling="average" and so no attention map; its counterpart is the class activation '
                "map: each patch of the trunk's output times the head's weights of one class"
            )
        if self._config["preprocessing"] is not None:
            images = check_images(images)
        if self._explainer is None:
            # Not a plain assignment: Keras would take it for a part of this model, and save it twice.
            explainer = keras.Model(self.inputs, [self.outputs[0], self._attention])
            object.__setattr__(self, "_explainer", explainer)
        logits, attention = self._explainer.predict(np.asarray(images), batch_size=batch_size, verbose=0)
        return logits, attention

    def get_config(self):
        return {**self._config, "name": self.name, "dtype": keras.dtype_policies.serialize(self.dtype_policy)}


# What each argument may be, in itself. The bounds are far beyond any use: past them, memory ends before training begins.
ARGUMENTS = {
    "num_classes": whole(1, 100_000),
    "image_size": whole(8, 1024),
    "dim": whole(1, 4096),
    "depth": whole(1, 500),
    "stem_strides": several(one_of(1, 2), 8),
    "stem_bias": YES_OR_NO,
    "stem_final_activation": YES_OR_NO,
    "norm": one_of("layer", "batch"),
    "tied": YES_OR_NO,
    "spatial": one_of("dense", "depthwise"),
    "se_ratio": none_or(whole(1, 4096)),
    "se_bias": YES_OR_NO,
    "layer_scale": none_or(number(0, 100, "a number above 0, at most 100", above=True)),
    "drop_path": SHARE,
    "pooling": one_of("attention", "average"),
    "class_tokens": one_of("single", "per_class"),
    "mlp_ratio": number(0, 16, "a number above 0, at most 16", above=True),
    "dropout": SHARE,
    "preprocessing": one_of("rescale", "imagenet", None),
    "shift": whole(0, 1023),
    "flip": YES_OR_NO,
    "cutout": whole(0, 1024),
    "seed": none_or(whole(0, 2**32 - 1)),
}
MOST_WEIGHTS = 1e9  # three times the paper's largest network
MOST_NUMBERS = 2**26  # of one image, in one layer


def _check(config):
    """Reject arguments that are wrong in themselves, or do not go together, by name."""
    for name, rule in ARGUMENTS.items():
        rule.check(name, config[name])
    if config["pooling"] == "average" and config["class_tokens"] == "per_class":
        raise PatchConvNetError('class_tokens="per_class" needs pooling="attention": average pooling has no tokens')
    size, dim = config["image_size"], config["dim"]
    for name, most in (("shift", size - 1), ("cutout", size)):
        if config[name] > most:
            raise PatchConvNetError(f"{name} must be at most {most} for images of {size} pixels, got {config[name]!r}")
    weights = config["depth"] * dim**2 * (11 if config["spatial"] == "dense" else 2)  # of the trunk's convolutions
    side = size // math.prod(config["stem_strides"])
    if weights > MOST_WEIGHTS or side**2 * dim > MOST_NUMBERS:
        raise PatchConvNetError(
            f"dim={dim}, depth={config['depth']}, image_size={size} and stem_strides={tuple(config['stem_strides'])} make a network "
            f"of {weights / 1e6:,.0f} million weights on {side} x {side} patches: make it smaller"
        )
