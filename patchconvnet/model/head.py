"""What follows the trunk: pooling, a norm, the head; and the evidence of averaging."""

import keras
import numpy as np
from keras import layers, ops

from patchconvnet.attention_pooling import AttentionPooling, PerClassHead, linear_start
from patchconvnet.trunk import make_normalization


def make_pooling(config, dtype):
    """The pooling that a `NetworkConfig` names: a new layer."""
    if config.pooling == "average":
        return layers.GlobalAveragePooling2D(
            data_format="channels_last", dtype=dtype, name="pooling"
        )
    return AttentionPooling(
        config.tokens,
        mlp_ratio=config.mlp_ratio,
        dropout=config.dropout,
        layer_scale=config.layer_scale,
        token_initializer=config.token_initializer,
        kernel_initializer=config.kernel_initializer,
        attention_dropout=config.attention_dropout,
        mlp_dropout=config.mlp_dropout,
        dtype=dtype,
        name="pooling",
    )


def make_head(config):
    """The layer that reads logits from what is pooled: a new one."""
    # Logits stay float32 in mixed precision: a loss needs the range.
    usual = {"dtype": "float32", "name": "head"}
    if config.pooling == "attention" and config.class_tokens == "per_class":
        return PerClassHead(config.kernel_initializer, **usual)
    start = linear_start(config.kernel_initializer)
    return layers.Dense(config.num_classes, kernel_initializer=start, **usual)


def classify(patches, pool, head, config, dtype):
    """From patches to logits, with the layers that the two functions above made.

    Args:
        patches: symbolic, (N, h, w, dim).
        pool, head: from `make_pooling` and `make_head`. They are made before the
            network's other weights start: so recorded runs come out as they did.
        config: a `NetworkConfig`.
        dtype: dtype policy of the norm between them.

    Returns:
        logits: symbolic, (N, num_classes).
        attention: symbolic, (N, Q, h, w), or None with average pooling.
    """
    if config.pooling == "average":
        return head(pool(patches)), None  # (N, dim) -> (N, num_classes)
    tokens, attention = pool(patches)  # (N, Q, dim), (N, Q, h, w)
    return head(_normalized(tokens, config, dtype)), attention


def _normalized(tokens, config, dtype):
    """Class tokens as the head reads them: (N, Q, dim), or (N, dim) of a single one."""
    # A batch norm removes what class tokens of all images share. A layer norm cannot:
    # it sees one image.
    normalize = make_normalization(config.norm, dtype=dtype, name="norm")
    count, dim = config.tokens, config.dim
    if config.norm == "batch" and count > 1:
        # Every token shares something else, so its numbers are channels:
        # (N, Q, dim) -> (N, Q * dim) -> (N, Q, dim)
        tokens = ops.reshape(tokens, (-1, count * dim))
        tokens = ops.reshape(normalize(tokens), (-1, count, dim))
    else:
        tokens = normalize(tokens)
    # (N, 1, dim) -> (N, dim)
    return tokens[:, 0] if config.class_tokens == "single" else tokens


def evidence(model, images, batch_size=128):
    """The class activation maps of a network whose pooling and head are linear.

    Args:
        model: a network with layers "pooling" (average) and "head" (dense).
        images: what it takes, (N, ...).
        batch_size: how many are computed at a time.

    Returns:
        logits: float32 (N, classes).
        maps: float32 (N, classes, h, w), of any sign; logit = mean of the map + the
            head's bias.
    """
    before = keras.Model(model.inputs, model.get_layer("pooling").input)
    # (N, h, w, dim)
    patches = before.predict(images, batch_size=batch_size, verbose=0)
    kernel, bias = (
        ops.convert_to_numpy(value) for value in model.get_layer("head").weights
    )
    # (N, h, w, dim) x (dim, classes) -> (N, classes, h, w)
    maps = np.einsum("nhwd,dc->nchw", patches.astype("float32"), kernel, optimize=True)
    return maps.mean(axis=(2, 3)) + bias, maps
