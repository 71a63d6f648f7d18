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
from patchconvnet.errors import PatchConvNetError, listing, one_line

# and hidden files: systems put them there
IGNORED = ("Thumbs.db", "desktop.ini", "Icon\r", "@eaDir", "__MACOSX")
MOST_NAMED = 50  # of the files that cannot be used, in one message


def read(place, size):
    """What lies in a folder: a `Found`; errors as in `own_pictures.read`."""
    pairs = _class_folders(place)
    problems = _strays(place, pairs)
    names = _names(place, pairs, problems)
    files = []
    for part, folder in pairs:
        for file in _entries(folder):
            if problem := _problem(file):
                problems.append(problem)
            else:
                files.append((file, part, names.index(folder.name)))
    if not files and not problems:
        raise PatchConvNetError(f"{one_line(place)} holds no pictures: {LAYOUT}")
    if not files:
        raise _unusable(place, problems)
    # else the first test pictures would all be of one class
    np.random.RandomState(0).shuffle(files)
    files, parts, labels = zip(*files)
    masked, images, masks = (place / "masks").is_dir(), [], []
    if masked:
        _check_mask_names(files, place)
    # Not in threads: Pillow's warnings are switched off while it reads, which is not
    # safe in several.
    for file in files:
        try:
            picture = Image.fromarray(read_image(file))
            images.append(small_picture(picture, size))
            if masked:
                mask = _mask_of(file, place)
                masks.append(_read_mask(mask, file, picture.size, size))
        except PatchConvNetError as error:
            problems.append(one_line(error))
    if problems:
        raise _unusable(place, problems)
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
    pairs = _class_folders(place)
    problems = _strays(place, pairs)
    names = _names(place, pairs, problems)
    if problems:
        raise _unusable(place, problems)
    return names


def _names(place, pairs, problems):
    names = sorted({folder.name for _, folder in pairs})
    if len(names) < 2:
        if problems:
            raise _unusable(place, problems)
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
        filled = [folder for folder in _folders(folders[part]) if _entries(folder)]
        if not filled and (problems := _strays(folders[part], [])):
            raise _unusable(place, problems)
        if not filled:
            raise PatchConvNetError(
                f"{one_line(folders[part])} holds no folder with pictures of a class:"
                f" {LAYOUT}, or remove it"
            )
        pairs += [(PARTS.index(part), folder) for folder in filled]
    return pairs


def _folders(place):
    entries = [path for path in _entries(place) if path.name != "masks"]
    return [path for path in entries if path.is_dir()]


def _strays(place, pairs):
    """What is to be done with each picture beside the folders, which has no class."""
    above = {place, *(folder.parent for _, folder in pairs)}
    return [
        f"{one_line(path)} lies outside of the classes' folders: move it into one, or"
        " away"
        for folder in sorted(above)
        for path in _entries(folder)
        if path.suffix.lower() in SUFFIXES and not path.is_dir()
    ]


def _problem(path):
    """Why what lies in the folder of a class is no picture by its name, or ""."""
    suffix, is_folder = path.suffix.lower(), path.is_dir()
    if suffix in SUFFIXES and not is_folder:
        return ""
    if suffix in (".heic", ".heif"):
        wrong = "is a picture that cannot be read here: convert it to JPEG"
        return f"{one_line(path)} {wrong}"
    kind = "a folder inside a class" if is_folder else "no picture by its name"
    return f"{one_line(path)} is {kind}: move it out of the data set"


def _unusable(place, problems):
    """The error about files that cannot be used: all of them at once."""
    if len(problems) == 1:
        return PatchConvNetError(problems[0])
    more = len(problems) - MOST_NAMED
    named = problems[:MOST_NAMED] + [f"and {more} more"] * (more > 0)
    what = f"{len(problems)} files that cannot be used: mend them, or move them away"
    return listing(f"{one_line(place)} has {what}", named)


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
