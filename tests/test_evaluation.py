"""Measuring a record again."""

import json
import shutil
from dataclasses import replace

import pytest

from patchconvnet import evaluation, records
from patchconvnet.__main__ import main
from patchconvnet.errors import PatchConvNetError


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


def test_a_record_measured_again_gives_its_own_scores(here, finished_run):
    record = records.load(finished_run)
    scores, variant = evaluation.evaluate(record)
    assert variant == here.variant and len(scores) >= 8
    assert scores == pytest.approx({key: record.results[key] for key in scores}, abs=1e-5)


def test_the_command_prints_here_record_and_difference(here, finished_run, tmp_path, capsys):
    lower = records.load(finished_run).results["test_accuracy"] - 0.025
    folder = copy_of(finished_run, tmp_path / "run", test_accuracy=lower)
    assert main(["evaluate", "--record", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["here", "record", "difference"]
    rows = {line[:24].strip(): line[24:].split() for line in lines[2:]}
    assert rows["top 1, %"] == [f"{100 * lower + 2.5:.2f}", f"{100 * lower:.2f}", "+2.50"]
    assert rows["loss"][2] in ("+0.0000", "-0.0000") and {"top 5, %", "attention on object, %"} <= set(rows)
    assert "The data are the same." in lines[-1] and "rounding" in lines[-1]


def test_another_copy_of_the_data_is_named_as_the_reason(here, finished_run, tmp_path, capsys):
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
    monkeypatch.setattr(evaluation, "load_dataset", lambda name: pytest.fail("data was loaded"))
    with pytest.raises(PatchConvNetError, match="holds no weights.npz"):
        evaluation.evaluate(records.load("shapes_seed_1"))


def test_a_record_of_another_architecture_is_refused(here, finished_run, tmp_path, capsys):
    folder = copy_of(finished_run, tmp_path / "run")
    recipe = json.loads((folder / "recipe.json").read_text())
    (folder / "recipe.json").write_text(json.dumps({**recipe, "model": {**recipe["model"], "dim": 32}}))
    assert main(["evaluate", "--record", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "has shape" in error and "this network wants" in error


def test_weights_of_another_preset_are_refused(here, finished_run, tmp_path, capsys):
    folder = copy_of(finished_run, tmp_path / "run")
    shutil.copy(records.SHIPPED / "shapes_per_class" / "weights.npz", folder)
    assert main(["evaluate", "--record", str(folder)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
