"""Every figure of the course. Each function shows one figure and returns nothing, or writes it with `save_to=`.

Knows arrays and dicts, nothing of models. One look throughout: `viridis` for attention (it reads in grey and for
colour-blind eyes), Okabe and Ito's colours for lines, a white face.
"""

from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.ticker import MaxNLocator

from patchconvnet.files import written_aside

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (GREY, ":"))
STYLE = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2,
}


@contextmanager
def _figure(save_to, rows=1, columns=1, size=(6, 4), **options):
    """Give a figure and its axes; at the end show it, or write it to `save_to`."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False, **options)
        try:
            yield figure, axes
            if save_to is None:
                plt.show()
            else:
                with written_aside(save_to) as aside:
                    figure.savefig(aside)
        finally:
            plt.close(figure)


def images(pictures, titles=None, columns=10, masks=None, save_to=None):
    """A grid of pictures.

    Args:
        pictures: uint8 (N, H, W, 3) or (N, H, W).
        titles: N strings, or None.
        columns: how many pictures stand side by side.
        masks: bool (N, H, W), drawn as white outlines, or None.
        save_to: a file to write instead of showing the figure.
    """
    _same_number(pictures=pictures, titles=titles, masks=masks)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    with _figure(save_to, rows, columns, size=(1.15 * columns, 1.35 * rows)) as (_, axes):
        for axis in axes.flat:
            axis.axis("off")
        for index, (axis, picture) in enumerate(zip(axes.flat, pictures)):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255 if picture.dtype == np.uint8 else None)
            if masks is not None:
                _outline(axis, masks[index])
            if titles is not None:
                axis.set_title(titles[index], fontsize=9)


def _same_number(**given):
    counts = {name: len(values) for name, values in given.items() if values is not None}
    if len(set(counts.values())) != 1:
        raise ValueError("not as many: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


def _outline(axis, mask):
    axis.contour(mask, levels=[0.5], colors="black", linewidths=2.5)
    axis.contour(mask, levels=[0.5], colors="white", linewidths=1.2)


def attention(pictures, maps, titles=None, columns=4, masks=None, save_to=None):
    """Pictures, each with its attention map laid over it on its right.

    The greatest cell of every map is framed. Each map has its own colours, from its least to its greatest weight.

    Args:
        pictures: uint8 (N, H, W, 3), or a list of N arrays (H, W, 3) of any size.
        maps: float (N, h, w).
        titles: N strings, or None.
        columns: how many pairs stand side by side.
        masks: bool (N, H, W), drawn as outlines, or None.
        save_to: a file to write instead of showing the figure.
    """
    _same_number(pictures=pictures, maps=maps, titles=titles, masks=masks)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    with _figure(save_to, rows, 2 * columns, size=(2.9 * columns, 1.75 * rows)) as (figure, axes):
        for axis in axes.flat:
            axis.axis("off")
        for index, (picture, weights) in enumerate(zip(pictures, maps)):
            plain, laid_over = axes.reshape(-1, 2)[index]
            plain.imshow(picture)
            _lay_over(laid_over, picture, weights)
            if masks is not None:
                _outline(laid_over, masks[index])
            if titles is not None:
                plain.set_title(titles[index], loc="left", fontsize=9)


def _lay_over(axis, picture, weights):
    """Draw a map (h, w) over a picture (H, W, 3) in grey, so that all colour is weight; frame its greatest cell."""
    height, width = picture.shape[:2]
    cell_height, cell_width = height / weights.shape[0], width / weights.shape[1]
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axis.imshow(picture.mean(axis=2), cmap="gray", vmin=0, vmax=255, extent=extent)
    shown = axis.imshow(weights, extent=extent, cmap="viridis", alpha=0.65, interpolation="nearest")
    row, column = np.unravel_index(np.argmax(weights), weights.shape)
    corner = (column * cell_width - 0.5, row * cell_height - 0.5)
    axis.add_patch(plt.Rectangle(corner, cell_width, cell_height, fill=False, edgecolor="white", linewidth=2))
    return shown


def prediction(picture, weights, names, probabilities, save_to=None):
    """One picture, its attention map with a colour bar, and the most probable classes.

    Args:
        picture: uint8 (H, W, 3), of any size.
        weights: float (h, w), the attention map.
        names: names of the classes, most probable first.
        probabilities: their probabilities, 0 to 1.
        save_to: a file to write instead of showing the figure.
    """
    with _figure(save_to, 1, 3, size=(11, 3.6), width_ratios=(1, 1.15, 0.9)) as (figure, axes):
        plain, laid_over, bars = axes[0]
        plain.imshow(picture)
        plain.set_title("picture")
        shown = _lay_over(laid_over, picture, weights)
        laid_over.set_title("attention")
        figure.colorbar(shown, ax=laid_over, label="weight of a patch", shrink=0.85)
        for axis in (plain, laid_over):
            axis.axis("off")
        bars.barh(range(len(names)), probabilities, color=BLUE)
        bars.set_yticks(range(len(names)), names)
        bars.invert_yaxis()
        bars.set_xlim(0, 1)
        bars.set_xlabel("probability")


def history(columns, chance=None, save_to=None):
    """Learning curves: loss, accuracy and, where it was measured, attention on the object.

    Args:
        columns: dict of column name to array (epochs,), as `Record.history`.
        chance: share of random cells that lie on the object, 0 to 1, or None.
        save_to: a file to write instead of showing the figure.
    """
    panels = [("loss", "cross-entropy"), ("accuracy", "accuracy")]
    if "attention_on_object" in columns:
        panels.append(("attention_on_object", "attention on the object"))
    epochs = np.asarray(columns["epoch"])
    with _figure(save_to, 1, len(panels), size=(3.7 * len(panels), 3.3)) as (_, axes):
        for axis, (name, label) in zip(axes[0], panels):
            curves = [(name, "training", ORANGE, "o--"), (f"val_{name}", "validation", BLUE, "s-")]
            if name == "attention_on_object":
                curves = [(name, "validation", BLUE, "s-")]
            for column, legend, colour, line in curves:
                if column in columns:
                    axis.plot(epochs, columns[column], line, color=colour, label=legend, markersize=4)
            if name == "attention_on_object" and chance is not None:
                axis.axhline(chance, color=GREY, linestyle=":", label="chance")
            axis.set(xlabel="epoch", title=label, xlim=(epochs[0] - 0.3, epochs[-1] + 0.3))
            axis.set_ylim(0, None if name == "loss" else 1.02)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.legend(frameon=False, fontsize=9)


def confusion(labels, predictions, names, save_to=None):
    """Confusion matrix: rows are true classes, columns predicted ones; each cell a share of its row, in percent.

    Args:
        labels: int (N,), true classes.
        predictions: int (N,), predicted classes.
        names: names of the classes.
        save_to: a file to write instead of showing the figure.
    """
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (labels, predictions), 1)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with _figure(save_to, size=(6.4, 5.6)) as (_, axes):
        axis = axes[0, 0]
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=100)
        for row, column in zip(*np.nonzero(shares >= 0.5)):
            colour = "white" if shares[row, column] > 50 else "black"
            axis.text(column, row, f"{shares[row, column]:.0f}", ha="center", va="center", color=colour, fontsize=9)
        axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axis.set_yticks(range(len(names)), names)
        axis.set(xlabel="predicted class", ylabel="true class", title="percent of each true class")


def film(pictures, maps, epochs, titles=None, save_to=None):
    """The same pictures' attention maps at several epochs: one row a picture, one column an epoch.

    Args:
        pictures: uint8 (P, H, W, 3).
        maps: float (E, P, h, w).
        epochs: which entries of `maps` to show: ints.
        titles: P strings, or None.
        save_to: a file to write instead of showing the figure.
    """
    with _figure(save_to, len(pictures), 1 + len(epochs), size=(1.3 * (1 + len(epochs)), 1.35 * len(pictures))) as (
        _,
        axes,
    ):
        for row, (axis_row, picture) in enumerate(zip(axes, pictures)):
            for axis in axis_row:
                axis.axis("off")
            axis_row[0].imshow(picture)
            if titles is not None:
                axis_row[0].set_title(titles[row], fontsize=9)
            for axis, epoch in zip(axis_row[1:], epochs):
                _lay_over(axis, picture, np.asarray(maps[epoch][row], dtype="float32"))
                if row == 0:
                    axis.set_title("untrained" if epoch == 0 else f"epoch {epoch}", fontsize=9)


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
    with _figure(save_to, size=(6.4, 3.4)) as (_, axes):
        axis = axes[0, 0]
        for (legend, values), (colour, line) in zip(lines.items(), LINES):
            axis.plot(x, values, line, color=colour, label=legend, marker="o" if points else None, markersize=4)
        axis.set(xlabel=x_label, ylabel=y_label)
        if np.issubdtype(np.asarray(x).dtype, np.integer):
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(lines) > 1:
            axis.legend(edgecolor="none", framealpha=0.9)  # a line may pass behind it


_PARTS = (
    ("image", "image\n32 x 32 x 3"),
    ("stem", "stem\n8 x 8 x 64"),
    ("trunk", "trunk\n8 x 8 x 64"),
    ("attention_pooling", "attention\npooling\n1 x 64"),
    ("head", "head\n10 logits"),
)


def network_diagram(highlight=None, save_to=None):
    """The whole network as a row of boxes, with the sizes of the `shapes` preset; the current part stands out.

    Args:
        highlight: "image", "stem", "squeeze_excite", "trunk", "attention_pooling", "head", or None for no part.
        save_to: a file to write instead of showing the figure.

    Raises:
        ValueError: if there is no such part.
    """
    known = {name for name, _ in _PARTS} | {"squeeze_excite"}
    if highlight is not None and highlight not in known:
        raise ValueError(f"highlight must be one of {', '.join(sorted(known))}, got {highlight!r}")
    with _figure(save_to, size=(10, 2.7)) as (_, axes):
        axis = axes[0, 0]
        axis.set(xlim=(-0.1, 10.1), ylim=(0.05, 2.85))
        axis.axis("off")
        for index, (name, label) in enumerate(_PARTS):
            chosen = name == highlight
            _box(axis, 2.1 * index, 0.55, 1.6, 1.2, label, chosen)
            if index:
                _arrow(axis, (2.1 * index - 0.5, 1.15), (2.1 * index, 1.15))
        if highlight == "squeeze_excite":  # the `shapes` preset does without
            axis.text(2.1 * 2 + 0.8, 0.2, "in each block: squeeze-and-excitation", ha="center", fontsize=10, color=ORANGE,
                      fontweight="bold")
        _arrow(axis, (2.1 * 3 + 0.8, 1.75), (2.1 * 3 + 0.8, 2.2))
        axis.text(2.1 * 3 + 0.8, 2.5, "attention map\n8 x 8", ha="center", va="center", fontsize=10)


def _box(axis, left, bottom, width, height, label, chosen):
    style = {"facecolor": "#FCE8DC", "edgecolor": ORANGE, "linewidth": 2.5} if chosen else {
        "facecolor": "#EAF2F8", "edgecolor": BLUE, "linewidth": 1.2}
    axis.add_patch(FancyBboxPatch((left, bottom), width, height, boxstyle="round,pad=0,rounding_size=0.12", **style))
    axis.text(left + width / 2, bottom + height / 2, label, ha="center", va="center", fontsize=10.5,
              fontweight="bold" if chosen else "normal")


def _arrow(axis, start, end):
    axis.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color=GREY, linewidth=1.3,
                                   shrinkA=1, shrinkB=1))
