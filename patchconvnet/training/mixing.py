"""CutMix: pictures with a piece of another one, and labels to match.

From Yun et al. (2019, arXiv 1905.04899), algorithm 1, with its lambda uniform in 0..1:
one box and one change of places for a whole batch.
"""

import numpy as np


def cut_and_mix(images, labels, dice):
    """Give each picture of a batch a piece of another one of the same batch.

    Args:
        images: (B, H, W, channels), of any kind of number.
        labels: how much of each class, float32 (B, classes), each row with sum 1.
        dice: a `np.random.Generator`.

    Returns:
        images, labels: new arrays like those that were given.
    """
    box = draw_box(*images.shape[1:3], dice)
    return paste(images, labels, dice.permutation(len(images)), box)


def draw_box(height, width, dice):
    """Where to cut: a slice of rows and a slice of columns, maybe empty.

    The box's share of the area is uniform in 0..1 and its centre is anywhere; what lies
    beyond the edge is then cut off.
    """
    side = np.sqrt(1 - dice.random())  # of the picture's, both ways
    spans = []
    for size in (height, width):
        half = int(side * size) // 2
        centre = int(dice.integers(size))
        spans.append(slice(max(0, centre - half), min(size, centre + half)))
    return tuple(spans)


def paste(images, labels, partners, box):
    """Each picture with its partner's pixels in the box, and labels by area.

    Args:
        images, labels: as in `cut_and_mix`.
        partners: for each picture the index of another, int (B,).
        box: slices of rows and columns that lie within the picture.

    Returns:
        images, labels: new arrays like those that were given.
    """
    rows, columns = box
    mixed = images.copy()
    mixed[:, rows, columns] = images[partners, rows, columns]
    height, width = images.shape[1:3]
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    kept = 1 - area / (height * width)  # of the picture's own pixels
    return mixed, kept * labels + (1 - kept) * labels[partners]
