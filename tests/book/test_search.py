"""What a student types into the search finds the page that they want."""

import json

import pytest
import yaml

import book as site
from book_pages import CHAPTERS, LAPTOP, PHONE, open_page

# what is typed, and pages of which one must be among the first three
QUERIES = {
    "softmax": ["glossary#softmax", "chapters/06_attention_pooling"],
    "warm up": ["chapters/08_schedule"],
    "query key value": ["chapters/06_attention_pooling"],
    "dropout": ["glossary#dropout"],
    "Colab": ["set_up#in-colab"],
    "my own images": ["chapters/15_own_pictures"],
    "install": ["set_up#installing"],
    "overfitting": ["glossary#overfitting"],
    "gradcam": ["references#grad-cam"],
    "positional encoding": ["glossary#positional-encoding"],
    "heatmap": ["glossary#heat-map"],
    "out of memory": ["set_up#keras-and-tensorflow"],
    "No module named 'patchconvnet'": ["set_up"],
    "learning rate": ["chapters/08_schedule"],
    "cross-entropy": ["chapters/09_training"],
    "confusion matrix": ["chapters/15_own_pictures"],
    "data augmentation": ["chapters/02_data"],
    "transfer learning": ["glossary#transfer-learning"],
    "pretrained weights": ["chapters/16_any_network"],
    "batch size": ["chapters/09_training"],
    "do I need a GPU": ["set_up"],
    "kernel died": ["set_up#in-jupyter"],
    "receptive field": ["glossary#receptive-field"],
    "explainable AI": ["chapters/12_faithfulness"],
    "license": ["intro#licence"],
}
READY = "typeof Search !== 'undefined' && Search.hasIndex()"
FIRST = """([query, most]) => Search._performSearch(...Search._parseQuery(query))
    .reverse().slice(0, most).map(([page, title, anchor]) => page + (anchor ?? ""))"""
# the end of the icon, and the beginning of what is typed
ICON = """() => [...document.querySelectorAll(".bd-search")]
    .filter(form => form.checkVisibility() && form.clientWidth > 0)
    .map(form => [form.querySelector(".fa-magnifying-glass"),
                  form.querySelector("input")])
    .map(([icon, field]) => [icon.getBoundingClientRect().right,
        field.getBoundingClientRect().left
            + parseFloat(getComputedStyle(field).paddingLeft)])"""


@pytest.fixture(scope="module")
def search(browser, book):
    """search("softmax") -> the first three finds, best first: "glossary#softmax" ..."""
    page, problems = open_page(browser, (book / "search.html").as_uri())
    # a search loads the index
    page.goto(f"{(book / 'search.html').as_uri()}?q=attention")
    page.wait_for_function(READY)
    yield lambda query, most=3: page.evaluate(FIRST, [query, most])
    page.context.close()
    assert problems == []


def test_a_student_finds_the_page_among_the_first_three(search):
    assert len(QUERIES) == 25
    found = {query: search(query) for query in QUERIES}
    missed = {
        query: found[query]
        for query, wanted in QUERIES.items()
        if not set(wanted) & set(found[query])
    }
    assert missed == {}


def test_the_page_shows_what_the_search_finds(search, browser, book):
    page, _ = open_page(browser, f"{(book / 'search.html').as_uri()}?q=gradcam")
    links = page.locator("#search-results li a")
    links.first.wait_for()
    shown = [one.get_attribute("href").split("?")[0] for one in links.all()]
    page.context.close()
    assert [
        address.replace(".html", "") for address in shown if address.endswith("cam")
    ] == ["references#grad-cam"]
    assert len(shown) >= 3 and len(search("gradcam", 9)) == len(shown)


def test_what_no_one_looks_for_is_not_indexed(search, book):
    """The cell that sets a chapter up, and what cells print."""
    assert search("announcement", 99) == search("setdefault", 99) == []
    index = (book / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))[
        "terms"
    ]
    assert "attent" in terms and len(terms) > 2000
    # "nothing to download" is printed in nearly all chapters
    finds = terms["download"]
    assert len(finds) < len(CHAPTERS) / 2, finds


def test_each_word_leads_to_a_place_that_is_there(book):
    words = yaml.safe_load(site.WORDS.read_text(encoding="utf-8"))
    for place, entries in words.items():
        page, _, anchor = place.partition("#")
        text = (book / f"{page}.html").read_text(encoding="utf-8")
        assert not anchor or f' id="{anchor}"' in text, place
        assert entries == [entry.lower() for entry in entries], place


@pytest.mark.parametrize("window", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_the_magnifier_stands_before_what_is_typed(browser, address, window):
    """On a server: from disk another script draws the icons."""
    page, problems = open_page(browser, f"{address}/search.html?q=softmax", window)
    page.keyboard.press("Control+K")
    page.keyboard.type("warm up")
    places = page.evaluate(ICON)
    page.context.close()
    assert places and all(icon < letter for icon, letter in places)
    assert problems == []
