"""The trunk: residual blocks that look around and mix channels.

    x -> norm -> 1x1 -> GELU -> 3x3 -> GELU -> squeeze-and-excitation -> 1x1
      -> times a learned scale -> plus x

Most convolutional networks halve the grid again and again. This one keeps it (paper,
section 3.1), so that at the end there are still enough patches to draw a map of where
the network looks.
"""

import functools
from dataclasses import asdict, dataclass, replace

import keras
from keras import layers

# the exact form; keras.ops.gelu is an approximation by default
from keras.activations import gelu

from patchconvnet.errors import (
    LAYER_SCALE,
    SHARE,
    YES_OR_NO,
    Checked,
    PatchConvNetError,
    none_or,
    one_of,
    plain,
    setting,
    short,
    whole,
)
from patchconvnet.squeeze_excite import SqueezeExcite
from patchconvnet.stem import INITIALIZERS, convolution_start

DEPTH = whole(1, 500)
STARTS = one_of("authors", *INITIALIZERS)


def make_normalization(kind, **options):
    """A new normalization over the channels of each patch, or over the batch.

    `kind` is "layer" or "batch".
    """
    if kind == "batch":
        return layers.BatchNormalization(momentum=0.9, **options)
    return layers.LayerNormalization(epsilon=1e-6, **options)


@dataclass(frozen=True)
class BlockConfig(Checked):
    """What one block of the trunk is made of (paper, section 3.1 and figure 3).

    Attributes:
        spatial: "dense" (every 3x3 filter sees all channels: the Keras
            example) or "depthwise" (one 3x3 filter a channel: the paper).
        norm: "layer" (the paper) or "batch".
        se_ratio: divisor of the squeeze-and-excitation (see `SqueezeExcite`),
            or None for no such step.
        se_bias: whether its dense layers have biases.
        layer_scale: start value of a learned factor for each channel of the
            branch (CaiT, section 2), or None for no factor.
        drop_path: probability, 0 <= p < 1, that training skips the branch for
            an image (stochastic depth).
        kernel_initializer: how weights start: "authors" (see
            `convolution_start`), or a name that Keras knows.

    Raises:
        PatchConvNetError: if one is not as said above.
    """

    spatial: str = setting("dense", one_of("dense", "depthwise"))
    norm: str = setting("layer", one_of("layer", "batch"))
    se_ratio: int | None = setting(8, none_or(whole(1, 4096)))
    se_bias: bool = setting(False, YES_OR_NO)
    layer_scale: float | None = setting(None, none_or(LAYER_SCALE))
    drop_path: float = setting(0.0, SHARE)
    kernel_initializer: str = setting("glorot_uniform", STARTS)


def _split(config, options):
    """A block's configuration, changed by its own options; and the other options."""
    if config is not None and not isinstance(config, BlockConfig):
        raise PatchConvNetError(
            f"config must be a BlockConfig, got {short(config)}: name its fields, as in"
            " spatial='dense'"
        )
    names = BlockConfig.names()
    own = {name: plain(options[name]) for name in names if name in options}
    others = {name: options[name] for name in options if name not in own}
    return replace(config or BlockConfig(), **own), others


@keras.saving.register_keras_serializable(package="patchconvnet")
class TrunkBlock(layers.Layer):
    """One residual block of the trunk (paper, section 3.1 and figure 3).

    Args:
        config: a `BlockConfig`, or None for its defaults.
        **options: single fields of a `BlockConfig`, by name, instead of those;
            and what every Keras layer takes.

    Input and output: float (N, H, W, C).

    Raises:
        PatchConvNetError: if a field is not as `BlockConfig` says.
    """

    def __init__(self, config=None, **options):
        # === config ===
        self.config, options = _split(config, options)
        super().__init__(**options)

    def build(self, input_shape):
        channels, policy = input_shape[-1], self.dtype_policy
        config = self.config
        start = functools.partial(convolution_start, config.kernel_initializer)
        self.normalize = make_normalization(config.norm, dtype=policy, name="norm")
        # whatever the user's keras.json says
        common = {"data_format": "channels_last", "dtype": policy}
        self.mix_in = layers.Conv2D(
            channels, 1, name="mix_in", **common, **start(channels)
        )
        around = {"padding": "same", "name": "look_around", **common}
        if config.spatial == "dense":
            self.look_around = layers.Conv2D(
                channels, 3, **around, **start(9 * channels)
            )
        else:
            options = start(9)
            options["depthwise_initializer"] = options.pop("kernel_initializer")
            self.look_around = layers.DepthwiseConv2D(3, **around, **options)
        self.squeeze_excite = None
        if config.se_ratio is not None:
            self.squeeze_excite = SqueezeExcite(
                config.se_ratio,
                config.se_bias,
                config.kernel_initializer,
                dtype=policy,
                name="squeeze_excite",
            )
            self.squeeze_excite.build(input_shape)
        self.mix_out = layers.Conv2D(
            channels, 1, name="mix_out", **common, **start(channels)
        )
        # One draw an image: the noise has size 1 along height, width and channels.
        self.skip = layers.Dropout(
            config.drop_path,
            noise_shape=(None, 1, 1, 1),
            dtype=policy,
            name="drop_path",
        )
        for layer in (self.normalize, self.mix_in, self.look_around, self.mix_out):
            layer.build(input_shape)
        self.skip.build(input_shape)
        self.scale = None
        if config.layer_scale is not None:
            constant = keras.initializers.Constant(config.layer_scale)
            self.scale = self.add_weight(
                shape=(channels,), initializer=constant, name="layer_scale"
            )

    def branch(self, x, training=None):
        """What the block adds to its input: (N, H, W, C) -> (N, H, W, C)."""
        if self.config.norm == "batch":
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
        added = self.branch(x, training=training)  # (N, H, W, C)
        return x + self.skip(added, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), **asdict(self.config)}


@keras.saving.register_keras_serializable(package="patchconvnet")
class Trunk(layers.Layer):
    """`depth` trunk blocks, one after the other (paper, section 3.1).

    Args:
        depth: number of blocks, from 1 to 500.
        tied: if True, the same block is applied `depth` times. The Keras
            example did this without meaning to: it puts one list of layers
            into `depth` Sequential models, which then share their weights.
        config: the same `BlockConfig` for every block, or None for its defaults.
        **options: single fields of a `BlockConfig`, by name, instead of those; and what
            every Keras layer takes.

    Input and output: float (N, H, W, C).

    Raises:
        PatchConvNetError: if `depth` or `tied` is not as said above, or a field is not
            as `BlockConfig` says.
    """

    def __init__(self, depth, tied=False, config=None, **options):
        # === config ===
        self.config, options = _split(config, options)
        super().__init__(**options)
        self.depth = depth
        self.tied = tied
        DEPTH.check("depth", depth)
        YES_OR_NO.check("tied", tied)
        distinct = 1 if tied else depth
        self.blocks = [
            TrunkBlock(self.config, dtype=self.dtype_policy, name=f"block_{i}")
            for i in range(distinct)
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
        return {
            **super().get_config(),
            "depth": self.depth,
            "tied": self.tied,
            **asdict(self.config),
        }
