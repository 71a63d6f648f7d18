"""The first page: it starts a reader within a screen, and shows where to go."""

import re

import pytest
import yaml
from PIL import Image

import book as site
import times
from book_pages import ROOT, open_page

PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
INTRO = (ROOT / "intro.md").read_text(encoding="utf-8")
START = "Start here: the course in one sitting"
CARDS = """() => [...document.querySelectorAll(".sd-card")].map(card => ({
    link: card.querySelector("a").getAttribute("href"),
    title: card.querySelector("a").textContent,
    says: card.querySelectorAll("p")[1].textContent,
    minutes: card.querySelector(".sd-card-footer").textContent,
    picture: card.querySelector("img").getAttribute("src"),
    alt: card.querySelector("img").alt,
}))"""


@pytest.fixture(scope="module", params=[LAPTOP, PHONE], ids=["laptop", "phone"])
def first_page(request, browser, book):
    page, problems = open_page(browser, (book / "index.html").as_uri(), request.param)
    yield page
    page.context.close()
    assert problems == []


def below_the_screen(page):
    """What a reader must scroll to: a list of "h1", "what it is", "start"."""
    places = {
        "h1": page.locator(".bd-article h1"),
        "what it is": page.locator(".bd-article p").first,
        "start": page.get_by_role("link", name=START),
    }
    boxes = {name: place.bounding_box() for name, place in places.items()}
    height = page.viewport_size["height"]
    return [name for name, box in boxes.items() if box["y"] + box["height"] > height]


def test_it_starts_the_reader_within_a_screen(first_page):
    assert below_the_screen(first_page) == []


def test_what_lies_below_the_screen_is_seen(first_page):
    window = first_page.viewport_size
    first_page.set_viewport_size(window | {"height": 150})
    assert below_the_screen(first_page) == ["what it is", "start"]
    first_page.set_viewport_size(window)


def test_its_title_says_who_and_what(first_page):
    assert first_page.title() == (
        "PatchConvNet: attention you can see and measure, a hands-on course in Keras 3"
    )


def test_each_core_chapter_has_a_card(first_page):
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    core = next(part for part in parts if part["caption"] == "Core path")["chapters"]
    chapters = times.read_chapters(ROOT)
    cards = first_page.evaluate(CARDS)
    assert [card["link"] for card in cards] == [f"{one['file']}.html" for one in core]
    for card, one in zip(cards, core):
        name = one["file"].removeprefix("chapters/")
        assert f"{name[:2]} {card['title']}" == one["title"]
        sentences = re.findall(r"[.?!](?=\s|$)", card["says"])
        assert len(sentences) == 1 and len(card["says"]) < 140, name
        reading = times.together(chapters[name].values()).reading
        said = f"{times.rounded(reading)} minutes to read and try"
        assert card["minutes"].strip() == said
        assert len(card["alt"]) > 15


def test_the_start_and_the_whole_of_a_card_lead_to_chapters(first_page):
    home = first_page.url
    first_page.get_by_role("link", name=START).click()
    first_page.wait_for_url("**/chapters/01_overview.html")
    first_page.goto(home)
    # on its picture
    first_page.locator(".sd-card").nth(2).click(position={"x": 30, "y": 30})
    first_page.wait_for_url("**/chapters/06_attention_pooling.html")


# === pictures of cards ===


def test_pictures_of_cards_are_small(book):
    found = re.findall(r'class="sd-card-img-top"[^>]*src="([^"]+)"', page_of(book))
    assert len(found) == 8
    for source in found:
        assert (book / source).stat().st_size < 40_000, source
        with Image.open(book / source) as picture:
            # shown at most 330 pixels wide: sharp on a phone, too
            assert picture.size == (480, 288)


def page_of(folder):
    return (folder / "intro.html").read_text(encoding="utf-8")


def test_a_card_shows_the_figure_that_it_names():
    chapter = ROOT / "chapters" / "02_data.ipynb"
    figure = site.figure_of(chapter, "Ten small pictures")
    assert figure.size == (1290, 615)
    small = site.small_picture(figure)
    assert small.size == site.CARD_SIZE
    # all of its height, from the left
    left = figure.crop((0, 0, round(615 * 480 / 288), 615)).resize((48, 29))
    difference = [
        abs(one - other)
        for one, other in zip(left.tobytes(), small.resize((48, 29)).tobytes())
    ]
    assert sum(difference) / len(difference) < 3
    with pytest.raises(ValueError, match="no figure of 02_data.ipynb is described as"):
        site.figure_of(chapter, "A thing that is not there")


def test_a_tall_figure_is_cut_below():
    tall = Image.new("RGB", (100, 400), "white")
    tall.paste("black", (0, 60, 100, 400))
    small = site.small_picture(tall)
    assert small.size == site.CARD_SIZE
    assert small.getpixel((5, 5)) == (255, 255, 255)
    assert site.small_picture(tall.rotate(180)).getpixel((5, 5)) == (0, 0, 0)
