"""Measure a recorded network again: does the record tell the truth, here and now?"""

from patchconvnet.data import load_dataset
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.training.recipes import data_options
from patchconvnet.training.scores import score_test

# Keys of results.json, and how they are printed: in words, factor, format.
ROWS = {
    "test_loss": ("loss", 1, ".4f"),
    "test_accuracy": ("top 1, %", 100, ".2f"),
    "test_top5": ("top 5, %", 100, ".2f"),
    "test_accuracy_with_flip": ("top 1 with flip, %", 100, ".2f"),
    "attention_on_object": ("attention on object, %", 100, ".2f"),
}


def evaluate(record):
    """Measure a record's network on the test images of its data set.

    Args:
        record: a `records.Record` that keeps its weights.

    Returns:
        scores: dict, keys and values as in `results.json` (see `scores.score_test`).
        variant: which copy of the data set was read here, as in `results.json`: a
            string.

    Raises:
        PatchConvNetError: no weights, damaged or foreign ones; no data set here, or one
            of other classes.
    """
    # first: what is damaged is told before any download
    model, classes = record.model(), len(record.results["class_names"])
    dataset = load_dataset(record.recipe["dataset"], **data_options(record.recipe))
    if len(dataset.class_names) != classes:
        raise PatchConvNetError(
            f"{record.recipe['dataset']} has {len(dataset.class_names)} classes now,"
            f" and the network of {record.folder} was trained on {classes}"
        )
    return score_test(model, dataset), dataset.variant


def compare(record, scores, variant):
    """A table of measured and recorded scores, and what a difference may come from.

    Args:
        record: a `records.Record`.
        scores, variant: as `evaluate` returns them.

    Returns:
        A string of some lines.
    """
    results = record.results
    lines = [
        one_line(f"{record.recipe['dataset']}, record {record.name}"),
        f"{'':24}{'here':>10}{'record':>10}{'difference':>13}",
    ]
    largest = 0.0
    for key, (words, factor, form) in ROWS.items():
        if key in scores and key in results:
            here, recorded = factor * scores[key], factor * results[key]
            difference = here - recorded
            largest = max(largest, abs(difference))
            lines.append(
                f"{words:24}{here:10{form}}{recorded:10{form}}{difference:+13{form}}"
            )
    lines += [
        f"{'data here':24}{variant}",
        f"{'data of the record':24}{results['variant']}",
    ]
    if variant != results["variant"]:
        lines.append(
            "The two copies of the data differ in their pixels: a difference of some"
            " points may come from that alone."
        )
    elif largest >= 0.005:
        lines.append(
            f"The data are the same. The record was measured on {results['device']}"
            f" with {record.recipe.get('precision', 'float32')}, here it is float32:"
            " rounding moves images that lie between two classes."
        )
    return "\n".join(lines)
