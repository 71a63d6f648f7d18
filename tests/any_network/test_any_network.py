"""The course's pooling on networks of all kinds."""

import keras
import numpy as np
import pytest
from keras import layers

from patchconvnet import faithfulness
from patchconvnet.any_network import add_attention, add_average, efficientnet_lite0
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import look

SIZE = 64


def pictures(count=5):
    shape = (count, SIZE, SIZE, 3)
    return np.random.default_rng(2).integers(0, 256, shape, dtype="uint8")


def own_network():
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(7, 3, strides=8, name="look"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.5),
        ],
        name="own",
    )


def mobile_net():
    return keras.applications.MobileNetV3Small(
        (SIZE, SIZE, 3), include_top=False, weights=None
    )


def compiled(network):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(0.1), loss)
    return network


def arrays(weights):
    return [keras.ops.convert_to_numpy(weight) for weight in weights]


ADDERS = pytest.mark.parametrize("add", [add_attention, add_average])


@ADDERS
def test_only_what_was_added_is_trained(add):
    network = compiled(add(own_network(), 3))
    before, own_before = arrays(network.trunk.weights), arrays(network.own_weights)
    network.fit(pictures(), np.arange(5) % 3, verbose=0)
    # the statistics of its batch norm, too, stay as they were
    for old, new in zip(before, arrays(network.trunk.weights)):
        np.testing.assert_array_equal(old, new)
    moved = [
        np.any(old != new) for old, new in zip(own_before, arrays(network.own_weights))
    ]
    assert np.mean(moved) > 0.5


def test_a_frozen_backbone_drops_nothing_in_training():
    network = add_attention(own_network(), 3)
    trunk = keras.Model(network.inputs, network.get_layer("norm_features").input)
    seen = [
        keras.ops.convert_to_numpy(
            trunk(pictures().astype("float32"), training=training)
        )
        for training in (False, True)
    ]
    np.testing.assert_array_equal(*seen)


def test_a_trained_backbone_moves_but_for_frozen_batch_norms():
    backbone = own_network()
    backbone.get_layer("norm").trainable = False
    network = compiled(add_attention(backbone, 3, trainable=True))
    before = arrays(backbone.weights)
    network.fit(pictures(), np.arange(5) % 3, verbose=0)
    moved = {
        weight.path
        for weight, old, new in zip(backbone.weights, before, arrays(backbone.weights))
        if np.any(old != new)
    }
    assert moved == {"own/look/kernel", "own/look/bias"}
    # thawed again after it had been frozen as a whole
    add_average(backbone, 3)
    assert not backbone.trainable_weights
    add_average(backbone, 3, trainable=True)
    assert [weight.path for weight in backbone.trainable_weights] == [
        "own/look/kernel",
        "own/look/bias",
    ]


@ADDERS
def test_saved_and_loaded_it_says_the_same(add, tmp_path):
    network = compiled(add(own_network(), 3))
    network.fit(pictures(), np.arange(5) % 3, verbose=0)
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    for found, wanted in zip(again.explain(pictures()), network.explain(pictures())):
        np.testing.assert_array_equal(found, wanted)
    assert len(again.trainable_weights) == len(network.trainable_weights)
    again.fit(pictures(), np.arange(5) % 3, verbose=0)


@pytest.mark.parametrize("class_tokens, maps", [("single", 1), ("per_class", 4)])
def test_attention_is_a_share_of_each_place(class_tokens, maps):
    network = add_attention(own_network(), 4, class_tokens=class_tokens)
    logits, attention = network.explain(pictures())
    np.testing.assert_allclose(
        logits, network.predict(pictures(), verbose=0), atol=1e-5
    )
    assert logits.shape == (5, 4) and attention.shape == (5, maps, 8, 8)
    total = attention.sum(axis=(2, 3))
    # a single token keeps some for itself
    assert np.all(attention >= 0) and np.all(total <= 1 + 1e-5)
    assert np.allclose(total, 1, atol=1e-5) == (class_tokens == "per_class")


def test_averages_of_the_class_activation_maps_are_the_logits():
    network = add_average(own_network(), 4)
    head = network.get_layer("head")
    head.bias.assign([0.5, -1.0, 2.0, 0.0])
    logits, maps = network.explain(pictures())
    np.testing.assert_allclose(
        maps.mean(axis=(2, 3)) + [0.5, -1.0, 2.0, 0.0], logits, atol=1e-5
    )
    np.testing.assert_allclose(
        logits, network.predict(pictures(), verbose=0), atol=1e-5
    )
    by_name = faithfulness.class_activation_maps(network, pictures())
    np.testing.assert_array_equal(by_name[1], maps)


@ADDERS
def test_whoever_looks_gets_maps_that_sum_to_one(add):
    logits, maps = look(add(own_network(), 3), pictures())
    assert logits.shape == (5, 3)
    assert np.all(maps >= 0)
    if add is add_average:
        np.testing.assert_allclose(maps.sum(axis=(2, 3)), 1, atol=1e-5)


def test_channels_of_any_size_start_alike():
    """The norm takes the unit out of the features: a thousandfold changes nothing."""
    logits = []
    for scale in (1.0, 1000.0):
        keras.utils.set_random_seed(1)
        backbone = keras.Sequential(
            [keras.Input((8, 8, 5)), layers.Rescaling(scale)], name="scaled"
        )
        network = compiled(add_attention(backbone, 3, dropout=0.0))
        features = np.random.default_rng(0).normal(2, 1, (64, 8, 8, 5))
        for _ in range(60):
            network(features.astype("float32"), training=True)  # learns the statistics
        logits.append(network.predict(features, verbose=0))
    np.testing.assert_allclose(*logits, atol=2e-2)


@pytest.mark.slow
@ADDERS
def test_networks_of_keras_applications(add):
    residual = keras.applications.ResNet50(
        input_shape=(SIZE, SIZE, 3), include_top=False, weights=None
    )
    networks = {
        "MobileNetV3": (add(mobile_net(), 3), (2, 2), 576),
        "ResNet50": (
            add(
                residual,
                3,
                layer="conv3_block4_out",
                preprocess=keras.applications.resnet.preprocess_input,
            ),
            (8, 8),
            512,
        ),
        "EfficientNet-Lite0": (add(efficientnet_lite0(4), 3), (28, 28), 40),
    }
    for name, (network, grid, channels) in networks.items():
        logits, maps = network.explain(pictures(2))
        assert logits.shape == (2, 3) and maps.shape[2:] == grid, name
        assert network.trunk.output.shape[-1] == channels, name


@pytest.mark.slow
def test_the_preprocessing_is_a_part_of_what_is_saved(tmp_path):
    backbone = keras.applications.ResNet50(
        input_shape=(SIZE, SIZE, 3), include_top=False, weights=None
    )
    prepare = keras.applications.resnet.preprocess_input
    network = add_average(backbone, 3, layer="conv2_block1_out", preprocess=prepare)
    plain = keras.Model(backbone.inputs, backbone.get_layer("conv2_block1_out").output)
    wanted = plain.predict(prepare(pictures(2).astype("float32")), verbose=0)
    found = network.trunk.predict(pictures(2), verbose=0)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * wanted.max())
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(again.trunk.predict(pictures(2), verbose=0), found)


def test_a_trunk_of_any_size_takes_pictures_as_they_are():
    backbone = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 8, 8)])
    network = add_attention(backbone, 2)
    assert network.explain(pictures(2))[1].shape == (2, 1, 8, 8)
    assert network.explain(pictures(2)[:, :32, :48])[1].shape == (2, 1, 4, 6)


def test_a_trunk_of_one_size_gets_pictures_of_that_size():
    network = add_attention(own_network(), 3)
    small = np.repeat(np.repeat(pictures(2)[:, :16, :16], 4, axis=1), 4, axis=2)
    assert network.explain(pictures(2)[:, :16, :16])[0].shape == (2, 3)
    assert network.explain(small)[1].shape == (2, 1, 8, 8)


# === refused ===


def vector_network():
    return keras.applications.MobileNetV3Small((SIZE, SIZE, 3), weights=None)


def channels_first():
    return keras.Sequential(
        [
            keras.Input((3, 16, 16)),
            layers.Conv2D(4, 3, data_format="channels_first"),
            layers.ReLU(),
        ]
    )


def nested():
    pooled = [layers.GlobalAveragePooling2D(), layers.Dense(4)]
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), own_network(), *pooled])


class Subclassed(keras.Model):
    def call(self, images):
        return images


def two_inputs():
    both = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    return keras.Model(both, layers.Add()(both))


def two_outputs():
    image = keras.Input((8, 8, 3))
    return keras.Model(image, [layers.ReLU()(image), layers.ReLU()(image)])


REFUSED = {
    "a vector": (
        vector_network,
        {},
        r"ends in \(N, 1000\), not in a feature map .*layer=",
    ),
    "no places left": (
        lambda: keras.Sequential([keras.Input((9,)), layers.Dense(4)]),
        {},
        "give one that keeps the places",
    ),
    "a near name": (
        own_network,
        {"layer": "loook"},
        "has no layer 'loook': near are look",
    ),
    "no near name": (own_network, {"layer": "zzz"}, "near are look, norm, dropout"),
    "no string": (own_network, {"layer": 3}, "has no layer 3"),
    "unknown channels": (
        lambda: keras.Sequential([keras.Input((8, 8, None)), layers.ReLU()]),
        {},
        "unknown number of channels",
    ),
    "channels first": (channels_first, {}, r"channels first, \(N, 4, 14, 14\)"),
    "channels first, inside": (
        lambda: keras.Sequential([keras.Input((3, 16, 16)), channels_first()]),
        {},
        "channels first",
    ),
    "not built": (
        lambda: keras.Sequential([layers.Conv2D(3, 3)]),
        {},
        "does not say what",
    ),
    "subclassed": (Subclassed, {}, "functional or Sequential"),
    "two inputs": (two_inputs, {}, "takes 2 inputs"),
    "two outputs": (two_outputs, {}, "has 2 outputs: name the layer of one"),
    "a layer": (lambda: layers.Conv2D(3, 3), {}, "must be a Keras model, got Conv2D"),
    "classes": (own_network, {"num_classes": 0}, "num_classes must be"),
    "trainable": (own_network, {"trainable": 1}, "must be one of True, False, got 1"),
    "a network in it": (
        nested,
        {"layer": "own"},
        "is a network itself: give it as the backbone, backbone.get_layer",
    ),
    "a network in it, unnamed": (nested, {}, "take the network in it"),
    "no feature map at all": (
        lambda: keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten()]),
        {},
        "give one that keeps the places",
    ),
    "too many channels": (
        lambda: keras.Sequential([keras.Input((4, 4, 5000)), layers.ReLU()]),
        {},
        "5,000 channels, and 4,096 are the most",
    ),
    "preprocess": (
        own_network,
        {"preprocess": "caffe"},
        "preprocess must be a layer or",
    ),
}


@ADDERS
@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(add, case):
    make, options, said = REFUSED[case]
    backbone = make()
    with pytest.raises(PatchConvNetError, match=said) as found:
        add(backbone, **{"num_classes": 3, **options})
    assert "\n" not in str(found.value)
    if isinstance(backbone, keras.Model) and backbone.built:
        frozen = [part.name for part in backbone.layers if not part.trainable]
        assert not frozen, "a call that was refused froze it"


@pytest.mark.parametrize(
    "options, said",
    [
        ({"dropout": 1}, "dropout must be"),
        ({"class_tokens": "many"}, "class_tokens must be one of"),
    ],
)
def test_refused_of_attention(options, said):
    backbone = own_network()
    with pytest.raises(PatchConvNetError, match=said):
        add_attention(backbone, 3, **options)
    assert all(part.trainable for part in backbone.layers)


def test_pictures_are_checked():
    network = add_attention(own_network(), 3)
    with pytest.raises(PatchConvNetError, match="look like 0..1"):
        network.explain(pictures() / 255)
