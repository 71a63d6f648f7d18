"""How far a picture is from those that a network was trained on.

    description   of a picture: the mean of the trunk's patches, `dim` numbers
    usual         mean and covariance of the descriptions of training images
    distance      how many deviations from usual, whatever the direction (Mahalanobis):
                  usually near 1
    limit         the distance that one held-out image in twenty exceeds

No labels and no answers go in: a network can be sure of an answer, and its picture
strange. The idea is that of Lee et al. (2018), "A Simple Unified Framework for
Detecting Out-of-Distribution Samples and Adversarial Attacks", without their classes.
Chapter 11 compares it with the answers' own sureness, and measures how often the limit
errs.
"""

import keras
import numpy as np

MOST_IMAGES = 5_000  # that are described in `measure`, of each kind
EXCEEDED_BY = 0.05  # share of held-out images that are farther away than the limit


def descriptions(model, images, batch_size=128):
    """The mean of the trunk's patches for each image.

    Args:
        model: a `PatchConvNet`.
        images: uint8 or float (N, H, W, 3), as the network takes them.
        batch_size: how many images are computed at a time.

    Returns:
        float32 (N, dim).
    """
    trunk = keras.Model(model.inputs[0], model.get_layer("pooling").input)
    means = []
    for start in range(0, len(images), batch_size):
        # Called, not `predict`: that would compile anew for one picture.
        patches = trunk(images[start : start + batch_size], training=False)
        patches = keras.ops.convert_to_numpy(patches)
        # (n, h, w, dim) -> (n, dim)
        means.append(patches.astype("float32").mean(axis=(1, 2)))
    return np.concatenate(means)


def measure(model, training_images, held_out_images=None):
    """What is usual for a network, and from which distance on a picture is strange.

    Args:
        model: a trained `PatchConvNet` or `PooledNetwork`.
        training_images: uint8 (N, H, W, 3), the first 5,000 of which are used.
        held_out_images: the same, of images that it was not trained on: validation
            images, as the limit is a choice, and test images must choose nothing.
            Where there are none, each fifth of the training images is held against what
            is usual for the others.

    Returns:
        dict of float32 arrays: "mean" (dim,); "whitening" (dim, dim), which
        brings descriptions to variance 1 in each direction; "limit" ().
    """
    found = descriptions(model, training_images[:MOST_IMAGES]).astype("float64")
    usual = _usual(found)
    if held_out_images is None:
        far = _distances_of_fifths(found)
    else:
        far = distances(model, held_out_images[:MOST_IMAGES], usual)
    return {**usual, "limit": np.float32(np.quantile(far, 1 - EXCEEDED_BY))}


def _usual(found):
    """Mean and whitening of descriptions (N, dim)."""
    mean = found.mean(axis=0)
    covariance = (found - mean).T @ (found - mean) / len(found)
    variances, directions = np.linalg.eigh(covariance)
    # A direction in which the training images hardly vary must not decide alone.
    whitening = directions / np.sqrt(variances + 1e-3 * variances.mean())
    return {"mean": mean.astype("float32"), "whitening": whitening.astype("float32")}


def _distances_of_fifths(found):
    """How far each description is from what is usual for other fifths: (N,)."""
    # drawn, as images may lie in the order of their classes
    fifth = np.random.RandomState(0).permutation(len(found)) % 5
    far = np.empty(len(found))
    for number in range(5):
        apart = fifth == number
        usual = _usual(found[~apart])
        deviations = (found[apart] - usual["mean"]) @ usual["whitening"]  # (n, dim)
        far[apart] = np.sqrt((deviations**2).mean(axis=1))
    return far


def distances(model, images, usual):
    """How far images are from what is usual: float32 (N,), from 0; their
    squares are 1 on average over the training images.

    Args:
        model: the `PatchConvNet` that `usual` was measured on.
        images: uint8 or float (N, H, W, 3), as the network takes them.
        usual: dict, as `measure` returns it.
    """
    deviations = descriptions(model, images) - usual["mean"]  # (N, dim)
    deviations = deviations @ usual["whitening"]  # (N, dim)
    return np.sqrt((deviations**2).mean(axis=1))
