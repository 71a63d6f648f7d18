"""Draw the picture that opens the README and the book.

Attention finds the object, epoch by epoch, from the record `shapes`, in seconds.

    python tools/hero.py                    # site_static/hero.png

Its words can be read where it is shown 330 pixels wide, on a phone. It is sharp where
it is shown 830 pixels wide on a screen of double density.
"""

import os
import sys
from pathlib import Path

# TensorFlow's start-up notes would drown the one line that matters
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

from command import Parser, in_one_line
from patchconvnet import evolution
from patchconvnet.plotting import BLUE, ORANGE
from patchconvnet.plotting.pictures import lay_over
from patchconvnet.plotting.style import figure

HERO = Path(__file__).resolve().parent.parent / "site_static" / "hero.png"
# of the record's probes: one object at the upper left, one at the lower right
PICTURES = (3, 14)
EPOCHS = (0, 1, 3, 5, 11)
INCHES, DOTS = (8.3, 3.6), 200
FONT = 17


def draw(seen, save_to):
    """One row a picture: the picture, then its map after each of `EPOCHS`.

    The object's outline is white; so is the frame of the greatest cell. The network's
    answer stands below, blue if right, else orange.

    Args:
        seen: an `Evolution` with pictures and masks.
        save_to: the file to write.
    """
    rows, columns = seen.maps.shape[1], 1 + len(EPOCHS)
    with (
        plt.rc_context({"savefig.dpi": DOTS}),
        figure(save_to, rows, columns, size=INCHES) as (canvas, axes),
    ):
        for axis in axes.flat:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        for row, picture in enumerate(seen.pictures):
            axes[row, 0].imshow(picture)
            truth = seen.class_names[seen.labels[row]]
            axes[row, 0].set_xlabel(truth, fontsize=FONT)
            for axis, epoch in zip(axes[row, 1:], EPOCHS):
                lay_over(axis, picture, seen.maps[epoch, row])
                axis.contour(
                    seen.masks[row], levels=[0.5], colors="white", linewidths=1.5
                )
                answer = seen.class_names[seen.answers[epoch, row]]
                colour = BLUE if answer == truth else ORANGE
                axis.set_xlabel(answer, fontsize=FONT, color=colour)
        later = [f"epoch {epoch}" for epoch in EPOCHS[1:]]
        for axis, title in zip(axes[0], ["picture", "untrained", *later]):
            axis.set_title(title, fontsize=FONT)


@in_one_line
def main(arguments=None):
    Parser(__doc__).parse_args(arguments)
    draw(evolution.read("shapes").pick(PICTURES), HERO)
    print(f"written to {HERO}")


if __name__ == "__main__":
    sys.exit(main())
