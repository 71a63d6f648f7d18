"""From a picture file to classes and an attention map."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from patchconvnet.errors import PatchConvNetError

LARGEST_SIDE = 1024  # pixels: larger pictures are shrunk on reading, which bounds the memory


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network says about one picture.

    Attributes:
        names: names of the classes, most probable first: a tuple of strings.
        probabilities: float (classes,), in the same order; they sum to 1.
        attention: float (h, w), the attention map, laid over the whole picture; of the predicted class's token if
            there are several.
    """

    names: tuple
    probabilities: np.ndarray
    attention: np.ndarray


def read_image(path):
    """Read a picture file as red, green and blue.

    A turned photograph (EXIF) is set upright, transparency becomes white, 16-bit grey is scaled to 8 bits.

    Args:
        path: a file that Pillow can read: PNG, JPEG, WebP, GIF (its first picture), BMP, TIFF...

    Returns:
        uint8 (H, W, 3), no side longer than 1,024 pixels.

    Raises:
        PatchConvNetError: no such file, not a picture, a truncated one, or one of more than 178 million pixels.
    """
    path = Path(path).expanduser()
    if path.is_dir() or not path.exists():
        raise PatchConvNetError(f"{path} is {'a folder' if path.is_dir() else 'not there'}: give a picture file")
    try:
        with Image.open(path) as picture:
            if picture.format == "JPEG":
                picture.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))  # decodes a large one at a fraction of its size
            picture.load()
            return np.asarray(_upright_rgb(picture))
    except UnidentifiedImageError as error:
        raise PatchConvNetError(f"{path} is not a picture: give a PNG, JPEG or another picture file") from error
    except Image.DecompressionBombError as error:
        raise PatchConvNetError(f"{path} has too many pixels: shrink it first") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise PatchConvNetError(f"{path} cannot be read as a picture ({error}): is it damaged or cut short?") from error


def _upright_rgb(picture):
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype="float64")
        picture = Image.fromarray(np.clip(values / 257, 0, 255).astype("uint8"))  # 65,535 -> 255
    transparent = "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "La", "RGBa")
    picture = picture.convert("RGBA" if transparent else "RGB")  # first: a palette cannot be shrunk smoothly
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    if transparent:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def predict(model, picture, class_names):
    """Classify one picture and say where the network looked.

    The picture is stretched to the network's square input, so the map covers all of it.

    Args:
        model: a `PatchConvNet` with attention pooling.
        picture: uint8 (H, W, 3), of any size.
        class_names: names of the model's classes.

    Returns:
        A `Prediction`.

    Raises:
        PatchConvNetError: pooling by averaging, which has no map; not as many names as classes.
    """
    logits, attention = model.explain(np.asarray(picture)[None])
    if len(class_names) != logits.shape[1]:
        raise PatchConvNetError(f"{len(class_names)} class names for a network of {logits.shape[1]} classes")
    shifted = np.exp(logits[0] - logits[0].max())
    probabilities = shifted / shifted.sum()  # (classes,)
    order = np.argsort(-probabilities, kind="stable")
    token = order[0] if attention.shape[1] > 1 else 0
    return Prediction(tuple(class_names[index] for index in order), probabilities[order], attention[0, token])
