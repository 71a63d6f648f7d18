"""The weights of a network as arrays under Keras' names, and back again."""

import numpy as np
from keras import ops

from patchconvnet.errors import PatchConvNetError


def weights_of(model):
    """The weights of a model as float16 arrays: a dict from Keras' path to array.

    Of a network on a trunk that somebody else trained, those that follow the trunk.
    """
    # too large for float16 where a training failed: `set_weights` refuses them
    with np.errstate(over="ignore"):
        return {
            weight.path: ops.convert_to_numpy(weight).astype("float16")
            for weight in _own(model)
        }


def _own(model):
    return getattr(model, "own_weights", model.weights)


def set_weights(model, weights, source="the file"):
    """Give `model` the weights of a dict as `weights_of` makes it.

    Raises:
        PatchConvNetError: if they belong to another architecture; the first difference
            is named.
    """
    for weight in _own(model):
        if weight.path not in weights:
            raise PatchConvNetError(
                f"{source} lacks the weight {weight.path}: it is of another"
                " architecture"
            )
        _check(weights[weight.path], weight, source)
    unknown = weights.keys() - {weight.path for weight in _own(model)}
    if unknown:
        raise PatchConvNetError(
            f"{source} has a weight that this network lacks: {sorted(unknown)[0]}"
        )
    for weight in _own(model):
        weight.assign(weights[weight.path].astype("float32"))


def _check(found, weight, source):
    if found.shape != tuple(weight.shape):
        raise PatchConvNetError(
            f"{source}: {weight.path} has shape {found.shape}, this network wants"
            f" {weight.shape}"
        )
    with np.errstate(over="ignore"):  # what is too large becomes infinite
        finite = (
            found.dtype.kind in "fiu" and np.isfinite(found.astype("float32")).all()
        )
    if not finite:
        raise PatchConvNetError(
            f"{source}: {weight.path} holds what is no finite number: its training"
            " failed, or it is damaged"
        )
