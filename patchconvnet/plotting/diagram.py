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
_CENTRED = {"ha": "center", "va": "center", "fontsize": 10}
# In inches: narrow enough for the text to be read on a phone.
_WIDTH, _HEIGHT, _GAP, _BOTTOM = 0.96, 0.95, 0.25, 0.35


def network_diagram(highlight=None, save_to=None):
    """The network as a row of boxes, with the sizes of the `shapes` preset.

    The current part stands out.

    Args:
        highlight: "image", "stem", "squeeze_excite", "trunk", "attention_pooling",
            "head", or None for no part.
        save_to: a file to write instead of showing the figure.

    Raises:
        ValueError: if there is no such part.
    """
    names = [name for name, _ in _PARTS]
    known = {*names, "squeeze_excite"}
    if highlight is not None and highlight not in known:
        raise ValueError(
            f"highlight must be one of {', '.join(sorted(known))}, got {highlight!r}"
        )
    left = {name: 0.05 + index * (_WIDTH + _GAP) for index, name in enumerate(names)}
    middle, top = _BOTTOM + _HEIGHT / 2, _BOTTOM + _HEIGHT
    size = (left["head"] + _WIDTH + 0.05, 2.1)
    with figure(save_to, size=size) as (_, axes):
        axis = axes[0, 0]
        axis.set(xlim=(0, size[0]), ylim=(0, size[1]))
        axis.axis("off")
        for name, label in _PARTS:
            _box(axis, left[name], label, chosen=name == highlight)
            if name != "image":
                _arrow(axis, (left[name] - _GAP, middle), (left[name], middle))
        if highlight == "squeeze_excite":  # the `shapes` preset does without
            note, below = "in each block: squeeze-and-excitation", left["trunk"]
            look = {"color": ORANGE, "fontweight": "bold"}
            axis.text(below + _WIDTH / 2, 0.15, note, **_CENTRED, **look)
        above = left["attention_pooling"] + _WIDTH / 2
        _arrow(axis, (above, top), (above, top + 0.3))
        axis.text(above, top + 0.5, "attention map\n8 x 8", **_CENTRED)


def _box(axis, left, label, chosen):
    style = {"facecolor": "#EAF2F8", "edgecolor": BLUE, "linewidth": 1.2}
    if chosen:
        style = {"facecolor": "#FCE8DC", "edgecolor": ORANGE, "linewidth": 2.5}
    shape = "round,pad=0,rounding_size=0.08"
    axis.add_patch(
        FancyBboxPatch((left, _BOTTOM), _WIDTH, _HEIGHT, boxstyle=shape, **style)
    )
    middle = left + _WIDTH / 2, _BOTTOM + _HEIGHT / 2
    weight = "bold" if chosen else "normal"
    axis.text(*middle, label, fontweight=weight, **_CENTRED)


def _arrow(axis, start, end):
    style = {"arrowstyle": "-|>", "mutation_scale": 12, "shrinkA": 1, "shrinkB": 1}
    axis.add_patch(FancyArrowPatch(start, end, color=GREY, linewidth=1.3, **style))
