"""What a reader sees of a figure, as plain values."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet


class Panel:
    """What a reader sees of one pair of axes."""

    def __init__(self, axis):
        self.title, self.left_title = axis.get_title(), axis.get_title(loc="left")
        self.labels, self.view = (
            (axis.get_xlabel(), axis.get_ylabel()),
            (
                *axis.get_xlim(),
                *axis.get_ylim(),
            ),
        )
        self.ticks = axis.get_xticks().tolist(), axis.get_yticks().tolist()
        labels = axis.get_xticklabels(), axis.get_yticklabels()
        self.names = tuple([label.get_text() for label in names] for names in labels)
        self.bare = not axis.axison
        self.lines = {line.get_label(): Line(line) for line in axis.lines}
        self.images = [
            (np.asarray(image.get_array(), "float64"), tuple(image.get_extent()))
            for image in axis.images
        ]
        self.ranges = [image.get_clim() for image in axis.images]
        self.texts = [(text.get_text(), *text.get_position()) for text in axis.texts]
        self.inks = [to_hex(text.get_color()) for text in axis.texts]
        self.bold = [
            text.get_text() for text in axis.texts if text.get_fontweight() == "bold"
        ]
        self.patches = axis.patches[:]
        to_data = axis.transData.inverted()
        self.boxes = [
            tuple(patch.get_window_extent().transformed(to_data).extents)
            for patch in axis.patches
        ]
        contours = [
            drawn for drawn in axis.collections if isinstance(drawn, ContourSet)
        ]
        self.outlines = [
            (to_hex(drawn.get_edgecolor()[0]), *around(drawn)) for drawn in contours
        ]
        legend = axis.get_legend()
        self.legend = (
            [text.get_text() for text in legend.get_texts()] if legend else None
        )
        self.framed = legend.get_frame_on() if legend else None

    def frame(self):
        """Left, upper edge, width and height of the one frame."""
        (patch,) = self.patches
        assert not patch.get_fill() and to_hex(patch.get_edgecolor()) == "#ffffff"
        return *patch.get_xy(), patch.get_width(), patch.get_height()


class Line:
    def __init__(self, line):
        self.x, self.y = (
            np.asarray(line.get_xdata()).tolist(),
            np.asarray(line.get_ydata()).tolist(),
        )
        self.look = line.get_color(), line.get_linestyle(), line.get_marker()


def around(contours):
    """Left, right, upper and lower end of what an outline runs around."""
    points = np.concatenate([path.vertices for path in contours.get_paths()])
    return [float(end) for column in points.T for end in (column.min(), column.max())]


@pytest.fixture
def drawn(monkeypatch):
    """drawn(function, ...): the panels of the figure that it shows."""

    def draw(function, *given, **options):
        panels = []
        monkeypatch.setattr(
            plt, "show", lambda: panels.extend(map(Panel, plt.gcf().axes))
        )
        function(*given, **options)
        return panels

    return draw
