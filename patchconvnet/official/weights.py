"""The authors' weights: read, checked, and given to a network of ours."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from keras import layers

from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import read_arrays
from patchconvnet.model import PAPER, PatchConvNet
from patchconvnet.official.shapes import weight_shapes


def convert(state_dict, preprocessing=None, image_size=224):
    """Build the network that a set of the authors' weights belongs to, with them.

    Width, depth, number of classes, and whether there is one class token or one a
    class, follow from the arrays.

    Args:
        state_dict: a mapping of the authors' names to arrays in PyTorch's layouts (see
            `weight_shapes`).
        preprocessing: None: the network takes what the authors' takes, images of any
            size that are already normalized. "imagenet": it takes 0..255 images,
            resizes them to `image_size`, and normalizes them itself.
        image_size: side in pixels to which images are resized; without preprocessing,
            they are not.

    Returns:
        A `PatchConvNet`: float32 (N, H, W, 3), channels last, to logits (N,
        num_classes).

    Raises:
        PatchConvNetError: names the weights that are missing, unknown, of another
            shape, or not finite.
    """
    if not isinstance(state_dict, Mapping):
        raise PatchConvNetError(
            "the weights must be a mapping of names to arrays, got"
            f" {type(state_dict).__name__}"
        )
    weights = {str(name): np.asarray(value) for name, value in state_dict.items()}
    dim, depth, num_classes, per_class = _infer(weights)
    _check(weights, weight_shapes(dim, depth, num_classes, per_class))
    config = {
        **PAPER,
        "num_classes": num_classes,
        "image_size": image_size,
        "dim": dim,
        "depth": depth,
        "class_tokens": "per_class" if per_class else "single",
        "preprocessing": preprocessing,
    }
    model = PatchConvNet(**config)
    _assign(model, weights)
    return model


def load(path, preprocessing=None, image_size=224):
    """Read a `.pth` file of the authors, or of their training code: see `convert`.

    Args:
        path: the file: a state dict, or a dict that has it under "model".
        preprocessing, image_size: see `convert`.

    Raises:
        PatchConvNetError: if PyTorch is not installed, or the file is missing, broken,
            or of another network.
    """
    try:
        import torch
    except ImportError:
        raise PatchConvNetError(
            "reading .pth files needs PyTorch: pip install torch"
        ) from None
    path = Path(path).expanduser()
    if not path.is_file():
        raise PatchConvNetError(
            f"no file {path}: download it from the authors' repository first"
        )
    try:
        # Weights only: a pickle could run any code. The authors' own training adds its
        # options, a Namespace.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a broken file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PatchConvNetError(
            f"{path} is not a PyTorch file of weights, or is incomplete: {reason}"
        ) from None
    if isinstance(content, Mapping) and isinstance(content.get("model"), Mapping):
        content = content["model"]
    if not isinstance(content, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise PatchConvNetError(
            f"{path} holds no state dict: wanted names and tensors, alone or under"
            " 'model'"
        )
    arrays = {name: value.float().numpy() for name, value in content.items()}
    return convert(arrays, preprocessing, image_size)


def reference(name="single"):
    """What the authors' own code computed, to hold a network against.

    Args:
        name: "single" (one class token) or "multi" (one for each of ten classes).

    Returns:
        A dict: "weights", a dict of the authors' names to random arrays; "images",
        float32 (2, 64, 64, 3), normalized; "logits", float32 (2, 10); "attention",
        float32 (2, Q, 4, 4); "steps", a dict of what was computed on the way, in the
        authors' order of axes. How it was made is told in the folder's README.md.

    Raises:
        PatchConvNetError: for another name.
    """
    if name not in ("single", "multi"):
        raise PatchConvNetError(f'the reference is "single" or "multi", got {name!r}')
    arrays = read_arrays(Path(__file__).with_name("reference") / f"parity_{name}.npz")

    def part(prefix):
        return {
            key.removeprefix(prefix): array
            for key, array in arrays.items()
            if key.startswith(prefix)
        }

    return {
        "weights": part("w/"),
        # (N, 3, H, W) -> (N, H, W, 3)
        "images": arrays["in/x"].transpose(0, 2, 3, 1),
        "logits": arrays["out/logits"],
        # (N, heads = 1, Q, h, w) -> (N, Q, h, w)
        "attention": arrays["out/attn_patch"][:, 0],
        "steps": part("act/"),
    }


def _infer(weights):
    """Width, depth, number of classes, and whether there is one token a class."""
    token = weights.get("cls_token")
    if token is None or token.ndim != 3:
        raise PatchConvNetError(
            "the weights hold no cls_token of shape (1, tokens, dim): are they a"
            " PatchConvNet's?"
        )
    dim = token.shape[-1]
    if dim < 8 or dim % 8:
        raise PatchConvNetError(
            f"cls_token has {dim} channels: the stem needs a multiple of 8"
        )
    named = [re.match(r"blocks\.(\d+)\.", name) for name in weights]
    depth = 1 + max((int(match[1]) for match in named if match), default=0)
    if depth > len(weights):  # a number in a name must not decide how much is built
        raise PatchConvNetError(
            f"there is a weight of block {depth - 1}, but only {len(weights)} weights"
        )
    if "head.weight" in weights:
        head = weights["head.weight"]
        return dim, depth, len(head) if head.ndim else 1, False
    if token.shape[1] == 1 and "head.0.weight" in weights:
        # The authors' token of a single class does not attend to itself; ours, like
        # every single token, does.
        raise PatchConvNetError(
            "weights with one token a class need at least 2 classes, got 1"
        )
    return dim, depth, token.shape[1], True


def _check(weights, shapes):
    """Every weight is there, no other is, and each has its shape."""
    problems = []
    if missing := [name for name in shapes if name not in weights]:
        problems.append(f"missing: {_listed(missing)}")
    if unknown := [name for name in weights if name not in shapes]:
        problems.append(f"unknown: {_listed(unknown)}")
    present = {name: shape for name, shape in shapes.items() if name in weights}
    wrong = [
        f"{name} {weights[name].shape}, not {shape}"
        for name, shape in present.items()
        if weights[name].shape != shape
    ]
    if wrong:
        problems.append(f"of the wrong shape: {_listed(wrong)}")
    odd = [
        name
        for name in present
        if weights[name].dtype.kind not in "fiu"
        or not np.all(np.isfinite(weights[name]))
    ]
    if odd:
        problems.append(f"not finite numbers: {_listed(odd)}")
    if problems:
        raise PatchConvNetError(
            "these are not a PatchConvNet's weights; " + "; ".join(problems)
        )


def _listed(names, most=4):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _assign(model, weights):
    """Copy every weight to its place."""

    def copy(layer, name):
        names = [f"{name}.{part}" for part in ("weight", "bias")]
        layer.set_weights(
            [_to_keras(weights[name], layer) for name in names if name in weights]
        )

    steps = model.get_layer("stem").steps
    convolutions = [step for step in steps if isinstance(step, layers.Conv2D)]
    for index, convolution in enumerate(convolutions):
        copy(convolution, f"patch_embed.proj.{2 * index}.0")

    for index, block in enumerate(model.get_layer("trunk").blocks):
        block.scale.assign(weights[f"blocks.{index}.gamma_1"])
        copy(block.normalize, f"blocks.{index}.norm1")
        name = f"blocks.{index}.attn.qkv_pos"
        copy(block.mix_in, f"{name}.0")
        copy(block.look_around, f"{name}.2")
        copy(block.squeeze_excite.reduce, f"{name}.4.conv_reduce")
        copy(block.squeeze_excite.expand, f"{name}.4.conv_expand")
        copy(block.mix_out, f"{name}.5")

    pooling, name = model.get_layer("pooling"), "blocks_token_only.0"
    pooling.class_token.assign(weights["cls_token"])
    pooling.scale_attention.assign(weights[f"{name}.gamma_1"])
    pooling.scale_mlp.assign(weights[f"{name}.gamma_2"])
    copy(pooling.norm_tokens, f"{name}.norm1")
    copy(pooling.norm_mlp, f"{name}.norm2")
    copy(pooling.query, f"{name}.attn.q")
    copy(pooling.key, f"{name}.attn.k")
    copy(pooling.value, f"{name}.attn.v")
    copy(pooling.project, f"{name}.attn.proj")
    copy(pooling.mlp_in, f"{name}.mlp.fc1")
    copy(pooling.mlp_out, f"{name}.mlp.fc2")

    copy(model.get_layer("norm"), "norm")
    head = model.get_layer("head")
    if "head.weight" in weights:
        copy(head, "head")
    else:  # one linear layer a class: Q x (1, dim) -> (Q, dim), and Q x (1,) -> (Q,)
        for variable, part in ((head.kernel, "weight"), (head.bias, "bias")):
            rows = [weights[f"head.{index}.{part}"] for index in range(pooling.tokens)]
            variable.assign(np.concatenate(rows))


def _to_keras(weight, layer):
    """From PyTorch's layout to that of a Keras layer."""
    if weight.ndim == 1:
        return weight
    if isinstance(layer, layers.DepthwiseConv2D):
        return weight.transpose(2, 3, 0, 1)  # (C, 1, h, w) -> (h, w, C, 1)
    if isinstance(layer, layers.Conv2D):
        # (out, in, h, w) -> (h, w, in, out)
        return weight.transpose(2, 3, 1, 0)
    # a 1x1 convolution is a dense layer: (out, in[, 1, 1]) -> (in, out)
    return weight.reshape(weight.shape[:2]).T
