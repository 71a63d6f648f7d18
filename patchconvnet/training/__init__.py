"""Training, and what a run is scored by.

running.py        train: one call, from a recipe to a run folder
recipes.py        what each preset sets
batches.py        the order of pictures
mixing.py         CutMix: a piece of another picture
on_features.py    a data set as a frozen trunk sees it
callbacks.py      the recorder of maps, checkpoints
scores.py         how good a network is
evaluation.py     measures a record again
compilations.py   what JAX compiles, kept for the next run
devices.py        several devices at once
machine.py        what this machine is, and its best precision
"""

from patchconvnet.training.callbacks import AttentionRecorder
from patchconvnet.training.recipes import RECIPES, make_recipe
from patchconvnet.training.running import compile_model, train

__all__ = ["AttentionRecorder", "RECIPES", "compile_model", "make_recipe", "train"]
