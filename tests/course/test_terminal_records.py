"""Records of the wrong shape, told in one line."""

import numpy as np
import pytest

from patchconvnet import records
from patchconvnet.errors import PatchConvNetError


@pytest.fixture
def damaged(finished_run, tmp_path):
    """A copy of a run with a changed file: a function of what to change."""

    def change(file, **values):
        copy = tmp_path / "damaged"
        copy.mkdir(exist_ok=True)
        for path in finished_run.iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
        records.write_json(copy / file, records.read_json(copy / file) | values)
        return copy

    return change


@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        (
            "results.json",
            {"class_names": "star"},
            "its class_names is 'star', not a list",
        ),
        (
            "results.json",
            {"class_names": [1, 2]},
            "its class_names are not all strings",
        ),
        (
            "results.json",
            {"test_accuracy": "high"},
            "its test_accuracy is 'high', not a number",
        ),
        (
            "results.json",
            {"test_accuracy": float("nan")},
            "its test_accuracy is nan, not a number",
        ),
        ("results.json", {"test_loss": 10**400}, "its test_loss is"),
        (
            "results.json",
            {"test_accuracy_with_flip": [1]},
            "its test_accuracy_with_flip is .1., not a number",
        ),
        (
            "results.json",
            {"attention_chance": None},
            "its attention_chance is None, not a number",
        ),
        (
            "results.json",
            {"parameters": 1.5},
            "its parameters is 1.5, not a whole number",
        ),
        (
            "results.json",
            {"class_names": ["a", "b"]},
            "shapes has 10 classes now, and the network of .* was trained on 2",
        ),
        ("recipe.json", {"model": [1]}, "its model is .1., not names and values"),
        ("recipe.json", {"model": {}}, "its num_classes is None, not a whole number"),
        ("recipe.json", {"dataset": 3}, "its dataset is 3, not a string"),
        ("recipe.json", {"epochs": True}, "its epochs is True, not a whole number"),
        (
            "recipe.json",
            {"model": {"num_classes": 10, "image_size": 32, "dept": 1}},
            "tells of no network that can be built",
        ),
        (
            "recipe.json",
            {"model": {"num_classes": 10, "image_size": 32, "dim": "x"}},
            "tells of no network that can be built",
        ),
    ],
)
def test_a_record_of_the_wrong_shape_is_one_line(
    file, values, message, damaged, small_data, monkeypatch
):
    from patchconvnet.training import evaluation

    monkeypatch.setattr(evaluation, "load_dataset", lambda name, **options: small_data)
    with pytest.raises(PatchConvNetError, match=message) as caught:
        record = records.load(damaged(file, **values))
        evaluation.compare(record, *evaluation.evaluate(record))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"[1]", b""]
)
def test_what_is_no_json_is_one_line(content, damaged):
    folder = damaged("results.json")
    (folder / "results.json").write_bytes(content)
    with pytest.raises(
        PatchConvNetError, match="results.json (cannot be read|is damaged)"
    ):
        records.load(folder).results


def test_weights_that_are_no_numbers_are_told_as_such(damaged, tmp_path):
    folder = damaged("results.json")
    weights = records.read_arrays(folder / "weights.npz")
    name = next(iter(weights))
    for wrong in (
        weights[name] * np.nan,
        np.full(weights[name].shape, "x"),
        np.full(weights[name].shape, 1e300),
    ):
        records.write_arrays(folder / "weights.npz", weights | {name: wrong})
        with pytest.raises(
            PatchConvNetError,
            match=(
                "holds what is no finite number: its training failed, or it is damaged"
            ),
        ):
            records.load(folder).model()


def test_familiarity_of_another_network_is_told(damaged):
    folder = damaged("results.json")
    usual = records.read_arrays(folder / "familiarity.npz")
    for wrong in (
        {"mean": np.zeros(3)},
        usual | {"limit": np.float32(np.nan)},
        usual | {"mean": np.full(64, "x")},
    ):
        records.write_arrays(folder / "familiarity.npz", wrong)
        with pytest.raises(
            PatchConvNetError,
            match="does not hold mean, whitening and limit for 64 channels",
        ):
            records.load(folder).usual


def test_top_five_is_told_where_it_says_something(damaged):
    ten = records.load(damaged("recipe.json"))
    assert "top 5" in ten.summary()
    five = records.load(damaged("results.json", class_names=list("abcde")))
    assert "top 5" not in five.summary()
