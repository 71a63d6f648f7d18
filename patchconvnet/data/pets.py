"""Pets: 598 photographs of cats and dogs, each with the animal's outline.

They are three of the 37 breeds of the Oxford-IIIT Pet data set, shipped with the
package: O. M. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar, "Cats and Dogs", CVPR
2012, https://www.robots.ox.ac.uk/~vgg/data/pets/

They were adapted (the central square, shrunk to 224 x 224), and are under CC BY-SA 4.0;
the copyright remains with the original owners of the images. `CREDIT` says so: print it
under each figure that shows one of them.

The split is the official one: 300 to train, 298 to test. Photographs come in turns, one
of each class, and in each class by a fixed random order. To validate, the first of the
300 are set apart: as many of each class, to within one.

The rim: whoever drew the outlines left a rim undecided, fur and whiskers before a
background. Masks count it as animal. It is a large part of them, so a score with it and
a score without it must never be compared. What it does, on the test pictures and 14 x
14 cells:

                                                          with it   without
    the animal's share of the pictures                     48.9%     34.1%
    pointing game: of a random cell                        49.1%     33.8%
                   of the best fixed cell of training      94.3%     81.9%
    energy: of the mean training mask                      0.600     0.473
    average precision: of the mean training mask           0.803     0.687

Pointing game: a cell that is half rim is on the animal, too. Energy: all weight on the
rim counts, so it can only rise. Average precision: more cells are wanted, and lie where
maps that do not look put their weight, too. So chance rises with the score: compare
with what maps reach that do not look, on the same masks. `rims` says where it is.
"""

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from patchconvnet.errors import PatchConvNetError, one_line, whole
from patchconvnet.files import read_arrays

SIZE = 224
CLASS_NAMES = ("Abyssinian", "Bengal", "American bulldog")
PARTS = ("train", "val", "test")
VALIDATION = 60  # photographs of the 300 that are set apart, if nothing else is said
MOST_VALIDATION = 297  # one of each class stays to train on
BACKGROUND, RIM = 2, 3  # in a trimap; 1 is the animal
# two lines, as a chapter prints no more than 79 columns
CREDIT = (
    "Photographs: Oxford-IIIT Pet (Parkhi et al., 2012), adapted, CC BY-SA 4.0.\n"
    "The copyright remains with the original owners of the images."
)
FOLDER = Path(__file__).parent / "photographs"


class Photographs(NamedTuple):
    """One part of the data set, in the order in which `load_dataset` has it."""

    images: np.ndarray  # uint8 (N, 224, 224, 3), 0 to 255
    labels: np.ndarray  # int64 (N,), indices into CLASS_NAMES
    trimaps: np.ndarray  # uint8 (N, 224, 224): 1 animal, 2 background, 3 rim
    names: tuple  # in the original data set: "Abyssinian_1"


def read(part, validation=VALIDATION):
    """All of one part.

    Args:
        part: "train", "val" or "test".
        validation: as in `load_dataset`: how many of the 300 for training are "val".

    Returns:
        `Photographs`.

    Raises:
        PatchConvNetError: another part; an impossible number; a damaged file of the
            package.
    """
    stored, rows = _chosen(part, validation)
    return Photographs(
        _decoded(stored, "photo_jpeg", rows, "RGB"),
        stored["label"][rows].astype("int64"),
        _decoded(stored, "trimap_png", rows, "L"),
        tuple(stored["name"][rows].tolist()),
    )


def trimaps(part, validation=VALIDATION):
    """What was drawn by hand, uint8 (N, 224, 224): 1 animal, 2 background, 3 rim.

    Arguments and errors are as in `read`; the order is that of `load_dataset`.
    """
    stored, rows = _chosen(part, validation)
    return _decoded(stored, "trimap_png", rows, "L")


def rims(part, validation=VALIDATION):
    """The rim that was left undecided, bool (N, 224, 224); as `trimaps`.

    `mask & ~rim` is the animal without its rim.
    """
    return trimaps(part, validation) == RIM


def names(part, validation=VALIDATION):
    """Names of the photographs in the original data set, a tuple of N strings.

    Arguments, order and errors as in `trimaps`; no picture is decoded.
    """
    stored, rows = _chosen(part, validation)
    return tuple(stored["name"][rows].tolist())


def variant():
    """Which photographs these are, by a hash of their files and labels: a string.

    Not of their pixels, which differ a little from one decoder to the next.

    Raises:
        PatchConvNetError: a damaged file of the package.
    """
    content, count = hashlib.sha256(), 0
    for file in ("train", "test"):
        stored = _stored(file)
        for field in ("photo_jpeg", "trimap_png", "label"):
            content.update(stored[field])
        count += len(stored["label"])
    return f"official split, {count} photographs (sha256 {content.hexdigest()[:8]})"


# === which ones ===


def _chosen(part, validation):
    """The arrays of the file that holds a part, and the rows of the part in it."""
    if part not in PARTS:
        raise PatchConvNetError(
            f"there is no part {part!r} of the photographs: choose one of"
            f" {', '.join(PARTS)}"
        )
    whole(0, MOST_VALIDATION).check("validation", validation)
    stored = _stored("test" if part == "test" else "train")
    rows = _in_turns(stored["label"])
    if part == "test":
        return stored, rows
    return stored, rows[:validation] if part == "val" else rows[validation:]


def _in_turns(labels):
    """Rows so that classes take turns, each by a fixed random order: int (N,).

    So the first few have some of each class: a run's probes, a figure's, those that are
    set apart.
    """
    dice = np.random.RandomState(0)  # a generator that NumPy never changes
    rows = [dice.permutation(np.flatnonzero(labels == kind)) for kind in (0, 1, 2)]
    turn = np.concatenate([np.arange(len(own)) for own in rows])
    return np.concatenate(rows)[np.argsort(turn, kind="stable")]


# === the files of the package ===


def _stored(file):
    """The arrays of a file: photo_jpeg, photo_size, trimap_png, trimap_size, label,
    name.
    """
    try:
        return read_arrays(FOLDER / f"{file}.npz")
    except PatchConvNetError as error:
        raise _damaged(error) from error


def _decoded(stored, field, rows, mode):
    """Pictures out of one array of bytes: uint8 (N, 224, 224), or (..., 3) for RGB."""
    shape = (SIZE, SIZE, 3) if mode == "RGB" else (SIZE, SIZE)
    pictures = np.empty((len(rows), *shape), dtype="uint8")
    ends = np.cumsum(stored[field.replace("jpeg", "size").replace("png", "size")])
    try:
        for place, row in enumerate(rows):
            first = ends[row - 1] if row else 0
            content = io.BytesIO(stored[field][first : ends[row]].tobytes())
            with Image.open(content, formats=("JPEG", "PNG")) as picture:
                pictures[place] = picture.convert(mode)
    except Exception as error:  # a damaged file can raise anything
        raise _damaged(error) from error
    return pictures


def _damaged(error):
    return PatchConvNetError(
        f"the package's photographs cannot be read ({one_line(error)}): install"
        " patchconvnet again"
    )
