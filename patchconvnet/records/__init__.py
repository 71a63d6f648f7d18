"""Recorded training runs: what was set, what happened, what came out.

A run folder, written by `patchconvnet.train`, holds

    recipe.json       all that was set
    history.csv       one row an epoch
    results.json      test accuracy, attention scores, seconds, device, versions (see
                      `scores.score_test`)
    attention.npz     the maps of fixed probe images, from before training on
    weights.npz       the trained weights, float16
    epochs.npz        the same after every epoch
    familiarity.npz   what pictures the network is used to (see `familiarity.measure`)

The folders beside this file are shipped with the package, NAME/seed_N: `load("shapes",
seed=1)` reads one. So are the tables `measures_shapes.csv` and `measures_cifar10.csv`,
which `tools/controls.py` wrote, and `measures_pets.csv`, by `tools/photographs.py`:
`measures("shapes")` reads one.
"""

from functools import cached_property
from pathlib import Path

import numpy as np

from patchconvnet.any_network import recorded
from patchconvnet.errors import PatchConvNetError, one_line, short
from patchconvnet.files import place, read_arrays, write_arrays
from patchconvnet.model import PatchConvNet, set_weights, weights_of
from patchconvnet.records.stored import (
    as_written,
    read_history,
    read_json,
    read_recipe,
    read_results,
    read_table,
    write_history,
    write_json,
    write_table,
)

__all__ = [
    "Record",
    "SHIPPED",
    "as_written",
    "load",
    "measures",
    "names",
    "read_arrays",
    "read_history",
    "read_json",
    "read_table",
    "seeds",
    "set_weights",
    "weights_of",
    "write_arrays",
    "write_history",
    "write_json",
    "write_table",
]

SHIPPED = Path(__file__).parent


def names():
    """Names of the shipped records, sorted: a list of strings."""
    return sorted(
        {
            path.parents[1].relative_to(SHIPPED).as_posix()
            for path in SHIPPED.glob("**/seed_*/results.json")
        }
    )


def seeds(name):
    """The seeds with which a record was made, sorted: a list of whole numbers.

    Args:
        name: a shipped record's name, or the path of a folder of runs, each in its
            `seed_N`.
    """
    found = (
        path.parent.name.removeprefix("seed_")
        for path in _folder(name).glob("seed_*/results.json")
    )
    return sorted(int(number) for number in found if number.isdecimal())


def _folder(name):
    return SHIPPED / str(name) if str(name) in names() else place(name)


def load(name, seed=None):
    """Open a record.

    Args:
        name: a shipped record's name, or the path of a run folder, or of a folder of
            runs, each in its `seed_N`. The shipped record is meant where there is one
            of that name: a path that is written with "./" never is.
        seed: which of its runs; by default the one with the lowest seed.

    Returns:
        A `Record`.

    Raises:
        PatchConvNetError: if there is no such record or seed, or the run in it has not
            finished.
    """
    folder = _folder(name)
    there = seeds(name)
    if seed is None and there:
        seed = there[0]
    if seed is not None:
        if isinstance(seed, bool) or seed not in there:
            known = ", ".join(map(str, there)) or "none, as it is no folder of runs"
            raise PatchConvNetError(
                f"{one_line(name)} has no run with seed {short(seed)}: there are"
                f" {known}"
            )
        folder = folder / f"seed_{int(seed)}"
    if (folder / "results.json").is_file():
        return Record(folder)
    if (folder / "recipe.json").is_file():
        raise PatchConvNetError(
            f"the run in {one_line(folder)} has not finished: run the same train"
            " command again"
        )
    known = ", ".join(names()) or "(none)"
    raise PatchConvNetError(
        f"no record {one_line(name)!r}: give a run folder, or one of {known}"
    )


def measures(dataset):
    """The recorded measures of several networks, seeds and maps (chapters 12 and 16).

    Args:
        dataset: "shapes", "cifar10", "pets", "answers" (chapter 17) or "parts" (06).

    Returns:
        list of dicts, one a row: "network", "seed", "map" (and of "pets" "pictures":
        which ones) as strings, the measures as floats.

    Raises:
        PatchConvNetError: if there is no such table, or it is damaged.
    """
    path = SHIPPED / f"measures_{dataset}.csv"
    words = ("network", "seed", "map", "pictures")
    rows = read_table(path)
    try:
        return [
            {key: text if key in words else float(text) for key, text in row.items()}
            for row in rows
        ]
    except (TypeError, ValueError) as error:
        raise PatchConvNetError(f"{path} cannot be read ({error})") from error


class Record:
    """One finished run. Attributes are read from the folder when first used.

    Attributes:
        folder: where it is, a `Path`.
        name: the folder's last part; of a shipped record, its name.
        recipe: dict, all that was set: "preset", "dataset", "seed", "epochs", "model"
            (arguments of `PatchConvNet`)...
        history: dict of column name to float array (epochs,).
        results: dict, see `results.json`.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        where = self.folder.absolute()
        self.name = (
            where.parent.relative_to(SHIPPED).as_posix()
            if SHIPPED in where.parents
            else where.name
        )

    def __repr__(self):
        return f"Record({str(self.folder)!r})"

    @cached_property
    def recipe(self):
        return read_recipe(self.folder / "recipe.json")

    @cached_property
    def results(self):
        return read_results(self.folder / "results.json")

    @cached_property
    def history(self):
        return read_history(self.folder / "history.csv")

    @cached_property
    def attention(self):
        """The maps and answers for P probe images, over the training: a dict of arrays.

        "maps" float16 (E + 1, P, Q, h, w), from before training to after epoch E;
        "logits" float16 (E + 1, P, classes); "indices" int (P,), places of the probes
        in the test set.
        """
        return self._kept("attention.npz")

    @cached_property
    def usual(self):
        """What is usual for the trained network: a dict of arrays, or None if not kept.

        See `familiarity.measure`.
        """
        path = self.folder / "familiarity.npz"
        if not path.is_file():
            return None
        usual, dim = read_arrays(path), self.recipe["model"].get("dim")
        shapes = {"mean": (dim,), "whitening": (dim, dim), "limit": ()}
        good = all(
            array.dtype.kind == "f" and np.isfinite(array).all()
            for array in usual.values()
        )
        if {key: array.shape for key, array in usual.items()} != shapes or not good:
            raise PatchConvNetError(
                f"{path} is damaged: it does not hold mean, whitening and limit for"
                f" {dim} channels"
            )
        return usual

    def model(self, epoch=None):
        """The trained network.

        Args:
            epoch: None for the end of training, or 0 (before it) to E, where the record
                keeps every epoch's weights.

        Returns:
            A `PatchConvNet`, or a `PooledNetwork`.

        Raises:
            PatchConvNetError: if the record does not keep those weights.
        """
        if epoch is None:
            weights = self._kept("weights.npz")
        else:
            weights = self._epoch_weights(epoch)
        try:
            model = self._untrained()
        except (TypeError, ValueError) as error:
            raise PatchConvNetError(
                f"{self.folder / 'recipe.json'} tells of no network that can be built:"
                f" {one_line(error)}"
            ) from error
        set_weights(model, weights, self.folder)
        return model

    def _untrained(self):
        settings = self.recipe["model"]
        pooled = recorded.is_pooled(settings)
        return recorded.build(settings) if pooled else PatchConvNet(**settings)

    def _kept(self, name):
        if not (self.folder / name).is_file():
            why = ""
            if not recorded.comes_whole(self.recipe["model"]):
                why = ", as the last blocks of its trunk do not come with the course"
            raise PatchConvNetError(
                f"{self.folder} holds no {name}: this record does not keep it{why}"
            )
        return read_arrays(self.folder / name)

    def _epoch_weights(self, epoch):
        arrays = self._kept("epochs.npz")
        last = max(int(key.split("/")[0]) for key in arrays)
        if epoch not in range(last + 1):
            raise PatchConvNetError(
                f"{self.folder} has the weights of epochs 0 to {last}, not of {epoch!r}"
            )
        prefix = f"{int(epoch)}/"
        return {
            key[len(prefix) :]: array
            for key, array in arrays.items()
            if key.startswith(prefix)
        }

    def summary(self):
        """Accuracy and attention scores in a few lines: a string."""
        results, epochs = self.results, self.recipe["epochs"]
        unit, top5 = "epoch" if epochs == 1 else "epochs", ""
        if len(results["class_names"]) > 5:  # else always all
            top5 = f"   (top 5: {results['test_top5']:.1%})"
        size = f"{results['parameters']:,} parameters"
        if "trunk_parameters" in results:
            size += f" on a frozen trunk of {results['trunk_parameters']:,}"
        lines = [
            one_line(f"{self.recipe['dataset']}, {results['variant']}"),
            f"preset {self.recipe['preset']}, seed {self.recipe['seed']},"
            f" {epochs} {unit}, {size}",
            f"test accuracy        {results['test_accuracy']:.1%}{top5}",
        ]
        if "test_accuracy_with_flip" in results:
            lines.append(
                f"  with mirror images {results['test_accuracy_with_flip']:.1%}   (mean"
                " of two logits for each image)"
            )
        if "attention_on_object" in results:
            lines.append(
                f"attention on object  {results['attention_on_object']:.1%}   (a random"
                f" cell: {results['attention_chance']:.1%}; the best fixed cell:"
                f" {results['attention_best_fixed_cell']:.1%})"
            )
        seconds = f"{results['seconds']:.0f} s on {results['device']}"
        if "trunk_seconds" in results:
            seconds += f", after {results['trunk_seconds']:.0f} s in the trunk"
        lines.append(f"training took        {seconds}")
        return "\n".join(lines)
