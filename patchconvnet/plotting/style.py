"""One look for every figure, and the one way to open, show, write and close them."""

import math
import warnings
from contextlib import contextmanager

import matplotlib.pyplot as plt

from patchconvnet.files import written_aside

# Letters are at least so many pixels high, in the book's column on a laptop's screen: a
# figure that is wider is shrunk to fit. Measured at 1280 pixels; a folded solution's
# column is the narrower one.
LETTERS, COLUMN, FOLDED_COLUMN, PADDING = 10, 688, 666, 8
EDGES = 22  # pixels that a notebook adds around a drawing

# Okabe and Ito's, the orange a little darker: words in it are read on white (4.5 to 1)
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#C25500", "#009E73", "#666666"
LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (GREY, ":"))
STYLE = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2,
}


def height_on_page(points, width, dpi=STYLE["figure.dpi"], column=COLUMN):
    """How many pixels high letters are on a page of the book.

    Args:
        points: the letters' size.
        width: of the kept figure, in pixels.
        dpi: pixels for an inch, as the figure was drawn.
        column: of the page, in pixels.
    """
    return points * dpi / 72 * (min(width, column) - 2 * PADDING) / width


def letters(width, points):
    """A size of letters, in points: `points`, or more in a figure so wide that these
    would be too small on the page.

    Args:
        width: of the figure, in inches.
    """
    pixels = width * STYLE["figure.dpi"] + EDGES
    least = LETTERS / height_on_page(1, pixels, column=FOLDED_COLUMN)
    return max(points, math.ceil(10 * least) / 10)


@contextmanager
def figure(save_to, rows=1, columns=1, size=(6, 4), **options):
    """Give a figure and its axes; at the end show it, or write it to `save_to`."""
    # A dollar in the name of a file or class is a dollar.
    usual = letters(size[0], STYLE["font.size"])
    look = STYLE | {"font.size": usual, "axes.titlesize": usual}
    with plt.rc_context(look | {"text.parse_math": False}), warnings.catch_warnings():
        # names may be of any alphabet; a box stands for the letter
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        canvas, axes = plt.subplots(
            rows, columns, figsize=size, layout="constrained", squeeze=False, **options
        )
        try:
            yield canvas, axes
            if save_to is None:
                plt.show()
            else:
                with written_aside(save_to) as aside:
                    canvas.savefig(aside)
        finally:
            plt.close(canvas)
