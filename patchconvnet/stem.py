"""The stem turns pixels into patches: small convolutions that may halve the grid.

    image (N, 32, 32, 3) -> conv 3x3, stride 2 -> GELU -> conv 3x3, stride 2 -> GELU
                         -> patches (N, 8, 8, dim)

Each position of the result is a patch: a vector of `dim` numbers that describes one
small square of the image.
"""

import keras
from keras import layers

from patchconvnet.errors import PatchConvNetError

INITIALIZERS = tuple(  # Keras' names
    f"{kind}_{form}"
    for kind in ("glorot", "he", "lecun")
    for form in ("uniform", "normal")
)


def convolution_start(kernel_initializer, inputs):
    """How the weights of a convolution start: its options, a dict.

    Args:
        kernel_initializer: "authors", or a name that Keras knows.
        inputs: how many numbers one output is made of: 9 C for a dense 3x3 filter of C
            channels.

    With "authors" kernel and bias are uniform between -a and a = 1 / sqrt(inputs): the
    authors leave them as PyTorch makes them.
    """
    if kernel_initializer != "authors":
        return {"kernel_initializer": kernel_initializer}
    edge = inputs**-0.5
    return {
        name: keras.initializers.RandomUniform(-edge, edge)
        for name in ("kernel_initializer", "bias_initializer")
    }


@keras.saving.register_keras_serializable(package="patchconvnet")
class ConvStem(layers.Layer):
    """Convolutional stem (paper, section 3.1, "the convolutional stem").

    Convolution number i of n has `dim / 2^(n - i)` filters, so the last one has `dim`.
    Every convolution is 3x3 and pads one zero on each side: at stride 2, Keras' own
    "same" padding would pad only on the right and bottom.

    Args:
        dim: channels of the patches; divisible by 2^(n - 1).
        strides: one stride a convolution, 1 or 2 each. (2, 2) divides the side of the
            grid by 4.
        norm: "batch" for a batch normalization after each convolution (which then has
            no bias), or None.
        use_bias: whether convolutions have a bias (with `norm=None`). The paper's have
            none.
        final_activation: whether a GELU also follows the last convolution. In the
            authors' code it does not. The paper's figure 3 shows one: a misprint, says
            the first author (facebookresearch/deit, issue 151).
        kernel_initializer: see `convolution_start`.

    Input: float (N, H, W, 3).
    Output: float (N, H / s, W / s, dim), rounded up, where s is the product of strides.

    Raises:
        PatchConvNetError: if `dim`, `strides` or `norm` is not as said above.
    """

    def __init__(
        self,
        dim,
        strides=(2, 2),
        norm=None,
        use_bias=True,
        final_activation=True,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        # === config ===
        self.dim = dim
        self.strides = tuple(strides)
        self.norm = norm
        self.use_bias = use_bias
        self.final_activation = final_activation
        self.kernel_initializer = kernel_initializer
        if not self.strides or any(stride not in (1, 2) for stride in self.strides):
            raise PatchConvNetError(
                "strides must be a sequence of 1s and 2s, one a convolution, got"
                f" {strides!r}"
            )
        if dim < 1 or dim % 2 ** (len(self.strides) - 1):
            raise PatchConvNetError(
                f"dim must be positive and divisible by {2 ** (len(self.strides) - 1)} "
                f"for {len(self.strides)} convolutions, got {dim!r}"
            )
        if norm not in (None, "batch"):
            raise PatchConvNetError(f'norm must be None or "batch", got {norm!r}')

    def build(self, input_shape):
        policy = self.dtype_policy
        self.steps, channels = [], input_shape[-1]
        for index, stride in enumerate(self.strides):
            last = index == len(self.strides) - 1
            filters = self.dim // 2 ** (len(self.strides) - 1 - index)
            self.steps.append(
                layers.ZeroPadding2D(
                    1, data_format="channels_last", dtype=policy, name=f"pad_{index}"
                )
            )
            self.steps.append(
                layers.Conv2D(
                    filters,
                    kernel_size=3,
                    strides=stride,
                    use_bias=self.use_bias and self.norm is None,
                    # whatever the user's keras.json says
                    data_format="channels_last",
                    **convolution_start(self.kernel_initializer, 9 * channels),
                    dtype=policy,
                    name=f"conv_{index}",
                )
            )
            channels = filters
            if self.norm == "batch":
                self.steps.append(
                    layers.BatchNormalization(
                        momentum=0.9, dtype=policy, name=f"norm_{index}"
                    )
                )
            if not last or self.final_activation:
                self.steps.append(
                    layers.Activation(
                        keras.activations.gelu, dtype=policy, name=f"gelu_{index}"
                    )
                )
        shape = input_shape
        for step in self.steps:
            step.build(shape)
            shape = step.compute_output_shape(shape)

    def call(self, images, training=None):
        x = images  # (N, H, W, 3)
        for step in self.steps:
            x = (
                step(x, training=training)
                if isinstance(step, layers.BatchNormalization)
                else step(x)
            )
        return x  # (N, H / s, W / s, dim)

    def compute_output_shape(self, input_shape):
        count, height, width, _ = input_shape
        for stride in self.strides:
            # rounded up
            height = None if height is None else -(-height // stride)
            width = None if width is None else -(-width // stride)
        return (count, height, width, self.dim)

    def get_config(self):
        return {
            **super().get_config(),
            "dim": self.dim,
            "strides": list(self.strides),
            "norm": self.norm,
            "use_bias": self.use_bias,
            "final_activation": self.final_activation,
            "kernel_initializer": self.kernel_initializer,
        }
