"""What the pages say of themselves to browsers, search engines and messengers."""

import functools
import http.server
import re
import threading
import types
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from PIL import Image

import book as site
from book_pages import PHONE, ROOT, open_page
from test_accessibility import axe_problems

REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))[
    "repository"
]["url"]
HOME = site.published_at(REPOSITORY)
NO_CONTENT = {"search.html"}


@pytest.fixture(scope="module")
def heads(book, pages):
    """Of each page with content: its name, and its parsed head."""
    return {
        name: BeautifulSoup(text_of(path).partition("</head>")[0], "html.parser")
        for path in pages
        if (name := path.relative_to(book).as_posix()) not in NO_CONTENT
    }


def text_of(path):
    return path.read_text(encoding="utf-8")


def meta(soup, name):
    """The contents of all elements <meta> of that name: a list."""
    kinds = ("property", "name")
    return [
        tag["content"] for kind in kinds for tag in soup.find_all("meta", {kind: name})
    ]


@pytest.mark.parametrize(
    "repository, address",
    [
        ("https://github.com/me/my.course", "https://me.github.io/my.course/"),
        ("https://github.com/Some-One/Course", "https://some-one.github.io/Course/"),
        ("https://github.com/Me/me.github.io", "https://me.github.io/"),
    ],
)
def test_the_address_follows_from_the_repository(repository, address):
    assert site.published_at(repository) == address
    theme = {"repository_url": repository}
    config = types.SimpleNamespace(
        html_baseurl="", html_theme_options=theme, html_title="A title"
    )
    site.settle(None, config)
    assert config.html_baseurl == config.ogp_site_url == address
    assert config.notfound_urls_prefix == urlsplit(address).path
    # who has an address of their own writes it into _config.yml
    config.html_baseurl = "https://course.example/"
    site.settle(None, config)
    assert config.ogp_site_url == "https://course.example/"
    assert config.notfound_urls_prefix == "/"


def test_each_page_has_an_address_a_description_and_a_picture(heads):
    said = {}
    for name, soup in heads.items():
        address = f"{HOME}{name.replace('index.html', 'intro.html')}"
        canonical = soup.find_all("link", rel="canonical")
        assert [tag["href"] for tag in canonical] == [address]
        assert meta(soup, "og:url") == [address]
        assert meta(soup, "og:image") == [f"{HOME}_static/shared.png"]
        (title,) = meta(soup, "og:title")
        assert name in ("index.html", "intro.html") or soup.title.text.startswith(title)
        (text,) = meta(soup, "description")
        assert meta(soup, "og:description") == [text]
        assert 50 < len(text) < 180 and re.match("[A-Z].*[.?!]$", text), name
        said[address] = text
    assert len(set(said.values())) == len(said) >= 24


def test_a_chapter_is_described_as_on_the_first_page(heads):
    (said,) = meta(heads["chapters/04_trunk.html"], "description")
    start, rest = said[0].lower() + said[1:10], said[10:]
    assert f"{start}{rest}" in (ROOT / "intro.md").read_text(encoding="utf-8")
    (said,) = meta(heads["chapters/06_attention_pooling.html"], "description")
    assert said in (ROOT / "intro.md").read_text(encoding="utf-8")


def test_a_description_ends_with_a_sentence():
    document = nodes.section("", nodes.title("", "Title"))
    document += nodes.paragraph("", "First one.  Second,\nlonger one? Third one.")
    assert site.beginning(document) == "First one. Second, longer one? Third one."
    assert site.beginning(document, most=31) == "First one. Second, longer one?"
    assert site.beginning(document, most=5) == "First one."
    assert site.beginning(nodes.section()) == ""


def test_the_picture_of_a_link_has_the_size_that_is_said(book, heads):
    with Image.open(book / "_static" / "shared.png") as picture:
        assert picture.size == (1200, 630)
        edges = [picture.getpixel((x, y)) for x in (2, 1197) for y in (2, 627)]
        colours = picture.convert("P", palette=Image.Palette.ADAPTIVE).getcolors()
    assert set(edges) == {(255, 255, 255)} and len(colours) > 50
    assert (book / "_static" / "shared.png").stat().st_size < 300_000
    intro = heads["intro.html"]
    sides = [meta(intro, f"og:image:{side}") for side in ("width", "height")]
    assert sides == [["1200"], ["630"]]


def test_the_first_page_stands_at_the_root(book):
    """No redirection: a messenger's preview would stop at it."""
    root, intro = ((book / f"{name}.html").read_bytes() for name in ("index", "intro"))
    assert root == intro


def test_the_map_of_the_site_has_all_pages(book, heads):
    tree = ElementTree.parse(book / "sitemap.xml")
    found = [
        place.text for place in tree.iter() if place.tag.rpartition("}")[2] == "loc"
    ]
    assert sorted(found) == sorted(
        f"{HOME}{name}" for name in heads.keys() - {"index.html"}
    )


def test_formulas_are_drawn_where_there_are_some(book, heads):
    texts = {name: text_of(book / name) for name in heads}
    with_formula, with_mathjax = (
        {name for name, text in texts.items() if re.search(mark, text)}
        for mark in (r'<(span|div) class="[^"]*\bmath\b', "<script[^>]+/mathjax/")
    )
    assert with_formula == with_mathjax
    assert "chapters/06_attention_pooling.html" in with_formula
    assert not with_formula & {"intro.html", "glossary.html"}


# === an address that is not there ===


@pytest.fixture
def published(book):
    """The book as GitHub Pages has it: below the repository's name, with its own answer
    to an address that is not there.
    """
    prefix = urlsplit(HOME).path

    class Pages(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            inside = path.startswith(prefix)
            return super().translate_path(path[len(prefix) - 1 :]) if inside else ""

        def send_error(self, code, *said):
            self.send_response(code)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write((book / "404.html").read_bytes())

        def log_message(self, *said):
            pass

    handler = functools.partial(Pages, directory=str(book))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.handle_error = lambda *request: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
        server.shutdown()


def test_an_address_that_is_not_there_leads_on(browser, published):
    lost = f"{published}chapters/deep/gone.html"
    page, problems = open_page(browser, lost, PHONE)
    # its own, and the browser's word about it
    assert [said for said in problems if "gone.html" not in said] == [
        said for said in problems if "status of 404" in said
    ]
    problems.clear()
    assert page.get_by_role("heading", name="There is no such page").is_visible()
    font = page.evaluate("getComputedStyle(document.body).fontFamily")
    assert "Times" not in font  # its style was found
    assert axe_problems(page) == []
    page.get_by_role("link", name="first page").click()
    page.wait_for_url(f"{published}intro.html")
    page.wait_for_load_state("networkidle")
    page.goto(lost)
    problems.clear()
    page.locator(".bd-article").get_by_role("link", name="search").click()
    page.wait_for_url(f"{published}search.html")
    page.context.close()
    assert problems == []
