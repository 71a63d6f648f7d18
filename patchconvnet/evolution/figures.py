"""The figures of an evolution, for those who want to see all epochs at once."""

import textwrap

import numpy as np

from patchconvnet import faithfulness, plotting
from patchconvnet.errors import PatchConvNetError

# Letters that a column of a film has room for, and all columns together: the more
# columns, the larger letters are drawn, to be read when the page has shrunk them.
WIDTH, TOGETHER, LEAST = 14, 100, 10


def film(seen, epochs=None, save_to=None):
    """One row a picture, one column an epoch; below each map the answer.

    Args:
        seen: an `Evolution`, of a few pictures.
        epochs: which epochs, ints from 0 to E, or None for all, or for eight of them if
            there are more than nine.
        save_to: a file to write instead of showing the figure.

    Raises:
        PatchConvNetError: if there is no such epoch.
    """
    last = len(seen.maps) - 1
    if epochs is None:
        epochs = np.linspace(0, last, last + 1 if last < 9 else 8).round().astype(int)
    if wrong := [epoch for epoch in epochs if epoch not in range(last + 1)]:
        raise PatchConvNetError(f"{seen!r} has epochs 0 to {last}, not {wrong[0]}")
    certainty = seen.probabilities.max(axis=2)
    room = max(LEAST, min(WIDTH, TOGETHER // (len(epochs) + 1)))
    names = [textwrap.fill(name, room) for name in seen.class_names]
    captions = [
        [
            f"{names[answer]} {share:.0%}"
            for answer, share in zip(seen.answers[epoch], certainty[epoch])
        ]
        for epoch in epochs
    ]
    if any(len(caption) > room for some in captions for caption in some):
        # the share has a line of its own
        captions = [
            ["\n".join(one.rsplit(" ", 1)) for one in some] for some in captions
        ]
    titles = None
    if seen.labels is not None:
        titles = [names[label] for label in seen.labels]
    plotting.film(
        seen.pictures, seen.maps, epochs, titles, captions, seen.masks, save_to=save_to
    )


def curves(seen, save_to=None):
    """Accuracy, attention on the object and entropy of the validation images.

    Where a training set none apart, of the pictures of `seen`, from before training on.

    Args:
        seen: an `Evolution`.
        save_to: a file to write instead of showing the figure.
    """
    uniform = float(np.log2(np.prod(seen.maps.shape[2:])))
    columns, chance = seen.history, seen.chance
    if "val_accuracy" not in columns:
        columns, chance = _of_pictures(seen)
    plotting.evolution(columns, uniform, chance=chance, save_to=save_to)


def _of_pictures(seen):
    """As a history and its chance, but of the pictures and from epoch 0 on."""
    columns, chance = {"epoch": np.arange(len(seen.maps))}, None
    columns["attention_entropy"] = seen.entropy.mean(axis=1)  # (E + 1, P) -> (E + 1,)
    if seen.labels is not None:
        columns["val_accuracy"] = (seen.answers == seen.labels).mean(axis=1)
    if seen.masks is not None:
        columns["attention_on_object"] = seen.on_object.mean(axis=1)
        chance = faithfulness.chance(seen.masks, seen.maps.shape[2:])
    return columns, chance
