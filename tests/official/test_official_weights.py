"""Weights that are no PatchConvNet's, presets, cost, and published files."""

import argparse
import builtins

import numpy as np
import pytest
from test_official import TINY, numpy, random_weights

from patchconvnet import PatchConvNet, PatchConvNetError, official
from patchconvnet.model import PAPER, PRESETS

# === bad weights ===


def changed(**changes):
    weights = random_weights()
    for name, value in changes.items():
        name = name.replace("__", ".")
        weights.pop(name, None)
        if value is not None:
            weights[name] = value
    return weights


@pytest.mark.parametrize(
    "weights, message",
    [
        (changed(norm__bias=None), "missing: norm.bias$"),
        (changed(extra=np.zeros(3)), "unknown: extra$"),
        (
            changed(head__bias=np.zeros(4)),
            r"of the wrong shape: head.bias \(4,\), not \(3,\)",
        ),
        (changed(norm__weight=np.full(16, np.nan)), "not finite numbers: norm.weight"),
        (changed(norm__weight=np.array(["x"] * 16)), "not finite numbers: norm.weight"),
        (
            changed(norm__weight=np.array([np.nan] + [1] * 15)),
            "not finite numbers: norm.weight$",
        ),
        (
            changed(norm__weight=np.array([1] * 15 + [-np.inf])),
            "not finite numbers: norm.weight$",
        ),
        (changed(norm__weight=np.ones(16, bool)), "not finite numbers: norm.weight$"),
        (
            changed(norm__weight=np.ones(16, complex)),
            "not finite numbers: norm.weight$",
        ),
        (
            changed(norm__weight=np.full(16, np.nan), norm__bias=None),
            "missing: norm.bias; not finite numbers: norm.w",
        ),
        (changed(a=1, b=2, c=3, d=4), "; unknown: a, b, c, d$"),
        (changed(a=1, b=2, c=3, d=4, e=5), "; unknown: a, b, c, d and 1 more$"),
        (changed(head__weight=None), r"missing: head.0.weight.*unknown: head.bias"),
        (changed(blocks__1__gamma_1=None), "missing: blocks.1.gamma_1"),
        (changed(blocks__9__gamma_1=np.zeros(16)), "missing: blocks.2.gamma_1.* more"),
        (changed(blocks__99999999__gamma_1=np.zeros(16)), "block 99999999, but only"),
        (changed(cls_token=None), "no cls_token"),
        (changed(cls_token=np.zeros((1, 1, 12))), "multiple of 8"),
        (changed(head__weight=np.float32(3)), "head.weight"),
        (random_weights(per_class=True, num_classes=1), "at least 2 classes"),
        ({}, "no cls_token"),
        ([1, 2], "mapping of names to arrays, got list"),
    ],
)
def test_wrong_weights_are_named(weights, message):
    with pytest.raises(PatchConvNetError, match=message):
        official.convert(weights)


# === presets and cost ===

# parameters in thousands (the authors' code), multiply-adds at 224 px in thousand
# millions
PUBLISHED = {
    "s60": (25_231, 3.98),
    "s120": (47_724, 7.49),
    "b60": (99_389, 15.80),
    "b120": (188_611, 29.77),
    "l60": (176_010, 28.04),
    "l120": (334_294, 52.85),
    "s60_multi": (25_615, None),
}


@pytest.mark.parametrize("preset", PUBLISHED)
def test_cost_of_the_presets_is_the_published_one(preset):
    parameters, multiply_adds = official.cost(preset)
    thousands, published = PUBLISHED[preset]
    assert round(parameters / 1000) == thousands
    if published is not None:
        assert abs(multiply_adds / 1e9 - published) < 0.005 + 1e-9


@pytest.mark.parametrize("preset", ["s60", "s60_multi"])
def test_presets_have_the_weights_that_the_cost_is_counted_from(preset, monkeypatch):
    # The shapes of a miniature with the preset's options; the sizes alone are smaller.
    config = {**PRESETS[preset], **TINY}
    monkeypatch.setitem(PRESETS, preset, config)
    model = PatchConvNet.from_preset(preset)
    assert model.count_params() == official.cost(preset, 32)[0]
    converted = official.convert(random_weights(per_class=preset == "s60_multi"))
    assert [tuple(w.shape) for w in model.weights] == [
        tuple(w.shape) for w in converted.weights
    ]


def test_multiply_adds_by_pencil(monkeypatch):
    monkeypatch.setitem(PRESETS, "s60", {**PAPER, **TINY, "dim": 16, "depth": 2})
    stem = 27 * 2 * 16**2 + 9 * 2 * 4 * 8**2 + 9 * 4 * 8 * 4**2 + 9 * 8 * 16 * 2**2
    block = 4 * (2 * 16 * 16 + 9 * 16) + 2 * 4 * 16
    # query, projection; keys, values; attention; MLP
    pooling = 2 * 16 * 16 + 2 * 5 * 16 * 16 + 2 * 5 * 16 + 2 * 16 * 48
    assert official.cost("s60", 32)[1] == stem + 2 * block + pooling + 16 * 3


def test_cost_rejects_what_it_does_not_count():
    with pytest.raises(PatchConvNetError, match="not one of the paper's"):
        official.cost("shapes")
    with pytest.raises(PatchConvNetError, match="multiple of 16"):
        official.cost("s60", 100)


# === the authors' files ===


@pytest.mark.long
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"model": state, "args": argparse.Namespace(lr=1)},
    ],
)
def test_a_published_file_is_read(wrap, tmp_path):
    torch = pytest.importorskip(
        "torch", reason="needs PyTorch: pip install -r requirements-backends.txt"
    )
    weights = random_weights(per_class=True)
    state = {name: torch.from_numpy(array).half() for name, array in weights.items()}
    torch.save(wrap(state), tmp_path / "weights.pth")
    model = official.load(tmp_path / "weights.pth")
    halved = official.convert(
        {name: array.astype("float16") for name, array in weights.items()}
    )
    images = np.ones((1, 32, 32, 3), "float32")
    np.testing.assert_allclose(numpy(model(images)), numpy(halved(images)), atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04cut off"])
def test_a_broken_file_is_named(content, tmp_path):
    pytest.importorskip(
        "torch", reason="needs PyTorch: pip install -r requirements-backends.txt"
    )
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(
        PatchConvNetError, match="weights.pth is not a PyTorch file of weights"
    ):
        official.load(tmp_path / "weights.pth")


def test_a_file_of_something_else_or_none_is_named(tmp_path):
    torch = pytest.importorskip(
        "torch", reason="needs PyTorch: pip install -r requirements-backends.txt"
    )
    torch.save({"epoch": 3}, tmp_path / "other.pth")
    with pytest.raises(PatchConvNetError, match="holds no state dict"):
        official.load(tmp_path / "other.pth")
    with pytest.raises(PatchConvNetError, match="no file"):
        official.load(tmp_path / "none.pth")


def test_without_torch_it_says_what_to_install(monkeypatch, tmp_path):
    real = builtins.__import__

    def without_torch(name, *arguments, **options):
        if name == "torch":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    with pytest.raises(PatchConvNetError, match="pip install torch"):
        official.load(tmp_path / "weights.pth")


def test_an_unknown_reference_is_named():
    with pytest.raises(PatchConvNetError, match='"single" or "multi"'):
        official.reference("both")
