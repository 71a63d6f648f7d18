"""What is marked on a picture or a map: outlines and frames, seen on bright and dark.

One style for all: a thin line, and black on both sides of it.
"""

import matplotlib.pyplot as plt
from matplotlib.patheffects import withStroke

LINE, WITH_EDGES = 1.4, 3.0  # points
EDGES = (withStroke(linewidth=WITH_EDGES, foreground="black"),)


def outline(axis, mask, colour="white"):
    """Draw a line around an object.

    Args:
        axis: matplotlib axes.
        mask: bool (H, W), where the object is.
        colour: of the line.
    """
    line = axis.contour(mask, levels=[0.5], colors=colour, linewidths=LINE)
    line.set(path_effects=EDGES)


def frame(axis, left, top, width, height, colour="white"):
    """Draw a frame, around a cell, say.

    Args:
        axis: matplotlib axes.
        left, top: its first corner, in units of the axes.
        width, height: to the opposite one.
        colour: of the line.
    """
    look = {"fill": False, "edgecolor": colour, "linewidth": LINE}
    place = plt.Rectangle((left, top), width, height, path_effects=EDGES, **look)
    axis.add_patch(place)
