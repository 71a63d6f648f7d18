"""What `train` refuses, and that nothing is left behind."""

import contextlib
import errno

import numpy as np
import pytest
from test_training import contents, tiny  # noqa: F401

from patchconvnet import files, model, records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training import running


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "shape"}, "no preset 'shape'.*did you mean \"shapes\""),
        ({"epochs": 0}, "epochs must be a whole number from 1 to 100,000, got 0"),
        ({"epochs": True}, "epochs must be .*True"),
        ({"epochs": 2.0}, r"epochs must be .*2\.0"),
        ({"limit": 0}, "limit must be .*0"),
        ({"limit": -5}, "limit must be .*-5"),
        ({"seed": -1}, "seed must be .*-1"),
        ({"seed": 2**31}, "seed must be .*2147483648"),
        ({"seed": False}, "seed must be .*False"),
        ({"data": "shaeps"}, "no data set 'shaeps'"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(options, message, tmp_path):
    with pytest.raises(PatchConvNetError, match=message):
        running.train(**{"preset": "shapes", "out": tmp_path / "run", **options})
    assert not (tmp_path / "run").exists()


def test_a_batch_larger_than_the_data_leaves_the_folder_free(
    train_on_small_data, tmp_path
):
    with pytest.raises(
        PatchConvNetError, match="a batch has 32 images, but there are only 20"
    ):
        train_on_small_data(tmp_path / "run", limit=20)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"seed": 1}, "its seed is 0, not 1"),
        ({"epochs": 3}, "its epochs is 2, not 3"),
        ({"limit": 50}, "its limit is None"),
    ],
)
def test_another_run_in_the_folder_is_named_by_what_differs(
    finished_run, options, difference
):
    before = contents(finished_run)
    with pytest.raises(PatchConvNetError, match=f"holds another run: {difference}"):
        running.train("shapes", finished_run, **{"epochs": 2, **options})
    assert contents(finished_run) == before


def test_a_changed_network_is_named_by_what_differs(finished_run, monkeypatch):
    monkeypatch.setitem(model.PRESETS, "shapes", {**model.PRESETS["shapes"], "dim": 32})
    with pytest.raises(PatchConvNetError, match="another run: its dim is 64, not 32;"):
        running.train("shapes", finished_run, epochs=2)


def test_folders_that_are_not_ours_stay_as_they_are(tmp_path):
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(PatchConvNetError, match="is not empty and holds no run"):
        running.train("shapes", tmp_path)
    with pytest.raises(PatchConvNetError, match="letter.txt is a file, not a folder"):
        running.train("shapes", tmp_path / "letter.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_that_cannot_be_written(train_on_small_data, tmp_path, monkeypatch):
    def refuse(self, *given, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files.Path, "mkdir", refuse)
    with pytest.raises(
        PatchConvNetError, match="run cannot be written: permission denied"
    ):
        train_on_small_data(tmp_path / "run")


def test_a_checkpoint_of_another_network_is_refused(
    tiny, train_on_small_data, tmp_path
):
    records.write_json(tmp_path / "recipe.json", running.make_recipe("shapes"))
    records.write_arrays(
        tmp_path / "checkpoint.npz", {"0": np.zeros(3), "epochs_done": np.array(1)}
    )
    with pytest.raises(
        PatchConvNetError, match="its checkpoint does not fit this network"
    ):
        train_on_small_data(tmp_path)
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(PatchConvNetError, match="checkpoint.npz is damaged"):
        train_on_small_data(tmp_path)


@pytest.mark.parametrize(
    "numbers",
    [
        {"batch_size": 31},
        {"batch_size": 32, "limit": 95},
        {"batch_size": 5, "limit": 95},
    ],
)
def test_batches_that_devices_cannot_share_leave_the_folder_free(
    train_on_small_data, tmp_path, monkeypatch, numbers
):
    @contextlib.contextmanager
    def two_devices(asked):
        assert asked == 2
        yield 2

    monkeypatch.setattr(running, "spread", two_devices)
    limit = numbers.pop("limit", None)
    with pytest.raises(
        PatchConvNetError, match="and 2 devices cannot take equal shares of each"
    ):
        train_on_small_data(tmp_path / "run", limit=limit, settings=numbers, devices=2)
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_the_batch_may_be_as_large_as_the_data(tiny, train_on_small_data, tmp_path):
    record = train_on_small_data(
        tmp_path / "run", epochs=1, limit=20, settings={"batch_size": 20}, keep="scores"
    )
    assert record.history["epoch"].tolist() == [1]


@pytest.mark.long
def test_hidden_files_do_not_take_a_folder(tiny, train_on_small_data, tmp_path):
    (tmp_path / ".DS_Store").write_bytes(b"x")
    train_on_small_data(tmp_path, epochs=1, limit=32, keep="scores")
    assert (tmp_path / "results.json").is_file() and (tmp_path / ".DS_Store").is_file()


@pytest.mark.parametrize(
    ("names", "free"),
    [
        ([], True),
        ([".DS_Store"], True),
        ([".DS_Store", "letter.txt"], False),
        (["letter.txt"], False),
    ],
)
def test_a_folder_is_free_while_it_holds_no_more_than_hidden_files(
    tmp_path, monkeypatch, names, free
):
    class Loading(Exception):
        """Gone so far, the folder was accepted."""

    def load(name, **options):
        raise Loading

    monkeypatch.setattr(running, "load_dataset", load)
    [(tmp_path / name).write_text("x") for name in names]
    with pytest.raises(
        Loading if free else PatchConvNetError,
        match=None if free else "is not empty and holds no run",
    ):
        running.train("shapes", tmp_path, settings={"dim": 8, "depth": 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == names
