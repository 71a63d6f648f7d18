"""The words and colours of "Try it yourself", for answers that are given."""

import re

import matplotlib
import numpy as np

from patchconvnet import inference
from test_try_it_page import address, fresh, press, site, spoken, visit  # noqa: F401


def answering(page, weights, share=0.97, side=4):
    """From now on every network says star by so much, with this map; it saw grey."""
    logits = np.log([share, *[max(1 - share, 1e-9) / 9] * 9])
    page.evaluate(
        """([logits, weights, width, side]) => {
            const names = ["star", ..."bcdefghij"];
            Engine.about = async () => ({classes: names});
            Engine.explain = async () => ({
                logits, maps: [[]],
                attention: {width, height: weights.length / width,
                    data: Float32Array.from(weights)},
                seen: {width: side, height: side, channels: 3,
                    data: new Float32Array(3 * side * side).fill(100)},
            });
        }""",
        [logits.tolist(), np.ravel(weights).tolist(), np.shape(weights)[1], side],
    )


def said_of(page, weights, share=0.97):
    answering(page, weights, share)
    fresh(page)
    page.get_by_role("button", name="Example: ring").click()
    return spoken(page).split(". With average pooling: ")


def spread_over(cells):
    weights = np.zeros(64)
    weights[:cells] = 1 / cells
    weights[0] += 1e-4
    return weights.reshape(8, 8)


def test_the_words_change_where_those_of_the_package_do(visit):
    """How sure: at 99.5%. How flat a map may be: 3 cells in 4. Where: by ninths."""
    page = visit("page.html")
    places = [np.eye(36)[cell].reshape(6, 6) for cell in range(0, 36, 7)] + [
        np.eye(36)[cell].reshape(4, 9) for cell in (5, 8, 30)
    ]
    given = [(spread_over(cells), 0.97) for cells in (1, 40, 47, 49, 64)] + [
        (place, 0.97) for place in places
    ]
    given += [
        (spread_over(1), share)
        for share in (0.604, 0.606, 0.994, 0.9949, 0.9951, 0.999)
    ]
    for weights, share in given:
        names, shares = (
            ("star", *"bcdefghij"),
            np.array([share, *[(1 - share) / 9] * 9]),
        )
        found = inference.Prediction(names, shares, weights, (0, 0, 32))
        attention, rival = said_of(page, weights, share)
        assert attention == inference.describe(found), (weights.argmax(), share)
        assert rival == attention.replace("; attention", "; class activation")
        assert page.locator(".attention .answer").inner_text() == attention


def test_a_patchs_share_is_said_to_a_tenth_and_not_below(visit):
    page = visit("page.html")
    weights = np.full((5, 5), 0.04)
    weights[0, :4] = 0.0009, 0.0011, 0.0996, 0.5
    said_of(page, weights)
    box = page.locator(".attention canvas.map").bounding_box()
    for column, share in enumerate(
        ("less than 0.1%", "0.1%", "10.0%", "50.0%", "4.0%")
    ):
        page.mouse.move(
            box["x"] + box["width"] * (column + 0.5) / 5, box["y"] + box["height"] / 10
        )
        words = (
            f"Patch in row 1, column {column + 1}: {share} of the attention. An equal"
            " share would be 4.0%."
        )
        assert page.locator(".readout").inner_text() == words


def test_a_map_has_the_courses_colours_and_a_frame_around_the_strongest(visit):
    page = visit("page.html")
    said_of(page, [[0.1, 0.2], [0.3, 0.4]])
    colour_at = lambda x, y: page.evaluate(
        "[...document.querySelector('.attention"
        f" .map').getContext('2d').getImageData({x}, {y}, 1, 1).data]"
    )
    for row in range(2):
        for column in range(2):
            step = round(16 * (0.1 + 0.1 * column + 0.2 * row) / 0.4)
            wanted = 0.35 * 100 + 0.65 * 255 * np.array(
                matplotlib.colormaps["viridis"](step / 16)[:3]
            )
            np.testing.assert_allclose(
                colour_at(64 + 128 * column, 64 + 128 * row), [*wanted, 255], atol=2
            )
    assert colour_at(255, 190)[:3] == colour_at(128, 190)[:3] == [
        255,
        255,
        255,
    ] and colour_at(130, 190)[:3] == [0, 0, 0]
    assert colour_at(2, 64)[:3] != [255, 255, 255]
    canvas = page.locator(".attention canvas.map")
    canvas.focus()
    press(page, "ArrowUp")  # a second frame, in dashes
    across = [colour_at(x, 0)[:3] for x in range(140, 250, 2)]
    assert [255, 255, 255] in across and [0, 0, 0] in across


def test_the_arrow_keys_stop_at_the_border_and_home_goes_to_the_strongest(visit):
    page = visit("page.html")
    weights = np.arange(1, 13).reshape(3, 4) / 78.0
    weights[1, 2], weights[2, 3] = weights[2, 3], weights[1, 2]
    said_of(page, weights)
    page.locator(".attention canvas.map").focus()
    place = lambda: re.match(
        r"Patch in row (\d), column (\d)", page.locator(".readout").inner_text()
    ).groups()
    for keys, found in (
        (["ArrowRight"], ("2", "4")), (["ArrowRight"], ("2", "4")),
        (["ArrowDown"], ("3", "4")), (["ArrowDown"], ("3", "4")),
        (["ArrowUp"] * 4, ("1", "4")), (["ArrowLeft"] * 5, ("1", "1")),
        (["Home"], ("2", "3")), (["ArrowLeft"], ("2", "2")),
    ):  # fmt: skip
        press(page, *keys)
        assert place() == found, keys


def test_the_list_of_classes_has_the_five_most_probable(visit):
    page = visit("page.html")
    said_of(page, np.eye(4), 0.9)
    items = page.locator(".attention .classes li").all_inner_texts()
    assert (
        len(items) == 5
        and items[0].split() == ["star", "90%"]
        and all(item.split()[1] == "1%" for item in items[1:])
    )
