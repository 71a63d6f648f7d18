"""The text files of a record: JSON and tables.

Each is read with the condition that it holds what others rely on.
"""

import csv
import json

import numpy as np

from patchconvnet.errors import PatchConvNetError, one_line, short
from patchconvnet.files import existing_file, written_aside


def read_json(path):
    """The names and values of a JSON file: a dict.

    Raises:
        PatchConvNetError: no such file; one that is no JSON, or holds something else.
    """
    try:
        text = existing_file(path, "a JSON file").read_text(encoding="utf-8")
        content = json.loads(text)
    except PatchConvNetError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise PatchConvNetError(
            f"{one_line(path)} cannot be read ({one_line(error)})"
        ) from error
    if not isinstance(content, dict):
        raise PatchConvNetError(
            f"{one_line(path)} is damaged: it holds a {type(content).__name__}, not"
            " names and values"
        )
    return content


# What others rely on in recipe.json and results.json, and of which kind it is.
RECIPE = {
    "preset": str,
    "dataset": str,
    "seed": int,
    "epochs": int,
    "keep": str,
    "model": dict,
}
RESULTS = {
    "variant": str,
    "device": str,
    "test_loss": float,
    "test_accuracy": float,
    "attention_entropy": float,
    "seconds": float,
    "parameters": int,
    "class_names": list,
    "versions": dict,
}
OF_MASKS = ("attention_on_object", "attention_chance", "attention_best_fixed_cell")
IN_WORDS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "names and values",
}


def read_recipe(path):
    """The content of a `recipe.json`: a dict with at least what `RECIPE` names."""
    recipe = read_json(path)
    _check_kinds(recipe, RECIPE, path)
    _check_kinds(recipe["model"], {"num_classes": int, "image_size": int}, path)
    return recipe


def read_results(path):
    """The content of a `results.json`: a dict with at least what `RESULTS` names.

    Of more than five classes "test_top5" is there, too.
    """
    results = read_json(path)
    scores = [name for name in results if name.startswith(("test_", "attention_"))]
    _check_kinds(results, RESULTS | dict.fromkeys(scores, float), path)
    if "attention_on_object" in results:
        _check_kinds(results, dict.fromkeys(OF_MASKS, float), path)
    if len(results["class_names"]) > 5:  # else it says nothing
        _check_kinds(results, {"test_top5": float}, path)
    if not all(isinstance(name, str) for name in results["class_names"]):
        raise PatchConvNetError(
            f"{one_line(path)} is damaged: its class_names are not all strings"
        )
    return results


def _check_kinds(content, kinds, path):
    """Raise a `PatchConvNetError` unless each name has a value of its kind.

    Whole numbers will do for float.
    """
    for name, kind in kinds.items():
        value = content.get(name)
        accepted = (float, int) if kind is float else kind
        fits = isinstance(value, accepted) and not isinstance(value, bool)
        # NaN is in no range
        if not fits or (kind is float and not -1e300 < value < 1e300):
            raise PatchConvNetError(
                f"{one_line(path)} is damaged: its {name} is {short(value)}, not"
                f" {IN_WORDS[kind]}"
            )


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
    """The rows of a CSV file with a heading: a list of dicts of strings, not empty."""
    try:
        with open(existing_file(path, "a table"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
        if not rows:
            raise ValueError("it has no rows")
        return rows
    except PatchConvNetError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise PatchConvNetError(f"{one_line(path)} cannot be read ({error})") from error


def write_table(path, rows):
    """Write rows, dicts with the same keys, as CSV; numbers with six digits."""
    with (
        written_aside(path) as aside,
        open(aside, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow(
                value if isinstance(value, str) else as_written(value)
                for value in row.values()
            )


def as_written(number):
    """A number as it stands in a table: with six digits."""
    return f"{number:.6g}"
