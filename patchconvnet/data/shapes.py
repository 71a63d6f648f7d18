"""Shapes: a data set drawn by code, with an exact mask for every image.

How one image comes about:

    background = smooth random colours, a few strokes of clutter on top
    shape      = one of ten outlines, all with the same area before scaling
    object     = the shape, moved, turned and scaled, in a colour that stands out
    image      = background, then object, then pixel noise, as uint8
    mask       = the pixels of which the object covers at least half

Position, size, angle and colour are drawn without looking at the class, so only the
outline tells it. The same seed gives the same bytes everywhere: all arithmetic is
elementwise (no matrix products, whose order of summation is up to the machine), and
sines and cosines are rounded before they are used.
"""

import numpy as np

VERSION = 1
IMAGE_SIZE = 32
SAMPLES = 3  # every pixel is tested at 3 x 3 points: soft edges
CLUTTER = 5  # strokes an image
NOISE = 0.08  # width of the pixel noise, where colours go from 0 to 1
MUTED = (0.2, 0.8)  # range of the background's colours
SIDE_RANGE = (12.0, 16.0)  # square root of the object's area, in pixels
# least distance of the object's centre from the border, in sides: a tip may be cut off
MARGIN = 0.55
CHUNK = 200  # images drawn at a time: bounds the memory


# === the ten outlines, as tests of points (u, v) in the square from -1 to 1 ===


def _turned(radius, count, first=0.0):
    """`count` points on a circle: (count, 2), rounded: the same on every machine."""
    angle = 2 * np.pi * (np.arange(count) / count + first)
    return np.round(radius * np.stack([np.sin(angle), -np.cos(angle)], axis=1), 6)


def _polygon(vertices):
    """Even-odd rule: inside, a ray crosses the outline an odd number of times."""
    vertices = np.asarray(vertices, dtype="float32")

    def inside(u, v):
        result = np.zeros(u.shape, dtype=bool)
        for (u0, v0), (u1, v1) in zip(vertices, np.roll(vertices, -1, axis=0)):
            if v0 == v1:  # a ray along u never crosses a level edge
                continue
            slope = (u1 - u0) / (v1 - v0)
            result ^= ((v >= v0) != (v >= v1)) & (u < (v - v0) * slope + u0)
        return result

    return inside


def _star_vertices():
    outer, inner = _turned(1.0, 5), _turned(0.5, 5, first=0.1)
    # (5, 2, 2) -> (10, 2): tips and notches in turn
    return np.stack([outer, inner], axis=1).reshape(10, 2)


_CROSS = [(-0.42, -1), (0.42, -1), (0.42, -0.42), (1, -0.42), (1, 0.42), (0.42, 0.42)]
_CROSS += [(-u, -v) for u, v in _CROSS]

_ARROW = [(0, -1), (0.85, 0), (0.32, 0), (0.32, 0.9)]
_ARROW += [(-u, v) for u, v in _ARROW[:0:-1]]
_HOURGLASS = [(-0.7, -0.9), (0.7, -0.9), (0.36, 0), (0.7, 0.9), (-0.7, 0.9), (-0.36, 0)]
_HEART_POINT = _polygon([(-0.96, -0.08), (0.96, -0.08), (0, 0.98)])


def _heart(u, v):
    aside = abs(u) - 0.46  # two discs side by side, on a triangle
    return (aside * aside + (v + 0.3) * (v + 0.3) < 0.29) | _HEART_POINT(u, v)


# None has a deep bite or a wide hole. A network looks into those, and rightly: that is
# where such shapes differ. But "is the greatest cell on the object?" would count it as
# a miss. Chapter 02 says so.
_OUTLINES = {
    "circle": lambda u, v: u * u + v * v < 1,
    "square": lambda u, v: np.maximum(abs(u), abs(v)) < 0.7,
    "triangle": _polygon(_turned(1.0, 3)),
    "star": _polygon(_star_vertices()),
    "cross": _polygon(_CROSS),
    "ring": lambda u, v: (u * u + v * v < 1) & (u * u + v * v > 0.13),
    "semicircle": lambda u, v: (u * u + v * v < 1) & (v < 0),
    "arrow": _polygon(_ARROW),
    "heart": _heart,
    "hourglass": _polygon(_HOURGLASS),
}
CLASS_NAMES = tuple(_OUTLINES)


def _measure(outline, points=400):
    """Centre (u, v) and area of an outline, counted on a fine grid."""
    line = (np.arange(points, dtype="float32") + 0.5) * np.float32(2 / points) - 1
    v, u = np.meshgrid(line, line, indexing="ij")  # (points, points) each
    inside = outline(u, v)
    centre = [u[inside].mean(dtype="float64"), v[inside].mean(dtype="float64")]
    return np.round(centre, 6), 4 * inside.sum() / points**2


_CENTRE, _AREA = (
    np.array(column) for column in zip(*map(_measure, _OUTLINES.values()))
)


# === drawing ===


def _random_generator(seed):
    if not isinstance(seed, (int, np.integer, tuple, list)) or isinstance(seed, bool):
        raise TypeError(
            f"seed must be an integer or a sequence of integers, got {seed!r}"
        )
    if np.any(np.asarray(seed) < 0):
        raise ValueError(f"seed must not be negative, got {seed!r}")
    return np.random.Generator(np.random.PCG64(seed))


def _sample_points():
    """Test points along one axis, in pixels: (IMAGE_SIZE * SAMPLES,)."""
    numbers = np.arange(IMAGE_SIZE * SAMPLES, dtype="float32")
    return (numbers + np.float32(0.5)) / np.float32(SAMPLES)


def _object_coordinates(centre_x, centre_y, angle, scale):
    """Every test point as seen from an object of `scale` pixels, turned by
    `angle`: two (N, P, P) arrays.
    """
    points = _sample_points()
    # (N,) -> (N, 1, 1)
    column = lambda values: np.asarray(values, dtype="float32")[:, None, None]
    # Rounded: the last bits of a sine differ from one machine's library to
    # another's.
    sine, cosine = (
        column(np.round(np.sin(angle), 6)),
        column(np.round(np.cos(angle), 6)),
    )
    x = (points[None, None, :] - column(centre_x)) / column(scale)  # (N, 1, P)
    y = (points[None, :, None] - column(centre_y)) / column(scale)  # (N, P, 1)
    return cosine * x + sine * y, cosine * y - sine * x  # (N, P, P) each


def _coverage(inside):
    """Share of each pixel's test points that are inside.

    bool (N, P, P) -> float32 (N, 32, 32)
    """
    counts = inside.view("uint8")
    # (N, P, P) -> (N, 32, P)
    counts = sum(counts[:, row::SAMPLES] for row in range(SAMPLES))
    # (N, 32, P) -> (N, 32, 32)
    counts = sum(counts[:, :, column::SAMPLES] for column in range(SAMPLES))
    return counts.astype("float32") / np.float32(SAMPLES**2)


def _paint(canvas, colour, coverage):
    """Lay `colour` (N, 3) over `canvas` (N, 3, 32, 32), in place.

    `coverage` (N, 32, 32) says where.
    """
    canvas += (colour[:, :, None, None] - canvas) * coverage[:, None]


def _smooth_colours(corners):
    """Stretch a 3 x 3 grid of colours over the image, bilinearly.

    (N, 3, 3, 3) -> (N, 3, 32, 32)
    """
    numbers = np.arange(IMAGE_SIZE, dtype="float32")
    position = (numbers + np.float32(0.5)) / np.float32(IMAGE_SIZE / 2)
    lower = position.astype(int)
    share = position - lower  # (32,)
    above, below = corners[:, :, lower], corners[:, :, lower + 1]  # (N, 3, 32, 3)
    rows = above * (1 - share[:, None]) + below * share[:, None]
    # (N, 3, 32, 3) -> (N, 3, 32, 32)
    return rows[..., lower] * (1 - share) + rows[..., lower + 1] * share


def _paint_clutter(canvas, draws):
    """Strokes of random place, angle, length, width and colour.

    `draws` is (N, CLUTTER, 8) in 0..1.
    """
    for stroke in np.moveaxis(draws, 1, 0):
        x, y, turn, length, width = (stroke[:, index] for index in range(5))
        u, v = _object_coordinates(
            x * IMAGE_SIZE, y * IMAGE_SIZE, turn * 2 * np.pi, np.ones_like(x)
        )
        half_length = (2 + 5 * length[:, None, None]).astype("float32")
        half_width = (0.5 + width[:, None, None]).astype("float32")
        inside = (abs(u) < half_length) & (abs(v) < half_width)
        _paint(canvas, stroke[:, 5:8].astype("float32"), _coverage(inside))


def _object_coverage(labels, draws):
    """Place the objects: labels (N,), draws (N, 4) -> coverage float32 (N, 32, 32)."""
    side = SIDE_RANGE[0] + draws[:, 0] * (SIDE_RANGE[1] - SIDE_RANGE[0])
    margin = MARGIN * side  # the same for every class
    centre_x, centre_y = (
        margin + draws[:, axis] * (IMAGE_SIZE - 2 * margin) for axis in (1, 2)
    )
    scale = side / np.sqrt(_AREA[labels])
    u, v = _object_coordinates(centre_x, centre_y, draws[:, 3] * 2 * np.pi, scale)
    inside = np.empty(u.shape, dtype=bool)
    for label, outline in enumerate(_OUTLINES.values()):
        chosen = labels == label
        shift_u, shift_v = _CENTRE[label].astype("float32")
        inside[chosen] = outline(u[chosen] + shift_u, v[chosen] + shift_v)
    return _coverage(inside)


def _distinct(colour, canvas, coverage):
    """Move an object's colour (N, 3) half-way round the colour cube if it is too near.

    That is, near to what it hides.
    """
    covered = coverage > 0
    # (N, 3, 32, 32) -> (N, 3)
    hidden = (canvas * covered[:, None]).sum(axis=(2, 3), dtype="float64")
    # rounded: see the module's docstring
    hidden = np.round(hidden / covered.sum(axis=(1, 2))[:, None], 3)
    near = ((colour - hidden) ** 2).sum(axis=1) < 0.3
    return np.where(near[:, None], (colour + 0.5) % 1, colour)


def _background(corners, clutter):
    """Smooth colours, strokes on top: float32 (N, 3, 32, 32).

    Drawn are (N, 27) numbers for the one and (N, 8 * CLUTTER) for the other, in 0..1.
    """
    corners = MUTED[0] + (MUTED[1] - MUTED[0]) * corners
    canvas = _smooth_colours(corners.reshape(-1, 3, 3, 3).astype("float32"))
    _paint_clutter(canvas, clutter.reshape(-1, CLUTTER, 8))
    return canvas


def _paint_object(canvas, labels, placing, colour):
    """Lay an object on each canvas, in place: its coverage, float32 (N, 32, 32)."""
    coverage = _object_coverage(labels, placing)
    _paint(canvas, _distinct(colour, canvas, coverage).astype("float32"), coverage)
    return coverage


def _developed(canvas, noise):
    """Noise, and rounding to uint8.

    float32 (N, 3, 32, 32), changed in place -> (N, 32, 32, 3)
    """
    noise = noise.reshape(canvas.shape).astype("float32")
    canvas += (noise - np.float32(0.5)) * np.float32(NOISE)
    images = np.clip(canvas * 255 + np.float32(0.5), 0, 255).astype("uint8")
    return images.transpose(0, 2, 3, 1)  # (N, 3, 32, 32) -> (N, 32, 32, 3)


def _draw_chunk(labels, generator):
    # One row of draws an image: the first images do not depend on how many are wanted.
    sizes = (27, 8 * CLUTTER, 4, 3, IMAGE_SIZE * IMAGE_SIZE * 3)
    draws = generator.random((len(labels), sum(sizes)))
    corners, clutter, placing, colour, noise = np.split(
        draws, np.cumsum(sizes[:-1]), axis=1
    )
    canvas = _background(corners, clutter)
    coverage = _paint_object(canvas, labels, placing, colour)
    return _developed(canvas, noise), coverage >= 0.5


def _check_count(count):
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool):
        raise TypeError(f"count must be an integer, got {count!r}")
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")


def generate(count, seed=0):
    """Draw `count` images.

    Image number i has class i % 10, so any multiple of ten is balanced.

    Args:
        count: how many images, at least 1.
        seed: a non-negative integer, or a sequence of them. Same seed, same bytes; and
            a longer set begins with the images of a shorter one.

    Returns:
        images: uint8 (count, 32, 32, 3), RGB in 0..255.
        labels: int64 (count,), indices into `CLASS_NAMES`.
        masks: bool (count, 32, 32), True where the object covers at least half of a
            pixel.

    Raises:
        TypeError: if `count` or `seed` is not an integer (or, for `seed`, a sequence of
            them).
        ValueError: if `count` is below 1 or `seed` is negative.
    """
    _check_count(count)
    generator = _random_generator(seed)
    labels = np.arange(count, dtype="int64") % len(CLASS_NAMES)
    images = np.empty((count, IMAGE_SIZE, IMAGE_SIZE, 3), dtype="uint8")
    masks = np.empty((count, IMAGE_SIZE, IMAGE_SIZE), dtype=bool)
    for start in range(0, count, CHUNK):
        chunk = slice(start, start + CHUNK)
        images[chunk], masks[chunk] = _draw_chunk(labels[chunk], generator)
    return images, labels, masks


def generate_pairs(count, seed=0):
    """Draw `count` images with two objects of different classes each.

    What does a network make of them? They lie near opposite borders, and are of the
    lesser sizes of `generate`. In one image of thirty their tips meet; there the second
    hides the first.

    Args:
        count: how many images, at least 1. Any multiple of 90 has each ordered pair of
            classes equally often.
        seed: as in `generate`.

    Returns:
        images: uint8 (count, 32, 32, 3), RGB in 0..255.
        labels: int64 (count, 2), indices into `CLASS_NAMES`.
        masks: bool (count, 2, 32, 32), True where each object covers at least half of a
            pixel and is not hidden.

    Raises:
        TypeError, ValueError: as `generate`.
    """
    _check_count(count)
    number = np.arange(count, dtype="int64")
    # (N, 2)
    labels = np.stack([number, number + 1 + number // 10 % 9], axis=1) % 10
    sizes = (27, 8 * CLUTTER, 1, 8, 6, IMAGE_SIZE * IMAGE_SIZE * 3)
    draws = _random_generator(seed).random((count, sum(sizes)))
    corners, clutter, lies, placing, colour, noise = np.split(
        draws, np.cumsum(sizes[:-1]), axis=1
    )
    placing, colour = placing.reshape(count, 2, 4), colour.reshape(count, 2, 3)
    placing[:, :, 0] *= 0.3  # size
    apart = 1 + (lies[:, 0] < 0.5)  # along which axis: 1 for x, 2 for y
    # One lies near the left or upper border, one near the right or lower border, and
    # half-way along the other axis.
    placing[number, 0, apart] *= 0.1
    placing[number, 1, apart] = 1 - 0.1 * placing[number, 1, apart]
    placing[number, 1, 3 - apart] = (placing[number, 0, 3 - apart] + 0.5) % 1
    canvas = _background(corners, clutter)
    coverage = [
        _paint_object(canvas, labels[:, index], placing[:, index], colour[:, index])
        for index in range(2)
    ]
    # 2 of (N, 32, 32) -> (N, 2, 32, 32)
    masks = np.stack(coverage, axis=1) >= 0.5
    masks[:, 0] &= ~masks[:, 1]
    return _developed(canvas, noise), labels, masks
