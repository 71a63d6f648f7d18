"""Addresses that are none; servers that send nothing, anything, or byte after byte."""

import contextlib
import itertools
import socket
import threading
import time

import pytest

from patchconvnet.data import reading, web
from patchconvnet.data.download import fetch
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import read_image

pytestmark = pytest.mark.usefixtures("no_network_settings")

PATIENCE = 0.5
IN_TIME = 20  # seconds: the endless answers below would take for ever


class Server:
    """Says the same pieces to all who ask, with a pause before each but the first."""

    def __init__(self, pieces, pause=0.0):
        self.pieces, self.pause, self.over, self.requests = (
            pieces,
            pause,
            threading.Event(),
            [],
        )
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/a.png"

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.socket.close()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(
                    target=self.answer, args=(connection,), daemon=True
                ).start()

    def answer(self, connection):
        with connection, contextlib.suppress(OSError):  # whoever asked has left
            self.requests.append(connection.recv(10_000))
            for piece in self.pieces():
                connection.sendall(piece)
                if self.over.wait(self.pause):
                    return


def said(text):
    return lambda: [text]


def slowly(start, endless):
    return lambda: itertools.chain([start], itertools.repeat(endless))


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = {
    "status line": slowly(b"HTTP/1.1 200 ", b"x"),
    "header": slowly(OK + b"X-Long: ", b"x"),
    "headers": slowly(OK, b"a:b\r\n"),
    "chunk size": slowly(CHUNKED + b"1;", b"x"),
    "trailer": slowly(CHUNKED + b"1\r\nx\r\n0\r\n", b"a: b\r\n"),
    "continue": slowly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


def read_all(url, patience=PATIENCE, timeout=10):
    content = b""
    with web.asked(url, {}, timeout, patience) as (answer, dog), dog.watching():
        while block := answer.read1(1000):
            content += block
    return content


@pytest.mark.long
@pytest.mark.parametrize("part", SLOW)
def test_an_answer_that_comes_a_byte_at_a_time_is_ended(part):
    began = time.monotonic()
    with Server(SLOW[part], pause=0.05) as server, pytest.raises(web.TooSlow):
        read_all(server.url)
    assert time.monotonic() - began < IN_TIME


def test_endless_continuations_at_full_speed_are_ended():
    with (
        Server(slowly(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)) as server,
        pytest.raises(web.TooSlow),
    ):
        read_all(server.url)


def test_a_body_of_unknown_length_that_was_ended_does_not_look_complete():
    with (
        Server(slowly(OK + b"\r\n", b"x"), pause=0.05) as server,
        pytest.raises(web.TooSlow),
    ):
        read_all(server.url)


def test_an_answer_in_time_is_whole():
    with Server(said(OK + b"Content-Length: 5\r\n\r\nhello")) as server:
        assert read_all(server.url, patience=60) == b"hello"
        assert server.requests[0].startswith(b"GET /a.png HTTP/1.1\r\n")


@pytest.mark.long
def test_a_deadline_may_be_put_off():
    with Server(
        lambda: [OK + b"Content-Length: 6\r\n\r\n", *[b"x"] * 6], pause=0.5
    ) as server:
        with web.asked(server.url, {}, 10, 2.5) as (answer, dog):
            content = b""
            while block := answer.read1(1):
                content += block
                dog.put_off()
            assert content == b"xxxxxx" and not dog.ended


def test_a_proxy_that_dawdles_is_ended(monkeypatch):
    with Server(slowly(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"), pause=0.05) as server:
        monkeypatch.setenv("https_proxy", server.url)
        with pytest.raises(web.TooSlow):  # long after it has been asked
            read_all("https://example.org/a.png", patience=3)
        assert server.requests[0].startswith(b"CONNECT example.org:443 ")


def test_a_proxy_is_asked(monkeypatch):
    with Server(said(OK + b"Content-Length: 5\r\n\r\nhello")) as server:
        monkeypatch.setenv("http_proxy", server.url)
        assert read_all("http://example.org/a.png", patience=60) == b"hello"
        assert server.requests[0].startswith(
            b"GET http://example.org/a.png HTTP/1.1\r\n"
        )


# === redirects ===


ELSEWHERE = [
    "ftp://127.0.0.1/a",
    "file:///etc/passwd",
    "data:,hello",
    "gopher://127.0.0.1/",
    "http://a..b/",
    "http:///a",
    "http://[::1/",
    "http://a:99999/",
]


@pytest.mark.parametrize("where", ELSEWHERE)
def test_a_redirect_to_anything_but_http_is_refused(where):
    with Server(
        said(
            b"HTTP/1.1 302 Found\r\nLocation: "
            + where.encode()
            + b"\r\nContent-Length: 0\r\n\r\n"
        )
    ) as server:
        with pytest.raises(
            PatchConvNetError, match=r"(answers HTTP 302|cannot be reached)"
        ) as caught:
            read_image(server.url)
        assert str(caught.value).startswith(server.url) and "\n" not in str(
            caught.value
        )


def test_a_redirect_in_a_circle_is_left():
    with Server(
        said(b"HTTP/1.1 302 Found\r\nLocation: /a.png\r\nContent-Length: 0\r\n\r\n")
    ) as server:
        with pytest.raises(PatchConvNetError, match="answers HTTP 302") as caught:
            read_image(server.url)
        assert "\n" not in str(caught.value) and len(server.requests) < 20


def test_the_page_that_comes_with_a_redirect_is_not_read():
    with Server(said(OK + b"Content-Length: 5\r\n\r\nhello")) as target:
        start = b"HTTP/1.1 302 Found\r\nLocation: " + target.url.encode() + b"\r\n\r\n"
        with Server(slowly(start, b"x" * 100_000)) as server:
            assert read_all(server.url, patience=60) == b"hello"


# === addresses ===


NO_ADDRESSES = {
    "http://a..b/x.png": "impossible",
    "http://.a/x.png": "impossible",
    f"http://{'a' * 64}.org/x.png": "impossible",
    "http:///x": "names no host",
    "http://": "names no host",
    "http://:80/x": "names no host",
    "http://a:99999/": "Port out of range",
    "http://a:port/": "Port could not be cast",
    "http://a:-1/": "",
    "http://[::1/": "Invalid IPv6 URL",
    "http://[a]/": "",
    "http://[/a.png": "",
    "http://a b/x.png": "impossible",
    "http://a%20b/x.png": "impossible",
    "http://a\\b/x.png": "impossible",
    "http://user:word@example.org/": "user's name",
    "http://example.org/a\nHost: b": "control characters",
    "http://example.org/a\x1b[2J": "control characters",
    "http://example.org/a\x00": "control characters",
    "http://example.org/\udcff": "control characters",
}


@pytest.mark.parametrize(
    ("url", "reason"), NO_ADDRESSES.items(), ids=range(len(NO_ADDRESSES))
)
def test_an_address_that_is_none_is_named_at_once(url, reason):
    began = time.monotonic()
    with pytest.raises(
        PatchConvNetError, match="is no address that can be asked"
    ) as caught:
        read_image(url)
    assert reason in str(caught.value) and "https://example.org/picture.png" in str(
        caught.value
    )
    assert str(caught.value).isprintable() and time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("HTTP://Example.org", "http://example.org/"),
        (
            "http://example.org:8080/a b?c=d e#f",
            "http://example.org:8080/a%20b?c=d%20e",
        ),
        ("https://bücher.example/ä.png", "https://xn--bcher-kva.example/%C3%A4.png"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("http://example.org./a%20b;c", "http://example.org./a%20b;c"),
        ("http://my_host/a", "http://my_host/a"),
    ],
)
def test_an_address_is_sent_as_browsers_do(url, sent):
    assert web.address_of(url) == sent


# === what the callers say ===


@pytest.mark.parametrize("part", ["header", "chunk size"])
def test_a_picture_that_is_slow_to_begin_is_given_up(part, monkeypatch):
    monkeypatch.setattr(reading, "PATIENCE", PATIENCE)
    with (
        Server(SLOW[part], pause=0.05) as server,
        pytest.raises(
            PatchConvNetError, match="is too slow: download the picture first"
        ),
    ):
        read_image(server.url)


def test_what_a_server_says_is_made_printable():
    with Server(
        said(b"HTTP/1.1 404 \x1b[2J\xff" + b"x" * 1000 + b"\r\n\r\n")
    ) as server:
        with pytest.raises(PatchConvNetError, match="answers HTTP 404") as caught:
            read_image(server.url)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600


@pytest.mark.long
@pytest.mark.parametrize("part", ["header", "headers", "chunk size", "continue"])
def test_a_download_leaves_a_host_that_is_slow_to_begin(part, tmp_path):
    quick = {"timeout": 1.5, "window": 0.3, "minimum_rate": 1}
    # of "hello"
    sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    with (
        Server(SLOW[part], pause=0.05) as slow,
        Server(said(OK + b"Content-Length: 5\r\n\r\nhello")) as good,
    ):
        assert (
            fetch([slow.url, good.url], tmp_path / "file", sha256, **quick).read_bytes()
            == b"hello"
        )
        with pytest.raises(PatchConvNetError, match="127.0.0.1 is slow"):
            fetch([slow.url], tmp_path / "other", sha256, **quick)


@pytest.mark.parametrize(
    "url",
    [
        "http://a..b/file",
        "http:///file",
        "http://[::1/file",
        "ftp://127.0.0.1/file",
        "file:///etc/passwd",
    ],
)
def test_a_download_leaves_an_address_that_is_none(url, tmp_path):
    began = time.monotonic()
    with pytest.raises(
        PatchConvNetError,
        match="could not be downloaded: .* is no http or https address",
    ):
        fetch([url], tmp_path / "file", "00")
    assert time.monotonic() - began < 5
