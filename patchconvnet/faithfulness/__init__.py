"""How good is a map? Ways to ask.

localization   is it on the object, whose mask we know?
               pointing_game, energy, rank_accuracy, average_precision
perturbation   does the answer change with its cells?
               deletion, insertion
activation     what would another network's map say?
               class_activation_maps
rivals         what would another map of the same network say?
               grad_cam, gradient_times_attention, gradient_times_input, occlusion
other_weights  is the map the only one with these answers?
               other_weights
without_network  and one that asks no network?
               centre_map, random_maps, contrast_maps

And `uncertainty`: how sure is a number, and a difference?
"""

from patchconvnet.faithfulness import uncertainty
from patchconvnet.faithfulness.activation import class_activation_maps
from patchconvnet.faithfulness.localization import (
    average_precision,
    best_fixed_cell,
    cell_shares,
    chance,
    energy,
    energy_ratio,
    entropy,
    measure,
    pointing_game,
    rank_accuracy,
)
from patchconvnet.faithfulness.other_weights import other_weights
from patchconvnet.faithfulness.perturbation import deletion, insertion
from patchconvnet.faithfulness.rivals import (
    grad_cam,
    gradient_times_attention,
    gradient_times_input,
    occlusion,
)
from patchconvnet.faithfulness.without_network import (
    centre_map,
    contrast_maps,
    random_maps,
)

__all__ = [
    "average_precision",
    "best_fixed_cell",
    "cell_shares",
    "centre_map",
    "chance",
    "class_activation_maps",
    "contrast_maps",
    "deletion",
    "energy",
    "energy_ratio",
    "entropy",
    "grad_cam",
    "gradient_times_attention",
    "gradient_times_input",
    "insertion",
    "measure",
    "occlusion",
    "other_weights",
    "pointing_game",
    "random_maps",
    "rank_accuracy",
    "uncertainty",
]
