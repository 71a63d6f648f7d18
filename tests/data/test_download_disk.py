"""The downloader's files: links and pipes, the room on the disk, rights and locks."""

import contextlib
import errno
import os
import sys

import pytest
from test_download_borders import hosts  # noqa: F401
from test_download_limits import RIGHT, Breaking, sha256

from patchconvnet.data import download
from patchconvnet.data.download import fetch
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("no_network_settings")


def test_what_has_come_is_on_the_disk_and_gives_the_host_more_time(
    hosts, tmp_path, monkeypatch
):
    seen, put_off = [], []

    class Watching(Breaking):
        def read1(self, most):
            seen.append(((tmp_path / "file.partial").stat().st_size, len(put_off)))
            return super().read1(most)

    class Dog:
        watching = contextlib.nullcontext

        def put_off(self):
            put_off.append(1)

    @contextlib.contextmanager
    def asked(*given):
        yield Watching([b"ab", b"c", b"d"], hosts.clock), Dog()

    urls, _ = hosts(only=[])
    monkeypatch.setattr(download, "asked", asked)
    fetch(urls, tmp_path / "file", sha256(RIGHT))
    assert seen == [(0, 1), (2, 2), (3, 3), (4, 4)]  # whatever kills this process now


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among files here")
def test_a_link_or_a_pipe_that_comes_at_the_last_moment_is_not_opened(tmp_path):
    (tmp_path / "letter").write_bytes(b"dear reader")
    (tmp_path / "link").symlink_to(tmp_path / "letter")
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (("link", errno.ELOOP), ("pipe", errno.ENXIO)):
        with pytest.raises(OSError) as caught:
            os.close(download._open_no_link(tmp_path / name, os.O_WRONLY))
        assert caught.value.errno == reason


def test_a_system_that_knows_no_such_links_and_pipes_downloads_too(
    hosts, tmp_path, monkeypatch
):
    for name in ("O_NOFOLLOW", "O_NONBLOCK"):
        monkeypatch.delattr(os, name, raising=False)
    urls, _ = hosts(only=[Breaking([RIGHT], hosts.clock)])
    assert fetch(urls, tmp_path / "file", sha256(RIGHT)).read_bytes() == RIGHT


@pytest.mark.parametrize("have", [b"", b"ab"])
def test_of_a_file_of_unknown_length_no_room_is_asked_for(
    hosts, tmp_path, monkeypatch, have
):
    monkeypatch.setattr(
        download.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 0})
    )
    (tmp_path / "file.partial").write_bytes(have)
    urls, _ = hosts(
        only=[
            Breaking([RIGHT[len(have) :]], hosts.clock, None, start=len(have) or None)
        ]
    )
    assert fetch(urls, tmp_path / "file", sha256(RIGHT)).read_bytes() == RIGHT


def test_a_disk_that_takes_a_byte_at_a_time_gets_them_all(hosts, tmp_path, monkeypatch):
    class Halting:
        def __init__(self, path, mode):
            self.name, self.file = path, open(path, mode)

        def write(self, content):
            return self.file.write(content[:1])

    @contextlib.contextmanager
    def opened(path, mode):
        halting = Halting(path, mode)
        with halting.file:
            yield halting if mode == "wb" else halting.file

    monkeypatch.setattr(download, "_opened", opened)
    urls, _ = hosts(only=[Breaking([b"abc", b"d"], hosts.clock)])
    assert fetch(urls, tmp_path / "file", sha256(RIGHT)).read_bytes() == RIGHT


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_others_may_read_the_file_as_far_as_the_system_lets_them(hosts, tmp_path):
    usual = os.umask(0)
    try:
        urls, _ = hosts(only=[Breaking([RIGHT], hosts.clock)])
        fetch(urls, tmp_path / "file", sha256(RIGHT))
    finally:
        os.umask(usual)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space"),
            "The disk is full: .*file.partial cannot be written; free some space",
        ),
        (OSError(errno.EDQUOT, "Quota"), "The disk is full: "),
        (
            OSError(errno.EROFS, "Read-only file system"),
            r"file.partial cannot be written \(Read-only file system\)\.",
        ),
        (
            OSError("in other words"),
            r"file.partial cannot be written \(in other words\)\.",
        ),
    ],
)
def test_what_the_disk_refuses_is_said(hosts, tmp_path, monkeypatch, error, said):
    def refuse(path, flags):
        if str(path).endswith("partial"):
            raise error
        return os.open(path, flags)

    monkeypatch.setattr(download, "_open_no_link", refuse)
    urls, asked = hosts(only=[Breaking([RIGHT], hosts.clock)])
    with pytest.raises(PatchConvNetError, match=said):
        fetch(urls, tmp_path / "file", sha256(RIGHT))
    assert len(asked) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks on Windows")
@pytest.mark.parametrize("lack", ["of the system", "of the disk"])
def test_without_locks_it_goes_on(hosts, tmp_path, monkeypatch, lack):
    import fcntl

    def refuse(lock, kind):
        raise OSError(errno.ENOLCK, "No locks available")

    if lack == "of the system":
        monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(fcntl, "flock", refuse)
    urls, _ = hosts(only=[Breaking([RIGHT], hosts.clock)])
    assert fetch(urls, tmp_path / "file", sha256(RIGHT)).read_bytes() == RIGHT
    assert (tmp_path / "file.lock").exists() is (lack == "of the disk")
