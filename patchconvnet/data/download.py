"""Download one file from the first of several hosts that really has it.

    hosts = ["https://mirror/file", "https://official/file"]
    fetch(hosts, "cache/file", sha256="6d95...")

A host that refuses, stalls, crawls, breaks off or sends something else is left for the
next one, which goes on where the last one stopped. Bytes arrive in `file.partial`; only
a file whose sha256 is right gets its name.
"""

import contextlib
import errno
import hashlib
import http.client
import os
import shutil
import sys
import time
import urllib.error
from collections import deque

from patchconvnet.data.web import TooSlow, asked, host_of, require_network
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import place

TURNS = 3  # of a host that broke off after giving some bytes, each after the others
BLOCK = 1 << 18


class _HostFailed(Exception):
    """This host did not deliver; `again` says whether it deserves another turn."""

    def __init__(self, reason, again=False):
        super().__init__(reason)
        self.again = again


def fetch(
    urls,
    destination,
    sha256,
    *,
    size=None,
    timeout=10.0,
    minimum_rate=200_000,
    window=10.0,
):
    """Download a file once, and prove that it is the right one.

    A second process that wants the same file waits for the first. An interrupted
    download goes on where it stopped, with any of the hosts, provided that the server
    knows HTTP ranges; else it starts over.

    Args:
        urls: addresses of the same bytes, best first.
        destination: where the file goes; its folder is made. A file that is there and
            right is left alone.
        sha256: the file's hash, in hexadecimal.
        size: its length in bytes, if known: a host that offers another length is left
            before it sends any.
        timeout: seconds of silence after which a host counts as stalled. One that sends
            a byte now and then has this and `window` for its headers, and again for
            each part of the file.
        minimum_rate: bytes per second below which, measured over `window` seconds, a
            host is left while others are untried. Afterwards a hundredth of it is
            enough: better slow than not at all.
        window: seconds over which the rate is measured.

    Returns:
        `destination`, as a `pathlib.Path`.

    Raises:
        PatchConvNetError: there is no network, `PATCHCONVNET_OFFLINE` forbids it, every
            host failed (each with its reason), the disk is full or cannot be written,
            or the path cannot be used.
    """
    destination = place(destination)
    partial, lock = (place(f"{destination}.{suffix}") for suffix in ("partial", "lock"))
    if _is_right(destination, sha256):
        return destination
    require_network(urls)
    with _disk_errors(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
    with _one_process_at_a_time(lock, destination.name):
        if not _is_right(destination, sha256):
            _check_ours(partial)
            if not _is_right(partial, sha256):
                limits = size, timeout, minimum_rate, window
                _try_hosts(urls, partial, sha256, limits)
            with _disk_errors(destination):
                os.replace(partial, destination)
    return destination


def sha256_of(path):
    """The sha256 of a file, as 64 hexadecimal digits; OSError if it cannot be read."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_right(path, sha256):
    try:
        return path.is_file() and sha256_of(path) == sha256
    except OSError:  # it may not be read, and is replaced if that may be done
        return False


def _try_hosts(urls, partial, sha256, limits):
    """Fill `partial` with the right bytes, or raise with every host's reason."""
    waiting = deque((url, TURNS) for url in urls)
    reasons = {}
    while waiting:
        url, turns = waiting.popleft()
        others_untried = any(left == TURNS for _, left in waiting)
        try:
            resumed = _transfer(url, partial, others_untried, *limits)
        except _HostFailed as failure:
            reasons[url] = str(failure)
            if failure.again and turns > 1:
                waiting.append((url, turns - 1))
            continue
        if _is_right(partial, sha256):
            return
        partial.unlink(missing_ok=True)
        reasons[url] = "sent a file with the wrong sha256"
        # Where it only completed what another host began, the other one may have lied:
        # now from the first byte.
        if resumed and turns > 1:
            waiting.appendleft((url, turns - 1))
    told = "; ".join(
        f"{host_of(url) or one_line(url)} {reason}" for url, reason in reasons.items()
    )
    raise PatchConvNetError(
        f"{one_line(partial.stem)} could not be downloaded: {told}."
    )


def _transfer(url, partial, others_untried, size, timeout, minimum_rate, window):
    """Receive the file, or what is missing of it, from one host.

    True where it went on with bytes already there.
    """
    host = host_of(url)
    if host is None:
        raise _HostFailed("is no http or https address")
    have = partial.stat().st_size if partial.is_file() else 0
    with contextlib.ExitStack() as opened:
        response, dog = _ask(opened, url, partial, have, timeout, window)
        start = _first_byte(response, have)
        total = size if response.length is None else start + response.length
        if size is not None and total != size:
            raise _HostFailed(f"offers {total:,} bytes instead of {size:,}")
        _require_space(partial, (total or start) - start)
        floor = minimum_rate if others_untried else minimum_rate / 100
        file = opened.enter_context(_opened(partial, "ab" if start else "wb"))
        progress = _Progress(partial.stem, host, start, total)
        opened.callback(progress.close)
        _copy(response, dog, file, start, total, floor, window, progress)
    return start > 0


def _ask(opened, url, partial, have, timeout, window):
    """The answer of a host and its watchdog; both are closed with `opened`."""
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        return opened.enter_context(asked(url, headers, timeout, timeout + window))
    except urllib.error.HTTPError as error:
        error.close()
        # there is nothing after the bytes that we have, and they are wrong: start over
        again = error.code == 416
        if again:
            partial.unlink(missing_ok=True)
        raise _HostFailed(f"answered HTTP {error.code}", again) from error
    except TooSlow as error:
        raise _HostFailed("is slow (it does not come to an answer)") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _HostFailed(f"cannot be reached ({_reason(error)})") from error


def _opened(path, mode):
    """A file of our own, open for writing: never what a link or a pipe leads to."""
    _check_ours(path)
    with _disk_errors(path):
        return open(path, mode, buffering=0, opener=_open_no_link)


def _open_no_link(path, flags):
    for name in ("O_NOFOLLOW", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)  # Windows has neither
    return os.open(path, flags, 0o666)


def _check_ours(path):
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise PatchConvNetError(
            f"{one_line(path)} is a link or no file: delete it and repeat."
        )


def _first_byte(response, have):
    """Where the answer begins in the file: `have` if it resumes, 0 if it does not."""
    if response.status != 206:
        return 0
    if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        raise _HostFailed("sent another part of the file than the one asked for")
    return have


def _copy(response, dog, file, done, total, floor, window, progress):
    """Write the answer to the file.

    A host is left that falls silent, below `floor` bytes a second, or short.
    """
    start, mark, mark_done = done, time.monotonic(), done
    while block := _receive(response, dog, again=done > start):
        with _disk_errors(file.name):
            rest = memoryview(block)
            while rest:
                rest = rest[file.write(rest) :]
        done += len(block)
        if total is not None and done > total:
            raise _HostFailed(f"sent more than {total:,} bytes")
        progress.show(done)
        seconds = time.monotonic() - mark
        if seconds >= window:
            rate = (done - mark_done) / seconds
            if rate < floor:
                raise _HostFailed(f"is slow ({rate / 1e3:.0f} kB/s)", again=True)
            mark, mark_done = time.monotonic(), done
    if total is not None and done < total:
        raise _HostFailed(
            f"stopped after {done:,} of {total:,} bytes", again=done > start
        )


def _receive(response, dog, again):
    dog.put_off()
    try:
        with dog.watching():
            # returns what has come, so that a trickle is seen and measured
            return response.read1(BLOCK)
    except TooSlow as error:
        raise _HostFailed("is slow (its bytes lead nowhere)", again) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _HostFailed(f"broke off ({_reason(error)})", again) from error


def _reason(error):
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "timed out"
    return one_line(reason) or type(reason).__name__


@contextlib.contextmanager
def _one_process_at_a_time(path, name):
    """Hold the lock file `path` beside the download, if there are locks.

    Where the system or the disk knows none, go on without.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with _opened(path, "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"{one_line(name)}: waiting for another process that downloads it",
                file=sys.stderr,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            pass  # some network drives have no locks
        yield


def _require_space(partial, missing):
    with _disk_errors(partial):
        free = shutil.disk_usage(partial.parent).free
    if missing > free:
        raise PatchConvNetError(
            f"The disk is full: {one_line(partial)} needs {missing / 1e6:.1f} MB more"
            f" and {free / 1e6:.1f} MB are free."
        )


@contextlib.contextmanager
def _disk_errors(path):
    """Turn what the disk refuses into one clear line.

    What is already downloaded stays, and is gone on with.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PatchConvNetError(
                f"The disk is full: {one_line(path)} cannot be written; free some space"
                " and repeat."
            ) from error
        raise PatchConvNetError(
            f"{one_line(path)} cannot be written ({error.strerror or error})."
        ) from error


class _Progress:
    """How far a download is, on stderr.

    On a terminal it is one line that changes; elsewhere (a notebook, a log) a line at
    each tenth.
    """

    def __init__(self, name, host, start, total):
        self.title = f"{one_line(name)} from {host}"
        self.start, self.total = start, total
        self.began, self.last = time.monotonic(), 0.0
        self.tenth = 10 * start // total if total else 0
        self.live = sys.stderr.isatty()
        size = f", {total / 1e6:.1f} MB" if total else ""
        now = f"going on at {start / 1e6:.1f} MB" if start else "begins"
        print(f"{self.title}{size}: {now}", file=sys.stderr)

    def show(self, done):
        now = time.monotonic()
        rate = (done - self.start) / max(now - self.began, 1e-6)
        share, tenth = "", 0
        if self.total:
            share = f" of {self.total / 1e6:.1f} ({done / self.total:4.0%})"
            tenth = 10 * done // self.total
        text = f"{self.title}: {done / 1e6:6.1f} MB{share}, {rate / 1e6:.2f} MB/s"
        if self.live and (now - self.last > 0.2 or done == self.total):
            self.last = now
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)
        elif not self.live and tenth > self.tenth:
            self.tenth = tenth
            print(text, file=sys.stderr)

    def close(self):
        if self.live:
            print(file=sys.stderr)
