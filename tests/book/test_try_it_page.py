"""The page "Try it yourself" as a visitor meets it: by mouse, keys, screen reader."""

import functools
import http.server
import math
import re
import threading

import pytest

from book_pages import PHONE, open_page
from test_accessibility import axe_problems
from test_try_it_network import LAST, make_site

STAR = [
    (
        math.sin(k * math.pi / 5) * (1 - k % 2 / 2),
        -math.cos(k * math.pi / 5) * (1 - k % 2 / 2),
    )
    for k in range(11)
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("course") / "pages")


@pytest.fixture(scope="module")
def address(site):
    """On a local server, in a sub-folder, as GitHub Pages has it."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Handler, directory=str(site.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.handle_error = lambda *request: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{site.name}"
        server.shutdown()


@pytest.fixture
def visit(browser, address, site):
    """visit("page.html") opens a page; at the end nothing may have gone wrong in it."""
    opened = []

    def opening(name, place="server", viewport=None):
        page, problems = open_page(
            browser,
            f"{address if place == 'server' else site.as_uri()}/{name}",
            viewport,
        )
        opened.append((page, problems))
        return page

    yield opening
    for page, problems in opened:
        page.context.close()
        assert problems == []


def draw(page, outline=STAR):
    pad = page.locator(".pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    place = lambda point: (
        box["x"] + box["width"] * (0.5 + 0.3 * point[0]),
        box["y"] + box["height"] * (0.5 + 0.3 * point[1]),
    )
    page.mouse.move(*place(outline[0]))
    page.mouse.down()
    for point in outline[1:]:
        page.mouse.move(*place(point), steps=3)
    page.mouse.up()


def spoken(page, pattern=r"\w+, (more than )?\d+%; attention .+"):
    """What a screen reader is told at last, as it was when it fitted the pattern."""
    found = page.wait_for_function(
        """pattern => {
            const said = document.querySelector(".unseen").textContent;
            return new RegExp(pattern).test(said) && said;
        }""",
        arg=pattern,
        timeout=20_000,
    )
    return found.json_value()


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def fresh(page):
    """Forget what was said, to wait for what is said next."""
    page.evaluate("document.querySelector('.unseen').textContent = ''")


@pytest.mark.parametrize("place", ["server", "disk"])
def test_a_drawing_is_named_and_nothing_is_loaded_before(visit, place):
    page = visit("page.html", place, PHONE)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').map(one => one.name).join(' ')"
    )
    if place == "server":
        found = re.findall(r"weights/([\w-]+)", loaded)
        assert sorted(found) == ["manifest", "star"]
    draw(page)
    assert spoken(page).startswith("star, ")
    assert page.locator(".attention .answer").inner_text().startswith("star, ")
    assert page.locator(".attention .classes li").count() == 5
    assert sorted(re.findall(r"weights/([\w-]+)", " ".join(asked))) == [
        f"shapes-{LAST}",
        "shapes-usual",
        f"shapes_average-{LAST}",
        "shapes_average-usual",
    ]
    # from disk there is none
    assert any(url.endswith("worker.js") for url in asked) == (place == "server")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_cross_drawn_with_the_keyboard(visit):
    page = visit("page.html")
    page.locator(".pad").focus()
    press(page, *["ArrowUp"] * 9, " ")
    assert page.locator(".unseen").inner_text() == "Pen down"
    legs = [
        ("Right", 2),
        ("Down", 6),
        ("Right", 6),
        ("Down", 5),
        ("Left", 6),
        ("Down", 6),
        ("Left", 5),
        ("Up", 6),
        ("Left", 6),
    ]
    legs += [("Up", 5), ("Right", 6), ("Up", 6), ("Right", 3)]
    for side, count in legs:
        press(page, *[f"Arrow{side}"] * count)
    assert "drawing" in page.locator(".unseen").inner_text()
    press(page, "Enter")
    assert spoken(page).startswith("cross, ")
    fresh(page)
    press(page, "Backspace")  # the sheet as it was
    assert not spoken(page).startswith("cross, ")
    fresh(page)
    press(page, " ", "Shift+ArrowRight", "Escape")
    assert not spoken(page).startswith("cross, ")
    press(page, "ArrowLeft")  # now that no answer comes any more to talk it down
    assert page.locator(".unseen").inner_text().startswith("column ")


def test_patches_tell_their_weight(visit):
    page = visit("page.html")
    page.get_by_role("button", name="Example: ring").click()
    assert spoken(page).startswith("ring, ")
    canvas = page.locator(".attention canvas.map")
    assert canvas.get_attribute("aria-label").startswith("ring, ")
    canvas.focus()
    weights = []
    press(page, *["ArrowUp"] * 8, *["ArrowLeft"] * 8)
    for row in range(8):
        for column in range(8):
            page.keyboard.press("ArrowRight") if column else None
            words = page.locator(".readout").inner_text()
            assert (
                words.startswith(f"Patch in row {row + 1}, column {column + 1}: ")
                and "An equal share would be 1.6%." in words
            )
            weight = words.split(": ")[1].split("%")[0]
            # "less than 0.1": anything from 0 on
            weights.append(0.05 if "less than" in weight else float(weight))
        press(page, "ArrowDown", *["ArrowLeft"] * 7)
    assert 80 < sum(weights) < 102  # the class token keeps the rest
    press(page, "Home")
    assert f"{max(weights)}% of the attention" in page.locator(".readout").inner_text()
    box = page.locator(".rival canvas.map").bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    assert re.match(
        r"Patch in row 1, column 1: .*% of the class activation",
        page.locator(".readout").inner_text(),
    )


def test_the_slider_goes_back_through_training(visit):
    page = visit("page.html")
    page.get_by_role("button", name="Example: star").click()
    trained = spoken(page)
    slider = page.get_by_role("slider", name="Training")
    slider.focus()
    fresh(page)
    press(page, "Home")
    assert slider.get_attribute("aria-valuetext") == "before training"
    untrained = spoken(page)
    assert page.locator(".attention figcaption").inner_text() == "Where it looked"
    fresh(page)
    press(page, "End")
    assert trained != untrained and spoken(page) == trained


def test_what_is_said_of_sizes_and_epochs_is_true(visit, site):
    page = visit("page.html")
    size = lambda *names: (
        sum(
            (site / "try_it" / "weights" / f"{name}.js").stat().st_size
            for name in names
        )
        / 1e6
    )
    options = page.locator(".network option").all_inner_texts()
    both = (f"shapes-{LAST}", f"shapes_average-{LAST}")
    pets = ("pets-30", "pets-usual", "pets_average-30", "pets_average-usual")
    sizes = [
        size(*both, "shapes-usual", "shapes_average-usual"),
        size(f"shapes_per_class-{LAST}", "shapes_per_class-usual"),
        size("cifar10-20", "cifar10-usual"),
        size(*pets, "efficientnet_lite0"),
    ]
    assert [f"({size:.1f} MB)" in text for size, text in zip(sizes, options)] == [
        True
    ] * 4
    assert page.evaluate(
        "Engine.about('shapes').then(({epochs}) => epochs.at(-1))"
    ) == int(page.locator("input[type=range]").get_attribute("max"))


def shown(page, part):
    return [one.is_visible() for one in page.locator(f".{part}").all()]


def test_the_other_network(visit):
    page = visit("page.html", viewport={"width": 1280, "height": 1000})
    page.get_by_label("Network").select_option("cifar10")
    assert not any(shown(page, "rival") + shown(page, "slider"))
    for name in ("airplane", "ship", "horse"):
        fresh(page)
        page.get_by_role("button", name=f"Example: {name}").click()
        assert spoken(page).startswith(f"{name}, ")
    page.get_by_label("Network").select_option("shapes")
    assert all(shown(page, "rival") + shown(page, "slider"))
    assert page.get_by_role("button", name="Example: heart").is_visible()


def test_what_does_not_arrive_is_said_and_can_be_tried_again(browser, address):
    page, problems = open_page(browser, f"{address}/page.html")
    page.context.route(f"**/weights/shapes-{LAST}.js", lambda route: route.abort())
    page.get_by_role("button", name="Example: arrow").click()
    page.wait_for_function(
        "document.querySelector('.problem').textContent.includes('did not arrive"
        " whole')"
    )
    page.context.unroute(f"**/weights/shapes-{LAST}.js")
    whole = page.request.get(f"{address}/try_it/weights/shapes-{LAST}.js").text()
    for content, words in (
        (whole[: len(whole) // 2], "did not arrive whole"),
        (whole.replace("AA", "AB", 1), "is damaged"),
    ):
        page.context.route(
            f"**/weights/shapes-{LAST}.js",
            lambda route: route.fulfill(body=content, content_type="text/javascript"),
        )
        page.get_by_role("button", name="Example: arrow").click()
        page.wait_for_function(
            f"document.querySelector('.problem').textContent.includes({words!r})"
        )
        page.context.unroute(f"**/weights/shapes-{LAST}.js")
        page.evaluate(f"delete self.patchConvNetFiles['shapes-{LAST}']")
    problems.clear()
    page.reload()
    page.get_by_role("button", name="Example: arrow").click()
    assert spoken(page).startswith("arrow, ")
    assert page.locator(".problem").inner_text() == ""
    page.context.close()
    assert problems == []


def test_the_small_version(visit):
    page = visit("small.html", viewport=PHONE)
    page.get_by_role("button", name="Example: hourglass").click()
    assert spoken(page).startswith("hourglass, ")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.parametrize("name", ["page.html", "small.html"])
def test_axe_finds_nothing_when_all_is_shown(visit, name):
    """The book's own pages are seen by tests/book/test_accessibility.py, but before the
    first action.
    """
    page = visit(name)
    page.get_by_role("button", name="Example: circle").click()
    spoken(page)
    page.evaluate("document.querySelector('.problem').textContent = 'A message'")
    page.evaluate(
        "document.body.prepend(Object.assign(document.createElement('h1'),"
        " {textContent: 'Try it'}))"
    )
    assert axe_problems(page) == []
