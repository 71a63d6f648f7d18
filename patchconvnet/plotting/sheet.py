"""Many pictures with their maps on one sheet."""

from patchconvnet.plotting.pictures import lay_over
from patchconvnet.plotting.style import figure, letters

GAP = 0.08  # between pictures, where a picture's longer side is 1
CAPTION = 0.34  # height of two lines below it, of 9 points


def contact_sheet(pictures, maps, captions, squares=None, columns=4, save_to=None):
    """Many pictures of any sizes, each with its map on its right and a caption below.

    One pair of axes holds them all: a hundred pairs would take a minute to arrange.

    Args:
        pictures: N arrays, uint8 (H, W, 3).
        maps: N arrays, float (h, w).
        captions: N strings of one or two lines.
        squares: N parts of the pictures that the maps lie over, in pixels: (left, top,
            side); what is outside is dimmed. None where each map lies over its whole
            picture.
        columns: how many pairs stand side by side.
        save_to: a file to write instead of showing the figure.

    Raises:
        ValueError: not as many maps, captions or squares as pictures.
    """
    squares = [None] * len(pictures) if squares is None else squares
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    wide = 2 + 3 * GAP
    font = letters(1.4 * wide * columns, 9)
    high = 1 + CAPTION * font / 9
    size = (1.4 * wide * columns, 1.4 * high * rows)
    with figure(save_to, size=size) as (_, axes):
        axis = axes[0, 0]
        for index, (picture, weights, caption, square) in enumerate(
            zip(pictures, maps, captions, squares, strict=True)
        ):
            row, column = divmod(index, columns)
            left, top = column * wide, row * high
            height, width = picture.shape[:2]
            scale = 1 / max(height, width)
            upper = top + (1 - scale * height) / 2
            lower, right = upper + scale * height, left + scale * width
            axis.imshow(picture, extent=(left, right, lower, upper))
            corner = (left + 1 + GAP, upper)
            lay_over(axis, picture, weights, square, corner, scale)
            axis.text(left, top + 1 + GAP / 2, caption, va="top", fontsize=font)
        axis.set(xlim=(0, columns * wide - 2 * GAP), ylim=(rows * high, 0))
        axis.axis("off")
