"""Recipes: all that a training is made of, as a dict of plain values.

    RECIPES        what each preset sets
    make_recipe    the same, with what the caller changes, every value checked
    data_options   how its data set is loaded
    difference     what sets two recipes apart, in words
"""

import difflib
import inspect

import numpy as np

from patchconvnet.data import number_of_classes
from patchconvnet.errors import PatchConvNetError
from patchconvnet.model import PatchConvNet, preset_config

# warmup: share of all steps. weight_averaging: momentum of the running mean of the weights, a step; 0 for none.
# validation: how many of the training images are set apart. precision: "auto" is what the machine computes fastest.
RECIPES = {
    "shapes": {
        "dataset": "shapes",
        "epochs": 8,
        "batch_size": 32,
        "learning_rate": 2.5e-3,
        "warmup": 0.15,
        "weight_decay": 0.05,
        "label_smoothing": 0.0,
    },
    "keras_example": {
        "dataset": "cifar10",
        "validation": 10_000,
        "epochs": 50,
        "batch_size": 128,
        "learning_rate": 1e-3,
        "warmup": 0.15,
        "weight_decay": 0.1,
        "label_smoothing": 0.0,
        "precision": "auto",
    },
    "cifar10": {
        "dataset": "cifar10",
        "validation": 0,
        "epochs": 50,
        "batch_size": 512,
        "learning_rate": 2e-3,
        "warmup": 0.1,
        "weight_decay": 0.05,
        "label_smoothing": 0.1,
        "weight_averaging": 0.99,
        "precision": "auto",
    },
    "cifar10_cpu": {
        "dataset": "cifar10",
        "validation": 5_000,
        "epochs": 20,
        "batch_size": 128,
        "learning_rate": 2e-3,
        "warmup": 0.15,
        "weight_decay": 0.05,
        "label_smoothing": 0.1,
        "precision": "auto",
    },
}
# shuffled_labels (off in all presets): the labels of the training images change places, so that there is nothing to
# learn but the images themselves: a control (Zhang et al., 2017).
PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")

# What may be set of each number of a recipe: its type, the range, and the range in words.
_NUMBERS = {
    "validation": (int, lambda value: 0 <= value < 50_000, "a whole number from 0 to 49999"),
    "batch_size": (int, lambda value: value >= 1, "a whole number, at least 1"),
    "learning_rate": (float, lambda value: 0 < value < np.inf, "a positive number"),
    "warmup": (float, lambda value: 0 <= value < 1, "a number, at least 0 and below 1"),
    "weight_decay": (float, lambda value: 0 <= value < np.inf, "a number, at least 0"),
    "label_smoothing": (float, lambda value: 0 <= value < 1, "a number, at least 0 and below 1"),
    "weight_averaging": (float, lambda value: 0 <= value < 1, "a number, at least 0 and below 1"),
}


def make_recipe(preset, data=None, epochs=None, limit=None, seed=0, keep=None, settings=None):
    """All that is set for a run, as a dict of plain values; arguments and errors as in `train`."""
    config = preset_config(preset)
    if preset not in RECIPES:
        known = ", ".join(RECIPES)
        raise PatchConvNetError(f"there is no recipe to train {preset!r}: presets that have one are {known}")
    recipe = {"preset": preset, **RECIPES[preset]}
    if data is not None:
        recipe["dataset"] = str(data)
    if recipe["dataset"] != "cifar10":
        recipe.pop("validation", None)
    if epochs is not None:
        recipe["epochs"] = _positive("epochs", epochs)
    for name, value in (settings or {}).items():
        if name in _NUMBERS or name in ("precision", "shuffled_labels"):
            recipe[name] = _checked(name, value, recipe)
        else:
            config[_known(name)] = value
    recipe["limit"] = None if limit is None else _positive("limit", limit)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**31:
        raise PatchConvNetError(f"seed must be a whole number from 0 to {2**31 - 1}, got {seed!r}")
    recipe["seed"] = int(seed)
    recipe["keep"] = keep or ("epochs" if preset == "shapes" else "weights")
    if recipe["keep"] not in ("epochs", "weights", "scores"):
        raise PatchConvNetError(f'keep must be "epochs", "weights" or "scores", got {keep!r}')
    config |= {"num_classes": number_of_classes(recipe["dataset"]), "seed": int(seed)}
    # As JSON gives it back: tuples become lists.
    recipe["model"] = {name: list(value) if isinstance(value, tuple) else value for name, value in config.items()}
    return recipe


def data_options(recipe):
    """Options with which a recipe's data set is loaded: a dict for `load_dataset`."""
    if recipe["dataset"] in ("shapes", "cifar10"):
        return {"validation": recipe["validation"]} if "validation" in recipe else {}
    return {"size": recipe["model"]["image_size"]}  # your own pictures, as finely as the network sees them


def _checked(name, value, recipe):
    """The value of a setting of the training, if it is one."""
    if name == "precision":
        if value not in PRECISIONS:
            raise PatchConvNetError(f"precision must be one of {', '.join(PRECISIONS)}, got {value!r}")
        return value
    if name == "shuffled_labels":
        if not isinstance(value, bool):
            raise PatchConvNetError(f"shuffled_labels must be True or False, got {value!r}")
        return value
    if name == "validation" and recipe["dataset"] != "cifar10":
        raise PatchConvNetError(f"validation can be set for cifar10 only: {recipe['dataset']} has its own images for it")
    kind, accepts, words = _NUMBERS[name]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and kind(value) == value
    if not (is_number and accepts(value)):
        raise PatchConvNetError(f"{name} must be {words}, got {value!r}")
    return kind(value)


def _known(name):
    """The same name, if it is an argument of `PatchConvNet` that a run may change."""
    own = ("num_classes", "seed", "kwargs")  # the data set's, and an argument of `train`
    known = [*_NUMBERS, "precision", "shuffled_labels", *(name for name in inspect.signature(PatchConvNet).parameters if name not in own)]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise PatchConvNetError(f"{name} is not a setting of the network or its training that can be changed{hint}")
    return name


def _positive(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise PatchConvNetError(f"{name} must be a whole number, at least 1, got {value!r}")
    return int(value)


def difference(existing, recipe):
    """The first difference between two recipes, in words; "" if they are equal."""
    for key in [*recipe, *existing]:  # a recipe's own order: the preset first, what follows from it later
        old, new = existing.get(key), recipe.get(key)
        nested = isinstance(old, dict) and isinstance(new, dict)
        found = difference(old, new) if nested else f"its {key} is {old!r}, not {new!r}"
        if old != new and found:
            return found
    return ""
