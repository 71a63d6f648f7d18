"""The layers, each against a few plain lines of NumPy or a fact that it must keep."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from patchconvnet import PatchConvNet, PatchConvNetError
from patchconvnet.attention_pooling import AttentionPooling, PerClassHead
from patchconvnet.squeeze_excite import SqueezeExcite
from patchconvnet.stem import ConvStem
from patchconvnet.trunk import BlockConfig, Trunk, TrunkBlock


@pytest.fixture(autouse=True)
def fixed_seed():
    keras.utils.set_random_seed(0)


def randomized(layer, shape):
    """Build a layer, give every weight random values: no part is neutral any more."""
    layer.build(shape)
    generator = np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(generator.normal(0, 0.5, weight.shape))
    return layer


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def features(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def gelu(x):
    from math import erf, sqrt

    return x * 0.5 * (1 + np.vectorize(erf)(x / sqrt(2)))


def softmax(x):
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def layer_norm(x, weights):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-6) * numpy(weights.gamma) + numpy(
        weights.beta
    )


# === stem ===


@pytest.mark.parametrize(
    "strides, size, expected",
    [((2, 2), 32, 8), ((1, 2), 32, 16), ((2, 2, 2, 2), 64, 4), ((2, 2), 33, 9)],
)
def test_stem_divides_the_grid(strides, size, expected):
    stem = ConvStem(16, strides)
    result = stem(features(2, size, size, 3))
    assert result.shape == (2, expected, expected, 16)
    assert stem.compute_output_shape((2, size, size, 3)) == (2, expected, expected, 16)


def test_stem_doubles_filters_and_drops_biases_as_told():
    stem = ConvStem(32, (2, 2, 2, 2), use_bias=False, final_activation=False)
    stem.build((None, 64, 64, 3))
    assert [tuple(weight.shape) for weight in stem.weights] == [
        (3, 3, 3, 4), (3, 3, 4, 8), (3, 3, 8, 16), (3, 3, 16, 32),
    ]  # fmt: skip


def test_stem_pads_alike_on_all_sides():
    stem = randomized(ConvStem(2, (2,)), (None, 8, 8, 3))
    image = features(1, 8, 8, 3)
    # With one zero on each side, output (0, 0) sees rows and columns -1, 0, 1.
    kernel, bias = (numpy(weight) for weight in stem.weights)
    patch = np.pad(image[0], ((1, 1), (1, 1), (0, 0)))[0:3, 0:3]
    by_hand = gelu(np.einsum("ijc,ijcf->f", patch, kernel) + bias)
    np.testing.assert_allclose(numpy(stem(image))[0, 0, 0], by_hand, atol=1e-5)


def test_stem_without_final_activation_is_linear_at_the_end():
    stem = randomized(
        ConvStem(4, (2,), use_bias=False, final_activation=False), (None, 8, 8, 3)
    )
    image = features(1, 8, 8, 3)
    np.testing.assert_allclose(numpy(stem(-image)), -numpy(stem(image)), atol=1e-5)


def test_stem_with_batch_norm_normalizes_in_training():
    stem = ConvStem(8, (2, 2), norm="batch", final_activation=False)
    result = numpy(stem(5 + 3 * features(16, 16, 16, 3), training=True))
    np.testing.assert_allclose(result.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    assert not any("bias" in weight.path for weight in stem.weights)


@pytest.mark.parametrize(
    "arguments",
    [
        {"dim": 5},
        {"dim": 0},
        {"dim": 8, "strides": (3,)},
        {"dim": 8, "strides": ()},
        {"dim": 8, "norm": "x"},
    ],
)
def test_stem_rejects_bad_arguments(arguments):
    with pytest.raises(ValueError, match="must be"):
        ConvStem(**arguments)


# === squeeze-and-excitation ===


@pytest.mark.parametrize("use_bias", [False, True])
def test_squeeze_excite_by_hand(use_bias):
    layer = randomized(SqueezeExcite(4, use_bias), (None, 3, 3, 8))
    x = features(2, 3, 3, 8)
    squeezed = x.mean(axis=(1, 2))
    hidden = squeezed @ numpy(layer.reduce.kernel) + (
        numpy(layer.reduce.bias) if use_bias else 0
    )
    gate = np.maximum(hidden, 0) @ numpy(layer.expand.kernel) + (
        numpy(layer.expand.bias) if use_bias else 0
    )
    gate = 1 / (1 + np.exp(-gate))
    np.testing.assert_allclose(numpy(layer.gate(x))[:, 0, 0], gate, atol=1e-5)
    np.testing.assert_allclose(numpy(layer(x)), x * gate[:, None, None], atol=1e-5)


@pytest.mark.parametrize("ratio", [0, -1, 2.0, "8"])
def test_squeeze_excite_rejects_bad_ratio(ratio):
    with pytest.raises(ValueError, match="ratio must be a positive integer"):
        SqueezeExcite(ratio)


def test_squeeze_excite_rejects_ratio_that_does_not_divide():
    with pytest.raises(ValueError, match="divide"):
        SqueezeExcite(3).build((None, 4, 4, 8))


# === trunk ===


def convolve(x, kernel):
    """3x3 convolution of (H, W, C) with zero padding; kernel (3, 3, C, F)."""
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    height, width, _ = x.shape
    return sum(
        padded[i : i + height, j : j + width] @ kernel[i, j]
        for i in range(3)
        for j in range(3)
    )


@pytest.mark.parametrize("spatial", ["dense", "depthwise"])
def test_trunk_block_by_hand(spatial):
    block = randomized(
        TrunkBlock(spatial=spatial, se_ratio=2, layer_scale=0.5), (None, 4, 5, 8)
    )
    x = features(1, 4, 5, 8)
    branch = layer_norm(x[0], block.normalize)
    branch = gelu(branch @ numpy(block.mix_in.kernel)[0, 0] + numpy(block.mix_in.bias))
    kernel = numpy(block.look_around.kernel)
    if spatial == "depthwise":
        # (3, 3, C) -> (3, 3, C, C), diagonal
        kernel = kernel[..., 0][..., None] * np.eye(8)
    branch = gelu(convolve(branch, kernel) + numpy(block.look_around.bias))
    branch = branch * numpy(block.squeeze_excite.gate(branch[None]))[0]
    branch = branch @ numpy(block.mix_out.kernel)[0, 0] + numpy(block.mix_out.bias)
    np.testing.assert_allclose(
        numpy(block(x))[0], x[0] + branch * numpy(block.scale), atol=1e-4
    )


def test_layer_scale_of_zero_leaves_only_the_shortcut():
    block = TrunkBlock(se_ratio=2, layer_scale=0.0)
    x = features(2, 4, 4, 8)
    np.testing.assert_array_equal(numpy(block(x)), x)


def test_drop_path_skips_the_branch_for_whole_images_and_keeps_the_mean():
    block = TrunkBlock(se_ratio=2, drop_path=0.5, norm="layer")
    x = features(64, 4, 4, 8)
    branch = numpy(block.branch(x)) if block.built else numpy(block(x)) - x
    trained = numpy(block(x, training=True)) - x
    skipped = np.abs(trained).max(axis=(1, 2, 3)) == 0
    assert 16 < skipped.sum() < 48
    np.testing.assert_allclose(trained[~skipped], 2 * branch[~skipped], atol=1e-4)
    np.testing.assert_allclose(numpy(block(x)) - x, branch, atol=1e-5)


def test_trunk_without_squeeze_excite_has_fewer_weights():
    with_it, without = Trunk(1, se_ratio=2), Trunk(1, se_ratio=None)
    with_it.build((None, 4, 4, 8)), without.build((None, 4, 4, 8))
    assert with_it.count_params() - without.count_params() == 2 * 8 * 4


def test_tied_trunk_applies_one_block_again_and_again():
    tied, untied = Trunk(3, tied=True, se_ratio=2), Trunk(3, se_ratio=2)
    x = features(1, 4, 4, 8)
    result = numpy(tied(x))
    untied.build(x.shape)
    assert untied.count_params() == 3 * tied.count_params()
    by_hand = x
    for _ in range(3):
        by_hand = tied.blocks[0](by_hand)
    np.testing.assert_allclose(result, numpy(by_hand), atol=1e-6)


def test_untied_blocks_differ_and_each_is_applied_in_turn():
    trunk = Trunk(2, se_ratio=2)
    x = features(1, 4, 4, 8)
    result = numpy(trunk(x))
    first, second = trunk.blocks
    assert np.abs(numpy(first.mix_in.kernel - second.mix_in.kernel)).max() > 0.01
    np.testing.assert_allclose(result, numpy(second(first(x))), atol=1e-6)


@pytest.mark.parametrize(
    "arguments",
    [{"depth": 0}, {"depth": 1.5}, {"depth": 1, "spatial": "x"},
     {"depth": 1, "norm": "x"}, {"depth": 1, "drop_path": 1.0}]
)  # fmt: skip
def test_trunk_rejects_bad_arguments(arguments):
    with pytest.raises(ValueError, match="must be"):
        Trunk(**arguments)


# === attention pooling ===


@pytest.mark.parametrize("tokens", [1, 3])
def test_attention_pooling_by_hand(tokens):
    layer = randomized(
        AttentionPooling(tokens, mlp_ratio=2, layer_scale=0.7), (None, 3, 4, 8)
    )
    x = features(2, 3, 4, 8)
    token = np.repeat(numpy(layer.class_token), 2, axis=0)  # (2, tokens, 8)
    everything = layer_norm(
        np.concatenate([token, x.reshape(2, 12, 8)], axis=1), layer.norm_tokens
    )
    source = everything if tokens == 1 else everything[:, tokens:]

    def dense(values, weights):
        return values @ numpy(weights.kernel) + numpy(weights.bias)

    query = dense(everything[:, :tokens], layer.query)
    keys, values = dense(source, layer.key), dense(source, layer.value)
    weights = softmax(query @ keys.transpose(0, 2, 1) / np.sqrt(8))
    token = token + dense(weights @ values, layer.project) * numpy(
        layer.scale_attention
    )
    hidden = gelu(dense(layer_norm(token, layer.norm_mlp), layer.mlp_in))
    token = token + dense(hidden, layer.mlp_out) * numpy(layer.scale_mlp)
    patches = weights[..., 1:] if tokens == 1 else weights

    pooled, attention = layer(x)
    np.testing.assert_allclose(numpy(pooled), token, atol=1e-4)
    np.testing.assert_allclose(
        numpy(attention), patches.reshape(2, tokens, 3, 4), atol=1e-5
    )


def test_attention_rows_sum_to_one_for_several_tokens_and_to_less_for_one():
    x = features(2, 4, 4, 8)
    _, several = AttentionPooling(5)(x)
    np.testing.assert_allclose(numpy(several).sum(axis=(2, 3)), 1, atol=1e-5)
    _, single = AttentionPooling(1)(x)
    assert np.all(numpy(single).sum(axis=(2, 3)) < 1)


def test_zero_class_token_attends_uniformly():
    _, attention = AttentionPooling(3, token_initializer="zeros")(features(2, 4, 4, 8))
    np.testing.assert_allclose(numpy(attention), 1 / 16, atol=1e-6)
    _, attention = AttentionPooling(3)(features(2, 4, 4, 8))
    assert np.abs(numpy(attention) - 1 / 16).max() > 0.01


def test_attention_follows_the_patches_when_they_move():
    layer = AttentionPooling(1)
    x = features(1, 4, 4, 8)
    _, before = layer(x)
    _, after = layer(x[:, :, ::-1])
    np.testing.assert_allclose(numpy(after)[..., ::-1], numpy(before), atol=1e-6)


def test_pooling_dropout_acts_in_training_only():
    layer = AttentionPooling(1, dropout=0.5)
    x = features(4, 4, 4, 8)
    still, _ = layer(x)
    trained, attention = layer(x, training=True)
    assert np.abs(numpy(still) - numpy(trained)).max() > 1e-3
    # the map shown is before dropout
    np.testing.assert_allclose(numpy(attention), numpy(layer(x)[1]), atol=1e-6)


def test_per_class_head_reads_each_token_with_its_own_weights():
    head = randomized(PerClassHead(), (None, 3, 4))
    tokens = features(2, 3, 4)
    by_hand = np.stack(
        [tokens[:, i] @ numpy(head.kernel)[i] + numpy(head.bias)[i] for i in range(3)],
        axis=1,
    )
    np.testing.assert_allclose(numpy(head(tokens)), by_hand, atol=1e-5)


@pytest.mark.parametrize("which", ["attention_dropout", "mlp_dropout"])
def test_dropout_of_attention_and_of_hidden_units_are_two(which):
    """With half of the weights dropped or doubled, a step tells which was touched."""
    layer = randomized(AttentionPooling(1, **{which: 0.5}), (None, 4, 4, 8))
    patches, token = np.split(features(2, 17, 8), [16], axis=1)
    mixed = [
        numpy(layer.attend(token, patches, training=training)[0])
        for training in (True, False)
    ]
    assert np.allclose(*mixed, atol=1e-6) == (which == "mlp_dropout")
    x = features(2, 4, 4, 8)
    assert not np.allclose(
        numpy(layer(x, training=True)[0]), numpy(layer(x)[0]), atol=1e-6
    )


def test_dropout_stands_for_what_is_not_named():
    for given, rates in (
        ({"dropout": 0.2}, (0.2, 0.2)),
        ({"dropout": 0.2, "mlp_dropout": 0.0}, (0.2, 0.0)),
        ({"dropout": 0.2, "attention_dropout": 0.4}, (0.4, 0.2)),
        ({"attention_dropout": 0.1, "mlp_dropout": 0.3}, (0.1, 0.3)),
    ):
        layer = AttentionPooling(1, **given)
        layer.build((None, 2, 2, 4))
        assert (layer.drop.rate, layer.drop_hidden.rate) == rates
        again = AttentionPooling.from_config(layer.get_config())
        assert (again.dropout, again.attention_dropout, again.mlp_dropout) == (
            layer.dropout,
            layer.attention_dropout,
            layer.mlp_dropout,
        )


def test_a_blocks_options_stand_once():
    config = BlockConfig(spatial="depthwise", se_ratio=2, layer_scale=0.5)
    for layer in (
        TrunkBlock(config),
        TrunkBlock(spatial="depthwise", se_ratio=2, layer_scale=0.5),
        TrunkBlock(config, se_ratio=2),
    ):
        assert (
            layer.config == config
            and TrunkBlock.from_config(layer.get_config()).config == config
        )
    trunk = Trunk(3, config=config, drop_path=0.1)
    assert [block.config for block in trunk.blocks] == 3 * [
        replace(config, drop_path=0.1)
    ]
    network = PatchConvNet(
        dim=8, depth=2, spatial="depthwise", se_ratio=2, layer_scale=0.5
    )
    assert network.get_layer("trunk").config == config


def test_a_block_takes_numbers_of_numpy():
    block = TrunkBlock(se_ratio=np.int64(2), layer_scale=np.float32(0.5))
    assert block.config == BlockConfig(se_ratio=2, layer_scale=0.5)
    assert type(block.get_config()["layer_scale"]) is float


def test_a_block_is_told_its_options_by_name():
    with pytest.raises(
        PatchConvNetError,
        match="config must be a BlockConfig, got 'depthwise': name its fields",
    ):
        TrunkBlock("depthwise")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"tokens": 0}, "tokens must be a whole number from 1"),
        ({"tokens": True}, "tokens must be"),
        ({"mlp_ratio": 0}, "mlp_ratio must be a number above 0"),
        ({"layer_scale": -1}, "layer_scale must be None or a number"),
        ({"dropout": 1.0}, "dropout must be a number"),
    ],
)
def test_attention_pooling_rejects_bad_arguments(arguments, said):
    with pytest.raises(PatchConvNetError, match=said):
        AttentionPooling(**arguments)
