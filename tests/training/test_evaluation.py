"""Measuring a record again."""

import json
import shutil

import pytest

from patchconvnet import records
from patchconvnet.__main__ import main
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training import evaluation


@pytest.fixture
def here(small_data, monkeypatch):
    """The small data set is what is found on this machine."""
    monkeypatch.setattr(evaluation, "load_dataset", lambda name: small_data)
    return small_data


def copy_of(run, folder, **changes):
    """A copy of a run folder, with other results: its path."""
    shutil.copytree(run, folder)
    results = json.loads((folder / "results.json").read_text())
    (folder / "results.json").write_text(json.dumps({**results, **changes}))
    return folder


@pytest.mark.long
def test_a_record_measured_again_gives_its_own_scores(here, finished_run):
    record = records.load(finished_run)
    scores, variant = evaluation.evaluate(record)
    assert variant == here.variant and len(scores) >= 8
    assert scores == pytest.approx(
        {key: record.results[key] for key in scores}, abs=1e-5
    )


def test_the_command_prints_here_record_and_difference(
    here, finished_run, tmp_path, capsys
):
    lower = records.load(finished_run).results["test_accuracy"] - 0.025
    folder = copy_of(finished_run, tmp_path / "run", test_accuracy=lower)
    assert main(["evaluate", "--record", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["here", "record", "difference"]
    rows = {line[:24].strip(): line[24:].split() for line in lines[2:]}
    assert rows["top 1, %"] == [
        f"{100 * lower + 2.5:.2f}",
        f"{100 * lower:.2f}",
        "+2.50",
    ]
    assert rows["loss"][2] in ("+0.0000", "-0.0000") and {
        "top 5, %",
        "attention on object, %",
    } <= set(rows)
    assert "The data are the same." in lines[-1] and "rounding" in lines[-1]


def test_another_copy_of_the_data_is_named_as_the_reason(
    here, finished_run, tmp_path, capsys
):
    folder = copy_of(finished_run, tmp_path / "run", variant="the official archive")
    assert main(["evaluate", "--record", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "the official archive" in printed and here.variant in printed
    assert printed.splitlines()[-1].startswith("The two copies of the data differ")


def test_no_difference_needs_no_reason(here, finished_run):
    record = records.load(finished_run)
    table = evaluation.compare(record, record.results, here.variant)
    assert "differ in" not in table and "rounding" not in table and "+0.00" in table


def test_a_record_without_weights_asks_for_no_data(monkeypatch):
    monkeypatch.setattr(
        evaluation, "load_dataset", lambda name: pytest.fail("data was loaded")
    )
    with pytest.raises(PatchConvNetError, match="holds no weights.npz"):
        evaluation.evaluate(records.load("shapes", seed=1))


def test_a_record_of_another_architecture_is_refused(
    here, finished_run, tmp_path, capsys
):
    folder = copy_of(finished_run, tmp_path / "run")
    recipe = json.loads((folder / "recipe.json").read_text())
    (folder / "recipe.json").write_text(
        json.dumps({**recipe, "model": {**recipe["model"], "dim": 32}})
    )
    assert main(["evaluate", "--record", str(folder)]) == 2
    error = capsys.readouterr().err
    assert (
        error.startswith("error: ")
        and "has shape" in error
        and "this network wants" in error
    )


def test_weights_of_another_preset_are_refused(here, finished_run, tmp_path, capsys):
    folder = copy_of(finished_run, tmp_path / "run")
    shutil.copy(records.SHIPPED / "shapes_per_class" / "seed_0" / "weights.npz", folder)
    assert main(["evaluate", "--record", str(folder)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


class Recorded:
    """Stands for a record: what `compare` reads of one."""

    name = "mine"

    def __init__(self, recipe=None, **results):
        self.recipe = {"dataset": "shapes", **(recipe or {})}
        self.results = {
            "variant": "original",
            "device": "a T4",
            "class_names": list("abcdefghij"),
            **results,
        }


def test_the_table_by_hand():
    record = Recorded(test_loss=0.5, test_accuracy=0.75, test_top5=1.0)
    table = evaluation.compare(
        record,
        {"test_loss": 0.4, "test_accuracy": 0.8, "attention_on_object": 0.3},
        "original",
    )
    first, heading, loss, accuracy, here, recorded, reason = table.splitlines()
    assert first == "shapes, record mine" and heading.split() == [
        "here",
        "record",
        "difference",
    ]
    assert loss.split() == ["loss", "0.4000", "0.5000", "-0.1000"]
    # what only one of both has is left out
    assert accuracy.split() == ["top", "1,", "%", "80.00", "75.00", "+5.00"]
    assert here.split() == ["data", "here", "original"] and recorded.split() == [
        "data",
        "of",
        "the",
        "record",
        "original",
    ]
    assert "measured on a T4 with float32, here it is float32" in reason


@pytest.mark.parametrize(
    ("difference", "told"),
    [(0.0, False), (0.004, False), (0.006, True), (-0.006, True), (1.0, True)],
)
def test_a_difference_needs_a_reason_where_its_last_digit_shows(difference, told):
    record = Recorded(
        {"precision": "mixed_bfloat16"}, test_accuracy=0.75, test_loss=1.0
    )
    scores = {"test_accuracy": 0.75 + difference / 100, "test_loss": 1.0}
    table = evaluation.compare(record, scores, "original")
    assert ("with mixed_bfloat16, here it is float32: rounding" in table) == told
    at_it = evaluation.compare(
        Recorded(test_loss=0.0), {"test_loss": 0.005}, "original"
    )
    assert "rounding" in at_it and "rounding" not in evaluation.compare(
        Recorded(test_loss=0.0), {"test_loss": 0.0049}, "original"
    )
    other = evaluation.compare(record, scores, "another copy")
    assert "differ in their pixels" in other and "rounding" not in other


def test_an_old_record_may_tell_the_top_five_of_few_classes():
    record = Recorded(test_accuracy=0.75, test_top5=1.0, class_names=list("abc"))
    table = evaluation.compare(record, {"test_accuracy": 0.8}, "original")
    assert "top 1" in table and "top 5" not in table


@pytest.mark.parametrize("key", evaluation.ROWS)
def test_every_score_has_its_row(key):
    words, factor, form = evaluation.ROWS[key]
    table = evaluation.compare(Recorded(**{key: 0.25}), {key: 0.5}, "original")
    [row] = [line for line in table.splitlines() if line.startswith(words)]
    assert row[24:].split() == [f"{factor * value:{form}}" for value in (0.5, 0.25)] + [
        f"{factor * 0.25:+{form}}"
    ]
    assert factor == (1 if key == "test_loss" else 100)
