"""Outlines and frames are seen on bright and on dark pictures, and words in colour."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from patchconvnet.plotting import BLUE, ORANGE, frame, outline

MASK = np.zeros((20, 20), bool)
MASK[5:15, 5:15] = True
MARKS = {
    "outline": lambda axis: outline(axis, MASK),
    "frame": lambda axis: frame(axis, 4.5, 4.5, 10, 10),
}


def drawn_on(shade, mark):
    """A picture of one shade with a mark on it: float (400, 400, 3), 0 to 1."""
    canvas = plt.figure(figsize=(4, 4), dpi=100)
    axis = canvas.add_axes([0, 0, 1, 1])
    axis.imshow(np.full((20, 20, 3), shade, "uint8"))
    axis.axis("off")
    mark(axis)
    canvas.canvas.draw()
    pixels = np.asarray(canvas.canvas.buffer_rgba())[..., :3] / 255
    plt.close(canvas)
    return pixels


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_mark_has_bright_and_dark_on_any_shade(mark, shade):
    pixels = drawn_on(shade, MARKS[mark])
    changed = np.abs(pixels - shade / 255).max(axis=2) > 0.2
    row = pixels[200, changed[200]]  # through its middle: two sides of it
    assert (shade == 255 or row.max() > 0.9) and (shade == 0 or row.min() < 0.1)
    # around the mask, and nowhere else
    rows, columns = np.nonzero(changed)
    assert 95 <= columns.min() <= 100 and 300 <= columns.max() <= 305
    assert 95 <= rows.min() <= 100 and 300 <= rows.max() <= 305
    assert not changed[110:290, 110:290].any()  # what is inside is still seen


def test_a_coloured_mark_has_white_beside_it():
    pixels = drawn_on(128, lambda axis: frame(axis, 4.5, 4.5, 10, 10, ORANGE))
    row = (255 * pixels[200]).round().astype(int)
    assert (row.min(axis=1) > 230).any()
    assert (np.abs(row - (0xC2, 0x55, 0)).max(axis=1) < 10).any()


def luminance(colour):
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(
        values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4
    )
    return linear @ (0.2126, 0.7152, 0.0722)


@pytest.mark.parametrize("colour", [BLUE, ORANGE])
def test_words_in_colour_are_read_on_white(colour):
    """As in the pictures that open the book: blue where right, orange where wrong."""
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5
