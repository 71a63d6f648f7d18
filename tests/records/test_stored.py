"""What a record's text files and weights must hold: each name, each number's limits."""

import builtins
import json
from pathlib import Path

import numpy as np
import pytest

from patchconvnet import records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.records import stored

RESULTS = {
    "variant": "small", "device": "a CPU", "test_loss": 0.5, "test_accuracy": 0.9,
    "test_top5": 1, "attention_entropy": 2.0, "seconds": 3, "parameters": 7,
    "class_names": list("abcdef"), "versions": {},
}  # fmt: skip
OF_MASKS = {
    "attention_on_object": 0.5,
    "attention_chance": 0.1,
    "attention_best_fixed_cell": 0.3,
}
RECIPE = {
    "preset": "shapes",
    "dataset": "shapes",
    "seed": 0,
    "epochs": 2,
    "keep": "epochs",
}
RECIPE["model"] = {"num_classes": 10, "image_size": 32}


def read(function, path, content):
    path.write_text(json.dumps(content))
    return function(path)


def damaged(function, path, content):
    with pytest.raises(
        PatchConvNetError, match=f"{path.name} is damaged: its "
    ) as caught:
        read(function, path, content)
    return str(caught.value).partition("its ")[2]


def test_a_whole_file_is_read_as_it_is(tmp_path):
    for content in (
        RESULTS,
        RESULTS | OF_MASKS,
        RESULTS | {"more": "words", "test_accuracy_with_flip": 0.9},
    ):
        assert read(stored.read_results, tmp_path / "results.json", content) == content
    assert read(stored.read_recipe, tmp_path / "recipe.json", RECIPE) == RECIPE


WANTED = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "names and values",
}
KINDS = {
    **dict.fromkeys(("variant", "device"), str),
    **dict.fromkeys(("test_loss", "test_accuracy", "test_top5"), float),
    **dict.fromkeys(("attention_entropy", "seconds", *OF_MASKS), float),
    "parameters": int, "class_names": list, "versions": dict,
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_results_without_a_name_or_with_another_kind_of_value_are_damaged(
    tmp_path, name
):
    whole, wanted = RESULTS | OF_MASKS, WANTED[KINDS[name]]
    path = tmp_path / "results.json"
    if name != "attention_on_object":  # without it there are no masks
        missing = {key: value for key, value in whole.items() if key != name}
        assert (
            damaged(stored.read_results, path, missing)
            == f"{name} is None, not {wanted}"
        )
    values = {
        str: (True, 3),
        int: ("x", 0.5),
        float: ("x", []),
        list: ({}, "x"),
        dict: ([], "x"),
    }[KINDS[name]]
    for value in (True, None, *values):
        found = damaged(stored.read_results, path, whole | {name: value})
        assert found == f"{name} is {value!r}, not {wanted}"


def test_top_five_must_be_there_where_it_says_something(tmp_path):
    path = tmp_path / "results.json"
    without = {key: value for key, value in RESULTS.items() if key != "test_top5"}
    assert damaged(stored.read_results, path, without).startswith("test_top5 is None")
    few = without | {"class_names": list("abcde")}
    # as it is written now, and as version 0.1 wrote it
    for content in (few, few | {"test_top5": 1.0}):
        assert read(stored.read_results, path, content) == content
    found = damaged(stored.read_results, path, few | {"test_top5": "all"})
    assert found == "test_top5 is 'all', not a number"


@pytest.mark.parametrize(
    "name", ["preset", "dataset", "seed", "epochs", "keep", "model"]
)
def test_a_recipe_without_a_name_is_damaged(tmp_path, name):
    missing = {key: value for key, value in RECIPE.items() if key != name}
    assert damaged(stored.read_recipe, tmp_path / "recipe.json", missing).startswith(
        f"{name} is None, not "
    )
    swapped = RECIPE | {name: 3 if isinstance(RECIPE[name], (str, dict)) else "3"}
    found = damaged(stored.read_recipe, tmp_path / "recipe.json", swapped)
    assert found.startswith(f"{name} is {swapped[name]!r}, not ")


@pytest.mark.parametrize("name", ["num_classes", "image_size"])
def test_the_network_of_a_recipe_has_classes_and_a_size(tmp_path, name):
    model = {key: value for key, value in RECIPE["model"].items() if key != name}
    found = damaged(
        stored.read_recipe, tmp_path / "recipe.json", RECIPE | {"model": model}
    )
    assert found == f"{name} is None, not a whole number"


@pytest.mark.parametrize("name", ["test_loss", "test_of_mine", "attention_of_mine"])
@pytest.mark.parametrize(
    ("value", "good"),
    [
        (0, True),
        (-3, True),
        (9.9e299, True),
        (-9.9e299, True),
        (1e300, False),
        (-1e300, False),
        (np.nan, False),
    ],
)
def test_scores_are_finite_numbers(tmp_path, name, value, good):
    content = RESULTS | {name: value}
    if good:
        assert (
            read(stored.read_results, tmp_path / "results.json", content)[name] == value
        )
    else:
        assert damaged(
            stored.read_results, tmp_path / "results.json", content
        ).endswith("not a number")


def test_names_of_classes_are_strings(tmp_path):
    found = damaged(
        stored.read_results,
        tmp_path / "results.json",
        RESULTS | {"class_names": ["a", 3]},
    )
    assert found == "class_names are not all strings"


@pytest.mark.parametrize("content", ["[1]", '"a"', "3", "null"])
def test_json_holds_names_and_values(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(
        PatchConvNetError,
        match=r"a\.json is damaged: it holds a \w+, not names and values",
    ):
        stored.read_json(tmp_path / "a.json")


def test_texts_are_kept_in_utf_8_whatever_the_system_has(tmp_path, monkeypatch):
    usual, read_text, write_text = builtins.open, Path.read_text, Path.write_text
    by_ascii = lambda path, mode="r", encoding="ascii", **more: usual(
        path, mode, encoding=encoding, **more
    )
    monkeypatch.setattr(stored, "open", by_ascii, raising=False)
    monkeypatch.setattr(
        Path, "read_text", lambda path, encoding="ascii": read_text(path, encoding)
    )
    monkeypatch.setattr(
        Path,
        "write_text",
        lambda path, text, encoding="ascii": write_text(path, text, encoding),
    )
    stored.write_table(tmp_path / "a.csv", [{"näme": "größe\nform"}, {"näme": '"'}])
    assert (tmp_path / "a.csv").read_bytes() == 'näme\n"größe\nform"\n""""\n'.encode()
    assert stored.read_table(tmp_path / "a.csv") == [
        {"näme": "größe\nform"},
        {"näme": '"'},
    ]
    (tmp_path / "b.json").write_bytes('{"näme": 1}'.encode())
    assert stored.read_json(tmp_path / "b.json") == {"näme": 1}
    stored.write_json(tmp_path / "b.json", {"a": [1]})
    assert (tmp_path / "b.json").read_bytes() == b'{\n  "a": [\n    1\n  ]\n}\n'


@pytest.mark.parametrize("content", [b"", b"a,b\n", b'a\n"1\n', b"a\n\xff\n"])
def test_a_table_that_cannot_be_read_is_named(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(PatchConvNetError, match=r"a\.csv cannot be read"):
        stored.read_table(tmp_path / "a.csv")


# === weights ===


class Weight:
    def __init__(self, path, shape):
        self.path, self.shape, self.given = path, shape, None

    def assign(self, value):
        self.given = value


@pytest.mark.parametrize(
    ("values", "good"),
    [
        ([1, 2], True), ([1.5, 65504.0], True), (np.array([1, 2], "uint8"), True),
        ([3e38, 1], True), ([np.nan, 1], False), ([1, np.inf], False),
        ([1e39, 1], False), ([True, False], False), (["a", "b"], False),
        ([1j, 1], False),
    ],
    ids=str,
)  # fmt: skip
def test_every_weight_is_a_finite_number(values, good):
    first, second = Weight("first", (1,)), Weight("second", (2,))
    network = type("Network", (), {"weights": [first, second]})
    given = {"first": np.ones(1), "second": np.array(values)}
    if good:
        records.set_weights(network, given)
        assert (
            second.given.dtype == "float32"
            and second.given.tolist() == np.float32(values).tolist()
        )
    else:
        with pytest.raises(
            PatchConvNetError, match="^a file: second holds what is no finite number"
        ):
            records.set_weights(network, given, "a file")
        assert first.given is None  # nor was another changed
