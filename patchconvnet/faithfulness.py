"""How good is an attention map? Where the object is known, the map has a score.

All measures work on the patch grid: a mask is averaged by area to the map's cells, so that each cell has a share
from 0 to 1, "how much of me is object".

    with masks:    pointing_game, energy, energy_ratio, rank_accuracy, average_precision   (and what chance scores)
    without:       entropy; deletion and insertion, which ask the network itself
"""

import keras
import numpy as np
from PIL import Image, ImageFilter

from patchconvnet.errors import PatchConvNetError
from patchconvnet.preprocessing import check_images


def cell_shares(masks, grid):
    """Average masks by area to a grid of cells.

    Args:
        masks: bool or float (N, h, w), True (or 1) on the object.
        grid: (H, W), the map's rows and columns; cells may cut through pixels.

    Returns:
        float64 (N, H, W), each in 0..1.
    """
    masks = np.asarray(masks)
    if masks.ndim != 3:
        raise PatchConvNetError(f"masks: shape {masks.shape}; wanted (N, height, width)")
    rows, columns = (_overlaps(size, cells) for size, cells in zip(masks.shape[1:], grid))
    areas = np.einsum("Hh,nhw,Ww->nHW", rows, masks.astype("float64"), columns, optimize=True)
    return areas / (masks.shape[1] * masks.shape[2])  # the one rounding: half a cell is exactly 0.5


def _overlaps(size, cells):
    """How much of each cell each pixel fills, along one axis, in 1 / cells of a pixel: whole numbers (cells, size).

    Every row sums to `size`.
    """
    edges = np.arange(cells + 1)[:, None] * size  # (cells + 1, 1)
    pixels = np.arange(size)[None] * cells
    overlap = np.minimum(edges[1:], pixels + cells) - np.maximum(edges[:-1], pixels)  # (cells, size)
    return np.maximum(overlap, 0).astype("float64")


def _checked(maps, masks):
    maps, masks = np.asarray(maps), np.asarray(masks)
    if maps.ndim != 3 or masks.ndim != 3 or len(maps) != len(masks):
        raise PatchConvNetError(
            f"maps of shape {maps.shape} and masks of shape {masks.shape}; wanted (N, H, W) and (N, h, w), same N"
        )
    return maps, cell_shares(masks, maps.shape[1:])


def _summing_to_one(maps):
    maps = np.asarray(maps, dtype="float64")
    if maps.ndim != 3:
        raise PatchConvNetError(f"maps: shape {maps.shape}; wanted (N, H, W)")
    totals = maps.sum(axis=(1, 2), keepdims=True)
    if maps.min(initial=0) < 0 or not np.all(totals > 0):
        raise PatchConvNetError("maps: no value may be negative, and no map may be zero everywhere")
    return maps / totals


def pointing_game(maps, masks, threshold=0.5):
    """Is the map's greatest cell on the object (Zhang et al., 2016, section 4.1)?

    A uniform map points at its first cell; a random cell is on the object as often as `chance` says.

    Args:
        maps: (N, H, W), any numbers; of equal greatest cells the first counts.
        masks: bool (N, h, w), of any size.
        threshold: share of the cell that the object must fill. The course's "on the object" is 0.5.

    Returns:
        bool (N,).
    """
    maps, shares = _checked(maps, masks)
    greatest = maps.reshape(len(maps), -1).argmax(axis=1)  # (N, H, W) -> (N,)
    return shares.reshape(len(maps), -1)[np.arange(len(maps)), greatest] >= threshold


def chance(masks, grid, threshold=0.5):
    """How often a cell drawn at random is on the object: float in 0..1. Arguments as in `pointing_game`."""
    return float((cell_shares(masks, grid) >= threshold).mean())


def best_fixed_cell(masks, grid, threshold=0.5):
    """How often the best cell that ignores the image is on the object: float in 0..1.

    Objects lie more often in the middle than at the border, so this is more than `chance`: the score of a map that
    has learned where objects tend to be, and looks at nothing. Arguments as in `pointing_game`.
    """
    return float((cell_shares(masks, grid) >= threshold).mean(axis=0).max())


def energy(maps, masks):
    """Share of a map that lies on the object (Wang et al., 2020, section 4.3: "energy-based pointing game").

    A uniform map scores the object's share of the image.

    Args:
        maps: (N, H, W), not negative; each is divided by its sum.
        masks: bool (N, h, w), of any size.

    Returns:
        float (N,), 0..1.
    """
    maps, shares = _checked(maps, masks)
    return (_summing_to_one(maps) * shares).sum(axis=(1, 2))


def energy_ratio(maps, masks):
    """`energy` over the object's share of the image: 1 for a uniform map, more where the object gets more than its share.

    Arguments as in `energy`.

    Returns:
        float (N,), 0 or more; NaN where the mask is empty.
    """
    share = np.asarray(masks).mean(axis=(1, 2), dtype="float64")  # (N, h, w) -> (N,)
    return np.divide(energy(maps, masks), share, out=np.full(len(share), np.nan), where=share > 0)


def rank_accuracy(maps, masks, threshold=0.5):
    """Of the K greatest cells, the share on the object, which has K cells (Arras et al., 2022: relevance rank accuracy).

    Of equal cells at the edge of the K greatest, each counts in part. So a uniform map scores the object's share of
    the cells.

    Args:
        maps: (N, H, W), any numbers.
        masks: bool (N, h, w), of any size.
        threshold: share of a cell that the object must fill.

    Returns:
        float (N,), 0..1; NaN where no cell is on the object.
    """
    values, hits, count = _ranked(maps, masks, threshold)
    size = count.astype(int)
    last = values[np.arange(len(values)), np.maximum(size, 1) - 1][:, None]  # (N, 1): the K-th greatest value
    above, level = values > last, values == last
    places = size - above.sum(axis=1)  # what is left of the K for those that are equal to the last one
    found = (hits & above).sum(axis=1) + places * (hits & level).sum(axis=1) / level.sum(axis=1)
    return np.divide(found, count, out=np.full(len(count), np.nan), where=count > 0)


def average_precision(maps, masks, threshold=0.5):
    """Mean precision at the cells of the object, when cells are taken from the greatest down.

    The area under the curve of precision over recall, as a sum of steps (Manning et al., 2008, section 8.4). 1 if all
    of the object's cells come first. Equal cells are taken together, so a uniform map scores the object's share of
    the cells. Arguments as in `rank_accuracy`.

    Returns:
        float (N,), 0..1; NaN where no cell is on the object.
    """
    values, hits, count = _ranked(maps, masks, threshold)
    ranks = np.arange(1, values.shape[1] + 1)
    ends = np.concatenate([values[:, 1:] != values[:, :-1], np.ones((len(values), 1), bool)], axis=1)
    # For each cell, the place where its group of equal cells ends: the next end from here on.
    ends = np.minimum.accumulate(np.where(ends, ranks, ranks[-1])[:, ::-1], axis=1)[:, ::-1]  # (N, cells)
    precision = np.take_along_axis(hits.cumsum(axis=1), ends - 1, axis=1) / ends
    total = (hits * precision).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _ranked(maps, masks, threshold):
    """Cells from the greatest value down: values (N, cells), on the object bool (N, cells), and how many are, float (N,)."""
    maps, shares = _checked(maps, masks)
    values, on_object = maps.reshape(len(maps), -1), shares.reshape(len(maps), -1) >= threshold
    order = np.argsort(-values.astype("float64"), axis=1, kind="stable")
    hits = np.take_along_axis(on_object, order, axis=1)
    return np.take_along_axis(values, order, axis=1), hits, hits.sum(axis=1).astype("float64")


def entropy(maps):
    """How spread out each map is, in bits: from 0 (one cell has everything) to log2(H W) (uniform).

    Args:
        maps: (N, H, W), not negative; each is divided by its sum.

    Returns:
        float (N,).
    """
    shares = _summing_to_one(maps)
    bits = shares * np.log2(np.where(shares > 0, shares, 1))  # 0 log 0 is 0
    return 0 - bits.sum(axis=(1, 2))  # 0 - 0, not -0


def class_activation_maps(model, images, batch_size=128):
    """Where a network with average pooling finds evidence for each class (Zhou et al., 2016, section 2).

    Pooling and head are linear, so a class's logit is a mean over patches: of each patch, times the head's weights of
    that class. These products are the map. Its gradient-based relative, Grad-CAM on the last block, is the same up to
    scale and a cut at zero (Selvaraju et al., 2017, section 3.1).

    Args:
        model: a `PatchConvNet` with `pooling="average"`.
        images: uint8 or float (N, H, W, 3), 0..255.
        batch_size: how many images are computed at a time.

    Returns:
        logits: float32 (N, classes).
        maps: float32 (N, classes, h, w), of any sign; logit = mean of the map + the head's bias.

    Raises:
        PatchConvNetError: if the network pools by attention.
    """
    if model.get_config().get("pooling") != "average":
        raise PatchConvNetError(
            'class activation maps need pooling="average": with attention, `explain` gives the map that was used'
        )
    trunk = keras.Model(model.inputs, model.get_layer("trunk").output)
    patches = trunk.predict(check_images(images), batch_size=batch_size, verbose=0)  # (N, h, w, dim)
    kernel, bias = (keras.ops.convert_to_numpy(weight) for weight in model.get_layer("head").weights)
    maps = np.einsum("nhwd,dc->nchw", patches.astype("float32"), kernel, optimize=True)
    return maps.mean(axis=(2, 3)) + bias, maps


def deletion(model, images, maps, labels, steps=None, fill="mean"):
    """Paint over the image, the greatest cells of its map first: how fast does the class's probability fall?

    From RISE (Petsiuk et al., 2018, section 4.2). If the map names the evidence, the probability falls early and the
    area is small. What small means, a control tells: the same with maps of random numbers.

    Args:
        model: a Keras model that gives logits, such as a `PatchConvNet`.
        images: uint8 (N, H, W, 3).
        maps: (N, h, w), any numbers; of equal cells the first goes first.
        labels: int (N,), the classes whose probability is followed.
        steps: in how many steps, at most one a cell (the default).
        fill: what is painted: "mean", the image's mean colour, or "blur", the image itself, blurred.

    Returns:
        curve: float (N, steps + 1), the probability after 0, 1, ... steps.
        area: float (N,), under the curve over the share of cells, 0..1.

    Raises:
        PatchConvNetError: if shapes, labels, `steps` or `fill` are not as said above.
    """
    return _replace(model, images, maps, labels, steps, fill, inserting=False)


def insertion(model, images, maps, labels, steps=None, fill="blur"):
    """The reverse of `deletion`: from the painted image, bring back the greatest cells first.

    If the map names the evidence, the probability rises early and the area is large. Arguments, results and errors
    as in `deletion`.
    """
    return _replace(model, images, maps, labels, steps, fill, inserting=True)


def _replace(model, images, maps, labels, steps, fill, inserting):
    images, maps, labels = check_images(images), np.asarray(maps), np.asarray(labels)
    if maps.ndim != 3 or labels.ndim != 1 or not len(images) == len(maps) == len(labels):
        raise PatchConvNetError(
            f"images {images.shape}, maps {maps.shape} and labels {labels.shape}: wanted (N, H, W, 3), (N, h, w), (N,)"
        )
    cells = maps.shape[1] * maps.shape[2]
    steps = cells if steps is None else steps
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or not 1 <= steps <= cells:
        raise PatchConvNetError(f"steps must be a whole number from 1 to {cells}, the number of cells, got {steps!r}")
    painted = _painted(images, fill)
    ranks = _pixel_ranks(maps, images.shape[1:3])[..., None]  # (N, H, W, 1)
    taken = np.round(np.linspace(0, cells, steps + 1)).astype(int)  # cells after each step
    curve = np.empty((len(images), steps + 1))
    for step, count in enumerate(taken):
        mixed = np.where((ranks < count) == inserting, images, painted)
        curve[:, step] = _probabilities(model, mixed)[np.arange(len(labels)), labels]
    widths = np.diff(taken) / cells
    return curve, ((curve[:, 1:] + curve[:, :-1]) / 2 * widths).sum(axis=1)


def _pixel_ranks(maps, size):
    """For each pixel, how many cells of the map are greater than its own cell: int (N, H, W)."""
    flat = maps.reshape(len(maps), -1)
    order = np.argsort(-flat.astype("float64"), axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable").reshape(maps.shape)  # (N, h, w)
    rows, columns = (np.arange(length) * cells // length for length, cells in zip(size, maps.shape[1:]))
    return ranks[:, rows][:, :, columns]  # (N, h, w) -> (N, H, W)


def _painted(images, fill):
    """Images without their content, uint8 or float (N, H, W, 3)."""
    if fill == "mean":
        means = images.mean(axis=(1, 2), keepdims=True)  # (N, 1, 1, 3)
        return np.broadcast_to(means.astype(images.dtype), images.shape)
    if fill == "blur":
        radius = ImageFilter.GaussianBlur(max(images.shape[1:3]) / 6)
        whole = (Image.fromarray(np.clip(image, 0, 255).astype("uint8")) for image in images)
        return np.stack([np.asarray(image.filter(radius)) for image in whole]).astype(images.dtype)
    raise PatchConvNetError(f'fill must be "mean" or "blur", got {fill!r}')


def _probabilities(model, images):
    """Softmax of the model's logits: float64 (N, classes)."""
    logits = model.predict(images, batch_size=256, verbose=0).astype("float64")
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
