"""Paths as the user gives them, and writing so that nothing is lost.

place             a path that the system takes, or a line that says why it does not
existing_file     the same, if a file is there that can be read to its end
written_aside     the new file beside the old one first, then in its place
check_writable    whether that will be possible
made              a folder that goes again if nothing came into it
held              a folder for one process at a time
read_arrays,
write_arrays      NumPy's .npz files
"""

import contextlib
import errno
import io
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path

from patchconvnet.errors import PatchConvNetError, one_line


def place(path):
    """A path, with the home folder for ~; nothing needs to be there.

    Args:
        path: a string or a `Path`.

    Returns:
        A `pathlib.Path`.

    Raises:
        PatchConvNetError: an empty path, or one that the system refuses: a name that is
            too long, a loop of links, a folder that may not be entered, a home folder
            that nobody has.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise PatchConvNetError(
            f"a path of type {type(path).__name__}: give a string"
        ) from None
    if not text.strip():
        raise PatchConvNetError(
            f"{text!r} is no path: give the name of a file or folder"
        )
    try:
        expanded = Path(text).expanduser()
        os.stat(expanded)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise PatchConvNetError(
            f"{one_line(text)} cannot be used ({error.strerror}): give another path"
        ) from error
    except (RuntimeError, ValueError) as error:
        # no such home folder; a NUL in the name
        raise PatchConvNetError(
            f"{one_line(text)} is no path here ({error}): give another path"
        ) from error
    return expanded


def existing_file(path, wanted):
    """`place` of a file that is there, and no folder, pipe or device.

    These never end, or are not for reading.

    Args:
        path: a string or a `Path`.
        wanted: what to give instead, for the message: "a picture file".

    Raises:
        PatchConvNetError: as `place`; nothing there; no file.
    """
    found = place(path)
    if found.is_file():
        return found
    kind = "is no file that can be read" if found.exists() else "is not there"
    if found.is_dir():
        kind = "is a folder"
    raise PatchConvNetError(f"{one_line(found)} {kind}: give {wanted}")


@contextmanager
def written_aside(path):
    """Give a temporary path in the same folder, which replaces `path` on success.

    On failure it is deleted: a reader sees the old file or the new one, never half of
    one. The temporary file is empty and new, under a name that nobody can foresee; it
    keeps the suffix. A folder that was made for it goes with it. Where `path` is a
    link, the file that it leads to is replaced.

    Raises:
        PatchConvNetError: if the file cannot be written; the message says why and what
            to do.
    """
    path = Path(os.path.realpath(place(path)))
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "no file, but a device or a pipe"
        raise PatchConvNetError(
            f"{one_line(path)} cannot be written: it is {kind}. Choose another place."
        )
    suffix = path.suffix if len(path.suffix) < 10 else ""
    aside = path.with_name(f".{secrets.token_hex(6)}.partial{suffix}")
    try:
        with made(path.parent):
            try:
                os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
                yield aside
                os.replace(aside, path)
            finally:
                # it was renamed or never written; or its folder is on a read-only disk
                with suppress(OSError):
                    aside.unlink()
    except OSError as error:
        raise PatchConvNetError(_reason(path, error)) from error


class _OnlyAsked(Exception):
    pass


def check_writable(path):
    """Raise now the `PatchConvNetError` that `written_aside` would raise later.

    Nothing is left there.
    """
    with suppress(_OnlyAsked), written_aside(path):
        raise _OnlyAsked


def _reason(path, error):
    path = one_line(path)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{path} cannot be written: the disk is full. Free some space and run the"
            " same command again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} cannot be written: permission denied. Choose another place."
    return (
        f"{path} cannot be written ({error.strerror or error}). Choose another place."
    )


@contextmanager
def made(folder):
    """Make a folder and those above it; at the end, take the empty ones away."""
    # the innermost first
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for each in new:
            with suppress(OSError):  # something lies in it
                each.rmdir()


@contextmanager
def held(folder):
    """Make a folder and hold it against other processes, while this lasts.

    The hold ends with the process and its children, however they end. Windows and some
    network drives know no such locks: there it holds nobody off.

    Raises:
        PatchConvNetError: another process holds it; it cannot be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(made(folder))
            lock = _lock(folder)
        except OSError as error:
            raise PatchConvNetError(_reason(folder, error)) from error
        if lock is not None:
            stack.callback(os.close, lock)
        yield


def _lock(folder):
    """Lock an open folder: its descriptor; None where that cannot be done."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise PatchConvNetError(
            f"another process is training in {one_line(folder)}: wait for it, or choose"
            " another folder"
        ) from None
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def read_arrays(path):
    """The arrays of an `.npz` file: a dict from name to array.

    Raises:
        PatchConvNetError: no such file; a damaged one, or another kind of file.
    """
    import numpy as np  # `doctor` needs this module where NumPy is broken, too

    try:
        with (
            open(existing_file(path, "an .npz file"), "rb") as file,
            np.lib.npyio.NpzFile(file, allow_pickle=False) as archive,
        ):
            return {key: archive[key] for key in archive.files}
    except PatchConvNetError:
        raise
    except Exception as error:  # a truncated file can raise anything
        raise PatchConvNetError(
            f"{one_line(path)} is damaged, or no .npz file ({one_line(error)})"
        ) from error


def write_arrays(path, arrays, compressed=True):
    """Write arrays, a dict from name to array, as an `.npz` file."""
    import numpy as np

    # whole before it is written: on a full disk, half an archive would complain twice
    content = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(content, **arrays)
    with written_aside(path) as aside:
        aside.write_bytes(content.getbuffer())
