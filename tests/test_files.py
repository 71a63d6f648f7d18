"""Files are written beside the old one and renamed: a reader never sees half of one."""

import errno
import os

import numpy as np
import pytest

from patchconvnet import files, records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import written_aside


def raising(code):
    def fail(*given, **options):
        raise OSError(code, os.strerror(code))

    return fail


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "map.png"
    with written_aside(path) as aside:
        assert aside.parent == path.parent and aside.suffix == ".png" and aside.name.startswith(".")
        aside.write_text("first")
        assert not path.exists()
    with written_aside(str(path)) as aside:
        aside.write_text("second")
        assert path.read_text() == "first"
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("problem", [KeyError("bug"), KeyboardInterrupt()])
def test_whatever_stops_the_writing_leaves_the_old_file(tmp_path, problem):
    path = tmp_path / "results.json"
    path.write_text("old")
    with pytest.raises(type(problem)), written_aside(path) as aside:
        aside.write_text("half")
        raise problem
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EACCES, "permission denied. Choose another place"),
        (errno.EROFS, "permission denied"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("step", ["replace", "savez"])
def test_each_reason_is_told_and_nothing_half_written_is_left(tmp_path, monkeypatch, code, reason, step):
    path = tmp_path / "weights.npz"
    records.write_arrays(path, {"kernel": np.ones(3)})
    before = path.read_bytes()
    if step == "replace":
        monkeypatch.setattr(files.os, "replace", raising(code))
    else:
        monkeypatch.setattr(np, "savez_compressed", raising(code))
    with pytest.raises(PatchConvNetError, match=f"weights.npz cannot be written.*{reason}"):
        records.write_arrays(path, {"kernel": np.zeros(3)})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_disk_that_is_really_full(tmp_path):
    path = tmp_path / "history.csv"
    with pytest.raises(PatchConvNetError, match="history.csv cannot be written: the disk is full"):
        with written_aside(path) as aside:
            aside.symlink_to("/dev/full")
            aside.write_text("epoch,loss\n")
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_disk_that_refuses_to_delete_too(tmp_path, monkeypatch):
    monkeypatch.setattr(files.Path, "unlink", raising(errno.EROFS))
    monkeypatch.setattr(files.os, "replace", raising(errno.EROFS))
    with pytest.raises(PatchConvNetError, match="permission denied"):
        records.write_json(tmp_path / "recipe.json", {})


def test_a_folder_in_the_files_place_and_a_file_in_the_folders_place(tmp_path):
    (tmp_path / "map.png").mkdir()
    with pytest.raises(PatchConvNetError, match=r"map\.png cannot be written"):
        with written_aside(tmp_path / "map.png") as aside:
            aside.write_text("picture")
    (tmp_path / "letter").write_text("dear reader")
    with pytest.raises(PatchConvNetError, match=r"map\.png cannot be written"), written_aside(tmp_path / "letter" / "map.png"):
        pytest.fail("there is nowhere to write")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter", "map.png"]
