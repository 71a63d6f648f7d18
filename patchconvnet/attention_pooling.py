"""Attention pooling: a class token asks every patch "how much do you matter?"

tokens  = layer norm of [class token, patches]
query   = Wq of the class token among them    keys, values = Wk tokens, Wv tokens
weights = softmax(query . keys / sqrt(C))     the attention map: one weight a patch
class token += projection of (weights . values)
class token += MLP(layer norm of class token)

With several class tokens, keys and values come from the patches alone.
"""

import keras
from keras import layers, ops

from patchconvnet.errors import LAYER_SCALE, SHARE, none_or, number, whole

TOKENS = whole(1, 100_000)
MLP_RATIO = number(0, 16, "a number above 0, at most 16", above=True)


def linear_start(kernel_initializer):
    """How the kernel of a dense layer starts.

    "authors" is normal, deviation 0.02, cut at two deviations; any other is as named.
    """
    if kernel_initializer == "authors":
        return keras.initializers.TruncatedNormal(stddev=0.02)
    return kernel_initializer


def scaled(update, scale):
    """What is added to a token: times a learned factor a channel, if there is one."""
    return update if scale is None else update * scale


@keras.saving.register_keras_serializable(package="patchconvnet")
class AttentionPooling(layers.Layer):
    """Attention-based aggregation (paper, sections 3.2 and 3.3, figure 3).

    One head, as in the paper, so there is one map a token. With one class token, keys
    and values come from the token and the patches, as in CaiT: the token may keep some
    attention for itself. With several tokens they come from the patches alone.

    Args:
        tokens: number of class tokens Q, from 1: one, or one for each class.
        mlp_ratio: width of the MLP's hidden layer over C, above 0, at most 16: 1 in the
            Keras example, 3 in the paper.
        dropout: share that is dropped in training, 0 <= p < 1, of what the next two do
            not name.
        attention_dropout: the same for attention weights alone; None for `dropout`.
        mlp_dropout: the same for hidden units of the MLP alone; None for `dropout`.
        layer_scale: start value of a learned factor for each channel of both residual
            branches, or None.
        token_initializer: how class tokens start.
        kernel_initializer: see `linear_start`.

    Input: patches, float (N, H, W, C).
    Output: a pair: the class tokens (N, Q, C), and the attention (N, Q, H, W), float32:
        softmax weights of the patches, each in 0..1. They sum to 1 for several tokens;
        for one, to 1 less what the token keeps for itself.

    Raises:
        PatchConvNetError: if an argument is not as said above.
        ValueError: Keras knows no such initializer.
    """

    def __init__(
        self,
        tokens=1,
        mlp_ratio=1,
        dropout=0.0,
        layer_scale=None,
        token_initializer="truncated_normal",
        kernel_initializer="glorot_uniform",
        attention_dropout=None,
        mlp_dropout=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        # === config ===
        self.tokens = tokens
        self.mlp_ratio = mlp_ratio
        self.dropout = dropout
        self.layer_scale = layer_scale
        self.token_initializer = keras.initializers.get(token_initializer)
        self.kernel_initializer = kernel_initializer
        self.attention_dropout = attention_dropout
        self.mlp_dropout = mlp_dropout
        TOKENS.check("tokens", tokens)
        MLP_RATIO.check("mlp_ratio", mlp_ratio)
        none_or(LAYER_SCALE).check("layer_scale", layer_scale)
        SHARE.check("dropout", dropout)
        none_or(SHARE).check("attention_dropout", attention_dropout)
        none_or(SHARE).check("mlp_dropout", mlp_dropout)

    def build(self, input_shape):
        channels = input_shape[-1]
        hidden, policy = int(channels * self.mlp_ratio), self.dtype_policy
        shape = (None, None, channels)
        self.class_token = self.add_weight(
            shape=(1, self.tokens, channels),
            initializer=self.token_initializer,
            name="class_token",
        )
        self.norm_tokens = layers.LayerNormalization(
            epsilon=1e-6, dtype=policy, name="norm_tokens"
        )
        self.query = self._dense(channels, "query")
        self.key = self._dense(channels, "key")
        self.value = self._dense(channels, "value")
        self.project = self._dense(channels, "project")
        self.norm_mlp = layers.LayerNormalization(
            epsilon=1e-6, dtype=policy, name="norm_mlp"
        )
        self.mlp_in = self._dense(hidden, "mlp_in", activation=keras.activations.gelu)
        self.mlp_out = self._dense(channels, "mlp_out")
        weights_rate, hidden_rate = (
            self.dropout if rate is None else rate
            for rate in (self.attention_dropout, self.mlp_dropout)
        )
        # One layer for equal rates, one stream of chance: recorded runs come out as
        # they did.
        self.drop = self.drop_hidden = layers.Dropout(
            weights_rate, dtype=policy, name="drop"
        )
        if hidden_rate != weights_rate:
            self.drop_hidden = layers.Dropout(
                hidden_rate, dtype=policy, name="drop_hidden"
            )
        for layer in (self.norm_tokens, self.query, self.key, self.value, self.project):
            layer.build(shape)
        self.norm_mlp.build(shape)
        self.mlp_in.build(shape)
        self.mlp_out.build((None, None, hidden))
        self.scale_attention = self.scale_mlp = None
        if self.layer_scale is not None:
            start = keras.initializers.Constant(self.layer_scale)
            self.scale_attention = self.add_weight(
                shape=(channels,), initializer=start, name="scale_attention"
            )
            self.scale_mlp = self.add_weight(
                shape=(channels,), initializer=start, name="scale_mlp"
            )

    def _dense(self, width, name, **options):
        start = linear_start(self.kernel_initializer)
        return layers.Dense(
            width,
            kernel_initializer=start,
            dtype=self.dtype_policy,
            name=name,
            **options,
        )

    def attend(self, class_token, patches, training=None):
        """Weigh the values: tokens (N, Q, C), patches (N, P, C) -> (N, Q, C)
        and weights (N, Q, P).
        """
        together = ops.concatenate([class_token, patches], axis=1)
        normalized = self.norm_tokens(together)  # (N, Q + P, C)
        # (N, Q + P, C) -> (N, Q, C)
        query = self.query(normalized[:, : self.tokens])
        source = normalized  # (N, S, C): S = 1 + P; with several tokens S = P
        if self.tokens > 1:
            source = normalized[:, self.tokens :]
        keys, values = self.key(source), self.value(source)
        query = query * (keys.shape[-1] ** -0.5)
        # (N, Q, C) x (N, C, S) -> (N, Q, S)
        scores = ops.matmul(query, ops.transpose(keys, (0, 2, 1)))
        # float32: half precision is too coarse here
        weights = ops.softmax(ops.cast(scores, "float32"), axis=-1)
        kept = ops.cast(self.drop(weights, training=training), values.dtype)
        mixed = ops.matmul(kept, values)  # (N, Q, S) x (N, S, C) -> (N, Q, C)
        if self.tokens == 1:
            weights = weights[..., 1:]  # (N, Q, P): the patches' own
        return self.project(mixed), weights

    def call(self, x, training=None):
        count, height, width, channels = ops.shape(x)
        # (N, H, W, C) -> (N, P, C), P = H * W
        patches = ops.reshape(x, (-1, height * width, channels))
        token = ops.cast(self.class_token, x.dtype)
        # (1, Q, C) -> (N, Q, C)
        token = ops.broadcast_to(token, (count, self.tokens, channels))
        update, weights = self.attend(token, patches, training=training)
        token = token + scaled(update, self.scale_attention)
        hidden = self.mlp_in(self.norm_mlp(token))  # (N, Q, M): M = ratio * C
        hidden = self.drop_hidden(hidden, training=training)
        update = self.mlp_out(hidden)  # (N, Q, M) -> (N, Q, C)
        token = token + scaled(update, self.scale_mlp)
        # (N, Q, P) -> (N, Q, H, W)
        return token, ops.reshape(weights, (-1, self.tokens, height, width))

    def compute_output_shape(self, input_shape):
        count, height, width, channels = input_shape
        return (count, self.tokens, channels), (count, self.tokens, height, width)

    def compute_output_spec(self, x, training=None):
        tokens, attention = self.compute_output_shape(x.shape)
        return (
            keras.KerasTensor(tokens, dtype=self.compute_dtype),
            keras.KerasTensor(attention, dtype="float32"),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "tokens": self.tokens,
            "mlp_ratio": self.mlp_ratio,
            "dropout": self.dropout,
            "layer_scale": self.layer_scale,
            "token_initializer": keras.initializers.serialize(self.token_initializer),
            "kernel_initializer": self.kernel_initializer,
            "attention_dropout": self.attention_dropout,
            "mlp_dropout": self.mlp_dropout,
        }


@keras.saving.register_keras_serializable(package="patchconvnet")
class PerClassHead(layers.Layer):
    """Reads class i's logit from class i's token (paper, section 3.3).

    logit_i = weight_i . token_i + bias_i

    Args:
        kernel_initializer: see `linear_start`.

    Input: float (N, Q, C), one token a class. Output: float (N, Q).
    """

    def __init__(self, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.kernel_initializer = kernel_initializer

    def build(self, input_shape):
        _, tokens, channels = input_shape
        start = linear_start(self.kernel_initializer)
        self.kernel = self.add_weight(
            shape=(tokens, channels), initializer=start, name="kernel"
        )
        self.bias = self.add_weight(shape=(tokens,), initializer="zeros", name="bias")

    def call(self, tokens):
        # (N, Q, C) -> (N, Q)
        return ops.sum(tokens * self.kernel, axis=-1) + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape[:-1]

    def get_config(self):
        return {**super().get_config(), "kernel_initializer": self.kernel_initializer}
