"""The downloader's turns, limits and progress, on either side, by the hosts' clock."""

import contextlib
import errno
import hashlib
import io
import os
import sys
import urllib.error
from http.client import HTTPException

import pytest
from test_download_borders import Answer, hosts  # noqa: F401

from patchconvnet.data import download
from patchconvnet.data.download import fetch
from patchconvnet.data.web import TooSlow
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("no_network_settings")

RIGHT, WRONG = b"abcd", b"wxyz"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Breaking(Answer):
    """An answer of which a piece may be an error; it keeps how much was asked for."""

    def __init__(self, pieces, clock, length=4, start=None, seconds=0.0):
        super().__init__(pieces, seconds, clock, length)
        self.asked = []
        if start is not None:
            self.status, self.headers = 206, {"Content-Range": f"bytes {start}-3/4"}

    def read1(self, most):
        self.asked.append(most)
        piece = super().read1(most)
        if isinstance(piece, Exception):
            raise piece
        return piece


class SlowAtFirst(Breaking):
    def read1(self, most):
        piece, self.seconds = super().read1(most), 0
        return piece


def http_error(code):
    return urllib.error.HTTPError("http://only/file", code, "no", {}, io.BytesIO())


ONE_TURN, ALL_TURNS = 1, download.TURNS
FAILURES = {
    "not found": (lambda clock: http_error(404), ONE_TURN, "answered HTTP 404"),
    "nothing after these bytes": (
        lambda clock: http_error(416),
        ALL_TURNS,
        "answered HTTP 416",
    ),
    "no connection": (
        lambda clock: OSError("no route"),
        ONE_TURN,
        r"cannot be reached \(no route\)",
    ),
    "no words": (
        lambda clock: ConnectionResetError(),
        ONE_TURN,
        r"cannot be reached \(ConnectionResetError\)",
    ),
    "no time": (
        lambda clock: urllib.error.URLError(TimeoutError("x")),
        ONE_TURN,
        r"cannot be reached \(timed out\)",
    ),
    "nonsense": (
        lambda clock: HTTPException("?"),
        ONE_TURN,
        r"cannot be reached \(\?\)",
    ),
    "no answer": (
        lambda clock: TooSlow(),
        ONE_TURN,
        r"is slow \(it does not come to an answer\)",
    ),
    "another part": (
        lambda clock: Breaking([RIGHT], clock, start=1),
        ONE_TURN,
        "sent another part of the file",
    ),
    "another size": (
        lambda clock: Breaking([RIGHT], clock, length=5),
        ONE_TURN,
        "offers 5 bytes instead of 4",
    ),
    "too much": (
        lambda clock: Breaking([RIGHT, b"e"], clock),
        ONE_TURN,
        "sent more than 4 bytes",
    ),
    "something else": (
        lambda clock: Breaking([WRONG], clock),
        ONE_TURN,
        "sent a file with the wrong sha256",
    ),
    "nothing": (
        lambda clock: Breaking([], clock),
        ONE_TURN,
        "stopped after 0 of 4 bytes",
    ),
    "a piece": (
        lambda clock: Breaking([b"ab"], clock),
        ALL_TURNS,
        "stopped after 2 of 4 bytes",
    ),
    "an error": (
        lambda clock: Breaking([OSError("gone")], clock),
        ONE_TURN,
        r"broke off \(gone\)",
    ),
    "a piece, an error": (
        lambda clock: Breaking([b"a", ValueError("gone")], clock),
        ALL_TURNS,
        r"broke off \(gone\)",
    ),
    "a piece, the end": (
        lambda clock: Breaking([b"a", HTTPException("?")], clock),
        ALL_TURNS,
        "broke off",
    ),
    "silence": (
        lambda clock: Breaking([TooSlow()], clock),
        ONE_TURN,
        r"is slow \(its bytes lead nowhere\)",
    ),
    "a piece, silence": (
        lambda clock: Breaking([b"a", TooSlow()], clock),
        ALL_TURNS,
        r"is slow \(its bytes lead",
    ),
    "a trickle": (
        lambda clock: Breaking([b"a", b"b"], clock, seconds=10),
        ALL_TURNS,
        r"is slow \(0 kB/s\)",
    ),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_host_that_gave_something_gets_three_turns_and_others_one(
    hosts, tmp_path, kind
):  # noqa: F811
    make, turns, reason = FAILURES[kind]
    urls, asked = hosts(only=[make(hosts.clock) for _ in range(5)])
    with pytest.raises(
        PatchConvNetError,
        match=rf"^file could not be downloaded: only {reason}[^;]*\.$",
    ):
        fetch(urls, tmp_path / "file", sha256(RIGHT), size=4)
    assert len(asked) == turns and not (tmp_path / "file").exists()


def test_what_was_only_completed_is_asked_for_once_more_from_the_first_byte(
    hosts, tmp_path
):  # noqa: F811
    (tmp_path / "file.partial").write_bytes(b"w")
    answers = [
        Breaking([b"xyz"], hosts.clock, 3, start=1),
        *(Breaking([sent], hosts.clock) for sent in (WRONG, RIGHT)),
    ]
    urls, asked = hosts(only=answers)
    with pytest.raises(PatchConvNetError, match="wrong sha256"):
        fetch(urls, tmp_path / "file", sha256(RIGHT))
    assert asked == [("only", "bytes=1-"), ("only", None)]


def test_no_host_gets_a_fourth_turn_whoever_began(hosts, tmp_path):  # noqa: F811
    """The second host completes, wrongly, what the first began, and in its last turn so
    again.
    """
    from_the_start = lambda: Breaking([b"w"], hosts.clock)
    goes_on = lambda start, piece: Breaking([piece], hosts.clock, 4 - start, start)
    first = [from_the_start(), goes_on(1, b"x"), from_the_start()]
    second = [goes_on(1, b"xyz"), from_the_start(), goes_on(2, b"yz")]
    urls, asked = hosts(first=first, second=second)
    with pytest.raises(
        PatchConvNetError,
        match=r"first stopped after 1 of 4 bytes; second .* wrong sha256\.$",
    ):
        fetch(urls, tmp_path / "file", sha256(RIGHT))
    assert [name for name, _ in asked] == [
        "first",
        "second",
        "second",
        "first",
        "second",
        "first",
    ]


def test_who_completes_what_another_began_in_the_second_turn_has_the_third_at_once(
    hosts, tmp_path
):  # noqa: F811
    goes_on = lambda start, piece: Breaking([piece], hosts.clock, 4 - start, start)
    first = [Breaking([b"w"], hosts.clock), goes_on(2, b"y"), OSError("away")]
    second = [goes_on(1, b"x"), goes_on(3, b"z"), Breaking([RIGHT], hosts.clock)]
    urls, asked = hosts(first=first, second=second)
    assert fetch(urls, tmp_path / "file", sha256(RIGHT)).read_bytes() == RIGHT
    assert [name for name, _ in asked] == [
        "first",
        "second",
        "first",
        "second",
        "second",
    ]


def test_a_part_without_its_place_is_not_taken(hosts, tmp_path):  # noqa: F811
    answer = Breaking([RIGHT], hosts.clock)
    answer.status = 206
    urls, _ = hosts(only=[answer])
    with pytest.raises(
        PatchConvNetError, match="sent another part of the file than the one asked for"
    ):
        fetch(urls, tmp_path / "file", sha256(RIGHT))


@pytest.mark.parametrize(
    ("options", "wanted"),
    [({}, (10.0, 20.0)), ({"timeout": 3.0, "window": 4.0}, (3.0, 7.0))],
)
def test_a_host_has_ten_seconds_and_a_window_of_ten_to_answer(
    monkeypatch, tmp_path, options, wanted
):
    given = []

    def asked(url, headers, timeout, patience):
        given.append((url, headers, timeout, patience))
        raise OSError("away")

    monkeypatch.setattr(download, "asked", asked)
    monkeypatch.setattr(download, "require_network", lambda urls: None)
    with pytest.raises(PatchConvNetError, match="away"):
        fetch(["http://one/file"], tmp_path / "file", "00", **options)
    assert given == [("http://one/file", {}, *wanted)]


@pytest.mark.parametrize(
    ("size", "seconds", "left"),
    [(1_999_999, 10, True), (2_000_000, 10, False), (1, 9.9, False), (1, 10, True)],
)
def test_200_kilobytes_a_second_in_ten_seconds_are_enough(
    hosts, tmp_path, size, seconds, left
):  # noqa: F811
    content = bytes(size) + b"end"
    slow = SlowAtFirst(
        [content[:size], b"end"], hosts.clock, len(content), seconds=seconds
    )
    urls, asked = hosts(slow=[slow], other=[OSError("away")])
    fetch_it = lambda: fetch(urls, tmp_path / "file", sha256(content))
    if left:
        with pytest.raises(PatchConvNetError):
            fetch_it()
        assert ("other", f"bytes={size}-") in asked
    else:
        assert fetch_it().read_bytes() == content and len(asked) == 1


def test_a_quarter_of_a_megabyte_is_asked_for_at_a_time(hosts, tmp_path):  # noqa: F811
    answer = Breaking([b"ab", b"cd"], hosts.clock)
    urls, _ = hosts(only=[answer])
    fetch(urls, tmp_path / "file", sha256(RIGHT))
    assert set(answer.asked) == {262_144}


@pytest.mark.parametrize(
    ("pieces", "left"),
    [
        ([100_000, 9_999], True),
        ([100_000, 10_000], False),
        ([10_000, 10_000, 9_999], True),
        ([9_999, 100_000], True),
    ],
)
def test_each_window_is_measured_by_itself(hosts, tmp_path, pieces, left):  # noqa: F811
    content = bytes(sum(pieces))
    slow = Breaking(
        [bytes(size) for size in pieces], hosts.clock, len(content), seconds=10
    )
    urls, asked = hosts(slow=[slow], other=[OSError("away")])
    with contextlib.suppress(PatchConvNetError):
        fetch(urls, tmp_path / "file", sha256(content), minimum_rate=1000, window=10)
    assert ("other" in [name for name, _ in asked]) is left


def test_what_has_come_is_on_the_disk_and_gives_the_host_more_time(
    hosts, tmp_path, monkeypatch
):  # noqa: F811
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
):  # noqa: F811
    for name in ("O_NOFOLLOW", "O_NONBLOCK"):
        monkeypatch.delattr(os, name, raising=False)
    urls, _ = hosts(only=[Breaking([RIGHT], hosts.clock)])
    assert fetch(urls, tmp_path / "file", sha256(RIGHT)).read_bytes() == RIGHT


@pytest.mark.parametrize("have", [b"", b"ab"])
def test_of_a_file_of_unknown_length_no_room_is_asked_for(
    hosts, tmp_path, monkeypatch, have
):  # noqa: F811
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


def test_a_disk_that_takes_a_byte_at_a_time_gets_them_all(hosts, tmp_path, monkeypatch):  # noqa: F811
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
def test_others_may_read_the_file_as_far_as_the_system_lets_them(hosts, tmp_path):  # noqa: F811
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
def test_what_the_disk_refuses_is_said(hosts, tmp_path, monkeypatch, error, said):  # noqa: F811
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
def test_without_locks_it_goes_on(hosts, tmp_path, monkeypatch, lack):  # noqa: F811
    import fcntl

    def refuse(lock, kind):
        raise OSError(errno.ENOLCK, "No locks available")

    if lack == "of the system":
        monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(fcntl, "flock", refuse)
    urls, _ = hosts(only=[Breaking([RIGHT], hosts.clock)])
    assert fetch(urls, tmp_path / "file", sha256(RIGHT)).read_bytes() == RIGHT
    assert (tmp_path / "file.lock").exists() is (lack == "of the disk")
