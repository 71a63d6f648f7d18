"""A player of plain HTML, filled with data.

The words and the drawing are in player.js, beside this file.
"""

import base64
import html
import json
import re
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import written_aside

LARGEST = 2_000_000  # bytes of a player: a page with it must open on a phone
SIDE = 64  # pixels of a picture: larger ones are shrunk, or a few would fill a page
_FILES = Path(__file__).parent


class Player:
    """A player that a notebook shows by itself, with no kernel behind it.

    Attributes:
        html: the player as a piece of HTML: style, data and script, a string.
    """

    def __init__(self, html, description):
        self.html = html
        self.description = description

    def __repr__(self):
        return f"Player({self.description})"

    def _repr_html_(self):
        return self.html

    def write(self, path):
        """Write the player as a page of its own, to open in a browser or to send."""
        page = (_FILES / "page.html").read_text("utf-8")
        with written_aside(path) as aside:
            aside.write_text(page.replace("{player}", self.html), encoding="utf-8")


def player(seen, name=None):
    """A slider over the epochs, play and pause, and all pictures side by side.

    Each epoch shows each map over its picture, the answer and its probability, and a
    score of the map: with masks the share of the attention on the object, and whether
    the greatest cell is on it; without, the entropy. By mouse, touch and keyboard; with
    labels for screen readers.

    Args:
        seen: an `Evolution`. Each picture takes about 5 kB, one that must be shrunk to
            64 pixels about 20 kB: a dozen is a good number.
        name: of this player among those on the page: small letters, digits and hyphens.
            `seen.name` if not given.

    Returns:
        A `Player`: the last line of a cell shows it.

    Raises:
        PatchConvNetError: if the name is no such name, or the player would be larger
            than 2 MB.
    """
    if name is None:
        name = re.sub(r"[^a-z0-9]+", "-", seen.name.lower()).strip("-") or "player"
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise PatchConvNetError(
            f"name={name!r}: give a name of small letters, digits and hyphens"
        )
    epochs, pictures = seen.maps.shape[:2]
    parts = {
        file: (_FILES / f"player.{file}").read_text("utf-8")
        for file in ("html", "css", "js")
    }
    data = json.dumps(_data(seen), separators=(",", ":"))
    # "<" could end a script, or begin a comment in it; the escape is the same to JSON
    parts["data"] = data.replace("<", "\\u003c")
    parts["name"] = name
    parts["label"] = html.escape(f"Attention over the epochs, {seen.name}")
    frame = (_FILES / "frame.html").read_text("utf-8")
    whole = re.sub(r"\{(\w+)\}", lambda place: parts[place[1]], frame)
    if len(whole) > LARGEST:
        raise PatchConvNetError(
            f"this player would have {len(whole) / 1e6:.1f} MB: pick() fewer pictures"
        )
    return Player(whole, f"{seen.name!r}: {pictures} pictures, {epochs - 1} epochs")


def _data(seen):
    """All that the script needs, as plain values.

    What is shown as a number is rounded here, and only here.
    """
    grid = seen.maps.shape[2:]
    weights = seen.maps.reshape(*seen.maps.shape[:2], -1)  # (E + 1, P, h w)
    peaks = weights.max(axis=2)
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 1, 32))
    pictures, masks = (_small(some, grid) for some in (seen.pictures, seen.masks))
    return {
        "classes": list(seen.class_names),
        "grid": list(grid),
        "size": None if pictures is None else list(pictures.shape[1:3]),
        "maps": _base64((255 * weights / peaks[..., None]).round().astype("uint8")),
        "peaks": peaks.astype("float64").round(4).tolist(),
        "greatest": weights.argmax(axis=2).tolist(),
        "pictures": None if pictures is None else _base64(pictures),
        "masks": None if masks is None else _base64(np.packbits(masks)),
        "labels": None if seen.labels is None else seen.labels.tolist(),
        "answers": seen.answers.tolist(),
        "percent": _percent(seen.probabilities.max(axis=2)),
        "truth": None if seen.labels is None else _percent(seen.of_truth),
        "energy": None if seen.masks is None else _percent(seen.energy),
        "hits": None if seen.masks is None else seen.on_object.astype(int).tolist(),
        "entropy": seen.entropy.round(1).tolist(),
        "uniform": round(float(np.log2(weights.shape[2])), 1),
        "colours": [matplotlib.colors.to_hex(colour) for colour in colours],
        "note": seen.note,
    }


def _small(pictures, grid):
    """Pictures or masks (P, H, W, ...), shrunk where a side has more than `SIDE`
    pixels: to as many as give each cell of a map a whole number of them. None stays
    None.
    """
    if pictures is None or max(pictures.shape[1:3]) <= SIDE:
        return pictures
    height, width = (cells * max(1, SIDE // max(grid)) for cells in grid)
    is_mask = pictures.dtype == bool
    whole = 255 * pictures.astype("uint8") if is_mask else pictures
    each = [Image.fromarray(picture) for picture in whole]
    each = [picture.resize((width, height), Image.Resampling.BOX) for picture in each]
    small = np.stack([np.asarray(picture) for picture in each])
    # a pixel is on the object if at least half of what it stands for is
    return small >= 128 if is_mask else small


def _percent(shares):
    return (100 * shares).round().astype(int).tolist()


def _base64(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
