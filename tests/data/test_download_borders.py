"""Each limit of a download, on either side."""

import contextlib
import hashlib
import re
import socket
from urllib.parse import urlsplit

import pytest
from test_download import Clock, asked, server  # noqa: F401

from patchconvnet.data import download, web
from patchconvnet.data.download import fetch
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("no_network_settings")


class Answer:
    """What a host sends, by pieces; the clock goes on by some seconds before each."""

    status, headers = 200, {}

    def __init__(self, pieces, seconds, clock, length=None):
        self.pieces, self.seconds, self.clock, self.length = (
            list(pieces),
            seconds,
            clock,
            length,
        )

    def read1(self, most):
        self.clock.now += self.seconds
        return self.pieces.pop(0) if self.pieces else b""

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        pass


class SleepingDog:
    """A watchdog that ends nothing."""

    watching = contextlib.nullcontext

    def put_off(self):
        pass


@pytest.fixture
def hosts(monkeypatch):
    """hosts(first=answer, second=answer): what `asked` gives for these hosts, in turns;
    it keeps who was asked.
    """
    clock = Clock()
    monkeypatch.setattr(download, "time", clock)
    monkeypatch.setattr(download, "require_network", lambda urls: None)
    requests = []

    def prepare(**answers):
        @contextlib.contextmanager
        def asked(url, headers, timeout, patience):
            name = urlsplit(url).hostname
            requests.append((name, headers.get("Range")))
            answer = (
                answers[name].pop(0) if len(answers[name]) > 1 else answers[name][0]
            )
            if isinstance(answer, Exception):
                raise answer
            yield answer, SleepingDog()

        monkeypatch.setattr(download, "asked", asked)
        return [f"http://{name}/file" for name in answers], requests

    prepare.clock = clock
    return prepare


@pytest.mark.parametrize(("rate", "left"), [(999, True), (1001, False)])
def test_a_host_is_left_below_the_rate_and_not_above(hosts, tmp_path, rate, left):
    """Ten seconds a piece: after the first the rate is known."""
    pieces = [bytes([number]) * (10 * rate) for number in range(3)]
    content = b"".join(pieces)
    first, second = (
        Answer(pieces, 10, hosts.clock, len(content)),
        Answer([content], 0, hosts.clock, len(content)),
    )
    urls, asked = hosts(first=[first], second=[second])
    second.status, second.headers = 206, {"Content-Range": f"bytes {10 * rate}-"}
    second.pieces, second.length = [content[10 * rate :]], 20 * rate
    sha256 = hashlib.sha256(content).hexdigest()
    fetch(urls, tmp_path / "file", sha256, minimum_rate=1000, window=10)
    assert asked == [
        ("first", None),
        *([("second", f"bytes={10 * rate}-")] if left else []),
    ]


@pytest.mark.parametrize(("seconds", "left"), [(9.9, False), (10.0, True)])
def test_the_rate_is_measured_when_the_window_is_over(hosts, tmp_path, seconds, left):
    content = b"ab"
    urls, asked = hosts(
        first=(
            [Answer([b"a", b"b"], seconds, hosts.clock, 2)]
            if left
            else [Answer([b"a"], seconds, hosts.clock, 1)]
        ),
        second=[Answer([content], 0, hosts.clock, 2)],
    )
    wanted = content if left else b"a"
    fetch(
        urls,
        tmp_path / "file",
        hashlib.sha256(wanted).hexdigest(),
        minimum_rate=1000,
        window=10,
    )
    assert [name for name, _ in asked] == (["first", "second"] if left else ["first"])


@pytest.mark.parametrize(("rate", "left"), [(9, True), (11, False)])
def test_the_last_host_may_be_a_hundred_times_slower(hosts, tmp_path, rate, left):
    pieces = [bytes([number]) * (10 * rate) for number in range(3)]
    content = b"".join(pieces)
    urls, asked = hosts(only=[Answer(pieces, 10, hosts.clock, len(content))])
    call = lambda: fetch(
        urls,
        tmp_path / "file",
        hashlib.sha256(content).hexdigest(),
        minimum_rate=1000,
        window=10,
    )
    if left:
        with pytest.raises(PatchConvNetError, match=r"only is slow \(0 kB/s\)"):
            call()
        assert len(asked) == download.TURNS
    else:
        assert call().read_bytes() == content and len(asked) == 1


@pytest.mark.parametrize(("free", "enough"), [(1000, True), (999, False)])
def test_the_disk_must_have_room_for_what_is_missing(
    hosts, tmp_path, monkeypatch, free, enough
):
    monkeypatch.setattr(
        download.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": free})
    )
    content = bytes(range(250)) * 6
    (tmp_path / "file.partial").write_bytes(content[:500])
    answer = Answer([content[500:]], 0, hosts.clock, 1000)
    answer.status, answer.headers = 206, {"Content-Range": "bytes 500-1499/1500"}
    urls, _ = hosts(only=[answer])
    call = lambda: fetch(urls, tmp_path / "file", hashlib.sha256(content).hexdigest())
    if enough:
        assert call().read_bytes() == content
    else:
        with pytest.raises(PatchConvNetError, match="The disk is full"):
            call()
        # what is there stays
        assert (tmp_path / "file.partial").read_bytes() == content[:500]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [(b"abcd", None), (b"abc", "stopped after"), (b"abcde", "sent more than 4 bytes")],
)
def test_a_host_must_send_as_much_as_it_said(hosts, tmp_path, sent, reason):
    urls, _ = hosts(
        only=[Answer([sent], 0, hosts.clock, 4), Answer([b""], 0, hosts.clock, 4)]
    )
    call = lambda: fetch(urls, tmp_path / "file", hashlib.sha256(b"abcd").hexdigest())
    if reason is None:
        assert call().read_bytes() == b"abcd"
    else:
        with pytest.raises(PatchConvNetError, match=f"only {reason}"):
            call()
        assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("size", "offered", "taken"),
    [(4, 4, True), (5, 4, False), (3, 4, False), (4, None, True), (None, None, True)],
)
def test_a_host_that_offers_another_size_is_left_before_it_sends(
    hosts, tmp_path, size, offered, taken
):
    urls, _ = hosts(only=[Answer([b"abcd"], 0, hosts.clock, offered)])
    call = lambda: fetch(
        urls, tmp_path / "file", hashlib.sha256(b"abcd").hexdigest(), size=size
    )
    if taken:
        assert call().read_bytes() == b"abcd"
    else:
        with pytest.raises(
            PatchConvNetError, match=f"offers 4 bytes instead of {size}"
        ):
            call()


def test_a_host_that_cannot_be_reached_gets_one_turn_and_one_that_breaks_off_three(
    hosts, tmp_path
):
    broken = [Answer([b"a"], 0, hosts.clock, 4) for _ in range(9)]
    urls, asked = hosts(away=[OSError("no route")], broken=broken)
    with pytest.raises(
        PatchConvNetError,
        match=(
            r"^file could not be downloaded: away cannot be reached \(no route\);"
            r" broken .*\.$"
        ),
    ):
        fetch(urls, tmp_path / "file", hashlib.sha256(b"abcd").hexdigest())
    assert [name for name, _ in asked] == ["away", "broken", "broken", "broken"]


@pytest.mark.parametrize(
    ("value", "forbidden"), [("", False), ("0", False), ("1", True), ("yes", True)]
)
def test_the_offline_variable_is_set_by_any_word_but_zero(
    monkeypatch, value, forbidden
):
    monkeypatch.setenv(web.OFFLINE_VARIABLE, value)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given: [1])
    if forbidden:
        with pytest.raises(PatchConvNetError, match="The network may not be used"):
            download.require_network(["https://one.invalid/file"])
    else:
        download.require_network(["https://one.invalid/file"])


def test_one_known_host_of_several_is_a_network_and_a_proxy_looks_names_up(monkeypatch):
    asked = []

    def known(host, port):
        asked.append(host)
        if host != "two.invalid":
            raise OSError
        return [1]

    monkeypatch.setattr(socket, "getaddrinfo", known)
    download.require_network(
        ["https://one.invalid/a", "https://two.invalid/b", "https://two.invalid/c"]
    )
    with pytest.raises(
        PatchConvNetError,
        match="none of these hosts is known: one.invalid, three.invalid",
    ):
        download.require_network(["https://three.invalid/a", "https://one.invalid/a"])
    assert sorted(asked) == [
        "one.invalid",
        "one.invalid",
        "three.invalid",
        "two.invalid",
    ]
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    download.require_network(["https://one.invalid/a"])


def test_a_log_says_where_a_download_goes_on_and_each_tenth_once(
    hosts, tmp_path, capsys
):
    content = bytes(1_000_000)
    (tmp_path / "file.partial").write_bytes(content[:240_000])
    pieces = [
        content[start : start + 20_000] for start in range(240_000, 1_000_000, 20_000)
    ]
    answer = Answer(pieces, 1, hosts.clock, 760_000)
    answer.status, answer.headers = (
        206,
        {"Content-Range": "bytes 240000-999999/1000000"},
    )
    urls, _ = hosts(only=[answer])
    fetch(urls, tmp_path / "file", hashlib.sha256(content).hexdigest(), minimum_rate=0)
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "file from only, 1.0 MB: going on at 0.2 MB"
    shares = [int(re.search(r"(\d+)%", line)[1]) for line in rest]
    assert shares == [30, 40, 50, 60, 70, 80, 90, 100] and all(
        line.endswith("0.02 MB/s") for line in rest
    )
