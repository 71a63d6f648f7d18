"""Every channel hears the whole image, and is turned up or down by it.

x (N, H, W, C) -> mean over the grid (N, C) -> Dense, ReLU (N, C / ratio)
               -> Dense, sigmoid (N, C)     -> times x
"""

import keras
from keras import layers, ops

from patchconvnet.errors import PatchConvNetError
from patchconvnet.stem import convolution_start


@keras.saving.register_keras_serializable(package="patchconvnet")
class SqueezeExcite(layers.Layer):
    """Squeeze-and-excitation (Hu et al., 2018, section 3; paper, section 3.1).

    Args:
        ratio: how many times narrower the middle is: 8 in the Keras example, 4
            in the paper.
        use_bias: whether the two dense layers have biases: not in the Keras
            example, yes in the paper.
        kernel_initializer: see `convolution_start`: to the authors these are
            convolutions of one pixel.

    Input and output: float (N, H, W, C), C divisible by `ratio`. The gate, one
    number in 0..1 for each image and channel, can be had alone: `gate(x)`
    gives (N, 1, 1, C).

    Raises:
        PatchConvNetError: if `ratio` is not a positive integer, or does not divide C.
    """

    def __init__(
        self, ratio=8, use_bias=False, kernel_initializer="glorot_uniform", **kwargs
    ):
        super().__init__(**kwargs)
        # === config ===
        self.ratio = ratio
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        if not isinstance(ratio, int) or ratio < 1:
            raise PatchConvNetError(f"ratio must be a positive integer, got {ratio!r}")

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels % self.ratio:
            raise PatchConvNetError(
                f"ratio must divide the number of channels, got {self.ratio} for"
                f" {channels} channels"
            )
        narrow, policy = channels // self.ratio, self.dtype_policy
        same = {"use_bias": self.use_bias, "dtype": policy}
        start = convolution_start(self.kernel_initializer, channels)
        self.reduce = layers.Dense(
            narrow, activation="relu", name="reduce", **same, **start
        )
        start = convolution_start(self.kernel_initializer, narrow)
        self.expand = layers.Dense(
            channels, activation="sigmoid", name="expand", **same, **start
        )
        self.reduce.build((None, 1, 1, channels))
        self.expand.build((None, 1, 1, narrow))

    def gate(self, x):
        """The factor for each channel, from 0 to 1: (N, H, W, C) -> (N, 1, 1,
        C).
        """
        # (N, H, W, C) -> (N, 1, 1, C)
        squeezed = ops.mean(x, axis=(1, 2), keepdims=True)
        # (N, 1, 1, C) -> (N, 1, 1, C / ratio) -> (N, 1, 1, C)
        return self.expand(self.reduce(squeezed))

    def call(self, x):
        return x * self.gate(x)  # (N, H, W, C) * (N, 1, 1, C) -> (N, H, W, C)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "use_bias": self.use_bias,
            "kernel_initializer": self.kernel_initializer,
        }
