"""Crops in which the object lies towards a corner: photographs rarely have it there.

A map that knows nothing but where objects tend to be, in the middle, loses there. The
crops are enlarged, so that an object fills more of them, too.
"""

import numpy as np
from PIL import Image

from patchconvnet.errors import PatchConvNetError


def off_centre(images, masks, side=160, seed=0):
    """Cut a square from each image so that its object comes to lie towards a corner.

    The corner is drawn; the object's centre of mass goes to a quarter of the square
    from there in both directions, or as near as the image allows. The square is brought
    back to the image's size: pictures bicubic, masks by nearest neighbour.

    Args:
        images: uint8 (N, S, S, 3).
        masks: bool (N, S, S), True somewhere in each.
        side: of the square, in pixels, 1 to S.
        seed: of the corners, from 0.

    Returns:
        images uint8 (N, S, S, 3) and masks bool (N, S, S).

    Raises:
        PatchConvNetError: images and masks that do not go together; an empty mask; an
            impossible side.
    """
    images, masks = np.asarray(images), np.asarray(masks)
    if (
        images.ndim != 4
        or images.shape[:3] != masks.shape
        or len(set(masks.shape[1:])) > 1
    ):
        raise PatchConvNetError(
            f"images of shape {images.shape} and masks of shape {masks.shape}; wanted"
            " (N, S, S, 3) and (N, S, S)"
        )
    size = images.shape[1]
    if not masks.any(axis=(1, 2)).all():
        raise PatchConvNetError("masks: one is empty, and so has no object to move")
    if not 1 <= side <= size:
        raise PatchConvNetError(
            f"side must be from 1 to {size}, the images' own, got {side!r}"
        )
    # (N, 2): 0 for the upper or left corner, 1 for the lower or right one
    corners = np.random.default_rng(seed).integers(0, 2, (len(images), 2))
    cut_images, cut_masks = np.empty_like(images), np.empty_like(masks)
    for index, (image, mask) in enumerate(zip(images, masks)):
        middle = np.argwhere(mask).mean(axis=0)  # (2,): row and column
        wanted = middle - side * (1 + 2 * corners[index]) / 4
        row, column = np.clip(np.rint(wanted), 0, size - side).astype(int)
        box = (column, row, column + side, row + side)
        cut_images[index] = _enlarged(image, box, Image.Resampling.BICUBIC)
        cut_masks[index] = _enlarged(mask, box, Image.Resampling.NEAREST)
    return cut_images, cut_masks


def centre_distance(masks):
    """How far each object's centre of mass lies from the middle: float64 (N,).

    Of masks bool (N, h, w). In sides of the image, 0 to 0.71; an empty mask's is NaN.
    """
    distances = []
    for mask in masks:
        if not mask.any():
            distances.append(np.nan)
            continue
        middle = (np.argwhere(mask).mean(axis=0) + 0.5) / mask.shape
        distances.append(np.hypot(*(middle - 0.5)))
    return np.array(distances)


def _enlarged(array, box, how):
    picture = Image.fromarray(array)
    return np.asarray(picture.resize(picture.size, how, box))
