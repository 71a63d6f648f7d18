"""What machine this is, and how it computes best.

Every chapter says it in its first cell, and every record keeps it.
"""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras

_FRAMEWORKS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def versions():
    """Versions of what a result depends on: a dict of names to version strings."""
    from patchconvnet import __version__

    found = {
        "patchconvnet": __version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
    }
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
    if gpu := _gpu():
        return gpu["name"]
    cores = os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    return f"CPU, {cores} {'core' if cores == 1 else 'cores'}"


def best_precision():
    """The dtype policy that this machine computes fastest: a string.

    "mixed_bfloat16" where there are units for it: GPUs from Ampere on, and with
    TensorFlow CPUs with AVX512-BF16 or AMX; "mixed_float16" on GPUs of Volta and Turing
    (a T4); "float32" elsewhere. Logits and loss are computed in float32 whatever it is.
    """
    gpu = _gpu()
    if gpu:
        if gpu["capability"] >= (8, 0):
            return "mixed_bfloat16"
        return "mixed_float16" if gpu["capability"] >= (7, 0) else "float32"
    units = {"avx512_bf16", "amx_bf16"} & _cpu_flags()
    if units and keras.backend.backend() == "tensorflow":
        return "mixed_bfloat16"
    return "float32"


def _cpu_flags():
    """Names of the processor's abilities, as Linux lists them: a set.

    It is empty on other systems.
    """
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    for line in text.splitlines():
        if line.startswith("flags"):
            return set(line.split(":")[1].split())
    return set()


def _gpu():
    """The first GPU: its name, compute capability and peak memory; or None.

    A dict: "name", "capability" (major, minor), and "peak_bytes", a function. The
    memory is asked for only when it is wanted: asking starts TensorFlow's GPU, and some
    allocators cannot tell.
    """
    asked = {"tensorflow": _tensorflow_gpu, "jax": _jax_gpu, "torch": _torch_gpu}
    backend = keras.backend.backend()
    return asked[backend]() if backend in asked else None


def _tensorflow_gpu():
    import tensorflow

    gpus = tensorflow.config.list_physical_devices("GPU")
    if not gpus:
        return None
    asked = tensorflow.config.experimental
    details = asked.get_device_details(gpus[0])
    return {
        "name": details.get("device_name", "GPU"),
        "capability": details.get("compute_capability", (0, 0)),
        "peak_bytes": lambda: asked.get_memory_info("GPU:0")["peak"],
    }


def _jax_gpu():
    import jax

    first = jax.devices()[0]
    if first.platform == "cpu":
        return None
    # "9.0"; a TPU has none, AMD's is no number
    parts = str(getattr(first, "compute_capability", "")).split(".")
    return {
        "name": first.device_kind,
        "capability": tuple(int(part) if part.isdecimal() else 0 for part in parts),
        "peak_bytes": lambda: (first.memory_stats() or {}).get("peak_bytes_in_use"),
    }


def _torch_gpu():
    import torch

    if not torch.cuda.is_available():
        return None
    return {
        "name": torch.cuda.get_device_name(0),
        "capability": torch.cuda.get_device_capability(0),
        "peak_bytes": lambda: torch.cuda.max_memory_allocated(0),
    }


def peak_device_memory():
    """Greatest memory of the first GPU in this process so far, in bytes.

    None without a GPU, or where it is unknown.
    """
    gpu = _gpu()
    try:
        return gpu["peak_bytes"]() if gpu else None
    except (ValueError, RuntimeError):  # TensorFlow, where the allocator keeps no count
        return None


def peak_memory():
    """Greatest memory of this process so far, in bytes.

    None where the system does not tell (Windows).
    """
    # Linux: `resource` would count what the parent process had, too
    status = Path("/proc/self/status")
    if status.is_file():
        if found := re.search(r"VmHWM:\s*(\d+) kB", status.read_text()):
            return int(found[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
