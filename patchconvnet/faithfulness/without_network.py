"""Maps that no network made: what a network's map must do better than.

centre_map      where objects tend to be
random_maps     anywhere
contrast_maps   where the image differs from most of itself
"""

import numpy as np

from patchconvnet.faithfulness.localization import cell_shares, checked_grid
from patchconvnet.preprocessing import check_images


def centre_map(grid, width=0.25):
    """A bell that is highest in the middle of the image, and sums to 1.

    It is a map that only knows where objects tend to be.

    Args:
        grid: (H, W), rows and columns.
        width: standard deviation of the bell, as a share of each side.

    Returns:
        float64 (H, W).
    """
    rows, columns = (((np.arange(cells) + 0.5) / cells - 0.5) / width for cells in grid)
    bell = np.exp(-(rows[:, None] ** 2 + columns[None] ** 2) / 2)  # (H, W)
    return bell / bell.sum()


def random_maps(count, grid, seed=0):
    """Maps whose cells come in random order, each summing to 1: (count, H, W)."""
    draws = np.random.default_rng(seed).random((count, *grid))
    return draws / draws.sum(axis=(1, 2), keepdims=True)


def contrast_maps(images, grid):
    """How far each cell's pixels are, on average, from their image's median colour.

    Where a single object differs from what is around it, that alone finds much of it.
    No network was asked: what this map scores, a score of a network's map must exceed.

    Args:
        images: uint8 or float (N, H, W, 3), 0..255.
        grid: (h, w), rows and columns of cells, at most as many as pixels.

    Returns:
        float64 (N, h, w), 0..765: the sum over the three channels.

    Raises:
        PatchConvNetError: images or a grid that are not as said above.
    """
    images = check_images(images).astype("float64")
    grid = checked_grid(grid, images.shape[1:3])
    medians = np.median(images, axis=(1, 2), keepdims=True)  # (N, 1, 1, 3)
    distances = np.abs(images - medians).sum(axis=-1)  # (N, H, W, 3) -> (N, H, W)
    return cell_shares(distances, grid)
