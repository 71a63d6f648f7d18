"""The authors' names: every weight's shape, and what a network of them costs."""

import math
import re

from patchconvnet.errors import PatchConvNetError
from patchconvnet.model import PAPER, preset_config

STRIDE = 16  # the paper's stem halves the grid four times


def weight_shapes(dim, depth, num_classes, per_class=False):
    """The weights of a network of the paper's form, under the authors' names.

    Args:
        dim: channels of a patch, divisible by 8.
        depth: number of trunk blocks.
        num_classes: number of classes.
        per_class: whether there is one class token for each class (paper, section 3.3)
            or one for all.

    Returns:
        A dict of name to shape, in PyTorch's layouts: convolutions (out, in, height,
        width), linear layers (out, in).
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


def cost(preset, image_size=224):
    """What one of the paper's networks costs, from shapes alone: no weight is made.

    Args:
        preset: "s60", "s120", "b60", "b120", "l60", "l120" or "s60_multi".
        image_size: side of a square image in pixels, divisible by 16.

    Returns:
        parameters: how many numbers are learned.
        multiply_adds: how many products are summed to classify one image, in
            convolutions, dense layers and attention. Normalizations, GELUs and other
            work on single elements are not counted, as is usual.

    Raises:
        PatchConvNetError: for another preset, or another image size.
    """
    config = _paper_config(preset)
    if not isinstance(image_size, int) or image_size < STRIDE or image_size % STRIDE:
        raise PatchConvNetError(
            f"image_size must be a multiple of {STRIDE}, got {image_size!r}"
        )
    per_class = config.get("class_tokens") == "per_class"
    dim, num_classes = config["dim"], config["num_classes"]
    tokens = num_classes if per_class else 1
    patches = (image_size // STRIDE) ** 2
    sources = patches if per_class else 1 + patches  # a single token attends to itself

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

    parameters, multiply_adds = 0, 0
    shapes = weight_shapes(dim, config["depth"], num_classes, per_class)
    for name, shape in shapes.items():
        parameters += math.prod(shape)
        if len(shape) > 1 and name != "cls_token":
            multiply_adds += math.prod(shape) * places(name)
    # query times keys, weights times values
    return parameters, multiply_adds + 2 * tokens * sources * dim


def _paper_config(preset):
    """The preset's settings; an error unless it has the form of the paper's."""
    config = preset_config(preset)
    own = ("num_classes", "image_size", "layer_scale")
    form = {name: value for name, value in PAPER.items() if name not in own}
    if any(config.get(name) != value for name, value in form.items()):
        raise PatchConvNetError(
            f"{preset!r} is not one of the paper's networks: use model.count_params()"
        )
    return config
