"""The figures of an evolution, for those who want to see all epochs at once."""

import numpy as np

from patchconvnet import plotting
from patchconvnet.errors import PatchConvNetError


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
    captions = [
        [
            f"{seen.class_names[answer]} {share:.0%}"
            for answer, share in zip(seen.answers[epoch], certainty[epoch])
        ]
        for epoch in epochs
    ]
    titles = None
    if seen.labels is not None:
        titles = [seen.class_names[label] for label in seen.labels]
    plotting.film(
        seen.pictures, seen.maps, epochs, titles, captions, seen.masks, save_to=save_to
    )


def curves(seen, save_to=None):
    """Accuracy, attention on the object and entropy of the validation images.

    Args:
        seen: an `Evolution`.
        save_to: a file to write instead of showing the figure.
    """
    uniform = float(np.log2(np.prod(seen.maps.shape[2:])))
    plotting.evolution(seen.history, uniform, chance=seen.chance, save_to=save_to)
