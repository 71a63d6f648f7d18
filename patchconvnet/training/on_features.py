"""A data set as a frozen trunk sees it: computed once, instead of in each epoch."""

import hashlib
import time
from dataclasses import dataclass, fields

import numpy as np

from patchconvnet.any_network import efficientnet_lite0, recorded
from patchconvnet.data import Dataset

BATCH = 32  # images that the trunk takes at a time
_last = {}  # what was seen last: a second head is trained on the same


@dataclass(frozen=True, eq=False, repr=False)
class Features(Dataset):
    """A `Dataset` whose images are the output of a trunk, float32 (N, h, w, C).

    Attributes:
        x_mirrored: the same of the training images' mirror images.
        trunk_parameters: how many numbers the trunk has.
        seconds: how long that took, once for all heads of a process.
    """

    x_mirrored: np.ndarray | None = None
    trunk_parameters: int = 0
    seconds: float = 0.0


def recipe_trunk(model):
    """The frozen trunk that the "model" of a recipe names: a `keras.Model`, or None.

    Raises:
        PatchConvNetError: its weights are not here.
    """
    return efficientnet_lite0(model["until"]) if recorded.is_pooled(model) else None


def see(trunk, dataset, verbose="auto"):
    """What a trunk makes of a data set; all of it is kept in memory.

    Args:
        trunk: a `keras.Model`, or None where there is none.
        dataset: a `Dataset` of images that it takes.
        verbose: as in `predict`: 0 silent, 1 progress bar, 2 a line, "auto".

    Returns:
        `Features`; without a trunk the data set itself.
    """
    if trunk is None:
        return dataset
    parts = {
        "x_train": dataset.x_train,
        "x_mirrored": dataset.x_train[:, :, ::-1],
        "x_val": dataset.x_val,
        "x_test": dataset.x_test,
    }
    images = np.concatenate(list(parts.values()))  # one progress bar
    ends = np.cumsum([len(part) for part in parts.values()])[:-1]
    key = _digest_of(images, *trunk.get_weights())
    if key not in _last:
        begun = time.perf_counter()
        seen = trunk.predict(images, batch_size=BATCH, verbose=verbose)  # (N, h, w, C)
        _last.clear()
        _last[key] = seen, time.perf_counter() - begun
    seen, seconds = _last[key]
    kept = {field.name: getattr(dataset, field.name) for field in fields(dataset)}
    return Features(
        **{**kept, **dict(zip(parts, np.split(seen, ends)))},
        trunk_parameters=trunk.count_params(),
        seconds=seconds,
    )


def _digest_of(*arrays):
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()


def images_and_labels(dataset):
    """What is trained on: of `Features` those of the mirror images, too.

    Returns:
        images (N, ...) and labels int (N,).
    """
    if not isinstance(dataset, Features):
        return dataset.x_train, dataset.y_train
    images = np.concatenate([dataset.x_train, dataset.x_mirrored])  # (2 N, h, w, C)
    return images, np.tile(dataset.y_train, 2)
