"""Chapter 06's tool: the chapter's layer, and what each part of it is for."""

import json
from pathlib import Path

import numpy as np
import pytest
from keras import layers, ops

from patchconvnet import records

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "chapters" / "06_attention_pooling.ipynb"


@pytest.fixture(scope="module")
def parts():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        import parts

        patch.setattr(parts, "PICTURES", {"train": 40, "val": 0, "test": 20})
        patch.setattr(parts, "FIT", {"batch_size": 20, "epochs": 1, "verbose": 0})
        patch.setattr(parts, "SEEDS", (3,))
        yield parts


@pytest.fixture(scope="module")
def grid():
    return np.random.default_rng(0).normal(size=(2, 5, 6, 16)).astype("float32")


@pytest.fixture(scope="module")
def weights():
    draw = np.random.default_rng(1).normal
    shapes = [(1, 1, 16), (16,), (16,), *[(16, 16), (16,)] * 4]
    return [draw(size=shape) / 2 for shape in shapes]


def outputs(layer, grid, weights):
    """Pooled vectors and maps of a layer with these weights."""
    layer(grid)
    layer.set_weights(weights)
    return [ops.convert_to_numpy(output) for output in layer(grid)]


def layer_of_the_chapter():
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    [source] = [
        "".join(cell["source"])
        for cell in cells
        if "".join(cell["source"]).startswith("# @title One way to write it")
    ]
    names = {"layers": layers, "ops": ops, "check_TokenPooling": lambda: None}
    exec(source, names)
    return names["TokenPooling"]


def test_the_whole_is_the_layer_of_the_chapter(parts, grid, weights):
    ours = outputs(parts.PartlyPooling(), grid, weights)
    theirs = outputs(layer_of_the_chapter()(), grid, weights)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def by_hand(variant, grid, weights):
    """The same in NumPy, written from what the tool says of its variants."""
    token, scale, shift, *dense = weights
    query, key, value, project = [
        lambda rows, kernel=dense[2 * place], bias=dense[2 * place + 1]: (
            rows @ kernel + bias
        )
        for place in range(4)
    ]
    patches = grid.reshape(2, 30, 16)
    line = np.concatenate([np.repeat(token, 2, axis=0), patches], axis=1)
    if variant != "no_norm":
        centred = line - line.mean(axis=-1, keepdims=True)
        line = centred / np.sqrt(line.var(axis=-1, keepdims=True) + 1e-6)
        line = line * scale + shift
    scores = query(line[:, :1]) @ key(line).transpose(0, 2, 1)  # (2, 1, 31)
    scores = scores * {"equal": 0, "no_root": 1}.get(variant, 1 / 4)
    shares = softmax(scores)
    mixed = shares @ value(line)
    update = mixed if variant == "no_project" else project(mixed)
    pooled = update if variant == "no_sum" else token + update
    return pooled[:, 0], shares[:, 0, 1:].reshape(2, 5, 6)


@pytest.mark.parametrize(
    "variant", ["whole", "equal", "no_project", "no_sum", "no_norm", "no_root"]
)
def test_a_variant_lacks_what_its_name_says(parts, variant, grid, weights):
    lacks = {"no_norm": slice(1, 3), "no_project": slice(9, 11)}.get(variant)
    given = list(weights)
    if lacks:
        del given[lacks]
    pooled, maps = outputs(parts.PartlyPooling(variant), grid, given)
    expected_pooled, expected_maps = by_hand(variant, grid, weights)
    np.testing.assert_allclose(pooled, expected_pooled, atol=1e-4)
    np.testing.assert_allclose(maps, expected_maps, atol=1e-5)


def test_a_zero_token_sees_every_patch_alike_until_it_is_trained(parts, grid):
    _, maps = parts.PartlyPooling("zeros")(grid)
    np.testing.assert_allclose(ops.convert_to_numpy(maps), 1 / 31, rtol=1e-5)
    _, maps = parts.PartlyPooling()(grid)
    assert np.ptp(ops.convert_to_numpy(maps)) > 0.01


def test_only_the_mlp_adds_parameters(parts):
    count = {name: parts.network(name, 0).count_params() for name in parts.VARIANTS}
    whole = count.pop("whole")
    assert count.pop("mlp") - whole == 2 * (64 * 64 + 64) + 2 * 64
    assert whole - count.pop("average") == 4 * (64 * 64 + 64) + 2 * 64 + 64
    assert whole - count.pop("no_norm") == 2 * 64
    assert whole - count.pop("no_project") == 64 * 64 + 64
    assert set(count.values()) == {whole}


def test_a_table_is_filled_row_by_row_and_only_once(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "VARIANTS", ("whole", "average"))
    path = tmp_path / "measures_parts.csv"
    assert parts.main(["--out", str(tmp_path)]) == 0
    first = path.read_bytes()
    monkeypatch.setattr(records, "SHIPPED", tmp_path)
    rows = records.measures("parts")
    assert [(row["network"], row["seed"]) for row in rows] == [
        ("whole", "3"),
        ("average", "3"),
    ]
    for row in rows:
        assert 0 <= min(row["accuracy"], row["pointing_game"], row["energy"]) <= 1
    monkeypatch.setattr(parts, "network", None)  # nothing may be trained again
    assert parts.main(["--out", str(tmp_path)]) == 0
    assert path.read_bytes() == first


def test_a_folder_in_the_table_s_place_is_one_line(parts, tmp_path, capsys):
    (tmp_path / "measures_parts.csv").mkdir()
    assert parts.main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: the table cannot be written")


def test_measured_are_right_answers_and_the_map(parts):
    class Perfect:
        def predict(self, images, verbose):
            return np.eye(3)[[0, 1, 2, 0]], np.array(4 * [[[0.0, 1], [0, 0]]])

    class Data:
        x_test, y_test = None, np.array([0, 1, 2, 1])
        mask_test = np.zeros((4, 4, 4), bool)

    Data.mask_test[:3, :2, 2:] = True  # three objects in the cell that is bright
    Data.mask_test[3, 2:, :2] = True
    found = parts.measured(Perfect(), Data)
    assert found == {"accuracy": 0.75, "pointing_game": 0.75, "energy": 0.75}
