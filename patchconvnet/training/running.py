"""Training: one call, the standard `fit`, and a run folder that tells everything.

    record = train(preset="shapes", out="runs/shapes")

    recipe    written first: what the preset sets, plus what the caller changes
    fit       after each epoch: history, attention maps, checkpoint
    finish    written last: weights, test scores; results.json

A run that was stopped goes on from its last whole epoch when the same call is made
again.
"""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from patchconvnet import records
from patchconvnet.any_network import recorded
from patchconvnet.data import load_dataset
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import held, place
from patchconvnet.inference import familiarity
from patchconvnet.model import PatchConvNet
from patchconvnet.schedule import AdamW, WarmUpCosine
from patchconvnet.training import on_features
from patchconvnet.training.averaging import keeps_average, measure_statistics
from patchconvnet.training.batches import Batches
from patchconvnet.training.callbacks import (
    PROBES,
    AttentionRecorder,
    Checkpoint,
    StopOnBadLoss,
)
from patchconvnet.training.compilations import kept_compilations
from patchconvnet.training.devices import check_shares, spread
from patchconvnet.training.machine import (
    best_precision,
    device,
    peak_device_memory,
    peak_memory,
    versions,
)
from patchconvnet.training.recipes import RECIPES, data_options, difference, make_recipe
from patchconvnet.training.scores import score_test

__all__ = ["RECIPES", "compile_model", "make_recipe", "train"]


def train(
    preset,
    out,
    data=None,
    *,
    epochs=None,
    limit=None,
    seed=0,
    keep=None,
    settings=None,
    devices=None,
    verbose="auto",
):
    """Train a preset and write its run folder, or go on with a run that was stopped.

    A run that has finished is only read. Sets Python's, NumPy's and the backend's
    global random seeds. On JAX, keeps what is compiled: see `kept_compilations`.

    Args:
        preset: "shapes", "keras_example", "cifar10", "cifar10_cpu" or "pets".
        out: folder to write; made if it is not there.
        data: a data set, if not the preset's own (see `load_dataset`).
        epochs: number of passes over the training images, if not the preset's own.
        limit: use only this many training images.
        seed: seed of the weights, of the order of images and of their variation.
        keep: what stays in the folder: "epochs" (the weights after every epoch, too:
            the default for "shapes"), "weights" (the last ones: the default else),
            "maps" (no weights), or "scores" (neither).
        settings: what to set instead of the preset's, a dict: numbers of its recipe
            ("learning_rate"), its "precision", arguments of `PatchConvNet`.
        devices: None for one, "all", or how many to spread each batch over.
        verbose: as in `fit`: 0 silent, 1 progress bar, 2 a line an epoch, "auto".

    Returns:
        A `records.Record`.

    Raises:
        PatchConvNetError: unknown preset, data set or setting; a number out of range; a
            folder that holds another run or other files, or cannot be written; no such
            devices; a loss that is not finite.
    """
    recipe = make_recipe(preset, data, epochs, limit, seed, keep, settings)
    folder = place(out)
    _check_outside(folder, recipe["dataset"])
    if has_finished(folder, recipe):
        return records.Record(folder)
    if recipe.get("precision") == "auto":
        recipe["precision"] = best_precision()
    keras.utils.set_random_seed(seed)
    with kept_compilations(), spread(devices) as count:
        network, trunk = _build(recipe), on_features.recipe_trunk(recipe["model"])
        dataset = _load(recipe)
        _check_batches(dataset, recipe["batch_size"], count)
        # Only now is the folder ours: a call that could not have trained must not stand
        # in the way of the next one.
        with held(folder):
            if has_finished(folder, recipe):  # another process was faster
                return records.Record(folder)
            dataset = on_features.see(trunk, dataset, verbose)
            return _run(folder, recipe, network, dataset, count, verbose)


def _check_outside(folder, data):
    if Path(data) in folder.resolve().parents:
        raise PatchConvNetError(
            f"{folder} lies in the data, {data}, where it would count as a class:"
            " choose another place"
        )


def _check_batches(dataset, size, devices):
    images = len(dataset.x_train)
    if size > images:
        raise PatchConvNetError(
            f"a batch has {size} images, but there are only {images} to train on:"
            " choose a smaller batch_size (--set batch_size=...)"
        )
    sizes = {
        "training": (images, size),
        "probe": (PROBES, 128),
        "validation": (len(dataset.x_val), 128),
        "test": (len(dataset.x_test), 128),
    }
    check_shares(devices, sizes)


def _run(folder, recipe, network, dataset, devices, verbose):
    """Train from wherever the folder says that training stands, to the end."""
    # by a process that was killed while it wrote: the folder is ours alone
    for left in folder.glob(".*.partial*"):
        left.unlink(missing_ok=True)
    records.write_json(folder / "recipe.json", recipe)
    batches = Batches(
        *on_features.images_and_labels(dataset),
        recipe["batch_size"],
        len(dataset.class_names),
        recipe["seed"],
        recipe.get("cutmix", 0.0),
    )
    compile_model(network, recipe, steps_per_epoch=len(batches))
    keeps_epochs = recipe["keep"] == "epochs"
    recorder = AttentionRecorder(dataset, folder, keep_epochs=keeps_epochs)
    path = folder / "checkpoint.npz"
    checkpoint = Checkpoint(path, batches, recorder, dataset.variant)
    network.fit(
        batches,
        epochs=recipe["epochs"],
        initial_epoch=checkpoint.restore(network, recipe["epochs"]),
        # `Batches` shuffles; Keras would shuffle the order of batches again, by a
        # clock-like seed
        shuffle=False,
        verbose=verbose,
        # The recorder comes first: the checkpoint's rename is what makes an epoch count
        # as done.
        callbacks=[StopOnBadLoss(path), recorder, checkpoint],
    )
    if keeps_average(network):  # `fit` ends with the mean in place
        measure_statistics(network, dataset.x_train)
    return _finish(folder, recipe, network, dataset, recorder, devices)


def has_finished(folder, recipe):
    """Whether the run in the folder has finished; an error if it is another run."""
    if folder.exists() and not folder.is_dir():
        raise PatchConvNetError(
            f"{folder} is a file, not a folder: choose another place for the run"
        )
    if (folder / "recipe.json").is_file():
        existing = records.read_json(folder / "recipe.json")
        # a run goes on as it began, on whatever machine
        if recipe.get("precision") == "auto":
            recipe["precision"] = existing.get("precision", "auto")
        found = difference(existing, recipe)
        if found:
            raise PatchConvNetError(
                f"{folder} holds another run: {found}; choose another folder"
            )
        return (folder / "results.json").is_file()
    inside = folder.iterdir() if folder.is_dir() else ()
    if any(not item.name.startswith(".") for item in inside):
        raise PatchConvNetError(
            f"{folder} is not empty and holds no run: choose another folder"
        )
    return False


def _build(recipe):
    """The network that is trained; an error if its settings do not go together."""
    if recorded.is_pooled(recipe["model"]):
        return recorded.build(recipe["model"], on_features=True)
    try:
        return PatchConvNet(**recipe["model"], dtype=recipe.get("precision", "float32"))
    except (TypeError, ValueError) as error:
        raise PatchConvNetError(f"the network cannot be built: {error}") from error


def _load(recipe):
    dataset = load_dataset(recipe["dataset"], **data_options(recipe))
    if recipe["limit"] is not None:
        kept = slice(recipe["limit"])
        masks = None if dataset.mask_train is None else dataset.mask_train[kept]
        dataset = replace(
            dataset,
            x_train=dataset.x_train[kept],
            y_train=dataset.y_train[kept],
            mask_train=masks,
        )
    if recipe.get("shuffled_labels"):
        dice = np.random.default_rng(recipe["seed"])
        dataset = replace(dataset, y_train=dice.permutation(dataset.y_train))
    return dataset


def compile_model(model, recipe, steps_per_epoch):
    """Compile a `PatchConvNet` for one-hot labels as a recipe says: AdamW,
    warm-up and cosine, cross-entropy.
    """
    steps = recipe["epochs"] * steps_per_epoch
    schedule = WarmUpCosine(
        recipe["learning_rate"], steps, int(recipe["warmup"] * steps)
    )
    averaging = recipe.get("weight_averaging", 0.0)
    model.compile(
        AdamW(
            schedule,
            weight_decay=recipe["weight_decay"],
            use_ema=averaging > 0,
            ema_momentum=averaging,
        ),
        keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=recipe["label_smoothing"]
        ),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )


def _finish(folder, recipe, model, dataset, recorder, devices):
    """Round the weights as they are kept, measure with them, and write what remains."""
    weights = records.weights_of(model)
    records.set_weights(model, weights)
    if recipe["keep"] in ("epochs", "weights"):
        records.write_arrays(folder / "weights.npz", weights)
        # test images choose nothing
        held_out = dataset.x_val if len(dataset.x_val) else None
        usual = familiarity.measure(model, dataset.x_train, held_out)
        records.write_arrays(folder / "familiarity.npz", usual)
    results = {
        **score_test(model, dataset),
        "parameters": model.count_params(),
        "seconds": float(sum(recorder.history["seconds"])),
        "peak_memory_bytes": peak_memory(),
        "peak_device_memory_bytes": peak_device_memory(),
        "device": device(),
        "devices": devices,
        "variant": dataset.variant,
        "class_names": list(dataset.class_names),
        "versions": versions(),
    }
    if isinstance(dataset, on_features.Features):
        results["trunk_parameters"] = dataset.trunk_parameters
        results["trunk_seconds"] = dataset.seconds
    records.write_json(folder / "results.json", results)
    (folder / "checkpoint.npz").unlink(missing_ok=True)
    if recipe["keep"] == "scores":
        (folder / "attention.npz").unlink(missing_ok=True)
    return records.load(folder)
