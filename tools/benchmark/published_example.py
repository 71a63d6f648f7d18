"""The published Keras example's arrangement, re-created to be timed against ours.

The same sizes as in the example (Gosthipaty, 2022; see references.md), in its order:
resize, crop and mirror inside the model by Keras' own layers; convolutions padded
"same"; one list of trunk layers for both stages; a class token of zeros; attention by
`MultiHeadAttention`. Chapter 13 says what is wrong with it. Nothing in the package uses
it.
"""

import keras
from keras import layers, ops
from keras.activations import gelu


class ClassToken(layers.Layer):
    """Puts a learned token, zero at first, before the patches: P of them to 1 + P."""

    def build(self, input_shape):
        self.token = self.add_weight(
            shape=(1, 1, input_shape[-1]), initializer="zeros", name="token"
        )

    def call(self, patches):
        # (1, 1, C) -> (N, 1, C)
        token = ops.repeat(self.token, ops.shape(patches)[0], axis=0)
        return ops.concatenate([token, patches], axis=1)


def squeeze_excite(x, reduce, expand):
    # (N, H, W, C) -> (N, 1, 1, C)
    mean = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return layers.Multiply()([x, expand(reduce(mean))])


def build(dim=256, depth=2, ratio=8, image_size=48, num_classes=10):
    """The network as a `keras.Model`.

    From images (N, 32, 32, 3), 0..255, to logits (N, num_classes).
    """
    images = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255)(images)
    x = layers.Resizing(image_size + 4, image_size + 4)(x)
    x = layers.RandomCrop(image_size, image_size)(x)
    x = layers.RandomFlip("horizontal")(x)
    for filters in (dim // 2, dim):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation=gelu)(x)

    norm = layers.LayerNormalization(epsilon=1e-6)
    mix_in = layers.Conv2D(dim, 1, activation=gelu)
    look_around = layers.Conv2D(dim, 3, padding="same", activation=gelu)
    reduce = layers.Dense(dim // ratio, activation="relu", use_bias=False)
    expand = layers.Dense(dim, activation="sigmoid", use_bias=False)
    mix_out = layers.Conv2D(dim, 1)
    for _ in range(depth):  # the same layers each time: tied, as in the example
        branch = squeeze_excite(look_around(mix_in(norm(x))), reduce, expand)
        x = x + mix_out(branch)

    patches = layers.Reshape((-1, dim))(x)  # (N, H, W, C) -> (N, P, C)
    tokens = layers.LayerNormalization(epsilon=1e-6)(ClassToken()(patches))
    # (N, 1 + P, C) -> (N, 1, C)
    token = layers.MultiHeadAttention(1, dim, dropout=0.2)(tokens[:, :1], tokens)
    token = layers.LayerNormalization(epsilon=1e-6)(token)
    # (N, 1, C) -> (N, C)
    token = layers.LayerNormalization(epsilon=1e-6)(layers.Flatten()(token))
    hidden = layers.Dropout(0.2)(layers.Dense(dim, activation=gelu)(token))
    token = token + layers.Dense(dim, activation=gelu)(hidden)
    return keras.Model(images, layers.Dense(num_classes)(token))
