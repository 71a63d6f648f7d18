"""A figure that opens on a tap, a click, or Enter, in a browser."""

import pytest

from book_pages import PHONE, WIDER_THAN_ITS_PLACE, open_page
from small_book import FIGURE, bare, small_book, visit  # noqa: F401
from test_accessibility import axe_problems, set_mode


def opened(page):
    return page.evaluate("document.querySelector('dialog[open] img')?.alt ?? null")


def test_a_figure_opens_whole_on_a_tap_and_closes(browser, small_book):
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto((small_book / "chapter.html").as_uri())
    page.wait_for_load_state("networkidle")
    figure = page.get_by_role("button", name="Enlarge: A wide figure in the open")
    before = page.evaluate("[scrollX, scrollY, document.body.scrollHeight]")
    assert figure.locator("img").bounding_box()["width"] < PHONE["width"]
    figure.tap()
    assert opened(page) == "A wide figure in the open"
    large = page.locator("dialog img")
    size = large.evaluate("image => [image.clientWidth, image.clientHeight]")
    # as the notebook has it: letters are as large as the page's
    assert size == [FIGURE[0] // 2, FIGURE[1] // 2]
    scroll = (
        "[0, 1e6].map(place => { const box = document.querySelector('dialog');"
        " box.scrollTo(place, place); return [box.scrollLeft, box.scrollTop]; })"
    )
    [start, end] = page.evaluate(scroll)
    assert start == [0, 0]
    assert end[0] >= FIGURE[0] // 2 - PHONE["width"]
    # the button stays where it is while the figure moves
    close = page.get_by_role("button", name="Close").bounding_box()
    assert min(close["width"], close["height"]) >= 44
    assert close["x"] >= 0 and close["y"] >= 0
    for place in ("dialog img", "dialog button"):
        if opened(page) is None:
            figure.tap()
        page.locator(place).tap(position={"x": 20, "y": 20})
        assert opened(page) is None
    assert page.evaluate("document.body.scrollHeight") == before[2]
    context.close()


def test_a_figure_opens_from_the_keyboard_and_focus_comes_back(visit):
    page = visit()
    page.add_style_tag(content="html { scroll-behavior: auto !important }")
    address = page.url
    figure = page.get_by_role("button", name="Enlarge: A wide figure in the open")
    focused = "document.activeElement.getAttribute('aria-label')"
    for key in ("Enter", "Space"):
        figure.scroll_into_view_if_needed()
        figure.focus()
        place = page.evaluate("scrollY")
        page.keyboard.press(key)
        assert opened(page) == "A wide figure in the open"
        assert page.evaluate("document.activeElement.textContent") == "Close"
        width = page.locator("dialog img").evaluate("image => image.clientWidth")
        assert width == FIGURE[0]  # each pixel, on a laptop
        page.keyboard.press("ArrowDown")
        page.wait_for_function("document.querySelector('dialog').scrollTop > 0")
        page.keyboard.press("Escape" if key == "Enter" else "Enter")
        assert opened(page) is None
        assert page.evaluate(focused) == "Enlarge: A wide figure in the open"
        assert page.evaluate("scrollY") == place and page.url == address


def test_each_figure_is_one_stop_and_a_small_mark_none(visit):
    page = visit()
    page.evaluate(
        "document.querySelectorAll('details').forEach(one => one.open = true)"
    )
    stops = []
    page.evaluate("document.querySelector('.bd-article h1').tabIndex = -1")
    page.evaluate("document.querySelector('.bd-article h1').focus()")
    for _ in range(40):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    figures = [stop for stop in stops if (stop or "").startswith("Enlarge")]
    assert figures == [
        "Enlarge: Two bars, the second higher",
        "Enlarge: A wide figure in the open",
    ]


def test_which_images_are_figures(browser, tmp_path):
    """No link to elsewhere, no logo, and nothing else that is none; and none moves."""
    picture = "data:image/svg+xml,<svg xmlns=%22http://www.w3.org/2000/svg%22"
    large = f"{picture} width=%22300%22 height=%22200%22/>"
    small = f"{picture} width=%2290%22 height=%22200%22/>"
    images = (
        f'<figure><img src="{large}" alt="one"></figure>'
        f'<div class="cell_output"><a href="{large}"><img src="{large}" alt="two"></a>'
        f'<a href="glossary.html"><img src="{large}" alt="to a page"></a>'
        f'<img src="{small}" alt="mark"><img src="{large}"></div>'
        f'<p><img src="{large}" alt="in a line"></p></article><img src="{large}">'
    )
    boxes = (
        "[...document.images].map(one => JSON.stringify(one.getBoundingClientRect()))"
    )
    places = []
    for scripts in (False, True):
        address = bare(tmp_path / "page.html", images)
        if not scripts:
            html = (tmp_path / "page.html").read_text(encoding="utf-8")
            (tmp_path / "page.html").write_text(html.split("<script>")[0])
        page, problems = open_page(browser, address)
        places.append(page.evaluate(boxes))
        names = page.locator("[role=button]").evaluate_all(
            "all => all.map(one => [one.tagName, one.getAttribute('aria-label')])"
        )
        page.context.close()
        assert problems == []
    assert names == [
        ["IMG", "Enlarge: one"],
        ["A", "Enlarge: two"],
        ["IMG", "Enlarge: figure"],
    ]
    assert places[0] == places[1]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_large_figure_keeps_its_white_face(visit, mode):
    page = visit()
    set_mode(page, mode)
    page.get_by_role("button", name="Enlarge: A wide").click()
    style = page.locator("dialog").evaluate(
        "one => getComputedStyle(one).backgroundColor"
    )
    assert style == "rgb(255, 255, 255)"
    assert (
        page.locator("dialog img").evaluate("one => getComputedStyle(one).filter")
        == "none"
    )
    assert page.evaluate(WIDER_THAN_ITS_PLACE) == []
    assert axe_problems(page, of_colour=False) == []
