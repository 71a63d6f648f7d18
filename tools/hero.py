"""Draw the pictures that open the README and the book.

Attention finds the object, epoch by epoch, from the record `shapes`; and where the
record `pets` looks on photographs. In seconds.

    python tools/hero.py    # site_static/hero.png and site_static/photographs.jpg

Their words can be read where they are shown 330 pixels wide, on a phone. The first is
sharp where it is shown 830 pixels wide on a screen of double density.
"""

import os
import sys
from pathlib import Path

# TensorFlow's start-up notes would drown the one line that matters
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np

from command import Parser, in_one_line
from patchconvnet import evolution, load_dataset, records
from patchconvnet.plotting import BLUE, ORANGE, outline
from patchconvnet.plotting.pictures import lay_over
from patchconvnet.plotting.style import figure

STATIC = Path(__file__).resolve().parent.parent / "site_static"
HERO, PHOTOGRAPHS = STATIC / "hero.png", STATIC / "photographs.jpg"
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
                outline(axis, seen.masks[row])
                answer = seen.class_names[seen.answers[epoch, row]]
                colour = BLUE if answer == truth else ORANGE
                axis.set_xlabel(answer, fontsize=FONT, color=colour)
        later = [f"epoch {epoch}" for epoch in EPOCHS[1:]]
        for axis, title in zip(axes[0], ["picture", "untrained", *later]):
            axis.set_title(title, fontsize=FONT)


def six_of(answers, labels):
    """The first photograph of each class that is named rightly, and wrongly: ints."""
    right = answers == labels
    return [
        int(np.flatnonzero(chosen & (labels == label))[0])
        for chosen in (right, ~right)
        for label in np.unique(labels)
    ]


def draw_photographs(record, save_to):
    """Six test photographs, three named rightly and three wrongly, each with its map.

    Args:
        record: the `Record` of a network on photographs.
        save_to: the JPEG file to write.
    """
    data, names = load_dataset("pets", validation=0), record.results["class_names"]
    logits, maps = record.model().explain(data.x_test)
    answers = logits.argmax(axis=1)
    chosen = six_of(answers, data.y_test)
    with (
        plt.rc_context({"savefig.dpi": 150}),
        figure(save_to, 3, 4, size=(8.3, 7)) as (_, axes),
    ):
        # one class a row: right on the left, wrong on the right
        pairs = axes.reshape(3, 2, 2).swapaxes(0, 1).reshape(6, 2)
        for number, (plain, laid_over) in zip(chosen, pairs):
            for axis in (plain, laid_over):
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
            plain.imshow(data.x_test[number])
            lay_over(laid_over, data.x_test[number], maps[number, 0])
            outline(laid_over, data.mask_test[number])
            answer, label = answers[number], data.y_test[number]
            colour = BLUE if answer == label else ORANGE
            said = {"fontsize": FONT - 1, "color": colour}
            plain.set_xlabel(names[answer], **said)


@in_one_line
def main(arguments=None):
    Parser(__doc__).parse_args(arguments)
    draw(evolution.read("shapes").pick(PICTURES), HERO)
    print(f"written to {HERO}")
    draw_photographs(records.load("pets"), PHOTOGRAPHS)
    print(f"written to {PHOTOGRAPHS}")


if __name__ == "__main__":
    sys.exit(main())
