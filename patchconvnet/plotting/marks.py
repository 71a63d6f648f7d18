"""What is marked on a picture or a map: outlines and frames, seen on bright and dark.

One style for all: a thin line, and on both sides of it black where it is white, white
where it has a colour.
"""

import matplotlib.pyplot as plt
from matplotlib.patheffects import withStroke

WHITE_LINE, COLOURED_LINE, EDGE = 1.4, 2.2, 0.8  # points


def _look(colour):
    """The width of a line, and its path effects."""
    width, edge = (
        (WHITE_LINE, "black") if colour == "white" else (COLOURED_LINE, "white")
    )
    return width, (withStroke(linewidth=width + 2 * EDGE, foreground=edge),)


def outline(axis, mask):
    """Draw a white line around an object.

    Args:
        axis: matplotlib axes.
        mask: bool (H, W), where the object is.
    """
    width, edges = _look("white")
    line = axis.contour(mask, levels=[0.5], colors="white", linewidths=width)
    line.set(path_effects=edges)


def frame(axis, left, top, width, height, colour="white"):
    """Draw a frame, around a cell, say.

    Args:
        axis: matplotlib axes.
        left, top: its first corner, in units of the axes.
        width, height: to the opposite one.
        colour: of the line.
    """
    line, edges = _look(colour)
    look = {"fill": False, "edgecolor": colour, "linewidth": line}
    place = plt.Rectangle((left, top), width, height, path_effects=edges, **look)
    axis.add_patch(place)
