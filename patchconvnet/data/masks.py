"""Masks as people have them, as bool: True on the object.

black and white             in 8 or 16 bits: at least half of white is the object
0 and 1, or 0, 1, 2, 3...   numbered objects: all but 0 is the object
white on transparent        what is transparent is black
coloured, or a palette      each object in its own colour: the object is all that is
                            not black
"""

import numpy as np
from PIL import Image, ImageOps

from patchconvnet.data.png_notes import is_png, without_notes
from patchconvnet.errors import PatchConvNetError, one_line

NEARLY_BLACK = 32  # of 255
MOST_PIXELS = 150_000_000


def read_mask(file):
    """The object's pixels in a PNG file: bool (H, W).

    Raises:
        PatchConvNetError: no PNG, or a damaged one; greys that are neither black and
            white nor numbers of objects.
    """
    return _read(file, object_of)


def read_trimap(file):
    """The animal with its rim, in a PNG file of the whole Pet data set: bool (H, W).

    Raises:
        PatchConvNetError: no PNG, or a damaged one; other values than 1 (the animal), 2
            (background) and 3 (a rim that was not decided).
    """
    return _read(file, _animal_of)


def _read(file, meaning):
    try:
        with open(file, "rb") as content:
            if not is_png(content):
                raise PatchConvNetError("it is none")
        with open(file, "rb") as content:
            plain = without_notes(content, long_ones_only=False)
            with Image.open(plain, formats=("PNG",)) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise PatchConvNetError(f"it has more than {MOST_PIXELS:,} pixels")
                picture.load()
                return meaning(_values(ImageOps.exif_transpose(picture)))
    except Exception as error:  # a damaged file can raise anything
        raise PatchConvNetError(
            f"the mask {one_line(file)} cannot be read ({one_line(error)}): give a PNG"
        ) from error


def _values(picture):
    """What a picture of any mode holds: uint8, int or bool, (H, W) or (H, W, 3)."""
    if picture.mode in ("1", "L", "I", "F") or picture.mode.startswith("I;16"):
        return np.asarray(picture)
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA"):
        black = Image.new("RGBA", picture.size, "black")
        picture = Image.alpha_composite(black, picture.convert("RGBA"))
    return np.asarray(picture.convert("RGB"))  # (H, W, 3)


def _animal_of(values):
    if values.ndim != 2 or not np.isin(values, (1, 2, 3)).all():
        raise PatchConvNetError("its values are not 1, 2 and 3, as a trimap's are")
    return values != 2


def object_of(values):
    """The object's pixels, from the values of a mask.

    Args:
        values: bool, or whole numbers from 0, (H, W) or (H, W, 3).

    Returns:
        bool (H, W).

    Raises:
        PatchConvNetError: greys that are neither black and white nor numbers of
            objects.
    """
    if values.dtype == bool:
        return values
    if values.ndim == 3:
        # (H, W, 3) -> (H, W)
        greatest, least = values.max(axis=2).astype("int64"), values.min(axis=2)
        if (greatest - least).max(initial=0) > NEARLY_BLACK:
            return greatest > NEARLY_BLACK
        values = greatest
    if values.dtype.kind not in "iu" or values.min(initial=0) < 0:
        raise PatchConvNetError("its values are not whole numbers from 0")
    top = 255 if values.max(initial=0) < 256 else 65_535
    if values.max(initial=0) < top / 2:
        return values > 0
    white = values >= top / 2
    if (labels := _areas_of_one_value(values) & (values > 0) & ~white).any():
        raise PatchConvNetError(
            f"areas in it have the value {values[labels][0]}, and others"
            f" {values.max()}: make it black and white"
        )
    return white


def _areas_of_one_value(values):
    """The pixels whose eight neighbours have the same value, bool (H, W).

    A soft edge has none, a numbered object has.
    """
    padded = np.pad(values, 1, mode="edge")
    height, width = values.shape
    shifted = [
        padded[row : row + height, column : column + width]
        for row in range(3)
        for column in range(3)
    ]
    return np.all([neighbours == values for neighbours in shifted], axis=0)
