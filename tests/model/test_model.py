"""The whole network: sizes, explanation, saving, training by the standard means."""

import keras
import numpy as np
import pytest

from patchconvnet import PatchConvNet
from patchconvnet.errors import PatchConvNetError
from patchconvnet.model import PRESETS

SMALL = {"dim": 16, "depth": 1, "image_size": 16, "se_ratio": 4}


@pytest.fixture(autouse=True)
def fixed_seed():
    keras.utils.set_random_seed(0)


def pictures(count=6, size=16):
    return (
        np.random.default_rng(0)
        .integers(0, 256, (count, size, size, 3))
        .astype("uint8")
    )


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def randomize(model):
    generator = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(weight + generator.normal(0, 0.1, weight.shape))
    return model


def test_parameters_of_the_keras_example():
    assert PatchConvNet.from_preset("keras_example").count_params() == 2_174_986
    assert (
        PatchConvNet.from_preset("keras_example", tied=True).count_params() == 1_436_426
    )
    # As published, one block serves at any depth.
    assert (
        PatchConvNet.from_preset("keras_example", tied=True, depth=7).count_params()
        == 1_436_426
    )


@pytest.mark.parametrize("preset, grid", [("shapes", 8), ("keras_example", 12)])
def test_presets_give_logits_and_a_map_over_their_grid(preset, grid):
    model = PatchConvNet.from_preset(preset)
    logits, attention = model.explain(pictures(2, 32))
    assert logits.shape == (2, 10) and logits.dtype == np.float32
    assert attention.shape == (2, 1, grid, grid) and attention.dtype == np.float32


@pytest.mark.parametrize("class_tokens", ["single", "per_class"])
def test_the_network_is_its_layers_one_after_the_other(class_tokens):
    model = randomize(PatchConvNet(class_tokens=class_tokens, **SMALL))
    layer = model.get_layer
    images = pictures().astype("float32") / 127.5 - 1
    patches = layer("trunk")(layer("stem")(images))
    tokens, attention = layer("pooling")(patches)
    tokens = layer("norm")(tokens)  # (N, Q, dim)
    logits = layer("head")(tokens[:, 0] if class_tokens == "single" else tokens)
    found, maps = model.explain(pictures())
    np.testing.assert_allclose(found, numpy(logits), atol=1e-4)
    np.testing.assert_allclose(maps, numpy(attention), atol=1e-5)


def test_explain_gives_the_logits_of_the_call_whatever_the_batch_size():
    model = randomize(PatchConvNet(**SMALL))
    images = pictures(7)
    logits, attention = model.explain(images)
    np.testing.assert_allclose(numpy(model(images)), logits, atol=1e-5)
    again, maps = model.explain(images, batch_size=2)
    np.testing.assert_allclose(again, logits, atol=1e-5)
    np.testing.assert_allclose(maps, attention, atol=1e-6)


def test_explain_follows_the_weights():
    model = PatchConvNet(**SMALL)
    before, _ = model.explain(pictures())
    randomize(model)
    after, _ = model.explain(pictures())
    np.testing.assert_allclose(after, numpy(model(pictures())), atol=1e-5)
    assert np.abs(after - before).max() > 1e-3


def test_one_image_keeps_its_batch_axis():
    logits, attention = PatchConvNet(**SMALL).explain(pictures(1))
    assert logits.shape == (1, 10) and attention.shape == (1, 1, 4, 4)


def test_images_of_other_sizes_are_resized_inside():
    model = PatchConvNet(**SMALL)
    assert model.explain(pictures(2, 40))[1].shape == (2, 1, 4, 4)
    assert numpy(model(np.zeros((2, 30, 50, 3), "uint8"))).shape == (2, 10)


def test_bytes_and_floats_of_the_same_value_give_the_same():
    model = randomize(PatchConvNet(**SMALL))
    np.testing.assert_allclose(
        model.explain(pictures())[0],
        model.explain(pictures().astype("float32"))[0],
        atol=1e-6,
    )


def test_without_preprocessing_the_array_is_taken_as_it_is():
    plain = PatchConvNet(**SMALL, preprocessing=None)
    scaled = PatchConvNet(**SMALL)
    plain.set_weights(scaled.get_weights())
    images = pictures()
    np.testing.assert_allclose(
        plain.explain(images / 127.5 - 1)[0], scaled.explain(images)[0], atol=1e-5
    )


def test_per_class_tokens_give_one_map_a_class():
    model = PatchConvNet(**SMALL, num_classes=7, class_tokens="per_class")
    logits, attention = model.explain(pictures())
    assert logits.shape == (6, 7) and attention.shape == (6, 7, 4, 4)


def test_batch_norm_centres_each_class_token_by_itself():
    model = randomize(
        PatchConvNet(**SMALL, num_classes=3, class_tokens="per_class", norm="batch")
    )
    norm = model.get_layer("norm")
    assert norm.gamma.shape == (3 * SMALL["dim"],)
    assert model.get_layer("head").input.shape[1:] == (3, SMALL["dim"])
    inside = keras.Model(model.input, norm.output)
    # (N, 3 * dim)
    centred = numpy(inside(pictures(), training=True)) - numpy(norm.beta)
    np.testing.assert_allclose(centred.mean(axis=0), 0, atol=1e-4)


def test_the_class_token_starts_as_told():
    model = PatchConvNet(**SMALL, token_initializer="zeros")
    _, attention = model.explain(pictures())
    # zero asks nothing: uniform
    np.testing.assert_allclose(attention, 1 / (1 + attention[0, 0].size), atol=1e-6)


def test_average_pooling_has_no_map_and_names_the_class_activation_map():
    model = PatchConvNet(**SMALL, pooling="average")
    assert numpy(model(pictures())).shape == (6, 10)
    with pytest.raises(PatchConvNetError, match="class activation map"):
        model.explain(pictures())


@pytest.mark.long
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"norm": "batch", "layer_scale": 0.1, "drop_path": 0.1},
        {
            "spatial": "depthwise",
            "se_bias": True,
            "stem_bias": False,
            "stem_final_activation": False,
        },
        {"class_tokens": "per_class", "num_classes": 4},
        {"pooling": "average", "se_ratio": None},
        {"tied": True, "depth": 3, "preprocessing": "imagenet"},
        {"shift": 2, "flip": True, "cutout": 4, "dropout": 0.2, "seed": 3},
    ],
)
def test_saved_models_reload_to_the_same_outputs(options, tmp_path):
    model = randomize(PatchConvNet(**{**SMALL, **options}))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is PatchConvNet
    np.testing.assert_allclose(
        numpy(again(pictures())), numpy(model(pictures())), atol=1e-5
    )
    if options.get("pooling") != "average":
        np.testing.assert_allclose(
            again.explain(pictures())[1], model.explain(pictures())[1], atol=1e-6
        )
    assert keras.models.clone_model(model).count_params() == model.count_params()


def test_saving_after_explaining_does_not_save_the_network_twice(tmp_path):
    model = PatchConvNet(**SMALL)
    model.explain(pictures())
    assert len(model.weights) == len({weight.path for weight in model.weights})
    model.save(tmp_path / "model.keras")
    assert len(keras.models.load_model(tmp_path / "model.keras").weights) == len(
        model.weights
    )


def test_config_holds_plain_values_only():
    import json

    for preset in PRESETS:
        # A narrow, shallow network with the preset's options: the largest would need
        # gigabytes.
        config = PatchConvNet.from_preset(
            preset, dim=32, depth=1, num_classes=3
        ).get_config()
        assert json.loads(json.dumps(config)) == config


@pytest.mark.long
def test_compile_fit_evaluate_learn_something():
    # Bright images are class 1: two passes are enough for a network that can learn at
    # all.
    dark, bright = pictures(64) // 4, 255 - pictures(64) // 4
    images, labels = np.concatenate([dark, bright]), np.repeat([0, 1], 64)
    model = PatchConvNet(**SMALL, num_classes=2, shift=1, flip=True, norm="batch")
    model.compile(
        keras.optimizers.AdamW(3e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(images, labels, batch_size=16, epochs=4, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    loss, accuracy = model.evaluate(images, labels, verbose=0)
    assert accuracy > 0.95 and loss > 0


@pytest.mark.long
def test_a_compiled_training_step_runs():
    model = PatchConvNet(
        **SMALL, shift=2, flip=True, cutout=4, dropout=0.1, drop_path=0.1
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adamw", loss, jit_compile=True)
    assert np.isfinite(model.train_on_batch(pictures(), np.arange(6)))


@pytest.mark.long
def test_a_compiled_training_step_enlarges_its_images():
    model = PatchConvNet(**{**SMALL, "image_size": 24}, shift=2)
    model.compile(
        "adamw",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True,
    )
    assert np.isfinite(model.train_on_batch(pictures(), np.arange(6)))


def test_mixed_precision_reaches_every_layer_and_survives_saving(tmp_path):
    model = PatchConvNet(**SMALL, dtype="mixed_bfloat16")
    assert model.get_layer("trunk").blocks[0].look_around.compute_dtype == "bfloat16"
    logits, attention = model.explain(pictures())
    assert logits.dtype == attention.dtype == np.float32
    assert np.all(np.isfinite(logits)) and np.all(attention.sum(axis=(1, 2, 3)) < 1.001)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.get_layer("pooling").query.compute_dtype == "bfloat16"
    np.testing.assert_allclose(again.explain(pictures())[0], logits, atol=5e-3)


def test_every_layer_allows_the_compiler():
    model = PatchConvNet.from_preset("keras_example", cutout=8)
    assert all(layer.supports_jit for layer in model._flatten_layers())


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"norm": "group"}, "norm must be one of"),
        ({"pooling": "max"}, "pooling must be one of"),
        ({"class_tokens": 3}, "class_tokens must be one of"),
        ({"preprocessing": "torch"}, "preprocessing must be one of"),
        ({"num_classes": 0}, "num_classes must be a whole number from 1 to 100,000"),
        ({"depth": 1.5}, "depth must be a whole number from 1 to 500, got 1.5"),
        (
            {"pooling": "average", "class_tokens": "per_class"},
            "average pooling has no tokens",
        ),
        ({"dept": 3}, 'no argument dept; did you mean "depth"'),
        ({"depth": True}, "depth must be .*True"),
        ({"tied": 1}, "tied must be one of True, False, got 1"),
        ({"flip": "no"}, "flip must be one of True, False, got 'no'"),
        ({"stem_bias": None}, "stem_bias must be"),
        (
            {"stem_strides": (1, 3)},
            "stem_strides must be a sequence of 1 to 8, each one of 1, 2",
        ),
        ({"stem_strides": ()}, "stem_strides must be"),
        (
            {"layer_scale": "abc"},
            "layer_scale must be None or a number from 0 to 100, got 'abc'",
        ),
        ({"layer_scale": -0.1}, "layer_scale must be"),
        ({"preprocessing": None, "flip": True}, "flip needs preprocessing"),
        ({"se_ratio": 0}, "se_ratio must be None or a whole number"),
        ({"mlp_ratio": 0}, "mlp_ratio must be"),
        ({"dropout": 1}, "dropout must be a number, at least 0 and below 1, got 1"),
        ({"drop_path": float("nan")}, "drop_path must be .*nan"),
        ({"image_size": 7}, "image_size must be a whole number from 8 to 1,024, got 7"),
        ({"image_size": 1025}, "image_size must be"),
        ({"shift": 1.5}, "shift must be a whole number from 0 to 1,023, got 1.5"),
        (
            {"shift": 16, "image_size": 16},
            "shift must be at most 15 for images of 16 pixels, got 16",
        ),
        (
            {"cutout": 17, "image_size": 16},
            "cutout must be at most 16 for images of 16 pixels, got 17",
        ),
        ({"seed": -1}, "seed must be None or a whole number"),
        (
            {"dim": 4096, "depth": 6},
            "make a network of 1,107 million weights on 8 x 8 patches: make it smaller",
        ),
        (
            {"dim": 1024, "image_size": 1024, "stem_strides": (1, 2)},
            "512 x 512 patches: make it smaller",
        ),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(PatchConvNetError, match=message):
        PatchConvNet(**arguments)


def test_the_users_order_of_channels_is_not_ours():
    """`image_data_format` in keras.json is for models that do not say their own."""
    usual = randomize(PatchConvNet(**SMALL, norm="batch"))
    keras.config.set_image_data_format("channels_first")
    try:
        network = PatchConvNet(**SMALL, norm="batch")
        network.set_weights(usual.get_weights())
        np.testing.assert_allclose(
            network.explain(pictures(size=20))[0],
            usual.explain(pictures(size=20))[0],
            atol=1e-5,
        )
        assert (
            PatchConvNet(**SMALL, pooling="average", spatial="depthwise")
            .predict(pictures(), verbose=0)
            .shape[1]
            == 10
        )
    finally:
        keras.config.set_image_data_format("channels_last")


def test_the_bounds_themselves_are_accepted():
    PatchConvNet(
        image_size=8,
        dim=8,
        depth=1,
        shift=7,
        cutout=8,
        drop_path=0,
        dropout=0.0,
        layer_scale=100,
        seed=0,
    )


def test_unknown_preset_lists_those_there_are():
    with pytest.raises(
        PatchConvNetError, match='shapes, keras_example.*did you mean "shapes"'
    ):
        PatchConvNet.from_preset("shape")


def test_explain_rejects_what_is_no_picture():
    with pytest.raises(PatchConvNetError, match="look like 0..1"):
        PatchConvNet(**SMALL).explain(pictures() / 255.0)
