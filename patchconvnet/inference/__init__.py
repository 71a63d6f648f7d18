"""Any picture, anywhere, to classes and an attention map.

    predicting.py    a picture, to classes, a map over it, and a sentence:
                     predict, describe, remark
    looking.py       pictures, to logits and maps, whatever the pooling: look, maps_of
    familiarity.py   is a picture like those that the network was trained on?
    calibration.py   is a network right as often as it is sure?
                     reliability, expected_calibration_error, fit_temperature

A picture is read by data/reading.py: from a file, an address, bytes or an array.
"""

from patchconvnet.data.reading import find_pictures, read_image, thumbnail
from patchconvnet.inference.calibration import (
    expected_calibration_error,
    fit_temperature,
    reliability,
    softmax,
)
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
    "expected_calibration_error",
    "find_pictures",
    "fit_temperature",
    "look",
    "maps_of",
    "predict",
    "read_image",
    "reliability",
    "remark",
    "softmax",
    "thumbnail",
]
