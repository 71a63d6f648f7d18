"""How a notebook keeps its figures."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from patchconvnet.plotting import notebook


def test_a_figure_is_kept_with_twice_the_pixels_and_nearly_its_colours():
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype="uint8")
    figure = plt.figure(figsize=(1.28, 0.64), dpi=50)  # 64 x 32 pixels on the page
    axis = figure.add_axes([0, 0, 1, 1])
    axis.axis("off")
    axis.imshow(picture, aspect="auto", interpolation="nearest")
    content, size = notebook.sharp_png(figure)
    plt.close(figure)
    kept = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
    assert kept.shape[2] == 3
    # a tight box has a margin
    assert abs(size["width"] - 64) <= 12 and abs(size["height"] - 32) <= 12
    assert (
        abs(kept.shape[1] - 2 * size["width"]) <= 1
        and abs(kept.shape[0] - 2 * size["height"]) <= 1
    )
    # 64 shades; white stays white
    assert (kept[(kept != 255).any(axis=2)] % 4 == 0).mean() > 0.95
    middle = kept.shape[0] // 2, kept.shape[1] // 2
    around = picture[15:17, 15:17].reshape(-1, 3).astype(int)
    assert np.abs(around - kept[middle].astype(int)).max(axis=1).min() <= 2


def test_outside_a_notebook_nothing_changes():
    notebook.draw_sharply()  # no shell: neither an error nor a change
    assert plt.get_backend().lower() == "agg"


def test_a_drawing_keeps_its_colours_in_a_palette():
    figure, axis = plt.subplots(figsize=(2, 1), dpi=50)
    for height, colour in enumerate(("#0072B2", "#D55E00", "#009E73")):
        axis.axhline(height, color=colour, linewidth=4)
    content, _ = notebook.sharp_png(figure)
    plt.close(figure)
    kept = Image.open(io.BytesIO(base64.b64decode(content)))
    assert kept.mode == "P"
    shown = np.asarray(kept.convert("RGB")).reshape(-1, 3).astype(int)
    for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0), (0, 0x9E, 0x73), (255, 255, 255)):
        assert np.abs(shown - colour).max(axis=1).min() <= 4


def photographs(count=6):
    """A figure of so many noisy pictures of 224 pixels: the worst to compress."""
    dice = np.random.default_rng(0)
    figure, axes = plt.subplots(1, count, figsize=(1.8 * count, 1.8), squeeze=False)
    for axis in axes.flat:
        axis.imshow(dice.integers(0, 256, (224, 224, 3), dtype="uint8"))
        axis.axis("off")
    return figure


def test_photographs_are_kept_small_and_as_jpeg():
    figure = photographs()
    content, size = notebook.sharp_jpeg(figure)
    assert notebook.sharp_png(figure) is None
    plt.close(figure)
    content = base64.b64decode(content)
    kept = Image.open(io.BytesIO(content))
    assert kept.format == "JPEG" and len(content) <= 60_000
    assert 0.9 * size["width"] <= kept.width <= 2 * size["width"] + 2


def test_however_many_photographs_the_limit_holds():
    figure = photographs(count=30)
    content, _ = notebook.sharp_jpeg(figure)
    plt.close(figure)
    assert len(base64.b64decode(content)) <= 60_000


def test_small_pictures_are_no_photographs():
    figure, axis = plt.subplots()
    axis.imshow(np.zeros((64, 64, 3), dtype="uint8"))
    assert notebook.sharp_jpeg(figure) is None
    assert notebook.sharp_png(figure) is not None
    plt.close(figure)
