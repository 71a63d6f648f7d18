"""The machine that reads pickles of CIFAR-10, step by step: what it knows, what it
refuses, and the limits of files.
"""

import io
import pickle
import pickletools
import types

import numpy as np
import pytest

from patchconvnet.data import cifar10, cifar10_files
from patchconvnet.data.cifar10_files import Unreadable, batches_in, fields_of
from patchconvnet.errors import PatchConvNetError

SHARED = [1, 2]
VALUES = {
    "numbers": [
        0,
        255,
        256,
        65_535,
        65_536,
        -1,
        2**31 - 1,
        -(2**31),
        2**31,
        2**40,
        -(2**40),
    ],
    "fractions": [0.5, -1e300],
    "constants": [None, True, False],
    "texts": ["", "ä", "x" * 300],
    "bytes": [b"", b"\xff", b"x" * 300],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((5,), [6])],
    "lists": [[], [1], [[1], [2, 3]]],
    "dicts": [{}, {"a": 1}, {"a": 1, "b": {"c": 2}}],
    "the same twice": [SHARED, (SHARED,), SHARED],
    "many remembered": [f"name {number}" for number in range(300)] * 2,
}


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("kind", VALUES)
def test_what_is_made_of_plain_values_is_read(kind, protocol):
    # a Python 3 that writes for Python 2 calls a function for bytes
    if kind == "bytes" and protocol == 2:
        return
    assert fields_of(pickle.dumps({kind: VALUES[kind]}, protocol)) == {
        kind: VALUES[kind]
    }


def test_what_python_2_alone_writes_is_read():
    assert fields_of(b"\x80\x02}U\x01aI51\ns.") == {"a": 51}
    assert fields_of(b"\x80\x02}(U\x01aU\x02\xff\x00T\x01\x00\x00\x00bK\x07u.") == {
        "a": b"\xff\x00",
        "b": 7,
    }
    assert fields_of(pickle.dumps({b"a": 1, "b": 2}, 4)) == {"a": 1, "b": 2}


NEW_ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n)R"
REFUSED = {
    "an empty stack": (b"\x85.", "it takes from an empty stack"),
    "one of two": (b"K\x01\x86.", "it takes from an empty stack"),
    "an item for a dict": (b"}K\x01a.", "it adds to what is no list"),
    "items for a number": (b"K\x01(K\x02e.", "it adds to what is no list"),
    "a field for a list": (b"]U\x01aK\x01s.", "it adds fields to what is no dict"),
    "fields for a tuple": (b")(U\x01aK\x01u.", "it adds fields to what is no dict"),
    "a number as a name": (b"}K\x01K\x01s.", "a field's name is of type int"),
    "a function": (b"cos\nsystem\n.", "it asks for os.system, which no batch needs"),
    "another function of NumPy": (
        b"cnumpy\nfromfile\n.",
        "it asks for numpy.fromfile, which no batch needs",
    ),
    "numbers as names": (b"K\x01K\x02\x93.", "it asks for something without a name"),
    "a module without a name": (
        b"X\x05\x00\x00\x00numpyK\x02\x93.",
        "it asks for something without a name",
    ),
    "a name without a module": (
        b"K\x02X\x05\x00\x00\x00dtype\x93.",
        "it asks for something without a name",
    ),
    "a list of arguments": (
        b"cnumpy\ndtype\n]R.",
        "it calls something without arguments",
    ),
    "a class": (b"cnumpy\nndarray\n)R.", "it calls what cannot be called"),
    "a number that is called": (b"K\x01)R.", "it calls what cannot be called"),
    "a dict that is altered": (b"})b.", "it alters what is no array"),
    "an array that is altered by a list": (
        NEW_ARRAY + b"]b.",
        "it alters what is no array",
    ),
    "a list": (b"].", "it holds a list, not a dict"),
    "an array": (NEW_ARRAY + b".", "it holds a _Array, not a dict"),
    "an array of nothing": (
        b"}U\x01a" + NEW_ARRAY + b"s.",
        "it holds an array without values",
    ),
    "another step": (b"N0.", "it uses POP, which no batch needs"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_no_batch_needs_is_refused(kind):
    content, message = REFUSED[kind]
    with pytest.raises(Unreadable, match=message):
        fields_of(b"\x80\x02" + content)


def test_a_field_without_a_value_is_refused():
    with pytest.raises(ValueError):
        fields_of(b"\x80\x02}(U\x01au.")


# === arrays ===


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(
    "kind", ["u1", "<u2", ">u4", "u8", "i1", ">i2", "<i4", "i8", "<f2", ">f4", "f8"]
)
def test_arrays_of_numbers_are_read_as_they_were_written(kind, protocol):
    flat = np.arange(6).astype(kind)
    rows = flat.reshape(2, 3)
    arrays = {
        "flat": flat,
        "rows": rows,
        "columns": np.asfortranarray(rows),
        "none": flat[:0],
    }
    found = fields_of(pickle.dumps(arrays, protocol))
    for name, array in arrays.items():
        assert (
            found[name].dtype == array.dtype and found[name].tolist() == array.tolist()
        )


@pytest.mark.parametrize(
    "kind", ["b1", "c8", "S4", "U1", "M8[s]", "m8[s]", "V8", [("a", "u1")]], ids=str
)
def test_arrays_of_what_is_no_number_are_refused(kind):
    with pytest.raises(
        Unreadable, match="it holds an array of another type than numbers"
    ):
        fields_of(pickle.dumps({"a": np.zeros(4, kind)}, 4))


@pytest.mark.parametrize("name", [5, None, b"O8", "O8", "O", "u3", "b1", ("u1",)])
def test_a_type_has_a_name_that_is_known(name):
    with pytest.raises(Unreadable, match="another type than numbers"):
        cifar10_files._Type(name, False, True)


@pytest.mark.parametrize(
    ("order", "rest", "good"),
    [
        ("|", (None, None, None, -1, -1, 0), True), ("<", (None, None, None), True),
        (b">", (None, None, None), True), ("=", (None, None, None), True),
        ("!", (None, None, None), False), (3, (None, None, None), False),
        ("<", ("x", None, None), False), ("<", (None, "x", None), False),
        ("<", (None, None, "x"), False), ("<", (None, None), False),
    ],
)  # fmt: skip
def test_a_type_has_an_order_of_bytes_and_no_parts(order, rest, good):
    kind = cifar10_files._Type("u2", False, True)
    if good:
        kind.fill(3, order, *rest)
        assert np.frombuffer(b"\x00\x01", kind.dtype).item() == (
            1 if order == b">" else 256
        )
    else:
        with pytest.raises(Unreadable, match="another type than numbers"):
            kind.fill(3, order, *rest)


U2 = cifar10_files._Type("u2", False, True)
FORM, SHAPE, SIZE = (
    "in another form than a batch",
    "of an impossible shape",
    "do not fit its shape",
)


@pytest.mark.parametrize(
    ("shape", "kind", "content", "message"),
    [
        ((2,), U2, bytes(4), None), ((1, 2), U2, bytes(4), None),
        ((0, 7), U2, b"", None), ((40_000_000, 0), U2, b"", None),
        ((), U2, bytes(2), FORM), ((1, 1, 2), U2, bytes(4), FORM),
        ([2], U2, bytes(4), FORM), ((2,), np.dtype("u2"), bytes(4), FORM),
        ((2,), U2, "abcd", FORM), ((-1, 0), U2, b"", SHAPE),
        ((0, 40_000_001), U2, b"", SHAPE), ((2.0,), U2, bytes(4), SHAPE),
        ((True,), U2, bytes(2), SHAPE), ((2,), U2, bytes(3), SIZE),
        ((2,), U2, bytes(5), SIZE), ((2, 2), U2, bytes(4), SIZE),
    ],
)  # fmt: skip
def test_an_array_has_a_shape_and_as_many_bytes(shape, kind, content, message):
    array = cifar10_files._Array()
    if message is None:
        array.fill(1, shape, kind, False, content)
        assert array.array().shape == shape
    else:
        with pytest.raises(Unreadable, match=message):
            array.fill(1, shape, kind, False, content)


# === limits ===


@pytest.mark.parametrize(("steps", "good"), [(1_000_001, True), (1_000_002, False)])
def test_a_million_steps_are_enough(monkeypatch, steps, good):
    nothing, dicts = (
        types.SimpleNamespace(name="PROTO"),
        types.SimpleNamespace(name="EMPTY_DICT"),
    )

    def genops(content):
        yield dicts, None, 0
        for _ in range(steps - 1):
            yield nothing, None, 0

    monkeypatch.setattr(pickletools, "genops", genops)
    if good:
        assert fields_of(b"") == {}
    else:
        with pytest.raises(Unreadable, match="it takes more than 1,000,000 steps"):
            fields_of(b"")


@pytest.mark.parametrize(("size", "good"), [(40_000_000, True), (40_000_001, False)])
def test_a_batch_has_at_most_40_million_bytes(tmp_path, size, good):
    with open(tmp_path / "a", "wb") as file:
        file.truncate(size)
    (tmp_path / "b").mkdir()
    batches = batches_in(tmp_path, ["gone", "b", "a"], "folder")
    if good:
        assert [(name, len(content)) for name, content in batches] == [("a", size)]
    else:
        with pytest.raises(
            Unreadable, match="a has 40,000,001 bytes, more than 40,000,000"
        ):
            list(batches)


class Unpacked(io.BytesIO):
    """As if so much had been unpacked before."""

    before = 0

    def tell(self):
        return super().tell() + self.before


def test_headers_have_at_most_four_million_bytes_in_all():
    stream = cifar10_files._Bounded(Unpacked(bytes(10_000_000)))
    assert stream.read(0) == b"" and len(stream.read(3_999_000)) == 3_999_000
    for size in (1_001, -1):
        with pytest.raises(Unreadable, match="its headers are longer than can be"):
            stream.read(size)
    assert len(stream.read(1_000)) == 1_000
    with pytest.raises(Unreadable):
        stream.read(1)
    assert len(cifar10_files._Bounded(Unpacked(b"abc")).read(4_000_000)) == 3


def test_an_archive_unpacks_to_at_most_400_million_bytes_and_never_backwards():
    unpacked = Unpacked(bytes(8))
    stream = cifar10_files._Bounded(unpacked)
    unpacked.before = 399_999_996
    assert stream.read(4) == bytes(4)
    stream.seek(400_000_000)
    for call in (
        lambda: stream.read(1),
        lambda: stream.seek(stream.tell() + 1),
        lambda: stream.check(400_000_001),
    ):
        with pytest.raises(
            Unreadable, match="it unpacks to more than 400,000,000 bytes"
        ):
            call()
    stream = cifar10_files._Bounded(Unpacked(bytes(8)))
    stream.seek(3)
    assert stream.tell() == 3
    with pytest.raises(Unreadable, match="its headers lead back to its beginning"):
        stream.seek(2)


@pytest.mark.parametrize(
    ("rows", "labels", "said"),
    [
        (
            10_000,
            10_000,
            (
                "it lacks data_batch_2, data_batch_3, data_batch_4, data_batch_5,"
                " test_batch"
            ),
        ),
        (
            9_999,
            9_999,
            (
                r"data_batch_1 holds pixels of uint8 \(9999, 3072\), not of uint8"
                r" \(10000, 3072\)"
            ),
        ),
        (10_001, 10_001, r"data_batch_1 holds pixels of uint8 \(10001, 3072\), not"),
        (
            10_000,
            9_999,
            "data_batch_1 holds labels other than 10000 whole numbers from 0 to 9",
        ),
        (
            10_000,
            10_001,
            "data_batch_1 holds labels other than 10000 whole numbers from 0 to 9",
        ),
    ],
)
def test_a_batch_has_ten_thousand_rows(tmp_path, rows, labels, said):
    fields = {
        "data": np.zeros((rows, 3072), "uint8"),
        "labels": np.zeros(labels, "uint8"),
    }
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(fields, 4))
    with pytest.raises(PatchConvNetError, match=said):
        cifar10.find(tmp_path)
