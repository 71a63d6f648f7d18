"""Attention pooling on a network that somebody else trained (chapter 16).

network = add_attention(efficientnet_lite0(), num_classes=3)
logits, maps = network.explain(images)

pooled.py               add_attention, add_average: the course's pooling on any trunk
feature_maps.py         finds the feature map in a Keras model, or says what is amiss
efficientnet_lite0.py   a small trunk with ImageNet weights
recorded.py             such a network as plain values, for a recipe
"""

from patchconvnet.any_network.efficientnet_lite0 import efficientnet_lite0
from patchconvnet.any_network.pooled import PooledNetwork, add_attention, add_average

__all__ = [
    "PooledNetwork",
    "add_attention",
    "add_average",
    "efficientnet_lite0",
]
