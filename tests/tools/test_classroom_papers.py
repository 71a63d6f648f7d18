"""Syllabus, formulas, capstone, exam and quizzes; the keys are the instructor's."""

import dataclasses
import functools
import re

import keras
import numpy as np
import pytest
from bs4 import BeautifulSoup
from test_classroom import CHAPTERS, PLANS, ROOT
from test_classroom_cuts import read

from classroom import cuts, gift, links, papers
from classroom import filling as classroom_filling
from classroom import plan as classroom_plan
from classroom.plan import Part, Plan, Session
from patchconvnet import faithfulness
from patchconvnet.schedule import WarmUpCosine

SOURCES = ROOT / "classroom"
EXAM = (SOURCES / "exam.md").read_text(encoding="utf-8")
MARK = re.compile(r"(\d[\d.]*\d|\d)<!-- exam: ([\w.]+) -->")


# === the exam's key ===


def receptive_field(layers):
    """Pixels along a side that one output sees; layers are (kernel, stride)."""
    seen, step = 1, 1
    for kernel, stride in layers:
        seen, step = seen + (kernel - 1) * step, step * stride
    return seen


def softmax(scores):
    return keras.ops.convert_to_numpy(keras.ops.softmax(scores))


@functools.cache
def computed():
    """Each number of the key, by Keras and the package: a dict from its mark."""
    patches = np.array([[0, 2], [3, 0], [0, 2], [1, 4]], "float32")
    scores = patches @ np.array([np.log(2), 0], "float32")  # (4,)
    weights = softmax(scores)
    found = {f"weights.{index}": weight for index, weight in enumerate(weights)}
    pooled = weights @ patches
    found |= {f"pooled.{index}": value for index, value in enumerate(pooled)}
    found |= {f"greatest.{by}": softmax(by * scores).max() for by in (0, 2)}
    found["bits.0"] = faithfulness.entropy(softmax(0 * scores).reshape(1, 2, 2))[0]

    convolution = keras.layers.Conv2D(32, 3, strides=2)
    convolution.build((None, 32, 32, 3))
    dense = keras.layers.Dense(10)
    dense.build((None, 64))
    found["convolution"] = convolution.count_params()
    found["dense"] = dense.count_params()
    found["seen.stem"] = receptive_field([(3, 2), (3, 2)])
    found["seen.trunk"] = receptive_field([(3, 2), (3, 2), (3, 1), (3, 1)])

    # the sixth cell has no weight, and comes last
    maps = np.array([8, 5, 4, 2, 1, 0]).reshape(1, 2, 3) / 20
    masks = np.array([1, 1, 0, 0, 1, 0], bool).reshape(1, 2, 3)
    masks = masks.repeat(6, axis=1).repeat(4, axis=2)  # as many pixels as it takes
    found["energy"] = faithfulness.energy(maps, masks)[0]
    found["precision"] = faithfulness.average_precision(maps, masks)[0]

    loss = keras.losses.SparseCategoricalCrossentropy()
    right = np.array([3])
    shares = np.full((1, 10), 0.75 / 9, "float32")
    shares[0, 3] = 0.25
    found["surprise"] = float(loss(right, shares))
    found["no_idea"] = float(loss(right, np.full((1, 10), 0.1, "float32")))

    rate = WarmUpCosine(0.001, steps=100, warmup_steps=10)
    found["peak"], found["halfway"] = float(rate(9)), float(rate(54))
    found["error"] = np.sqrt(0.9 * 0.1 / 100)
    found["pictures"] = 0.9 * 0.1 / (found["error"] / 2) ** 2
    return found


def test_every_number_of_the_key_is_as_computed():
    marked = {name: number for number, name in MARK.findall(EXAM)}
    assert len(marked) == EXAM.count("<!-- exam:") == len(computed())
    for name, number in marked.items():
        decimals = len(number.partition(".")[2])
        assert number == f"{computed()[name]:.{decimals}f}", name


def test_an_exam_has_the_questions_of_its_plan_and_no_key():
    files = instructor(PLANS[0])
    assert PLANS[0].stem == "90min"
    exam, key = files["exam.md"], files["exam_key.md"]
    assert re.findall(r"(?m)^\*\*(\d+)\.\*\*", exam) == ["1", "2", "3", "4"]
    points = re.findall(r"\((\d+) points\)", exam)
    assert f" {sum(map(int, points))} points." in exam
    assert "details" not in exam and "0.67" not in exam and "0.67" in key
    assert key.count("<details>") == key.count("</details>") == 4
    assert "<!--" not in exam + key and "convolution" not in key


# === for students ===


@functools.cache
def taken(plan):
    """What a plan takes, for `papers`. Nobody changes it."""
    chapters = [read(name) for name in plan.chapters()]
    found = classroom_filling.contents(plan, chapters)
    kit = {name: present for name, (_, present) in found.items()}
    return {chapter: found[chapter.name][0] for chapter in chapters}, kit


def students(plan):
    return papers.for_students(plan, *taken(plan))


def instructor(path):
    plan = classroom_plan.read_plan(path)
    return papers.for_instructor(plan, *taken(plan))


def test_no_key_is_in_the_students_folder():
    graded = classroom_plan.read_plan(PLANS[-1])
    assert graded.graded
    pages = "\n".join(students(graded).values())
    keys = re.findall(r"<summary>Key</summary>\s*(.*?)\s*</details>", EXAM, re.DOTALL)
    assert len(keys) == 10
    for key in keys:
        assert cuts.NEEDS.sub("", papers.MARK.sub("", key)) not in pages
    assert set(students(graded)) == {"syllabus.md", "formulas.md", "capstone.md"}


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_links_of_the_pages_lead_to_what_the_book_has(path, monkeypatch):
    """Those of a graded class, which has all of them, and of somebody's course."""
    monkeypatch.setattr(links, "address", lambda: "https://github.com/me/it/blob/main")
    plan = dataclasses.replace(classroom_plan.read_plan(path), graded=True)
    pages = students(plan)
    whole = len(plan.session) > 1  # an afternoon has no capstone
    assert ("capstone.md" in pages) == ("[capstone]" in pages["syllabus.md"]) == whole
    files = {"schedule.md", *pages}
    files |= {f"chapters/{name}.ipynb" for name in plan.chapters()}
    targets = re.findall(r"\]\(([^)]*)\)", "\n".join(pages.values()))
    assert {one for one in targets if not one.startswith("http")} <= files
    assert "schedule.md" in targets and ("capstone.md" in targets) == whole


@pytest.mark.parametrize("name", ["exam.md", "formulas.md"])
def test_each_line_rests_on_sections_that_there_are(name):
    text = (SOURCES / name).read_text(encoding="utf-8")
    known = {
        f"{path.stem[:2]} {section}"
        for path in CHAPTERS
        for section in read(path.stem).sections()
    }
    lines = re.findall(r"(?m)^(?:- |\*\*\d+\.\*\*)", text)
    assert len(lines) == len(cuts.needed(text)) >= 10
    assert {one for needs in cuts.needed(text) for one in needs} <= known


def test_the_formulas_are_one_page_and_those_of_the_plan():
    whole = (SOURCES / "formulas.md").read_text(encoding="utf-8")
    assert len(cuts.NEEDS.sub("", whole).split()) < 450
    pages = students(classroom_plan.read_plan(PLANS[0]))
    formulas = pages["formulas.md"]
    assert formulas.count("\n- ") == 3 and "**Weight decay.**" not in formulas
    assert "capstone.md" not in pages


def test_the_capstones_rubric_adds_up():
    text = (SOURCES / "capstone.md").read_text(encoding="utf-8")
    points = re.findall(r"\*\* \((\d+) points\)", text)
    assert sum(map(int, points)) == 30 and len(points) == 7
    plan = classroom_plan.read_plan(PLANS[-1])
    assert "30 points for the [capstone]" in students(plan)["syllabus.md"]


def test_a_syllabus_is_made_from_the_plan(tmp_path):
    """Outcomes of what is taken, minutes as counted, the plan's own policy."""
    part = {"chapter": "01_overview", "leave_out": ("Where it fails",)}
    one = Part(60, exercises=(1, 2), homework=(2,), **part)
    plan = Plan("A <b>", "B", "C", (Session("One", (one,)),), policy="Ask *first*.")
    page = students(plan)["syllabus.md"]
    assert "see where a trained network looks" in page and "where it fails" not in page
    minutes = re.search(r"\| The course in one sitting \| (\d+) \| 5 \| 15 \|", page)
    [(chapter, cells)] = taken(plan)[0].items()
    counted = sum(count.reading for count in cuts.counted(cells).values())
    assert abs(int(minutes[1]) - counted) <= 2.5
    assert "The sessions take 1.0 hours" in page and "Nothing is graded" in page
    assert "Ask \\*first\\*." in page and "**Copying.**" not in page


# === GIFT ===


def unescaped(text):
    return re.sub(r"\\([\\~=#{}:])", r"\1", text)


def parsed(text):
    """Questions of a GIFT file: triples of title, question and general feedback.

    As the format says: blank lines part questions; a backslash takes the meaning of
    the sign behind it; any other sign of the format has one.
    """
    plain = r"(?:\\[\\~=#{}:]|[^\\~=#{}:])"
    shape = rf"::({plain}+)::\[html\]({plain}+) \{{####\[html\]({plain}+)\}}"
    blocks = [block for block in text.split("\n\n") if block.strip()]
    blocks = [block for block in blocks if not block.startswith("$CATEGORY: ")]
    found = [re.fullmatch(shape, block.strip()) for block in blocks]
    assert all(found), [block for block, one in zip(blocks, found) if not one]
    return [tuple(map(unescaped, one.groups())) for one in found]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_each_question_of_a_quiz_is_found_with_its_answer(path):
    chapter = read(path.stem)
    pairs = gift.questions(chapter.cells)
    source = "".join(c.node.source for c in chapter.cells if c.section == "Quiz")
    assert len(pairs) == source.count("<details>") >= 3
    assert all(
        asked and key and "<" not in asked.split("<!--")[0] for asked, key in pairs
    )


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_file_of_the_quizzes_can_be_read(path):
    plan = classroom_plan.read_plan(path)
    cells, _ = taken(plan)
    expected = sum(len(gift.questions(some)) for some in cells.values())
    text = instructor(path)["quizzes.gift"]
    questions = parsed(text)
    assert len(questions) == expected >= 6
    assert text.count("$CATEGORY: ") == len(cells)
    assert not [one for one in questions if "needs:" in str(one) or "$" in str(one)]


ODD = r"Is $a_{1} \neq {b}$ ~ = # : {x} \n `c<d>` **bold**? See [it](../x.md#y). 100%"


def test_what_means_something_to_gift_survives():
    html = gift.in_html(ODD)
    line = f"::{gift.escaped('A: b')}::[html]{gift.escaped(html)} {{####[html]x}}"
    [(title, question, _)] = parsed(line)
    assert title == "A: b" and question == " ".join(html.split())
    text = BeautifulSoup(question, "html.parser").get_text()
    assert text == r"Is \(a_{1} \neq {b}\) ~ = # : {x} \n c<d> bold? See it. 100%"
    assert "<strong>bold</strong>" in question and "<code>c&lt;d&gt;" in question


def test_a_title_with_a_slash_is_one_category(tmp_path):
    plan = Plan("A/B", "", "", (Session("One", (Part(9, chapter="02_data"),)),))
    text = gift.gift(plan, taken(plan)[0])
    assert text.startswith(
        "$CATEGORY: A//B/02 Know the data\n\n::02 Know the data, 1::"
    )
