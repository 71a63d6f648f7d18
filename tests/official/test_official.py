"""Our network against the authors': same weights, numbers, cost; on every backend."""

import numpy as np
import pytest
from keras import ops
from keras.activations import gelu

from patchconvnet import official

NAMES = ["single", "multi"]
TINY = {"dim": 16, "depth": 2, "num_classes": 3}


@pytest.fixture(scope="module", params=NAMES)
def reference(request):
    return official.reference(request.param)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def random_weights(per_class=False, seed=0, **sizes):
    """Weights of the authors' form, none of them neutral."""
    generator = np.random.default_rng(seed)
    shapes = official.weight_shapes(**{**TINY, **sizes}, per_class=per_class)
    return {
        name: generator.normal(0, 0.3, shape).astype("float32")
        for name, shape in shapes.items()
    }


# === parity ===


def test_logits_and_attention_are_the_authors(reference):
    logits, attention = official.convert(reference["weights"]).explain(
        reference["images"]
    )
    np.testing.assert_allclose(logits, reference["logits"], atol=1e-4)
    assert attention.shape == reference["attention"].shape
    np.testing.assert_allclose(attention, reference["attention"], atol=1e-4)


def steps_of(model, images):
    """Every recorded step, in the authors' axes: "_nchw" (N, C, H, W), patches (N, P,
    C), tokens (N, Q, C).
    """

    def nchw(x):
        return numpy(x).transpose(0, 3, 1, 2)  # (N, H, W, C) -> (N, C, H, W)

    def rows(x):
        # (N, H, W, C) -> (N, P, C)
        return numpy(x).reshape(len(images), -1, x.shape[-1])

    stem, trunk, pooling = (
        model.get_layer(name) for name in ("stem", "trunk", "pooling")
    )
    x = stem(images)
    steps = {"stem_nchw": nchw(x)}
    block = trunk.blocks[0]
    inside = block.normalize(x)
    steps["block_0.norm1"] = rows(inside)
    inside = block.mix_in(inside)
    steps["block_0.conv1x1_a_nchw"], steps["block_0.gelu_a_nchw"] = (
        nchw(inside),
        nchw(gelu(inside)),
    )
    inside = block.look_around(gelu(inside))
    steps["block_0.dwconv3x3_nchw"], steps["block_0.gelu_b_nchw"] = (
        nchw(inside),
        nchw(gelu(inside)),
    )
    steps["block_0.se_gate_nchw"] = nchw(block.squeeze_excite.gate(gelu(inside)))
    inside = block.squeeze_excite(gelu(inside))
    steps["block_0.se_nchw"], steps["block_0.conv1x1_b_nchw"] = (
        nchw(inside),
        nchw(block.mix_out(inside)),
    )
    for index, block in enumerate(trunk.blocks):
        x = block(x)
        steps[f"block_{index}"] = rows(x)

    patches = ops.convert_to_tensor(rows(x))
    # (1, Q, C) -> (N, Q, C)
    token = ops.repeat(pooling.class_token, len(images), axis=0)
    everything = pooling.norm_tokens(ops.concatenate([token, patches], axis=1))
    steps["agg.norm1"] = numpy(everything)
    tokens = pooling.tokens
    source = everything if tokens == 1 else everything[:, tokens:]
    query, key = pooling.query(everything[:, :tokens]), pooling.key(source)
    # (N, Q, S)
    scores = ops.matmul(query, ops.transpose(key, (0, 2, 1))) / key.shape[-1] ** 0.5
    steps["agg.attn_scores"] = numpy(scores)[:, None]
    steps["agg.attn"] = numpy(ops.softmax(scores, axis=-1))[:, None]
    update, _ = pooling.attend(token, patches)
    steps["agg.attn_out"] = numpy(update)
    token = token + update * pooling.scale_attention
    steps["agg.norm2"] = numpy(pooling.norm_mlp(token))
    steps["agg.mlp_out"] = numpy(
        pooling.mlp_out(pooling.mlp_in(pooling.norm_mlp(token)))
    )
    pooled, _ = pooling(x)
    steps["agg.cls_out"] = numpy(pooled)
    normalized = numpy(model.get_layer("norm")(pooled))
    steps["pre_logits"] = normalized[:, 0] if tokens == 1 else normalized
    return steps


def test_every_step_on_the_way_is_the_authors(reference):
    steps = steps_of(official.convert(reference["weights"]), reference["images"])
    assert set(reference["steps"]) <= set(steps)
    for name, expected in reference["steps"].items():
        np.testing.assert_allclose(steps[name], expected, atol=2e-4, err_msg=name)


def forward_by_hand(weights, images, depth, per_class):
    """The paper's network for images (N, H, W, 3), in plain NumPy, float64, from
    weights under the authors' names.
    """
    from math import erf

    w = {name: array.astype("float64") for name, array in weights.items()}
    gelu_by_hand = np.vectorize(lambda value: value * 0.5 * (1 + erf(value / 2**0.5)))

    def conv(x, kernel, stride=1):  # kernel (O, I, 3, 3)
        x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        size = [(side - 3) // stride + 1 for side in x.shape[1:3]]
        places = [
            [slice(k, k + stride * (n - 1) + 1, stride) for k in range(3)] for n in size
        ]
        return sum(
            x[:, places[0][i], places[1][j]] @ kernel[:, :, i, j].T
            for i in range(3)
            for j in range(3)
        )

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        return (
            centred / np.sqrt(x.var(-1, keepdims=True) + 1e-6) * w[f"{name}.weight"]
            + w[f"{name}.bias"]
        )

    def linear(x, name):
        return (
            x @ w[f"{name}.weight"].reshape(len(w[f"{name}.bias"]), -1).T
            + w[f"{name}.bias"]
        )

    x = images.astype("float64")
    for index in (0, 2, 4, 6):
        x = conv(x, w[f"patch_embed.proj.{index}.0.weight"], stride=2)
        x = gelu_by_hand(x) if index < 6 else x
    for index in range(depth):
        name = f"blocks.{index}.attn.qkv_pos"
        branch = gelu_by_hand(linear(norm(x, f"blocks.{index}.norm1"), f"{name}.0"))
        # (C, 1, 3, 3) -> (C, C, 3, 3)
        kernel = w[f"{name}.2.weight"] * np.eye(x.shape[-1])[..., None, None]
        branch = gelu_by_hand(conv(branch, kernel) + w[f"{name}.2.bias"])
        gate = linear(
            np.maximum(linear(branch.mean((1, 2)), f"{name}.4.conv_reduce"), 0),
            f"{name}.4.conv_expand",
        )
        branch = linear(branch / (1 + np.exp(-gate[:, None, None])), f"{name}.5")
        x = x + branch * w[f"blocks.{index}.gamma_1"]
    pool, grid = "blocks_token_only.0", x.shape[1:3]
    token = np.repeat(w["cls_token"], len(x), axis=0)
    tokens = token.shape[1]
    everything = norm(
        np.concatenate([token, x.reshape(len(x), -1, x.shape[-1])], axis=1),
        f"{pool}.norm1",
    )
    source = everything[:, tokens:] if per_class else everything
    scores = linear(everything[:, :tokens], f"{pool}.attn.q") @ linear(
        source, f"{pool}.attn.k"
    ).transpose(0, 2, 1)
    attention = np.exp(scores / x.shape[-1] ** 0.5)
    attention /= attention.sum(-1, keepdims=True)
    mixed = linear(attention @ linear(source, f"{pool}.attn.v"), f"{pool}.attn.proj")
    token = token + mixed * w[f"{pool}.gamma_1"]
    hidden = gelu_by_hand(linear(norm(token, f"{pool}.norm2"), f"{pool}.mlp.fc1"))
    token = norm(
        token + linear(hidden, f"{pool}.mlp.fc2") * w[f"{pool}.gamma_2"], "norm"
    )
    if per_class:
        logits = np.stack(
            [linear(token[:, i], f"head.{i}")[:, 0] for i in range(tokens)], axis=1
        )
    else:
        logits = linear(token[:, 0], "head")
    return logits, attention[..., -grid[0] * grid[1] :].reshape(len(x), tokens, *grid)


@pytest.mark.long
@pytest.mark.parametrize(
    "per_class, sizes, image_size",
    [
        (False, TINY, (32, 32)),
        (True, TINY, (32, 32)),
        (False, {"dim": 24, "depth": 1, "num_classes": 1}, (48, 32)),
        (True, {"dim": 8, "depth": 4, "num_classes": 7}, (33, 64)),
    ],
)
def test_other_sizes_convert_as_well(per_class, sizes, image_size):
    weights = random_weights(per_class, **sizes)
    images = np.random.default_rng(1).normal(size=(2, *image_size, 3)).astype("float32")
    logits, attention = official.convert(weights).explain(images)
    expected, expected_attention = forward_by_hand(
        weights, images, sizes["depth"], per_class
    )
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(attention, expected_attention, atol=1e-5)


def test_the_plain_network_is_the_authors_too(reference):
    per_class = reference["attention"].shape[1] > 1
    logits, attention = forward_by_hand(
        reference["weights"], reference["images"], 3, per_class
    )
    np.testing.assert_allclose(logits, reference["logits"], atol=1e-5)
    np.testing.assert_allclose(attention, reference["attention"], atol=1e-6)


def test_with_preprocessing_it_takes_pictures():
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 3), dtype=np.uint8)
    weights = random_weights()
    plain = official.convert(weights)
    with_it = official.convert(weights, preprocessing="imagenet", image_size=40)
    normalized = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(
        numpy(with_it(images)), numpy(plain(normalized.astype("float32"))), atol=1e-4
    )
