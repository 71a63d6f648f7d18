"""What JAX compiles for a training, kept on the disk for the next one.

On JAX most of a first epoch is compiling: of a step for whole batches, of another for
the last one. The same network with the same recipe is compiled to the same again.
"""

import tempfile
from contextlib import contextmanager

import keras

from patchconvnet.data.cifar10 import own_cache
from patchconvnet.errors import PatchConvNetError


@contextmanager
def kept_compilations():
    """While this lasts, JAX keeps what it compiles, and finds what it kept before.

    It lies in `jax/` of our cache folder, where it may be deleted at any time. Nothing
    happens on another backend, where the user has chosen a folder or none
    (`JAX_COMPILATION_CACHE_DIR`, `JAX_ENABLE_COMPILATION_CACHE=false`), or where ours
    cannot be written.
    """
    if keras.backend.backend() != "jax":
        yield
        return
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    chosen = jax.config.jax_compilation_cache_dir is not None
    if chosen or not jax.config.jax_enable_compilation_cache or not (folder := _ours()):
        yield
        return
    options = {
        "jax_compilation_cache_dir": str(folder),
        # the many small ones, too: JAX leaves out what it compiles within a second
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }
    before = {name: getattr(jax.config, name) for name in options}
    try:
        _set(jax.config, options)
        yield
    finally:
        _set(jax.config, before)
        compilation_cache.reset_cache()  # else it goes on with the folder that it has


def _set(config, options):
    for name, value in options.items():
        config.update(name, value)


def _ours():
    """Our folder for it, made; None if it cannot be written.

    Where JAX found that out, it would warn at each of its compilations.
    """
    try:
        folder = own_cache() / "jax"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (PatchConvNetError, OSError):
        return None
