"""Files are written beside the old one and renamed: a reader never sees half of one."""

import errno
import os

import numpy as np
import pytest

from patchconvnet import errors, files, records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import written_aside


def raising(code):
    def fail(*given, **options):
        raise OSError(code, os.strerror(code))

    return fail


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "map.png"
    with written_aside(path) as aside:
        assert (
            aside.parent == path.parent
            and aside.suffix == ".png"
            and aside.name.startswith(".")
        )
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
@pytest.mark.parametrize("step", ["replace", "write"])
def test_each_reason_is_told_and_nothing_half_written_is_left(
    tmp_path, monkeypatch, code, reason, step
):
    path = tmp_path / "weights.npz"
    records.write_arrays(path, {"kernel": np.ones(3)})
    before = path.read_bytes()
    if step == "replace":
        monkeypatch.setattr(files.os, "replace", raising(code))
    else:
        monkeypatch.setattr(files.Path, "write_bytes", raising(code))
    with pytest.raises(
        PatchConvNetError, match=f"weights.npz cannot be written.*{reason}"
    ):
        records.write_arrays(path, {"kernel": np.zeros(3)})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="this system has no /dev/full"
)
def test_a_disk_that_is_really_full(tmp_path):
    path = tmp_path / "history.csv"
    with pytest.raises(
        PatchConvNetError, match="history.csv cannot be written: the disk is full"
    ):
        with written_aside(path) as aside:
            aside.unlink()
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
    with (
        pytest.raises(PatchConvNetError, match=r"map\.png cannot be written"),
        written_aside(tmp_path / "letter" / "map.png"),
    ):
        pytest.fail("there is nowhere to write")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter", "map.png"]


def test_the_temporary_file_is_new_and_follows_no_link(tmp_path, monkeypatch):
    (tmp_path / "letter").write_text("dear reader")
    (tmp_path / f".{'0' * 12}.partial.csv").symlink_to("letter")
    monkeypatch.setattr(files.secrets, "token_hex", lambda count: "0" * 2 * count)
    with pytest.raises(PatchConvNetError, match="history.csv cannot be written"):
        with written_aside(tmp_path / "history.csv") as aside:
            aside.write_text("epoch,loss")
    assert (tmp_path / "letter").read_text() == "dear reader"


def test_temporary_names_differ_and_fit_beside_the_longest_name(tmp_path):
    names = set()
    for _ in range(3):
        with written_aside(tmp_path / ("x" * 251 + ".csv")) as aside:
            names.add(aside.name)
            aside.write_text("epoch,loss")
    assert len(names) == 3 and len(list(tmp_path.iterdir())) == 1


def test_a_link_is_followed_and_what_is_no_file_stays(tmp_path):
    (tmp_path / "link.csv").symlink_to("real.csv")
    with written_aside(tmp_path / "link.csv") as aside:
        aside.write_text("new")
    assert (tmp_path / "link.csv").is_symlink() and (
        tmp_path / "real.csv"
    ).read_text() == "new"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.csv")
        with pytest.raises(
            PatchConvNetError,
            match="pipe.csv cannot be written: it is no file, but a device or a pipe",
        ):
            files.check_writable(tmp_path / "pipe.csv")
        assert (tmp_path / "pipe.csv").is_fifo()


def test_a_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    with written_aside(tmp_path / "aside") as aside:
        aside.write_text("")
    assert (tmp_path / "plain").stat().st_mode == (tmp_path / "aside").stat().st_mode


def test_folders_that_were_made_for_nothing_go_again(tmp_path):
    (tmp_path / "old").mkdir()
    with (
        pytest.raises(KeyError),
        written_aside(tmp_path / "old" / "new" / "newer" / "map.png"),
    ):
        raise KeyError
    assert list(tmp_path.rglob("*")) == [tmp_path / "old"]


# === paths ===


@pytest.fixture
def closed_folder(tmp_path):
    """A folder that may not be entered, not even by root while the test lasts."""
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no such rights")
    user = os.geteuid()
    (tmp_path / "closed").mkdir(mode=0)
    os.seteuid(65534 if user == 0 else user)
    yield tmp_path / "closed"
    os.seteuid(user)
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "'' is no path: give the name"),
        ("  ", "'  ' is no path"),
        ("~nobody-has-this-name/x", "~nobody-has-this-name/x is no path here"),
        ("x" * 256, r"cannot be used \(File name too long\): give another path"),
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b is no path here"),
        (3.5, "a path of type float: give a string"),
        (None, "a path of type NoneType"),
    ],
)
def test_what_is_no_path_is_told_in_a_line(path, message):
    with pytest.raises(PatchConvNetError, match=message):
        files.place(path)


def test_links_that_lead_in_a_circle(tmp_path):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(PatchConvNetError, match="one cannot be used"):
        files.place(tmp_path / "one")


def test_a_folder_that_may_not_be_entered(closed_folder):
    with pytest.raises(
        PatchConvNetError, match=r"cannot be used \(Permission denied\)"
    ):
        files.place(closed_folder / "x")


def test_home_stands_for_the_tilde_and_nothing_needs_to_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert files.place("~/x/y") == tmp_path / "x" / "y"
    (tmp_path / "x").write_text("")
    assert files.place("~/x/y") == tmp_path / "x" / "y"  # whoever writes there is told


@pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="this system has no pipes with names"
)
def test_only_a_file_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        assert files.existing_file(tmp_path / name, "a plan") == tmp_path / name
    for path, kind in (
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "is no file"),
        (tmp_path / "gone", "is not there"),
    ):
        with pytest.raises(
            PatchConvNetError, match=f"{path.name} {kind}.*: give a plan"
        ):
            files.existing_file(path, "a plan")
    with pytest.raises(PatchConvNetError, match="is no file that can be read"):
        files.existing_file("/dev/null", "a plan")


def test_a_value_is_shown_in_few_letters():
    assert errors.short("x" * 90) == "'xxxxxxxxxxxx...xxxxxxxxxxxxx'"
    assert errors.short(10**9000) == "a value of type int that is too long to show"


def test_one_line_shows_no_command_to_the_terminal():
    assert (
        errors.one_line("a\x1b[31m\nb\u202e\udce4c")
        == "a\N{REPLACEMENT CHARACTER}[31m b" + 2 * "\N{REPLACEMENT CHARACTER}" + "c"
    )


# === one process at a time ===


def test_a_folder_is_held_by_one_and_free_afterwards(tmp_path):
    pytest.importorskip("fcntl")
    folder = tmp_path / "runs" / "new"
    with files.held(folder):
        with pytest.raises(
            PatchConvNetError, match="another process is training in .*new: wait for it"
        ):
            with files.held(folder):
                pytest.fail("it was held twice")
        (folder / "recipe.json").write_text("{}")
    with files.held(folder):
        pass
    assert [path.name for path in folder.iterdir()] == ["recipe.json"]


def test_a_held_folder_goes_if_nothing_came_into_it(tmp_path):
    with (
        pytest.raises(PatchConvNetError, match="what is wrong"),
        files.held(tmp_path / "runs" / "new"),
    ):
        raise PatchConvNetError("what is wrong")
    assert not list(tmp_path.iterdir())
    (tmp_path / "letter").write_text("dear reader")
    with (
        pytest.raises(PatchConvNetError, match="letter.* cannot be written"),
        files.held(tmp_path / "letter" / "run"),
    ):
        pytest.fail("there is nowhere to write")


def test_where_there_are_no_locks_it_goes_on(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", raising(errno.ENOLCK))
    with files.held(tmp_path), files.held(tmp_path):
        pass
