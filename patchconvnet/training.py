"""Training: one call, the standard `fit`, and a run folder that tells everything afterwards.

    record = train(preset="shapes", out="runs/shapes")

    recipe    what the preset sets, plus what the caller changes        written first
    fit       after each epoch: history, attention maps, checkpoint
    finish    weights, test scores; results.json                        written last

A run that was stopped goes on from its last whole epoch when the same call is made again.
"""

import difflib
import inspect
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from patchconvnet import faithfulness, records
from patchconvnet.callbacks import AttentionRecorder, Batches, Checkpoint, StopOnBadLoss
from patchconvnet.data import load_dataset
from patchconvnet.environment import device, peak_memory, versions
from patchconvnet.errors import PatchConvNetError
from patchconvnet.model import PatchConvNet, preset_config
from patchconvnet.schedule import AdamW, WarmUpCosine
from patchconvnet.scores import maps_of, score_attention, score_logits

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
    },
}


def train(preset, out, data=None, *, epochs=None, limit=None, seed=0, keep=None, model=None, verbose="auto"):
    """Train a preset and write its run folder; go on with a run that was stopped; or return a finished one.

    Sets Python's, NumPy's and the backend's global random seeds.

    Args:
        preset: "shapes" or "keras_example".
        out: folder to write; made if it is not there.
        data: name of a data set, if not the preset's own.
        epochs: number of passes over the training images, if not the preset's own.
        limit: use only this many training images.
        seed: seed of the weights, of the order of images and of their variation.
        keep: what stays in the folder: "epochs" (the weights after every epoch, too: the default for "shapes"),
            "weights" (the last ones: the default else), or "scores" (no weights and no maps).
        model: a dict of arguments of `PatchConvNet` to use instead of the preset's: {"class_tokens": "per_class"}.
        verbose: as in Keras' `fit`: 0 silent, 1 progress bar, 2 a line an epoch, "auto".

    Returns:
        A `records.Record`.

    Raises:
        PatchConvNetError: unknown preset or data set; a number out of range; a folder that holds another run or
            other files, or cannot be written; a loss that is not finite.
    """
    recipe = make_recipe(preset, data, epochs, limit, seed, keep, model)
    folder = Path(out).expanduser()
    if _has_finished(folder, recipe):
        return records.Record(folder)
    keras.utils.set_random_seed(seed)
    network = _build(recipe["model"])
    dataset = _load(recipe)
    if recipe["batch_size"] > len(dataset.x_train):
        raise PatchConvNetError(
            f"a batch has {recipe['batch_size']} images, but there are only {len(dataset.x_train)} to train on"
        )
    # Only now is the folder ours: a call that could not have trained must not stand in the way of the next one.
    records.write_json(folder / "recipe.json", recipe)
    batches = Batches(dataset.x_train, dataset.y_train, recipe["batch_size"], len(dataset.class_names), seed)
    compile_model(network, recipe, steps_per_epoch=len(batches))
    recorder = AttentionRecorder(dataset, folder, keep_epochs=recipe["keep"] == "epochs")
    checkpoint = Checkpoint(folder / "checkpoint.npz", batches)
    done = checkpoint.restore(network)
    recorder.restore(done)
    network.fit(
        batches,
        epochs=recipe["epochs"],
        initial_epoch=done,
        shuffle=False,  # `Batches` shuffles; Keras would shuffle the order of batches again, by a clock-like seed
        verbose=verbose,
        # The recorder comes first: the checkpoint's rename is what makes an epoch count as done.
        callbacks=[StopOnBadLoss(checkpoint.path), recorder, checkpoint],
    )
    return _finish(folder, recipe, network, dataset, recorder)


# === recipe ===


def make_recipe(preset, data=None, epochs=None, limit=None, seed=0, keep=None, model=None):
    """All that is set for a run, as a dict of plain values; arguments and errors as in `train`."""
    config = {**preset_config(preset), **_known_arguments(model or {})}
    if preset not in RECIPES:
        known = ", ".join(RECIPES)
        raise PatchConvNetError(f"there is no recipe to train {preset!r}: presets that have one are {known}")
    recipe = {"preset": preset, **RECIPES[preset]}
    if data is not None:
        recipe["dataset"] = data
    if recipe["dataset"] != "cifar10":
        recipe.pop("validation", None)
    if epochs is not None:
        recipe["epochs"] = _positive("epochs", epochs)
    recipe["limit"] = None if limit is None else _positive("limit", limit)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**31:
        raise PatchConvNetError(f"seed must be a whole number from 0 to {2**31 - 1}, got {seed!r}")
    recipe["seed"] = int(seed)
    recipe["keep"] = keep or ("epochs" if preset == "shapes" else "weights")
    if recipe["keep"] not in ("epochs", "weights", "scores"):
        raise PatchConvNetError(f'keep must be "epochs", "weights" or "scores", got {keep!r}')
    recipe["model"] = {**config, "num_classes": 10, "seed": int(seed)}
    return recipe


def _known_arguments(model):
    """The same dict, if every key is an argument of `PatchConvNet`."""
    known = [name for name in inspect.signature(PatchConvNet).parameters if name != "kwargs"]
    for name in model:
        if name in ("num_classes", "seed") or name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise PatchConvNetError(f"{name} is not a setting of the network that can be changed{hint}")
    return model


def _positive(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise PatchConvNetError(f"{name} must be a whole number, at least 1, got {value!r}")
    return int(value)


def _has_finished(folder, recipe):
    """Whether the run in the folder has finished; an error if the folder is not for this run."""
    if folder.exists() and not folder.is_dir():
        raise PatchConvNetError(f"{folder} is a file, not a folder: choose another place for the run")
    if (folder / "recipe.json").is_file():
        existing = records.read_json(folder / "recipe.json")
        difference = _difference(existing, recipe)
        if difference:
            raise PatchConvNetError(f"{folder} holds another run: {difference}; choose another folder")
        return (folder / "results.json").is_file()
    if folder.is_dir() and any(not item.name.startswith(".") for item in folder.iterdir()):
        raise PatchConvNetError(f"{folder} is not empty and holds no run: choose another folder")
    return False


def _difference(existing, recipe):
    """The first difference between two recipes, in words; "" if they are equal."""
    for key in [*recipe, *existing]:  # a recipe's own order: the preset first, what follows from it later
        old, new = existing.get(key), recipe.get(key)
        nested = isinstance(old, dict) and isinstance(new, dict)
        found = _difference(old, new) if nested else f"its {key} is {old!r}, not {new!r}"
        if old != new and found:
            return found
    return ""


def _build(config):
    """The network of a recipe; an error in one line if its settings do not go together."""
    if config.get("pooling") == "average":
        raise PatchConvNetError('a run records attention maps, and with pooling="average" there are none: use fit')
    try:
        return PatchConvNet(**config)
    except (TypeError, ValueError) as error:
        raise PatchConvNetError(f"the network cannot be built: {error}") from error


def _load(recipe):
    options = {"validation": recipe["validation"]} if "validation" in recipe else {}
    dataset = load_dataset(recipe["dataset"], **options)
    if recipe["limit"] is None:
        return dataset
    kept = slice(recipe["limit"])
    masks = None if dataset.mask_train is None else dataset.mask_train[kept]
    return replace(dataset, x_train=dataset.x_train[kept], y_train=dataset.y_train[kept], mask_train=masks)


def compile_model(model, recipe, steps_per_epoch):
    """Compile a `PatchConvNet` for one-hot labels as a recipe says: AdamW, warm-up and cosine, cross-entropy."""
    steps = recipe["epochs"] * steps_per_epoch
    schedule = WarmUpCosine(recipe["learning_rate"], steps, int(recipe["warmup"] * steps))
    model.compile(
        AdamW(schedule, weight_decay=recipe["weight_decay"]),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe["label_smoothing"]),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )


def _finish(folder, recipe, model, dataset, recorder):
    """Round the weights as they are kept, measure the test images with them, and write what remains."""
    weights = records.weights_of(model)
    records.set_weights(model, weights)
    if recipe["keep"] != "scores":
        records.write_arrays(folder / "weights.npz", weights)
    logits, maps = model.explain(dataset.x_test)
    results = {f"test_{name}": value for name, value in score_logits(logits, dataset.y_test).items()}
    results |= score_attention(logits, maps, dataset.mask_test)
    if dataset.mask_test is not None:
        touching = faithfulness.pointing_game(maps_of(logits.argmax(axis=1), maps), dataset.mask_test, 1e-9)
        results["attention_touching"] = float(touching.mean())
        if maps.shape[1] > 1:
            of_true_class = faithfulness.pointing_game(maps_of(dataset.y_test, maps), dataset.mask_test)
            results["attention_of_true_class_on_object"] = float(of_true_class.mean())
        results["attention_chance"] = faithfulness.chance(dataset.mask_test, maps.shape[2:])
        results["attention_best_fixed_cell"] = faithfulness.best_fixed_cell(dataset.mask_test, maps.shape[2:])
    results |= {
        "parameters": model.count_params(),
        "seconds": float(sum(recorder.history["seconds"])),
        "peak_memory_bytes": peak_memory(),
        "device": device(),
        "variant": dataset.variant,
        "class_names": list(dataset.class_names),
        "versions": versions(),
    }
    records.write_json(folder / "results.json", results)
    (folder / "checkpoint.npz").unlink(missing_ok=True)
    if recipe["keep"] == "scores":
        (folder / "attention.npz").unlink(missing_ok=True)
    return records.load(folder)
