"""The line for a guess below a question, and a figure that opens on a tap.

In a browser, on a small book with the course's own settings, style and scripts.
"""

import base64
import io
import shutil

import nbformat
import pytest
import yaml
from PIL import Image

from book_pages import LAPTOP, PHONE, ROOT, WIDER_THAN_ITS_PLACE, build, open_page
from test_accessibility import axe_problems, set_mode

PREDICT = "> **Predict.** Which weight is greater, $w_1$ or $w_2$?"
BY_HAND = "> **By hand.** What is the sum of 1, 4, 1 and 2?\n>\n> Take a pencil."
SAYS = "<details><summary>What it says</summary>\n\nThe second.\n\n</details>"
FIGURE = 1200, 900  # pixels, shown on the page at half of that


def drawn(width, height):
    """An output that is a picture, as a notebook keeps it."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, "png")
    return nbformat.v4.new_output(
        "display_data",
        {"image/png": base64.b64encode(file.getvalue()).decode()},
        metadata={"image/png": {"width": width // 2, "height": height // 2}},
    )


def code(source, *outputs, tags=(), alt=None, prompt=None):
    shown = {"image": {"alt": alt}} if alt else {}
    shown |= {"code_prompt_show": prompt} if prompt else {}
    cell = nbformat.v4.new_code_cell(source, outputs=list(outputs))
    cell.metadata |= {"tags": list(tags), "mystnb": shown}
    return cell


def printed(text):
    return nbformat.v4.new_output("stream", text=text)


def cells(first_question=()):
    """A chapter with two questions and three figures, the last one a tiny one."""
    text = nbformat.v4.new_markdown_cell
    folded = {"tags": ["hide-output"], "prompt": "What came out"}
    return [
        text("# A chapter\n\nWords."),
        *first_question,
        text(f"## One\n\nWords.\n\n{PREDICT}"),
        code("draw()", drawn(*FIGURE), alt="Two bars, the second higher", **folded),
        text(f"{SAYS}\n\nWords after it.\n\n> **Note.** No question."),
        code("print(1)", printed("1\n"), tags=["hide-output"]),
        text(f"## Two\n\n{BY_HAND}"),
        code("print(8)", printed("8\n"), **folded),
        text(SAYS),
        code("draw()", drawn(*FIGURE), alt="A wide figure in the open"),
        code("draw()", drawn(40, 40), alt="A mark as large as a letter"),
        text("## Three\n\n> **Predict.** And now?\n\n**My guess:** …"),
    ]


def make_book(folder, pages):
    """Build a book of notebooks: a dict from a page's name to its cells."""
    for name in ("site_static", "site_templates"):
        shutil.copytree(ROOT / name, folder / name)
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    shutil.copy2(ROOT / "references.bib", folder)
    # of the page "Try it yourself"
    del settings["sphinx"]["local_extensions"]
    del settings["sphinx"]["config"]["html_extra_path"]
    (folder / "_config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    listed = [f"  - file: {name}\n" for name in pages]
    (folder / "_toc.yml").write_text(
        f"format: jb-book\nroot: plain\nchapters:\n{''.join(listed)}"
    )
    (folder / "plain.md").write_text("# A page\n\n> A quotation.\n")
    for name, content in pages.items():
        metadata = {
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python"},
        }
        notebook = nbformat.v4.new_notebook(cells=content, metadata=metadata)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    result = build(folder, folder)
    assert result.returncode == 0, result.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    return make_book(tmp_path_factory.mktemp("small"), {"chapter": cells()})


@pytest.fixture
def visit(browser, small_book):
    """visit("chapter") opens a page; at the end nothing may have gone wrong in it."""
    opened = []

    def opening(name="chapter", viewport=None):
        address = (small_book / f"{name}.html").as_uri()
        opened.append(open_page(browser, address, viewport))
        return opened[-1][0]

    yield opening
    for page, problems in opened:
        page.context.close()
        assert problems == []


def again(page):
    """The page as the same reader sees it on another day."""
    page.wait_for_timeout(1000)  # the browser stores behind the scenes
    page.reload()
    page.wait_for_load_state("networkidle")
    page.evaluate("() => window.MathJax?.startup?.promise?.then(() => true)")
    return page


STORED = "() => Object.entries(localStorage).filter(([key]) => key.startsWith('guess'))"
BELOW = "field => field.closest('.guess').previousElementSibling.tagName"


# === guesses ===


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


def bare(file, content):
    """A page with our style and scripts, and without the theme's."""
    style = (ROOT / "site_static" / "course.css").read_text(encoding="utf-8")
    scripts = [
        f"<script>{(ROOT / 'site_static' / name).read_text(encoding='utf-8')}</script>"
        for name in ("guesses.js", "figures.js")
    ]
    file.write_text(
        f'<!doctype html><meta charset="utf-8"><style>{style}</style>'
        f'<article class="bd-article">{content}</article>{"".join(scripts)}',
        encoding="utf-8",
    )
    return file.as_uri()


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
        ["You guessed: 1"] * 2 + [None] * 2 + ["You guessed: 3"] + [None] * 6
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


# === figures ===


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
