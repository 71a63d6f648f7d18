"""Other maps of the same network, for the class that it names.

grad_cam                  channels of the last feature map, by their slopes
gradient_times_attention  attention, times what the class would gain from more of it
gradient_times_input      pixels, times their slopes
occlusion                 what the class loses when a cell is painted over
"""

import keras
import numpy as np

from patchconvnet.errors import PatchConvNetError
from patchconvnet.faithfulness.gradients import (
    cut_at_pooling,
    features_before,
    logit_gradients,
)
from patchconvnet.faithfulness.localization import cell_shares, checked_grid
from patchconvnet.faithfulness.perturbation import cells_of, painted, probabilities
from patchconvnet.preprocessing import check_images


def grad_cam(model, images, classes, batch_size=128):
    """Grad-CAM on the feature map that is pooled (Selvaraju et al., 2017, eq. 1, 2).

    Each channel is weighed by the mean slope of the class's logit; of the sum the
    positive part is kept.

    Args:
        model: a `PatchConvNet` or `PooledNetwork`, of any pooling.
        images: uint8 or float (N, H, W, 3), 0..255.
        classes: int (N,), the classes that are asked about, each from 0.
        batch_size: how many images are computed at a time.

    Returns:
        float32 (N, h, w), not negative, of no fixed sum.

    Raises:
        PatchConvNetError: images or classes that are not as said above.
    """
    images, classes = _checked(model, images, classes)
    patches = features_before(model, "pooling", images, batch_size)  # (N, h, w, C)
    after = keras.Model(model.get_layer("pooling").input, model.outputs[0])
    slopes = logit_gradients(after, [patches], classes, batch_size)  # (N, h, w, C)
    channels = slopes.mean(axis=(1, 2))  # (N, h, w, C) -> (N, C)
    # (N, h, w, C) x (N, C) -> (N, h, w)
    return np.maximum(np.einsum("nhwc,nc->nhw", patches, channels), 0)


def gradient_times_attention(model, images, classes, batch_size=128):
    """Attention, times the slope of the class's logit by it, cut at zero.

    The map of Chefer et al. (2021, "Generic Attention-model Explainability", eq. 5),
    for one layer with one head. Unlike attention, it asks about one class.

    Arguments, what is returned and errors are as in `grad_cam`; it also needs attention
    pooling with a single class token.
    """
    images, classes = _checked(model, images, classes)
    weights, values, grid, reader = cut_at_pooling(model, images, batch_size)
    slopes = logit_gradients(reader, [weights, values], classes, batch_size)
    gains = np.maximum(weights * slopes, 0)[:, 0, 1:]  # (N, 1, S) -> (N, P)
    return gains.reshape(len(gains), *grid)  # (N, P) -> (N, h, w)


def gradient_times_input(model, images, classes, grid, batch_size=128):
    """Pixels, times the slopes of the class's logit by them, averaged in each cell.

    After Shrikumar et al. (2016, "Not Just a Black Box"). A pixel is measured from its
    image's mean colour, the one that `deletion` paints with, so that the product says
    what painting it would change, if the network were linear. Signs are dropped.

    Arguments, what is returned and errors are as in `grad_cam`; `grid` is (h, w), how
    many cells the map has.
    """
    images, classes = _checked(model, images, classes)
    grid = checked_grid(grid, images.shape[1:3])
    images = images.astype("float32")
    slopes = logit_gradients(model, [images], classes, batch_size)  # (N, H, W, 3)
    products = slopes * (images - painted(images, "mean"))
    by_pixel = np.abs(products.sum(axis=-1))  # (N, H, W, 3) -> (N, H, W)
    return cell_shares(by_pixel, grid).astype("float32")  # (N, H, W) -> (N, h, w)


def occlusion(model, images, classes, grid, fill="mean"):
    """How much of its class's probability an image loses without each cell.

    From Zeiler and Fergus (2014, section 4.2, "occlusion sensitivity"). One cell at a
    time is painted over, so an image is asked about h x w times.

    Args:
        grid: (h, w), how many cells.
        fill: see `deletion`.

    Other arguments and errors are as in `grad_cam`.

    Returns:
        float32 (N, h, w): the probability of the image as it is, less that without
        the cell; -1..1.
    """
    images, classes = _checked(model, images, classes)
    grid, every = checked_grid(grid, images.shape[1:3]), np.arange(len(images))
    paint = painted(images, fill)
    before = probabilities(model, images)[every, classes]  # (N,)
    rows, columns = cells_of(images.shape[1:3], grid)
    losses = np.empty((len(images), *grid), "float32")
    for row, column in np.ndindex(*grid):
        cell = (rows == row)[:, None] & (columns == column)  # (H, W)
        covered = np.where(cell[..., None], paint, images)  # (N, H, W, 3)
        without = probabilities(model, covered)[every, classes]
        losses[:, row, column] = before - without
    return losses


def _checked(model, images, classes):
    """What was given, once it is known to fit: images (N, ...), classes int (N,)."""
    shape = getattr(model, "output_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 2 or None in shape[1:]:
        raise PatchConvNetError(
            "the model must be a built Keras model with logits (N, classes), got"
            f" {type(model).__name__}"
        )
    # else it takes the output of a trunk
    images = np.asarray(images)
    if model.inputs[0].shape[-1] == 3:
        images = check_images(images)
    try:
        found = np.asarray(classes)
    except ValueError:
        found = np.asarray(None)
    whole = found.ndim == 1 and np.issubdtype(found.dtype, np.integer)
    if not whole or len(found) != len(images):
        raise PatchConvNetError(
            f"classes must be whole numbers, one for each of the {len(images)} images,"
            f" got {found.dtype} {found.shape}"
        )
    if found.min() < 0 or found.max() >= shape[1]:
        raise PatchConvNetError(
            f"classes must be from 0 to {shape[1] - 1}, got {found.min()} to"
            f" {found.max()}"
        )
    return images, found
