"""The authors' networks, exactly: their names, their weights, their cost.

    official.convert(state_dict)      # a PatchConvNet with the same outputs
    official.load("s60_224_1k.pth")   # from a file of the authors (needs PyTorch)
    official.cost("s60")              # parameters and multiply-adds
    official.reference()              # what the authors' own code computed

What is called what in the authors' code, and here (patchconvnet_models.py in
https://github.com/facebookresearch/deit):

    patch_embed.proj                 stem
    blocks.i.attn.qkv_pos.0, 2, 5    block i: mix_in, look_around, mix_out
    blocks.i.attn.qkv_pos.4          block i: squeeze_excite
    blocks_token_only.0              pooling
    cls_token                        pooling.class_token
    gamma_1, gamma_2                 layer scales
    norm, head                       norm, head
"""

from patchconvnet.official.shapes import STRIDE, cost, weight_shapes
from patchconvnet.official.weights import _to_keras, convert, load, reference

__all__ = [
    "STRIDE",
    "_to_keras",  # chapter 13 shows it
    "convert",
    "cost",
    "load",
    "reference",
    "weight_shapes",
]
