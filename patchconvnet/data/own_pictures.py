"""Your own pictures as a data set: a folder with one subfolder for each class, or an
`.npz` file.

photos/cat/1.jpg, photos/dog/2.png                  split by us: 70% to train, 15% to validate, 15% to test
photos/train/cat/1.jpg, photos/test/dog/2.png       split by you; what `val` is missing, is taken from `train`
photos/masks/cat/1.png                              optional: white on the object, in the same places (see `masks`)

pictures.npz     images uint8 (N, H, W, 3) or (N, H, W), labels (N,); optional: class_names (classes,), masks (N, H, W)
                 or x_train, y_train, x_test, y_test; optional: x_val, y_val,
                 class_names, mask_train, mask_test... (x_val without a picture: nothing
                 is taken from x_train to validate)
"""

import hashlib
import warnings

import numpy as np
from PIL import Image

from patchconvnet.data.masks import object_of, read_mask
from patchconvnet.data.reading import SUFFIXES, read_image
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import place as checked_place
from patchconvnet.files import read_arrays, write_arrays

PARTS = ("train", "val", "test")
SHARE = 0.15  # of each class that is set apart to validate, and as much again to test
# pictures of a class that we can split: two to train, one to validate, one to test
FEWEST = 4
# and hidden files: systems put them there
IGNORED = ("Thumbs.db", "desktop.ini", "Icon\r", "@eaDir", "__MACOSX")
LAYOUT = (
    "wanted a folder with one subfolder of pictures for each class, or an .npz file"
)


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
            that are all empty or all full; arrays that do not fit together.
    """
    place = checked_place(path)
    if place.is_dir():
        found = _read_folder(place, size)
    elif place.is_file() and place.suffix.lower() == ".npz":
        found = _read_npz(place, size)
    else:
        state = "is another kind of file" if place.exists() else "is not there"
        raise PatchConvNetError(f"{one_line(place)} {state}: {LAYOUT}")
    images, labels, masks, parts, has_val, names = found
    parts = _split(parts, has_val, labels, names, seed, place)
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
    for array in (
        labels.astype("uint16"),
        parts.astype("uint8"),
        np.zeros(0, bool) if masks is None else masks,
    ):
        content.update(np.ascontiguousarray(array))
    content.update("/".join(names).encode("utf-8", "surrogateescape"))
    return f"{len(images):,} own pictures (sha256 {content.hexdigest()[:8]})"


def class_names(path):
    """Names of the classes at `path`, a tuple of strings, without reading the pictures;
    errors as in `read`.
    """
    place = checked_place(path)
    return tuple(_classes(place)) if place.is_dir() else read(place)["class_names"]


def write(dataset, path):
    """Write a `data.Dataset` as an `.npz` that `read` understands: smaller than the
    folder, and read faster.

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


# === a folder ===


def _read_folder(place, size):
    names = _classes(place)
    files = [
        (file, part, names.index(folder.name))
        for part, folder in _class_folders(place)
        for file in _files(folder)
    ]
    if not files:
        raise PatchConvNetError(f"{one_line(place)} holds no pictures: {LAYOUT}")
    # else the first test pictures would all be of one class
    np.random.RandomState(0).shuffle(files)
    masked, images, masks = (place / "masks").is_dir(), [], []
    if masked:
        _check_mask_names([file for file, _, _ in files], place)
    # not in threads: Pillow's warnings are switched off while it reads, which is not
    # safe in several
    for file, _, _ in files:
        picture = _open(file)
        images.append(_small(picture, size))
        if masked:
            masks.append(_small_mask(_mask_of(file, place), file, picture.size, size))
    if masked:
        _check_saying_something(
            masks, size, place, f", as {one_line(_mask_of(files[0][0], place))}"
        )
    parts, labels = (
        np.array(column, dtype="int64") for column in list(zip(*files))[1:]
    )
    return (
        np.stack(images),
        labels,
        np.stack(masks) if masked else None,
        parts,
        1 in parts,
        tuple(names),
    )


def _entries(folder):
    """What is in a folder, in the order of the names: paths have another order on each
    system.
    """
    try:
        found = [
            path
            for path in folder.iterdir()
            if not path.name.startswith(".") and path.name not in IGNORED
        ]
    except OSError as error:
        raise PatchConvNetError(
            f"{one_line(folder)} cannot be read ({error.strerror}): choose another"
            " folder"
        ) from error
    return sorted(found, key=lambda path: path.name)


def _folders(place):
    """The folders in a folder; an error for a picture beside them, which would belong
    to no class.
    """
    entries = [path for path in _entries(place) if path.name != "masks"]
    if stray := [
        path
        for path in entries
        if not path.is_dir() and path.suffix.lower() in SUFFIXES
    ]:
        raise PatchConvNetError(
            f"{one_line(stray[0])} lies outside of the classes' folders: move it into"
            " one, or away"
        )
    return [path for path in entries if path.is_dir()]


def _class_folders(place):
    """Pairs of a part's number (-1: not split yet) and the folder of one class in it."""
    folders = {folder.name: folder for folder in _folders(place)}
    here = [part for part in PARTS if part in folders]
    inside = {
        name: [path.is_dir() for path in _entries(folder)]
        for name, folder in folders.items()
    }
    with_folders = [name for name, are_folders in inside.items() if any(are_folders)]
    if len(here) < 2 and len(with_folders) > 1:
        raise PatchConvNetError(
            f"{one_line(place)} holds folders of folders, as"
            f" {one_line(with_folders[0])}: name the parts train, val (optional) and"
            f" test; {LAYOUT}"
        )
    # a class may be named so: a train
    if len(here) < 2 or all(inside[part] and part not in with_folders for part in here):
        return [(-1, folder) for folder in folders.values()]
    missing = [part for part in ("train", "test") if part not in folders]
    strays = [name for name in folders if name not in PARTS]
    if missing or strays:
        wrong = f"no {missing[0]}" if missing else one_line(strays[0])
        raise PatchConvNetError(
            f"{one_line(place)} holds {wrong} beside {' and '.join(here)}: split it all"
            " into train, val (optional) and test, or leave it to us"
        )
    pairs = []
    for part in here:
        classes = [folder for folder in _folders(folders[part]) if _files(folder)]
        if not classes:
            raise PatchConvNetError(
                f"{one_line(folders[part])} holds no folder with pictures of a class:"
                f" {LAYOUT}, or remove it"
            )
        pairs += [(PARTS.index(part), folder) for folder in classes]
    return pairs


def _classes(place):
    names = sorted({folder.name for _, folder in _class_folders(place)})
    if len(names) < 2:
        raise PatchConvNetError(
            f"{one_line(place)} has {len(names)} subfolders of pictures, and two"
            f" classes are the least: {LAYOUT}"
        )
    return names


def _files(folder):
    """The pictures of a class, in the order of their names; an error for what is none."""
    files = _entries(folder)
    for path in files:
        if path.is_dir() or path.suffix.lower() not in SUFFIXES:
            kind = (
                "a folder inside a class" if path.is_dir() else "no picture by its name"
            )
            if path.suffix.lower() in (".heic", ".heif"):
                raise PatchConvNetError(
                    f"{one_line(path)} is a picture that cannot be read here: convert"
                    " it to JPEG"
                )
            raise PatchConvNetError(
                f"{one_line(path)} is {kind}: move it out of the data set"
            )
    return files


def _open(file):
    return Image.fromarray(read_image(file))


def _small(picture, size):
    """The central square of a picture, uint8 (size, size, 3)."""
    return np.asarray(_square(picture).resize((size, size), Image.Resampling.BICUBIC))


def _square(picture):
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _check_mask_names(files, place):
    """An error where masks cannot be told apart, or a class has the name of their
    folder.
    """
    flat = [path for path in _entries(place / "masks") if not path.is_dir()]
    if flat:
        raise PatchConvNetError(
            f"{one_line(flat[0])} lies in the folder for masks, which has a folder for"
            " each class, as masks/CLASS/1.png: move it, or give a class of this name"
            " another one"
        )
    seen = {}
    for file in files:
        if other := seen.get(_mask_of(file, place)):
            raise PatchConvNetError(
                f"{one_line(file)} and {one_line(other.name)} would have the same mask:"
                " give one of them another name"
            )
        seen[_mask_of(file, place)] = file


def _mask_of(file, place):
    return (place / "masks" / file.relative_to(place)).with_suffix(".png")


def _check_saying_something(masks, size, place, example=""):
    """An error for masks of which none has both object and background: they are meant
    in a way that we do not know.
    """
    if any(mask.any() and not mask.all() for mask in masks):
        return
    kinds = {bool(mask.any()) for mask in masks}
    kind = (
        "either empty or full"
        if len(kinds) == 2
        else "all full"
        if kinds == {True}
        else "all empty"
    )
    raise PatchConvNetError(
        f"the masks of {one_line(place)} are {kind} at {size} pixels{example}: wanted"
        " white on the object"
    )


def _small_mask(file, picture, shape, size):
    """A mask as bool (size, size): True where at least half of a pixel is the object's."""
    if not file.is_file():
        raise PatchConvNetError(
            f"{one_line(picture)} has no mask: there is no {one_line(file)}; give all"
            " masks, or remove the folder masks"
        )
    mask = read_mask(file)
    height, width = mask.shape
    if abs(width * shape[1] - height * shape[0]) > 0.02 * width * shape[1]:
        raise PatchConvNetError(
            f"{one_line(file)} is {width} x {height}, its picture {shape[0]} x"
            f" {shape[1]}: masks cover all of it"
        )
    return _shrunken_mask(mask, size)


def _shrunken_mask(mask, size):
    white = Image.fromarray(mask.astype("uint8") * 255)
    return np.asarray(_square(white).resize((size, size), Image.Resampling.BOX)) >= 128


# === an .npz file ===


def _read_npz(place, size):
    arrays = read_arrays(place)
    split = "x_train" in arrays
    fields = (
        [(f"x_{part}", f"y_{part}", f"mask_{part}") for part in PARTS]
        if split
        else [("images", "labels", "masks")]
    )
    needed = (
        ("x_train", "y_train", "x_test", "y_test") if split else ("images", "labels")
    )
    if missing := [name for name in needed if name not in arrays]:
        raise PatchConvNetError(
            f"{one_line(place)} lacks {', '.join(missing)}: it holds"
            f" {one_line(', '.join(arrays)) or 'nothing'}"
        )
    images, labels, masks, parts = [], [], [], []
    for number, (image_name, label_name, mask_name) in enumerate(fields):
        if image_name not in arrays:
            continue
        images.append(_checked_images(arrays[image_name], image_name, size, place))
        labels.append(
            _checked_labels(arrays.get(label_name), len(images[-1]), label_name, place)
        )
        masks.append(
            _checked_masks(
                arrays.get(mask_name),
                arrays[image_name].shape[:3],
                mask_name,
                size,
                place,
            )
        )
        parts.append(np.full(len(images[-1]), number if split else -1))
    if any(mask is None for mask in masks) and any(mask is not None for mask in masks):
        raise PatchConvNetError(
            f"{one_line(place)} has masks for some of its parts only: give all, or none"
        )
    labels, masks = (
        np.concatenate(labels),
        (None if masks[0] is None else np.concatenate(masks)),
    )
    images, parts = np.concatenate(images), np.concatenate(parts)
    # as in a folder
    order = (
        np.arange(len(images))
        if split
        else np.random.RandomState(0).permutation(len(images))
    )
    if masks is not None:
        _check_saying_something(masks, size, place)
    names, masks = (
        _names(arrays, labels, place),
        (None if masks is None else masks[order]),
    )
    return images[order], labels[order], masks, parts[order], "x_val" in arrays, names


def _checked_images(array, name, size, place):
    """uint8 (N, size, size, 3); N may be 0 for x_val alone."""
    fits = array.dtype == np.uint8 and (
        array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3))
    )
    if not fits or not (array.size or (name == "x_val" and len(array) == 0)):
        raise PatchConvNetError(
            f"{name} in {one_line(place)} is {array.dtype} {array.shape}: wanted uint8"
            " (N, H, W, 3) or (N, H, W), from 0 to 255"
        )
    grey = array.ndim == 3 or array.shape[3] == 1
    # (N, H, W, 3)
    colour = np.repeat(array.reshape(*array.shape[:3], 1), 3, axis=3) if grey else array
    small = [_small(Image.fromarray(image), size) for image in colour]
    return np.array(small, dtype="uint8").reshape(-1, size, size, 3)


def _checked_labels(array, count, name, place):
    if (
        array is None
        or array.dtype.kind not in "iu"
        or array.size != count
        or array.min(initial=0) < 0
    ):
        found = "missing" if array is None else f"{array.dtype} {array.shape}"
        raise PatchConvNetError(
            f"{name} in {one_line(place)} is {found}: wanted {count} whole numbers"
            " from 0"
        )
    if array.max(initial=0) >= 2**16:
        raise PatchConvNetError(
            f"{name} in {one_line(place)} go up to {array.max():,}: number the classes"
            " 0, 1, 2... and name them in class_names"
        )
    return array.reshape(-1).astype("int64")  # also (N, 1), as Keras has it


def _checked_masks(array, shape, name, size, place):
    if array is None:
        return None
    # (N, H, W, 1) -> (N, H, W)
    array = array[..., 0] if array.shape == (*shape, 1) else array
    if array.dtype.kind == "f" and np.array_equal(array, np.rint(array)):
        array = array.astype("int64")  # 0.0 and 1.0
    if array.shape != shape or array.dtype.kind not in "bui":
        raise PatchConvNetError(
            f"{name} in {one_line(place)} is {array.dtype} {array.shape}: wanted bool"
            f" or uint8 {shape}, as its pictures"
        )
    try:
        small = [_shrunken_mask(object_of(mask), size) for mask in array]
    except PatchConvNetError as error:
        raise PatchConvNetError(
            f"{name} in {one_line(place)} cannot be read as masks: {error}"
        ) from error
    return np.array(small, dtype=bool).reshape(-1, size, size)


def _names(arrays, labels, place):
    classes = int(labels.max()) + 1
    names = arrays.get(
        "class_names", np.array([f"class {label}" for label in range(classes)])
    )
    if (
        names.dtype.kind != "U"
        or names.ndim != 1
        or len(names) < classes
        or len(set(names.tolist())) < len(names)
    ):
        raise PatchConvNetError(
            f"class_names in {one_line(place)} must be {classes} different strings, one"
            " for each label"
        )
    if len(names) < 2:
        raise PatchConvNetError(
            f"{one_line(place)} has a single class: two are the least"
        )
    return tuple(names.tolist())


# === the split ===


def _split(parts, has_val, labels, names, seed, place):
    """The part of each picture: int (N,), 0 to train, 1 to validate, 2 to test."""
    undecided = bool((parts == -1).any())
    parts = np.maximum(parts, 0)
    dice = np.random.RandomState(seed)  # a generator that NumPy never changes
    for label, name in enumerate(names):
        own = np.flatnonzero((labels == label) & (parts == 0))
        fewest = FEWEST if undecided else 2
        if len(own) < fewest:
            raise PatchConvNetError(
                f"class {name!r} of {one_line(place)} has {len(own)} pictures to train"
                f" on: give at least {fewest}"
            )
        apart = max(1, round(SHARE * len(own)))
        order = dice.permutation(own)
        if not has_val:
            parts[order[:apart]] = 1
        if undecided:
            parts[order[apart : 2 * apart]] = 2
    return parts


def _check_strangers(images, parts):
    """Warn of test pictures that were trained on: a score on these says nothing."""
    digests = np.array(
        [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    )
    seen = set(digests[parts == 0])
    both = sum(digest in seen for digest in digests[parts == 2])
    if both:
        warnings.warn(
            f"{both} of the {np.sum(parts == 2)} test pictures are among the training"
            " pictures, too.",
            stacklevel=5,
        )
