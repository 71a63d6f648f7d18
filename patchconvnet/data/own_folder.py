"""Your own pictures in a folder: which classes, pictures and masks lie in it."""

import numpy as np
from PIL import Image

from patchconvnet.data.masks import read_mask
from patchconvnet.data.own_common import (
    LAYOUT,
    PARTS,
    Found,
    check_covering,
    check_saying_something,
    small_mask,
    small_picture,
)
from patchconvnet.data.reading import SUFFIXES, read_image
from patchconvnet.errors import PatchConvNetError, one_line

# and hidden files: systems put them there
IGNORED = ("Thumbs.db", "desktop.ini", "Icon\r", "@eaDir", "__MACOSX")


def read(place, size):
    """What lies in a folder: a `Found`; errors as in `own_pictures.read`."""
    names = classes(place)
    files = [
        (file, part, names.index(folder.name))
        for part, folder in _class_folders(place)
        for file in _files(folder)
    ]
    if not files:
        raise PatchConvNetError(f"{one_line(place)} holds no pictures: {LAYOUT}")
    # else the first test pictures would all be of one class
    np.random.RandomState(0).shuffle(files)
    files, parts, labels = zip(*files)
    masked, images, masks = (place / "masks").is_dir(), [], []
    if masked:
        _check_mask_names(files, place)
    # Not in threads: Pillow's warnings are switched off while it reads, which is not
    # safe in several.
    for file in files:
        picture = Image.fromarray(read_image(file))
        images.append(small_picture(picture, size))
        if masked:
            masks.append(_read_mask(_mask_of(file, place), file, picture.size, size))
    if masked:
        example = f", as {one_line(_mask_of(files[0], place))}"
        check_saying_something(masks, size, place, example)
    return Found(
        np.stack(images),
        np.array(labels, dtype="int64"),
        np.stack(masks) if masked else None,
        np.array(parts, dtype="int64"),
        PARTS.index("val") in parts,
        tuple(names),
    )


# === classes ===


def classes(place):
    """The names of the classes in a folder, sorted: a list of strings."""
    names = sorted({folder.name for _, folder in _class_folders(place)})
    if len(names) < 2:
        raise PatchConvNetError(
            f"{one_line(place)} has {len(names)} subfolders of pictures, and two"
            f" classes are the least: {LAYOUT}"
        )
    return names


def _class_folders(place):
    """Pairs of a part's number (-1: not split yet) and the folder of a class in it."""
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
        filled = [folder for folder in _folders(folders[part]) if _files(folder)]
        if not filled:
            raise PatchConvNetError(
                f"{one_line(folders[part])} holds no folder with pictures of a class:"
                f" {LAYOUT}, or remove it"
            )
        pairs += [(PARTS.index(part), folder) for folder in filled]
    return pairs


def _folders(place):
    """The folders in a folder; an error for a picture beside them, of no class."""
    entries = [path for path in _entries(place) if path.name != "masks"]
    for path in entries:
        if path.suffix.lower() in SUFFIXES and not path.is_dir():
            raise PatchConvNetError(
                f"{one_line(path)} lies outside of the classes' folders: move it into"
                " one, or away"
            )
    return [path for path in entries if path.is_dir()]


def _files(folder):
    """The pictures of a class, by name; an error for what is none."""
    files = _entries(folder)
    for path in files:
        suffix, is_folder = path.suffix.lower(), path.is_dir()
        if suffix in SUFFIXES and not is_folder:
            continue
        if suffix in (".heic", ".heif"):
            raise PatchConvNetError(
                f"{one_line(path)} is a picture that cannot be read here: convert it to"
                " JPEG"
            )
        kind = "a folder inside a class" if is_folder else "no picture by its name"
        raise PatchConvNetError(
            f"{one_line(path)} is {kind}: move it out of the data set"
        )
    return files


def _entries(folder):
    """What is in a folder, by name: paths have another order on each system."""
    try:
        found = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise PatchConvNetError(
            f"{one_line(folder)} cannot be read ({error.strerror}): choose another"
            " folder"
        ) from error
    return [
        path
        for path in found
        if not path.name.startswith(".") and path.name not in IGNORED
    ]


# === masks ===


def _check_mask_names(files, place):
    """An error where masks cannot be told apart, or a class is called "masks"."""
    flat = [path for path in _entries(place / "masks") if not path.is_dir()]
    if flat:
        raise PatchConvNetError(
            f"{one_line(flat[0])} lies in the folder for masks, which has a folder for"
            " each class, as masks/CLASS/1.png: move it, or give a class of this name"
            " another one"
        )
    seen = {}
    for file in files:
        mask = _mask_of(file, place)
        if other := seen.get(mask):
            raise PatchConvNetError(
                f"{one_line(file)} and {one_line(other.name)} would have the same mask:"
                " give one of them another name"
            )
        seen[mask] = file


def _mask_of(file, place):
    return (place / "masks" / file.relative_to(place)).with_suffix(".png")


def _read_mask(file, picture, shape, size):
    """The mask in a file, made small; `shape` is its picture's width and height."""
    if not file.is_file():
        raise PatchConvNetError(
            f"{one_line(picture)} has no mask: there is no {one_line(file)}; give all"
            " masks, or remove the folder masks"
        )
    mask = read_mask(file)
    check_covering(mask, file, shape)
    return small_mask(mask, size)
