"""From a file, an address, bytes or an array to RGB, in bounded memory."""

import functools
import http.client
import io
import os
import re
import urllib.error
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from patchconvnet.data.png_notes import is_png, without_notes
from patchconvnet.data.web import TooSlow, address_of, asked, require_network
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import existing_file, place

# pixels of a picture as it is returned: 1,024 x 1,024, or 4,096 x 256
LARGEST_AREA = 1 << 20
# pixels of a picture as it is decoded: 12,000 x 12,000 and a little more
LARGEST_SOURCE = 150_000_000
COSTLY = ("WEBP", "AVIF")  # their decoders take 16 bytes a pixel, others at most 6
LARGEST_DOWNLOAD = 50_000_000  # bytes
SILENCE = 10.0  # seconds without a byte after which an address is given up
PATIENCE = 60.0  # seconds that a download may take
BLOCK = 1 << 16
STRIP = 1 << 20  # pixels that are converted at a time
TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")  # Pillow's modes

ADDRESS = re.compile(r"https?://", re.IGNORECASE)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
SUFFIXES = frozenset(
    ".avif .bmp .gif .jfif .jpeg .jpg .jp2 .png .ppm .pgm .tga .tif .tiff .webp".split()
)
ORIENTATION = 0x0112  # the EXIF tag
HIGH_BYTE = 256  # of 16-bit grey, as Pillow takes it of colours, and browsers of both


def read_image(source):
    """Read a picture as red, green and blue.

    A turned photograph (EXIF) is set upright, transparency becomes white, and an
    animation gives its first picture. Of 16 bits the upper 8 are taken. Floats and
    32-bit integers of a TIFF tell no range: values up to 1 (floats only), up to 255 and
    up to 65,535 are taken for 0..1, 0..255 and 0..65,535, and others are scaled by the
    greatest. Texts and colour profiles in a PNG file are not used, however long.

    Args:
        source: a PNG, JPEG, WebP, GIF, BMP, TIFF, TGA or PPM file, AVIF or JPEG 2000
            where Pillow can, as a path; an http or https address of one, as a string;
            the bytes of one; or an array, uint8 or any numbers in 0..255, (H, W) or (H,
            W, C) with 1 to 4 channels: grey, grey and alpha, RGB, RGB and alpha.

    Returns:
        uint8 (H, W, 3). A picture of more than about a million pixels is shrunk to
        that, and keeps its aspect. Reading takes less than 0.9 GB of memory (measured:
        a progressive JPEG of 12,000 x 12,000 pixels; a PNG takes 0.6 GB).

    Raises:
        PatchConvNetError: no such file; not a picture, or a damaged one; more than 150
            million pixels, or 37 million in WebP or AVIF; a TIFF with values below
            zero, infinite ones or ones that are no numbers; an address that is none,
            cannot be reached, leads to another than http or https, answers with an
            error, sends more than 50 MB, or takes more than a minute; an array of
            another shape, or with values outside 0..255.
    """
    if isinstance(source, np.ndarray):
        return np.asarray(_small_and_upright(_from_array(source)))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(io.BytesIO(source), "what the bytes hold")
    if isinstance(source, str) and ADDRESS.match(source):
        return _decode(io.BytesIO(_download(source)), one_line(source))
    if not isinstance(source, (str, os.PathLike)):
        kinds = "a path, an address, bytes or a NumPy array"
        raise PatchConvNetError(
            f"a picture of type {type(source).__name__}: give {kinds}"
        )
    if isinstance(source, str) and SCHEME.match(source):
        raise PatchConvNetError(
            f"{one_line(source)} is an address of another kind: give one that begins"
            " with http:// or https://"
        )
    path = existing_file(source, "a picture file")
    with _opened(path) as file:
        return _decode(file, one_line(path))


def _opened(path):
    try:
        return open(path, "rb")
    except OSError as error:
        raise PatchConvNetError(
            f"{one_line(path)} cannot be read ({error.strerror}): give another picture"
            " file"
        ) from error


# === arrays ===


def _from_array(array):
    wanted = "(H, W) or (H, W, C) with 1 to 4 channels and values from 0 to 255"
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]  # (H, W, 1) -> (H, W)
    if (
        array.ndim not in (2, 3)
        or 0 in array.shape
        or (array.ndim == 3 and array.shape[2] > 4)
    ):
        raise PatchConvNetError(f"an array of shape {array.shape}; wanted {wanted}")
    if array.dtype != np.uint8:
        array = _to_bytes(array, wanted)
    # two channels are grey and alpha to Pillow, four RGB and alpha
    return Image.fromarray(np.ascontiguousarray(array))


def _to_bytes(array, wanted):
    if array.dtype.kind not in "iuf":
        raise PatchConvNetError(f"an array of {array.dtype}; wanted {wanted}")
    low, high = array.min(), array.max()
    if not (0 <= low and high <= 255):  # not a number fails here, too
        raise PatchConvNetError(
            f"an array with values from {low:g} to {high:g}; wanted {wanted}"
        )
    if array.dtype.kind == "f" and 0 < high <= 1:
        raise PatchConvNetError(
            f"an array with values from {low:g} to {high:g} looks like 0..1; multiply"
            " by 255"
        )
    return np.rint(array).astype("uint8")


# === files and bytes ===


def _decode(file, name):
    """A picture, from an open file, as uint8 (H, W, 3)."""
    try:
        with warnings.catch_warnings():
            # Pillow's, on odd files: what matters becomes an error below
            warnings.simplefilter("ignore")
            return _png(file) if is_png(file) else _pixels(file)
    except PatchConvNetError as error:
        raise PatchConvNetError(f"{name} {error}") from error
    except UnidentifiedImageError as error:
        hint = (
            "the address of the picture file itself, not of a page around it"
            if ADDRESS.match(name)
            else ("a PNG, JPEG or another picture file")
        )
        raise PatchConvNetError(f"{name} is not a picture: give {hint}") from error
    except Image.DecompressionBombError as error:
        limits = (
            f"at most {LARGEST_SOURCE / 1e6:.0f} million, a quarter of it in WebP or"
            " AVIF"
        )
        raise PatchConvNetError(
            f"{name} has too many pixels ({limits}): shrink it first"
        ) from error
    except Exception as error:  # a damaged file can raise anything
        reason = one_line(error)[:200]
        raise PatchConvNetError(
            f"{name} cannot be read as a picture ({reason}): is it damaged or cut"
            " short?"
        ) from error


def _png(file):
    try:
        return _pixels(without_notes(file, long_ones_only=True))
    except ValueError:  # Pillow's limits for texts and colour profiles
        return _pixels(without_notes(file, long_ones_only=False))


def _pixels(file):
    with Image.open(file, formats=_formats()) as picture:
        if picture.width * picture.height > LARGEST_SOURCE // (
            4 if picture.format in COSTLY else 1
        ):
            raise Image.DecompressionBombError
        if picture.format in ("JPEG", "MPO"):
            # decodes a large one at a fraction of its size
            picture.draft("RGB", _bounded(picture.size))
        picture.load()
        return np.asarray(_small_and_upright(picture))


@functools.cache
def _formats():
    """The formats behind `SUFFIXES` that this Pillow knows.

    It knows others that start another program on the file.
    """
    known = Image.registered_extensions()
    return sorted(
        {known[suffix] for suffix in SUFFIXES & known.keys()} & Image.OPEN.keys()
    )


def _bounded(size):
    """The size (width, height) at which a picture is returned."""
    shrink = min(1.0, (LARGEST_AREA / (size[0] * size[1])) ** 0.5)
    return tuple(max(1, round(side * shrink)) for side in size)


def _small_and_upright(picture):
    """An RGB picture of bounded size.

    Whatever is as large as the source is made strip by strip.
    """
    width, height = picture.size
    size = _bounded(picture.size)
    # averages blocks; the rest is left to a better filter
    factor = int(min(width / size[0], height / size[1]) / 2) or 1
    divisor, turned = _divisor(picture), _orientation(picture)
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    rows = max(1, STRIP // (width * factor)) * factor
    for top in range(0, height, rows):
        strip = _rgb(picture.crop((0, top, width, min(top + rows, height))), divisor)
        small.paste(strip.reduce(factor), (0, top // factor))
    if small.size != size:
        box = (0, 0, width / factor, height / factor)
        small = small.resize(size, Image.Resampling.BICUBIC, box=box)
    small.getexif()[ORIENTATION] = turned
    return ImageOps.exif_transpose(small)


def _orientation(picture):
    try:
        return picture.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged notes beside a good picture
        return 1


def _divisor(picture):
    """What the values of a picture of more than 8 bits are divided by; None for 8."""
    mode = picture.mode
    if mode.startswith("I;16") or (mode == "I" and picture.format == "PNG"):
        return HIGH_BYTE
    if mode not in ("I", "F"):
        return None
    greatest = _greatest(picture)
    if mode == "F" and greatest <= 1:
        return 1 / 255
    for divisor in (1, 257):
        if greatest <= 255 * divisor:
            return divisor
    return greatest / 255


def _greatest(picture):
    """The greatest value of a picture of floats or integers; none may be impossible."""
    width, height = picture.size
    rows = max(1, STRIP // width)
    greatest = 0
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(top + rows, height)))
        values = np.asarray(strip)
        if not np.isfinite(values).all() or values.min() < 0:
            raise PatchConvNetError(
                "holds values below zero, infinite ones or ones that are no numbers:"
                " save it with 8 bits"
            )
        greatest = max(greatest, values.max())
    return greatest


def _rgb(strip, divisor):
    """A part of a picture, of any mode, as RGB on white."""
    if divisor == HIGH_BYTE:
        strip = Image.fromarray((np.asarray(strip) >> 8).astype("uint8"))
    elif divisor is not None:
        values = np.rint(np.asarray(strip, dtype="float32") / np.float32(divisor))
        strip = Image.fromarray(np.clip(values, 0, 255).astype("uint8"))
    elif "transparency" in strip.info or strip.mode in TRANSPARENT:
        strip = strip.convert("RGBA")
        strip = Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip)
    return strip.convert("RGB")


def thumbnail(picture, longest):
    """A picture, uint8 (H, W, 3), with no side longer than so many pixels."""
    small = Image.fromarray(picture)
    small.thumbnail((longest, longest))
    return np.asarray(small)


# === folders and addresses ===


def find_pictures(sources):
    """Replace each folder by the pictures in it, by name; other sources stay.

    A picture is a file with a picture's suffix. Hidden files are passed over; folders
    within are not entered.

    Args:
        sources: paths and addresses, as strings.

    Returns:
        found: a list of paths and addresses.
        left_out: a list of paths of what else is in the folders.

    Raises:
        PatchConvNetError: a folder without a picture, or one that may not be read.
    """
    found, left_out = [], []
    for source in sources:
        is_address = isinstance(source, str) and ADDRESS.match(source)
        if is_address or not place(source).is_dir():
            found.append(source)
            continue
        folder = place(source)
        name = one_line(source)
        try:
            entries = sorted(folder.iterdir(), key=lambda path: path.name)
        except OSError as error:
            raise PatchConvNetError(
                f"{name} cannot be read ({error.strerror}): choose another folder"
            ) from error
        entries = [path for path in entries if not path.name.startswith(".")]
        pictures = [
            path
            for path in entries
            if path.suffix.lower() in SUFFIXES and os.path.isfile(path)
        ]
        if not pictures:
            raise PatchConvNetError(
                f"{name} is a folder without a picture: its files end in none of"
                f" {', '.join(sorted(SUFFIXES))}"
            )
        found += pictures
        left_out += [path for path in entries if path not in pictures]
    return found, left_out


def _download(url):
    """The bytes behind an address.

    They are never more than `LARGEST_DOWNLOAD`, and take never longer than `PATIENCE`.
    """
    name, content = one_line(url), bytearray()
    require_network([address_of(url)])
    try:
        with asked(url, {}, SILENCE, PATIENCE) as (response, dog), dog.watching():
            promised = response.length or 0
            while max(promised, len(content)) <= LARGEST_DOWNLOAD and (
                block := response.read1(BLOCK)
            ):
                content += block
    except urllib.error.HTTPError as error:
        error.close()
        reason = one_line(error.reason)[:300]
        raise PatchConvNetError(
            f"{name} answers HTTP {error.code} ({reason}): is the address right?"
        ) from error
    except TooSlow as error:
        raise PatchConvNetError(
            f"{name} is too slow: download the picture first"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = one_line(getattr(error, "reason", None) or error)
        raise PatchConvNetError(
            f"{name} cannot be reached ({reason}): is it right, and is there a network?"
        ) from error
    if max(promised, len(content)) > LARGEST_DOWNLOAD:
        raise PatchConvNetError(
            f"{name} is larger than {LARGEST_DOWNLOAD / 1e6:.0f} MB: shrink the picture"
            " first"
        )
    if len(content) < promised:
        raise PatchConvNetError(f"{name} broke off before its end: try again")
    return bytes(content)
