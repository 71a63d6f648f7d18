"""What stands on a slide, beside what, and what its speaker reads."""

import nbformat
import pytest
from bs4 import BeautifulSoup
from test_classroom import PLAN, ROOT, write
from test_classroom_learning import (  # noqa: F401
    CELLS,
    SLIDE,
    SUBSLIDE,
    chapter_of,
    code,
    plan,
    select,
    slides,
    text,
)

from classroom import chapters as classroom_chapters
from classroom import plan as classroom_plan
from classroom import slides as classroom_slides

LONG = "\n".join(f"step_{number} = {number}" for number in range(15))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Words:\n\n```bash\none\n\ntwo\n```", "Words:\n\n```bash\none\n\ntwo\n```"),
        ("One. Two. Three rivals:\n\n- a\n- b", "Three rivals:\n\n- a\n- b"),
        ("One. It has two:\n\n- a", "One. It has two:\n\n- a"),
        ("Not here.\n\n- a", "- a"),
        ("## T\n\nOne. Two. It hangs. So does this. Four.",
         "## T\n\nOne. Two. It hangs. So does this."),
        ("## T\n\nIs that good: no. Two. Three.", "## T\n\nIs that good: no. Two."),
        ("## T\n\nOne. Two. Italy is none. Four.", "## T\n\nOne. Two."),
    ],
)  # fmt: skip
def test_what_hangs_on_a_sentence_stays_with_it(text, shown):
    assert classroom_slides.shortened(text) == shown


def test_half_empty_slides_of_a_section_are_one(tmp_path, plan):  # noqa: F811
    nodes = [
        *CELLS[:2],
        text("## One\n\nWords. More.", SLIDE),
        code("print(1)", "1", kind=SUBSLIDE),
        text("- an item", SUBSLIDE),
        code(LONG, kind=SUBSLIDE),
        text("## Two\n\nWords.", SLIDE),
        text("> **Predict.** What?", SUBSLIDE),
        text("- a second item", SUBSLIDE),
    ]
    found, _ = slides(chapter_of(tmp_path, nodes), plan)
    assert [slide[:22] for slide in found[1:]] == [
        "One Words. More. print",  # and the item
        "One step_0 = 0 step_1 ",
        "Two Words. Predict. Wh",
        "Two a second item",  # not beside the question
    ]
    assert found[1].endswith("1 an item")


def test_a_figure_takes_the_room_that_a_text_leaves(tmp_path, plan):  # noqa: F811
    figure = code("draw()", kind=SUBSLIDE)
    drawn = nbformat.v4.new_output("display_data", {"image/png": "AAAA"})
    figure.outputs = [drawn]
    nodes = [*CELLS[:2], text("## One\n\nWords.", SLIDE), figure]
    chapter = chapter_of(tmp_path, nodes)
    page = classroom_slides.slides_of(chapter, select(chapter), plan)
    [image] = BeautifulSoup(page, "html.parser").select("section img")
    assert image["style"] == "height: 460px"
    assert "Words." in image.find_parent("section").get_text()


def test_teaching_notes_are_the_speakers(tmp_path, plan):  # noqa: F811
    notes = 'Ask first.\n\n- In "One", wait.\n- In "Two", vote.\n\n## Discuss\n\nWhy?'
    nodes = [*CELLS[:2], text("## One\n\nA.", SLIDE), text("## Two\n\nB.", SLIDE)]
    chapter = chapter_of(tmp_path, nodes)
    page = classroom_slides.slides_of(chapter, select(chapter), plan, notes)
    soup = BeautifulSoup(page, "html.parser")
    title, one, two = [
        " ".join(note.get_text(" ") for note in part.select("aside.notes"))
        for part in soup.select("section")
        if not part.find("section")
    ]
    assert "Ask first." in title and "Why?" in title and "30 minutes." in title
    assert "wait" in one and "vote" not in one and "vote" in two
    shown = [part for part in soup.select("section") if not part.find("section")]
    for note in soup.select("aside.notes"):
        note.extract()
    assert not any("wait" in part.get_text() for part in shown)


def test_a_sign_that_html_knows_survives_in_names(tmp_path):
    text_of_plan = PLAN.replace("A test", "x<y & a<b>c").replace("A school", "<Co>")
    odd = classroom_plan.read_plan(write(tmp_path / "plan.toml", text_of_plan))
    nodes = [
        text("# Is p<q?\n\nWords."),
        text("## Where i<j\n\nWords.", SLIDE),
        code("print('<p>')", "<p>", kind=SUBSLIDE),
        code(f"{LONG}\n{LONG}", kind=SUBSLIDE),
    ]
    found, _ = slides(chapter_of(tmp_path, nodes), odd)
    assert found[0] == "Is p<q? x<y & a<b>c <Co>"
    assert found[1].startswith("Where i<j Words.") and "<p>" in found[1]
    assert found[2].startswith("Where i<j step_0")


def test_every_chapters_blocks_of_code_are_on_slides(plan):  # noqa: F811
    chapter = classroom_chapters.read_chapter(ROOT / "chapters" / "11_inference.ipynb")
    page = classroom_slides.slides_of(chapter, chapter.cells, plan)
    shown = BeautifulSoup(page, "html.parser")
    for note in shown.select("aside.notes"):
        note.extract()
    assert "patchconvnet attend photo.jpg" in shown.get_text()
