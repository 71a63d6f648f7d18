"""How far is our network from one that everybody knows?

Train a ResNet-9 on this machine's copy of CIFAR-10, by the same loader.

    python tools/yardstick.py --out runs/yardstick     # made for a GPU
    python tools/yardstick.py --out DIR --epochs 1 --limit 600 --set width=8   # a try

"x points from a known network" can then be said of anyone's copy: on the original
pictures this one reaches about 94% (Page, 2018). On a copy that was saved as JPEG a
plain PyTorch version of it reached 90.1%, and 91.0% with mirror images: one run of 31
epochs.

A run that was stopped goes on. --out holds recipe.json, history.csv and results.json,
as with `keep="scores"`: this network has no attention, so results.json tells of none.

D. Page, "How to train your ResNet", 2018. The network is in `resnet9.py`.
"""

import os
import sys
from dataclasses import replace

# TensorFlow's start-up notes would drown the answer
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from command import Parser, in_one_line
from patchconvnet import load_dataset, records
from patchconvnet.course.commands import setting
from patchconvnet.errors import PatchConvNetError, nearest, none_or, whole
from patchconvnet.files import held, place
from patchconvnet.training.batches import Batches
from patchconvnet.training.callbacks import (
    AttentionRecorder,
    Checkpoint,
    StopOnBadLoss,
)
from patchconvnet.training.machine import best_precision, device, versions
from patchconvnet.training.recipes import EPOCHS, LIMIT, SEED, SETTINGS
from patchconvnet.training.running import has_finished
from patchconvnet.training.scores import score_logits
from resnet9 import compiled

RECIPE = {
    "preset": "yardstick",
    "dataset": "cifar10",
    "validation": 0,
    "epochs": 30,
    "batch_size": 512,
    "learning_rate": 0.4,
    "warmup": 0.2,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "label_smoothing": 0.2,
    "keep": "scores",
}
MODEL = {
    "name": "resnet9",
    "num_classes": 10,
    "image_size": 32,
    "width": 64,
    "shift": 4,
    "flip": True,
    "cutout": 8,
}
# what --set may change
RULES = {
    "width": whole(1, 1024),
    "batch_size": SETTINGS["batch_size"],
    "learning_rate": SETTINGS["learning_rate"],
}
TESTED_AT_ONCE = 500  # images: the test set is a multiple of it


class History(AttentionRecorder):
    """Of what the recorder keeps, the history alone: here is no attention."""

    def restore(self, epochs):
        if epochs:
            history = records.read_history(self.folder / "history.csv")
            self.history = {key: list(history[key][:epochs]) for key in history}

    def _probe(self, epoch):
        pass

    def _validate(self):
        return {}

    def _write(self):
        records.write_history(self.folder / "history.csv", self.history)


def make_recipe(epochs=None, limit=None, seed=0, precision="auto", settings=None):
    """All that is set for a run, as a dict of plain values; errors as in `train`."""
    recipe, model = dict(RECIPE), dict(MODEL)
    if epochs is not None:
        EPOCHS.check("epochs", epochs)
        recipe["epochs"] = epochs
    none_or(LIMIT).check("limit", limit)
    SEED.check("seed", seed)
    SETTINGS["precision"].check("precision", precision)
    for name, value in (settings or {}).items():
        if name not in RULES:
            raise PatchConvNetError(
                f"{name} is not a setting of the yardstick that can be changed: there"
                f" are {', '.join(RULES)}{nearest(name, RULES)}"
            )
        RULES[name].check(name, value)
        (model if name in model else recipe)[name] = value
    changed = {"limit": limit, "seed": seed, "precision": precision}
    return recipe | changed | {"model": model}


def run(recipe, out, verbose="auto"):
    """Train by a recipe and write the run folder `out`, or go on with a stopped run.

    A run that has finished is only read. Sets all random seeds.

    Returns:
        The dict of its results.json.

    Raises:
        PatchConvNetError: no data; a folder that holds another run or other files, or
            cannot be written; a loss that is not finite.
    """
    folder = place(out)
    if not has_finished(folder, recipe):
        dataset = load_dataset("cifar10", validation=recipe["validation"])
        with held(folder):
            if not has_finished(folder, recipe):  # another process was faster
                _train(folder, recipe, dataset, verbose)
    return records.read_json(folder / "results.json")


def _train(folder, recipe, dataset, verbose):
    if recipe["precision"] == "auto":
        recipe = recipe | {"precision": best_precision()}
    # by a process that was killed while it wrote: the folder is ours alone
    for left in folder.glob(".*.partial*"):
        left.unlink(missing_ok=True)
    records.write_json(folder / "recipe.json", recipe)
    seed, few = recipe["seed"], slice(recipe["limit"])
    keras.utils.set_random_seed(seed)
    dataset = replace(
        dataset, x_train=dataset.x_train[few], y_train=dataset.y_train[few]
    )
    batches = Batches(dataset.x_train, dataset.y_train, recipe["batch_size"], 10, seed)
    network = compiled(recipe, len(batches))
    recorder, path = History(dataset, folder), folder / "checkpoint.npz"
    checkpoint = Checkpoint(path, batches, recorder, dataset.variant)
    network.fit(
        batches,
        epochs=recipe["epochs"],
        initial_epoch=checkpoint.restore(network, recipe["epochs"]),
        shuffle=False,  # `Batches` shuffles
        verbose=verbose,
        callbacks=[StopOnBadLoss(path), recorder, checkpoint],
    )
    results = {
        **scores(network, dataset.x_test, dataset.y_test),
        "parameters": network.count_params(),
        "seconds": float(sum(recorder.history["seconds"])),
        "device": device(),
        "variant": dataset.variant,
        "class_names": list(dataset.class_names),
        "versions": versions(),
    }
    records.write_json(folder / "results.json", results)
    path.unlink()


def scores(network, images, labels):
    """Of images uint8 (N, 32, 32, 3) and their labels (N,): a dict.

    "test_loss", "test_accuracy", "test_top5", and "test_accuracy_with_flip": the
    accuracy of the mean of two logits, of the image and of its mirror image.
    """
    logits, mirrored = (
        network.predict(each, batch_size=TESTED_AT_ONCE, verbose=0)
        for each in (images, images[:, :, ::-1])
    )
    found = score_logits(logits, labels)
    both = score_logits((logits + mirrored) / 2, labels)
    found = {f"test_{name}": value for name, value in found.items()}
    return found | {"test_accuracy_with_flip": both["accuracy"]}


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument("--out", required=True, help="run folder")
    parser.add_argument("--epochs", type=int, help="default: 30")
    parser.add_argument("--limit", type=int, help="train on the first N images only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--precision",
        default="auto",
        help="auto (what the machine computes fastest: the default), float32,"
        " mixed_bfloat16 or mixed_float16",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"another {', '.join(RULES)}: no yardstick then, but a try",
    )
    options = vars(parser.parse_args(arguments))
    out, settings = options.pop("out"), dict(map(setting, options.pop("set")))
    recipe = make_recipe(**options, settings=settings)
    results = run(recipe, out, verbose=1 if sys.stdout.isatty() else 2)
    print(f"test accuracy        {results['test_accuracy']:.1%}")
    print(f"  with mirror images {results['test_accuracy_with_flip']:.1%}")
    print(f"training took        {results['seconds']:.0f} s on {results['device']}")


if __name__ == "__main__":
    sys.exit(main())
