"""Asking http and https addresses: nothing else, and not for ever.

    address_of          an address as it is sent, or one line that says why it is none
    require_network     one line at once where there is no network
    asked               the answer of the server behind it, under the eye of a watchdog

`urllib` alone follows a redirect to ftp, and gives a server that sends a byte every few
seconds all the time in the world.
"""

import contextlib
import functools
import http.client
import ipaddress
import os
import queue
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from patchconvnet.errors import PatchConvNetError, one_line

OFFLINE_VARIABLE = "PATCHCONVNET_OFFLINE"
# commands to a terminal, and what is no letter
UNSENDABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
NO_HOST = re.compile(r"""[\s<>"'{}|\\^`%/?#\[\]@]""")


class TooSlow(Exception):
    """The watchdog ended it."""


# === addresses ===


def address_of(url):
    """An http or https address in ASCII, as it is sent.

    Letters of any alphabet are encoded as browsers do it.

    Raises:
        PatchConvNetError: another scheme, no host or an impossible one, an impossible
            port, control characters.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        if UNSENDABLE.search(url):
            raise ValueError("it holds control characters")
        if parts.scheme not in ("http", "https"):
            raise ValueError("it begins with neither http:// nor https://")
        if "@" in parts.netloc:
            raise ValueError("it holds a user's name")
        host = _host(parts)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError as error:  # UnicodeError is one, too
        complaint = error
        if isinstance(error, UnicodeError):
            complaint = "its host's name is impossible"
        example = "give one such as https://example.org/picture.png"
        raise PatchConvNetError(
            f"{one_line(url)} is no address that can be asked ({one_line(complaint)}):"
            f" {example}"
        ) from error
    path, query = (
        urllib.parse.quote(part, safe="/:?[]@!$&'()*+,;=%~")
        for part in (parts.path or "/", parts.query)
    )
    return urllib.parse.urlunsplit((parts.scheme, host + port, path, query, ""))


def _host(parts):
    host = parts.hostname
    if not host:
        raise ValueError("it names no host")
    if "[" in parts.netloc:
        return f"[{ipaddress.IPv6Address(host)}]"
    if NO_HOST.search(host):
        raise ValueError("its host's name is impossible")
    # no empty label, none of more than 63 letters
    return host.encode("idna").decode("ascii")


def host_of(url):
    """The host's name in an address, as it is looked up; None for no address."""
    try:
        return urllib.parse.urlsplit(address_of(url)).hostname
    except PatchConvNetError:
        return None


# === the network ===


def require_network(urls, seconds=15.0):
    """Raise at once where there is no network.

    All host names are asked for at the same time, and the first one is waited for.
    """
    if os.environ.get(OFFLINE_VARIABLE, "") not in ("", "0"):
        raise PatchConvNetError(
            f"The network may not be used: {OFFLINE_VARIABLE} is set."
        )
    if {"http", "https"} & urllib.request.getproxies().keys():
        return  # the proxy looks the names up, and this machine may not be able to
    hosts = sorted(set(map(host_of, urls)) - {None})
    if not hosts:
        return  # whoever asks them will say what is wrong with each
    answers = queue.Queue()
    for host in hosts:
        threading.Thread(target=_look_up, args=(host, answers), daemon=True).start()
    deadline = time.monotonic() + seconds
    with contextlib.suppress(queue.Empty):
        for _ in hosts:
            if answers.get(timeout=max(0.0, deadline - time.monotonic())):
                return
    raise PatchConvNetError(
        f"There is no network: none of these hosts is known: {', '.join(hosts)}."
    )


def _look_up(host, answers):
    try:
        answers.put(bool(socket.getaddrinfo(host, 443)))
    except (OSError, ValueError):  # UnicodeError: no name that can be asked for
        answers.put(False)


# === answers ===


@contextlib.contextmanager
def asked(url, headers, timeout, patience):
    """The server's answer to a GET, and the `Watchdog` that watches it.

    The answer is an `http.client.HTTPResponse`. Redirects are followed, proxies
    honoured, and no file or ftp server is asked.

    Args:
        url: see `address_of`.
        headers: a dict; the name of this package is added.
        timeout: seconds of silence that are accepted.
        patience: seconds until the watchdog ends it, whatever comes.

    Raises:
        TooSlow: it took longer than that.
        PatchConvNetError: no address.
        OSError, http.client.HTTPException, ValueError: it cannot be reached, or answers
            with an error or nonsense.
    """
    request = urllib.request.Request(
        address_of(url), headers={"User-Agent": "patchconvnet", **headers}
    )
    with Watchdog(patience) as dog:
        with dog.watching():
            answer = _opener(dog).open(request, timeout=timeout)
        with answer:
            yield answer, dog


class Watchdog:
    """Ends all connections of a request at a deadline, which may be put off.

    Whoever waits for them then wakes up.
    """

    def __init__(self, patience):
        self.patience = patience
        self.sockets = []
        self.ended = False
        self.over = threading.Event()
        self.put_off()

    def put_off(self):
        self.deadline = time.monotonic() + self.patience

    def __enter__(self):
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()

    def _watch(self):
        while not self.over.wait(max(0.0, self.deadline - time.monotonic())):
            if time.monotonic() >= self.deadline:
                self.ended = True
                for connection in self.sockets:
                    _shut(connection)
                return

    def add(self, connection):
        self.sockets.append(connection)
        if self.ended:
            _shut(connection)

    @contextlib.contextmanager
    def watching(self):
        """Turn whatever came of a connection that was ended into `TooSlow`.

        That may be an error, or what looks like its end.
        """
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self.ended:
                raise TooSlow from error
            raise
        if self.ended:
            raise TooSlow


def _shut(connection):
    with contextlib.suppress(OSError):  # it is closed already
        # that of an `SSLSocket` would go on without encryption
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Watched:
    """A connection that shows each of its sockets to a watchdog before it waits."""

    def __init__(self, dog, *arguments, **options):
        self.dog = dog
        super().__init__(*arguments, **options)

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "sock" and value is not None:
            self.dog.add(value)


class _Connection(_Watched, http.client.HTTPConnection):
    pass


class _SecureConnection(_Watched, http.client.HTTPSConnection):
    pass


class _Handler(urllib.request.AbstractHTTPHandler):
    def __init__(self, dog):
        super().__init__()
        self.dog = dog

    def http_open(self, request):
        return self.do_open(functools.partial(_Connection, self.dog), request)

    def https_open(self, request):
        return self.do_open(functools.partial(_SecureConnection, self.dog), request)

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, answer, code, reason, headers, new):
        answer.close()  # else its body would be read, however long
        try:
            address = address_of(new)
        except PatchConvNetError as error:
            raise urllib.error.HTTPError(
                request.full_url, code, f"it leads to {new}", headers, answer
            ) from error
        return super().redirect_request(request, answer, code, reason, headers, address)


def _opener(dog):
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
        _Handler(dog),
    ):
        opener.add_handler(handler)
    return opener
