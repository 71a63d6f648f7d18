"""The parts of asking an address: what is looked up, what is sent, and when the
watchdog ends it. Nothing waits.
"""

import http.client
import queue
import socket
import threading
import types
import urllib.error
import urllib.request

import pytest

from patchconvnet.data import web
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("no_network_settings")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.org/a", "example.org"),
        ("http://bücher.example", "xn--bcher-kva.example"), ("http://[::1]:8/", "::1"),
        ("ftp://a/b", None), ("http://", None), ("a.png", None), ("http://a..b/", None),
        ("http://u@a/", None), ("http://[::1/", None),
    ],
)  # fmt: skip
def test_a_host_has_the_name_that_is_looked_up(url, host):
    assert web.host_of(url) == host


@pytest.mark.parametrize("mark", list("\x00\x1f\x7f\x80\x9f\ud800\udfff") + ["\n"])
def test_control_characters_are_in_no_address(mark):
    with pytest.raises(PatchConvNetError, match="it holds control characters"):
        web.address_of(f"http://example.org/{mark}")


@pytest.mark.parametrize("mark", list(" \"<>'{}|^`%"))
def test_what_is_in_no_hosts_name(mark):
    with pytest.raises(PatchConvNetError, match="its host's name is impossible"):
        web.address_of(f"http://a{mark}b/")


def test_what_need_not_be_encoded_is_sent_as_it_is():
    assert (
        web.address_of("http://a/:?[]@!$&'()*+,;=%~-._#x")
        == "http://a/:?[]@!$&'()*+,;=%~-._"
    )
    assert web.address_of('http://a/ä "?q=ä') == "http://a/%C3%A4%20%22?q=%C3%A4"
    assert (
        web.address_of("http://a:80?q") == "http://a:80/?q"
        and web.address_of("https://a:0/") == "https://a:0/"
    )


# === is there a network? ===


def test_all_hosts_are_looked_up_at_once_each_but_once(monkeypatch):
    asked = []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *given: asked.append(given) or [1]
    )
    web.require_network(
        ["https://b/x", "http://a/y", "https://b/z", "ftp://c/", "no address"]
    )
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(5)
    assert sorted(asked) == [("a", 443), ("b", 443)]


def test_addresses_that_are_none_are_left_to_whoever_asks_them(monkeypatch):
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *given: pytest.fail("it was looked up")
    )
    web.require_network(["ftp://c/", "no address"])
    web.require_network([])


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy"])
def test_with_a_proxy_nothing_is_looked_up(monkeypatch, name):
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *given: pytest.fail("it was looked up")
    )
    web.require_network(["https://a/"])


def test_a_proxy_for_something_else_looks_nothing_up(monkeypatch):
    monkeypatch.setattr(
        urllib.request, "getproxies", lambda: {"ftp": "http://127.0.0.1:1"}
    )
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given: [])
    with pytest.raises(
        PatchConvNetError,
        match="There is no network: none of these hosts is known: a, b.$",
    ):
        web.require_network(["https://b/", "https://a/"])


@pytest.mark.parametrize(
    "error", [OSError("unknown"), UnicodeError("no name"), ValueError("no")]
)
def test_a_name_that_cannot_be_looked_up_is_not_known(monkeypatch, error):
    def fail(*given):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(PatchConvNetError, match="none of these hosts is known: a.$"):
        web.require_network(["https://a/"])


@pytest.mark.parametrize(("options", "seconds"), [([], 15.0), ([4.0], 4.0)])
def test_names_have_15_seconds_in_all(monkeypatch, options, seconds):
    clock, waited = types.SimpleNamespace(now=100.0), []

    class Answers:
        def put(self, answer):
            pass

        def get(self, timeout):
            waited.append(timeout)
            clock.now += 3
            if len(waited) == 3:
                raise queue.Empty
            return False

    monkeypatch.setattr(socket, "getaddrinfo", lambda *given: [])
    monkeypatch.setattr(web.queue, "Queue", Answers)
    monkeypatch.setattr(web.time, "monotonic", lambda: clock.now)
    with pytest.raises(PatchConvNetError, match="There is no network"):
        web.require_network([f"https://{name}/" for name in "abcd"], *options)
    assert waited == [seconds, seconds - 3, max(0.0, seconds - 6)]


# === the watchdog ===


class Connection:
    def __init__(self):
        self.ends = 0


@pytest.fixture
def dog(monkeypatch):
    """dog(patience): a watchdog; its clock is `dog.clock`, and it sleeps as told."""
    clock = types.SimpleNamespace(now=50.0, waited=[])
    monkeypatch.setattr(web, "time", types.SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(
        web,
        "_shut",
        lambda connection: setattr(connection, "ends", connection.ends + 1),
    )

    def make(patience, while_asleep=lambda dog: None):
        made = web.Watchdog(patience)

        class Over:
            done = False

            def wait(self, seconds):
                clock.waited.append(seconds)
                clock.now += seconds
                while_asleep(made)
                return self.done

            def set(self):
                self.done = True

        made.over = Over()
        return made

    make.clock = clock
    return make


def test_a_watchdog_ends_every_connection_at_its_deadline(dog):
    one, two, late = Connection(), Connection(), Connection()
    watching = dog(7.0)
    watching.add(one)
    watching.add(two)
    assert not watching.ended
    watching._watch()
    assert watching.ended and dog.clock.waited == [7.0] and one.ends == two.ends == 1
    watching.add(late)  # as that of a redirect
    assert late.ends == 1 and one.ends == 1


def test_a_deadline_that_was_put_off_is_waited_for(dog):
    def put_off_once(watching):
        if len(dog.clock.waited) == 1:
            dog.clock.now -= 2
            watching.put_off()

    watching = dog(7.0, put_off_once)
    watching._watch()
    assert dog.clock.waited == [7.0, 7.0] and watching.ended


def test_a_watchdog_that_is_no_longer_needed_ends_nothing(dog):
    connection = Connection()
    watching = dog(7.0)
    watching.add(connection)
    watching.__exit__()
    watching._watch()
    assert not watching.ended and connection.ends == 0


@pytest.mark.parametrize(
    "error",
    [
        None,
        OSError("x"),
        http.client.IncompleteRead(b""),
        ValueError("x"),
        KeyError("x"),
    ],
)
@pytest.mark.parametrize("ended", [False, True])
def test_what_comes_of_an_ended_connection_is_too_slow(dog, error, ended):
    watching = dog(7.0)
    watching.ended = ended
    wanted = web.TooSlow if ended and not isinstance(error, KeyError) else type(error)
    if wanted is type(None):
        with watching.watching():
            pass
        return
    with pytest.raises(wanted) as caught, watching.watching():
        if error is not None:
            raise error
    assert wanted is web.TooSlow or caught.value is error


def test_a_connection_is_shut_both_ways_and_may_be_closed_already():
    one, other = socket.socketpair()
    with one, other:
        web._shut(one)
        assert one.recv(1) == other.recv(1) == b""
        one.close()
        web._shut(one)


# === what is sent ===


def test_a_request_carries_the_name_of_the_package_and_what_it_was_given(monkeypatch):
    sent = []

    class Opener:
        def open(self, request, timeout):
            sent.append((request.full_url, dict(request.header_items()), timeout))
            return Answer()

    class Answer:
        closed = False

        def __enter__(self):
            return self

        def __exit__(self, *problem):
            Answer.closed = True

    monkeypatch.setattr(web, "_opener", lambda dog: Opener())
    with web.asked("http://Example.org/a b", {"Range": "bytes=3-"}, 5, 60) as (
        answer,
        dog,
    ):
        assert isinstance(answer, Answer) and dog.patience == 60 and not Answer.closed
        watch = [
            thread
            for thread in threading.enumerate()
            if thread is not threading.main_thread()
        ]
        # whoever is interrupted does not wait for it
        assert all(thread.daemon for thread in watch)
    assert Answer.closed and dog.over.is_set()
    assert sent == [
        (
            "http://example.org/a%20b",
            {"User-agent": "patchconvnet", "Range": "bytes=3-"},
            5,
        )
    ]


@pytest.mark.parametrize("kind", [web._Connection, web._SecureConnection])
def test_a_connection_shows_its_sockets_to_the_watchdog(kind):
    shown = []
    connection = kind(types.SimpleNamespace(add=shown.append), "example.org", timeout=3)
    assert shown == [] and connection.host == "example.org" and connection.timeout == 3
    connection.sock = "a socket"
    connection.sock = None
    connection.other = "something else"
    assert shown == ["a socket"]


def test_an_unknown_kind_of_address_has_no_handler():
    opener = web._opener(None)
    for url in ("ftp://127.0.0.1/a", "file:///etc/passwd", "data:,a"):
        with pytest.raises(urllib.error.URLError, match="unknown url type"):
            opener.open(url)
