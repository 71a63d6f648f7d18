"""Chapter 04: other widths; another block."""

import numpy as np

from patchconvnet.trunk import TrunkBlock


def use_block_parameters(block_parameters):
    return [block_parameters(channels) for channels in (8, 64, 96, 384)]


def use_looking_share(looking_share):
    return [looking_share(channels) for channels in (8, 16, 64, 384)]


def use_moving_counts(moving_counts):
    x = np.random.default_rng(401).normal(size=(4, 6, 6, 16)).astype("float32")
    counts = []
    for settings in ({"se_ratio": 4}, {"se_ratio": None, "norm": "layer"}):
        block = TrunkBlock(layer_scale=0.0, **settings)
        block.build(x.shape)
        counts.append(moving_counts(block, x))
    return counts
