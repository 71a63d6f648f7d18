"""The ladder of recipes: one step a rung, runs that go on, a table of gains."""

from dataclasses import replace
from pathlib import Path

import pytest

from patchconvnet import model
from patchconvnet.training import recipes, running

TOOLS = Path(__file__).resolve().parents[2] / "tools"
TINY = {"image_size": 16, "dim": 8, "depth": 1}


@pytest.fixture
def ladder(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import ladder

    return ladder


@pytest.mark.parametrize("preset", ["cifar10", "cifar10_cpu"])
def test_the_top_rung_is_the_preset_and_each_changes_one_step(preset, ladder):
    found = list(ladder.rungs(preset, {}).items())
    full = {**model.preset_config(preset), **recipes.RECIPES[preset]}
    assert found[0] == ("01_plain", ladder.PLAIN)
    assert found == sorted(found)  # as the records are listed
    assert all(value == full.get(key, value) for key, value in found[-1][1].items())
    for (_, lower), (name, upper) in zip(found, found[1:]):
        changed = {key for key in upper if upper[key] != lower[key]}
        assert changed and changed <= set(ladder.STEPS[name]), name


def test_a_fixed_setting_holds_on_every_rung(ladder):
    found = ladder.rungs("cifar10_cpu", {"norm": "batch", "dim": 64})
    # the preset has no cutout
    assert "03_batch_norm" not in found and "07_cutout" not in found
    assert all(
        settings["norm"] == "batch" and settings["dim"] == 64
        for settings in found.values()
    )


def test_a_ladder_prints_gains_and_goes_on(
    ladder, small_data, tmp_path, monkeypatch, capsys
):
    loaded = []
    small = replace(small_data, mask_train=None, mask_val=None, mask_test=None)
    monkeypatch.setattr(
        running, "load_dataset", lambda name, **options: loaded.append(options) or small
    )
    monkeypatch.setattr(ladder, "STEPS", {"1_plain": (), "2_warm_up": ("warmup",)})
    fixed = [
        word for name, value in TINY.items() for word in ("--set", f"{name}={value}")
    ]
    command = [
        "--out",
        str(tmp_path),
        "--preset",
        "cifar10_cpu",
        "--epochs",
        "1",
        "--set",
        "batch_size=32",
        *fixed,
    ]
    assert ladder.main(command) == 0
    lines = [
        line
        for line in capsys.readouterr().out.splitlines()
        if "of validation images" in line
    ]
    first, second = (
        running.records.load(tmp_path / name) for name in ("1_plain", "2_warm_up")
    )
    assert (first.recipe["warmup"], second.recipe["warmup"]) == (0, 0.15)
    accuracies = [100 * record.history["val_accuracy"][0] for record in (first, second)]
    assert lines[0].split()[:2] == ["1_plain", f"{accuracies[0]:.2f}"] and not lines[
        0
    ].endswith("0")
    assert lines[1].split()[-1] == f"{accuracies[1] - accuracies[0]:+.2f}"
    assert loaded == [{"validation": 5_000}] * 2
    # finished rungs are only read
    assert ladder.main(command) == 0 and len(loaded) == 2


def test_a_bad_setting_is_one_line(ladder, tmp_path, capsys):
    assert ladder.main(["--out", str(tmp_path / "ladder"), "--set", "dept=2"]) == 2
    assert (
        "did you mean depth" in capsys.readouterr().err
        and not (tmp_path / "ladder").exists()
    )
