"""What a network answers, and where it looks, whatever its pooling."""

import numpy as np

from patchconvnet import faithfulness
from patchconvnet.errors import PatchConvNetError


def look(model, images):
    """Logits, and one map or one a class: attention, or what takes its place.

    With average pooling that is the positive part of the class activation maps. One
    that is nowhere positive says nothing, and becomes uniform.

    Returns:
        logits: float32 (N, classes).
        maps: float32 (N, Q, h, w), not negative, each with a sum of 1; Q is 1, or the
            number of classes.

    Raises:
        PatchConvNetError: answers that are no finite numbers.
    """
    logits, maps = _answers(model, images)
    if not np.isfinite(logits).all():
        raise PatchConvNetError(
            "the network's answers are no finite numbers: its training has failed, or"
            " its weights are damaged"
        )
    return logits, maps


def _answers(model, images):
    if model.get_config().get("pooling") == "attention":
        return model.explain(images)
    logits, maps = faithfulness.class_activation_maps(model, images)
    maps = np.maximum(maps, 0)
    maps = np.where(maps.sum(axis=(2, 3), keepdims=True) > 0, maps, 1)
    return logits, maps / maps.sum(axis=(2, 3), keepdims=True)


def maps_of(classes, maps):
    """The map of each image's class (N,), if there is one a class: (N, h, w).

    From attention (N, Q, h, w).
    """
    token = classes if maps.shape[1] > 1 else np.zeros(len(maps), dtype=int)
    return maps[np.arange(len(maps)), token]
