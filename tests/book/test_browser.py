"""Every page of the built book in a browser, without a network.

The checks are also given a page that is broken on purpose: one that sees nothing cannot
pass.
"""

import time

import pytest

from book_pages import LAPTOP, PHONE, WIDER_THAN_ITS_PLACE, open_page
from patchconvnet.plotting.style import COLUMN, FOLDED_COLUMN, PADDING

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


# Code and output keep their lines: what is wider than its box, or than the box around
# that, is cut off, and must be scrolled to. What is folded away has no size.
UNFOLD = """() => document.querySelectorAll("details")
    .forEach(part => part.open = true)"""
CUT_OFF = """() => {
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


def problems_of(browser, path):
    """What goes wrong when a reader with a phone and no network opens this file, and
    what code and output another with a laptop scrolls sideways to see: two lists.
    """
    page, loading = open_page(browser, path.as_uri(), PHONE)
    page.evaluate(UNFOLD)
    loading = (
        loading
        + page.evaluate(WIDER_THAN_ITS_PLACE)
        + page.evaluate(NOT_LOADED)
        + page.evaluate(MISSHAPEN)
    )
    page.set_viewport_size(LAPTOP)
    # else what follows still sees the phone
    page.wait_for_function("width => innerWidth === width", arg=LAPTOP["width"])
    cut_off = page.evaluate(CUT_OFF)
    there, seen = page.evaluate(UNFOLDED)
    if seen < there:
        cut_off.append(f"{there - seen} of {there} blocks could not be seen")
    page.context.close()
    return loading, cut_off


@pytest.fixture(scope="module")
def problems(browser, pages):
    """Those of all pages, each opened once: a dict of name to two lists."""
    return {page.name: problems_of(browser, page) for page in pages}


def test_pages_load_without_a_network(problems):
    found = {name: loading for name, (loading, _) in problems.items() if loading}
    assert not found


def test_no_code_and_no_output_is_cut_off(problems):
    """test_notebooks.py counts columns: here they have to fit."""
    found = {name: cut_off for name, (_, cut_off) in problems.items() if cut_off}
    assert not found


def test_figures_have_the_width_that_letters_are_computed_for(browser, book):
    """plotting/style.py and tests/book/figure_letters.py shrink wide figures as a page
    does: to the column, or to that of a folded solution, less a padding.
    """
    page, _ = open_page(browser, (book / "chapters" / "01_overview.html").as_uri())
    page.evaluate(UNFOLD)
    found = page.evaluate(
        """() => [...document.querySelectorAll(".cell_output img")]
            .filter(image => image.naturalWidth > 1500)
            .map(image => [image.closest("details") !== null, image.clientWidth,
                getComputedStyle(image).paddingLeft])"""
    )
    page.context.close()
    expected = {(False, COLUMN, f"{PADDING}px"), (True, FOLDED_COLUMN, f"{PADDING}px")}
    assert set(map(tuple, found)) == expected


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
        page.wait_for_function(
            "mode => document.documentElement.dataset.mode === mode", arg=mode
        )
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
        slider = players.nth(number).get_by_role("slider")
        assert 0 < slider.evaluate("one => +one.value - one.min")
        assert slider.evaluate("one => one.value === one.max")
        described = (
            players.nth(number).locator("canvas.map").get_attribute("aria-label")
        )
        # the third shows CIFAR-10, which has no masks
        assert number == 2 or "of the attention" in described
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


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["try_it", "intro"])
def test_nothing_moves_while_try_it_and_pictures_arrive(browser, address, name, width):
    """What moves without the reader's doing, as a share of the window: Chromium's
    measure, of which 0.1 is still called good.
    """
    context = browser.new_context(viewport={"width": width, "height": 850})
    page = context.new_page()
    page.add_init_script(
        """window.moved = 0;
        new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
            if (!entry.hadRecentInput) window.moved += entry.value;
        })).observe({type: "layout-shift", buffered: true});"""
    )

    def late(route):  # when the page has been painted without it
        time.sleep(0.5)
        route.continue_()

    for part in ("**/try_it/page.js", "**/_images/*"):
        page.route(part, late)
    page.goto(f"{address}/{name}.html", wait_until="load")
    page.wait_for_selector(".try-it[data-ready]")
    page.locator(".try-it .sheets").scroll_into_view_if_needed()
    page.get_by_role("button", name="Example: star").click()
    page.wait_for_function(
        "document.querySelector('.measure').textContent.includes('on the star')"
    )
    assert page.evaluate("window.moved") <= 0.05
    context.close()


def test_without_scripts_try_it_shows_a_picture(browser, book):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / "try_it.html").as_uri())
    assert (
        "needs JavaScript, which is switched off here"
        in page.locator("noscript").inner_text()
    )
    picture = page.get_by_role("img", name="Two pictures, a star and a cross")
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
    found = problems_of(browser, page)[1]
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
        ' alt="gone"><div class="cell_output"><img alt="squashed" style="padding: 8px;'
        ' width: 100px; height: 20px" src="data:image/svg+xml,<svg'
        " xmlns=%22http://www.w3.org/2000/svg%22 width=%22100%22"
        ' height=%22100%22/>"></div><div style="width:'
        ' 900px">wide</div><script>console.error("printed"); throw'
        ' Error("thrown")</script>'
    )
    seen = "\n".join(problems_of(browser, page)[0])
    for problem in (
        "asked another host",
        "request failed",
        "did not load",
        "too wide",
        "shown ",
        "printed",
        "thrown",
    ):
        assert problem in seen
