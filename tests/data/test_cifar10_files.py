"""CIFAR-10 files made to crash, fill or mislead their reader; and the official form."""

import gzip
import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from patchconvnet.data import cifar10, cifar10_files
from patchconvnet.errors import PatchConvNetError

ROWS = 20
PIXELS = np.random.RandomState(0).randint(0, 256, (ROWS, 3072)).astype("uint8")
LABELS = [row % 10 for row in range(ROWS)]
ENDLESS = 500_000_000  # bytes: more than anything may unpack to


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "ROWS", ROWS)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("PATCHCONVNET_OFFLINE", "1")
    for name in (cifar10.VARIABLE, "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


def write_folder(parent, content):
    """All batches of the official name, the same in each."""
    folder = parent / cifar10.FOLDER
    folder.mkdir(parents=True)
    for batch in cifar10.BATCHES:
        (folder / batch).write_bytes(content)
    return folder


def refusal(place):
    with pytest.raises(PatchConvNetError) as caught:
        cifar10.find(place)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000
    return str(caught.value)


def check_read(place):
    images, labels, _ = cifar10.find(place)
    expected = PIXELS.reshape(ROWS, 3, 32, 32).transpose(0, 2, 3, 1)
    assert (images.reshape(6, ROWS, 32, 32, 3) == expected).all() and (
        labels.reshape(6, ROWS) == LABELS
    ).all()


# === pickles ===


def text(content):
    return b"U" + bytes([len(content)]) + content  # a short `str` of Python 2


def put(index):
    # Python 2 remembers every object, whether it needs it again or not
    return b"q" + bytes([index])


def official_pickle(shape=PIXELS.shape, kind=b"u1", content=None, order=b"|"):
    """A batch as Python 2 and NumPy 1 wrote it, byte by byte."""
    content = PIXELS.tobytes() if content is None else content
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n"
        + put(1)
        + b"cnumpy\nndarray\n"
        + put(2)
    )
    array += (
        b"K\x00\x85" + put(3) + text(b"b") + put(4) + b"\x87" + put(5) + b"R" + put(6)
    )
    dtype = (
        b"cnumpy\ndtype\n"
        + put(7)
        + text(kind)
        + put(8)
        + b"K\x00K\x01\x87"
        + put(9)
        + b"R"
        + put(10)
    )
    dtype += (
        b"(K\x03"
        + text(order)
        + put(11)
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    sides = b"".join(b"J" + struct.pack("<i", side) for side in shape)
    array += (
        b"(K\x01"
        + sides
        + b"\x86"
        + put(12)
        + dtype
        + b"\x89T"
        + struct.pack("<i", len(content))
        + content
        + put(13)
        + b"tb"
    )
    labels = (
        b"]"
        + put(14)
        + b"("
        + b"".join(b"K" + bytes([label]) for label in LABELS)
        + b"e"
    )
    names = (
        b"]"
        + put(15)
        + b"("
        + b"".join(text(b"picture_%d.png" % row) for row in range(ROWS))
        + b"e"
    )
    fields = (
        text(b"data")
        + array
        + text(b"labels")
        + labels
        + text(b"batch_label")
        + text(b"batch 1 of 5")
        + text(b"filenames")
        + names
    )
    return b"\x80\x02}" + put(0) + b"(" + fields + b"u."


def test_the_official_form_is_read(tmp_path):
    check_read(write_folder(tmp_path, official_pickle()))


# The module that holds `_reconstruct`, in NumPy 1 and 2, as protocols 3 and 4 write it.
MODULES = {
    3: (b"cnumpy.core.multiarray\n", b"cnumpy._core.multiarray\n"),
    4: (b"\x15numpy.core.multiarray", b"\x16numpy._core.multiarray"),
}


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(
    "labels",
    [LABELS, np.array(LABELS), np.array(LABELS, "uint8"), np.array(LABELS, ">i4")],
    ids=range(4),
)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [1, 2])
def test_what_python_3_and_numpy_1_and_2_write_is_read(
    tmp_path, protocol, labels, order, version
):
    content = pickle.dumps(
        {b"data": np.asarray(PIXELS, order=order), "labels": labels}, protocol
    )
    for module in MODULES[protocol]:
        changed = content.replace(module, MODULES[protocol][version - 1])
        if protocol == 4:  # the length of what it is in stands before it
            length = struct.unpack("<Q", content[3:11])[0] + len(changed) - len(content)
            changed = changed[:3] + struct.pack("<Q", length) + changed[11:]
        content = changed
    check_read(write_folder(tmp_path, content))


def number(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def array_at(address):
    """`numpy.ndarray(shape, type, buffer, offset, strides)`, called by the pickle: an
    object at an address of its choice.
    """
    return b"\x80\x02cnumpy\nndarray\n(K\x01\x85U\x01ON" + number(address) + b"NtR."


HOSTILE = {
    "an array at an address": array_at(0),
    "an array of objects": (
        official_pickle((1,), b"O8", bytes(8)).replace(b"\x86", b"\x85", 1)
    ),
    "an array larger than its bytes": official_pickle((ROWS, 1 << 30)),
    "an array of a shape below zero": official_pickle((-ROWS, -3072)),
    "an array of text": official_pickle(PIXELS.shape, b"S1"),
    "an array without bytes": pickle.dumps({"data": PIXELS}, 4).replace(b"\x89", b"N"),
    "an altered type": b"\x80\x02cnumpy\ndtype\n}U\x08newbyteU\x01xsb.",
    "an altered class": b"\x80\x02cnumpy\nndarray\n}U\x09__class__K\x01sb.",
    "a type altered by many bytes": (
        b"\x80\x02cnumpy\ndtype\nU\x02u1K\x00K\x01\x87RT"
        + struct.pack("<i", 30_000_000)
        + bytes(30_000_000)
        + b"b."
    ),
    "a large memory": b"\x80\x02}r\xff\xff\xff\xff.",
    "bytes that are not there": b"\x80\x05\x8e" + struct.pack("<Q", 1 << 34) + b".",
    "an array of bytes that are not there": (
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 34) + b"."
    ),
    "a frame that is not there": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b".",
    "a string that is not there": (
        b"\x80\x02T" + struct.pack("<i", (1 << 31) - 1) + b"."
    ),
    "a string of less than no length": b"\x80\x02T" + struct.pack("<i", -1) + b".",
    "a number of many bytes": b"\x80\x02\x8b" + struct.pack("<i", (1 << 31) - 1) + b".",
    "a name from elsewhere": b"\x80\x02Pdata\n.",
    "a code for a name": b"\x80\x02\x82\x01.",
    "a buffer from elsewhere": b"\x80\x05\x97.",
    "a tuple of tuples as a name": b"\x80\x02})" + b"2\x86" * 60 + b"K\x01s.",
    "a remembered tuple of tuples as a name": (
        b"\x80\x02})"
        + b"".join(put(i) + b"h" + bytes([i]) + b"\x86" for i in range(60))
        + b"K\x01s."
    ),
    "very many empty lists": b"\x80\x02}(" + b"]" * 10_000_000 + b"l.",
    "a list in itself": b"\x80\x02}U\x06labels]" + put(0) + b"h\x00as.",
    "nothing": b"\x80\x02.",
    "a very long name": b"\x80\x02c" + b"x" * 1_000_000 + b"\ny\n.",
    "a name with commands to the terminal": b"\x80\x02c\x1b[2Jx\ny\n.",
}

READ_IT = """
import sys
from patchconvnet import errors
from patchconvnet.data import cifar10

def peak():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1e3

cifar10.ROWS = 20
for place in sys.argv[1:]:
    before = peak()
    try:
        cifar10.find(place)
        print("read")
    except errors.PatchConvNetError as error:
        print(round(peak() - before), ascii(str(error)))
"""


@pytest.mark.long
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="only Linux tells the peak of one process",
)
def test_hostile_pickles_are_refused_in_bounded_memory_and_time(tmp_path):
    """In another process: what gets through may end it."""
    for index, content in enumerate(HOSTILE.values()):
        folder = tmp_path / str(index) / cifar10.FOLDER
        folder.mkdir(parents=True)
        (folder / "data_batch_1").write_bytes(content)
    places = [str(tmp_path / str(index)) for index in range(len(HOSTILE))]
    result = subprocess.run(
        [sys.executable, "-c", READ_IT, *places],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    for name, answer in zip(HOSTILE, result.stdout.splitlines(), strict=True):
        assert (
            "is no CIFAR-10 batch" in answer
            and "\\n" not in answer
            and "\\x1b" not in answer
        ), (name, answer)
        assert int(answer.split()[0]) < 250 and len(answer) < 1000, (name, answer)


@pytest.mark.parametrize(
    "labels",
    [
        [[1]] * ROWS,
        [True] * ROWS,
        ["1"] * ROWS,
        {"a": 1},
        3,
        None,
        [10**30] * ROWS,
        LABELS * 2,
    ],
)
def test_labels_that_are_none(tmp_path, labels):
    assert "holds labels other than 20 whole numbers" in refusal(
        write_folder(tmp_path, pickle.dumps({"data": PIXELS, "labels": labels}, 4))
    )


@pytest.mark.parametrize(
    "pixels",
    [PIXELS.tolist()[:1], PIXELS.tobytes(), None, PIXELS.astype(">u2"), PIXELS.ravel()],
)
def test_pixels_that_are_none(tmp_path, pixels):
    assert "holds pixels of" in refusal(
        write_folder(tmp_path, pickle.dumps({"data": pixels, "labels": LABELS}, 4))
    )


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
