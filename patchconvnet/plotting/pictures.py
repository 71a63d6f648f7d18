"""Pictures, and maps laid over them."""

import numpy as np

from patchconvnet.plotting.marks import frame, outline
from patchconvnet.plotting.style import BLUE, figure, letters


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
    size = (1.15 * columns, 1.35 * rows)
    with figure(save_to, rows, columns, size=size) as (_, axes):
        for axis in axes.flat:
            axis.axis("off")
        for index, (axis, picture) in enumerate(zip(axes.flat, pictures)):
            white = 255 if picture.dtype == np.uint8 else None
            axis.imshow(picture, cmap="gray", vmin=0, vmax=white)
            if masks is not None:
                outline(axis, masks[index])
            if titles is not None:
                axis.set_title(titles[index], fontsize=letters(size[0], 9))


def _same_number(**given):
    counts = {name: len(values) for name, values in given.items() if values is not None}
    if len(set(counts.values())) != 1:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        raise ValueError(f"not as many: {told}")


def attention(
    pictures, maps, titles=None, columns=4, masks=None, squares=None, save_to=None
):
    """Pictures, each with its attention map laid over it on its right.

    The greatest cell of every map is framed. Each map has its own colours, from its
    least to its greatest weight.

    Args:
        pictures: uint8 (N, H, W, 3), or a list of N arrays (H, W, 3) of any size.
        maps: float (N, h, w).
        titles: N strings, or None.
        columns: how many pairs stand side by side.
        masks: bool (N, H, W), drawn as outlines, or None.
        squares: N parts of the pictures that the maps lie over, in pixels: (left, top,
            side); what is outside is dimmed. None where each map lies over its whole
            picture.
        save_to: a file to write instead of showing the figure.
    """
    _same_number(
        pictures=pictures, maps=maps, titles=titles, masks=masks, squares=squares
    )
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    size = (2.9 * columns, 1.75 * rows)
    with figure(save_to, rows, 2 * columns, size=size) as (_, axes):
        for axis in axes.flat:
            axis.axis("off")
        for index, (picture, weights) in enumerate(zip(pictures, maps)):
            plain, laid_over = axes.reshape(-1, 2)[index]
            plain.imshow(picture)
            square = None if squares is None else squares[index]
            lay_over(laid_over, picture, weights, square)
            if masks is not None:
                outline(laid_over, masks[index])
            if titles is not None:
                plain.set_title(titles[index], loc="left", fontsize=letters(size[0], 9))


def lay_over(axis, picture, weights, square=None, corner=(-0.5, -0.5), scale=1.0):
    """Draw a map (h, w) over a picture (H, W, 3); frame its greatest cell.

    The picture is grey, so that all colour is weight.

    Args:
        axis: matplotlib axes whose second axis points down.
        square: (left, top, side) in pixels of the picture, where the map lies; the rest
            is dimmed. None: all of it.
        corner: where on the axes the picture's upper left corner is.
        scale: units of the axes for a pixel.

    Returns:
        The drawn map, for a colour bar.
    """
    height, width = picture.shape[:2]
    left, top, across, down = 0, 0, width, height
    if square is not None:
        left, top, across, down = *square, square[2]

    def extent(left, top, across, down):
        x, y = corner[0] + scale * left, corner[1] + scale * top
        return x, x + scale * across, y + scale * down, y

    whole, part = extent(0, 0, width, height), extent(left, top, across, down)
    seen = (slice(top, top + down), slice(left, left + across))
    grey = picture.mean(axis=2)  # (H, W, 3) -> (H, W)
    shown_grey = 255 - 0.3 * (255 - grey)  # dimmed
    shown_grey[seen] = grey[seen]
    axis.imshow(shown_grey, cmap="gray", vmin=0, vmax=255, extent=whole)
    shown = axis.imshow(
        weights, extent=part, cmap="viridis", alpha=0.65, interpolation="nearest"
    )
    axis.set(xlim=whole[:2], ylim=whole[2:])  # else the view would shrink to the map
    row, column = np.unravel_index(np.argmax(weights), weights.shape)
    cell = scale * across / weights.shape[1], scale * down / weights.shape[0]
    frame(axis, part[0] + column * cell[0], part[3] + row * cell[1], *cell)
    return shown


def prediction(
    picture,
    weights,
    names,
    probabilities,
    square=None,
    map_name="attention",
    save_to=None,
):
    """One picture, its attention map with a colour bar, and the most probable classes.

    Args:
        picture: uint8 (H, W, 3), of any size.
        weights: float (h, w), the attention map.
        names: names of the classes, most probable first.
        probabilities: their probabilities, 0 to 1.
        square: the part of the picture that the map lies over, in pixels: (left, top,
            side); what is outside is dimmed. None where the map lies over the whole
            picture.
        map_name: what the map is, for its title.
        save_to: a file to write instead of showing the figure.
    """
    layout = {"size": (11, 3.6), "width_ratios": (1, 1.15, 0.9)}
    with figure(save_to, 1, 3, **layout) as (canvas, axes):
        plain, laid_over, bars = axes[0]
        plain.imshow(picture)
        plain.set_title("picture")
        shown = lay_over(laid_over, picture, weights, square)
        laid_over.set_title(map_name)
        canvas.colorbar(shown, ax=laid_over, label="weight of a patch", shrink=0.85)
        for axis in (plain, laid_over):
            axis.axis("off")
        bars.barh(range(len(names)), probabilities, color=BLUE)
        bars.set_yticks(range(len(names)), names)
        bars.invert_yaxis()
        bars.set_xlim(0, 1)
        bars.set_xlabel("probability")


def film(pictures, maps, epochs, titles=None, captions=None, masks=None, save_to=None):
    """The same pictures' attention maps: one row a picture, one column an epoch.

    Args:
        pictures: uint8 (P, H, W, 3), or None: then the maps alone, without a first
            column of pictures.
        maps: float (E, P, h, w).
        epochs: which entries of `maps` to show: ints.
        titles: P strings, or None; those wider than a picture should have line breaks.
        captions: for each of `epochs` P such strings to write below the maps, or None.
        masks: bool (P, H, W), drawn as outlines, or None.
        save_to: a file to write instead of showing the figure.
    """
    rows, first = len(maps[0]), 0 if pictures is None else 1
    columns = first + len(epochs)
    height, font = (1.35, 9) if captions is None else (1.7, 11)
    written = [*(titles or ()), *(text for some in captions or () for text in some)]
    lines = max((text.count("\n") for text in written), default=0)
    size = (1.3 * columns, (height + 0.2 * lines) * rows)
    font = letters(size[0], font)
    with figure(save_to, rows, columns, size=size) as (_, axes):
        for axis in axes.flat:
            axis.axis("off")
        for row, axis_row in enumerate(axes):
            if first:
                axis_row[0].imshow(pictures[row])
            if titles is not None and first:
                axis_row[0].set_title(titles[row], fontsize=font)
            for column, (axis, epoch) in enumerate(zip(axis_row[first:], epochs)):
                weights = np.asarray(maps[epoch][row], dtype="float32")
                white = np.full((*weights.shape, 3), 255)
                lay_over(axis, white if pictures is None else pictures[row], weights)
                if masks is not None:
                    outline(axis, masks[row])
                if captions is not None:
                    below = {"ha": "center", "va": "top", "transform": axis.transAxes}
                    caption = captions[column][row]
                    axis.text(0.5, -0.04, caption, fontsize=font, **below)
                if row == 0:
                    title = "untrained" if epoch == 0 else f"epoch {epoch}"
                    axis.set_title(title, fontsize=font)
