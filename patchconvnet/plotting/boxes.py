"""Boxes, arrows, sums and rows of cells, of which diagrams are made. All in inches."""

from contextlib import contextmanager

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path

from patchconvnet.plotting.style import BLUE, GREY, ORANGE, figure

PALE_BLUE, PALE_ORANGE = "#EAF2F8", "#FCE8DC"
LOOKS = {
    "usual": {"facecolor": PALE_BLUE, "edgecolor": BLUE, "linewidth": 1.2},
    "chosen": {"facecolor": PALE_ORANGE, "edgecolor": ORANGE, "linewidth": 2.5},
    "optional": {
        "facecolor": "white",
        "edgecolor": GREY,
        "linewidth": 1.2,
        "linestyle": (0, (4, 3)),
    },
}
RADIUS = 0.14  # of the circle around a sign


@contextmanager
def sheet(save_to, size):
    """Give axes that are as large as their figure, without lines."""
    with figure(save_to, size=size) as (_, axes):
        axis = axes[0, 0]
        axis.set(xlim=(0, size[0]), ylim=(0, size[1]))
        axis.axis("off")
        yield axis


def words(axis, x, y, text, size=11, **look):
    """Words around a point."""
    look = {"ha": "center", "va": "center", **look}
    axis.text(x, y, text, fontsize=size, **look)


def box(axis, left, bottom, width, height, label, look="usual", size=11):
    """A box with rounded corners and words in its middle.

    Args:
        look: a key of `LOOKS`; the words in a chosen box are bold.
        size: of the letters, in points.
    """
    shape = "round,pad=0,rounding_size=0.08"
    axis.add_patch(
        FancyBboxPatch((left, bottom), width, height, boxstyle=shape, **LOOKS[look])
    )
    weight = "bold" if look == "chosen" else "normal"
    middle = left + width / 2, bottom + height / 2
    words(axis, *middle, label, size, fontweight=weight)


def arrow(axis, *points, chosen=False):
    """An arrow from the first point to the last, by way of those between."""
    colour, width = (ORANGE, 2.2) if chosen else (GREY, 1.3)
    style = {"arrowstyle": "-|>", "mutation_scale": 12, "color": colour}
    style |= {"linewidth": width, "shrinkA": 1, "shrinkB": 1}
    if len(points) == 2:
        axis.add_patch(FancyArrowPatch(*points, **style))
        return
    style["joinstyle"] = "miter"
    # filled, the way there would be an area
    axis.add_patch(FancyArrowPatch(path=Path(points), **style))


def sign(axis, x, y, symbol, chosen=False):
    """A circle where two lines meet; in it, what becomes of them: "+" or "×"."""
    look = {"color": ORANGE if chosen else GREY, "linewidth": 2 if chosen else 1.5}
    axis.add_patch(Circle((x, y), RADIUS, fill=False, **look))
    across, along = (0.08, 0) if symbol == "+" else (0.055, 0.055)
    for right, up in ((across, along), (-along, across)):
        axis.plot((x - right, x + right), (y - up, y + up), **look)


def bypass(axis, middle, fork, past, meeting, symbol, chosen=False):
    """A line that leaves the arrow in the middle at `fork`, goes down past what is
    there, and meets it again in a sign.
    """
    end = middle - RADIUS * (1 if past < middle else -1)
    corners = (past, fork), (past, meeting)
    arrow(axis, (middle, fork), *corners, (end, meeting), chosen=chosen)
    sign(axis, middle, meeting, symbol, chosen)


def column(axis, left, top, width, rows, high=0.42, gap=0.27):
    """Boxes below each other, with arrows between and grey notes on their right.

    Args:
        rows: of each box its label, its look, and its note.

    Returns:
        The lower edge of each box.
    """
    middle, bottoms = left + width / 2, []
    for label, look, note in rows:
        if bottoms:
            arrow(axis, (middle, top + gap), (middle, top))
        bottoms.append(top - high)
        box(axis, left, top - high, width, high, label, look)
        words(axis, left + width + 0.15, top - high / 2, note, ha="left", color=GREY)
        top -= high + gap
    return bottoms


def cells(axis, left, bottom, width, height, colour, shares):
    """A frame with cells in it: the greater a share, 0 to 1, the more colour.

    Args:
        shares: float (rows, columns), the first row above.
    """
    rows, columns = shares.shape
    across = np.linspace(left, left + width, columns + 1)
    up = np.linspace(bottom + height, bottom, rows + 1)
    shades = LinearSegmentedColormap.from_list("shades", ["white", colour])
    axis.pcolormesh(across, up, shares, cmap=shades, vmin=0, vmax=1)
    frame = {"fill": False, "edgecolor": colour, "linewidth": 0.8}
    axis.add_patch(Rectangle((left, bottom), width, height, **frame))
