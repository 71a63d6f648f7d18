"""PatchConvNet in Keras 3: the package behind the course.

from patchconvnet import PatchConvNet, load_dataset, records, train
"""

import importlib
import os
import sys

# TensorFlow leaves oneDNN's faster convolutions off on CPUs without AVX-512;
# tools/benchmark.py shows what they bring. It must be set before TensorFlow is
# imported. A value that is set stays.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.2.0"

_HOMES = {
    "PatchConvNet": "patchconvnet.model",
    "PatchConvNetError": "patchconvnet.errors",
    "load_dataset": "patchconvnet.data",
    "train": "patchconvnet.training",
}
__all__ = [*_HOMES, "records"]


def __getattr__(name):
    # For the command line, which imports on first use: see below.
    if name == "records":
        return importlib.import_module("patchconvnet.records")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'patchconvnet' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})


if sys.argv[:1] != ["-m"]:
    # `import patchconvnet` registers every class, so that `keras.models.load_model`
    # finds them. Not so while Python locates `-m patchconvnet`: Keras takes seconds,
    # and the command line must be able to say that it cannot start.
    for _home in dict.fromkeys(_HOMES.values()):
        importlib.import_module(_home)
