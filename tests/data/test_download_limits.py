"""The downloader's turns and limits, on either side, by the hosts' clock."""

import contextlib
import hashlib
import io
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
):
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
):
    (tmp_path / "file.partial").write_bytes(b"w")
    answers = [
        Breaking([b"xyz"], hosts.clock, 3, start=1),
        *(Breaking([sent], hosts.clock) for sent in (WRONG, RIGHT)),
    ]
    urls, asked = hosts(only=answers)
    with pytest.raises(PatchConvNetError, match="wrong sha256"):
        fetch(urls, tmp_path / "file", sha256(RIGHT))
    assert asked == [("only", "bytes=1-"), ("only", None)]


def test_no_host_gets_a_fourth_turn_whoever_began(hosts, tmp_path):
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
):
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


def test_a_part_without_its_place_is_not_taken(hosts, tmp_path):
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
):
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


def test_a_quarter_of_a_megabyte_is_asked_for_at_a_time(hosts, tmp_path):
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
def test_each_window_is_measured_by_itself(hosts, tmp_path, pieces, left):
    content = bytes(sum(pieces))
    slow = Breaking(
        [bytes(size) for size in pieces], hosts.clock, len(content), seconds=10
    )
    urls, asked = hosts(slow=[slow], other=[OSError("away")])
    with contextlib.suppress(PatchConvNetError):
        fetch(urls, tmp_path / "file", sha256(content), minimum_rate=1000, window=10)
    assert ("other" in [name for name, _ in asked]) is left
