"""What machine this is: said at the top of every chapter, and kept in every record."""

import logging
import os
import platform
from importlib.metadata import PackageNotFoundError, version

import keras

_FRAMEWORKS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def versions():
    """Versions of what a result depends on: a dict of names to version strings."""
    from patchconvnet import __version__

    found = {"patchconvnet": __version__, "python": platform.python_version(), "keras": keras.__version__}
    for name in ("numpy", _FRAMEWORKS.get(keras.backend.backend(), "")):
        for distribution in (name, f"{name}-cpu"):
            try:
                found[name] = version(distribution)
                break
            except (PackageNotFoundError, ValueError):
                continue
    return found


def device():
    """The device that trains, in words: the GPU's name, or the number of CPU cores."""
    backend = keras.backend.backend()
    gpu = {"tensorflow": _tensorflow_gpu, "jax": _jax_gpu, "torch": _torch_gpu}.get(backend, lambda: None)()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return gpu or f"CPU, {cores} {'core' if cores == 1 else 'cores'}"


def _tensorflow_gpu():
    import tensorflow

    gpus = tensorflow.config.list_physical_devices("GPU")
    return tensorflow.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU") if gpus else None


def _jax_gpu():
    import jax

    first = jax.devices()[0]
    return None if first.platform == "cpu" else first.device_kind


def _torch_gpu():
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def peak_memory():
    """Greatest memory of this process so far, in bytes, or None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def announce(dataset, minutes):
    """Print what a chapter will run on, and how long it takes on two CPU cores; silence TensorFlow's warnings.

    Args:
        dataset: name of the chapter's data set.
        minutes: expected minutes for the whole chapter on two CPU cores.
    """
    # A chapter uses several networks one after the other; TensorFlow would warn that this is slow.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    backend = keras.backend.backend()
    found = versions()
    print(f"backend   {backend} {found.get(backend, '')}, Keras {found['keras']}")
    print(f"device    {device()}")
    print(f"data set  {dataset}")
    print(f"time      about {minutes} {'minute' if minutes == 1 else 'minutes'} on two CPU cores")
