"""The page "Try it yourself" in use: patches hidden, links sent, pictures saved."""

import io
import re

import numpy as np
from PIL import Image

from test_try_it_measures import at_rest, painted, text
from test_try_it_network import LAST
from test_try_it_page import address, draw, fresh, press, site, spoken, visit  # noqa: F401

ANSWER, EFFECT = ".said.attention .answer", ".effect"
SCREEN = {"width": 390, "height": 844}


def place(page, row, column, figure="attention"):
    """The middle of a patch of a map of 8 x 8, on the screen."""
    canvas = page.locator(f"figure.{figure} .map")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    return (
        box["x"] + box["width"] * (column + 0.5) / 8,
        box["y"] + box["height"] * (row + 0.5) / 8,
    )


def pad(page):
    """What lies on the drawing pad: int (side, side, 3)."""
    return painted(page, ".pad")


def example(page, name="cross"):
    fresh(page)
    page.get_by_role("button", name=f"Example: {name}").click()
    spoken(page)
    return pad(page)


def strongest(page):
    """Row and column of the strongest patch: by its own words."""
    canvas = page.locator("figure.attention .map")
    canvas.focus()
    press(page, "ArrowLeft", "Home")
    found = re.match(r"Patch in row (\d), column (\d)", text(page, ".readout"))
    return [int(number) - 1 for number in found.groups()]


def test_a_press_hides_a_patch_and_another_brings_it_back(visit):
    page = visit("page.html")
    before, answer = example(page), text(page, ANSWER)
    row, column = strongest(page)
    fresh(page)
    page.mouse.move(*place(page, row, column))
    page.mouse.down()
    page.mouse.up()
    spoken(page)
    hidden = pad(page)
    patch = np.s_[32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
    mean = before.mean(axis=(0, 1))
    np.testing.assert_allclose(hidden[patch] - mean, 0, atol=0.51)
    assert (hidden != before).any(axis=2).sum() <= 32 * 32
    name, share = text(page, ANSWER).split(";")[0].split(", ")
    was, its = answer.split(";")[0].split(", ")
    assert text(page, EFFECT) == f"Without it: {name}, {share}. With it: {was}, {its}."
    fresh(page)
    page.mouse.down()
    page.mouse.up()
    spoken(page)
    assert (pad(page) == before).all()
    assert text(page, ANSWER) == answer and text(page, EFFECT) == ""


def test_by_keyboard_in_its_own_colour_and_undone(visit):
    page = visit("page.html")
    before = example(page)
    row, column = strongest(page)
    page.get_by_label("Colour of a hidden patch").select_option("own")
    page.locator("figure.attention .map").focus()
    for key in ("Enter", "Space"):  # a second patch, beside the first
        fresh(page)
        page.keyboard.press(key)
        spoken(page)
        page.keyboard.press("ArrowUp")
    patch = np.s_[32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
    mean = before[patch].mean(axis=(0, 1))
    np.testing.assert_allclose(pad(page)[patch] - mean, 0, atol=0.51)
    assert text(page, EFFECT).startswith("Without these 2 patches: ")
    for effect in ("Without it: ", ""):
        fresh(page)
        page.get_by_role("button", name="Undo").click()
        spoken(page)
        assert text(page, EFFECT).startswith(effect)
    assert (pad(page) == before).all() and text(page, EFFECT) == ""


def test_a_first_tap_tells_the_weight_and_a_second_hides(browser, address):
    context = browser.new_context(viewport=SCREEN, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/page.html")
    before = example(page)
    page.touchscreen.tap(*place(page, 3, 4))
    assert text(page, ".readout").startswith("Patch in row 4, column 5: ")
    page.touchscreen.tap(*place(page, 2, 4))
    assert text(page, ".readout").startswith("Patch in row 3, column 5: ")
    assert (pad(page) == before).all()
    for name in ("Hide this patch", "Bring it back"):
        fresh(page)
        page.get_by_role("button", name=name).tap()
        spoken(page)
        assert (pad(page) == before).all() == (name == "Bring it back")
    fresh(page)
    page.touchscreen.tap(*place(page, 2, 4))
    spoken(page)
    assert (pad(page) != before).any()
    context.close()


# === the address ===


def same(visit, page, **changes):
    """Whether a page opened at this page's address shows the same."""
    other = visit(page.url.split("/")[-1], **changes)
    spoken(other)
    parts = ("output", ANSWER, ".measure", EFFECT, ".said.rival .answer")
    assert [text(other, part) for part in parts] == [text(page, part) for part in parts]
    assert (pad(other) == pad(page)).all()
    return other


def slide(page, epoch):
    slider = page.locator(".slider input")
    fresh(page)
    slider.evaluate("(slider, to) => { slider.value = to; }", str(epoch))
    slider.dispatch_event("input")
    spoken(page)


def test_a_patch_that_is_no_longer_marked_is_forgotten(visit):
    page = visit("page.html")
    example(page)
    button = page.locator("[data-do=hide]")
    page.mouse.move(*place(page, 7, 7))
    assert text(page, ".readout").startswith("Patch in row 8, column 8: ")
    assert button.is_enabled()
    slide(page, 3)
    assert button.is_disabled() and not text(page, ".readout").startswith("Patch")


def test_a_hidden_patch_gets_another_colour_and_its_weight_is_told_anew(visit):
    page = visit("page.html")
    before = example(page)
    row, column = strongest(page)
    told = text(page, ".readout")
    fresh(page)
    page.locator("figure.attention .map").press("Enter")
    spoken(page)
    assert text(page, ".readout").split(":")[0] == told.split(":")[0]
    assert text(page, ".readout") != told
    fresh(page)
    page.get_by_label("Colour of a hidden patch").select_option("own")
    spoken(page)
    patch = np.s_[32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
    mean = before[patch].mean(axis=(0, 1))
    np.testing.assert_allclose(pad(page)[patch] - mean, 0, atol=0.51)
    assert page.url.endswith(f"steps=ho{column}-{row}-8-8")


def test_a_reload_after_a_photograph_shows_no_star_to_another_network(visit):
    page = visit("page.html#network=cifar10")
    spoken(page)
    assert "example=airplane" in page.url and "airplane" in text(page, ANSWER)


def test_a_sent_link_and_a_reload_show_the_same(visit):
    page = visit("page.html")
    draw(page)
    spoken(page)
    row, column = strongest(page)
    fresh(page)
    page.keyboard.press("Enter")
    spoken(page)
    fresh(page)
    page.get_by_role("slider", name="Training").focus()
    page.keyboard.press("ArrowLeft")
    spoken(page)
    assert "epoch=10" in page.url and "weights" not in page.url
    other = same(visit, page)
    fresh(other)
    other.get_by_role("button", name="Undo").click()  # the last step, also here
    spoken(other)
    assert text(other, EFFECT) == ""
    other.reload()
    spoken(other)
    assert text(other, EFFECT) == "" and text(other, "output").startswith(
        "after epoch 10"
    )


def test_an_example_and_a_network_are_in_the_address_and_back_returns(visit, address):
    page = visit("page.html")
    page.get_by_role("button", name="Others").click()
    example(page, "arrow")
    fresh(page)
    page.get_by_label("Network").select_option("shapes_per_class")
    spoken(page)
    assert page.url.endswith("#network=shapes_per_class&example=arrow&seed=147")
    answer, picture = text(page, ANSWER), pad(page)
    page.goto(f"{address}/small.html")
    page.go_back()
    spoken(page)
    assert text(page, ANSWER) == answer and (pad(page) == picture).all()
    assert page.get_by_label("Network").input_value() == "shapes_per_class"
    fresh(page)
    page.get_by_label("Network").select_option("cifar10")
    spoken(page)
    assert page.url.endswith("#network=cifar10&example=airplane")


NOT_OURS = {
    "network=moon": "there are shapes, shapes_per_class, cifar10",
    "network=shapes&epoch=40": "no number it could have written",
    "network=shapes&example=moon&seed=1": "there are circle, square",
    "network=shapes&sheet=1&steps=sffd40021abc": "no drawing, or it was cut short",
    "network=shapes&sheet=1&steps=hm9-0-8-8": "no drawing, or it was cut short",
}


def test_an_address_that_says_nothing_known_gets_a_sentence(visit):
    page = at_rest(visit(f"page.html#{next(iter(NOT_OURS))}"))
    for said, words in NOT_OURS.items():
        page.evaluate(
            """said => {
                if (location.hash !== `#${said}`) {
                    document.querySelector(".problem").textContent = "";
                }
                location.hash = said;
            }""",
            said,
        )
        page.wait_for_function(
            "words => document.querySelector('.problem').textContent.includes(words)",
            arg=words,
        )
        assert text(page, ANSWER).startswith("star, ")  # it is still there


# === saving, loading ===


def test_the_saved_picture_holds_drawing_maps_and_answer(visit):
    page = visit("page.html")
    before = example(page)
    with page.expect_download() as found:
        page.get_by_role("button", name="Save this picture").click()
    saved = Image.open(io.BytesIO(found.value.path().read_bytes())).convert("RGB")
    assert found.value.suggested_filename == "try-it-yourself.png"
    assert saved.width == 3 * 512 + 4 * 24 and saved.height > 600
    pixels = np.asarray(saved).astype(int)
    side = np.s_[24 : 24 + 512 : 2, 24 : 24 + 512 : 2]
    assert (pixels[side] == before).all()
    rival = painted(page, "figure.rival .map")
    left = 24 + 2 * (512 + 24)
    assert (pixels[24 : 24 + 512 : 2, left : left + 512 : 2] == rival).all()
    assert (pixels[560:] < 100).any()  # words


def test_a_large_network_says_how_much_of_it_is_there(visit):
    page = visit("page.html")
    counts = page.evaluate(
        """async () => {
            const counts = [];
            await Engine.prepare("cifar10", undefined, (...two) => counts.push(two));
            return counts;
        }"""
    )
    assert len(counts) > 1 and counts == sorted(counts)
    count, whole = counts[-1]
    assert whole <= count < whole + 100  # and the name of the file around it
    page.evaluate(
        """() => {
            Engine.explain = (name, epoch, picture, progress) => {
                progress(5e5, 2.5e6);
                return new Promise(() => {});
            };
        }"""
    )
    page.get_by_role("button", name="Example: ring").click()
    page.wait_for_function(
        f"document.querySelector('{ANSWER}').textContent.startsWith('Loading')"
    )
    assert text(page, ANSWER) == "Loading the network: 0.5 of 2.5 MB"
    assert text(page, ".measure") == ""  # the star's


def test_the_next_epoch_is_fetched_when_the_slider_has_focus(visit):
    page = visit("page.html")
    for keys, epoch in (([], LAST - 1), (["ArrowLeft"], LAST - 2)):
        with page.expect_request(f"**/weights/shapes-{epoch}.js"):
            page.get_by_role("slider", name="Training").focus()
            press(page, *keys)


# === on a phone ===


def test_on_a_phone_what_belongs_together_is_on_one_screen(visit):
    page = visit("page.html", viewport=SCREEN)
    example(page)
    box = lambda part: page.locator(part).bounding_box()
    drawing, attention, slider = map(
        box, ("figure.drawing", "figure.attention", "p.slider")
    )
    assert drawing["y"] == attention["y"] and drawing["width"] == attention["width"]
    assert 0 <= slider["y"] - attention["y"] - attention["height"] < 12
    tools = [tool.bounding_box() for tool in page.locator(".tools > *").all()]
    assert max(tool["y"] for tool in tools) < min(
        tool["y"] + tool["height"] for tool in tools
    )
    for last in (EFFECT, ".said.rival .classes li:first-child", "figure.rival"):
        end = box(last)
        assert end["y"] + end["height"] - drawing["y"] <= SCREEN["height"], last
    assert page.evaluate("document.documentElement.scrollWidth") == SCREEN["width"]
