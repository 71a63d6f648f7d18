"""Any picture, anywhere, to classes and an attention map.

    reading      a file, an address, bytes or an array, to red, green and blue      read_image, find_pictures, thumbnail
    predicting   a picture, to classes, a map over it, and a sentence               predict, describe, remark
"""

from patchconvnet.inference.predicting import Prediction, central_square, describe, predict, remark
from patchconvnet.inference.reading import find_pictures, read_image, thumbnail

__all__ = [
    "Prediction",
    "central_square",
    "describe",
    "find_pictures",
    "predict",
    "read_image",
    "remark",
    "thumbnail",
]
