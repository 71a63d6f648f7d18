"""`train`: the run folder, going on after a stop, seeds, and bad input."""

import errno
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

import patchconvnet
from patchconvnet import faithfulness, files, model, records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training import running

TINY = {
    "image_size": 16,
    "dim": 8,
    "depth": 1,
    "norm": "batch",
    "shift": 2,
    "flip": True,
    "dropout": 0.2,
}


@pytest.fixture
def tiny(monkeypatch):
    """A network that trains in a second or two; with dropout, for random states."""
    monkeypatch.setitem(model.PRESETS, "shapes", TINY)


def contents(folder):
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
    }


# === the run folder ===


@pytest.mark.long
def test_a_run_writes_its_folder(finished_run):
    names = sorted(path.name for path in finished_run.iterdir())
    wanted = [
        "attention.npz",
        "epochs.npz",
        "familiarity.npz",
        "history.csv",
        "recipe.json",
        "results.json",
        "weights.npz",
    ]
    assert names == wanted  # no checkpoint is left, and nothing half written


def test_recipe_tells_all_that_was_set(finished_run):
    recipe = records.load(finished_run).recipe
    assert recipe == running.make_recipe("shapes", epochs=2)
    assert (recipe["preset"], recipe["dataset"], recipe["epochs"], recipe["seed"]) == (
        "shapes",
        "shapes",
        2,
        0,
    )
    assert recipe["model"] == {**model.PRESETS["shapes"], "num_classes": 10, "seed": 0}


@pytest.mark.long
def test_the_network_can_be_changed(tiny, train_on_small_data, small_data, tmp_path):
    changes = {"class_tokens": "per_class", "depth": 2}
    record = train_on_small_data(tmp_path / "run", epochs=1, settings=changes)
    assert record.recipe["model"] == {**TINY, **changes, "num_classes": 10, "seed": 0}
    assert record.attention["maps"].shape == (2, 32, 10, 4, 4)  # one map for each class
    _, maps = record.model().explain(small_data.x_test)
    own = np.stack(
        [maps[index, label] for index, label in enumerate(small_data.y_test)]
    )
    expected = faithfulness.pointing_game(own, small_data.mask_test).mean()
    assert record.results["attention_of_true_class_on_object"] == pytest.approx(
        expected
    )
    assert len(record.model().get_layer("trunk").blocks) == 2
    with pytest.raises(PatchConvNetError, match="its depth is 2, not 1"):
        train_on_small_data(
            tmp_path / "run", epochs=1, settings={"class_tokens": "per_class"}
        )


@pytest.mark.long
def test_labels_can_change_places_in_training_and_nowhere_else(
    tiny, train_on_small_data, small_data, tmp_path, monkeypatch
):
    trained_on, measured_on = [], []
    batches, score_test = running.Batches, running.score_test
    monkeypatch.setattr(
        running, "Batches", lambda *given: trained_on.append(given) or batches(*given)
    )
    monkeypatch.setattr(
        running,
        "score_test",
        lambda *given: measured_on.append(given[1]) or score_test(*given),
    )
    record = train_on_small_data(
        tmp_path / "run", epochs=1, limit=80, settings={"shuffled_labels": True}
    )
    images, labels = trained_on[0][:2]
    assert record.recipe["shuffled_labels"] is True
    assert np.array_equal(images, small_data.x_train[:80])
    assert np.array_equal(np.sort(labels), np.sort(small_data.y_train[:80]))
    assert (labels == small_data.y_train[:80]).mean() < 0.4
    for labels, original in [
        (measured_on[0].y_val, small_data.y_val),
        (measured_on[0].y_test, small_data.y_test),
    ]:
        assert np.array_equal(labels, original)


def test_history_has_a_row_an_epoch(finished_run):
    history = records.load(finished_run).history
    measured = {
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "attention_entropy",
        "attention_on_object",
    }
    assert set(history) == {"epoch", "seconds", "learning_rate"} | measured
    assert all(
        column.shape == (2,) and np.all(np.isfinite(column))
        for column in history.values()
    )
    assert list(history["epoch"]) == [1, 2] and np.all(history["seconds"] > 0)


def test_attention_is_kept_from_before_training_on(finished_run):
    attention = records.load(finished_run).attention
    assert (
        attention["maps"].shape == (3, 32, 1, 8, 8)
        and attention["maps"].dtype == np.float16
    )
    assert attention["logits"].shape == (3, 32, 10)
    assert list(attention["indices"]) == list(range(32))
    assert (
        np.abs(np.diff(attention["maps"].astype("float32"), axis=0))
        .max(axis=(1, 2, 3, 4))
        .min()
        > 1e-4
    )


def test_results_tell_scores_and_circumstances(finished_run, small_data):
    results = records.load(finished_run).results
    shares = ("on_object", "touching", "chance", "best_fixed_cell")
    for name in (
        "test_accuracy",
        "test_top5",
        *(f"attention_{share}" for share in shares),
    ):
        assert 0 <= results[name] <= 1, name
    assert results["attention_on_object"] <= results["attention_touching"]
    assert results["test_accuracy"] <= results["test_top5"]
    assert 0 < results["attention_entropy"] <= 6
    assert (
        results["parameters"] == model.PatchConvNet.from_preset("shapes").count_params()
    )
    assert results["variant"] == small_data.variant and results["class_names"] == list(
        small_data.class_names
    )
    assert results["seconds"] == pytest.approx(
        records.load(finished_run).history["seconds"].sum(), rel=1e-4
    )
    assert {"keras", "numpy", "python", "patchconvnet"} <= set(results["versions"])


def test_a_finished_run_trains_nothing(finished_run, monkeypatch):
    monkeypatch.setattr(
        running,
        "load_dataset",
        lambda *given, **options: pytest.fail("data was loaded"),
    )
    before = contents(finished_run)
    record = running.train("shapes", finished_run, epochs=2)
    assert isinstance(record, records.Record) and record.folder == finished_run
    assert contents(finished_run) == before


def test_a_run_named_like_a_shipped_record_is_still_this_run(finished_run, monkeypatch):
    monkeypatch.chdir(finished_run.parent)
    # so that "finished" is a shipped record's name
    monkeypatch.setattr(records, "SHIPPED", finished_run.parent)
    assert running.train("shapes", "finished", epochs=2).folder == files.Path(
        "finished"
    )


# === going on ===


KILLED = """
import os, signal, sys
import keras
import numpy as np
from patchconvnet import model, records
from patchconvnet.training import running
from patchconvnet.data import shapes
from patchconvnet.data import Dataset

x, y, masks = shapes.generate(96, seed=5)
part = (x[:16], y[:16])
data = Dataset(
    "shapes", "small", x, y, *part, *part,
    shapes.CLASS_NAMES, masks, masks[:16], masks[:16],
)
running.load_dataset = lambda name, **options: data
model.PRESETS["shapes"] = {tiny}
settings = {"weight_averaging": 0.9, "cutmix": 0.5}
train = lambda out: running.train("shapes", out, epochs=3, settings=settings, verbose=0)
write = running.Checkpoint.on_epoch_end

def killed(self, epoch, logs=None):
    if epoch == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    write(self, epoch, logs)

if sys.argv[1] == "kill":
    running.Checkpoint.on_epoch_end = killed
    train("stopped")
done = records.read_arrays("stopped/checkpoint.npz")["epochs_done"]
keras.random.uniform((7,))  # whatever was drawn before
np.random.default_rng().random()
stopped, whole = train("stopped"), train("whole")
for file in ("weights.npz", "epochs.npz", "attention.npz"):
    arrays = records.read_arrays(stopped.folder / file)
    others = records.read_arrays(whole.folder / file)
    assert arrays.keys() == others.keys(), file
    assert all(np.array_equal(arrays[key], others[key]) for key in arrays), file
for key in set(whole.history) - {"seconds"}:
    assert np.array_equal(stopped.history[key], whole.history[key]), key
assert stopped.results["test_loss"] == whole.results["test_loss"]
assert not (stopped.folder / "checkpoint.npz").exists()
print("went on after epoch", done)
"""


@pytest.mark.long
@pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process so"
)
def test_a_killed_run_ends_bit_for_bit_as_an_uninterrupted_one(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": os.path.dirname(patchconvnet.__path__[0]),
        **dict.fromkeys(
            ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"
        ),
    }
    script = KILLED.replace("{tiny}", repr(TINY))
    call = lambda step: subprocess.run(
        [sys.executable, "-c", script, step],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert call("kill").returncode == -signal.SIGKILL
    assert (tmp_path / "stopped" / "checkpoint.npz").is_file()
    result = call("go on")
    assert result.stdout == "went on after epoch 1\n", result.stderr


@pytest.mark.long
def test_a_full_disk_at_the_very_end_costs_no_training(
    tiny, train_on_small_data, tmp_path, monkeypatch
):
    replace, write, rows = os.replace, running.Checkpoint.on_epoch_end, []

    def count_rows_and_write(self, epoch, logs=None):
        rows.append(len(records.read_history(tmp_path / "history.csv")["epoch"]))
        write(self, epoch, logs)

    def replace_unless_weights(source, target):
        if os.path.basename(target) == "weights.npz":
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", replace_unless_weights)
        patch.setattr(running.Checkpoint, "on_epoch_end", count_rows_and_write)
        with pytest.raises(
            PatchConvNetError, match="weights.npz cannot be written: the disk is full"
        ):
            train_on_small_data(tmp_path, epochs=1)
    # what belongs to an epoch is written before the epoch counts as done
    assert rows == [1]
    assert not list(tmp_path.glob(".*")) and not (tmp_path / "weights.npz").exists()
    with pytest.raises(PatchConvNetError, match="has not finished"):
        records.load(tmp_path)

    trained = records.read_arrays(tmp_path / "checkpoint.npz")
    monkeypatch.setattr(
        running.Checkpoint,
        "on_epoch_begin",
        lambda *given: pytest.fail("it trained again"),
    )
    record = train_on_small_data(tmp_path, epochs=1)
    for index, weight in enumerate(record.model().get_weights()):
        # rounded to float16
        np.testing.assert_allclose(weight, trained[str(index)], rtol=1e-3, atol=1e-6)
    assert record.history["epoch"] == [1] and "test_accuracy" in record.results
    assert not (tmp_path / "checkpoint.npz").exists()


@pytest.mark.long
def test_the_seed_decides_where_a_run_begins(tiny, train_on_small_data, tmp_path):
    seed = 2**31 - 1  # the greatest one
    began = (
        train_on_small_data(tmp_path, epochs=1, seed=seed).model(epoch=0).get_weights()
    )
    for other, equal in ((seed, True), (0, False)):
        keras.utils.set_random_seed(other)
        again = model.PatchConvNet(**TINY, seed=other).get_weights()
        assert (
            all(np.allclose(*pair, rtol=1e-3, atol=1e-6) for pair in zip(began, again))
            == equal
        )


@pytest.mark.long
def test_a_bad_loss_names_the_epoch_and_keeps_the_checkpoint(
    tiny, train_on_small_data, tmp_path, monkeypatch
):
    shuffle = running.Batches.shuffle

    def spoil_second_epoch(self, epoch):
        shuffle(self, epoch)
        self.labels = np.full_like(self.labels, np.nan) if epoch == 1 else self.labels

    monkeypatch.setattr(running.Batches, "shuffle", spoil_second_epoch)
    with pytest.raises(
        PatchConvNetError,
        match=(
            r"loss became nan at step 1 of epoch 2.*checkpoint.npz keeps the epoch"
            r" before"
        ),
    ):
        train_on_small_data(tmp_path, epochs=3)
    arrays = records.read_arrays(tmp_path / "checkpoint.npz")
    assert arrays["epochs_done"] == 1 and all(
        np.all(np.isfinite(array))
        for array in arrays.values()
        if array.dtype.kind == "f"
    )
