"""The downloader against hosts that stall, crawl, truncate, corrupt, refuse and lie."""

import hashlib
import io
import random
import re
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from patchconvnet.data import download
from patchconvnet.data.download import fetch
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("no_network_settings")

CONTENT = random.Random(0).randbytes(400_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = {"timeout": 2.0, "window": 0.3, "minimum_rate": 500_000}
# seconds: more than a busy machine needs, less than waiting for a host that says
# nothing
LONG = 20


class Clock:
    """Time as slow hosts make it pass: so many seconds for each piece that they send,
    however busy the machine is.
    """

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


class Host(BaseHTTPRequestHandler):
    """Answers as the first part of the path says: /good/file, /slow/file and so on."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        kind = self.path.split("/")[1]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and kind not in ("norange", "page") else 0
        self.server.requests.append((kind, start))
        if kind == "missing":
            return self.send_error(404)
        if kind == "busy":
            return self.send_error(503)
        if start >= len(CONTENT):
            return self.send_error(416)
        lies = {
            "corrupt": bytes(200_000) + CONTENT[200_000:],
            "page": b"<html>please log in</html>",
        }
        content = lies.get(kind, CONTENT)
        self.send_response(206 if asked and kind not in ("norange", "page") else 200)
        if kind == "shifted":
            self.send_header(
                "Content-Range", f"bytes 0-{len(content) - 1}/{len(content)}"
            )
        elif start:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
            )
        self.close_connection = True
        if kind == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            return self.wfile.write(
                b"%x\r\n%s\r\n0\r\n\r\n" % (len(content) - start, content[start:])
            )
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        try:
            self.send_body(kind, content[start:])
        except OSError:  # the client has left
            pass

    def send_body(self, kind, content):
        if kind == "truncate":
            self.wfile.write(content[: max(1, len(content) // 2)])
        elif kind == "lie_and_break":
            self.wfile.write(bytes(1000))
        elif kind == "stall":
            self.wfile.write(content[:1000])
            self.server.over.wait(60)
        elif kind in ("slow", "trickle"):
            piece = 40_000 if kind == "slow" else 20
            for first in range(0, len(content), piece):
                self.server.clock.now += 0.15
                self.wfile.write(content[first : first + piece])
                if self.server.over.wait(0.01):
                    return
        else:
            self.wfile.write(content)


@pytest.fixture
def server(monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as running:
        running.requests, running.over, running.clock = [], threading.Event(), Clock()
        monkeypatch.setattr(download, "time", running.clock)
        running.urls = lambda *kinds: [
            f"http://127.0.0.1:{running.server_port}/{kind}/file" for kind in kinds
        ]
        thread = threading.Thread(
            target=running.serve_forever, kwargs={"poll_interval": 0.01}
        )
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


def asked(server):
    return [kind for kind, _ in server.requests]


def test_a_good_host_gives_the_file_and_leaves_nothing_unfinished(server, tmp_path):
    destination = tmp_path / "new" / "folder" / "file.bin"
    assert fetch(server.urls("good"), destination, SHA256, **QUICK) == destination
    assert destination.read_bytes() == CONTENT
    assert not destination.with_name("file.bin.partial").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    "bad",
    ["missing", "busy", "truncate", "corrupt", "page", "stall", "slow", "trickle"],
)
def test_a_bad_host_is_left_for_the_next(server, tmp_path, bad):
    began = time.monotonic()
    fetch(
        server.urls(bad, "good"), tmp_path / "file", SHA256, size=len(CONTENT), **QUICK
    )
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert asked(server)[0] == bad and asked(server)[-1] == "good"
    assert time.monotonic() - began < LONG


def test_a_host_that_refuses_the_connection_is_left_for_the_next(server, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refusing = f"http://127.0.0.1:{closed.getsockname()[1]}/file"
    fetch([refusing, *server.urls("good")], tmp_path / "file", SHA256, **QUICK)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_the_next_host_goes_on_where_the_last_one_stopped(server, tmp_path):
    fetch(server.urls("truncate", "good"), tmp_path / "file", SHA256, **QUICK)
    assert server.requests == [("truncate", 0), ("good", 200_000)]


def test_an_interrupted_download_goes_on(server, tmp_path):
    (tmp_path / "file.partial").write_bytes(CONTENT[:150_000])
    fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    assert server.requests == [("good", 150_000)]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_complete_partial_file_needs_no_request(server, tmp_path):
    (tmp_path / "file.partial").write_bytes(CONTENT)
    fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    assert server.requests == [] and (tmp_path / "file").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(server, tmp_path):
    (tmp_path / "file.partial").write_bytes(CONTENT[:150_000])
    fetch(server.urls("norange"), tmp_path / "file", SHA256, **QUICK)
    assert len(server.requests) == 1
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_host_that_sends_another_part_than_asked_for_is_left(server, tmp_path):
    (tmp_path / "file.partial").write_bytes(CONTENT[:150_000])
    fetch(server.urls("shifted", "good"), tmp_path / "file", SHA256, **QUICK)
    assert server.requests == [("shifted", 150_000), ("good", 150_000)]


@pytest.mark.parametrize("length", [1000, len(CONTENT), len(CONTENT) + 5])
def test_a_wrong_partial_file_is_thrown_away_and_the_host_asked_again(
    server, tmp_path, length
):
    (tmp_path / "file.partial").write_bytes(bytes(length))
    fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_the_honest_host_is_not_blamed_for_what_another_began(server, tmp_path):
    fetch(server.urls("lie_and_break", "good"), tmp_path / "file", SHA256, **QUICK)
    assert server.requests == [("lie_and_break", 0), ("good", 1000), ("good", 0)]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_host_of_another_size_does_not_cost_what_is_already_there(server, tmp_path):
    (tmp_path / "file.partial").write_bytes(CONTENT[:150_000])
    with pytest.raises(PatchConvNetError, match="instead of 400,000"):
        fetch(
            server.urls("page"), tmp_path / "file", SHA256, size=len(CONTENT), **QUICK
        )
    assert (tmp_path / "file.partial").read_bytes() == CONTENT[:150_000]


def test_an_answer_that_does_not_tell_its_length_is_accepted(server, tmp_path):
    fetch(server.urls("chunked"), tmp_path / "file", SHA256, **QUICK)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_slow_host_is_better_than_none(server, tmp_path):
    fetch(server.urls("slow", "missing"), tmp_path / "file", SHA256, **QUICK)
    assert asked(server) == ["slow", "missing", "slow"]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_host_that_breaks_off_is_tried_again_after_the_others(server, tmp_path):
    with pytest.raises(PatchConvNetError, match="stopped after"):
        fetch(server.urls("truncate", "missing"), tmp_path / "file", SHA256, **QUICK)
    assert asked(server) == ["truncate", "missing", "truncate", "truncate"]
    assert [start for kind, start in server.requests if kind == "truncate"] == [
        0,
        200_000,
        300_000,
    ]


def test_a_trickle_is_not_waited_for_even_where_it_is_the_last(server, tmp_path):
    with pytest.raises(PatchConvNetError, match="is slow"):
        fetch(server.urls("trickle"), tmp_path / "file", SHA256, **QUICK)


def test_a_wrong_file_is_deleted_and_never_gets_the_name(server, tmp_path):
    with pytest.raises(PatchConvNetError, match="wrong sha256"):
        fetch(server.urls("corrupt"), tmp_path / "file", SHA256, **QUICK)
    assert not (tmp_path / "file").exists() and not (tmp_path / "file.partial").exists()


@pytest.mark.long
def test_the_error_names_every_host_and_its_reason_in_one_line(server, tmp_path):
    with pytest.raises(PatchConvNetError) as caught:
        fetch(
            server.urls("missing", "stall", "corrupt"),
            tmp_path / "file",
            SHA256,
            **QUICK,
        )
    message = str(caught.value)
    assert (
        "HTTP 404" in message and "timed out" in message and "wrong sha256" in message
    )
    assert "\n" not in message


def test_a_good_file_is_left_alone_without_a_request(server, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    fetch(server.urls("corrupt"), tmp_path / "file", SHA256, **QUICK)
    assert server.requests == [] and (tmp_path / "file").read_bytes() == CONTENT


def test_a_wrong_file_is_replaced_only_by_the_right_one(server, tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(PatchConvNetError):
        fetch(server.urls("missing"), tmp_path / "file", SHA256, **QUICK)
    assert (tmp_path / "file").read_bytes() == b"old"
    fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_log_gets_a_few_whole_lines_of_progress(
    server, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(download, "BLOCK", 1000)
    fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    told = capsys.readouterr()
    assert told.out == "" and "\r" not in told.err and "100%" in told.err
    assert 2 <= len(told.err.splitlines()) <= 12


def test_a_terminal_gets_one_line_that_changes(server, tmp_path, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    fetch(server.urls("good"), tmp_path / "file", SHA256, **QUICK)
    assert "\r" in terminal.getvalue() and "100%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n") and terminal.getvalue().count("\n") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks on Windows")
def test_two_at_once_both_get_the_file_and_it_is_downloaded_once(
    server, tmp_path, capsys
):
    get = lambda _: fetch(
        server.urls("slow"), tmp_path / "file", SHA256, **QUICK
    ).read_bytes()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(get, range(2))) == [CONTENT, CONTENT]
    assert asked(server) == ["slow"]
    assert "waiting for another process" in capsys.readouterr().err
