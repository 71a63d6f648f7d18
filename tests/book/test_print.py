"""A chapter on paper, printed by the browser: nothing cut off, nothing folded away."""

import re

import pytest

from book_pages import ROOT, open_page

A4 = 718  # pixels that Chromium's own margins leave of the paper's width
# What is wider than the sheet, or than a box that would scroll on a screen.
CUT_OFF = """() => [...document.querySelectorAll(".bd-article *")]
    .filter(part => part.clientWidth > 0 && !part.closest(".math"))
    .map(part => [part, Math.max(
        part.getBoundingClientRect().right - document.documentElement.clientWidth,
        getComputedStyle(part).overflowX === "visible"
            ? 0 : part.scrollWidth - part.clientWidth)])
    .filter(([part, excess]) => excess > 1)
    .map(([part, excess]) => `${excess} px: ${part.textContent.trim().slice(0, 60)}`)"""
# Code, outputs and text that a reader has not unfolded.
FOLDED = """() => [...document.querySelectorAll(".bd-article details")]
    .flatMap(fold => [...fold.children].slice(1))
    .filter(part => !part.matches(".guess-said, summary"))
    .filter(part => part.textContent.trim() && !part.checkVisibility())
    .map(part => part.textContent.trim().slice(0, 60))"""
TO_CLICK = """() => [...document.querySelectorAll("nav, button, input, footer")]
    .filter(part => part.checkVisibility() && part.getBoundingClientRect().height)
    .map(part => part.outerHTML.slice(0, 80))"""
BROKEN = """() => [...document.querySelectorAll(".bd-article .cell_output img")]
    .filter(figure => getComputedStyle(figure).breakInside !== "avoid"
        || getComputedStyle(figure).filter !== "none"
        || figure.getBoundingClientRect().height > 1000)
    .map(figure => figure.alt)"""


def on_paper(browser, address, mode="light"):
    """A page laid out as Chromium prints it, at the width of a sheet."""
    page, _ = open_page(browser, address, {"width": A4, "height": 1000})
    page.emulate_media(media="print", color_scheme=mode)
    page.wait_for_function("matchMedia('print').matches")
    return page


@pytest.mark.parametrize(
    ("name", "mode"), [("06_attention_pooling", "light"), ("12_faithfulness", "dark")]
)
def test_a_chapter_prints_whole(browser, address, name, mode):
    page = on_paper(browser, f"{address}/chapters/{name}.html", mode)
    shut = page.locator(".bd-article details:not([open])").count()
    found = [page.evaluate(wrong) for wrong in (CUT_OFF, FOLDED, TO_CLICK, BROKEN)]
    page.context.close()
    assert shut > 5 and found == [[], [], [], []]


def sheets(browser, tmp_path, style):
    """How many pages Chromium prints of a closed fold of sixty lines: an int."""
    lines = "".join(f"<p>line {number}</p>" for number in range(60))
    file = tmp_path / "page.html"
    file.write_text(
        f"<style>{style}</style><article class='bd-article'><details><summary>More"
        f"</summary>{lines}</details></article>"
    )
    page, _ = open_page(browser, file.as_uri())
    printed = page.pdf(format="A4")
    page.context.close()
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def test_a_fold_is_open_in_the_file_that_is_printed(browser, tmp_path):
    style = (ROOT / "site_static" / "course.css").read_text(encoding="utf-8")
    assert sheets(browser, tmp_path, "") == 1 < sheets(browser, tmp_path, style)


def test_what_is_cut_off_on_paper_is_seen(browser, tmp_path):
    file = tmp_path / "page.html"
    wide = "word " * 60
    file.write_text(
        "<style>pre { overflow: auto }</style><article class='bd-article'>"
        f"<pre>cut {wide}</pre><p style='width: 900px'>wide</p>"
        "<details><summary>More</summary><p>folded</p></details></article>"
        "<button>Press</button>"
    )
    page = on_paper(browser, file.as_uri())
    cut, folded, buttons = map(page.evaluate, (CUT_OFF, FOLDED, TO_CLICK))
    page.context.close()
    assert len(cut) == 2 and "cut word" in cut[0] and "wide" in cut[1]
    assert folded == ["folded"] and buttons == ["<button>Press</button>"]
