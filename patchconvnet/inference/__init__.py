"""Any picture, anywhere, to classes and an attention map.

    predicting.py    a picture, to classes, a map over it, and a sentence:
                     predict, describe, remark
    looking.py       pictures, to logits and maps, whatever the pooling: look, maps_of
    familiarity.py   is a picture like those that the network was trained on?

A picture is read by data/reading.py: from a file, an address, bytes or an array.
"""

from patchconvnet.data.reading import find_pictures, read_image, thumbnail
from patchconvnet.inference.looking import look, maps_of
from patchconvnet.inference.predicting import (
    Prediction,
    central_square,
    describe,
    predict,
    remark,
)

__all__ = [
    "Prediction",
    "central_square",
    "describe",
    "find_pictures",
    "look",
    "maps_of",
    "predict",
    "read_image",
    "remark",
    "thumbnail",
]
