"""The trunk: residual blocks that look around and mix channels, on a grid that never shrinks.

    x -> norm -> 1x1 -> GELU -> 3x3 -> GELU -> squeeze-and-excitation -> 1x1 -> times a learned scale -> plus x

Most convolutional networks halve the grid again and again. This one keeps it (paper, section 3.1), so that at the
end there are still enough patches to draw a map of where the network looks.
"""

import keras
from keras import layers
from keras.activations import gelu  # the exact form; keras.ops.gelu is an approximation by default

from patchconvnet.squeeze_excite import SqueezeExcite


def make_normalization(kind, **options):
    """A new normalization layer: over the channels of each patch ("layer"), or over the batch ("batch")."""
    if kind == "batch":
        return layers.BatchNormalization(momentum=0.9, **options)
    return layers.LayerNormalization(epsilon=1e-6, **options)


@keras.saving.register_keras_serializable(package="patchconvnet")
class TrunkBlock(layers.Layer):
    """One residual block of the trunk (paper, section 3.1 and figure 3).

    Args:
        spatial: "dense" (every 3x3 filter sees all channels: the Keras example) or "depthwise" (one 3x3 filter a
            channel: the paper).
        norm: "layer" (the paper) or "batch".
        se_ratio: divisor of the squeeze-and-excitation (see `SqueezeExcite`), or None for no such step.
        se_bias: whether its dense layers have biases.
        layer_scale: start value of a learned factor for each channel of the branch (CaiT, section 2), or None
            for no factor.
        drop_path: probability, 0 <= p < 1, that training skips the branch for an image (stochastic depth).

    Input and output: float (N, H, W, C).

    Raises:
        ValueError: if an argument is not as said above.
    """

    def __init__(
        self,
        spatial="dense",
        norm="layer",
        se_ratio=8,
        se_bias=False,
        layer_scale=None,
        drop_path=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        # === config ===
        self.spatial = spatial
        self.norm = norm
        self.se_ratio = se_ratio
        self.se_bias = se_bias
        self.layer_scale = layer_scale
        self.drop_path = drop_path
        if spatial not in ("dense", "depthwise"):
            raise ValueError(f'spatial must be "dense" or "depthwise", got {spatial!r}')
        if norm not in ("layer", "batch"):
            raise ValueError(f'norm must be "layer" or "batch", got {norm!r}')
        if not 0 <= drop_path < 1:
            raise ValueError(f"drop_path must be at least 0 and below 1, got {drop_path!r}")

    def build(self, input_shape):
        channels, policy = input_shape[-1], self.dtype_policy
        self.normalize = make_normalization(self.norm, dtype=policy, name="norm")
        last = {"data_format": "channels_last", "dtype": policy}  # whatever the user's keras.json says
        self.mix_in = layers.Conv2D(channels, 1, name="mix_in", **last)
        around = {"padding": "same", "name": "look_around", **last}
        if self.spatial == "dense":
            self.look_around = layers.Conv2D(channels, 3, **around)
        else:
            self.look_around = layers.DepthwiseConv2D(3, **around)
        self.squeeze_excite = None
        if self.se_ratio is not None:
            self.squeeze_excite = SqueezeExcite(self.se_ratio, self.se_bias, dtype=policy, name="squeeze_excite")
            self.squeeze_excite.build(input_shape)
        self.mix_out = layers.Conv2D(channels, 1, name="mix_out", **last)
        # One draw an image: the noise has size 1 along height, width and channels.
        self.skip = layers.Dropout(self.drop_path, noise_shape=(None, 1, 1, 1), dtype=policy, name="drop_path")
        for layer in (self.normalize, self.mix_in, self.look_around, self.mix_out, self.skip):
            layer.build(input_shape)
        self.scale = None
        if self.layer_scale is not None:
            start = keras.initializers.Constant(self.layer_scale)
            self.scale = self.add_weight(shape=(channels,), initializer=start, name="layer_scale")

    def branch(self, x, training=None):
        """What the block adds to its input: (N, H, W, C) -> (N, H, W, C)."""
        if self.norm == "batch":
            x = self.normalize(x, training=training)
        else:
            x = self.normalize(x)
        x = gelu(self.mix_in(x))
        x = gelu(self.look_around(x))
        if self.squeeze_excite is not None:
            x = self.squeeze_excite(x)
        x = self.mix_out(x)
        return x if self.scale is None else x * self.scale

    def call(self, x, training=None):
        return x + self.skip(self.branch(x, training=training), training=training)  # (N, H, W, C)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "spatial": self.spatial,
            "norm": self.norm,
            "se_ratio": self.se_ratio,
            "se_bias": self.se_bias,
            "layer_scale": self.layer_scale,
            "drop_path": self.drop_path,
        }


@keras.saving.register_keras_serializable(package="patchconvnet")
class Trunk(layers.Layer):
    """`depth` trunk blocks, one after the other (paper, section 3.1).

    Args:
        depth: number of blocks, at least 1.
        tied: if True, the same block is applied `depth` times. The Keras example did this without meaning to: it
            puts one list of layers into `depth` Sequential models, which then share their weights.
        spatial, norm, se_ratio, se_bias, layer_scale, drop_path: as in `TrunkBlock`, the same for every block.

    Input and output: float (N, H, W, C).

    Raises:
        ValueError: if `depth` is not a positive integer, or a block's argument is wrong.
    """

    def __init__(
        self,
        depth,
        tied=False,
        spatial="dense",
        norm="layer",
        se_ratio=8,
        se_bias=False,
        layer_scale=None,
        drop_path=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        # === config ===
        self.depth = depth
        self.tied = tied
        self.block_config = {
            "spatial": spatial,
            "norm": norm,
            "se_ratio": se_ratio,
            "se_bias": se_bias,
            "layer_scale": layer_scale,
            "drop_path": drop_path,
        }
        if not isinstance(depth, int) or depth < 1:
            raise ValueError(f"depth must be a positive integer, got {depth!r}")
        distinct = 1 if tied else depth
        self.blocks = [
            TrunkBlock(**self.block_config, dtype=self.dtype_policy, name=f"block_{i}") for i in range(distinct)
        ]

    def build(self, input_shape):
        for block in self.blocks:
            block.build(input_shape)

    def call(self, x, training=None):
        for index in range(self.depth):
            block = self.blocks[0] if self.tied else self.blocks[index]
            x = block(x, training=training)  # (N, H, W, C)
        return x

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "depth": self.depth, "tied": self.tied, **self.block_config}
