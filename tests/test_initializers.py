"""How weights start: as Keras starts them, or as the authors do (their code:
`_init_weights`, and PyTorch's own for convolutions).
"""

import keras
import numpy as np
import pytest
from keras import layers

from patchconvnet import PatchConvNet, PatchConvNetError, records
from patchconvnet.model import PRESETS
from patchconvnet.squeeze_excite import SqueezeExcite


@pytest.fixture(scope="module", params=["s60", "s60_multi"])
def of_the_paper(request):
    keras.utils.set_random_seed(0)
    return PatchConvNet.from_preset(
        request.param, dim=256, depth=2, num_classes=20, image_size=64
    )


def layers_of(model, kind):
    """Every layer of a kind inside the network, with those of the
    squeeze-and-excitation counted as convolutions.
    """
    whole = [layer for layer in model._flatten_layers() if type(layer) is kind]
    gates = [
        gate
        for block in model.get_layer("trunk").blocks
        for gate in (block.squeeze_excite.reduce, block.squeeze_excite.expand)
    ]
    if kind is layers.Dense:
        return [layer for layer in whole if all(layer is not gate for gate in gates)]
    return whole + (gates if kind is layers.Conv2D else [])


def looks_uniform(values, edge):
    assert np.abs(values).max() <= edge * (1 + 1e-6)
    assert values.std() == pytest.approx(edge / 3**0.5, rel=4 / values.size**0.5)
    assert abs(values.mean()) < 4 * edge / (3 * values.size) ** 0.5


def test_the_authors_convolutions_start_uniform_by_what_goes_in(of_the_paper):
    found = layers_of(of_the_paper, layers.Conv2D)
    assert len(found) == 4 + 2 * 4
    for layer in found:
        inputs = np.prod(layer.kernel.shape[:-1])
        looks_uniform(keras.ops.convert_to_numpy(layer.kernel), inputs**-0.5)
        if layer.bias is not None:
            looks_uniform(keras.ops.convert_to_numpy(layer.bias), inputs**-0.5)


def test_the_authors_depthwise_filters_have_nine_inputs(of_the_paper):
    found = layers_of(of_the_paper, layers.DepthwiseConv2D)
    assert len(found) == 2
    for layer in found:
        looks_uniform(keras.ops.convert_to_numpy(layer.kernel), 1 / 3)
        looks_uniform(keras.ops.convert_to_numpy(layer.bias), 1 / 3)


def looks_normal(values):
    """Deviation 0.02 before it is cut at two deviations, which leaves 0.88 of it."""
    values = keras.ops.convert_to_numpy(values)
    assert np.abs(values).max() <= 0.04 + 1e-6
    assert values.std() == pytest.approx(0.0176, rel=5 / values.size**0.5)


def test_the_authors_linear_layers_and_token_start_normal(of_the_paper):
    found = layers_of(of_the_paper, layers.Dense)
    for layer in found:
        looks_normal(layer.kernel)
        assert not np.any(keras.ops.convert_to_numpy(layer.bias))
    pooling, head = of_the_paper.get_layer("pooling"), of_the_paper.get_layer("head")
    assert len(found) == 6 + isinstance(head, layers.Dense)
    looks_normal(head.kernel)
    looks_normal(pooling.class_token)


def test_no_two_layers_start_alike(of_the_paper):
    kernels = [
        keras.ops.convert_to_numpy(layer.kernel).ravel()[:9]
        for kind in (layers.Conv2D, layers.Dense)
        for layer in layers_of(of_the_paper, kind)
    ]
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels)


@pytest.mark.parametrize("name", ["he_normal", "lecun_normal"])
def test_another_start_goes_to_every_kernel(name):
    deviations = {}
    for kind in (name, "glorot_uniform"):
        keras.utils.set_random_seed(0)
        model = PatchConvNet(dim=64, depth=1, se_ratio=4, kernel_initializer=kind)
        deviations[kind] = {
            weight.path: keras.ops.convert_to_numpy(weight).std()
            for weight in model.weights
            if weight.path.endswith("kernel")
        }
        assert keras.models.clone_model(model).count_params() == model.count_params()
        assert model.get_config()["kernel_initializer"] == kind
    changed = [
        path
        for path in deviations[name]
        if deviations[name][path] != deviations["glorot_uniform"][path]
    ]
    assert len(changed) == len(deviations[name]) == 2 + 3 + 2 + 6 + 1


@pytest.mark.parametrize("wrong", ["authours", "zeros", None, 0.02])
def test_an_unknown_start_is_named(wrong):
    with pytest.raises(
        PatchConvNetError,
        match="kernel_initializer must be one of 'authors', 'glorot_uniform'",
    ):
        PatchConvNet(dim=8, depth=1, kernel_initializer=wrong)


def test_the_gates_start_is_kept():
    gate = SqueezeExcite(2, kernel_initializer="authors")
    assert SqueezeExcite.from_config(gate.get_config()).kernel_initializer == "authors"


# === with weights ===


def test_a_preset_comes_with_the_weights_of_its_record():
    trained, recorded = (
        PatchConvNet.from_preset("shapes", load_weights=True),
        records.load("shapes").model(),
    )
    for one, other in zip(trained.get_weights(), recorded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    fresh = PatchConvNet.from_preset("shapes")
    assert any(
        np.any(one != other)
        for one, other in zip(fresh.get_weights(), trained.get_weights(), strict=True)
    )


def test_every_preset_with_a_record_has_weights_and_no_other():
    have = [
        name
        for name in records.names()
        if (records.load(name).folder / "weights.npz").is_file() and name in PRESETS
    ]
    assert {"shapes", "cifar10_cpu"} <= set(have)
    for preset in PRESETS.keys() - set(have):
        with pytest.raises(
            PatchConvNetError,
            match=(
                f"no weights of {preset!r} come with the package: there are those of"
                " .*shapes"
            ),
        ):
            PatchConvNet.from_preset(preset, load_weights=True)


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(
        PatchConvNetError,
        match="^the record of 'shapes': head/kernel has shape .*64, 10.*wants .*64, 3",
    ):
        PatchConvNet.from_preset("shapes", load_weights=True, num_classes=3)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="each backend draws its own numbers"
)
def test_a_recorded_run_began_where_its_seed_still_begins():
    """No later option may draw a random number first: records would not come again."""
    record = records.load("shapes")
    keras.utils.set_random_seed(record.recipe["seed"])
    again, began = PatchConvNet(**record.recipe["model"]), record.model(epoch=0)
    for one, other in zip(again.get_weights(), began.get_weights(), strict=True):
        # kept in half precision
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)
