"""What tests of pages share: the built book, a browser, and a page opened in it."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
PHONE = {"width": 360, "height": 740}
LAPTOP = {"width": 1280, "height": 900}
WIDER_THAN_ITS_PLACE = """() => ["html", "body", ".bd-main", ".bd-content",
        ".bd-article-container", ".bd-article"]
    .flatMap(name => [...document.querySelectorAll(name)]
        .map(box => [name, box.scrollWidth - box.clientWidth]))
    .filter(([name, excess]) => excess > 1)
    .map(([name, excess]) => `${name} is ${excess} px too wide`)"""


# === building ===


def build(source, out):
    """Run `jupyter-book build`, with the jupyter-book of this Python."""
    command = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        str(source),
    ]
    command += ["--path-output", str(out), "--all", "-W", "-n", "--keep-going"]
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600
    )


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The folder of the built pages, built by whichever worker is the first to ask."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # that of all workers
    out, done = place / "book", place / "book_is_built.txt"
    try:
        out.mkdir()
    except FileExistsError:
        end = time.monotonic() + 600
        while not done.exists() and time.monotonic() < end:
            time.sleep(0.2)
    else:
        result = build(ROOT, out)
        said = ""
        if result.returncode:
            ends = result.stdout[-3000:] + result.stderr[-6000:]
            said = f"exit code {result.returncode}: {ends}"
        done.write_text(said, encoding="utf-8")
    assert not (said := done.read_text(encoding="utf-8")), said
    return out / "_build" / "html"


@pytest.fixture(scope="module")
def pages(book):
    found = sorted(
        path
        for path in book.rglob("*.html")
        if not path.is_relative_to(book / "_static")
        and path.name != "404.html"  # its links begin at the root: see test_site.py
    )
    names = {path.relative_to(book).as_posix() for path in found}
    expected = {
        "index.html",
        "intro.html",
        "glossary.html",
        "references.html",
        "search.html",
    }
    assert names >= expected | {f"chapters/{name}.html" for name in CHAPTERS}
    return found


@pytest.fixture(scope="module")
def address(book):
    """The book on a local server, in a sub-folder, as GitHub Pages has it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(book.parent.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # a page that is left early breaks its pipe
        server.handle_error = lambda *request: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{book.parent.name}/{book.name}"
        server.shutdown()


# === in a browser ===


def browser_path(playwright):
    names = [
        os.environ.get("CHROME", ""),
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ]
    found = [shutil.which(name) for name in names if name] + [
        playwright.chromium.executable_path
    ]
    return next((path for path in found if path and os.path.exists(path)), None)


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip(
        "playwright.sync_api",
        reason="the browser tests need playwright: bash tests/install_browser.sh",
    )
    with api.sync_playwright() as playwright:
        path = browser_path(playwright)
        if path is None:
            pytest.skip(
                "the browser tests need Chromium or Chrome: bash"
                " tests/install_browser.sh"
            )
        # No name resolves: what the routes below should miss still goes nowhere.
        cut = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        flags = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            cut,
        ]
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


def open_page(browser, address, viewport=None):
    """Open a page with the network cut. -> (page, problems so far); close page.context
    after use.
    """
    from playwright.sync_api import TimeoutError

    context = browser.new_context(viewport=viewport or LAPTOP)
    problems = []

    def gate(route):
        url = urlsplit(route.request.url)
        if url.scheme in ("file", "data", "blob") or url.hostname == "127.0.0.1":
            route.continue_()
        else:
            problems.append(f"asked another host: {route.request.url}")
            route.abort()

    context.route("**/*", gate)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(f"page error: {error}"))
    page.on(
        "console",
        lambda line: line.type == "error" and problems.append(f"console: {line.text}"),
    )
    # A page that is left breaks off what it was still fetching: that is no fault of the
    # page.
    page.on(
        "requestfailed",
        lambda request: (
            request.failure == "net::ERR_ABORTED"
            or problems.append(f"request failed: {request.url}")
        ),
    )
    page.on(
        "response",
        lambda answer: (
            answer.status >= 400 and problems.append(f"{answer.status}: {answer.url}")
        ),
    )
    try:
        page.goto(address, wait_until="load")
    except TimeoutError:
        # seen once in some hundred visits, of a page that loads else, and why is not
        # known: a page at fault stands still again
        problems.clear()
        page.goto(address, wait_until="load")
    # index.html sends the reader on to intro.html
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.evaluate("() => window.MathJax?.startup?.promise?.then(() => true)")
    return page, problems
