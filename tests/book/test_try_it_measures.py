"""What "Try it yourself" shows before it is touched, and what it measures."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from book_pages import ROOT
from patchconvnet import evolution, faithfulness, records
from test_try_it_answers import answering
from test_try_it_network import LAST
from test_try_it_page import address, draw, fresh, site, spoken, visit  # noqa: F401

FIRST = 3  # of the record's pictures: a star
MEASURE = ".measure"


def text(page, part):
    return page.locator(part).inner_text()


def at_rest(page):
    """End the play, as any touch does."""
    page.locator(".pad").focus()
    return page


# === before the first touch ===


@pytest.mark.parametrize("name", ["shapes", "shapes_average"])
def test_at_rest_the_page_shows_what_the_record_keeps(visit, name):
    seen = evolution.read(name).pick([FIRST])
    found = visit("page.html").evaluate(
        """([name, last]) => Array.from({length: last + 1}, (_, epoch) => {
            const {logits, attention, seen} = Rest.found(name, epoch);
            return [[...logits], [...attention.data], [...seen.data]];
        })""",
        [name, LAST],
    )
    logits, maps, pictures = (np.array(part) for part in zip(*found))
    np.testing.assert_allclose(logits, seen.logits[:, 0], atol=1e-6)
    np.testing.assert_allclose(maps, seen.maps[:, 0].reshape(LAST + 1, -1), atol=1e-6)
    assert (pictures == seen.pictures.reshape(1, -1)).all()


def test_the_star_at_rest_is_measured_and_asks_no_network(visit):
    seen = evolution.read("shapes").pick([FIRST])
    rival = evolution.read("shapes_average").pick([FIRST])
    page = at_rest(visit("page.html"))
    share = lambda values: f"{100 * values[-1, 0]:.0f}%"
    assert text(page, MEASURE).startswith(
        f"{share(seen.energy)} of the attention ({share(rival.energy)} of the class"
        " activation) lies on the star, which fills"
        f" {100 * seen.masks.mean():.0f}% of the picture. The strongest patch is on it,"
    )
    assert text(page, ".said.attention .answer").startswith("star, 99%; attention ")
    assert page.evaluate("Object.keys(self.patchConvNetFiles)") == ["manifest", "star"]
    # the network itself, asked about the same picture, says the same
    page.locator("figure.attention .map").press("Enter")
    spoken(page)
    assert re.search(r"With it: star, 99%\.", text(page, ".effect"))


def test_the_training_plays_once_and_a_touch_ends_it(visit):
    page = visit("page.html")
    page.reload(wait_until="commit")
    page.wait_for_function(
        "/^after epoch [1-9] /.test(document.querySelector('output')?.textContent)"
    )
    page.locator(".tools").click(position={"x": 2, "y": 2})
    assert text(page, "output") == f"after epoch {LAST} of {LAST}"
    page.wait_for_timeout(600)
    assert text(page, "output") == f"after epoch {LAST} of {LAST}"
    shown = """async () => {
        const shown = [], wait = setTimeout;
        window.setTimeout = (call, time, ...rest) => wait(call, 0, ...rest);
        Rest.play(document.querySelector(".try-it"), 11, (...all) => shown.push(all));
        await new Promise((resolve) => wait(resolve, 500));
        window.setTimeout = wait;
        return shown;
    }"""
    epochs = list(range(LAST + 1))
    assert page.evaluate(shown) == [
        [LAST, False],
        *([epoch, True] for epoch in epochs),
        [LAST, False],
    ]
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(shown) == [[LAST, False]]


# === how much of the map lies on the object ===


def canvas(page, code):
    """A canvas of the page: int (H, W, 4)."""
    content = page.evaluate(f"({code}).toDataURL().split(',')[1]")
    return np.array(Image.open(io.BytesIO(base64.b64decode(content)))).astype(int)


def mask_of(page, code):
    """A mask of the page as float (H, W), 0..1."""
    return canvas(page, code)[..., 3] / 255


def painted(page, selector):
    """What is on a canvas in the page: int (H, W, 3)."""
    return canvas(page, f"document.querySelector('{selector}')")[..., :3]


def test_the_measures_are_those_of_the_package(visit):
    page, random = visit("page.html"), np.random.default_rng(0)
    for code in (
        'Examples.kinds.shapes.draw("ring", 3).mask',
        'Examples.kinds.scenes.draw("ship").mask',
        "Rest.under().mask",
    ):
        mask = mask_of(page, code)
        for grid in ((8, 8), (7, 7), (5, 3)):
            weights = random.random(grid) ** 3
            page.evaluate(f"window.mask = {code}")
            found = page.evaluate(
                """([weights, width]) => {
                    const object = Objects.of(window.mask, "it", "picture");
                    const map = {width, height: weights.length / width, data: weights};
                    const {energy, hit} = object.on(map);
                    return [object.area, energy, hit];
                }""",
                [weights.ravel().tolist(), grid[1]],
            )
            assert found == [
                pytest.approx(mask.mean(), abs=1e-5),
                pytest.approx(
                    faithfulness.energy(weights[None], mask[None])[0], abs=1e-5
                ),
                bool(faithfulness.pointing_game(weights[None], mask[None])[0]),
            ], (code, grid)


def test_the_sentence_says_what_was_measured_of_an_example_or_a_drawing(visit):
    fixed = records.load("shapes").results["attention_best_fixed_cell"]
    page = visit("page.html")
    weights = np.zeros((8, 8))
    weights[4, 4], weights[0, 0] = 0.3, 0.5
    answering(page, weights)
    draw(page)
    spoken(page)
    assert re.fullmatch(
        r"38% of the attention \(38% of the class activation\) lies on your drawing,"
        r" which fills \d\d% of the sheet\. The strongest patch is not on it; the best"
        rf" patch that never moves would be, in {100 * fixed:.0f}% of test pictures\.",
        text(page, MEASURE),
    )
    fresh(page)
    page.get_by_role("button", name="Example: heart").click()
    spoken(page)
    assert "lies on the heart, which" in text(page, MEASURE)
    fresh(page)
    draw(page)
    spoken(page)
    assert "lies on the heart with your strokes, which" in text(page, MEASURE)
    page.get_by_role("button", name="New sheet").click()
    page.wait_for_function("!document.querySelector('.measure').textContent")
    page.get_by_label("Network").select_option("cifar10")
    draw(page)
    page.wait_for_function("document.querySelector('.measure').textContent")
    assert text(page, MEASURE).endswith("% of the sheet.")  # no mask, no fixed patch


def test_the_outline_of_the_object_is_on_the_maps(visit):
    page = visit("page.html")
    answering(page, np.eye(8))
    page.get_by_role("button", name="Example: square").click()
    spoken(page)
    mask = mask_of(page, 'Examples.kinds.shapes.draw("square", 41).mask') >= 0.5
    edge = mask[1:, 1:] != mask[:-1, 1:]
    for figure in ("attention", "rival"):
        picture = painted(page, f"figure.{figure} .map")
        white = (picture > 200).all(axis=2)
        assert white[1:, 1:][edge].mean() > 0.8  # the frame lies upon the rest
        assert white[mask].mean() < 0.3


# === a map for each class ===


def test_a_press_on_a_class_shows_its_map(visit):
    page = visit("page.html")
    answering(page, np.eye(8))
    page.evaluate(
        """() => {
            const explain = Engine.explain;
            Engine.explain = async (name, ...rest) => {
                const found = await explain(name, ...rest);
                if (name === "shapes") return found;
                const map = (cell) => Float32Array.from({length: 64}, (_, one) =>
                    one === cell ? 0.9 : 0.1 / 63);
                return {...found, maps: Array.from({length: 10}, (_, one) => map(one))};
            };
        }"""
    )
    page.get_by_role("button", name="Example: ring").click()
    spoken(page)
    assert page.locator(".said.attention .classes button").count() == 0
    rows = page.locator(".said.rival .classes button")
    assert rows.count() == 5
    rows.nth(2).click()
    assert rows.nth(2).get_attribute("aria-pressed") == "true"
    assert rows.nth(0).get_attribute("aria-pressed") == "false"
    assert text(page, "figure.rival figcaption") == "Map of “c”"
    assert text(page, ".unseen").startswith('Map of "c", 0%; class activation ')
    canvas = page.locator("figure.rival .map")
    canvas.focus()
    page.keyboard.press("Home")
    assert text(page, ".readout").startswith("Patch in row 1, column 3: 90.0% of the")
    rows.nth(0).click()
    assert text(page, "figure.rival figcaption") == "Average pooling"


# === exercise 3 ===

FLIPS = """async () => {
    const ask = async (sheet) => {
        const picture = Pictures.pixels(Sheets.render(sheet).picture);
        const {logits, attention} = await Engine.explain("shapes", undefined, picture);
        return {label: logits.indexOf(Math.max(...logits)), map: attention};
    };
    const counts = [0, 0, 0, 0], {names, draw} = Examples.kinds.shapes;
    for (let number = 0; number < 30; number++) {
        const seed = 40 + 100 * Math.floor(number / 10) + number % 10;
        const under = draw(names[number % 10], seed), sheet = {under, steps: []};
        const {label, map} = await ask(sheet), {width, height, data} = map;
        const shares = Objects.of(under.mask, "", "").shares(map);
        const greatest = (weights) => weights.indexOf(Math.max(...weights));
        const strongest = greatest(data);
        const beside = greatest(data.map((weight, cell) => shares[cell] ? -1 : weight));
        const changes = async (cell, own) => {
            const place = [cell % width, Math.floor(cell / width), width, height];
            return (await ask(Sheets.toggle(sheet, place, own))).label !== label;
        };
        counts[0] += names[label] === names[number % 10];
        counts[1] += await changes(strongest, false);
        counts[2] += await changes(strongest, true);
        counts[3] += await changes(beside, false);
    }
    return counts;
}"""


def test_exercise_3_says_what_hiding_a_patch_does(visit):
    exercise = (ROOT / "try_it.md").read_text("utf-8").split("**Hide a patch.**")[1]
    said = re.search(
        r"first (\d+)\s+examples, (\d+) get another answer.+?, (\d+) do;.+?, (\d+)\. ",
        exercise,
        re.DOTALL,
    ).groups()
    assert visit("page.html").evaluate(FLIPS) == [int(number) for number in said]
