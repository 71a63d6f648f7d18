"""Networks that a recipe names: what is set of them, as plain values."""

from dataclasses import asdict, dataclass

import keras

from patchconvnet.any_network.efficientnet_lite0 import (
    LAST_SHIPPED,
    SIZE,
    UNTIL,
    channels_of,
    efficientnet_lite0,
    side_of,
)
from patchconvnet.any_network.pooled import add_attention, add_average
from patchconvnet.errors import SHARE, Checked, one_of, setting, whole

PRESETS = {"pets": {"num_classes": 3}}


@dataclass(frozen=True)
class PooledConfig(Checked):
    """A `PooledNetwork` on `efficientnet_lite0`: its settings, and what each may be."""

    num_classes: int = setting(3, whole(1, 100_000))
    trunk: str = setting("efficientnet_lite0", one_of("efficientnet_lite0"))
    until: int = setting(10, UNTIL)
    pooling: str = setting("attention", one_of("attention", "average"))
    class_tokens: str = setting("single", one_of("single", "per_class"))
    dropout: float = setting(0.2, SHARE)


def is_pooled(model):
    """Whether the "model" of a recipe names a network on somebody else's trunk."""
    return "trunk" in model


def comes_whole(model):
    """Whether all weights of such a network's trunk come with the package."""
    return model.get("until", 0) <= LAST_SHIPPED


def model_of(settings):
    """The "model" of a recipe: a dict, with the sizes that follow from its settings.

    Args:
        settings: values of `PooledConfig` by name.

    Raises:
        PatchConvNetError: a value that may not be so.
    """
    config = PooledConfig(**settings)
    sizes = {"image_size": SIZE, "dim": channels_of(config.until)}
    return asdict(config) | sizes


def build(model, on_features=False):
    """The network that the "model" of a recipe names, untrained but for its trunk.

    Args:
        model: as `model_of` returns it.
        on_features: whether the network takes the trunk's output instead of images.

    Returns:
        A `PooledNetwork`; its `own_weights` have the same names either way.

    Raises:
        PatchConvNetError: as in `efficientnet_lite0`.
    """
    if on_features:
        side = side_of(model["until"])
        features = keras.Input((side, side, model["dim"]), name="features")
        backbone = keras.Model(features, keras.layers.Identity()(features))
    else:
        backbone = efficientnet_lite0(model["until"])
    if model["pooling"] == "average":
        return add_average(backbone, model["num_classes"])
    settings = {name: model[name] for name in ("dropout", "class_tokens")}
    return add_attention(backbone, model["num_classes"], **settings)
