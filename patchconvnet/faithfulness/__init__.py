"""How good is a map? Three ways to ask.

localization   is it on the object, whose mask we know?
               pointing_game, energy, rank_accuracy, average_precision
perturbation   does the answer change with its cells?
               deletion, insertion
activation     what would another map say?
               class_activation_maps

And `uncertainty`: how sure is a number, and a difference?
"""

from patchconvnet.faithfulness import uncertainty
from patchconvnet.faithfulness.activation import class_activation_maps
from patchconvnet.faithfulness.localization import (
    average_precision,
    best_fixed_cell,
    cell_shares,
    centre_map,
    chance,
    energy,
    energy_ratio,
    entropy,
    measure,
    pointing_game,
    random_maps,
    rank_accuracy,
)
from patchconvnet.faithfulness.perturbation import deletion, insertion

__all__ = [
    "average_precision",
    "best_fixed_cell",
    "cell_shares",
    "centre_map",
    "chance",
    "class_activation_maps",
    "deletion",
    "energy",
    "energy_ratio",
    "entropy",
    "insertion",
    "measure",
    "pointing_game",
    "random_maps",
    "rank_accuracy",
    "uncertainty",
]
