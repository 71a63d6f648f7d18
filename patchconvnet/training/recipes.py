"""Recipes: all that a training is made of, as a dict of plain values.

RECIPES        what each preset sets
make_recipe    the same, with what the caller changes, every value checked
data_options   how its data set is loaded
difference     what sets two recipes apart, in words
"""

import difflib

from patchconvnet.any_network import recorded
from patchconvnet.data import number_of_classes, pets, whole_name
from patchconvnet.errors import (
    SHARE,
    YES_OR_NO,
    PatchConvNetError,
    none_or,
    number,
    one_of,
    plain,
    whole,
)
from patchconvnet.model import NetworkConfig, preset_config

# warmup: share of all steps. weight_averaging: momentum of the running mean of the
# weights, a step; 0 for none. cutmix: share of the batches that are mixed. validation:
# how many of the training images are set apart. precision: "auto" is what the machine
# computes fastest.
RECIPES = {
    "shapes": {
        "dataset": "shapes",
        "epochs": 11,
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
        "epochs": 150,
        "batch_size": 512,
        "learning_rate": 2e-3,
        "warmup": 0.1,
        "weight_decay": 0.05,
        "label_smoothing": 0.1,
        "weight_averaging": 0.99,
        "cutmix": 0.5,
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
    # on features of a frozen trunk, of each photograph and its mirror image
    "pets": {
        "dataset": "pets",
        "validation": 0,
        "epochs": 30,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "warmup": 0.1,
        "weight_decay": 0.05,
        "label_smoothing": 0.0,
    },
}
# What may be set of a training, and how. With shuffled_labels (off in all presets) the
# labels of the training images change places, so that there is nothing to learn but the
# images themselves: a control (Zhang et al., 2017).
SET_APART = {"cifar10": whole(0, 49_999), "pets": whole(0, pets.MOST_VALIDATION)}
SETTINGS = {
    "validation": SET_APART["cifar10"],
    "batch_size": whole(1, 100_000),
    "learning_rate": number(0, 100, "a number above 0, at most 100", above=True),
    "warmup": SHARE,
    "weight_decay": number(0, 100, "a number from 0 to 100"),
    "label_smoothing": SHARE,
    "weight_averaging": SHARE,
    "cutmix": number(0, 1, "a number from 0 to 1"),  # 1: every batch
    "precision": one_of("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    "shuffled_labels": YES_OR_NO,
}
OF_IMAGES = ("cutmix", "precision")
EPOCHS, LIMIT, SEED = whole(1, 100_000), whole(1, 1_000_000_000), whole(0, 2**31 - 1)
KEEP = one_of("epochs", "weights", "maps", "scores")


def make_recipe(
    preset, data=None, epochs=None, limit=None, seed=0, keep=None, settings=None
):
    """All that is set for a run, as a dict of plain values.

    Arguments and errors are as in `train`.
    """
    pooled = preset in recorded.PRESETS
    config = dict(recorded.PRESETS[preset]) if pooled else preset_config(preset)
    epochs, limit, seed = map(plain, (epochs, limit, seed))
    if preset not in RECIPES:
        known = ", ".join(RECIPES)
        raise PatchConvNetError(
            f"there is no recipe to train {preset!r}: presets that have one are {known}"
        )
    recipe = {"preset": preset, **RECIPES[preset]}
    if data is not None:
        recipe["dataset"] = whole_name(data)
    # what is set apart of one data set says nothing of another
    if recipe["dataset"] != RECIPES[preset]["dataset"]:
        recipe.pop("validation", None)
    if epochs is not None:
        EPOCHS.check("epochs", epochs)
        recipe["epochs"] = epochs
    for name, value in (settings or {}).items():
        value = plain(value)
        if name in SETTINGS:
            recipe[name] = _checked(name, value, recipe)
        else:
            config[_known(name, pooled)] = value
    none_or(LIMIT).check("limit", limit)
    SEED.check("seed", seed)
    if keep is None:
        keep = "epochs" if preset == "shapes" else "weights"
    KEEP.check("keep", keep)
    recipe |= {"limit": limit, "seed": seed, "keep": keep}
    config |= {"num_classes": number_of_classes(recipe["dataset"])}
    config = recorded.model_of(config) if pooled else config | {"seed": seed}
    # As JSON gives it back: tuples become lists.
    recipe["model"] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in config.items()
    }
    return recipe


def data_options(recipe):
    """Options with which a recipe's data set is loaded: a dict for `load_dataset`."""
    if recipe["dataset"] in ("shapes", *SET_APART):
        return {"validation": recipe["validation"]} if "validation" in recipe else {}
    # your own pictures, as finely as the network sees them
    return {"size": recipe["model"]["image_size"]}


def _checked(name, value, recipe):
    """The value of a setting, if it may be so; whole numbers as floats where due."""
    if name in OF_IMAGES and recipe["preset"] in recorded.PRESETS:
        raise PatchConvNetError(
            f"{name} cannot be set for {recipe['preset']}, which trains in float32 on"
            " what a frozen trunk made of the images"
        )
    rule = SETTINGS[name]
    if name == "validation":
        if recipe["dataset"] not in SET_APART:
            raise PatchConvNetError(
                f"validation can be set for {' and '.join(SET_APART)} only:"
                f" {recipe['dataset']} has its own images for it"
            )
        rule = SET_APART[recipe["dataset"]]
    rule.check(name, value)
    if name in ("validation", "batch_size") or isinstance(value, (bool, str)):
        return value
    return float(value)


def _known(name, pooled):
    """The same name, if it is one of the network's that a run may change."""
    names = (recorded.PooledConfig if pooled else NetworkConfig).names()
    # the data set's, and an argument of `train`; there is one trunk
    own = ("num_classes", "seed", "trunk")
    known = [*SETTINGS, *(name for name in names if name not in own)]
    if name in ("data", "epochs", "limit", "seed", "keep", "devices"):
        raise PatchConvNetError(
            f"{name} is not a setting of the network or its training, but an argument"
            f" of its own: --{name}"
        )
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise PatchConvNetError(
            f"{name} is not a setting of the network or its training that can be"
            f" changed{hint}"
        )
    return name


def difference(existing, recipe):
    """The first difference between two recipes, in words; "" if they are equal."""
    # a recipe's own order: the preset first, what follows from it later
    for key in [*recipe, *existing]:
        old, new = existing.get(key), recipe.get(key)
        nested = isinstance(old, dict) and isinstance(new, dict)
        found = difference(old, new) if nested else f"its {key} is {old!r}, not {new!r}"
        if old != new and found:
            return found
    return ""
