"""What own pictures become, from a folder or a file: small squares, in parts."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from patchconvnet.errors import PatchConvNetError, one_line

PARTS = ("train", "val", "test")
LAYOUT = (
    "wanted a folder with one subfolder of pictures for each class, or an .npz file"
)


class Found(NamedTuple):
    """All that was read, in the order in which it stays."""

    images: np.ndarray  # uint8 (N, size, size, 3)
    labels: np.ndarray  # int64 (N,)
    masks: np.ndarray | None  # bool (N, size, size)
    parts: np.ndarray  # int (N,), indices into PARTS; -1: not split yet
    has_val: bool  # then nothing is taken from the training pictures to validate
    class_names: tuple


def small_picture(picture, size):
    """The central square of a Pillow image, uint8 (size, size, 3)."""
    return np.asarray(_square(picture).resize((size, size), Image.Resampling.BICUBIC))


def small_mask(mask, size):
    """The same of a mask, bool (H, W): where at least half of a pixel is object."""
    white = Image.fromarray(mask.astype("uint8") * 255)
    return np.asarray(_square(white).resize((size, size), Image.Resampling.BOX)) >= 128


def _square(picture):
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def check_covering(mask, file, shape):
    """An error for a mask, bool (H, W), that is not as its picture (width, height)."""
    height, width = mask.shape
    if abs(width * shape[1] - height * shape[0]) > 0.02 * width * shape[1]:
        raise PatchConvNetError(
            f"{one_line(file)} is {width} x {height}, its picture {shape[0]} x"
            f" {shape[1]}: masks cover all of it"
        )


def check_saying_something(masks, size, place, example=""):
    """An error for masks of which none has both object and background.

    They are meant in a way that we do not know.
    """
    if any(mask.any() and not mask.all() for mask in masks):
        return
    kinds = {"full" if mask.any() else "empty" for mask in masks}
    kind = "either empty or full" if len(kinds) == 2 else f"all {kinds.pop()}"
    raise PatchConvNetError(
        f"the masks of {one_line(place)} are {kind} at {size} pixels{example}: wanted"
        " white on the object"
    )
