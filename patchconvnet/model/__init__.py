"""PatchConvNet: stem, trunk, pooling, head.

image (N, 32, 32, 3)
  -> preprocessing   resize, vary (in training), scale
  -> stem            patches (N, 8, 8, dim)
  -> trunk           patches (N, 8, 8, dim), each now knows its surroundings
  -> pooling         class token (N, 1, dim), and the attention map (N, 1, 8, 8)
  -> norm, head      logits (N, classes)

network.py   all of it, as a `keras.Model`
head.py      what follows the trunk
config.py    its arguments: defaults, and what each may be
presets.py   the course's networks and the paper's, as such arguments
weights.py   its weights, as arrays and back
"""

from patchconvnet.model.config import NetworkConfig
from patchconvnet.model.network import PatchConvNet
from patchconvnet.model.presets import PAPER, PRESETS, preset_config
from patchconvnet.model.weights import set_weights, weights_of

__all__ = [
    "NetworkConfig",
    "PAPER",
    "PRESETS",
    "PatchConvNet",
    "preset_config",
    "set_weights",
    "weights_of",
]
