"""Pets on the page "Try it yourself": a photograph in, its maps laid over it; and the
note on a picture that is unlike the training, in the words of `attend`.
"""

import numpy as np
import pytest
from PIL import Image

import export_web
from patchconvnet import inference, load_dataset, records
from patchconvnet.data import pets
from test_accessibility import axe_problems
from test_try_it_files import give
from test_try_it_network import pictures
from test_try_it_page import address, fresh, site, spoken, visit  # noqa: F401


def words_of(name, path):
    """What `attend` says of a file: the sentence, and the line of its note or ""."""
    record = records.load(name)
    found = inference.predict(
        record.model(),
        inference.read_image(path),
        record.results["class_names"],
        record.usual,
    )
    remark = inference.remark(found)
    return inference.describe(found), f"note: {remark}" if remark else ""


def show(page, path):
    """Choose a file. -> the sentences of both networks, and the note"""
    fresh(page)
    give(page, path)
    sentences = spoken(page).split(". With average pooling: ")
    return *sentences, page.locator(".remark").inner_text()


UNLIKE = {
    "noise": lambda: np.random.RandomState(0).randint(0, 256, (32, 32, 3)),
    "black": lambda: np.zeros((32, 32, 3)),
    "a shape": lambda: pictures(100)[13],
}


@pytest.mark.parametrize("name", ["shapes", "cifar10", "pets"])
def test_what_is_unlike_the_training_is_noted_in_the_words_of_attend(
    visit, tmp_path, name
):
    page, notes = visit("page.html"), []
    page.locator(".network").select_option(name)
    for kind, draw in UNLIKE.items():
        path = tmp_path / f"{kind}.png"
        Image.fromarray(draw().astype("uint8")).save(path)
        said, note = show(page, path)[:: 1 if name == "cifar10" else 2]
        assert (said, note) == words_of(export_web.NETWORKS[name], path), kind
        notes.append(note)
    if name == "shapes":  # and not where it was not measured, nor of the next picture
        assert notes[0] and not notes[-1]
        give(page, tmp_path / "noise.png")
        page.wait_for_function("document.querySelector('.remark').textContent")
        page.locator("input[type=range]").press("ArrowLeft")
        page.wait_for_function("!document.querySelector('.remark').textContent")


def test_a_photograph_of_ones_own_as_with_attend(visit, tmp_path):
    """Large, and not square: cut and shrunk in the browser. A map that is nearly even
    may have its greatest cell elsewhere: browsers and Pillow decode a little apart.
    """
    photo = Image.fromarray(load_dataset("pets").x_test[0]).resize((640, 640))
    wide = Image.new("RGB", (900, 640), "grey")
    wide.paste(photo, (130, 0))
    wide.save(tmp_path / "mine.jpg", quality=95)
    page = visit("page.html")
    page.locator(".network").select_option("pets")
    sentence, rival, note = show(page, tmp_path / "mine.jpg")
    wanted, wanted_note = words_of("pets", tmp_path / "mine.jpg")
    assert sentence == wanted and wanted.endswith("of the central square")
    assert note == wanted_note
    assert rival.partition(", ")[0] in pets.CLASS_NAMES


def test_the_examples_say_whose_they_are_and_have_an_outline(visit):
    page = visit("page.html")
    page.locator(".network").select_option("pets")
    page.wait_for_function(
        "document.querySelectorAll('.examples canvas').length === 10"
    )
    assert page.locator(".credit").inner_text() == " ".join(pets.CREDIT.split("\n"))
    links = page.locator(".credit a").evaluate_all("all => all.map(one => one.href)")
    assert len(links) == 2 and "licenses/by-sa/4.0" in links[1]
    fresh(page)
    page.get_by_role("button", name="Example: American bulldog 2", exact=True).click()
    assert spoken(page).startswith("American bulldog, ")
    mask = dict(zip(pets.names("test"), load_dataset("pets").mask_test))
    share = mask["american_bulldog_2"].mean()
    measured = page.locator(".measure").inner_text()
    assert f"lies on the animal, which fills {share:.0%} of the picture" in measured
    page.evaluate(
        "document.body.prepend(Object.assign(document.createElement('h1'),"
        " {textContent: 'Try it'}))"
    )
    assert axe_problems(page) == []
    page.locator(".network").select_option("cifar10")
    assert page.locator(".credit").inner_text() == ""


def test_a_saved_photograph_of_the_course_says_whose_it_is(visit, tmp_path):
    page = visit("page.html")
    page.evaluate("Save.picture = (drawing, views, words) => { window.saved = words; }")
    page.locator(".network").select_option("pets")
    fresh(page)
    page.get_by_role("button", name="Example: Bengal 19", exact=True).click()
    spoken(page)
    save = page.get_by_role("button", name="Save this picture")
    save.click()
    saved = page.evaluate("window.saved.join(' ')")
    assert "CC BY-SA 4.0" in saved and "note: this is unlike" in saved
    Image.new("RGB", (64, 64)).save(tmp_path / "mine.png")
    show(page, tmp_path / "mine.png")
    save.click()
    assert "CC BY-SA 4.0" not in page.evaluate("window.saved.join(' ')")


def test_the_network_of_pets_is_loaded_when_it_is_wanted(visit):
    page, asked = visit("page.html"), []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Example: circle").click()
    spoken(page)
    assert not any("efficientnet" in url or "photographs" in url for url in asked)
    page.evaluate(
        """new MutationObserver(() => (window.said ??= []).push(
            document.querySelector(".attention .answer").textContent
        )).observe(document.querySelector(".attention .answer"), {childList: true})"""
    )
    fresh(page)
    page.locator(".network").select_option("pets")
    spoken(page)
    said = page.evaluate("window.said.filter(text => text.startsWith('Loading'))")
    assert any(text.endswith("of 4.0 MB") for text in said), said
    assert sum("efficientnet_lite0" in url for url in asked) == 1
