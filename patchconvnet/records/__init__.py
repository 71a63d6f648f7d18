"""Recorded training runs: what was set, what happened, what came out.

A run folder, written by `patchconvnet.train`, holds

    recipe.json     all that was set
    history.csv     one row an epoch
    results.json    test accuracy, attention scores, seconds, device, versions   (see `scores.score_test`)
    attention.npz   the maps of fixed probe images, before training and after every epoch
    weights.npz     the trained weights, float16        (and epochs.npz: the same after every epoch)
    familiarity.npz what pictures the network is used to  (see `familiarity.measure`)

The folders beside this file are shipped with the package: `load("shapes")` reads one by name. So are the tables
`measures_shapes.csv` and `measures_cifar10.csv`, which `tools/controls.py` wrote: `measures("shapes")` reads one.
"""

import csv
import json
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import written_aside
from patchconvnet.model import PatchConvNet

SHIPPED = Path(__file__).parent


def names():
    """Names of the shipped records, sorted: a list of strings."""
    return sorted(folder.name for folder in SHIPPED.iterdir() if (folder / "results.json").is_file())


def load(name):
    """Open a record.

    Args:
        name: a shipped record's name, or the path of a run folder. A path is meant if it has a separator, or if no
            shipped record has that name.

    Returns:
        A `Record`.

    Raises:
        PatchConvNetError: if there is no such record, or the run in it has not finished.
    """
    folder = SHIPPED / str(name)
    if Path(name).name != str(name) or not (folder / "results.json").is_file():
        folder = Path(name).expanduser()
    if (folder / "results.json").is_file():
        return Record(folder)
    if (folder / "recipe.json").is_file():
        raise PatchConvNetError(f"the run in {folder} has not finished: run the same train command again")
    raise PatchConvNetError(f"no record {str(name)!r}: give a run folder, or one of {', '.join(names()) or '(none)'}")


def measures(dataset):
    """The table in which the measures of chapter 12 were recorded, for several networks, seeds and maps.

    Args:
        dataset: "shapes" or "cifar10".

    Returns:
        list of dicts, one a row: "network", "seed", "map" as strings, the measures as floats.

    Raises:
        PatchConvNetError: if there is no such table, or it is damaged.
    """
    path = SHIPPED / f"measures_{dataset}.csv"
    words = ("network", "seed", "map")
    rows = read_table(path)
    try:
        return [{key: text if key in words else float(text) for key, text in row.items()} for row in rows]
    except (TypeError, ValueError) as error:
        raise PatchConvNetError(f"{path} cannot be read ({error})") from error


class Record:
    """One finished run. Attributes are read from the folder when first used.

    Attributes:
        folder: where it is, a `Path`; its last part is the name.
        recipe: dict, all that was set: "preset", "dataset", "seed", "epochs", "model" (arguments of `PatchConvNet`)...
        history: dict of column name to float array (epochs,).
        results: dict, see `results.json`.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.name = self.folder.name

    def __repr__(self):
        return f"Record({str(self.folder)!r})"

    @cached_property
    def recipe(self):
        return read_json(self.folder / "recipe.json")

    @cached_property
    def results(self):
        return read_json(self.folder / "results.json")

    @cached_property
    def history(self):
        return read_history(self.folder / "history.csv")

    @cached_property
    def attention(self):
        """Dict of arrays: "maps" float16 (E + 1, P, Q, h, w), from before training to after epoch E, for P probe
        images; "logits" float16 (E + 1, P, classes); "indices" int (P,), places of the probes in the test set."""
        return read_arrays(self.folder / "attention.npz")

    @cached_property
    def usual(self):
        """What is usual for the trained network: a dict of arrays (see `familiarity.measure`), or None if not kept."""
        path = self.folder / "familiarity.npz"
        return read_arrays(path) if path.is_file() else None

    def model(self, epoch=None):
        """The trained network.

        Args:
            epoch: None for the end of training, or 0 (before it) to E, where the record keeps every epoch's weights.

        Returns:
            A `PatchConvNet`.

        Raises:
            PatchConvNetError: if the record does not keep those weights.
        """
        if epoch is None:
            weights = read_arrays(self.folder / "weights.npz")
        else:
            weights = self._epoch_weights(epoch)
        model = PatchConvNet(**self.recipe["model"])
        set_weights(model, weights, self.folder)
        return model

    def _epoch_weights(self, epoch):
        arrays = read_arrays(self.folder / "epochs.npz")
        last = max(int(key.split("/")[0]) for key in arrays)
        if epoch not in range(last + 1):
            raise PatchConvNetError(f"{self.folder} has the weights of epochs 0 to {last}, not of {epoch!r}")
        prefix = f"{int(epoch)}/"
        return {key[len(prefix) :]: array for key, array in arrays.items() if key.startswith(prefix)}

    def summary(self):
        """Accuracy and attention scores in a few lines: a string."""
        results, epochs = self.results, self.recipe["epochs"]
        lines = [
            f"{self.recipe['dataset']}, {results['variant']}",
            f"preset {self.recipe['preset']}, seed {self.recipe['seed']}, {epochs} "
            f"{'epoch' if epochs == 1 else 'epochs'}, {results['parameters']:,} parameters",
            f"test accuracy        {results['test_accuracy']:.1%}   (top 5: {results['test_top5']:.1%})",
        ]
        if "test_accuracy_with_flip" in results:
            lines.append(f"  with mirror images {results['test_accuracy_with_flip']:.1%}   (mean of two logits for each image)")
        if "attention_on_object" in results:
            lines.append(
                f"attention on object  {results['attention_on_object']:.1%}   (a random cell: "
                f"{results['attention_chance']:.1%}; the best fixed cell: {results['attention_best_fixed_cell']:.1%})"
            )
        lines.append(f"training took        {results['seconds']:.0f} s on {results['device']}")
        return "\n".join(lines)


# === files ===


def weights_of(model):
    """The weights of a model as float16 arrays: a dict from Keras' path to array."""
    return {weight.path: keras.ops.convert_to_numpy(weight).astype("float16") for weight in model.weights}


def set_weights(model, weights, source="the file"):
    """Give `model` the weights of a dict as `weights_of` makes it.

    Raises:
        PatchConvNetError: if they belong to another architecture; the first difference is named.
    """
    for weight in model.weights:
        if weight.path not in weights:
            raise PatchConvNetError(f"{source} lacks the weight {weight.path}: it is of another architecture")
        found = weights[weight.path].shape
        if found != tuple(weight.shape):
            raise PatchConvNetError(f"{source}: {weight.path} has shape {found}, this network wants {weight.shape}")
    unknown = weights.keys() - {weight.path for weight in model.weights}
    if unknown:
        raise PatchConvNetError(f"{source} has a weight that this network lacks: {sorted(unknown)[0]}")
    for weight in model.weights:
        weight.assign(weights[weight.path].astype("float32"))


def read_json(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PatchConvNetError(f"{path} cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise PatchConvNetError(f"{path} is damaged: it holds a {type(content).__name__}, not names and values")
    return content


def write_json(path, content):
    with written_aside(path) as aside:
        aside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_history(path):
    rows = read_table(path)
    try:
        return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}
    except (ValueError, TypeError) as error:
        raise PatchConvNetError(f"{path} cannot be read ({error})") from error


def write_history(path, history):
    write_table(path, [dict(zip(history, row)) for row in zip(*history.values())])


def read_table(path):
    """The rows of a CSV file with a heading, at least one: a list of dicts of strings."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
        if not rows:
            raise ValueError("it has no rows")
        return rows
    except (OSError, ValueError, csv.Error) as error:
        raise PatchConvNetError(f"{path} cannot be read ({error})") from error


def write_table(path, rows):
    """Write rows, dicts with the same keys, as CSV; numbers with six digits."""
    with written_aside(path) as aside, open(aside, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([value if isinstance(value, str) else f"{value:.6g}" for value in row.values()] for row in rows)


def read_arrays(path):
    if not path.is_file():
        raise PatchConvNetError(f"{path.parent} holds no {path.name}: this record does not keep it")
    try:
        with np.load(path) as archive:
            return {key: archive[key] for key in archive.files}
    except Exception as error:  # a truncated file can raise anything
        raise PatchConvNetError(f"{path} is damaged ({error})") from error


def write_arrays(path, arrays):
    with written_aside(path) as aside, open(aside, "wb") as file:
        np.savez_compressed(file, **arrays)
