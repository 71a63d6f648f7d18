"""How a notebook keeps a figure: sharp on fine screens, in less than 1 MB.

PNG, and JPEG for figures that show photographs: these would take ten times as much.
"""

import base64
import importlib
import io
import sys

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

SCALE = 2  # pixels of the file for each pixel on the page
# of each colour channel: no eye sees the difference, and noise takes a third less
SHADES = 64
# a drawing of lines and words, not a picture: 256 colours will do, in half the bytes
FEW_COLOURS = 1000
PHOTOGRAPH = 128  # pixels along each side, at least; pictures of our own are smaller
MOST_BYTES = 60_000  # of a JPEG; for these, sharpness and quality are given up in turn
TRIES = ((2, 85), (2, 70), (1.5, 75), (1.5, 60), (1.25, 55), (1, 60), (1, 40))
LAST_TRIES = tuple((2.0**-halved, 40) for halved in range(1, 9))  # the last always fits


def draw_sharply():
    """Let a Jupyter or Colab notebook keep figures by `sharp_png` or `sharp_jpeg`.

    Elsewhere, do nothing.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "kernel"):
        return
    # it chooses its own way when it is imported
    importlib.import_module("matplotlib_inline.backend_inline")
    formatters = shell.display_formatter.formatters
    formatters["image/png"].for_type(Figure, sharp_png)
    formatters["image/jpeg"].for_type(Figure, sharp_jpeg)


def shows_photographs(figure):
    """Whether any picture in a figure is as large as a photograph."""
    shapes = [
        image.get_array().shape[:2] for axis in figure.axes for image in axis.images
    ]
    return any(min(shape) >= PHOTOGRAPH for shape in shapes)


def _drawn(figure, scale):
    """A figure in pixels: a Pillow picture, RGB."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=scale * figure.dpi, bbox_inches="tight")
    return Image.open(drawn).convert("RGB")


def _kept(content, picture, scale):
    """Bytes as a notebook has them, and how large the figure is on the page."""
    width, height = (int(side / scale) for side in picture.size)
    encoded = base64.b64encode(content.getvalue()).decode("ascii")
    return encoded, {"width": width, "height": height}


def sharp_jpeg(figure):
    """A figure that shows photographs as a JPEG of at most 60 kB; else None.

    Returns:
        As `sharp_png`.
    """
    if not shows_photographs(figure):
        return None
    for scale, quality in TRIES + LAST_TRIES:
        picture, content = _drawn(figure, scale), io.BytesIO()
        picture.save(content, "jpeg", quality=quality, optimize=True)
        if content.tell() <= MOST_BYTES:
            break
    return _kept(content, picture, scale)


def sharp_png(figure):
    """A figure as a PNG of twice its pixels; None where it shows photographs.

    Returns:
        A Base64 string, and {"width", "height"} in pixels on the page.
    """
    if shows_photographs(figure):
        return None
    kept, picture = io.BytesIO(), _drawn(figure, SCALE)
    pixels = np.asarray(picture, dtype="uint16")  # (H, W, 3)
    step = 256 // SHADES
    rounded = np.minimum((pixels + step // 2) // step * step, 255).astype("uint8")
    image = Image.fromarray(rounded)
    if image.getcolors(FEW_COLOURS):
        kind, dither = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
        image = image.quantize(256, kind, dither=dither)
    image.save(kept, format="png", optimize=True)
    return _kept(kept, picture, SCALE)
