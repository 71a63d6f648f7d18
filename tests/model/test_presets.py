"""Presets, and what each option of the network does."""

import keras
import numpy as np
import pytest
from test_model import SMALL, fixed_seed, numpy, pictures  # noqa: F401

from patchconvnet import PatchConvNet
from patchconvnet.errors import PatchConvNetError
from patchconvnet.model import PRESETS, NetworkConfig, preset_config

PAPER = {
    "num_classes": 1000, "image_size": 224, "stem_strides": (2, 2, 2, 2),
    "stem_bias": False, "stem_final_activation": False, "spatial": "depthwise",
    "se_ratio": 4, "se_bias": True, "mlp_ratio": 3, "preprocessing": "imagenet",
    "kernel_initializer": "authors",
    "token_initializer": {"class_name": "TruncatedNormal",
                          "config": {"mean": 0.0, "stddev": 0.02}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "dim", "depth", "layer_scale"),
    [("s60", 384, 60, 1e-4), ("s120", 384, 120, 1e-6), ("b60", 768, 60, 1e-6),
     ("b120", 768, 120, 1e-6), ("l60", 1024, 60, 1e-6), ("l120", 1024, 120, 1e-6),
     ("s60_multi", 384, 60, 1e-4)],
)  # fmt: skip
def test_the_papers_networks_are_as_in_its_tables(preset, dim, depth, layer_scale):
    tokens = {"class_tokens": "per_class"} if preset == "s60_multi" else {}
    assert preset_config(preset) == {
        **PAPER,
        "dim": dim,
        "depth": depth,
        "layer_scale": layer_scale,
        **tokens,
    }


def test_the_networks_that_are_trained_here_have_the_options_that_the_book_names():
    """The same for recipes: tests/training/test_recipes.py."""
    assert set(PRESETS) == {
        "shapes",
        "keras_example",
        "cifar10",
        "cifar10_cpu",
        "s60",
        "s120",
        "b60",
        "b120",
        "l60",
        "l120",
        "s60_multi",
    }
    for preset in PRESETS:  # a preset's dict is the caller's own
        preset_config(preset)["dim"] = 1
        assert preset_config(preset)["dim"] > 1


def test_without_arguments_the_network_is_this_one():
    config = PatchConvNet().get_config()
    of_keras = ("name", "dtype", "trainable")
    assert {key: config[key] for key in config if key not in of_keras} == {
        "num_classes": 10, "image_size": 32, "dim": 64, "depth": 2,
        "stem_strides": [2, 2], "stem_bias": True, "stem_final_activation": True,
        "norm": "layer", "tied": False, "spatial": "dense", "se_ratio": 8,
        "se_bias": False, "layer_scale": None, "drop_path": 0.0, "pooling": "attention",
        "class_tokens": "single", "mlp_ratio": 1, "dropout": 0.0,
        "token_initializer": "truncated_normal", "preprocessing": "rescale", "shift": 0,
        "flip": False, "cutout": 0, "seed": None,
        "kernel_initializer": "glorot_uniform", "attention_dropout": None,
        "mlp_dropout": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "weights"), [("shapes", 136_874), ("cifar10_cpu", 936_298)]
)
def test_the_courses_networks_have_the_weights_that_are_recorded(preset, weights):
    assert PatchConvNet.from_preset(preset).count_params() == weights


def test_a_tied_trunk_has_the_weights_of_one_block():
    """Five hundred blocks of their own would be too many, and are refused."""
    settings = {"dim": 600, "depth": 500, "tied": True}
    assert NetworkConfig.from_settings(settings).depth == 500
    with pytest.raises(PatchConvNetError, match="make it smaller"):
        NetworkConfig.from_settings(settings | {"tied": False})


def test_the_first_unknown_argument_is_named():
    with pytest.raises(PatchConvNetError, match='argument depht; did you mean "depth"'):
        NetworkConfig.from_settings({"depht": 1, "width": 2})


def test_a_frozen_network_stays_frozen_in_its_config():
    frozen = PatchConvNet(trainable=False, **SMALL)
    again = PatchConvNet.from_config(frozen.get_config())
    assert not again.trainable and not again.trainable_weights
    assert PatchConvNet.from_config(PatchConvNet(**SMALL).get_config()).trainable


@pytest.mark.long
@pytest.mark.parametrize(
    ("option", "weights"),
    [
        ({}, 0),
        ({"stem_bias": False}, -(8 + 16)),
        ({"depth": 2}, "block"),
        ({"depth": 2, "tied": True}, 0),
        ({"se_ratio": None}, -2 * 16 * 4),
        ({"se_ratio": 2}, 2 * 16 * 4),
        ({"se_bias": True}, 4 + 16),
        ({"spatial": "depthwise"}, 9 * 16 - 9 * 16 * 16),
        ({"layer_scale": 0.1}, 3 * 16),  # one in the block, two in the pooling
        ({"mlp_ratio": 3}, 2 * (2 * 16 * 16 + 16)),
        ({"num_classes": 7}, -3 * 17),
        ({"stem_strides": (2, 2, 1)}, None),
        ({"norm": "batch"}, -24 + 4 * 24 + 2 * 2 * 16),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_each_option_adds_or_takes_its_weights(option, weights):
    base, changed = (
        PatchConvNet(**{**SMALL, **given}).count_params() for given in ({}, option)
    )
    if weights == "block":
        weights = 2 * 16 + 2 * (16 * 16 + 16) + (9 * 16 * 16 + 16) + 2 * 16 * 4
    if weights is None:  # channels are 4, 8, 16 in place of 8, 16
        weights = (27 * 4 + 4 + 9 * 4 * 8 + 8 + 9 * 8 * 16 + 16) - (
            27 * 8 + 8 + 9 * 8 * 16 + 16
        )
    assert changed - base == weights


@pytest.mark.long
@pytest.mark.parametrize(
    "option",
    [{"shift": 2}, {"flip": True}, {"cutout": 6}, {"dropout": 0.5}, {"drop_path": 0.5}],
    ids=lambda option: next(iter(option)),
)
def test_what_varies_in_training_varies_there_only(option):
    keras.utils.set_random_seed(0)
    varying = PatchConvNet(**SMALL, **option, seed=1)
    plain = PatchConvNet(**SMALL)
    plain.set_weights(
        [
            numpy(weight)
            for weight in varying.weights
            if "seed_generator" not in weight.path
        ][: len(plain.get_weights())]
    )
    still = numpy(varying(pictures(), training=False))
    np.testing.assert_allclose(still, numpy(plain(pictures())), atol=1e-6)
    np.testing.assert_allclose(
        numpy(plain(pictures(), training=True)), still, atol=1e-6
    )
    assert np.abs(numpy(varying(pictures(), training=True)) - still).max() > 1e-3


@pytest.mark.parametrize(
    ("value", "accepted"),
    [(1, True), (0, False), (-1, False), (2.0, False), ("2", False)],
)
@pytest.mark.parametrize("name", ["num_classes", "depth"])
def test_numbers_of_the_network_are_whole_and_positive(name, value, accepted):
    if accepted:
        assert PatchConvNet(**{**SMALL, name: value}).get_config()[name] == value
    else:
        with pytest.raises(
            PatchConvNetError,
            match=f"^{name} must be a whole number from 1 to .*, got {value!r}",
        ):
            PatchConvNet(**{**SMALL, name: value})


def test_a_preset_may_be_changed_and_one_far_from_all_gets_no_hint():
    assert (
        PatchConvNet.from_preset("shapes", dim=16, depth=1).get_config()["depth"] == 1
    )
    with pytest.raises(PatchConvNetError) as caught:
        PatchConvNet.from_preset("zzz")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "pooled"),
    [({"class_tokens": "per_class"}, "bfloat16"), ({"pooling": "average"}, "bfloat16")],
)
def test_half_precision_reaches_the_pooling_and_stops_before_the_logits(
    options, pooled
):
    network = PatchConvNet(**SMALL, num_classes=3, dtype="mixed_bfloat16", **options)
    assert (
        network.get_layer("pooling").compute_dtype == pooled
        and network.get_layer("head").compute_dtype == "float32"
    )
