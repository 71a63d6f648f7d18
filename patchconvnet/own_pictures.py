"""Your own pictures as a data set: a folder with one subfolder for each class, or an `.npz` file.

    photos/cat/1.jpg, photos/dog/2.png                  split by us: 70% to train, 15% to validate, 15% to test
    photos/train/cat/1.jpg, photos/test/dog/2.png       split by you; what `val` is missing, is taken from `train`
    photos/masks/cat/1.png                              optional: white on the object, in the same places as the pictures

    pictures.npz     images uint8 (N, H, W, 3) or (N, H, W), labels (N,); optional: class_names (classes,), masks (N, H, W)
                     or x_train, y_train, x_test, y_test; optional: x_val, y_val, class_names, mask_train, mask_test...
"""

import hashlib
import warnings
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import written_aside

PARTS = ("train", "val", "test")
SHARE = 0.15  # of each class that is set apart to validate, and as much again to test
FEWEST = 4  # pictures of a class that we can split: two to train, one to validate, one to test
IGNORED = ("Thumbs.db", "desktop.ini")  # and hidden files: systems put them there
LAYOUT = "wanted a folder with one subfolder of pictures for each class, or an .npz file"


def read(path, size=32, seed=0):
    """Read pictures, labels and, where there are, masks, and split them.

    Each picture is cut to its central square and shrunk or enlarged to `size` pixels: what the network sees of it. Pictures
    of a class that are not split yet are split by a fixed random order.

    Args:
        path: the folder or the `.npz` file (see the top of this module).
        size: side of the pictures that are returned, in pixels.
        seed: of the split.

    Returns:
        A dict with the fields of a `data.Dataset`.

    Raises:
        PatchConvNetError: no such folder or file; fewer than two classes; a class with too few pictures; a file that is no
            picture, or is damaged; a picture without its mask; arrays that do not fit together.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        images, labels, masks, parts, names = _read_folder(place, size)
    elif place.is_file() and place.suffix == ".npz":
        images, labels, masks, parts, names = _read_npz(place, size)
    else:
        found = "is another kind of file" if place.exists() else "is not there"
        raise PatchConvNetError(f"{place} {found}: {LAYOUT}")
    parts = _split(parts, labels, names, seed, place)
    _check_strangers(images, parts)
    content = hashlib.sha256(images.tobytes() + labels.astype("uint16").tobytes()).hexdigest()[:8]
    fields = {"name": place.name.removesuffix(".npz"), "variant": f"{len(images):,} own pictures (sha256 {content})", "class_names": names}
    for number, part in enumerate(PARTS):
        chosen = parts == number
        fields |= {f"x_{part}": images[chosen], f"y_{part}": labels[chosen]}
        fields[f"mask_{part}"] = None if masks is None else masks[chosen]
    return fields


def class_names(path):
    """Names of the classes at `path`, a tuple of strings, without reading the pictures; errors as in `read`."""
    place = Path(path).expanduser()
    return tuple(_classes(place)) if place.is_dir() else read(place)["class_names"]


def write(dataset, path):
    """Write a `data.Dataset` as an `.npz` that `read` understands: smaller than the folder, and read faster.

    Raises:
        PatchConvNetError: if the name does not end in .npz, or it cannot be written.
    """
    if Path(path).suffix != ".npz":
        raise PatchConvNetError(f"{path}: the name of the file to write must end in .npz")
    fields = [f"{field}_{part}" for part in PARTS for field in ("x", "y", "mask")]
    arrays = {field: getattr(dataset, field) for field in fields if getattr(dataset, field) is not None}
    with written_aside(path) as aside:
        np.savez_compressed(aside, class_names=np.array(dataset.class_names), **arrays)


# === a folder ===


def _read_folder(place, size):
    names = _classes(place)
    files = [(file, part, names.index(folder.name)) for part, folder in _class_folders(place) for file in _files(folder)]
    if not files:
        raise PatchConvNetError(f"{place} holds no pictures: {LAYOUT}")
    np.random.RandomState(0).shuffle(files)  # else the first test pictures would all be of one class
    mask_of = lambda file: (place / "masks" / file.relative_to(place)).with_suffix(".png")
    # Not in threads: Pillow's warnings are switched off while it reads, and that is not safe in several at once.
    images = np.stack([_small(_open(file), size) for file, _, _ in files])
    masks = None
    if (place / "masks").is_dir():
        masks = np.stack([_small_mask(mask_of(file), file, size) for file, _, _ in files])
    parts, labels = (np.array(column, dtype="int64") for column in list(zip(*files))[1:])
    return images, labels, masks, parts, tuple(names)


def _folders(place):
    hidden = lambda path: path.name.startswith(".")
    return sorted(path for path in place.iterdir() if path.is_dir() and path.name != "masks" and not hidden(path))


def _class_folders(place):
    """Pairs of a part's number (-1: not split yet) and the folder of one class in it."""
    folders = _folders(place)
    if not {"train", "test"} <= {folder.name for folder in folders}:
        return [(-1, folder) for folder in folders]
    if strays := [folder.name for folder in folders if folder.name not in PARTS]:
        raise PatchConvNetError(f"{place} holds {strays[0]} beside train and test: split it all, or leave it to us")
    return [(PARTS.index(part.name), folder) for part in folders for folder in _folders(part)]


def _classes(place):
    names = sorted({folder.name for _, folder in _class_folders(place)})
    if len(names) < 2:
        raise PatchConvNetError(f"{place} has {len(names)} subfolders of pictures, and two classes are the least: {LAYOUT}")
    return names


def _files(folder):
    """The pictures of a class, in the order of their names; an error for what is none."""
    from patchconvnet.inference.reading import SUFFIXES

    files = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name not in IGNORED)
    for path in files:
        if path.is_dir() or path.suffix.lower() not in SUFFIXES:
            kind = "a folder inside a class" if path.is_dir() else "no picture by its name"
            raise PatchConvNetError(f"{path} is {kind}: move it out of the data set")
    return files


def _open(file):
    from patchconvnet.inference.reading import read_image  # the package `inference` needs Keras: only where it is used

    return Image.fromarray(read_image(file))


def _small(picture, size):
    """The central square of a picture, uint8 (size, size, 3)."""
    return np.asarray(_square(picture).resize((size, size), Image.Resampling.BICUBIC))


def _square(picture):
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _small_mask(file, picture, size):
    """A mask as bool (size, size): True where at least half of a pixel is white."""
    if not file.is_file():
        raise PatchConvNetError(f"{picture} has no mask: there is no {file}; give all masks, or remove the folder masks")
    mask, shape = _open(file).convert("L"), _open(picture).size
    if abs(mask.width * shape[1] - mask.height * shape[0]) > 0.02 * mask.width * shape[1]:
        raise PatchConvNetError(f"{file} is {mask.width} x {mask.height}, its picture {shape[0]} x {shape[1]}: masks cover all of it")
    return _shrunken_mask(mask, size)


def _shrunken_mask(mask, size):
    return np.asarray(_square(mask).resize((size, size), Image.Resampling.BOX)) >= 128


# === an .npz file ===


def _read_npz(place, size):
    try:
        with np.load(place, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise PatchConvNetError(f"{place} cannot be read as an .npz file ({error}): write it again") from error
    split = "x_train" in arrays
    fields = [(f"x_{part}", f"y_{part}", f"mask_{part}") for part in PARTS] if split else [("images", "labels", "masks")]
    needed = ("x_train", "y_train", "x_test", "y_test") if split else ("images", "labels")
    if missing := [name for name in needed if name not in arrays]:
        raise PatchConvNetError(f"{place} lacks {', '.join(missing)}: it holds {', '.join(arrays) or 'nothing'}")
    images, labels, masks, parts = [], [], [], []
    for number, (image_name, label_name, mask_name) in enumerate(fields):
        if image_name not in arrays:
            continue
        images.append(_checked_images(arrays[image_name], image_name, size, place))
        labels.append(_checked_labels(arrays.get(label_name), len(images[-1]), label_name, place))
        masks.append(_checked_masks(arrays.get(mask_name), arrays[image_name].shape[:3], mask_name, size, place))
        parts.append(np.full(len(images[-1]), number if split else -1))
    if any(mask is None for mask in masks) and any(mask is not None for mask in masks):
        raise PatchConvNetError(f"{place} has masks for some of its parts only: give all, or none")
    labels, masks = np.concatenate(labels), None if masks[0] is None else np.concatenate(masks)
    images, parts = np.concatenate(images), np.concatenate(parts)
    order = np.arange(len(images)) if split else np.random.RandomState(0).permutation(len(images))  # as in a folder
    return images[order], labels[order], None if masks is None else masks[order], parts[order], _names(arrays, labels, place)


def _checked_images(array, name, size, place):
    """uint8 (N, size, size, 3)."""
    fits = array.dtype == np.uint8 and (array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3))) and array.size
    if not fits:
        raise PatchConvNetError(
            f"{name} in {place} is {array.dtype} {array.shape}: wanted uint8 (N, H, W, 3) or (N, H, W), from 0 to 255"
        )
    grey = array.ndim == 3 or array.shape[3] == 1
    colour = np.repeat(array.reshape(*array.shape[:3], 1), 3, axis=3) if grey else array  # (N, H, W, 3)
    return np.stack([_small(Image.fromarray(image), size) for image in colour])


def _checked_labels(array, count, name, place):
    if array is None or array.dtype.kind not in "iu" or array.size != count or array.min(initial=0) < 0:
        found = "missing" if array is None else f"{array.dtype} {array.shape}"
        raise PatchConvNetError(f"{name} in {place} is {found}: wanted {count} whole numbers from 0")
    return array.reshape(-1).astype("int64")  # also (N, 1), as Keras has it


def _checked_masks(array, shape, name, size, place):
    if array is None:
        return None
    if array.shape != shape or array.dtype.kind not in "bu":
        raise PatchConvNetError(f"{name} in {place} is {array.dtype} {array.shape}: wanted bool or uint8 {shape}, as its pictures")
    white = (array > 0).astype("uint8") * 255
    return np.stack([_shrunken_mask(Image.fromarray(mask), size) for mask in white])


def _names(arrays, labels, place):
    classes = int(labels.max()) + 1
    names = arrays.get("class_names", np.array([f"class {label}" for label in range(classes)]))
    if names.dtype.kind != "U" or names.ndim != 1 or len(names) < classes or len(set(names.tolist())) < len(names):
        raise PatchConvNetError(f"class_names in {place} must be {classes} different strings, one for each label")
    if len(names) < 2:
        raise PatchConvNetError(f"{place} has a single class: two are the least")
    return tuple(names.tolist())


# === the split ===


def _split(parts, labels, names, seed, place):
    """The part of each picture: int (N,), 0 to train, 1 to validate, 2 to test."""
    undecided = bool((parts == -1).any())
    without_val = undecided or not (parts == 1).any()
    parts = np.maximum(parts, 0)
    dice = np.random.RandomState(seed)  # a generator that NumPy never changes
    for label, name in enumerate(names):
        own = np.flatnonzero((labels == label) & (parts == 0))
        fewest = FEWEST if undecided else 2
        if len(own) < fewest:
            raise PatchConvNetError(f"class {name!r} of {place} has {len(own)} pictures to train on: give at least {fewest}")
        apart = max(1, round(SHARE * len(own)))
        order = dice.permutation(own)
        if without_val:
            parts[order[:apart]] = 1
        if undecided:
            parts[order[apart : 2 * apart]] = 2
    return parts


def _check_strangers(images, parts):
    """Warn of test pictures that were trained on: a score on these says nothing."""
    digests = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in images])
    seen = set(digests[parts == 0])
    both = sum(digest in seen for digest in digests[parts == 2])
    if both:
        warnings.warn(f"{both} of the {np.sum(parts == 2)} test pictures are among the training pictures, too.", stacklevel=5)
