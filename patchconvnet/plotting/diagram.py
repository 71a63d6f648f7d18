"""The network as a row of boxes."""

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from patchconvnet.plotting.style import BLUE, GREY, ORANGE, figure

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
    with figure(save_to, size=(10, 2.7)) as (_, axes):
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
