"""One look for every figure, and the one way to open, show, write and close them."""

import warnings
from contextlib import contextmanager

import matplotlib.pyplot as plt

from patchconvnet.files import written_aside

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
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


@contextmanager
def figure(save_to, rows=1, columns=1, size=(6, 4), **options):
    """Give a figure and its axes; at the end show it, or write it to `save_to`."""
    # A dollar in the name of a file or class is a dollar.
    with plt.rc_context({**STYLE, "text.parse_math": False}), warnings.catch_warnings():
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
