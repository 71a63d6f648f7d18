"""Where the object is known: does the map lie on it?

All measures work on the patch grid: a mask is averaged by area to the map's cells, so
that each cell has a share from 0 to 1, "how much of me is object".
"""

import numpy as np

from patchconvnet.errors import PatchConvNetError, plain, short, whole


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
        raise PatchConvNetError(
            f"masks: shape {masks.shape}; wanted (N, height, width)"
        )
    rows, columns = (
        _overlaps(size, cells) for size, cells in zip(masks.shape[1:], grid)
    )
    areas = np.einsum(
        "Hh,nhw,Ww->nHW", rows, masks.astype("float64"), columns, optimize=True
    )
    # the one rounding: half a cell is exactly 0.5
    return areas / (masks.shape[1] * masks.shape[2])


def checked_grid(grid, size):
    """Rows and columns of a map of an image with `size` pixels: (h, w).

    Raises:
        PatchConvNetError: no two whole numbers, or more cells than pixels.
    """
    fits = isinstance(grid, (tuple, list)) and len(grid) == 2
    for cells, pixels in zip(grid if fits else (), size):
        fits = fits and whole(1, pixels).accepts(plain(cells))
    if not fits:
        raise PatchConvNetError(
            f"grid must be two whole numbers, from 1 to {size[0]} and {size[1]}, the"
            f" image's pixels, got {short(grid)}"
        )
    return tuple(map(int, grid))


def _overlaps(size, cells):
    """How much of each cell each pixel fills, along one axis: (cells, size).

    In 1 / cells of a pixel: whole numbers. Every row sums to `size`.
    """
    edges = np.arange(cells + 1)[:, None] * size  # (cells + 1, 1)
    pixels = np.arange(size)[None] * cells
    # (cells, size)
    overlap = np.minimum(edges[1:], pixels + cells) - np.maximum(edges[:-1], pixels)
    return np.maximum(overlap, 0).astype("float64")


def _checked(maps, masks):
    maps, masks = np.asarray(maps), np.asarray(masks)
    if maps.ndim != 3 or masks.ndim != 3 or len(maps) != len(masks):
        raise PatchConvNetError(
            f"maps of shape {maps.shape} and masks of shape {masks.shape}; wanted (N,"
            " H, W) and (N, h, w), same N"
        )
    _check_finite(maps)
    return maps, cell_shares(masks, maps.shape[1:])


def _check_finite(maps):
    if not np.isfinite(maps).all():
        raise PatchConvNetError(
            "maps: some values are no finite numbers: the network's training has failed"
        )


def _summing_to_one(maps):
    maps = np.asarray(maps, dtype="float64")
    if maps.ndim != 3:
        raise PatchConvNetError(f"maps: shape {maps.shape}; wanted (N, H, W)")
    _check_finite(maps)
    totals = maps.sum(axis=(1, 2), keepdims=True)
    if maps.min(initial=0) < 0 or not np.all(totals > 0):
        raise PatchConvNetError(
            "maps: no value may be negative, and no map may be zero everywhere"
        )
    return maps / totals


def pointing_game(maps, masks, threshold=0.5):
    """Is the map's greatest cell on the object (Zhang et al., 2016, section
    4.1)?

    A uniform map points at its first cell; a random cell is on the object as
    often as `chance` says.

    Args:
        maps: (N, H, W), any numbers; of equal greatest cells the first counts.
        masks: bool (N, h, w), of any size.
        threshold: share of the cell that the object must fill. The course's
            "on the object" is 0.5.

    Returns:
        bool (N,).
    """
    maps, shares = _checked(maps, masks)
    greatest = maps.reshape(len(maps), -1).argmax(axis=1)  # (N, H, W) -> (N,)
    shares = shares.reshape(len(maps), -1)  # (N, H, W) -> (N, H * W)
    return shares[np.arange(len(maps)), greatest] >= threshold


def chance(masks, grid, threshold=0.5):
    """How often a cell drawn at random is on the object: float in 0..1.
    Arguments as in `pointing_game`.
    """
    return float((cell_shares(masks, grid) >= threshold).mean())


def best_fixed_cell(masks, grid, threshold=0.5):
    """How often the best cell that ignores the image is on the object.

    Objects lie more often in the middle than at the border, so this is more
    than `chance`: the score of a map that knows where objects tend to be, and
    looks at nothing. The cell is chosen on these very masks, so this is an
    upper bound. Arguments as in `pointing_game`.
    """
    return float((cell_shares(masks, grid) >= threshold).mean(axis=0).max())


def energy(maps, masks):
    """Share of a map that lies on the object (Wang et al., 2020, section 4.3:
    "energy-based pointing game").

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
    """`energy` over the object's share of the image.

    It is 1 for a uniform map, more where the object gets more than its share. Arguments
    as in `energy`.

    Returns:
        float (N,), 0 or more; NaN where the mask is empty.
    """
    # (N, h, w) -> (N,)
    share = np.asarray(masks).mean(axis=(1, 2), dtype="float64")
    return np.divide(
        energy(maps, masks), share, out=np.full(len(share), np.nan), where=share > 0
    )


def rank_accuracy(maps, masks, threshold=0.5):
    """Of the K greatest cells, the share on the object, which has K cells.

    From Arras et al. (2022): relevance rank accuracy. Of equal cells at the edge of the
    K greatest, each counts in part. So a uniform map scores the object's share of the
    cells.

    Args:
        maps: (N, H, W), any numbers.
        masks: bool (N, h, w), of any size.
        threshold: share of a cell that the object must fill.

    Returns:
        float (N,), 0..1; NaN where no cell is on the object.
    """
    values, hits, count = _ranked(maps, masks, threshold)
    size = count.astype(int)
    # (N, 1): the K-th greatest value
    last = values[np.arange(len(values)), np.maximum(size, 1) - 1][:, None]
    above, level = values > last, values == last
    # what is left of the K for those that are equal to the last one
    places = size - above.sum(axis=1)
    in_part = places * (hits & level).sum(axis=1) / level.sum(axis=1)
    found = (hits & above).sum(axis=1) + in_part
    return np.divide(found, count, out=np.full(len(count), np.nan), where=count > 0)


def average_precision(maps, masks, threshold=0.5):
    """Mean precision at the object's cells, taken from the greatest down.

    The area under the curve of precision over recall, as a sum of steps
    (Manning et al., 2008, section 8.4). 1 if all of the object's cells come
    first. Equal cells are taken together, so a uniform map scores the object's
    share of the cells. Arguments as in `rank_accuracy`.

    Returns:
        float (N,), 0..1; NaN where no cell is on the object.
    """
    values, hits, count = _ranked(maps, masks, threshold)
    ranks = np.arange(1, values.shape[1] + 1)
    last = np.ones((len(values), 1), bool)
    ends = np.concatenate([values[:, 1:] != values[:, :-1], last], axis=1)
    # For each cell, the place where its group of equal cells ends: the next end from
    # here on. (N, cells)
    backwards = np.where(ends, ranks, ranks[-1])[:, ::-1]
    ends = np.minimum.accumulate(backwards, axis=1)[:, ::-1]
    precision = np.take_along_axis(hits.cumsum(axis=1), ends - 1, axis=1) / ends
    total = (hits * precision).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _ranked(maps, masks, threshold):
    """Cells from the greatest value down, and whether each is on the object.

    Values (N, cells), bool (N, cells), and how many are on it, float (N,).
    """
    maps, shares = _checked(maps, masks)
    values = maps.reshape(len(maps), -1)  # (N, H, W) -> (N, cells)
    on_object = shares.reshape(len(maps), -1) >= threshold
    order = np.argsort(-values.astype("float64"), axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    hits = np.take_along_axis(on_object, order, axis=1)
    return values, hits, hits.sum(axis=1).astype("float64")


def entropy(maps):
    """How spread out each map is, in bits.

    From 0 (one cell has everything) to log2(H W) (uniform).

    Args:
        maps: (N, H, W), not negative; each is divided by its sum.

    Returns:
        float (N,).
    """
    shares = _summing_to_one(maps)
    bits = shares * np.log2(np.where(shares > 0, shares, 1))  # 0 log 0 is 0
    return 0 - bits.sum(axis=(1, 2))  # 0 - 0, not -0


def measure(maps, masks=None):
    """All measures of this module at their defaults, each as its mean over the maps.

    Args:
        maps: (N, H, W), not negative.
        masks: bool (N, h, w), of any size, or None: then the entropy alone.

    Returns:
        dict of name to float: "pointing_game", "energy", "energy_ratio",
        "rank_accuracy", "average_precision" (of those maps for which it is
        defined) and "entropy".
    """
    scores = {"entropy": float(entropy(maps).mean())}
    if masks is None:
        return scores
    located = (pointing_game, energy, energy_ratio, rank_accuracy, average_precision)
    # once for all; (N, h, w) -> (N, H, W)
    masks = cell_shares(masks, np.shape(maps)[1:])
    means = {
        function.__name__: float(np.nanmean(function(maps, masks)))
        for function in located
    }
    return means | scores
