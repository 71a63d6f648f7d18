"""The whole Oxford-IIIT Pet data set from a local copy: 37 breeds, 7,349 photographs.

A folder as its two archives unpack, and as torchvision's `OxfordIIITPet` leaves it, is
recognised by `images` and `annotations/trimaps`:

    oxford-iiit-pet/images/Abyssinian_1.jpg
    oxford-iiit-pet/annotations/trimaps/Abyssinian_1.png    1 animal, 2 not, 3 rim
    oxford-iiit-pet/annotations/trainval.txt, test.txt      Abyssinian_1 1 1 1

So `load_dataset("data/oxford-iiit-pet", size=224)` has the official test part, and
takes its validation pictures from `trainval`. Masks are the animal with its rim, as of
`pets`, which is a part of it. At 224 pixels it takes 1.5 GB of memory, and twice that
while it is split.

O. M. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar, "Cats and Dogs", CVPR 2012,
https://www.robots.ox.ac.uk/~vgg/data/pets/ (CC BY-SA 4.0).
"""

import re

import numpy as np
from PIL import Image

from patchconvnet.data.masks import read_trimap
from patchconvnet.data.own_common import (
    PARTS,
    Found,
    check_covering,
    check_saying_something,
    small_mask,
    small_picture,
)
from patchconvnet.data.reading import read_image
from patchconvnet.errors import PatchConvNetError, one_line

LISTS = {"train": "trainval.txt", "test": "test.txt"}
NAME = re.compile(r"(?P<breed>\w+)_\d+")  # no separator: it stays in its folder
COMPLETE = "unpack images.tar.gz and annotations.tar.gz into one folder again"


def is_here(place):
    """Whether a folder looks so; its lists may be missing all the same."""
    return (place / "images").is_dir() and (place / "annotations/trimaps").is_dir()


def classes(place):
    """The breeds in the lists of a folder, sorted: a tuple, "American bulldog"."""
    return _breeds([name for name, _ in _listed(place)], place)


def read(place, size):
    """What lies in a folder: a `Found`; errors as in `own_pictures.read`."""
    listed = _listed(place)
    # else the first test pictures would all be of one breed
    np.random.RandomState(0).shuffle(listed)
    breeds = _breeds([name for name, _ in listed], place)
    # filled one by one: a list of them and its array would take the memory twice
    images = np.empty((len(listed), size, size, 3), dtype="uint8")
    masks = np.empty((len(listed), size, size), dtype=bool)
    for row, (name, _) in enumerate(listed):
        images[row], masks[row] = _pair(name, place, size)
    check_saying_something(masks, size, place)
    return Found(
        images,
        np.array([breeds.index(_breed(name)) for name, _ in listed], dtype="int64"),
        masks,
        np.array([PARTS.index(part) for _, part in listed], dtype="int64"),
        False,
        breeds,
    )


def _listed(place):
    """Pairs of a photograph's name and its part, "train" or "test", as listed."""
    found = {}
    for part, file in LISTS.items():
        for line in _lines(place / "annotations" / file):
            name = line.split()[0]
            if not NAME.fullmatch(name) or name in found:
                state = "twice" if name in found else "no name such as Abyssinian_1"
                raise PatchConvNetError(
                    f"{one_line(place / 'annotations' / file)} has {one_line(name)},"
                    f" {state}: {COMPLETE}"
                )
            found[name] = part
    return list(found.items())


def _lines(file):
    """The lines of a list that say something; at least one."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no UTF-8"
        raise PatchConvNetError(
            f"{one_line(file)} cannot be read ({reason}): {COMPLETE}"
        ) from error
    lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
    if not lines:
        raise PatchConvNetError(f"{one_line(file)} lists no picture: {COMPLETE}")
    return lines


def _breed(name):
    breed = NAME.fullmatch(name)["breed"].replace("_", " ")
    return breed[0].upper() + breed[1:]


def _breeds(names, place):
    breeds = tuple(sorted({_breed(name) for name in names}))
    if len(breeds) < 2:
        raise PatchConvNetError(
            f"{one_line(place)} lists a single breed, {breeds[0]}: two are the least"
        )
    return breeds


def _pair(name, place, size):
    """A photograph and its mask, small: uint8 (size, size, 3), bool (size, size)."""
    photograph = place / "images" / f"{name}.jpg"
    trimap = place / "annotations" / "trimaps" / f"{name}.png"
    for file in (photograph, trimap):
        if not file.is_file():
            raise PatchConvNetError(
                f"{name} is listed, but there is no {one_line(file)}: {COMPLETE}"
            )
    picture = Image.fromarray(read_image(photograph))
    mask = read_trimap(trimap)
    check_covering(mask, trimap, picture.size)
    return small_picture(picture, size), small_mask(mask, size)
