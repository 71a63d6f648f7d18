"""Writing files so that nothing is lost: beside the old one first, then in its place."""

import errno
import os
from contextlib import contextmanager, suppress
from pathlib import Path

from patchconvnet.errors import PatchConvNetError


@contextmanager
def written_aside(path):
    """Give a temporary path in the same folder; on success it replaces `path`, on failure it is deleted.

    A reader thus sees the old file or the new one, never half of one. The temporary name keeps the suffix.

    Raises:
        PatchConvNetError: if the file cannot be written; the message says why and what to do.
    """
    path = Path(path)
    aside = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        os.replace(aside, path)
    except OSError as error:
        raise PatchConvNetError(_reason(path, error)) from error
    finally:
        with suppress(OSError):  # it was renamed or never written; or its folder is on a read-only disk
            aside.unlink()


def _reason(path, error):
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path} cannot be written: the disk is full. Free some space and run the same command again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} cannot be written: permission denied. Choose another place."
    return f"{path} cannot be written ({error.strerror or error}). Choose another place."
