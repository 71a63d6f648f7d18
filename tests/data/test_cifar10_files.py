"""CIFAR-10 files made to crash, fill or mislead their reader; and the official form."""

import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from patchconvnet.data import cifar10
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("small_batches")

ROWS = 20
PIXELS = np.random.RandomState(0).randint(0, 256, (ROWS, 3072)).astype("uint8")
LABELS = [row % 10 for row in range(ROWS)]
ENDLESS = 500_000_000  # bytes: more than anything may unpack to


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
