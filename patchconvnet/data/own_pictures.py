"""Your own pictures as a data set: a folder, or an `.npz` file.

A folder has one subfolder for each class, and may have masks, white on the object, in
the same places (see `masks`):

    photos/cat/1.jpg, photos/dog/2.png             split by us: 70% to train, 15% to
                                                   validate, 15% to test
    photos/train/cat/1.jpg, photos/test/dog/2.png  split by you: what `val` is missing,
                                                   is taken from `train`
    photos/masks/cat/1.png                         a mask

A folder may also be the whole Oxford-IIIT Pet data set, as it comes: see `own_pets`.

A file has arrays:

    images, labels           uint8 (N, H, W, 3) or (N, H, W); whole numbers (N,)
    masks, class_names       optional: (N, H, W); (classes,)

or, split by you:

    x_train, y_train, x_test, y_test
    x_val, y_val             optional: what is missing, is taken from `x_train`; without
                             a picture in them, nothing is
    mask_train, mask_val, mask_test, class_names      optional
"""

import hashlib
import warnings

import numpy as np

from patchconvnet.data import own_arrays, own_folder, own_pets
from patchconvnet.data.own_common import LAYOUT, PARTS
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import place as checked_place
from patchconvnet.files import write_arrays

SHARE = 0.15  # of each class that is set apart to validate, and as much again to test
# pictures of a class that we can split: two to train, one to validate, one to test
FEWEST = 4


def read(path, size=32, seed=0):
    """Read pictures, labels and, where there are, masks, and split them.

    Each picture is cut to its central square and shrunk or enlarged to `size` pixels:
    what the network sees of it. Pictures of a class that are not split yet are split by
    a fixed random order of their names.

    Args:
        path: the folder or the `.npz` file (see the top of this module).
        size: side of the pictures that are returned, in pixels.
        seed: of the split.

    Returns:
        A dict with the fields of a `data.Dataset`. Its variant is a hash of all that is
        returned: pictures, labels, masks, names of the classes, and the split.

    Raises:
        PatchConvNetError: no such folder or file; fewer than two classes; a class with
            too few pictures; a part without any; a picture outside of the classes; a
            file that is no picture, or is damaged; a picture without its mask; masks
            that are all empty or all full; arrays that do not fit together; a part of
            the Pet data set that is not there.
    """
    place = checked_place(path)
    if own_pets.is_here(place):
        found = own_pets.read(place, size)
    elif place.is_dir():
        found = own_folder.read(place, size)
    elif place.is_file() and place.suffix.lower() == ".npz":
        found = own_arrays.read(place, size)
    else:
        state = "is another kind of file" if place.exists() else "is not there"
        raise PatchConvNetError(f"{one_line(place)} {state}: {LAYOUT}")
    images, labels, masks, _, _, names = found
    parts = _split(found, seed, place)
    _check_strangers(images, parts)
    fields = {
        "name": place.name if place.is_dir() else place.stem,
        "variant": _variant(images, labels, masks, parts, names),
        "class_names": names,
    }
    for number, part in enumerate(PARTS):
        chosen = parts == number
        fields |= {f"x_{part}": images[chosen], f"y_{part}": labels[chosen]}
        fields[f"mask_{part}"] = None if masks is None else masks[chosen]
    return fields


def _variant(images, labels, masks, parts, names):
    content = hashlib.sha256(images)
    content.update(labels.astype("uint16"))
    content.update(parts.astype("uint8"))
    if masks is not None:
        content.update(np.ascontiguousarray(masks))
    content.update("/".join(names).encode("utf-8", "surrogateescape"))
    return f"{len(images):,} own pictures (sha256 {content.hexdigest()[:8]})"


def class_names(path):
    """Names of the classes at `path`: a tuple of strings; errors as in `read`.

    The pictures of a folder are not read for it.
    """
    place = checked_place(path)
    if own_pets.is_here(place):
        return own_pets.classes(place)
    if place.is_dir():
        return tuple(own_folder.classes(place))
    return read(place)["class_names"]


def write(dataset, path):
    """Write a `data.Dataset` as an `.npz` that `read` understands.

    It is smaller than the folder, and read faster.

    Raises:
        PatchConvNetError: if the name does not end in .npz, there are no pictures to
            train on or to test with, or it cannot be written.
    """
    if checked_place(path).suffix.lower() != ".npz":
        raise PatchConvNetError(
            f"{one_line(path)}: the name of the file to write must end in .npz"
        )
    for part in ("train", "test"):
        if not len(getattr(dataset, f"x_{part}")):
            raise PatchConvNetError(
                f"{dataset!r} has no pictures in its part {part}: such data cannot be"
                " read again"
            )
    fields = [f"{field}_{part}" for part in PARTS for field in ("x", "y", "mask")]
    arrays = {
        field: getattr(dataset, field)
        for field in fields
        if getattr(dataset, field) is not None
    }
    write_arrays(path, {"class_names": np.array(dataset.class_names), **arrays})


def _split(found, seed, place):
    """The part of each picture: int (N,), 0 to train, 1 to validate, 2 to test."""
    undecided = bool((found.parts == -1).any())
    parts = np.maximum(found.parts, 0)
    dice = np.random.RandomState(seed)  # a generator that NumPy never changes
    for label, name in enumerate(found.class_names):
        own = np.flatnonzero((found.labels == label) & (parts == 0))
        fewest = FEWEST if undecided else 2
        if len(own) < fewest:
            raise PatchConvNetError(
                f"class {name!r} of {one_line(place)} has {len(own)} pictures to train"
                f" on: give at least {fewest}"
            )
        apart = max(1, round(SHARE * len(own)))
        order = dice.permutation(own)
        if not found.has_val:
            parts[order[:apart]] = 1
        if undecided:
            parts[order[apart : 2 * apart]] = 2
    return parts


def _check_strangers(images, parts):
    """Warn of test pictures that were trained on: a score on these says nothing."""
    digests = np.array([hashlib.sha256(image).hexdigest() for image in images])
    seen = set(digests[parts == 0])
    tested = digests[parts == 2]
    if both := sum(digest in seen for digest in tested):
        warnings.warn(
            f"{both} of the {len(tested)} test pictures are among the training"
            " pictures, too.",
            stacklevel=5,
        )
