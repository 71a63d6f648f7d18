"""Records that are damaged, written and read again, and on each border."""

import csv

import numpy as np
import pytest
from test_records import copy, record, shipped  # noqa: F401

from patchconvnet import records
from patchconvnet.errors import PatchConvNetError

# === damage ===


@pytest.mark.parametrize("content", ["{", "", "[1, 2]", "\udcff"])
def test_damaged_json(copy, content):
    (copy / "results.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(
        PatchConvNetError, match=r"results\.json (cannot be read|is damaged)"
    ):
        records.load(copy).results


@pytest.mark.parametrize(
    "content",
    [
        "",
        "epoch,loss\n",
        "epoch,loss\n1\n",
        "epoch,loss\n1,2,3\n",
        "epoch,loss\n1,much\n",
        'epoch\n"1\n',
    ],
)
def test_damaged_history(copy, content):
    (copy / "history.csv").write_text(content)
    with pytest.raises(PatchConvNetError, match=r"history\.csv cannot be read"):
        records.load(copy).history


@pytest.mark.parametrize("keep", [0, 10, 1000, -30])
def test_truncated_arrays(copy, keep):
    path = copy / "weights.npz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PatchConvNetError, match=r"weights\.npz is damaged"):
        records.load(copy).model()


def test_changed_bytes_in_arrays_are_noticed(copy):
    path = copy / "attention.npz"
    content = bytearray(path.read_bytes())
    for place in range(200, 2000, 10):
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(PatchConvNetError, match=r"attention\.npz is damaged"):
        records.load(copy).attention


# === round trips ===


def test_what_is_written_is_read_again(tmp_path):
    history = {"epoch": [1.0, 2.0], "loss": [0.1234567, 2e-9]}
    records.write_history(tmp_path / "history.csv", history)
    with open(tmp_path / "history.csv", newline="") as file:
        assert list(csv.reader(file)) == [
            ["epoch", "loss"],
            ["1", "0.123457"],
            ["2", "2e-09"],
        ]
    np.testing.assert_allclose(
        records.read_history(tmp_path / "history.csv")["loss"],
        history["loss"],
        rtol=1e-5,
    )
    arrays = {
        "maps/0": np.arange(6, dtype="float16").reshape(2, 3),
        "done": np.array(3),
    }
    records.write_arrays(tmp_path / "arrays.npz", arrays)
    again = records.read_arrays(tmp_path / "arrays.npz")
    assert again.keys() == arrays.keys() and np.array_equal(
        again["maps/0"], arrays["maps/0"]
    )
    assert again["maps/0"].dtype == np.float16
    records.write_json(tmp_path / "recipe.json", {"limit": None, "name": "é"})
    assert records.read_json(tmp_path / "recipe.json") == {"limit": None, "name": "é"}


# === each border ===


def test_a_name_with_a_separator_is_a_path_and_no_shipped_record(shipped, tmp_path):
    with pytest.raises(PatchConvNetError, match="no record './small'"):
        records.load("./small")
    with pytest.raises(
        PatchConvNetError,
        match="no record 'unfinished': give a run folder, or one of small",
    ):
        records.load("unfinished")  # a shipped folder without results is no record


def test_a_path_may_begin_with_the_home(finished_run, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(finished_run.parent))
    monkeypatch.setenv("USERPROFILE", str(finished_run.parent))
    assert records.load("~/finished").folder == finished_run


def test_epochs_0_and_the_last_are_kept_and_none_beyond(record):
    arrays = records.read_arrays(record.folder / "epochs.npz")
    for epoch in (0, 1, 2, 2.0):
        network = record.model(epoch=epoch)
        for weight in network.weights:
            np.testing.assert_array_equal(
                np.asarray(weight),
                arrays[f"{int(epoch)}/{weight.path}"].astype("float32"),
            )


def test_a_tenth_epoch_is_not_taken_for_the_first(tmp_path):
    from patchconvnet.model import PatchConvNet

    network = PatchConvNet(dim=4, depth=1, se_ratio=None)
    kept = {
        f"{epoch}/{path}": array + epoch
        for epoch in range(12)
        for path, array in records.weights_of(network).items()
    }
    records.write_arrays(tmp_path / "epochs.npz", kept)
    config = {
        "dim": 4,
        "depth": 1,
        "se_ratio": None,
        "num_classes": 10,
        "image_size": 32,
    }
    recipe = {
        "preset": "shapes",
        "dataset": "shapes",
        "seed": 0,
        "epochs": 11,
        "keep": "epochs",
        "model": config,
    }
    records.write_json(tmp_path / "recipe.json", recipe)
    record = records.Record(tmp_path)
    for epoch in (1, 10, 11):
        again = record.model(epoch=epoch).weights[0]
        np.testing.assert_array_equal(
            np.asarray(again), kept[f"{epoch}/{again.path}"].astype("float32")
        )
    with pytest.raises(PatchConvNetError, match="weights of epochs 0 to 11, not of 12"):
        record.model(epoch=12)


def test_one_epoch_is_one_and_two_are_epochs(copy):
    for epochs, words in ((1, "1 epoch,"), (2, "2 epochs,")):
        recipe = records.read_json(copy / "recipe.json")
        records.write_json(copy / "recipe.json", recipe | {"epochs": epochs})
        assert words in records.load(copy).summary()


def test_a_summary_by_hand(copy):
    results = {
        "variant": "original",
        "parameters": 12_345,
        "test_accuracy": 0.5,
        "test_top5": 0.875,
        "seconds": 61.4,
        "device": "a T4",
    }
    results |= {
        "attention_on_object": 0.25,
        "attention_chance": 0.125,
        "attention_best_fixed_cell": 0.375,
        "test_accuracy_with_flip": 0.625,
    }
    results = {**records.read_json(copy / "results.json"), **results}
    records.write_json(copy / "results.json", results)
    assert records.load(copy).summary().splitlines() == [
        "shapes, original",
        "preset shapes, seed 0, 2 epochs, 12,345 parameters",
        "test accuracy        50.0%   (top 5: 87.5%)",
        "  with mirror images 62.5%   (mean of two logits for each image)",
        (
            "attention on object  25.0%   (a random cell: 12.5%; the best fixed cell:"
            " 37.5%)"
        ),
        "training took        61 s on a T4",
    ]


def test_numbers_of_a_table_keep_six_digits_and_words_stay_words(tmp_path):
    rows = [
        {"network": "one, two", "seed": "0", "loss": 1234567.0},
        {"network": "three", "seed": "1", "loss": 0.000123456789},
    ]
    records.write_table(tmp_path / "table.csv", rows)
    again = records.read_table(tmp_path / "table.csv")
    assert [row["network"] for row in again] == ["one, two", "three"] and list(
        again[0]
    ) == ["network", "seed", "loss"]
    assert [row["loss"] for row in again] == ["1.23457e+06", "0.000123457"]


def test_measures_are_numbers_and_names_are_words():
    for dataset in ("shapes", "cifar10"):
        for row in records.measures(dataset):
            assert all(isinstance(row[key], str) for key in ("network", "seed", "map"))
            assert all(
                isinstance(value, float)
                for key, value in row.items()
                if key not in ("network", "seed", "map")
            )
    with pytest.raises(PatchConvNetError, match="measures_mnist.csv is not there"):
        records.measures("mnist")


def test_damaged_measures_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "SHIPPED", tmp_path)
    (tmp_path / "measures_shapes.csv").write_text(
        "network,seed,map,energy\na,0,b,much\n"
    )
    with pytest.raises(PatchConvNetError, match="measures_shapes.csv cannot be read"):
        records.measures("shapes")


def test_weights_are_kept_in_half_precision_and_given_back_as_floats(record):
    model = record.model()
    kept = records.weights_of(model)
    assert {array.dtype for array in kept.values()} == {np.dtype("float16")} and len(
        kept
    ) == len(model.weights)
    other = record.model(epoch=0)
    records.set_weights(other, kept)
    for one, again in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(one, again)
    assert other.weights[0].dtype == "float32"


def test_no_weight_is_changed_where_one_does_not_fit(record):
    model = record.model()
    before = model.get_weights()
    wrong = {
        path: np.zeros_like(array) for path, array in records.weights_of(model).items()
    }
    wrong[model.weights[-1].path] = np.zeros(99, "float16")
    with pytest.raises(
        PatchConvNetError, match="^a file: .* has shape .*99.*, this network wants"
    ):
        records.set_weights(model, wrong, "a file")
    assert all(np.array_equal(*pair) for pair in zip(before, model.get_weights()))


def test_what_a_picture_is_compared_with_is_read_or_missing(copy):
    assert set(records.load(copy).usual) == {"mean", "whitening", "limit"}
    (copy / "familiarity.npz").unlink()
    assert records.load(copy).usual is None


def test_names_come_in_order_whatever_the_disk_gives(monkeypatch):
    listed = type(records.SHIPPED).glob
    monkeypatch.setattr(
        type(records.SHIPPED),
        "glob",
        lambda self, pattern: iter(sorted(listed(self, pattern), reverse=True)),
    )
    assert records.names() == sorted(records.names()) and "shapes" in records.names()
    assert records.seeds("shapes") == sorted(records.seeds("shapes"))
