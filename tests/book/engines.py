"""Two browsers beside Chromium, each with the few things that a test does in one.

Firefox     Debian's, which Playwright cannot drive: by WebDriver BiDi, the protocol
            that it speaks itself
WebKit      Debian's WebKitWebDriver and MiniBrowser, by Selenium, on a screen of Xvfb
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PATIENCE = 30  # seconds that any one answer of a browser may take
TRIES = 3  # to start one
LIBRARY = "the browser tests need {}: bash tests/install_browser.sh"
PACKAGES = "needs Debian's {}, which tests/install_browser.sh installs where apt has it"


def started(engine, folder):
    """An engine that runs, in a new profile in `folder`; a start may fail once."""
    for attempt in range(TRIES):
        try:
            return engine(folder / str(attempt))
        except (OSError, RuntimeError, TimeoutError):
            if attempt == TRIES - 1:
                raise


def _end(process):
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    if process.poll() is None:
        process.kill()
        process.wait(5)


@contextmanager
def _bounded_waits():
    """For connections that are made now: Selenium waits for ever by default."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


class Engine:
    """What both can do: open, evaluate, wait_for, drag, press, choose, close.

    Keys are single characters, or names of `KEYS`, with "Shift+" before them.
    """

    KEYS = {
        "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014",
        "ArrowDown": "\ue015", "End": "\ue010", "Home": "\ue011", "Enter": "\ue007",
        "Escape": "\ue00c", "Backspace": "\ue003", "Shift": "\ue008",
    }  # fmt: skip

    def wait_for(self, expression):
        """The first true value of a JavaScript expression."""
        end = time.monotonic() + PATIENCE
        while not (found := self.evaluate(expression)):
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} stays {found!r}")
            time.sleep(0.05)
        return found

    def click(self, selector):
        place = self.evaluate(f"window.middleOf({json.dumps(selector)})")
        self.drag([place])

    def _pointer(self, points):
        (x, y), *others = points
        moves = [
            {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
            for x, y in others
        ]
        first = {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
        down, up = (
            {"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")
        )
        return {
            "type": "pointer",
            "id": "mouse",
            "parameters": {"pointerType": "mouse"},
            "actions": [first, down, *moves, up],
        }

    def _keys(self, keys):
        actions = []
        for key in keys:
            held = [self.KEYS[part] for part in key.split("+")[:-1]]
            last = key.split("+")[-1] if len(key) > 1 else key
            line = [*held, self.KEYS.get(last, last)]
            actions += [{"type": "keyDown", "value": value} for value in line]
            actions += [{"type": "keyUp", "value": value} for value in reversed(line)]
        return {"type": "key", "id": "keyboard", "actions": actions}


class Firefox(Engine):
    def __init__(self, profile):
        websocket = pytest.importorskip(
            "websocket", reason=LIBRARY.format("websocket-client")
        )
        program = shutil.which("firefox-esr")
        if program is None:
            pytest.skip(f"Firefox: {PACKAGES.format('firefox-esr')}")
        profile.mkdir()
        command = [program, "--headless", "--no-remote", "--remote-debugging-port=0"]
        log = profile / "log"
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [*command, "--profile", str(profile)], stdout=file, stderr=file
            )
        try:
            address = self._address(log)
            self.socket = websocket.create_connection(
                f"{address}/session", timeout=PATIENCE, suppress_origin=True
            )
            self.asked = 0
            self._ask("session.new", capabilities={})
            (tab,) = self._ask("browsingContext.getTree")["contexts"]
            self.tab = tab["context"]
            size = {"width": 1280, "height": 900}
            self._ask("browsingContext.setViewport", context=self.tab, viewport=size)
        except Exception as error:
            _end(self.process)
            raise RuntimeError(f"Firefox does not start: {log.read_text()}") from error

    def _address(self, log):
        end = time.monotonic() + PATIENCE
        while not (
            found := re.search(r"BiDi listening on (ws://\S+)", log.read_text())
        ):
            if time.monotonic() > end or self.process.poll() is not None:
                raise TimeoutError("it does not listen")
            time.sleep(0.05)
        return found[1]

    def _ask(self, method, **params):
        self.asked += 1
        self.socket.send(
            json.dumps({"id": self.asked, "method": method, "params": params})
        )
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") != self.asked:
                continue
            if answer["type"] == "error":
                raise RuntimeError(f"{method}: {answer['message']}")
            return answer["result"]

    def open(self, address):
        self._ask(
            "browsingContext.navigate", context=self.tab, url=address, wait="complete"
        )

    def evaluate(self, expression):
        """The value of an expression, waited for where it is a promise."""
        answer = self._ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self.tab},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"].get("value", "null"))

    def drag(self, points):
        self._ask(
            "input.performActions", context=self.tab, actions=[self._pointer(points)]
        )

    def press(self, *keys):
        self._ask("input.performActions", context=self.tab, actions=[self._keys(keys)])

    def choose(self, selector, path):
        answer = self._ask(
            "script.evaluate",
            expression=f"document.querySelector({json.dumps(selector)})",
            target={"context": self.tab},
            awaitPromise=False,
        )
        element = {"sharedId": answer["result"]["sharedId"]}
        self._ask(
            "input.setFiles", context=self.tab, element=element, files=[str(path)]
        )

    def close(self):
        self.socket.close()
        _end(self.process)


class WebKit(Engine):
    def __init__(self, folder):
        library = pytest.importorskip(
            "selenium.webdriver", reason=LIBRARY.format("selenium")
        )
        browsers = sorted(Path("/usr/lib").glob("*/webkit*gtk-*/MiniBrowser"))
        driver = shutil.which("WebKitWebDriver")
        if not (driver and browsers and shutil.which("Xvfb")):
            pytest.skip(f"WebKit: {PACKAGES.format('webkit2gtk-driver and xvfb')}")
        folder.mkdir()
        own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        screen = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1000x24"]
        self.screen = subprocess.Popen(
            [*screen, "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            display = f":{self.screen.stdout.readline().strip()}"
            options = library.WebKitGTKOptions()
            options.binary_location = str(browsers[-1])
            options.add_argument("--automation")
            service = library.WebKitGTKService(
                driver, env={**os.environ, **own, "DISPLAY": display}
            )
            with _bounded_waits():
                self.driver = library.WebKitGTK(options=options, service=service)
        except Exception as error:
            _end(self.screen)
            raise RuntimeError(f"WebKit does not start: {error}") from error
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)

    def open(self, address):
        self.driver.get(address)

    def evaluate(self, expression):
        """The value of an expression, waited for where it is a promise."""
        good, answer = self.driver.execute_async_script(
            f"""const done = arguments[0];
            (async () => JSON.stringify(await ({expression})))().then(
                (text) => done([true, text ?? "null"]),
                (error) => done([false, String(error)]),
            );"""
        )
        if not good:
            raise RuntimeError(answer)
        return json.loads(answer)

    def _perform(self, actions):
        self.driver.execute("actions", {"actions": [actions]})

    def drag(self, points):
        self._perform(self._pointer(points))

    def press(self, *keys):
        self._perform(self._keys(keys))

    def choose(self, selector, path):
        self.driver.find_element("css selector", selector).send_keys(str(path))

    def close(self):
        with suppress(Exception):  # a browser that has died already
            self.driver.quit()
        _end(self.screen)
