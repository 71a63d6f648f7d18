"""The instructor's kit: plans, what of a chapter is taken, notebooks without and with
solutions, pages and slides.
"""

import re
from pathlib import Path

import nbformat
import pytest

from classroom import chapters as classroom_chapters
from classroom import filling as classroom_filling
from classroom import kit as classroom_kit
from classroom import plan as classroom_plan
from classroom.notebooks import set_preset
from classroom.plan import Part
from patchconvnet import PatchConvNetError
from patchconvnet.course import plans

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
PLANS = sorted((ROOT / "classroom" / "plans").glob("*.toml"))
PLAN = """
title = "A test"
institution = "A school"
contact = "a@example.org"
start = "09:30"
graded = true

[[session]]
title = "Only one"

[[session.part]]
chapter = "01_overview"
minutes = 40
leave_out = ["Where it fails", "Try your own picture"]
exercises = [1, 4]
note = "Ask before you run."

[[session.part]]
title = "Break"
minutes = 10

[[session.part]]
chapter = "06_attention_pooling"
minutes = 30
sections = ["Three jobs, three versions of a patch", "How sharp?"]
exercises = [1]
"""


def write(path, text=PLAN):
    path.write_text(text, encoding="utf-8")
    return path


# === plans ===


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "A test"\n', "", "lacks title"),
        (
            "minutes = 40",
            'minutes = "40"',
            r"minutes = '40' in session 1, part 1: wanted int",
        ),
        (
            "minutes = 40",
            "minutes = 0",
            "minutes = 0 in session 1, part 1: wanted at least 1",
        ),
        (
            "minutes = 40",
            "minuts = 40",
            'minuts in session 1, part 1 is not known.*did you mean "minutes"',
        ),
        (
            'start = "09:30"',
            'start = "half past nine"',
            "wanted a time of day, as in 09:00",
        ),
        (
            'start = "09:30"',
            'preset = "imagenet"',
            "preset = 'imagenet' in .*: wanted one of shapes",
        ),
        (
            'start = "09:30"',
            'dataset = "nowhere"',
            "dataset = 'nowhere' in .*nowhere is not there",
        ),
        ("graded = true", 'graded = "yes"', "graded = 'yes' in .*: wanted bool"),
        ("graded = true", "graded = ", "cannot be read as a plan"),
        (
            'title = "Break"\n',
            "",
            "session 1, part 2 has neither a chapter nor a title",
        ),
        (
            'sections = ["Three',
            'leave_out = ["How sharp?"]\nsections = ["Three',
            "has sections and leave_out",
        ),
        (PLAN[PLAN.index("[[session]]") :], "", r"needs at least one \[\[session\]\]"),
    ],
)
def test_a_mistake_in_a_plan_is_named(tmp_path, old, new, said):
    assert old in PLAN
    with pytest.raises(PatchConvNetError, match=said) as caught:
        classroom_plan.read_plan(write(tmp_path / "plan.toml", PLAN.replace(old, new)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("old", "new"), plans.OLD_NAMES.items())
def test_a_plan_older_than_version_0_2_is_told_the_new_name_of_a_chapter(
    tmp_path, old, new
):
    assert (ROOT / "chapters" / f"{new}.ipynb").is_file() and not (
        ROOT / "chapters" / f"{old}.ipynb"
    ).exists()
    path = write(tmp_path / "plan.toml", PLAN.replace("06_attention_pooling", old))
    with pytest.raises(
        PatchConvNetError,
        match=f"has a chapter {old}, which is {new} since version 0.2",
    ) as caught:
        classroom_kit.make(path, tmp_path / "kit")
    assert "\n" not in str(caught.value) and not (tmp_path / "kit").exists()


def test_a_plan_may_name_the_photographs_that_come_with_the_course(tmp_path):
    text = PLAN.replace('start = "09:30"', 'dataset = "pets"')
    plan = classroom_plan.read_plan(write(tmp_path / "plan.toml", text))
    assert plan.dataset == "shapes"  # the chapters as they are


def test_an_unknown_plan_names_the_known_ones(tmp_path):
    with pytest.raises(PatchConvNetError, match="no plan 45min: .*90min"):
        classroom_plan.find_plan("45min")
    assert (
        classroom_plan.find_plan("90min") == ROOT / "classroom" / "plans" / "90min.toml"
    )


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_courses_own_plans_fit_its_chapters(path):
    """Sections and exercises exist, and no exercise builds on one that is left out."""
    plan = classroom_plan.read_plan(path)
    for name in plan.chapters():
        cells = classroom_chapters.select(
            classroom_filling.read(name), plan.parts_of(name)
        )
        assert len(cells) > 3
    minutes = [sum(part.minutes for part in session.part) for session in plan.session]
    wanted = {"90min": [90], "half-day": [210], "three-weeks": [90] * 6}[path.stem]
    assert minutes == wanted


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_has_teaching_notes_and_slides(path):
    notes = (ROOT / "classroom" / "notes" / f"{path.stem}.md").read_text(
        encoding="utf-8"
    )
    assert re.findall(r"(?m)^## (.+)$", notes) == [
        "The point", "Show it live", "Where students get stuck", "Likely questions",
        "Discuss", "Shorten", "Extend",
    ]  # fmt: skip
    chapter = classroom_chapters.read_chapter(path)
    for heading in re.findall(r'leave out "([^"]+)"', notes):
        assert heading in chapter.sections()
    kinds = [
        cell.node.metadata.get("slideshow", {}).get("slide_type")
        for cell in chapter.cells
    ]
    assert kinds.count("slide") >= 4 and kinds.count("subslide") >= 6


# === what of a chapter is taken ===


@pytest.mark.parametrize(
    ("source", "made", "changed", "used"),
    [
        ("x = y + 1", {"x"}, set(), {"y"}),
        ("x = 1\nprint(x)", {"x"}, set(), {"print"}),
        ("for row in rows:\n    total = row", {"row", "total"}, set(), {"rows"}),
        (
            "def twice(x):\n    local = x * factor\n    return local",
            {"twice"},
            set(),
            {"factor"},
        ),
        ("model.fit(x)", set(), {"model"}, {"model", "x"}),
        ("array[0] = 1", set(), {"array"}, {"array"}),
        ("prepare(model)", set(), {"model"}, {"prepare", "model"}),
        ("import numpy as np\n%pip install x", {"np"}, set(), set()),
        ("[y for y in values]", set(), set(), {"values"}),
    ],
)
def test_names_that_a_cell_makes_changes_and_needs(source, made, changed, used):
    assert classroom_chapters.names_of(source) == (made, changed, used)


def cells(*nodes):
    """A chapter of text and code: strings that begin with "#" are text."""
    notebook = nbformat.v4.new_notebook()
    for source in nodes:
        new = (
            nbformat.v4.new_markdown_cell
            if source.startswith(("#", "**")) and "@title" not in source
            else nbformat.v4.new_code_cell
        )
        notebook.cells.append(new(source))
    return notebook


@pytest.fixture
def chapter(tmp_path):
    notebook = cells(
        "# Title\n\n> In this chapter", "import numpy as np", "## First\n\nText.",
        "data = np.zeros(3)", "data[0] = 1", "unused = 4", "## Second\n\nText.",
        "print(data)", "## Exercises\n\nTry.\n\n**1. Easy one.** (easy) Do.",
        "# @title Solution\nlist_of_one = [1]", "**2. Hard one (open).** Do.",
        "# @title Solution\nprint(list_of_one)",
        "## Quiz\n\nQ.\n\n## What to remember\n\n- This.",
    )  # fmt: skip
    nbformat.write(notebook, tmp_path / "99_test.ipynb")
    return classroom_chapters.read_chapter(tmp_path / "99_test.ipynb")


def taken(chapter, **options):
    return [
        cell.node.source
        for cell in classroom_chapters.select(
            chapter, [Part(10, chapter="99_test", **options)]
        )
    ]


def test_a_chapter_knows_its_sections_and_exercises(chapter):
    assert chapter.sections() == [
        "First",
        "Second",
        "Exercises",
        "Quiz",
        "What to remember",
    ]
    assert chapter.exercises() == {1: ("Easy one", "easy"), 2: ("Hard one", "open")}


def test_of_a_section_that_is_left_out_the_code_stays_that_is_needed_later(chapter):
    sources = taken(chapter, leave_out=("First",))
    assert "data = np.zeros(3)" in sources and "data[0] = 1" in sources
    assert "unused = 4" not in sources and not any(
        source.startswith(("## First", "## Exercises")) for source in sources
    )
    assert "## Quiz\n\nQ." in sources and "## What to remember\n\n- This." in sources


def test_named_sections_are_the_only_ones(chapter):
    sources = taken(chapter, sections=("First",))
    assert (
        "unused = 4" in sources
        and "print(data)" not in sources
        and "## Quiz\n\nQ." in sources
    )


def test_an_exercise_that_builds_on_another_needs_it(chapter):
    assert "# @title Solution\nprint(list_of_one)" in taken(chapter, exercises=(1, 2))
    with pytest.raises(
        PatchConvNetError, match="uses list_of_one from exercise 1: take it, too"
    ):
        taken(chapter, exercises=(2,))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"leave_out": ("Frist",)},
            "'Frist' is no section of 99_test: .*below; did you mean \"First\"\\?",
        ),
        ({"sections": ("Third",)}, "'Third' is no section"),
        ({"exercises": (7,)}, "7 is no exercise of 99_test: accepted are those below"),
    ],
)
def test_what_a_chapter_does_not_have_is_named(chapter, options, said):
    with pytest.raises(PatchConvNetError, match=said):
        taken(chapter, **options)


def test_the_plans_preset_goes_into_the_cell_for_it(chapter):
    chapter.cells[3].node.source, chapter.cells[3].node.metadata["tags"] = (
        'preset = "shapes"',
        ["parameters"],
    )
    assert not set_preset(chapter.cells, "shapes")
    assert (
        set_preset(chapter.cells, "cifar10_cpu")
        and chapter.cells[3].node.source == 'preset = "cifar10_cpu"'
    )
    own = classroom_chapters.read_chapter(ROOT / "chapters" / "15_own_pictures.ipynb")
    assert own.takes_data and set_preset(own.cells, "cifar10_cpu")


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """A graded kit of two chapters. Tests only read it."""
    folder = tmp_path_factory.mktemp("class")
    classroom_kit.make(write(folder / "plan.toml"), folder / "kit")
    return folder / "kit"


def notebook(kit, who, name):
    return nbformat.read(kit / who / "chapters" / f"{name}.ipynb", as_version=4)
