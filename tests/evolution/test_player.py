"""The player of `patchconvnet.evolution` in a browser: what it shows are the record's
numbers, and anyone can work it.
"""

import numpy as np
import pytest

from book_pages import PHONE, WIDER_THAN_ITS_PLACE, open_page
from patchconvnet import evolution, records

LAST = records.load("shapes").recipe["epochs"]
CHOSEN = [3, 11, 29, 0]


@pytest.fixture(scope="module")
def seen():
    return evolution.read("shapes").pick(CHOSEN)


@pytest.fixture(scope="module")
def file(seen, tmp_path_factory):
    path = tmp_path_factory.mktemp("player") / "player.html"
    evolution.player(seen).write(path)
    return path


@pytest.fixture
def page(browser, file):
    page, problems = open_page(browser, file.as_uri())
    yield page
    page.context.close()
    assert problems == []


def sentence(seen, epoch, picture):
    """What the player must say: here from the record's numbers, in Python."""
    truth, answer = (
        seen.class_names[seen.labels[picture]],
        seen.class_names[seen.answers[epoch, picture]],
    )
    when = "before training" if epoch == 0 else f"epoch {epoch}"
    place = "on" if seen.on_object[epoch, picture] else "off"
    return (
        f"{truth}, {when}: predicted {answer},"
        f" {seen.probabilities[epoch, picture].max():.0%};"
        f" {seen.energy[epoch, picture]:.0%} of the attention on the object, greatest"
        f" cell {place} it"
    )


def label(page):
    return page.locator("canvas.map").get_attribute("aria-label")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_the_slider_moves_by_keyboard_and_the_numbers_are_the_records(page, seen):
    page.get_by_role("slider", name="Epoch").focus()
    for epoch in range(len(seen.maps)):
        assert label(page) == sentence(seen, epoch, 0)
        value = page.get_by_role("slider").get_attribute("aria-valuetext")
        assert value.endswith(sentence(seen, epoch, 0).split(": ", 1)[1])
        assert value.startswith(
            f"epoch {epoch} of {LAST}: " if epoch else "before training: "
        )
        numbers = page.locator(".numbers").inner_text()
        assert (
            f"{seen.energy[epoch, 0]:.0%} of the attention" in numbers
            and f"{seen.entropy[epoch, 0]:.1f} of 6.0 bits" in numbers
        )
        right, on_object = (
            (seen.answers[epoch] == seen.labels).sum(),
            seen.on_object[epoch].sum(),
        )
        assert (
            page.locator(".counts").inner_text()
            == f"Of these 4 pictures: right answers {right}, greatest cells on the"
            f" object {on_object}."
        )
        press(page, "ArrowRight")
    assert label(page) == sentence(seen, LAST, 0)  # it stays at the end
    press(page, "Home")
    assert label(page) == sentence(seen, 0, 0)


def test_every_picture_can_be_chosen_by_keyboard(page, seen):
    page.get_by_role("slider").focus()
    press(page, "End", "Tab", "ArrowRight")
    assert label(page) == sentence(seen, LAST, 1)
    assert page.locator("[role=status]").inner_text() == sentence(seen, LAST, 1)
    assert page.get_by_role("radio", name="picture 2: square").is_checked()
    page.get_by_role("radio", name="picture 3: hourglass").click()
    assert label(page) == sentence(seen, LAST, 2)
    captions = page.locator(".caption").all_inner_texts()
    expected = [
        ("\u2713" if right else "\u2717") + "\u00a0" + seen.class_names[answer]
        for answer, right in zip(seen.answers[-1], seen.answers[-1] == seen.labels)
    ]
    assert captions == expected


def test_buttons_step_and_say_so(page, seen):
    page.get_by_role("button", name="Next epoch").focus()
    press(page, "Enter", "Enter")
    assert (
        label(page)
        == sentence(seen, 2, 0)
        == page.locator("[role=status]").inner_text()
    )
    page.get_by_role("button", name="Previous epoch").click()
    assert label(page) == sentence(seen, 1, 0)


def test_play_advances_quietly_and_stops_at_the_end(page, seen):
    page.clock.install(time=0)
    page.reload()
    page.clock.pause_at(600_000)  # from here on only `run_for` moves it
    page.get_by_role("button", name="Play").focus()
    press(page, "Space")
    for epoch in range(1, LAST):
        page.clock.run_for(900)
        assert label(page) == sentence(seen, epoch, 0)
        assert page.locator("[role=status]").inner_text() == ""  # it does not chatter
        assert page.get_by_role("button", name="Pause").count() == 1
    page.clock.run_for(5_000)
    assert label(page) == sentence(seen, LAST, 0)
    assert (
        page.locator("[role=status]").inner_text()
        == f"The end. {sentence(seen, LAST, 0)}"
    )
    press(page, "Space")  # from the beginning
    assert label(page) == sentence(seen, 0, 0)
    page.clock.run_for(900)
    press(page, "Space")
    page.clock.run_for(5_000)
    assert (
        label(page) == sentence(seen, 1, 0)
        and page.get_by_role("button", name="Play").count() == 1
    )


def test_less_motion_for_those_who_ask(browser, file):
    page, problems = open_page(browser, file.as_uri())
    page.emulate_media(reduced_motion="reduce")
    page.clock.install(time=0)
    page.reload()
    page.clock.pause_at(600_000)  # from here on only `run_for` moves it
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2_000)
    assert page.get_by_role("slider").input_value() == "0"
    page.clock.run_for(600)
    assert page.get_by_role("slider").input_value() == "1"
    page.context.close()
    assert problems == []


PIXEL = """([selector, across, down]) => {
    const canvas = document.querySelector(selector), context = canvas.getContext("2d");
    const place = [across * canvas.width, down * canvas.height];
    return [...context.getImageData(...place, 1, 1).data].slice(0, 3); }"""


def test_the_canvas_shows_picture_and_map(page, seen):
    assert (
        page.evaluate(PIXEL, ["canvas.plain", 0.5, 0.5])
        == seen.pictures[0][16, 16].tolist()
    )
    page.get_by_role("slider").focus()
    press(page, "End")
    row, column = divmod(int(seen.maps[LAST, 0].argmax()), 8)
    red, green, blue = page.evaluate(
        PIXEL, ["canvas.map", (column + 0.5) / 8, (row + 0.5) / 8]
    )
    grey = 0.35 * seen.pictures[0][4 * row + 2, 4 * column + 2].mean()
    assert (
        abs(red - grey - 0.65 * 253) < 2
        and abs(green - grey - 0.65 * 231) < 2
        and abs(blue - grey - 0.65 * 37) < 2
    )


def test_one_scale_for_all_epochs_is_darker_before_training(page):
    sums = (
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width,"
        " canvas.height).data.reduce((a, b) => a + b)"
    )
    own = page.locator("canvas.map").evaluate(sums)
    page.get_by_role("checkbox", name="Same colours in all epochs").check()
    assert page.locator("canvas.map").evaluate(sums) < 0.9 * own
    outlined = page.locator("canvas.map").evaluate(sums)
    page.get_by_role("checkbox", name="Outline of the object").uncheck()
    assert page.locator("canvas.map").evaluate(sums) != outlined


CHANGED = """canvas => {
    const {width, height} = canvas, scale = width / 32;
    const read = () => canvas.getContext("2d").getImageData(0, 0, width, height).data;
    const box = document.querySelector("[data-do=outline]"), before = read();
    box.click();
    const after = read(), found = [];
    for (let pixel = 0; pixel < width * height; pixel++) {
        const parts = [0, 1, 2].map(part => 4 * pixel + part);
        if (parts.some(part => before[part] !== after[part]))
            found.push([pixel % width, Math.floor(pixel / width)]
                .map(place => (place + 0.5) / scale));
    }
    return found; }"""


def test_the_outline_runs_along_the_mask(page, seen):
    page.get_by_role("radio", name="picture 2: square").click()
    # (points, 2): across and down, in the picture's pixels
    changed = np.array(page.locator("canvas.map").evaluate(CHANGED))
    mask = np.pad(seen.masks[1], 1)

    def inside(across, down):
        return mask[
            (np.floor(changed[:, 1] + down) + 1).astype(int),
            (np.floor(changed[:, 0] + across) + 1).astype(int),
        ]

    corners = np.stack(
        [inside(across, down) for across in (-0.4, 0.4) for down in (-0.4, 0.4)]
    )
    assert len(changed) > 500 and (corners.any(axis=0) & ~corners.all(axis=0)).all()


CONTROLS = """() => [...document.querySelectorAll("button, input")].map(control => {
    const choice = control.type === "radio" || control.type === "checkbox";
    const box = (choice ? control.parentElement : control).getBoundingClientRect();
    return [control.outerHTML.slice(0, 60), Math.min(box.width, box.height)]; })"""
CONTRAST = """root => {
    const light = text => { const parts = text.match(/[\\d.]+/g).slice(0, 3).map(Number)
        .map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]; };
    const ratio = (one, two) =>
        (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    const paper = light(getComputedStyle(root).backgroundColor);
    const texts = [...root.querySelectorAll("p, dt, dd, legend, .caption, .epoch, "
        + "label span, button:not([data-do=play])")];
    const lines = [...root.querySelectorAll("polyline, .now")];
    const colours = [texts.map(text => getComputedStyle(text).color),
        lines.map(line => getComputedStyle(line).stroke)];
    return colours.map(some =>
        Math.min(...some.map(colour => ratio(light(colour), paper)))); }"""


def test_every_control_has_a_name_and_is_large_enough(page):
    assert all(size >= 24 for _, size in page.evaluate(CONTROLS)), page.evaluate(
        CONTROLS
    )
    tree = page.locator("section.attention-player").aria_snapshot()
    lines = [line.strip("- '") for line in tree.splitlines()]
    named = [
        line
        for line in lines
        if line.startswith(("button", "slider", "radio", "checkbox", "img"))
    ]
    assert len(named) == 3 + 1 + 4 + 2 + 3 and all('"' in line for line in named), tree
    group = page.get_by_role("group", name="Choose a picture")
    assert group.get_by_role("radio").count() == 4
    assert (
        page.get_by_role("region", name="Attention over the epochs, shapes").count()
        == 1
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_legible_and_narrow_enough(page, scheme):
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate(WIDER_THAN_ITS_PLACE) == []
    text, lines = page.locator(".attention-player").evaluate(CONTRAST)
    assert text >= 4.5 and lines >= 3


def test_focus_is_seen(page):
    for role, name in (
        ("button", "Play"),
        ("slider", "Epoch"),
        ("checkbox", "Outline of the object"),
    ):
        page.get_by_role(role, name=name).focus()
        press(page, "Shift+Tab", "Tab")  # focus as a keyboard gives it
        assert (
            page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            == "solid"
        )


def test_two_players_on_a_page_do_not_meddle(browser, seen, tmp_path):
    path = tmp_path / "two.html"
    evolution.player(seen).write(path)
    path.write_text(
        path.read_text("utf-8").replace(
            "</main>", evolution.player(seen).html + "</main>"
        ),
        encoding="utf-8",
    )
    page, problems = open_page(browser, path.as_uri())
    assert page.locator("canvas.map").count() == 2
    page.get_by_role("slider").nth(1).focus()
    press(page, "End", "Tab", "ArrowRight")
    labels = [
        page.locator("canvas.map").nth(place).get_attribute("aria-label")
        for place in (0, 1)
    ]
    assert labels == [sentence(seen, 0, 0), sentence(seen, LAST, 1)]
    assert page.locator("input[type=radio]:checked").count() == 2
    page.context.close()
    assert problems == []


def test_maps_alone_and_a_sentence_why(browser, tmp_path):
    from dataclasses import replace

    seen = replace(
        evolution.read("shapes").pick([0, 1]),
        pictures=None,
        labels=None,
        masks=None,
        note="They are <not> here.",
    )
    evolution.player(seen).write(tmp_path / "alone.html")
    page, problems = open_page(browser, (tmp_path / "alone.html").as_uri())
    assert page.locator(".note").inner_text() == "They are <not> here."
    assert (
        not page.locator("canvas.plain").is_visible()
        and not page.get_by_role("checkbox", name="Outline").is_visible()
    )
    answer, entropy = seen.class_names[seen.answers[0, 0]], seen.entropy[0, 0]
    assert (
        label(page) == f"picture 1, before training: predicted {answer},"
        f" {seen.probabilities[0, 0].max():.0%}; attention spread over {entropy:.1f}"
        " of 6.0 bits"
    )
    page.context.close()
    assert problems == []


def test_without_javascript_there_is_a_sentence(browser, file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert (
        "film strip" in page.locator(".without-script").inner_text()
        and page.locator("button").count() == 0
    )
    context.close()
