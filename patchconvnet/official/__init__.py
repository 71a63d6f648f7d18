"""The authors' networks, exactly: their names, their weights, their cost.

    model = official.convert(state_dict)      weights under the authors' names -> a PatchConvNet with the same outputs
    model = official.load("s60_224_1k.pth")   the same, from a file that the authors published (needs PyTorch)

What is called what (the authors' code,
https://github.com/facebookresearch/deit, patchconvnet_models.py):

    patch_embed.proj        stem                       blocks.i.attn.qkv_pos.0, 2, 5   block i: mix_in, look_around, mix_out
    cls_token               pooling.class_token        blocks.i.attn.qkv_pos.4         block i: squeeze_excite
    blocks_token_only.0     pooling                    gamma_1, gamma_2                layer scales
    norm, head              norm, head
"""

import argparse
import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from keras import layers

from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import read_arrays
from patchconvnet.model import PAPER, PatchConvNet, preset_config

STRIDE = 16  # the paper's stem halves the grid four times


def weight_shapes(dim, depth, num_classes, per_class=False):
    """The weights of a network of the paper's form, under the authors' names.

    Args:
        dim: channels of a patch, divisible by 8.
        depth: number of trunk blocks.
        num_classes: number of classes.
        per_class: whether there is one class token for each class (paper,
            section 3.3) or one for all.

    Returns:
        A dict of name to shape, in PyTorch's layouts: convolutions (out, in,
        height, width), linear layers (out, in).
    """

    def with_bias(name, *shape):
        return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}

    shapes = {"cls_token": (1, num_classes if per_class else 1, dim)}
    channels = [3, dim // 8, dim // 4, dim // 2, dim]
    for index, (before, after) in enumerate(zip(channels, channels[1:])):
        # between them: GELUs
        shapes[f"patch_embed.proj.{2 * index}.0.weight"] = (after, before, 3, 3)
    for index in range(depth):
        block, narrow = f"blocks.{index}", dim // 4
        shapes[f"{block}.gamma_1"] = (dim,)
        shapes |= with_bias(f"{block}.norm1", dim)
        shapes |= with_bias(f"{block}.attn.qkv_pos.0", dim, dim, 1, 1)
        shapes |= with_bias(f"{block}.attn.qkv_pos.2", dim, 1, 3, 3)
        shapes |= with_bias(f"{block}.attn.qkv_pos.4.conv_reduce", narrow, dim, 1, 1)
        shapes |= with_bias(f"{block}.attn.qkv_pos.4.conv_expand", dim, narrow, 1, 1)
        shapes |= with_bias(f"{block}.attn.qkv_pos.5", dim, dim, 1, 1)
    pooling = "blocks_token_only.0"
    shapes |= {f"{pooling}.gamma_1": (dim,), f"{pooling}.gamma_2": (dim,)}
    shapes |= with_bias(f"{pooling}.norm1", dim)
    for name in ("q", "k", "v", "proj"):
        shapes |= with_bias(f"{pooling}.attn.{name}", dim, dim)
    shapes |= with_bias(f"{pooling}.norm2", dim)
    shapes |= with_bias(f"{pooling}.mlp.fc1", 3 * dim, dim)
    shapes |= with_bias(f"{pooling}.mlp.fc2", dim, 3 * dim)
    shapes |= with_bias("norm", dim)
    if per_class:
        for index in range(num_classes):
            shapes |= with_bias(f"head.{index}", 1, dim)
    else:
        shapes |= with_bias("head", num_classes, dim)
    return shapes


# === cost ===


def cost(preset, image_size=224):
    """What one of the paper's networks costs, worked out from shapes alone: no
    weight is made.

    Args:
        preset: "s60", "s120", "b60", "b120", "l60", "l120" or "s60_multi".
        image_size: side of a square image in pixels, divisible by 16.

    Returns:
        parameters: how many numbers are learned.
        multiply_adds: how many products are summed to classify one image, in
            convolutions, dense layers and attention. Normalizations, GELUs and
            other work on single elements are not counted, as is usual.

    Raises:
        PatchConvNetError: for another preset, or another image size.
    """
    config = preset_config(preset)
    form = {
        name: value
        for name, value in PAPER.items()
        if name not in ("num_classes", "image_size", "layer_scale")
    }
    if any(config.get(name) != value for name, value in form.items()):
        raise PatchConvNetError(
            f"{preset!r} is not one of the paper's networks: use model.count_params()"
        )
    if not isinstance(image_size, int) or image_size < STRIDE or image_size % STRIDE:
        raise PatchConvNetError(
            f"image_size must be a multiple of {STRIDE}, got {image_size!r}"
        )
    per_class = config.get("class_tokens") == "per_class"
    dim, num_classes = config["dim"], config["num_classes"]
    shapes = weight_shapes(dim, config["depth"], num_classes, per_class)
    tokens = num_classes if per_class else 1
    patches = (image_size // STRIDE) ** 2
    # a single token has a key and a value, too
    sources = patches if per_class else 1 + patches

    def places(name):
        """At how many places a kernel is applied."""
        if name.startswith("patch_embed.proj."):
            halvings = int(name.split(".")[2]) // 2 + 1
            return (image_size // 2**halvings) ** 2
        if name.startswith("blocks."):
            # squeeze-and-excitation works on one mean an image
            return 1 if ".qkv_pos.4." in name else patches
        if name.startswith("blocks_token_only."):
            return sources if re.search(r"attn\.[kv]\.", name) else tokens
        return 1  # the head

    kernels = {
        name: shape
        for name, shape in shapes.items()
        if len(shape) > 1 and name != "cls_token"
    }
    multiply_adds = sum(
        math.prod(shape) * places(name) for name, shape in kernels.items()
    )
    # query times keys, weights times values
    multiply_adds += 2 * tokens * sources * dim
    return sum(math.prod(shape) for shape in shapes.values()), multiply_adds


# === weights ===


def convert(state_dict, preprocessing=None, image_size=224):
    """Build the network that a set of the authors' weights belongs to, and
    give it those weights.

    Width, depth, number of classes, and whether there is one class token or
    one a class, follow from the arrays.

    Args:
        state_dict: a mapping of the authors' names to arrays in PyTorch's
            layouts (see `weight_shapes`).
        preprocessing: None: the network takes what the authors' takes, images
            of any size that are already normalized. "imagenet": it takes
            0..255 images, resizes them to `image_size`, and normalizes them
            itself.
        image_size: side in pixels to which images are resized; without
            preprocessing, they are not.

    Returns:
        A `PatchConvNet`: float32 (N, H, W, 3), channels last, to logits (N,
        num_classes).

    Raises:
        PatchConvNetError: names the weights that are missing, unknown, of
            another shape, or not finite.
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
        "preprocessing": preprocessing,
        "image_size": image_size,
        "dim": dim,
        "depth": depth,
    }
    class_tokens = "per_class" if per_class else "single"
    model = PatchConvNet(
        **{**config, "num_classes": num_classes, "class_tokens": class_tokens}
    )
    _assign(model, weights)
    return model


def load(path, preprocessing=None, image_size=224):
    """Read a `.pth` file of the authors (or of their training code) and build
    its network: see `convert`.

    Args:
        path: the file: a state dict, or a dict that has it under "model".
        preprocessing, image_size: see `convert`.

    Raises:
        PatchConvNetError: if PyTorch is not installed, or the file is missing,
            broken, or of another network.
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
        # Weights only: a pickle could run any code. The authors' own training
        # adds its options, a Namespace.
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
    return convert(
        {name: value.float().numpy() for name, value in content.items()},
        preprocessing,
        image_size,
    )


def reference(name="single"):
    """What the authors' own code computed, to hold a network against.

    Args:
        name: "single" (one class token) or "multi" (one for each of ten
            classes).

    Returns:
        A dict: "weights", a dict of the authors' names to random arrays;
        "images", float32 (2, 64, 64, 3), normalized; "logits", float32 (2,
        10); "attention", float32 (2, Q, 4, 4); "steps", a dict of what was
        computed on the way, in the authors' order of axes. How it was made is
        told in patchconvnet/reference/README.md.

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
    blocks = {
        int(match[1])
        for match in (re.match(r"blocks\.(\d+)\.", name) for name in weights)
        if match
    }
    depth = 1 + max(blocks, default=0)
    # a number in a name must not decide how much is built
    if depth > len(weights):
        raise PatchConvNetError(
            f"there is a weight of block {depth - 1}, but only {len(weights)} weights"
        )
    if "head.weight" in weights:
        head = weights["head.weight"]
        return dim, depth, len(head) if head.ndim else 1, False
    if token.shape[1] == 1 and "head.0.weight" in weights:
        # The authors' token of a single class does not attend to itself; ours,
        # like every single token, does.
        raise PatchConvNetError(
            "weights with one token a class need at least 2 classes, got 1"
        )
    return dim, depth, token.shape[1], True


def _check(weights, shapes):
    """Every weight is there, no other is, and each has its shape."""
    problems = []
    missing = [name for name in shapes if name not in weights]
    unknown = [name for name in weights if name not in shapes]
    if missing:
        problems.append(f"missing: {_listed(missing)}")
    if unknown:
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

    convolutions = [
        step
        for step in model.get_layer("stem").steps
        if isinstance(step, layers.Conv2D)
    ]
    for index, convolution in enumerate(convolutions):
        copy(convolution, f"patch_embed.proj.{2 * index}.0")
    for index, block in enumerate(model.get_layer("trunk").blocks):
        block.scale.assign(weights[f"blocks.{index}.gamma_1"])
        copy(block.normalize, f"blocks.{index}.norm1")
        inside = [
            block.mix_in,
            block.look_around,
            block.squeeze_excite.reduce,
            block.squeeze_excite.expand,
        ]
        for layer, name in zip(
            [*inside, block.mix_out], ["0", "2", "4.conv_reduce", "4.conv_expand", "5"]
        ):
            copy(layer, f"blocks.{index}.attn.qkv_pos.{name}")
    pooling, name = model.get_layer("pooling"), "blocks_token_only.0"
    pooling.class_token.assign(weights["cls_token"])
    pooling.scale_attention.assign(weights[f"{name}.gamma_1"])
    pooling.scale_mlp.assign(weights[f"{name}.gamma_2"])
    copy(pooling.norm_tokens, f"{name}.norm1")
    copy(pooling.norm_mlp, f"{name}.norm2")
    for layer, part in zip(
        [pooling.query, pooling.key, pooling.value, pooling.project],
        ["q", "k", "v", "proj"],
    ):
        copy(layer, f"{name}.attn.{part}")
    copy(pooling.mlp_in, f"{name}.mlp.fc1")
    copy(pooling.mlp_out, f"{name}.mlp.fc2")
    copy(model.get_layer("norm"), "norm")
    head = model.get_layer("head")
    if "head.weight" in weights:
        copy(head, "head")
    else:  # one linear layer a class
        heads = [f"head.{index}" for index in range(pooling.tokens)]
        # Q x (1, dim) -> (Q, dim)
        head.kernel.assign(
            np.concatenate([weights[f"{name}.weight"] for name in heads])
        )
        # Q x (1,) -> (Q,)
        head.bias.assign(np.concatenate([weights[f"{name}.bias"] for name in heads]))


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
