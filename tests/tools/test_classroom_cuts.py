"""A kit says nothing of what its plan leaves out: goals, quiz, summary, references."""

import functools
import re

import pytest
from test_classroom import CHAPTERS, PLANS

from classroom import chapters as classroom_chapters
from classroom import cuts, links
from classroom import filling as classroom_filling
from classroom import plan as classroom_plan
from classroom.links import anchor_of, linked
from classroom.notebooks import student_notebook
from classroom.plan import Part, Plan, Session

LISTS = re.compile(r"(?m)^(?:> ?- |- |\*\*\d+\.\*\*|<details><summary>\d+\.)")
LINK = re.compile(r"\]\([^)]*\)(?:, exercise \d+)?")


@pytest.fixture(autouse=True)
def somebodys(monkeypatch):
    """The course of somebody: nobody's has no address for what a kit lacks."""
    monkeypatch.setattr(links, "address", lambda: "https://github.com/me/it/blob/main")


def lists_of(chapter):
    """Its goals, questions and what to remember: a list of texts, a line each."""
    texts = [chapter.cells[0].node.source]
    texts += [
        cell.node.source
        for cell in chapter.cells
        if cell.section in ("Quiz", "What to remember")
    ]
    pieces = [re.split(r"(?m)^(?=> |- |\*\*\d|<details>)", text) for text in texts]
    return [line for piece in pieces for line in piece if LISTS.match(line)]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_each_goal_question_and_summary_says_what_it_rests_on(path):
    chapter = classroom_chapters.read_chapter(path)
    lines = lists_of(chapter)
    assert len(lines) >= 9 and not [line for line in lines if not cuts.needed(line)]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_what_a_line_rests_on_is_there(path):
    chapter = classroom_chapters.read_chapter(path)
    known = {*chapter.sections()}
    known |= {f"exercise {number}" for number in chapter.exercises()}
    known |= {f"next {other.stem}" for other in CHAPTERS}
    for cell in chapter.cells:
        for names in cuts.needed(cell.node.source):
            assert set(names) <= known, cell.node.source
        assert cell.job == "text" or "needs:" not in cell.node.source


@functools.cache
def read(name):
    return classroom_filling.read(name)


def texts_of(plan):
    """For each chapter of a kit its cells, with their texts, and what is there."""
    chapters = [read(name) for name in plan.chapters()]
    taken = classroom_filling.contents(plan, chapters)
    kit = {name: present for name, (_, present) in taken.items()}
    for chapter in chapters:
        cells, present = taken[chapter.name]
        for cell in cells:
            if cell.node.cell_type == "markdown":
                cell.node.source = linked(cell.node.source, kit)
        yield chapter, cells, present, kit


def false_references(plan):
    """What a kit speaks of, and has not: a list of texts."""
    found = []
    for chapter, cells, present, kit in texts_of(plan):
        gone = set(chapter.sections()) - present
        for cell in cells:
            text = cell.node.source
            if cell.helper:
                continue
            found += re.findall(r"<!-- needs.*", text)
            found += [head for head in gone if f'"{head}"' in text]
            found += [
                file
                for file, anchor in re.findall(r"\]\((\d\d_\w+)\.ipynb#?(.*?)\)", text)
                if file not in kit
                or (anchor and anchor not in set(map(anchor_of, kit[file])))
            ]
            alone = LINK.sub("", text)
            found += [
                f"exercise {number}"
                for number in re.findall(r"[Ee]xercises? (\d+)", alone)
                if f"exercise {number}" not in present
            ]
            if cell.job == "text":
                bare = re.sub(r"\[[^\[\]]*\]\([^)]*\)", "", text)
                found += re.findall(r"[Cc]hapters? \d\d|Core path.*", bare)
    return found


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_courses_plans_speak_of_nothing_that_they_leave_out(path):
    assert false_references(classroom_plan.read_plan(path)) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_nor_does_a_plan_that_leaves_out_half_of_the_sections(path):
    """Every second one, and then the others; without exercises."""
    others = ("Exercises", *classroom_chapters.ALWAYS)
    sections = [name for name in read(path.stem).sections() if name not in others]
    for half in (sections[::2], sections[1::2]):
        part = Part(10, chapter=path.stem, leave_out=tuple(half))
        plan = Plan("A", "B", "C", (Session("One", (part,)),))
        assert false_references(plan) == []


def test_lines_go_with_their_section_and_the_rest_is_whole():
    """Of chapter 01 without its last section and without exercises."""
    part = Part(10, chapter="01_overview", leave_out=("Where it fails",))
    plan = Plan("A", "B", "C", (Session("One", (part,)),))
    [(_, cells, _, _)] = texts_of(plan)
    head = cells[0].node.source
    assert "find the pictures where it fails" not in head
    assert "> - give the network a picture of your own.\n" in head
    quiz = next(cell.node.source for cell in cells if cell.section == "Quiz")
    assert "**2.** Before training" in quiz and "**3.**" not in quiz
    assert quiz.count("<details>") == quiz.count("</details>") == 2
    summary = [cell for cell in cells if cell.section == "What to remember"]
    assert summary[0].node.source.count("\n- ") == 2
    assert "15 for the exercises" not in head and "for the exercises" not in head


PRESENT = {"Here", "exercise 1"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("- a;<!-- needs: Here -->\n- b;<!-- needs: Gone -->\n- c.", "- a;\n- c."),
        ("> - a;\n> - b.<!-- needs: Gone -->\n>\n> Time", "> - a.\n>\n> Time"),
        ("One. Two (see exercise 3).<!-- needs: exercise 3 --> Three.", "One.  Three."),
        ("It moves (exercise 3 (b))<!-- needs: exercise 3 -->.", "It moves."),
        ("It moves (exercise 1)<!-- needs: exercise 1 -->.", "It moves (exercise 1)."),
        ("A.\n\n<!-- needs: Gone -->\nB. C.\n\nD.", "A.\n\nD."),
        ("| a |\n| - |\n| b<!-- needs: Gone --> |\n| c |", "| a |\n| - |\n| c |"),
        (
            "**1.** Q?<!-- needs: Gone -->\n\n<details><summary>Answer</summary>\n\n"
            "A.\n\nB.\n\n</details>\n\n**2.** R?",
            "**2.** R?",
        ),
        (
            "<details><summary>1. Q?</summary><!-- needs: Gone -->\n\nA.\n\n</details>",
            "",
        ),
        ("> A. More\n> words.<!-- needs: Gone -->\n> 1. B?", "> A. \n> 1. B?"),
        (
            "<!-- needs: Gone -->\n<details><summary>H</summary>\n\nA.\n\n</details>",
            "",
        ),
        ("One.<!-- needs: Here; Gone --> Two.", " Two."),
    ],
)  # fmt: skip
def test_what_goes_with_a_comment(text, left):
    assert cuts.trimmed(text, PRESENT) == left


def test_a_link_to_what_the_kit_has_not_leads_to_the_course():
    kit = {"06_attention_pooling": {"How sharp?", "exercise 1"}}

    def target(text):
        return linked(text, kit).partition("](")[2].partition(")")[0]

    assert target("[x](06_attention_pooling.ipynb)") == "06_attention_pooling.ipynb"
    for text in (
        "[x](06_attention_pooling.ipynb#build-it)",
        "[x](06_attention_pooling.ipynb), exercise 2",
        "[x](07_model.ipynb)",
        "see chapter 07",
    ):
        assert "/blob/main/chapters/0" in target(text), text
    assert target("[x](06_attention_pooling.ipynb#how-sharp)").endswith("#how-sharp")
    assert target("see chapter 06") == "06_attention_pooling.ipynb"
    assert linked("`chapter 06`", kit) == "`chapter 06`"


def test_a_table_that_kept_sentences_speak_of_is_shown():
    """The four patches of chapter 06, with the paragraph that says what they are."""
    kept = ("Three jobs, three versions of a patch",)
    part = Part(10, chapter="06_attention_pooling", sections=kept)
    plan = Plan("A", "B", "C", (Session("One", (part,)),))
    [(_, cells, present, _)] = texts_of(plan)
    sources = [cell.node.source for cell in cells]
    table = next(c for c in cells if c.node.source.startswith("patches = np.array("))
    assert not table.helper and "Every patch the same weight" not in present
    above = sources[cells.index(table) - 1]
    assert above.startswith("Here are four patches with three channels.")
    other = ("When to use it, and when not",)
    part = Part(10, chapter="06_attention_pooling", sections=other)
    plan = Plan("A", "B", "C", (Session("One", (part,)),))
    [(_, cells, _, _)] = texts_of(plan)
    assert not any("four patches" in cell.node.source for cell in cells)


def test_code_that_stays_for_its_names_is_folded_in_jupyterlab_too():
    part = Part(10, chapter="06_attention_pooling", leave_out=("Build it",))
    plan = Plan("A", "B", "C", (Session("One", (part,)),))
    [(chapter, cells, _, _)] = texts_of(plan)
    made = student_notebook(chapter, cells, plan).cells
    helpers = [cell for cell in made if "which this class leaves out" in cell.source]
    assert helpers and all(
        cell.metadata["jupyter"]["source_hidden"] for cell in helpers
    )


def test_what_is_given_stands_below_its_text():
    found = 0
    for path in CHAPTERS:
        cells = read(path.stem).cells
        for above, cell in zip(cells, cells[1:]):
            if "given" in cell.node.metadata.get("tags", []):
                assert above.job == "text" and cell.job == "code"
                found += 1
    assert found >= 1
