"""What does each step of a recipe buy?

Train a ladder of runs, each with one step more than the one before.

    python tools/ladder.py --out DIR     # on a GPU: preset cifar10
    python tools/ladder.py --out DIR --preset cifar10_cpu --epochs 10 --limit 10000

Every rung is a run folder, so a ladder that was stopped goes on. What counts is the
accuracy on 5,000 images set apart from the training images: test images choose no
recipe.
"""

import os
import sys

# TensorFlow's start-up notes would drown the table
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from command import Parser, in_one_line
from patchconvnet import train
from patchconvnet.course.commands import setting
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import place
from patchconvnet.model import preset_config
from patchconvnet.training.recipes import RECIPES

PLAIN = {
    "norm": "layer",
    "shift": 0,
    "flip": False,
    "cutout": 0,
    "drop_path": 0.0,
    "warmup": 0.0,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "weight_averaging": 0.0,
    "cutmix": 0.0,
}
# name of the rung (in the order of the alphabet), and the settings in which it leaves
# the plain value for the preset's
STEPS = {
    "01_plain": (),
    "02_warm_up": ("warmup",),
    "03_batch_norm": ("norm",),
    "04_shift_and_flip": ("shift", "flip"),
    "05_weight_decay": ("weight_decay",),
    "06_label_smoothing": ("label_smoothing",),
    "07_cutout": ("cutout",),
    "08_stochastic_depth": ("drop_path",),
    "09_cutmix": ("cutmix",),
    "10_weight_averaging": ("weight_averaging",),
}


def rungs(preset, fixed):
    """Settings of each rung: a dict from name to dict.

    `fixed` holds on all of them, instead of the preset's values. A step whose value is
    the plain one already in this preset is left out.
    """
    if RECIPES.get(preset, {}).get("dataset") != "cifar10":
        raise PatchConvNetError(
            f"--preset {preset}: the ladder is climbed on CIFAR-10, by cifar10,"
            " cifar10_cpu or keras_example"
        )
    full = {**PLAIN, **preset_config(preset), **RECIPES[preset]}
    found, settings = {}, {**PLAIN, **fixed}
    for name, step in STEPS.items():
        changed = {
            key: full[key]
            for key in step
            if key not in fixed and full[key] != settings[key]
        }
        if changed or not step:
            settings = {**settings, **changed}
            found[name] = dict(settings)
    return found


def climb(preset, out, epochs, limit, seed, fixed):
    """Train every rung; yields name and `Record`, from the bottom up."""
    for name, settings in rungs(preset, fixed).items():
        record = train(
            preset,
            place(out) / name,
            epochs=epochs,
            limit=limit,
            seed=seed,
            keep="scores",
            settings={"validation": 5_000, **settings},
            verbose=int(sys.stdout.isatty()),
        )
        yield name, record


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument("--out", required=True, help="folder of the run folders")
    parser.add_argument("--preset", default="cifar10", help="cifar10 or cifar10_cpu")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--limit", type=int, help="train on the first N images only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the same on every rung",
    )
    options = vars(parser.parse_args(arguments))
    before, fixed = None, dict(map(setting, options.pop("set")))
    for name, record in climb(**options, fixed=fixed):
        accuracy = 100 * record.history["val_accuracy"][-1]
        gain = "" if before is None else f"{accuracy - before:+6.2f}"
        print(f"{name:22}{accuracy:6.2f} % of validation images{gain:>8}", flush=True)
        before = accuracy


if __name__ == "__main__":
    sys.exit(main())
