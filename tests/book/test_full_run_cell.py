"""The cell of chapter 09 that makes the long run: the very cell, on a small scale."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from patchconvnet import model, records
from patchconvnet.data import Dataset
from patchconvnet.training import running

NOTEBOOK = Path(__file__).resolve().parents[2] / "chapters" / "09_training.ipynb"
LONG_RUN = 'train(preset="cifar10", out='


@pytest.fixture
def run_cell(tmp_path, monkeypatch):
    """Runs the cell in an empty folder, and gives what `record` is afterwards."""
    cells = [
        cell
        for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    (source,) = [
        source
        for source in ("".join(cell["source"]) for cell in cells)
        if LONG_RUN in source
    ]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("patchconvnet.training.machine.device", lambda: "CPU, 2 cores")

    def run(train):
        # what earlier cells import
        names = {"os": os, "records": records, "train": train}
        exec(compile(source, NOTEBOOK.name, "exec"), names)
        return names["record"]

    return run


@pytest.fixture
def small_cifar10(monkeypatch):
    """512 random images for CIFAR-10, and a small `cifar10` preset of one epoch."""
    generator = np.random.default_rng(0)
    sizes = {"train": 512, "val": 0, "test": 40}
    parts = {
        f"x_{part}": generator.integers(0, 256, (size, 32, 32, 3), dtype="uint8")
        for part, size in sizes.items()
    }
    parts |= {
        f"y_{part}": generator.integers(0, 10, size) for part, size in sizes.items()
    }
    data = Dataset(
        name="cifar10",
        variant="random, for tests",
        class_names=tuple("abcdefghij"),
        **parts,
    )
    asked = []
    monkeypatch.setattr(
        running, "load_dataset", lambda name, **options: asked.append(name) or data
    )
    for name, value in {"epochs": 1, "batch_size": 128}.items():
        monkeypatch.setitem(running.RECIPES["cifar10"], name, value)
    for name, value in {"dim": 16, "depth": 2}.items():
        monkeypatch.setitem(model.PRESETS["cifar10"], name, value)
    return asked


def test_the_full_run_trains_and_leaves_a_run_folder(
    run_cell, small_cifar10, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("FULL_RUN", "1")
    record = run_cell(running.train)
    assert small_cifar10 == ["cifar10"]
    assert (tmp_path / "runs" / "cifar10" / "results.json").is_file()
    assert record.folder.resolve() == (tmp_path / "runs" / "cifar10").resolve()
    assert (
        record.recipe["preset"],
        record.recipe["epochs"],
        len(record.history["loss"]),
    ) == ("cifar10", 1, 1)
    assert (
        record.recipe["weight_averaging"] > 0 and record.recipe["precision"] != "auto"
    )
    assert 0 <= record.results["test_accuracy_with_flip"] <= 1
    assert capsys.readouterr().out.startswith(
        "cifar10, random, for tests\npreset cifar10,"
    )


@pytest.mark.parametrize("full_run", [None, "", "0"])
def test_without_full_run_the_cell_opens_the_shipped_record(
    run_cell, monkeypatch, tmp_path, capsys, full_run
):
    if full_run is None:
        monkeypatch.delenv("FULL_RUN", raising=False)
    else:
        monkeypatch.setenv("FULL_RUN", full_run)
    record = run_cell(lambda **options: pytest.fail("the cell trained"))
    assert record.folder == records.SHIPPED / "cifar10_cpu" / "seed_0"
    assert "preset cifar10_cpu" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_on_a_gpu_the_cell_trains_unasked(run_cell, monkeypatch):
    monkeypatch.delenv("FULL_RUN", raising=False)
    monkeypatch.setattr("patchconvnet.training.machine.device", lambda: "Tesla T4")
    asked = []
    run_cell(lambda **options: asked.append(options) or records.load("shapes"))
    assert asked == [{"preset": "cifar10", "out": "runs/cifar10", "verbose": 0}]
