"""Is it the attention, or would any map do?

Train the networks that chapter 12 compares, and measure every map.

    python tools/controls.py --out runs/controls                  # Shapes: 32 runs
    python tools/controls.py --out runs/controls --data cifar10   # on 10,000 images

Every network is a run folder under --out, so that work which was stopped goes on. The
table, one row a network and map, is written to --table; the course's own copies are
`patchconvnet/records/measures_shapes.csv` and `..._cifar10.csv`. With --records, the
runs are copied there as the course ships them: seed 0 whole, of the others the scores.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# TensorFlow's start-up notes would drown the table
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from command import Parser, in_one_line
from patchconvnet import PatchConvNet, faithfulness, load_dataset, records, train
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import check_writable, place, written_aside
from patchconvnet.inference import look, maps_of
from patchconvnet.training.scores import score_logits

SEEDS = {"shapes": range(10), "shapes_average": range(10)}
FEW_SEEDS = range(3)  # of the others
# Same trunk, same budget, same grid: what differs is named here. `train`'s arguments
# for each data set, and networks.
BUDGETS = {
    "shapes": {"preset": "shapes"},
    "cifar10": {"preset": "cifar10_cpu", "epochs": 10, "limit": 10_000},
}
NETWORKS = {
    "shapes": {
        "shapes": {},
        "shapes_average": {"pooling": "average"},
        "shapes_per_class": {"class_tokens": "per_class"},
        "shapes_shuffled_labels": {"shuffled_labels": True},
        "shapes_squeeze_excite": {"se_ratio": 8},
        "shapes_again": {},
    },
    "cifar10": {
        "cifar10_small": {"dim": 64, "depth": 2},
        "cifar10_small_average": {"dim": 64, "depth": 2, "pooling": "average"},
    },
}
# the network that is asked about maps of nobody's
REFERENCE = {"shapes": "shapes", "cifar10": "cifar10_small"}
AGAIN = "shapes_again"  # the same as "shapes", to see what a rerun changes
SHARPENED, POWER = "shapes_average", 4  # about as sharp as attention then
CHANGED = 500  # test images of which cells are painted over and brought back,
STEPS = 16  # in so many steps: four cells each


def runs(data, out):
    """Train all networks of a data set: yields name, seed and `Record`.

    Runs that have finished are taken as they are.
    """
    seeds = {name: SEEDS.get(name, FEW_SEEDS) for name in NETWORKS[data]}
    for seed in sorted(set().union(*seeds.values())):
        for name, settings in NETWORKS[data].items():
            if seed not in seeds[name]:
                continue
            folder = Path(out) / name / f"seed_{seed}"
            if name == AGAIN and not (folder / "results.json").is_file():
                train_elsewhere(folder, seed)
            # as the course's own record: a copy of it in --out is not trained again
            keep = "epochs" if name == "shapes" and seed == 0 else "weights"
            options = {"settings": settings, "seed": seed, "keep": keep, "verbose": 0}
            yield name, seed, train(out=folder, **BUDGETS[data], **options)


def train_elsewhere(folder, seed):
    """Train `shapes` in a process with another number of threads.

    They add numbers up in another order, and so the last digits differ, as they do on
    another machine.
    """
    name = "TF_NUM_INTRAOP_THREADS"
    threads = "2" if os.environ.get(name) == "1" else "1"
    told = ["--preset", "shapes", "--out", folder, "--seed", seed, "--keep", "weights"]
    done = subprocess.run(
        [sys.executable, "-m", "patchconvnet", "train", *map(str, told)],
        env={**os.environ, name: threads},
        stdout=subprocess.DEVNULL,
    )
    if done.returncode:
        raise PatchConvNetError(f"the run {one_line(folder)} failed, as told above")


def measured(model, maps, dataset, labels):
    """All measures of maps (N, h, w) of the test images: a dict.

    The probability followed is that of `labels` (N,).
    """
    maps = nowhere_negative(maps)
    few = slice(CHANGED)
    asked = dataset.x_test[few], maps[few], labels[few], STEPS
    return {
        **faithfulness.measure(maps, dataset.mask_test),
        "deletion": float(faithfulness.deletion(model, *asked)[1].mean()),
        "insertion": float(faithfulness.insertion(model, *asked)[1].mean()),
    }


def nowhere_negative(maps):
    """Maps whose values speak for a class: what speaks against it counts as nothing.

    One that is nowhere positive says nothing, and becomes uniform.
    """
    maps = np.maximum(maps, 0)
    return np.where(maps.sum(axis=(1, 2), keepdims=True) > 0, maps, 1)


def rows_of(name, seed, model, dataset, with_rivals=False):
    """The table's rows for one network.

    They are of its own maps and, if asked, of rivals: see `rivals_of`. A class
    activation map is measured sharpened, too: attention is sharp, and energy likes it.
    """
    logits, maps = look(model, dataset.x_test)
    predicted = logits.argmax(axis=1)
    # attention or class activation map, of the predicted class
    own = maps_of(predicted, maps)
    kinds = {"own": lambda: own}
    if name == SHARPENED:
        kinds["sharpened"] = lambda: own**POWER
    if with_rivals:
        kinds |= rivals_of(model, dataset, predicted, own.shape[1:], seed)
    accuracy = score_logits(logits, dataset.y_test)["accuracy"]
    for kind, make in kinds.items():
        row = {"network": name, "seed": seed, "map": kind, "accuracy": accuracy}
        yield row | measured(model, make(), dataset, predicted)


def rivals_of(model, dataset, predicted, grid, seed):
    """What an attention map must do better than: functions that make maps (N, h, w).

    Some ignore the image, one ignores the network, and where there are masks, others
    ask the same network in other ways.
    """
    images, count = dataset.x_test, len(dataset.x_test)
    asked = model, images, predicted
    rivals = {
        "uniform": lambda: np.full((count, *grid), 1 / np.prod(grid)),
        "centre": lambda: np.tile(faithfulness.centre_map(grid), (count, 1, 1)),
        "random": lambda: faithfulness.random_maps(count, grid, seed),
    }
    if dataset.mask_test is None:
        return rivals
    rivals |= {
        "contrast": lambda: faithfulness.contrast_maps(images, grid),
        "grad_cam": lambda: faithfulness.grad_cam(*asked),
        "gradient_times_attention": lambda: faithfulness.gradient_times_attention(
            *asked
        ),
        "gradient_times_input": lambda: faithfulness.gradient_times_input(*asked, grid),
        "occlusion": lambda: faithfulness.occlusion(*asked, grid),
    }
    return rivals


def ship(record, folder, whole):
    """Copy a run to `folder` as the course ships it: whole, or its scores alone.

    Arrays of an older run in it go.
    """
    names = ["history.csv", "results.json"]
    if whole:
        names += [file.name for file in record.folder.glob("*.npz")]
    for file in folder.glob("*.npz"):
        file.unlink()
    for name in names:
        with written_aside(folder / name) as aside:
            shutil.copyfile(record.folder / name, aside)
    keep = record.recipe["keep"] if whole else "scores"
    records.write_json(folder / "recipe.json", record.recipe | {"keep": keep})


def table(data, out, shipped=None):
    """All rows for a data set, in the order in which they are worked out.

    Each run is copied to `shipped`, if that is given, when it has finished.
    """
    dataset = load_dataset(data)
    for name, seed, record in runs(data, out):
        if shipped is not None:
            ship(record, shipped / name / f"seed_{seed}", whole=seed == 0)
        is_reference = name == REFERENCE[data]
        yield from rows_of(name, seed, record.model(), dataset, is_reference)
        if is_reference:
            untrained = PatchConvNet(**record.recipe["model"])
            yield from rows_of(f"{name}_untrained", seed, untrained, dataset)
    if data == "cifar10":
        model = records.load("cifar10_cpu").model()
        yield from rows_of("cifar10_cpu", 0, model, dataset, with_rivals=True)


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument("--out", required=True, help="folder of the run folders")
    parser.add_argument("--data", choices=NETWORKS, default="shapes")
    parser.add_argument(
        "--table", help="CSV file to write; default: measures_DATA.csv in --out"
    )
    parser.add_argument("--records", help="folder for the runs as they are shipped")
    options = parser.parse_args(arguments)
    out, path, shipped = places_of(options, f"measures_{options.data}.csv")
    write_rows(table(options.data, out, shipped), path)


def places_of(options, usual):
    """Where --out, --table and --records are: three `Path`s, the last may be None.

    Raises:
        PatchConvNetError: one cannot be written. Nothing has been trained yet.
    """
    out = place(options.out)
    shipped = None if options.records is None else place(options.records)
    path = out / usual if options.table is None else place(options.table)
    if path.is_dir():
        raise PatchConvNetError(
            f"the table cannot be written to {one_line(path)}, a folder: give --table"
            " FILE"
        )
    check_writable(path)  # before the training
    if shipped is not None:
        if shipped.resolve() == out.resolve():
            raise PatchConvNetError(
                "--records must be another folder than --out: of most runs it keeps the"
                " scores alone"
            )
        check_writable(shipped / "recipe.json")
    return out, path, shipped


def write_rows(rows, path):
    """Print the rows of a table as they are worked out, and write them as CSV."""
    kept = []
    for row in rows:
        kept.append(row)
        numbers = {key: row[key] for key in row if isinstance(row[key], float)}
        shown = ", ".join(f"{key} {value:.3f}" for key, value in numbers.items())
        whose = f"{row['network']}, seed {row['seed']}, {row['map']} map"
        if "pictures" in row:
            whose += f", {row['pictures']}"
        print(f"{whose}: {shown}", flush=True)
    records.write_table(path, kept)
    print(f"written to {one_line(path)}")


if __name__ == "__main__":
    sys.exit(main())
