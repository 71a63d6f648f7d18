"""The line for a guess below a question to predict, in a browser."""

import pytest

from book_pages import LAPTOP, PHONE, WIDER_THAN_ITS_PLACE, open_page
from small_book import again, bare, small_book, visit  # noqa: F401
from test_accessibility import axe_problems

STORED = "() => Object.entries(localStorage).filter(([key]) => key.startsWith('guess'))"
BELOW = "field => field.closest('.guess').previousElementSibling.tagName"


def test_each_question_has_a_line_below_it(visit):
    page = visit()
    fields = page.get_by_label("My guess")
    assert fields.count() == 3  # not the note
    assert fields.evaluate_all(f"all => all.map({BELOW})") == ["BLOCKQUOTE"] * 3
    described = (
        "field => document.getElementById(field.getAttribute('aria-describedby'))"
    )
    question = fields.nth(1).evaluate(f"field => ({described})(field).textContent")
    assert "By hand" in question and "Take a pencil" in question
    # the field takes the place of the line that a class's notebook has
    assert page.get_by_text("My guess:").count() == 0


def test_a_page_without_a_question_stays_as_it_is(visit):
    page = visit("plain")
    assert (
        page.locator(".guess, input.guess, dialog, [aria-haspopup=dialog]").count() == 0
    )


def test_a_guess_is_kept_shown_beside_its_outcome_and_cleared(visit):
    page = visit()
    first, second = (
        page.get_by_label("My guess").nth(0),
        page.get_by_label("My guess").nth(1),
    )
    said = page.locator(".guess-said")
    assert said.count() == 4 and page.locator(".guess-said:visible").count() == 0
    first.fill("  $w_2$ <b>&</b> ")
    assert page.get_by_role("status").first.inner_text() == "kept in this browser"
    assert page.locator(".guess-said:visible").count() == 0  # the fold is closed
    again(page)
    assert first.input_value() == "$w_2$ <b>&</b>" and second.input_value() == ""
    page.get_by_text("What came out").first.click()
    shown = page.locator(".guess-said:visible")
    assert shown.all_inner_texts() == ["You guessed: $w_2$ <b>&</b>"]
    page.get_by_text("What it says").first.click()
    assert shown.all_inner_texts() == ["You guessed: $w_2$ <b>&</b>"] * 2
    # an output without a question above it, and one whose question has no guess
    for fold in page.locator("details").all()[2:]:
        fold.evaluate("fold => { fold.open = true; }")
    assert shown.count() == 2
    first.fill(" ")
    assert shown.count() == 0 and page.evaluate(STORED) == []
    assert page.locator(".guess-note:visible").count() == 0
    assert again(page).get_by_label("My guess").first.input_value() == ""


def values(page):
    return [field.input_value() for field in page.get_by_label("My guess").all()]


def question(words):
    return f"<blockquote><p><strong>Predict.</strong> {words}</p></blockquote>"


OUTCOME = "<details><summary>What it says</summary><p>It is so.</p></details>"


def test_a_question_that_is_added_moves_no_guess(browser, tmp_path):
    """Nor is it that of the same words on another page, or twice on a page."""
    formula = '<span class="math">w_2</span>'
    first, second = question("One?"), question(f"Two, {formula}?")
    address = bare(tmp_path / "page.html", first + OUTCOME + second)
    page, problems = open_page(browser, address)
    page.get_by_label("My guess").nth(0).fill("1")
    page.get_by_label("My guess").nth(1).fill("2")
    # MathJax draws a formula, and its text changes
    second, new = second.replace(">w_2<", "><svg></svg><"), question("New?")
    bare(tmp_path / "page.html", new + first + OUTCOME + new + second)
    again(page)
    assert values(page) == ["", "1", "", "2"]
    page.get_by_label("My guess").nth(2).fill("3")
    again(page)
    assert values(page) == ["", "1", "3", "2"]
    page.goto(bare(tmp_path / "other.html", first))
    assert values(page) == [""]
    page.context.close()
    assert problems == []


def test_an_outcome_belongs_to_the_question_right_above_it(browser, tmp_path):
    cell = (
        '<div class="cell {}"><details class="hide"><summary>What came out</summary>'
        "</details></div>"
    )
    hidden, other = cell.format("tag_hide-output"), cell.format("tag_hide-input")
    parts = [question("One?"), hidden, OUTCOME, hidden, OUTCOME]
    parts += [question("Two?"), question("Three?"), hidden, hidden, OUTCOME]
    parts += [question("Four?"), other, OUTCOME.replace("What it says", "Hint")]
    parts += [question("Five?"), "<section>", hidden, "</section>", OUTCOME]
    page, problems = open_page(browser, bare(tmp_path / "page.html", "".join(parts)))
    for number in range(5):
        page.get_by_label("My guess").nth(number).fill(f"{number + 1}")
    said = "all => all.map(one => one.querySelector('.guess-said')?.textContent)"
    assert page.locator("details").evaluate_all(said) == (
        ["You guessed: 1"] * 2 + [None] * 2 + ["You guessed: 3"] * 3 + [None] * 4
    )
    page.context.close()
    assert problems == []


REFUSED = (
    "Object.defineProperty(window, 'localStorage', {get() { throw Error('no'); }})"
)
FULL = "Storage.prototype.setItem = () => { throw Error('full'); }"


@pytest.mark.parametrize("refusal", [REFUSED, FULL])
def test_where_nothing_can_be_stored_the_line_says_so(browser, tmp_path, refusal):
    content = f"<script>{refusal}</script>{question('One?')}{OUTCOME}"
    page, problems = open_page(browser, bare(tmp_path / "page.html", content))
    assert page.locator(".guess-note:visible").count() == 0
    page.get_by_label("My guess").fill("the second")
    assert "not kept" in page.get_by_role("status").inner_text()
    page.get_by_text("What it says").click()
    assert page.locator(".guess-said:visible").inner_text() == "You guessed: the second"
    page.context.close()
    assert problems == []


def test_on_paper_a_guess_is_whole_and_an_empty_line_can_be_written_on(visit):
    page = visit()
    long = "a guess that is longer than the line on which it is written " * 4
    page.get_by_label("My guess").first.fill(long)
    page.emulate_media(media="print")
    lines = page.locator(".guess-on-paper")
    assert page.locator(".guess input:visible, .guess-note:visible").count() == 0
    assert lines.nth(0).inner_text() == long.strip()
    heights = [line.bounding_box()["height"] for line in lines.all()]
    assert heights[0] > 2 * heights[1] > 20
    assert "solid" in lines.nth(1).evaluate(
        "line => getComputedStyle(line).borderBottom"
    )


@pytest.mark.parametrize("viewport", [PHONE, LAPTOP])
def test_a_finger_hits_the_line_and_the_eye_finds_it(visit, viewport):
    page = visit(viewport=viewport)
    field = page.get_by_label("My guess").first
    assert field.bounding_box()["height"] >= 44 and field.bounding_box()["width"] > 200
    page.get_by_text("What came out").first.click()
    field.fill("word" * 60)
    assert page.evaluate(WIDER_THAN_ITS_PLACE) == []
    before = field.evaluate("field => getComputedStyle(field).outlineStyle")
    field.focus()
    after = field.evaluate("field => getComputedStyle(field).outlineStyle")
    assert after == "solid" and before in ("none", "solid")


def test_axe_finds_nothing_wrong_with_lines_and_figures(visit):
    page = visit()
    for field in page.get_by_label("My guess").all():
        field.fill("a guess")
    assert axe_problems(page) == []
