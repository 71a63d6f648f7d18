"""From a picture to classes, to a map over what the network saw, and to a sentence."""

from dataclasses import dataclass

import numpy as np

from patchconvnet import faithfulness
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import familiarity
from patchconvnet.inference.looking import look, maps_of

# a map as flat as equal weights on more than this share of its cells has no place
SPREAD = 0.75


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network says about one picture.

    Attributes:
        names: names of the classes, most probable first: a tuple of strings.
        probabilities: float (classes,), in the same order; they sum to 1.
        attention: float (h, w), the attention map, laid over the square; of
            the predicted class's token if there are several. With average
            pooling: the class activation map of the predicted class, its
            positive part, summing to 1.
        square: the part of the picture that the network saw, in pixels of the
            picture: (left, top, side), ints.
        map_name: "attention" or "class activation".
        strange: whether the picture is farther from the training images than
            19 of 20 test images are (see `familiarity`): a bool, or None where
            that was not asked.
    """

    names: tuple
    probabilities: np.ndarray
    attention: np.ndarray
    square: tuple
    map_name: str = "attention"
    strange: bool | None = None


def central_square(picture):
    """The greatest square in the middle of a picture (H, W, 3): (left, top,
    side) in pixels.
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    return (width - side) // 2, (height - side) // 2, side


def predict(model, picture, class_names, usual=None):
    """Classify one picture and say where the network looked.

    The network takes squares, so it sees the central square of the picture, as
    large as fits; nothing is stretched. What lies outside has no part in the
    answer.

    Args:
        model: a `PatchConvNet`.
        picture: uint8 (H, W, 3), of any size.
        class_names: names of the model's classes.
        usual: what is usual for this network, as `familiarity.measure` or
            `Record.usual` gives it, or None.

    Returns:
        A `Prediction`.

    Raises:
        PatchConvNetError: not as many names as classes; no picture.
    """
    picture = np.asarray(picture)
    if picture.ndim != 3 or 0 in picture.shape:
        raise PatchConvNetError(
            f"a picture of shape {picture.shape}; wanted (height, width, 3)"
        )
    left, top, side = central_square(picture)
    # (H, W, 3) -> (1, side, side, 3)
    seen = picture[None, top : top + side, left : left + side]
    logits, maps = look(model, seen)
    if len(class_names) != logits.shape[1]:
        raise PatchConvNetError(
            f"{len(class_names)} class names for a network of {logits.shape[1]} classes"
        )
    shifted = np.exp(logits[0] - logits[0].max())
    probabilities = shifted / shifted.sum()  # (classes,)
    order = np.argsort(-probabilities, kind="stable")
    strange = None
    if usual is not None:
        strange = bool(familiarity.distances(model, seen, usual)[0] > usual["limit"])
    by_attention = model.get_config()["pooling"] == "attention"
    return Prediction(
        names=tuple(class_names[index] for index in order),
        probabilities=probabilities[order],
        attention=maps_of(order[:1], maps)[0],
        square=(left, top, side),
        map_name="attention" if by_attention else "class activation",
        strange=strange,
    )


# === in words ===


def describe(found):
    """A prediction in a sentence: "star, 97%; attention strongest at the upper left".

    Good as an alt text. The place is that of the map's greatest cell, in
    ninths of the square that the network saw. A map whose entropy is that of
    equal weights on more than three cells in four has no place: "attention
    spread over the picture".

    Args:
        found: a `Prediction`.
    """
    share = found.probabilities[0]
    sure = "more than 99%" if share > 0.995 else f"{share:.0%}"
    cut = found.square[0] > 0 or found.square[1] > 0
    cells = 2 ** faithfulness.entropy(found.attention[None])[0]
    if cells > SPREAD * found.attention.size:
        where = f"spread over the {'central square' if cut else 'picture'}"
    else:
        of = " of the central square" if cut else ""
        where = f"strongest {_place(found.attention)}{of}"
    strange = "; unlike the training pictures" if found.strange else ""
    return f"{found.names[0]}, {sure}; {found.map_name} {where}{strange}"


def _place(weights):
    """Which ninth of the map (h, w) the middle of its greatest cell lies in."""
    cell = np.unravel_index(np.argmax(weights), weights.shape)
    row, column = (
        int(3 * (index + 0.5) / count) for index, count in zip(cell, weights.shape)
    )
    names = (
        ("upper left", "top", "upper right"),
        ("left", "middle", "right"),
        ("lower left", "bottom", "lower right"),
    )
    return f"{'in' if (row, column) == (1, 1) else 'at'} the {names[row][column]}"


def remark(found):
    """What to keep in mind about a prediction: one plain sentence, or "" for nothing.

    Nothing to say is no guarantee: many strange pictures are not seen to be
    strange (see `familiarity`).

    Args:
        found: a `Prediction`.
    """
    if found.strange is False:
        return ""
    known = "this is unlike"
    if found.strange is None:
        known = "nobody measured how near this is to"
    return (
        f"{known} the pictures that the network was trained on. It names one of its"
        f" {len(found.names)} classes whatever it sees, and the map says where it"
        " looked, not that something is there."
    )
