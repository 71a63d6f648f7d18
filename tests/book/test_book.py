"""The built book: it builds without a warning, and every page works without a network.

The checks are functions that return a list of problems. Each one is also given a page
that is broken on purpose, so that a check that sees nothing cannot pass.
"""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY = CONFIG["repository"]["url"]
PHONE = {"width": 360, "height": 740}


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
        said = (
            result.stdout[-3000:] + result.stderr[-6000:] if result.returncode else ""
        )
        done.write_text(said, encoding="utf-8")
    assert not (said := done.read_text(encoding="utf-8")), said
    return out / "_build" / "html"


@pytest.fixture(scope="module")
def pages(book):
    found = sorted(
        path
        for path in book.rglob("*.html")
        if not path.is_relative_to(book / "_static")
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


# === checks that need no browser ===


@functools.cache
def soup_of(page):
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def link_problems(page):
    """Links and sources inside the book that lead nowhere."""
    problems = []
    for tag in soup_of(page).find_all(href=True) + soup_of(page).find_all(src=True):
        address = urlsplit(tag.get("href") or tag.get("src"))
        if address.scheme or address.netloc:
            continue
        target = (
            (page.parent / unquote(address.path)).resolve() if address.path else page
        )
        if not target.is_file():
            problems.append(f"no such file: {address.path}")
        elif address.fragment and tag.name == "a" and target.suffix == ".html":
            soup, anchor = soup_of(target), unquote(address.fragment)
            if (
                soup.find(id=anchor) is None
                and soup.find("a", attrs={"name": anchor}) is None
            ):
                problems.append(f"no such anchor: {address.path}#{anchor}")
    return problems


def image_problems(page):
    """Images that a screen reader cannot read out."""
    problems = []
    for image in soup_of(page).find_all("img"):
        text = (image.get("alt") or "").strip()
        if not text or re.search(
            r"\.(png|svg|jpe?g|gif|webp)\b|[/\\]|^[0-9a-f]{16,}$", text, re.IGNORECASE
        ):
            problems.append(f"alt text {text!r} of {image.get('src')}")
    return problems


def report(check, pages):
    """All problems of all pages, as text for one assertion."""
    return "\n".join(
        f"{page.name}: {problem}" for page in pages for problem in check(page)
    )


def test_links_lead_somewhere(pages):
    assert not (found := report(link_problems, pages)), found


def test_images_are_described(pages):
    assert not (found := report(image_problems, pages)), found


def test_pages_have_the_buttons(book, pages):
    for name in CHAPTERS:
        links = {
            tag["href"]
            for tag in soup_of(book / "chapters" / f"{name}.html").find_all(
                "a", href=True
            )
        }
        path = f"/blob/{CONFIG['repository']['branch']}/chapters/{name}.ipynb"
        assert (
            f"https://colab.research.google.com/github{urlsplit(REPOSITORY).path}{path}"
            in links
        )
        assert f"../_sources/chapters/{name}.ipynb" in links
    for page in (book / "intro.html", book / "glossary.html"):
        text = str(soup_of(page))
        for button in (
            f'href="{REPOSITORY}"',
            f"{REPOSITORY}/issues/new",
            f"{REPOSITORY}/edit/",
        ):
            assert button in text, f"{page.name} lacks {button}"


def test_every_source_is_in_the_reading_list():
    listed = (ROOT / "references.md").read_text(encoding="utf-8")
    entries = re.split(
        r"(?m)^@", (ROOT / "references.bib").read_text(encoding="utf-8")
    )[1:]
    assert len(entries) > 20
    for entry in entries:
        fields = dict(re.findall(r"(?m)^\s+(\w+)\s*=\s*\{(.*)\},?$", entry))
        title = fields["title"].replace("{", "").replace("}", "")
        assert f"[*{title}*]({fields['url']})" in listed
        assert re.search(rf"\b{fields['year']}:\n\[\*{re.escape(title)}", listed), title


def test_the_checks_see_a_broken_page(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<a href="missing.html">1</a><a href="#nowhere">2</a><a href="#here">ok</a><p'
        ' id="here"><img src="page.html"><img src="page.html" alt="map.png"><img'
        ' src="page.html" alt="A map of a star">'
    )
    assert link_problems(page) == [
        "no such file: missing.html",
        "no such anchor: #nowhere",
    ]
    assert len(image_problems(page)) == 2


def test_a_warning_fails_the_build(tmp_path):
    (tmp_path / "_config.yml").write_text(
        "title: t\nauthor: a\nonly_build_toc_files: true\n"
    )
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: intro\n")
    (tmp_path / "intro.md").write_text("# Title\n\n[broken](glossary.md#class-token)\n")
    result = build(tmp_path, tmp_path / "out")
    assert result.returncode != 0
    assert "'glossary.md#class-token'" in result.stderr


# === checks in a browser ===


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
    context = browser.new_context(viewport=viewport or {"width": 1280, "height": 900})
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
    page.goto(address, wait_until="load")
    # index.html sends the reader on to intro.html
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.evaluate("() => window.MathJax?.startup?.promise?.then(() => true)")
    return page, problems


WIDER_THAN_ITS_PLACE = """() => ["html", "body", ".bd-main", ".bd-content",
        ".bd-article-container", ".bd-article"]
    .flatMap(name => [...document.querySelectorAll(name)]
        .map(box => [name, box.scrollWidth - box.clientWidth]))
    .filter(([name, excess]) => excess > 1)
    .map(([name, excess]) => `${name} is ${excess} px too wide`)"""
NOT_LOADED = """() => [...document.images]
    .filter(image => image.complete && image.naturalWidth === 0)
    .map(image => `image did not load: ${image.src}`)"""
# A figure has a padding of 8 pixels on each side. What is folded away has no size.
MISSHAPEN = """() => [...document.querySelectorAll(".cell_output img")]
    .filter(image => image.clientWidth > 16)
    .map(image => [image.clientWidth - 16, image.clientHeight - 16,
        image.naturalWidth, image.naturalHeight])
    .filter(([width, height, drawnWidth, drawnHeight]) =>
        Math.abs(height / width * drawnWidth / drawnHeight - 1) > 0.03)
    .map(([width, height, drawnWidth, drawnHeight]) =>
        `drawn ${drawnWidth} x ${drawnHeight}, shown ${width} x ${height}`)"""


def loading_problems(browser, path):
    """What goes wrong when a reader with a phone and no network opens this file."""
    page, problems = open_page(browser, path.as_uri(), PHONE)
    problems = (
        problems
        + page.evaluate(WIDER_THAN_ITS_PLACE)
        + page.evaluate(NOT_LOADED)
        + page.evaluate(MISSHAPEN)
    )
    page.context.close()
    return problems


# Code and output keep their lines: what is wider than its box, or than the box around
# that, is cut off, and must be scrolled to. What is folded away has no size: so it is
# unfolded first.
CUT_OFF = """() => {
    document.querySelectorAll("details").forEach(part => part.open = true);
    return [...document.querySelectorAll(".bd-article pre")]
        .filter(box => box.clientWidth > 0)
        .map(box => [box, Math.max(...[box, box.parentElement]
            .map(one => one.scrollWidth - one.clientWidth))])
        .filter(([box, excess]) => excess > 1)
        .map(([box, excess]) => [excess, box.textContent.trim().slice(0, 60)])
        .map(([excess, text]) => `${excess} px cut off: ${text}`);
}"""
UNFOLDED = """() => [document.querySelectorAll(".bd-article pre").length,
    [...document.querySelectorAll(".bd-article pre")]
        .filter(box => box.clientWidth > 0).length]"""


def cutting_problems(browser, path):
    """Code and printed output that a reader with a laptop scrolls sideways to see."""
    page, _ = open_page(browser, path.as_uri())
    problems = page.evaluate(CUT_OFF)
    there, seen = page.evaluate(UNFOLDED)
    page.context.close()
    return problems + (
        [f"{there - seen} of {there} blocks could not be seen"] if seen < there else []
    )


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


def test_pages_load_without_a_network(browser, pages):
    assert not (found := report(functools.partial(loading_problems, browser), pages)), (
        found
    )


def test_no_code_and_no_output_is_cut_off(browser, pages):
    """test_notebooks.py counts columns: here they have to fit. On "Try it yourself",
    the network's source scrolls.
    """
    read = [page for page in pages if page.name != "try_it.html"]
    assert not (found := report(functools.partial(cutting_problems, browser), read)), (
        found
    )


@pytest.mark.parametrize("place", ["server", "disk"])
def test_search_finds_the_glossary(browser, address, book, place):
    """From a server each find comes with an excerpt; from disk a browser lets no page
    read another one.
    """
    page, problems = open_page(
        browser, f"{address if place == 'server' else book.as_uri()}/intro.html"
    )
    page.keyboard.press("Control+K")
    page.keyboard.type("class token")
    page.keyboard.press("Enter")
    find = page.locator(
        "#search-results li", has=page.get_by_role("link", name="Class token")
    ).first
    find.wait_for(timeout=15_000)
    page.wait_for_load_state("networkidle")
    assert (find.locator(".context").count() == 1) == (place == "server")
    find.get_by_role("link").first.click()
    page.wait_for_url("**/glossary.html*")
    page.context.close()
    assert problems == []


def test_dark_mode_toggles_and_stays(browser, book):
    page, problems = open_page(browser, (book / "glossary.html").as_uri())
    colours = set()
    for _ in range(3):  # light, dark, and what the system says
        page.locator(".theme-switch-button:visible").first.click()
        mode = page.evaluate("document.documentElement.dataset.mode")
        colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.reload()
        assert page.evaluate("document.documentElement.dataset.mode") == mode
    page.context.close()
    assert len(colours) == 2
    assert problems == []


def test_players_work_in_both_modes_and_on_a_phone(browser, book):
    """tests/evolution/test_player.py looks closely at a player on a page of its own:
    here it stands among the theme's rules.
    """
    page, problems = open_page(
        browser, (book / "chapters" / "10_evolution.html").as_uri(), PHONE
    )
    players = page.locator(".attention-player")
    assert players.count() == 3
    for mode in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
        style = (
            "all => all.map(one => [one.parentElement, one].map(box =>"
            " getComputedStyle(box).backgroundColor))"
        )
        behind = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert players.evaluate_all(style) == [["rgba(0, 0, 0, 0)", behind]] * 3, mode
    for number in range(3):
        players.nth(number).get_by_role("slider").focus()
        page.keyboard.press("End")
        assert (
            "of the attention"
            in players.nth(number).locator("canvas.map").get_attribute("aria-label")
            or number == 2
        )
    assert page.evaluate(WIDER_THAN_ITS_PLACE) == []
    page.context.close()
    assert problems == []
    assert (book / "chapters" / "10_evolution.html").stat().st_size < 2_500_000


@pytest.mark.parametrize("name", ["try_it", "intro"])
def test_try_it_works_in_the_book(browser, book, name):
    """tests/book/test_try_it_page.py looks closely at it on a bare page: here it stands
    among the theme's rules.
    """
    page, problems = open_page(browser, (book / f"{name}.html").as_uri(), PHONE)
    page.get_by_role("button", name="Example: heart").click()
    page.wait_for_function(
        "document.querySelector('.attention .answer').textContent.startsWith('heart, ')"
    )
    assert page.evaluate(WIDER_THAN_ITS_PLACE) == []
    for mode in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
        paper, behind = (
            page.evaluate(f"getComputedStyle({place}).backgroundColor")
            for place in ("document.querySelector('.try-it button')", "document.body")
        )
        assert paper == behind
    page.context.close()
    assert problems == []


def test_without_scripts_try_it_shows_a_picture(browser, book):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / "try_it.html").as_uri())
    assert (
        "needs JavaScript, which is switched off here"
        in page.locator("noscript").inner_text()
    )
    picture = page.get_by_role("img", name="Two pictures, a triangle and a cross")
    assert picture.bounding_box()["width"] > 300
    context.close()


def test_a_block_that_is_cut_off_is_seen(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<article class="bd-article" style="width: 600px"><style>pre {overflow:'
        " auto}</style><pre>short</pre>"
        f"<pre>one {60 * 'wide '}</pre><details><summary>+</summary><pre>two"
        f" {60 * 'wide '}</pre></details>"
        '<pre style="display: none">three</pre></article>'
    )
    found = cutting_problems(browser, page)
    assert (
        len(found) == 3
        and "cut off: one wide" in found[0]
        and "cut off: two wide" in found[1]
    )
    assert found[2] == "1 of 4 blocks could not be seen"


def test_the_browser_checks_see_a_broken_page(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<img src="http://example.invalid/far.png" alt="far"><img src="gone.png"'
        ' alt="gone"><div style="width:'
        ' 900px">wide</div><script>console.error("printed"); throw'
        ' Error("thrown")</script>'
    )
    seen = "\n".join(loading_problems(browser, page))
    for problem in (
        "asked another host",
        "request failed",
        "did not load",
        "too wide",
        "printed",
        "thrown",
    ):
        assert problem in seen
