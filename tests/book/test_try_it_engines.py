"""The page "Try it yourself" in two browsers beside Chromium: Firefox and WebKit.

A dozen checks each; test_try_it_page.py looks closer, in Chromium alone. Whatever goes
wrong in a page fails the test that had it open: errors of scripts, and what was asked
of another host, which the page forbids itself here.
"""

import base64
import re

import numpy as np
import pytest
from PIL import Image

from engines import Firefox, WebKit, started
from patchconvnet import inference, records
from test_try_it_network import pictures
from test_try_it_page import STAR, address, site  # noqa: F401
from test_try_it_pixels import (
    READ,
    as_the_package_reads,
    png_of_16_bits,
    turned_webp,
)

WATCH = """<meta http-equiv="Content-Security-Policy"
    content="default-src 'self' 'unsafe-inline' blob: data:"><script>
window.problems = [];
for (const kind of ["error", "unhandledrejection", "securitypolicyviolation"]) {
    addEventListener(kind, event => problems.push(
        `${kind}: ${event.message ?? event.reason ?? event.blockedURI}`));
}
window.middleOf = selector => {
    const part = document.querySelector(selector);
    part.scrollIntoView({block: "nearest"});
    const {left, top, width, height} = part.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
};
</script><title>"""
READY = "document.querySelector('.try-it[data-ready]') !== null"


@pytest.fixture(scope="module", params=[Firefox, WebKit], ids=["firefox", "webkit"])
def engine(request, tmp_path_factory):
    running = started(request.param, tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def watched(site):
    """The bare page of the other tests, with a watch for what goes wrong."""
    page = (site / "page.html").read_text("utf-8")
    assert page.count("<title>") == 1
    (site / "watched.html").write_text(page.replace("<title>", WATCH), "utf-8")
    return "watched.html"


@pytest.fixture
def visit(engine, address, watched, site):
    """visit(place, hash) opens the page, if it is not open: a browser warms up slowly.

    At the end nothing may have gone wrong in it.
    """

    def opening(place="server", state=""):
        page = f"{address if place == 'server' else site.as_uri()}/{watched}{state}"
        if state or engine.evaluate("location.href.split('#')[0]") != page:
            # another page first: a new "#" alone would not load it again
            engine.open("about:blank")
            engine.open(page)
            engine.wait_for(READY)
        return engine

    yield opening
    assert engine.evaluate("window.problems") == []


def example(engine, name):
    forget(engine)
    engine.click(f'[aria-label="Example: {name}"]')
    return said(engine)


def forget(engine):
    engine.evaluate("document.querySelector('.unseen').textContent = ''")


def said(engine, pattern=r"\w+, (more than )?\d+%; attention .+"):
    """What a screen reader is told, as soon as it fits the pattern."""
    return engine.wait_for(
        f"(text => /{pattern}/.test(text) && text)"
        "(document.querySelector('.unseen').textContent)"
    )


def text(engine, selector):
    return engine.evaluate(f"document.querySelector('{selector}').textContent")


def test_it_opens_and_asks_no_other_host(visit, address):
    engine = visit()
    assert engine.evaluate("document.querySelectorAll('.examples canvas').length") == 10
    example(engine, "star")
    asked = engine.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    assert any("weights/shapes-" in url for url in asked)
    own = (address.rpartition("/")[0], "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []


def test_what_the_watch_sees(engine, visit):
    visit()
    engine.evaluate("setTimeout(() => { throw Error('thrown') })")
    engine.evaluate("void fetch('http://127.0.0.2/far').catch(() => {})")
    engine.wait_for("window.problems.length === 2")
    problems = " ".join(engine.evaluate("window.problems.splice(0)"))
    assert "thrown" in problems and "127.0.0.2" in problems


def test_an_example_is_named_and_its_map_is_painted(visit):
    engine = visit()
    for name in ("heart", "cross"):
        assert example(engine, name).startswith(f"{name}, ")
        assert text(engine, ".attention .answer").startswith(f"{name}, ")
    colours = engine.evaluate(
        """(canvas => {
            const {data} = canvas.getContext("2d").getImageData(0, 0, 256, 256);
            return new Set(new Uint32Array(data.buffer)).size;
        })(document.querySelector(".attention .map"))"""
    )
    assert colours > 50


def test_the_slider_goes_back_through_training(visit):
    engine = visit()
    trained = example(engine, "star")
    engine.evaluate("document.querySelector('input[type=range]').focus()")
    forget(engine)
    engine.press("Home")
    assert said(engine) != trained
    assert text(engine, ".slider output") == "before training"
    forget(engine)
    engine.press("End")
    assert said(engine) == trained


def test_a_drawing_by_pointer_and_undo(visit):
    engine = visit()
    x, y = engine.evaluate("middleOf('.pad')")
    size = engine.evaluate("document.querySelector('.pad').clientWidth")
    forget(engine)
    engine.drag([(x + 0.3 * size * a, y + 0.3 * size * b) for a, b in STAR])
    assert said(engine, r"star, .+").startswith("star, ")
    forget(engine)
    engine.click("[data-do=undo]")
    assert said(engine)


def test_a_drawing_by_keyboard(visit):
    engine = visit()
    engine.evaluate("document.querySelector('.pad').focus()")
    engine.press(*["ArrowUp"] * 8, " ")
    # a square
    for side, count in (
        ("Right", 2),
        ("Down", 4),
        ("Left", 4),
        ("Up", 4),
        ("Right", 2),
    ):
        engine.press(*[f"Shift+Arrow{side}"] * count)
    forget(engine)
    engine.press("Enter")
    assert said(engine).startswith("square, ")


def test_a_patch_tells_its_weight(visit):
    engine = visit()
    example(engine, "ring")
    engine.evaluate("document.querySelector('.attention .map').focus()")
    engine.press(*["ArrowUp"] * 8, *["ArrowLeft"] * 8)
    words = text(engine, ".readout")
    assert re.match(r"Patch in row 1, column 1: .*% of the attention", words)


def test_a_picture_file_is_read_as_by_attend(visit, tmp_path):
    engine, record = visit(), records.load("shapes")
    path = tmp_path / "a shape.png"
    Image.fromarray(pictures(100)[13]).resize((64, 64), 0).save(path)
    found = inference.predict(
        record.model(), inference.read_image(path), record.results["class_names"]
    )
    forget(engine)
    engine.choose("input[type=file]", path)
    assert said(engine).startswith(inference.describe(found))


def test_files_that_are_no_pictures_are_refused(visit, tmp_path):
    engine = visit()
    for name, content, words in (
        ("empty.png", b"", "is empty"),
        ("words.txt", b"this is no picture", "not a picture that browsers read"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawing"),
        ("noise.png", b"\x89PNG\r\n\x1a\n" + bytes(200), "damaged or cut short"),
    ):
        (tmp_path / name).write_bytes(content)
        engine.choose("input[type=file]", tmp_path / name)
        engine.wait_for(
            f"document.querySelector('.problem').textContent.includes('{words}')"
        )


def test_a_turned_webp_is_upright(visit, tmp_path):
    engine = visit()
    (tmp_path / "turned.webp").write_bytes(turned_webp(6))
    forget(engine)
    engine.choose("input[type=file]", tmp_path / "turned.webp")
    said(engine)
    corner = engine.evaluate(
        "[...document.querySelector('.pad').getContext('2d')"
        ".getImageData(2, 2, 1, 1).data].slice(0, 3)"
    )
    picture = inference.read_image(tmp_path / "turned.webp")
    left, top, _ = inference.central_square(picture)
    assert corner == picture[top + 2, left + 2].tolist()


def test_the_address_holds_what_is_shown(visit):
    engine = visit()
    words = example(engine, "arrow")
    state = engine.wait_for("location.hash")
    visit(state=state)
    assert said(engine) == words


def test_16_bits_lose_at_most_one_step(visit):
    """Chromium takes the upper 8, as the package does; other browsers may round."""
    content = png_of_16_bits(3)
    found = visit().evaluate(f"({READ})({base64.b64encode(content).decode()!r})")
    found = np.reshape(found, (256, 256, 4))[..., :3]
    assert np.abs(found - as_the_package_reads(content)).max() <= 1


def test_a_photograph_of_a_pet(visit):
    engine = visit()
    choose_network(engine, "pets")
    name = "American bulldog 2"
    engine.wait_for("document.querySelectorAll('.examples canvas').length === 10")
    forget(engine)
    engine.click(f'[aria-label="Example: {name}"]')
    assert said(engine, "American bulldog, .+").startswith("American bulldog, ")


def choose_network(engine, name):
    engine.evaluate(
        f"""(menu => {{
            menu.value = {name!r};
            menu.dispatchEvent(new Event("change"));
        }})(document.querySelector("select.network"))"""
    )
    engine.wait_for("document.querySelector('.examples button') !== null")


def test_it_works_from_disk(visit):
    assert example(visit("disk"), "heart").startswith("heart, ")
