"""The files of CIFAR-10, read without trusting them.

Neither their pickles are trusted nor what they say of their size.

    batches_in   name and bytes of each batch, from the folder or the archive
    fields_of    what a batch holds: of its pickle no more is understood than is needed
"""

import gzip
import math
import os
import pickletools
import tarfile
from pathlib import PurePosixPath

import numpy as np

LARGEST_BATCH = 40_000_000  # bytes; the official ones have 31 million
LARGEST_ARCHIVE = 400_000_000  # bytes, unpacked; the official one has 186 million
# bytes of what is in an archive besides batches and is read: names, sizes, dates
LARGEST_HEADERS = 4_000_000
LARGEST_PROGRAM = 1_000_000  # steps of a pickle; the official ones take some 30,000
BLOCK = 1 << 20


class Unreadable(Exception):
    """What is wrong with a file, without advice: that depends on whose file it is."""


# === from the folder or the archive ===


def batches_in(source, names, folder):
    """Name and bytes of each batch in turn, none of more than `LARGEST_BATCH`.

    Args:
        source: a folder that holds the batches, or the archive, which is not extracted
            to disk.
        names: the batches' names; other files are passed over.
        folder: the name of the folder that holds them in the archive.

    Raises:
        Unreadable: a damaged archive; a batch, or all that the archive unpacks to, is
            larger than can be.
        OSError: the disk.
    """
    if source.is_dir():
        return _from_folder(source, names)
    return _from_archive(source, names, folder)


def _from_folder(source, names):
    for name in names:
        if (source / name).is_file():  # no pipe or device
            with open(source / name, "rb") as file:
                _check_size(name, os.fstat(file.fileno()).st_size)
                yield name, file.read(LARGEST_BATCH)


def _check_size(name, size):
    if size > LARGEST_BATCH:
        raise Unreadable(f"{name} has {size:,} bytes, more than {LARGEST_BATCH:,}")


def _from_archive(source, names, folder):
    with gzip.open(source) as unpacked:
        stream = _Bounded(unpacked)
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in archive:
                inside = PurePosixPath(member.name)
                is_batch = inside.name in names and inside.parent.name == folder
                if is_batch and member.isfile() and not member.issparse():
                    _check_size(inside.name, member.size)
                    stream.allowance += member.size
                    yield inside.name, archive.extractfile(member).read()
        while unpacked.read(BLOCK):  # the checksum of the whole stands at its very end
            stream.check(unpacked.tell())


class _Bounded:
    """An unpacked archive as `tarfile` reads it: forwards only, and bounded.

    A header may announce a name of gigabytes, which `tarfile` would read whole, or a
    size below zero, at which it would go round in circles.
    """

    def __init__(self, unpacked):
        self.unpacked, self.allowance = unpacked, LARGEST_HEADERS
        self.tell = unpacked.tell

    def read(self, size):
        if not 0 <= size <= self.allowance:
            raise Unreadable("its headers are longer than can be")
        content = self.unpacked.read(size)
        self.allowance -= len(content)
        self.check(self.tell())
        return content

    def seek(self, position):
        if position < self.tell():
            raise Unreadable("its headers lead back to its beginning")
        self.check(position)
        self.unpacked.seek(position)

    def check(self, position):
        if position > LARGEST_ARCHIVE:
            raise Unreadable(f"it unpacks to more than {LARGEST_ARCHIVE:,} bytes")


# === pickles ===


def fields_of(content):
    """What a batch holds: a dict from strings to lists, numbers, texts and arrays.

    A pickle is a program that may call anything. This one runs in a machine that knows
    the few steps of which batches are made: those of the official files (protocol 2,
    written by Python 2) and of what Python 3 and NumPy write in protocols 3 and 4. An
    array's shape, type and bytes are compared before NumPy sees them.

    Raises:
        Unreadable, or another exception: it is no such pickle.
    """
    machine = _Machine()
    for count, (step, argument, _) in enumerate(pickletools.genops(content)):
        if step.name not in _Machine.STEPS:
            raise Unreadable(f"it uses {step.name}, which no batch needs")
        if count > LARGEST_PROGRAM:
            raise Unreadable(f"it takes more than {LARGEST_PROGRAM:,} steps")
        _Machine.STEPS[step.name](machine, argument)
    fields = machine.stack.pop()
    if type(fields) is not dict:
        raise Unreadable(f"it holds a {type(fields).__name__}, not a dict")
    return {
        key: value.array() if type(value) is _Array else value
        for key, value in fields.items()
    }


class _Machine:
    """The part of a pickle's machine that batches need.

    It calls nothing that a pickle names.
    """

    def __init__(self):
        self.stack, self.marks, self.memo = [], [], {}

    def push(self, value):
        self.stack.append(value)

    def mark(self, _):
        self.marks.append(len(self.stack))

    def since_mark(self):
        first = self.marks.pop()
        taken, self.stack[first:] = self.stack[first:], []
        return taken

    def take(self, count):
        if count > len(self.stack):
            raise Unreadable("it takes from an empty stack")
        taken, self.stack[-count:] = self.stack[-count:], []
        return taken

    def extend(self, values):
        if type(self.stack[-1]) is not list:
            raise Unreadable("it adds to what is no list")
        self.stack[-1].extend(values)

    def update(self, keys_and_values):
        fields = self.stack[-1]
        if type(fields) is not dict:
            raise Unreadable("it adds fields to what is no dict")
        for key, value in zip(keys_and_values[::2], keys_and_values[1::2], strict=True):
            # the hash of a tuple in tuples can take for ever
            if type(key) not in (bytes, str):
                raise Unreadable(f"a field's name is of type {type(key).__name__}")
            fields[key.decode() if isinstance(key, bytes) else key] = value

    def name(self, module, name):
        if (module, name) not in _NAMES:
            raise Unreadable(f"it asks for {module}.{name}, which no batch needs")
        self.push(_NAMES[module, name])

    def name_from_stack(self, _):
        module, name = self.take(2)
        if type(module) is not str or type(name) is not str:
            raise Unreadable("it asks for something without a name")
        self.name(module, name)

    def call(self, _):
        function, arguments = self.take(2)
        if type(arguments) is not tuple:
            raise Unreadable("it calls something without arguments")
        # (numpy.ndarray, (0,), b"b"): all that matters comes later
        if function is _NEW_ARRAY:
            self.push(_Array())
        elif function is _DTYPE:
            self.push(_Type(*arguments))
        else:
            raise Unreadable("it calls what cannot be called")

    def build(self, _):
        [state] = self.take(1)
        if type(self.stack[-1]) not in (_Array, _Type) or type(state) is not tuple:
            raise Unreadable("it alters what is no array")
        self.stack[-1].fill(*state)

    def remember(self, index):
        self.memo[index] = self.stack[-1]

    def push_bytes(self, text):
        self.push(text.encode("latin-1"))

    STEPS = {
        "PROTO": lambda self, _: None,
        "FRAME": lambda self, _: None,
        "STOP": lambda self, _: None,
        "INT": push,
        "BININT": push,
        "BININT1": push,
        "BININT2": push,
        "LONG1": push,
        "BINFLOAT": push,
        "BINBYTES": push,
        "SHORT_BINBYTES": push,
        "BINBYTES8": push,
        "BINUNICODE": push,
        "SHORT_BINUNICODE": push,
        "BINSTRING": push_bytes,
        "SHORT_BINSTRING": push_bytes,
        "NONE": lambda self, _: self.push(None),
        "NEWTRUE": lambda self, _: self.push(True),
        "NEWFALSE": lambda self, _: self.push(False),
        "MARK": mark,
        "EMPTY_LIST": lambda self, _: self.push([]),
        "APPEND": lambda self, _: self.extend(self.take(1)),
        "APPENDS": lambda self, _: self.extend(self.since_mark()),
        "EMPTY_DICT": lambda self, _: self.push({}),
        "SETITEM": lambda self, _: self.update(self.take(2)),
        "SETITEMS": lambda self, _: self.update(self.since_mark()),
        "EMPTY_TUPLE": lambda self, _: self.push(()),
        "TUPLE1": lambda self, _: self.push(tuple(self.take(1))),
        "TUPLE2": lambda self, _: self.push(tuple(self.take(2))),
        "TUPLE3": lambda self, _: self.push(tuple(self.take(3))),
        "TUPLE": lambda self, _: self.push(tuple(self.since_mark())),
        "GLOBAL": lambda self, name: self.name(*name.split(" ", 1)),
        "STACK_GLOBAL": name_from_stack,
        "REDUCE": call,
        "BUILD": build,
        "BINPUT": remember,
        "LONG_BINPUT": remember,
        "MEMOIZE": lambda self, _: self.remember(len(self.memo)),
        "BINGET": lambda self, index: self.push(self.memo[index]),
        "LONG_BINGET": lambda self, index: self.push(self.memo[index]),
    }


# What pickles may name: words of ours instead of functions of NumPy, whose `ndarray`
# would take an address in memory.
_NEW_ARRAY, _DTYPE, _ARRAY_CLASS = object(), object(), object()
_NAMES = {
    ("numpy", "ndarray"): _ARRAY_CLASS,
    ("numpy", "dtype"): _DTYPE,
    ("numpy.core.multiarray", "_reconstruct"): _NEW_ARRAY,
    ("numpy._core.multiarray", "_reconstruct"): _NEW_ARRAY,
}


class _Type:
    """What a pickle says of a type.

    `numpy.dtype("u1", False, True)`, then a state with the order of the bytes.
    """

    KNOWN = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8")

    def __init__(self, name, align, copy):
        name = name.decode() if type(name) is bytes else name
        if type(name) is not str or name not in self.KNOWN:
            raise Unreadable("it holds an array of another type than numbers")
        self.dtype = np.dtype(name)

    def fill(self, version, order, *rest):
        order = order.decode() if type(order) is bytes else order
        if (
            type(order) is not str
            or order not in ("|", "<", ">", "=")
            or rest[:3] != (None, None, None)
        ):
            raise Unreadable("it holds an array of another type than numbers")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """What a pickle says of an array: nothing, then a state with all of it."""

    def __init__(self):
        self.state = None

    def fill(self, version, shape, kind, is_fortran, content):
        if (
            type(kind) is not _Type
            or type(content) is not bytes
            or type(shape) is not tuple
            or not 1 <= len(shape) <= 2
        ):
            raise Unreadable("it holds an array in another form than a batch")
        if not all(type(side) is int and 0 <= side <= LARGEST_BATCH for side in shape):
            raise Unreadable("it holds an array of an impossible shape")
        if math.prod(shape) * kind.dtype.itemsize != len(content):
            raise Unreadable(
                f"it holds an array whose {len(content):,} bytes do not fit its shape"
                f" {shape}"
            )
        self.state = shape, kind.dtype, "F" if is_fortran else "C", content

    def array(self):
        if self.state is None:
            raise Unreadable("it holds an array without values")
        shape, dtype, order, content = self.state
        return np.frombuffer(content, dtype).reshape(shape, order=order)
