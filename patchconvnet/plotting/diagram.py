"""The network as a row of boxes, and what is inside two of them."""

import numpy as np

from patchconvnet.plotting.boxes import (
    RADIUS,
    arrow,
    box,
    bypass,
    cells,
    column,
    sheet,
    words,
)
from patchconvnet.plotting.style import BLUE, GREY, ORANGE

_PARTS = (
    ("image", "image\n32 x 32 x 3"),
    ("stem", "stem\n8 x 8 x 64"),
    ("trunk", "trunk\n8 x 8 x 64"),
    ("attention_pooling", "attention\npooling\n1 x 64"),
    ("head", "head\n10 logits"),
)
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
    with sheet(save_to, (left["head"] + _WIDTH + 0.05, 2.1)) as axis:
        for name, label in _PARTS:
            look = "chosen" if name == highlight else "usual"
            box(axis, left[name], _BOTTOM, _WIDTH, _HEIGHT, label, look, size=10)
            if name != "image":
                arrow(axis, (left[name] - _GAP, middle), (left[name], middle))
        if highlight == "squeeze_excite":  # the `shapes` preset does without
            note, below = "in each block: squeeze-and-excitation", left["trunk"]
            look = {"color": ORANGE, "fontweight": "bold"}
            words(axis, below + _WIDTH / 2, 0.15, note, 10, **look)
        above = left["attention_pooling"] + _WIDTH / 2
        arrow(axis, (above, top), (above, top + 0.3))
        words(axis, above, top + 0.5, "attention map\n8 x 8", 10)


# === inside a block of the trunk ===


_BLOCK = (
    ("input, 8 x 8 x 64", "usual", ""),
    ("batch normalization", "usual", "channels on one scale"),
    ("1 x 1 convolution, GELU", "usual", "mixes channels"),
    ("3 x 3 convolution, GELU", "usual", "looks at neighbours"),
    ("squeeze-and-excitation", "optional", "hears the whole grid"),
    ("1 x 1 convolution", "usual", "mixes channels again"),
    ("layer scale", "optional", "one factor a channel"),
)


def block_diagram(save_to=None):
    """One residual block of the trunk, as the `shapes` preset has it.

    Dashed: what other presets add. The Keras example and the paper normalize by layer
    instead of by batch. What `drop_path` does in training is not drawn.

    Args:
        save_to: a file to write instead of showing the figure.
    """
    left, wide, past = 0.7, 2.3, 0.42
    middle = left + wide / 2
    with sheet(save_to, (5.2, 6.45)) as axis:
        first, *_, last = column(axis, left, 6.4, wide, _BLOCK)
        meeting = last - 0.27 - RADIUS
        arrow(axis, (middle, last), (middle, meeting + RADIUS))
        bypass(axis, middle, first - 0.1, past, meeting, "+", chosen=True)
        look = {"color": ORANGE, "rotation": 90, "fontweight": "bold"}
        words(axis, past - 0.2, (first + meeting) / 2, "the input, unchanged", **look)
        out = meeting - RADIUS - 0.27
        arrow(axis, (middle, meeting - RADIUS), (middle, out))
        column(axis, left, out, wide, [("output, 8 x 8 x 64", "usual", "")])
        box(axis, left, 0.08, 0.42, 0.24, "", "optional")
        words(axis, left + 0.55, 0.2, "other presets add it", ha="left", color=GREY)


# === squeeze-and-excitation ===


_GATES = np.array([0.9, 0.15, 0.6, 0.05, 1, 0.3, 0.75, 0.45])
_EXCITE = (
    ("input\nH x W x C", "usual", ""),
    ("squeeze\nmean over the grid", "usual", ""),
    ("excite\ndense to C / ratio, ReLU", "usual", ""),
    ("excite\ndense to C, sigmoid", "chosen", ""),
)


def squeeze_excite_diagram(save_to=None):
    """Squeeze-and-excitation: what becomes of the numbers, and how many there are.

    Of 64 channels, eight are drawn.

    Args:
        save_to: a file to write instead of showing the figure.
    """
    left, wide, high = 0.4, 2.4, 0.62
    middle = left + wide / 2
    with sheet(save_to, (5.2, 4.9)) as axis:
        bottoms = column(axis, left, 4.85, wide, _EXCITE, high)
        meeting = bottoms[-1] - 0.27 - RADIUS
        arrow(axis, (middle, bottoms[-1]), (middle, meeting + RADIUS))
        bypass(axis, middle, bottoms[0] - 0.1, 0.15, meeting, "×")
        told = "scale: each channel times its gate"
        words(axis, middle + 0.3, meeting, told, ha="left", color=GREY)
        out = meeting - RADIUS - 0.27
        arrow(axis, (middle, meeting - RADIUS), (middle, out))
        last = ("output\nH x W x C", "usual", "")
        bottoms += column(axis, left, out, wide, [last], high)
        _numbers(axis, left + wide + 0.2, bottoms)


def _numbers(axis, left, bottoms):
    """What is in each box: 8 of 64 channels as grids, one number each, or a gate."""
    steepness = np.array([1, 3, 0.5, 2, 0.7, 1.5, 5, 0.3])[:, None, None]
    grids = np.random.default_rng(0).random((8, 8, 8)) ** steepness  # (C, H, W)
    told = (
        ("8 x 8 x 64", BLUE, grids),
        ("64 means", BLUE, grids.mean(axis=(1, 2), keepdims=True)),
        ("64 / 8 = 8 numbers", BLUE, np.full((1, 1, 1), 0.6)),
        ("64 gates, 0 to 1", ORANGE, _GATES[:, None, None]),
        ("8 x 8 x 64", BLUE, grids * _GATES[:, None, None]),
    )
    side, step = 0.24, 0.275
    for bottom, (note, colour, channels) in zip(bottoms, told):
        words(axis, left, bottom + 0.49, note, ha="left", color=GREY)
        for index, shares in enumerate(channels):
            place = left + index * step, bottom + 0.06
            cells(axis, *place, side, side, colour, shares)
