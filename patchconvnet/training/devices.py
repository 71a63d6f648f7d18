"""Training on several devices.

Each holds the whole network and takes its share of every batch.
"""

from contextlib import contextmanager

import keras

from patchconvnet.errors import PatchConvNetError


@contextmanager
def spread(devices):
    """While this lasts, networks that are built live on several devices.

    The backend's own engine spreads them: on JAX `keras.distribution.DataParallel`, on
    TensorFlow `tf.distribute.MirroredStrategy`.

    Args:
        devices: None for one device as always; "all"; or how many of those there are,
            at least 1.

    Yields:
        The number of devices.

    Raises:
        PatchConvNetError: PyTorch; not so many devices here.
    """
    if devices is None:
        yield 1
        return
    backend = keras.backend.backend()
    if backend not in _ENGINES:
        raise PatchConvNetError(
            f"training on several devices is not possible on {backend}: set"
            " KERAS_BACKEND to jax or tensorflow"
        )
    present, scope = _ENGINES[backend]
    chosen = _choose(devices, present())
    if len(chosen) == 1:
        yield 1
        return
    with scope(chosen):
        yield len(chosen)


def _choose(devices, present):
    """The names of the devices to use."""
    if devices == "all":
        return present
    if isinstance(devices, bool) or not isinstance(devices, int) or devices < 1:
        raise PatchConvNetError(
            f'devices must be "all" or a whole number, at least 1, got {devices!r}'
        )
    if devices > len(present):
        raise PatchConvNetError(
            f"there are not {devices} devices here, but {len(present)}:"
            f" {', '.join(present)}"
        )
    return present[:devices]


def _jax_devices():
    return keras.distribution.list_devices()


def _jax_scope(names):
    return keras.distribution.DataParallel(devices=names).scope()


def _tensorflow_devices():
    import tensorflow

    listed = tensorflow.config.list_logical_devices
    found = listed("GPU") or listed("CPU")
    return [device.name.removeprefix("/device:") for device in found]


def _tensorflow_scope(names):
    import tensorflow

    return tensorflow.distribute.MirroredStrategy(names).scope()


_ENGINES = {
    "jax": (_jax_devices, _jax_scope),
    "tensorflow": (_tensorflow_devices, _tensorflow_scope),
}


def check_shares(count, sizes):
    """Raise a `PatchConvNetError` unless every batch can be dealt out evenly.

    Args:
        count: number of devices.
        sizes: dict from what the batches are of to a pair: number of images, images a
            batch.
    """
    for what, (images, batch) in sizes.items():
        last = images % batch
        if min(images, batch) % count or last % count:
            raise PatchConvNetError(
                f"{images} {what} images in batches of {batch} leave a last one of"
                f" {last or batch}, and {count} devices cannot take equal shares of"
                " each: choose another number of devices"
            )
