"""Numbers: learning curves, a confusion matrix, lines."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from patchconvnet.plotting.style import (
    BLUE,
    GREEN,
    GREY,
    LINES,
    ORANGE,
    figure,
    letters,
)


def history(columns, chance=None, save_to=None):
    """Learning curves: loss, accuracy and, if measured, attention on the object.

    Args:
        columns: dict of column name to array (epochs,), as `Record.history`.
        chance: share of random cells that lie on the object, 0 to 1, or None.
        save_to: a file to write instead of showing the figure.
    """
    panels = [("loss", "cross-entropy"), ("accuracy", "accuracy")]
    if "attention_on_object" in columns:
        panels.append(("attention_on_object", "attention on the object"))
    epochs = np.asarray(columns["epoch"])
    size = (3.7 * len(panels), 3.3)
    with figure(save_to, 1, len(panels), size=size) as (_, axes):
        for axis, (name, label) in zip(axes[0], panels):
            curves = [
                (name, "training", ORANGE, "o--"),
                (f"val_{name}", "validation", BLUE, "s-"),
            ]
            if name == "attention_on_object":
                curves = [(name, "validation", BLUE, "s-")]
            for column, legend, colour, line in curves:
                if column in columns:
                    look = {"color": colour, "label": legend, "markersize": 4}
                    axis.plot(epochs, columns[column], line, **look)
            if name == "attention_on_object" and chance is not None:
                axis.axhline(chance, color=GREY, linestyle=":", label="chance")
            axis.set(xlabel="epoch", title=label, xlim=_around(epochs))
            axis.set_ylim(0, None if name == "loss" else 1.02)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.legend(frameon=False, fontsize=letters(size[0], 9))


def _around(epochs):
    return epochs[0] - 0.3, epochs[-1] + 0.3


def evolution(columns, uniform=None, chance=None, save_to=None):
    """Accuracy and attention on the object above, the entropy of attention below.

    Args:
        columns: dict of column name to array (epochs,), as `Record.history`: "epoch",
            "val_accuracy", "attention_entropy" in bits and, where masks are known,
            "attention_on_object". What is missing is left out.
        uniform: entropy of equal weights, in bits, drawn as a line, or None.
        chance: share of random cells that lie on the object, 0 to 1, or None.
        save_to: a file to write instead of showing the figure.
    """
    epochs = np.asarray(columns["epoch"])
    layout = {"size": (6.8, 5.2), "sharex": True, "height_ratios": (3, 2)}
    with figure(save_to, 2, 1, **layout) as (_, axes):
        shares, bits = axes[:, 0]
        lines = (
            ("val_accuracy", "accuracy", BLUE, "s-"),
            ("attention_on_object", "attention on the object", ORANGE, "o--"),
        )
        for column, legend, colour, line in lines:
            if column in columns:
                look = {"color": colour, "label": legend, "markersize": 4}
                shares.plot(epochs, columns[column], line, **look)
        if chance is not None:
            legend = "a random cell on the object"
            shares.axhline(chance, color=GREY, linestyle=":", label=legend)
        shares.set(ylabel="share of images", ylim=(0, 1.02), xlim=_around(epochs))
        if "attention_entropy" in columns:
            look = {"color": GREEN, "label": "entropy of attention", "markersize": 4}
            bits.plot(epochs, columns["attention_entropy"], "^-", **look)
        if uniform is not None:
            bits.axhline(uniform, color=GREY, linestyle=":", label="equal weights")
        bits.set(xlabel="epoch", ylabel="bits")
        bits.set_ylim(0)
        bits.xaxis.set_major_locator(MaxNLocator(integer=True))
        for axis in (shares, bits):
            if axis.get_legend_handles_labels()[0]:
                axis.legend(edgecolor="none", framealpha=0.9, fontsize=10)


def confusion(labels, predictions, names, save_to=None):
    """Confusion matrix: rows are true classes, columns predicted ones.

    Each cell is a share of its row, in percent.

    Args:
        labels: int (N,), true classes.
        predictions: int (N,), predicted classes.
        names: names of the classes.
        save_to: a file to write instead of showing the figure.
    """
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (labels, predictions), 1)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with figure(save_to, size=(6.4, 5.6)) as (_, axes):
        axis = axes[0, 0]
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=100)
        centred = {"ha": "center", "va": "center", "fontsize": 9}
        for row, column in zip(*np.nonzero(shares >= 0.5)):
            share = shares[row, column]
            colour = "white" if share > 50 else "black"
            axis.text(column, row, f"{share:.0f}", color=colour, **centred)
        axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axis.set_yticks(range(len(names)), names)
        axis.set(
            xlabel="predicted class",
            ylabel="true class",
            title="percent of each true class",
        )


def curve(x, lines, x_label, y_label, points=False, save_to=None):
    """One or more lines over the same x.

    Args:
        x: float (N,).
        lines: dict of legend to float (N,), at most four.
        x_label, y_label: what the axes show, with unit.
        points: whether to mark each value.
        save_to: a file to write instead of showing the figure.
    """
    if not 1 <= len(lines) <= len(LINES):
        raise ValueError(f"one to {len(LINES)} lines, got {len(lines)}")
    with figure(save_to, size=(6.4, 3.4)) as (_, axes):
        axis = axes[0, 0]
        mark = {"marker": "o" if points else None, "markersize": 4}
        for (legend, values), (colour, line) in zip(lines.items(), LINES):
            axis.plot(x, values, line, color=colour, label=legend, **mark)
        axis.set(xlabel=x_label, ylabel=y_label)
        if np.issubdtype(np.asarray(x).dtype, np.integer):
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(lines) > 1:
            axis.legend(edgecolor="none", framealpha=0.9)  # a line may pass behind it
