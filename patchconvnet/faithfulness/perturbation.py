"""Ask the network: what if the map's greatest cells go, or come back?"""

import numpy as np
from PIL import Image, ImageFilter

from patchconvnet.errors import PatchConvNetError
from patchconvnet.preprocessing import check_images


def deletion(model, images, maps, labels, steps=None, fill="mean"):
    """Paint over the image, the greatest cells of its map first.

    How fast does the class's probability fall? From RISE (Petsiuk et al., 2018, section
    4.2). If the map names the evidence, the probability falls early and the area is
    small. What small means, a control tells: the same with maps of random numbers.

    Args:
        model: a Keras model that gives logits, such as a `PatchConvNet`.
        images: uint8 (N, H, W, 3).
        maps: (N, h, w), any numbers; of equal cells the first goes first.
        labels: int (N,), the classes whose probability is followed.
        steps: in how many steps, at most one a cell (the default).
        fill: what is painted: "mean", the image's mean colour, or "blur", the image
            itself, blurred.

    Returns:
        curve: float (N, steps + 1), the probability after 0, 1, ... steps.
        area: float (N,), under the curve over the share of cells, 0..1.

    Raises:
        PatchConvNetError: if shapes, labels, `steps` or `fill` are not as said above.
    """
    return _replace(model, images, maps, labels, steps, fill, inserting=False)


def insertion(model, images, maps, labels, steps=None, fill="blur"):
    """The reverse of `deletion`: bring back the greatest cells first.

    If the map names the evidence, the probability rises early and the area is large.
    Arguments, results and errors as in `deletion`.
    """
    return _replace(model, images, maps, labels, steps, fill, inserting=True)


def _replace(model, images, maps, labels, steps, fill, inserting):
    images, maps, labels = check_images(images), np.asarray(maps), np.asarray(labels)
    as_many = len(images) == len(maps) == len(labels)
    if maps.ndim != 3 or labels.ndim != 1 or not as_many:
        raise PatchConvNetError(
            f"images {images.shape}, maps {maps.shape} and labels {labels.shape}:"
            " wanted (N, H, W, 3), (N, h, w), (N,)"
        )
    cells = maps.shape[1] * maps.shape[2]
    steps = cells if steps is None else steps
    is_whole = isinstance(steps, (int, np.integer)) and not isinstance(steps, bool)
    if not is_whole or not 1 <= steps <= cells:
        raise PatchConvNetError(
            f"steps must be a whole number from 1 to {cells}, the number of cells, got"
            f" {steps!r}"
        )
    paint = painted(images, fill)
    ranks = _pixel_ranks(maps, images.shape[1:3])[..., None]  # (N, H, W, 1)
    # cells after each step
    taken = np.round(np.linspace(0, cells, steps + 1)).astype(int)
    curve = np.empty((len(images), steps + 1))
    for step, count in enumerate(taken):
        mixed = np.where((ranks < count) == inserting, images, paint)
        curve[:, step] = probabilities(model, mixed)[np.arange(len(labels)), labels]
    widths = np.diff(taken) / cells
    return curve, ((curve[:, 1:] + curve[:, :-1]) / 2 * widths).sum(axis=1)


def _pixel_ranks(maps, size):
    """For each pixel, how many cells are greater than its own: int (N, H, W)."""
    flat = maps.reshape(len(maps), -1)
    order = np.argsort(-flat.astype("float64"), axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable").reshape(maps.shape)  # (N, h, w)
    rows, columns = cells_of(size, maps.shape[1:])
    return ranks[:, rows][:, :, columns]  # (N, h, w) -> (N, H, W)


def cells_of(size, grid):
    """The row of cells of each row of pixels, the column of each: int (H,), (W,)."""
    return [np.arange(length) * cells // length for length, cells in zip(size, grid)]


def painted(images, fill):
    """Images without their content, uint8 or float (N, H, W, 3)."""
    if fill == "mean":
        means = images.mean(axis=(1, 2), keepdims=True)  # (N, 1, 1, 3)
        return np.broadcast_to(means.astype(images.dtype), images.shape)
    if fill == "blur":
        radius = ImageFilter.GaussianBlur(max(images.shape[1:3]) / 6)
        whole = np.clip(images, 0, 255).astype("uint8")
        blurred = [np.asarray(Image.fromarray(one).filter(radius)) for one in whole]
        return np.stack(blurred).astype(images.dtype)
    raise PatchConvNetError(f'fill must be "mean" or "blur", got {fill!r}')


def probabilities(model, images):
    """Softmax of the model's logits: float64 (N, classes)."""
    logits = model.predict(images, batch_size=256, verbose=0).astype("float64")
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
