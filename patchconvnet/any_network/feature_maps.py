"""The feature map in a Keras model: found, or said what is amiss."""

import difflib

import keras

from patchconvnet.errors import PatchConvNetError, one_line

WANTED = "a feature map (N, height, width, channels)"
MOST_CHANNELS = 4096  # of the pooling's class token


def trunk_of(backbone, layer=None, preprocess=None):
    """A model from images to the feature map of another model.

    Args:
        backbone: a Keras model with one input of images.
        layer: name of the layer whose output is the feature map; None for the last.
        preprocess: a layer, or a function of a tensor: what the backbone wants done to
            images first, as its `preprocess_input` in `keras.applications`.

    Returns:
        `keras.Model` named "trunk", which shares its layers with `backbone`. Input as
        the backbone's, float (N, H, W, C). Output: float (N, h, w, C).

    Raises:
        PatchConvNetError: no Keras model; no such layer; an output that is no feature
            map, or has its channels first.
    """
    if not isinstance(backbone, keras.Model):
        raise PatchConvNetError(
            f"backbone must be a Keras model, got {type(backbone).__name__}"
        )
    if preprocess is not None and not callable(preprocess):
        raise PatchConvNetError(
            f"preprocess must be a layer or a function of a tensor, got {preprocess!r}"
        )
    images, output = _ends(backbone, layer)
    if len(output.shape) != 4:
        raise PatchConvNetError(
            f"{_named(backbone, layer)} ends in {_shape(output)}, not in {WANTED}:"
            f" {_way_out(backbone)}"
        )
    if _has_channels_first(backbone, layer):
        raise PatchConvNetError(
            f"{_named(backbone, layer)} has its channels first, {_shape(output)}: build"
            ' it after keras.config.set_image_data_format("channels_last")'
        )
    if (output.shape[-1] or 0) > MOST_CHANNELS:
        raise PatchConvNetError(
            f"{_named(backbone, layer)} has {output.shape[-1]:,} channels, and"
            f" {MOST_CHANNELS:,} are the most: take an earlier layer with layer="
        )
    if output.shape[-1] is None:
        raise PatchConvNetError(
            f"{_named(backbone, layer)} has an unknown number of channels,"
            f" {_shape(output)}: build it with keras.Input((height, width, 3))"
        )
    inside = keras.Model(images, output, name="backbone")
    images = keras.Input(images.shape[1:], dtype="float32", name="images")
    prepared = images if preprocess is None else preprocess(images)
    # (N, H, W, 3) -> (N, h, w, C)
    return keras.Model(images, inside(prepared), name="trunk")


def _ends(backbone, layer):
    """Input and output of a model up to a layer, both symbolic."""
    if not isinstance(getattr(backbone, "inputs", None), list):
        raise PatchConvNetError(
            f"{_named(backbone)} does not say what it takes: make it of"
            " keras.Input((height, width, 3)) and what follows, functional or"
            " Sequential"
        )
    if len(backbone.inputs) != 1:
        raise PatchConvNetError(
            f"{_named(backbone)} takes {len(backbone.inputs)} inputs, and attention is"
            " put on a network of one, of images"
        )
    if layer is None:
        outputs = backbone.outputs
        if len(outputs) != 1:
            raise PatchConvNetError(
                f"{_named(backbone)} has {len(outputs)} outputs: name the layer of one"
                " with layer="
            )
        return backbone.inputs[0], outputs[0]
    names = [part.name for part in backbone.layers]
    if layer not in names:
        near = difflib.get_close_matches(str(layer), names, n=3) or names[-3:]
        raise PatchConvNetError(
            f"{_named(backbone)} has no layer {layer!r}: near are {', '.join(near)}"
        )
    part = backbone.get_layer(layer)
    if isinstance(part, keras.Model):
        raise PatchConvNetError(
            f"{_named(backbone, layer)} is a network itself: give it as the backbone,"
            f" backbone.get_layer({layer!r})"
        )
    return backbone.inputs[0], part.output


def _named(backbone, layer=None):
    name = f"the network {one_line(backbone.name)!r}"
    return name if layer is None else f"layer {layer!r} of {name}"


def _shape(tensor):
    return f"({', '.join(['N', *map(str, tensor.shape[1:])])})"


def _way_out(backbone):
    """Where its last feature map is, in words."""
    for part in reversed(backbone.layers):
        shape = getattr(getattr(part, "output", None), "shape", ())
        if len(shape) != 4 or shape[1:3] == (1, 1):
            continue
        if isinstance(part, keras.Model):
            return f"take the network in it, backbone.get_layer({part.name!r})"
        if not isinstance(part, keras.layers.InputLayer):
            return f'name a layer that does with layer=, as layer="{part.name}"'
    return "give one that keeps the places, as with include_top=False"


def _has_channels_first(backbone, layer):
    """Whether the feature map is (N, C, h, w), as the layer before it says."""
    names = [part.name for part in backbone.layers]
    end = len(names) if layer is None else names.index(layer) + 1
    for part in reversed(backbone.layers[:end]):
        if isinstance(part, keras.Model):
            return _has_channels_first(part, None)
        if data_format := getattr(part, "data_format", None):
            return data_format == "channels_first"
    return False
