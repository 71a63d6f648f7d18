"""Attention pooling, step by step."""

import numpy as np

from patchconvnet.plotting.boxes import (
    RADIUS,
    arrow,
    box,
    bypass,
    cells,
    column,
    sheet,
    sign,
    words,
)
from patchconvnet.plotting.style import BLUE, GREY, ORANGE

_LEFT, _THIRD, _STEP = 0.75, 1.3, 1.5  # where boxes begin, how wide, how far apart
_QUERY, _KEYS, _VALUES = (_LEFT + _THIRD / 2 + step * _STEP for step in range(3))
_RIGHT, _PAST = _VALUES + _THIRD / 2, 0.42
_DOWN, _HIGH = 0.24, 0.4  # from one box to the next; of a box


def pooling_diagram(save_to=None):
    """Attention pooling with one class token: from 64 patches to one vector and a map.

    The sizes are those of the `shapes` preset. Dropout, and the paper's layer scale on
    what is added to the token, are not drawn.

    Args:
        save_to: a file to write instead of showing the figure.
    """
    with sheet(save_to, (5.2, 8.0)) as axis:
        words(axis, _QUERY, 7.75, "class token\n1 x 64")
        token, versions = _three_versions(axis, 7.3)
        weights = _weights(axis, versions)
        mixed = _map_and_sum(axis, weights, versions)
        _onto_the_token(axis, mixed, token)


def _three_versions(axis, low):
    """The line, its norm, and queries, keys and values; where the token is, and where
    they end.
    """
    patches = (_KEYS + _VALUES) / 2
    words(axis, patches, low + 0.45, "patches\n64 x 64")
    cells(axis, _QUERY - 0.1, low, 0.2, 0.2, GREY, np.array([[0.8]]))
    shares = np.random.default_rng(1).random((1, 64))
    cells(axis, patches - 1.4, low, 2.8, 0.2, BLUE, shares)
    norm = low - _DOWN - _HIGH
    box(axis, _LEFT, norm, _RIGHT - _LEFT, _HIGH, "layer norm of the line, 65 x 64")
    for middle in (_QUERY, patches):
        arrow(axis, (middle, low), (middle, norm + _HIGH))
    below = norm - _DOWN
    for middle, label in (
        (_QUERY, "query\nof the token\n1 x 64"),
        (_KEYS, "keys\nof the line\n65 x 64"),
        (_VALUES, "values\nof the line\n65 x 64"),
    ):
        arrow(axis, (middle, norm), (middle, below))
        box(axis, middle - _THIRD / 2, below - 0.8, _THIRD, 0.8, label)
    return low + 0.1, below - 0.8


def _weights(axis, top):
    """Scores and weights, the token's and those of the patches: where they stand."""
    wide, middle = _KEYS + _THIRD / 2 - _LEFT, (_QUERY + _KEYS) / 2
    rows = (
        ("scores: query · keys / √64", "usual", ""),
        ("softmax: 1 x 65 weights", "usual", ""),
    )
    for start in (_QUERY, _KEYS):
        arrow(axis, (start, top), (start, top - _DOWN))
    *_, low = column(axis, _LEFT, top - _DOWN, wide, rows, _HIGH, _DOWN)
    strip = low - _DOWN - 0.2
    arrow(axis, (middle, low), (middle, strip + 0.2))
    cells(axis, _LEFT, strip, 0.15, 0.2, GREY, np.array([[0.3]]))
    patches = _map_of_a_square().reshape(1, 64)
    cells(axis, _LEFT + 0.2, strip, wide - 0.2, 0.2, ORANGE, patches)
    return strip


def _map_of_a_square():
    """Weights as of a network that looks at an object: float (8, 8), 0 to 1."""
    row, column = np.mgrid[:8, :8]
    return np.exp(-((row - 3) ** 2 + (column - 4.5) ** 2) / 5)


def _map_and_sum(axis, weights, values):
    """What becomes of the weights: the map, and the sum; where that ends."""
    side, top, left = 0.9, weights - _DOWN, _KEYS - 0.2
    arrow(axis, (_QUERY, weights), (_QUERY, top), chosen=True)
    place = _QUERY - side / 2, top - side
    cells(axis, *place, side, side, ORANGE, _map_of_a_square())
    look = {"color": ORANGE, "fontweight": "bold"}
    words(axis, _QUERY, top - side - 0.2, "map, 8 x 8", **look)
    box(axis, left, top - 0.6, _RIGHT - left, 0.6, "weighted sum of values\n1 x 64")
    arrow(axis, (_KEYS + 0.2, weights), (_KEYS + 0.2, top))
    arrow(axis, (_VALUES, values), (_VALUES, top))
    return top - 0.6


def _onto_the_token(axis, top, token):
    """The projection, added to the token; the MLP, added to that; the output."""
    left, middle = _KEYS - 0.2, (_KEYS - 0.2 + _RIGHT) / 2

    def step(label, top):
        """A box below what is at `top`, with an arrow to it: where that ends."""
        arrow(axis, (middle, top), (middle, top - _DOWN))
        low = top - _DOWN - _HIGH
        box(axis, left, low, _RIGHT - left, _HIGH, label)
        return low

    low = step("project", top)
    meeting = low - _DOWN - RADIUS
    arrow(axis, (middle, low), (middle, meeting + RADIUS))
    corners = (_PAST, token), (_PAST, meeting), (middle - RADIUS, meeting)
    arrow(axis, (_QUERY - 0.1, token), *corners)
    words(
        axis, _PAST - 0.2, (token + meeting) / 2, "the token", rotation=90, color=GREY
    )
    sign(axis, middle, meeting, "+")
    fork = meeting - RADIUS
    low = step("layer norm, MLP", fork)
    again = low - _DOWN - RADIUS
    arrow(axis, (middle, low), (middle, again + RADIUS))
    bypass(axis, middle, fork - 0.09, left - 0.2, again, "+")
    step("to the head, 1 x 64", again - RADIUS)
