"""The sizes of CIFAR-10's files, and what is said of wrong ones."""

import gzip
import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from test_cifar10_files import (
    ENDLESS,
    READ_IT,
    ROWS,  # noqa: F401
    check_read,
    official_pickle,
    refusal,
    write_folder,
)

from patchconvnet.data import cifar10, cifar10_files

pytestmark = pytest.mark.usefixtures("small_batches")

# === sizes ===


def header(name, size, kind=b"0"):
    """A tar header; a size below zero in the form of GNU."""
    numbers = (
        struct.pack(">BqI", 0xFF, -1, 0)[:4] + struct.pack(">q", size)
        if size < 0
        else b"%011o\0" % size
    )
    block = (
        name.encode().ljust(100, b"\0")
        + b"0000644\0"
        + b"0000000\0" * 2
        + numbers
        + b"00000000000\0"
    )
    block = block + b" " * 8 + kind
    block = block.ljust(257, b"\0") + b"ustar  \0"
    block = block.ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def packed(content):
    """A part of a gzip file: such parts may be joined."""
    return gzip.compress(content, compresslevel=1)


@pytest.fixture(scope="module")
def endless():
    """Half a gigabyte of zeros, packed."""
    return packed(bytes(50_000_000)) * 10


def write(path, content):
    path.write_bytes(content)
    return path


def whole_archive():
    content = official_pickle()
    parts = io.BytesIO()
    with tarfile.open(fileobj=parts, mode="w") as archive:
        for batch in cifar10.BATCHES:
            member = tarfile.TarInfo(f"{cifar10.FOLDER}/{batch}")
            # a fraction takes a header of its own
            member.size, member.mtime = len(content), 1.5
            archive.addfile(member, io.BytesIO(content))
    return parts.getvalue()


BATCH = f"{cifar10.FOLDER}/data_batch_1"
LARGE = {  # what an archive begins with; half a gigabyte of zeros follows
    "a batch": header(BATCH, ENDLESS),
    "another file": header("notes", ENDLESS),
    "a pax header": header("pax", ENDLESS, b"x"),
    "a pax header for all": header("pax", ENDLESS, b"g"),
    "a long name": header("././@LongLink", ENDLESS, b"L"),
    "a long link": header("././@LongLink", ENDLESS, b"K"),
    "many long names": (header("././@LongLink", 1 << 20, b"L") + b"x" * (1 << 20)) * 20,
    "many small files": header("notes", 0) * 100_000,
    "zeros behind the end": whole_archive(),
    "an end far away": header("notes", 8**11 - 1),
}


@pytest.mark.long
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="only Linux tells the peak of one process",
)
def test_archives_that_unpack_to_gigabytes_are_refused_in_bounded_memory(
    tmp_path, endless
):
    places = [
        write(tmp_path / f"{name}.tar.gz", packed(start) + endless)
        for name, start in LARGE.items()
    ]
    result = subprocess.run(
        [sys.executable, "-c", READ_IT, *map(str, places)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    for name, answer in zip(LARGE, result.stdout.splitlines(), strict=True):
        assert (
            "cannot be read as CIFAR-10 (" in answer and int(answer.split()[0]) < 60
        ), (name, answer)


def test_a_size_below_zero_does_not_lead_round_in_circles(tmp_path):
    assert "CIFAR-10" in refusal(
        write(tmp_path / "a.tar.gz", packed(header("notes", -512) * 2))
    )


def test_a_sparse_member_is_no_batch(tmp_path):
    sparse = header(BATCH, 0, b"S")
    sparse = (
        sparse[:386]
        + struct.pack("12s12s", b"%011o\0" % 0, b"%011o\0" % 0)
        + sparse[410:483]
        + b"%011o\0" % 30_000_000
        + sparse[495:]
    )
    sparse = (
        sparse[:148]
        + b"%06o\0 " % sum(sparse[:148] + b" " * 8 + sparse[156:])
        + sparse[156:]
    )
    assert "lacks data_batch_1" in refusal(
        write(tmp_path / "a.tar.gz", packed(sparse + bytes(1024)))
    )


def test_an_archive_with_headers_of_its_own_is_read_and_may_be_padded(tmp_path):
    check_read(write(tmp_path / "a.tar.gz", packed(whole_archive() + bytes(3_000_000))))


def test_a_large_file_instead_of_a_batch_is_not_read(tmp_path, monkeypatch):
    folder = write_folder(tmp_path, b"")
    with open(folder / "data_batch_1", "wb") as file:
        file.truncate(41_000_000)  # a hole: it takes no room
    assert "data_batch_1 has 41,000,000 bytes, more than 40,000,000" in refusal(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among files here")
def test_a_pipe_a_device_or_a_folder_is_no_batch_and_no_archive(tmp_path):
    folder = write_folder(tmp_path, official_pickle())
    for batch in ("data_batch_1", "data_batch_2", "data_batch_3"):
        (folder / batch).unlink()
    os.mkfifo(folder / "data_batch_1")
    (folder / "data_batch_2").symlink_to("/dev/zero")
    (folder / "data_batch_3").mkdir()
    assert "lacks data_batch_1, data_batch_2, data_batch_3." in refusal(folder)
    assert "holds no CIFAR-10: give" in refusal(folder / "data_batch_1")
    assert "holds no CIFAR-10: give" in refusal("/dev/zero")


# === what is said ===


def loop_in(folder):
    (folder / "loop").symlink_to(folder / "loop")
    return str(folder / "loop")


BAD_PATHS = {
    "empty": lambda folder: "",
    "blank": lambda folder: "  ",
    "nobody's": lambda folder: "~nobody-of-this-name/cifar",
    "long": lambda folder: "x" * 300,
    "with a NUL": lambda folder: "a\0b",
    "of links": loop_in,
    "of another type": lambda folder: ["a"],
}


@pytest.mark.parametrize("kind", BAD_PATHS)
def test_a_path_that_cannot_be_used_is_named(tmp_path, kind):
    message = refusal(BAD_PATHS[kind](tmp_path))
    assert message.startswith(
        "path= must be a path to CIFAR-10: "
    ) and message.endswith(f"Accepted: {cifar10.ACCEPTED}.")


@pytest.mark.parametrize("kind", ["blank", "nobody's", "long", "of links"])
def test_a_variable_that_cannot_be_used_is_named(tmp_path, monkeypatch, kind):
    monkeypatch.setenv(cifar10.VARIABLE, BAD_PATHS[kind](tmp_path))
    assert refusal(None).startswith(f"${cifar10.VARIABLE} must be a path to CIFAR-10: ")


@pytest.mark.parametrize("kind", ["blank", "nobody's", "long", "of links"])
@pytest.mark.parametrize("variable", ["KERAS_HOME", "XDG_CACHE_HOME"])
def test_a_cache_that_cannot_be_used_is_passed_over_or_named(
    tmp_path, monkeypatch, variable, kind
):
    monkeypatch.setenv(variable, BAD_PATHS[kind](tmp_path))
    other = {
        "KERAS_HOME": tmp_path / "home/.cache/patchconvnet",
        "XDG_CACHE_HOME": tmp_path / "home/.keras/datasets",
    }
    assert not cifar10.is_here()
    with pytest.warns(UserWarning, match=f"{variable}.*passed over"):
        message = refusal(None)
    assert ("XDG_CACHE_HOME" in message) == (variable == "XDG_CACHE_HOME")
    write_folder(other[variable], official_pickle())
    assert cifar10.is_here()
    if variable == "KERAS_HOME":
        with pytest.warns(UserWarning, match="KERAS_HOME.*passed over"):
            check_read(None)
    else:
        check_read(None)


def test_without_a_home_it_says_what_to_set(monkeypatch):
    def nobody(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", nobody)
    with pytest.warns(UserWarning, match="passed over"):
        assert "$XDG_CACHE_HOME" in refusal(None)
    assert not cifar10.is_here()


@pytest.mark.parametrize("given_as", ["path=", f"${cifar10.VARIABLE}"])
def test_a_file_of_the_user_is_not_advised_to_be_deleted(
    tmp_path, monkeypatch, given_as
):
    letter = tmp_path / "letter"
    letter.write_text("Dear Sir or Madam")
    monkeypatch.setenv(cifar10.VARIABLE, str(letter))
    message = refusal(letter if given_as == "path=" else None)
    assert message.startswith(f"{given_as} {letter} cannot be read as CIFAR-10 (")
    assert (
        "elete" not in message
        and cifar10.ACCEPTED in message
        and "extract or download it again" in message
    )


def test_a_broken_copy_in_a_cache_is_advised_to_be_deleted(tmp_path):
    write_folder(tmp_path / "home/.keras/datasets", b"nonsense")
    with pytest.warns(
        UserWarning,
        match="Delete it, and extract or download it again. It was passed over",
    ):
        assert "not on this machine" in refusal(None)


def test_a_name_that_cannot_be_printed_is_shown_all_the_same(tmp_path):
    message = refusal(os.fsencode(tmp_path / "a\x1b[2J\n") + b"\xff")
    assert message.isprintable() and "does not exist" in message


def test_a_pickle_of_too_many_steps_and_one_with_odd_names_are_refused(monkeypatch):
    assert cifar10_files.fields_of(pickle.dumps({"labels": [1, 2]}, 4)) == {
        "labels": [1, 2]
    }
    with pytest.raises(
        cifar10_files.Unreadable, match="a field's name is of type tuple"
    ):
        cifar10_files.fields_of(pickle.dumps({(1, 2): 3}, 4))
    monkeypatch.setattr(cifar10_files, "LARGEST_PROGRAM", 20)
    with pytest.raises(cifar10_files.Unreadable, match="it takes more than 20 steps"):
        cifar10_files.fields_of(pickle.dumps({"labels": list(range(40))}, 4))
