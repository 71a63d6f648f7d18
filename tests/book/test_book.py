"""The built book: it builds without a warning, and its pages hold together.

The checks are functions that return a list of problems. Each one is also given a page
that is broken on purpose, so that a check that sees nothing cannot pass.
"""

import functools
import re
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup

from book_pages import CHAPTERS, ROOT, build

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY = CONFIG["repository"]["url"]


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
