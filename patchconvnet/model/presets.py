"""The course's own networks and the paper's, as arguments of `PatchConvNet`."""

from patchconvnet.errors import PatchConvNetError, nearest

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
    # The course's own: small enough for two CPU cores. No squeeze-and-excitation: it
    # tells every patch what the whole image holds, and a map's cells are to be read as
    # places (chapter 05).
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
    # CIFAR-10 on a GPU, 2,616,770 parameters. Of the networks that were sketched for it
    # (one run each), 8 x 8 patches and dense convolutions did best.
    "cifar10": {
        "image_size": 32,
        "dim": 160,
        "depth": 8,
        "stem_strides": (1, 2, 2),
        "norm": "batch",
        "drop_path": 0.1,
        "shift": 4,
        "flip": True,
        "cutout": 8,
    },
    # CIFAR-10 on two CPU cores: narrower, and 8 x 8 patches; deep, because depth costs
    # less than width.
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
    # The paper's.
    "s60": {**PAPER, "dim": 384, "depth": 60, "layer_scale": 1e-4},
    "s120": {**PAPER, "dim": 384, "depth": 120},
    "b60": {**PAPER, "dim": 768, "depth": 60},
    "b120": {**PAPER, "dim": 768, "depth": 120},
    "l60": {**PAPER, "dim": 1024, "depth": 60},
    "l120": {**PAPER, "dim": 1024, "depth": 120},
}
PRESETS["s60_multi"] = {**PRESETS["s60"], "class_tokens": "per_class"}


def preset_config(preset):
    """The arguments of `PatchConvNet` that a preset stands for: a new dict.

    Raises:
        PatchConvNetError: if there is no such preset; the message lists those there
            are.
    """
    if preset == "pets":
        raise PatchConvNetError(
            "preset 'pets' is no PatchConvNet but its pooling on another network:"
            " any_network.add_attention(any_network.efficientnet_lite0(), 3);"
            ' trained, records.load("pets").model()'
        )
    if preset not in PRESETS:
        raise PatchConvNetError(
            f"no preset {preset!r}: there are"
            f" {', '.join(PRESETS)}{nearest(preset, PRESETS)}"
        )
    return dict(PRESETS[preset])
