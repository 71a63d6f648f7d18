"""The instructor's kit: plans, what of a chapter is taken, notebooks without and with
solutions, pages and slides.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from classroom import chapters as classroom_chapters
from classroom import kit as classroom_kit
from classroom import plan as classroom_plan
from classroom import slides as classroom_slides
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
            "minuts in session 1, part 1 is not known.*did you mean minutes",
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
            classroom_kit._chapter(name), plan.parts_of(name)
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
            {"leave_out": ("Thrid",)},
            "'Thrid' is no section of 99_test: it has First, Second",
        ),
        ({"sections": ("Third",)}, "'Third' is no section"),
        ({"exercises": (7,)}, "7 is no exercise of 99_test: it has 1, 2"),
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


# === the kit ===


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """A graded kit of two chapters. Tests only read it."""
    folder = tmp_path_factory.mktemp("class")
    classroom_kit.make(write(folder / "plan.toml"), folder / "kit")
    return folder / "kit"


def notebook(kit, who, name):
    return nbformat.read(kit / who / "chapters" / f"{name}.ipynb", as_version=4)


def telling_lines(node):
    """Lines of a solution, code and comments, that say something."""
    return {
        line.strip()
        for line in node.source.splitlines()
        if len(line.strip()) >= 20 and "@title" not in line
    }


def test_no_solution_is_anywhere_in_the_students_folder(kit):
    """Nor its output, nor an answer of the quiz. A line that the chapter has elsewhere,
    too, is no secret.
    """
    files = {
        path: path.read_text(encoding="utf-8")
        for path in (kit / "student").rglob("*")
        if path.suffix in (".ipynb", ".md", ".yml")
    }
    assert len(files) >= 6
    everything = "\n".join(
        json.dumps(text, ensure_ascii=False) for text in files.values()
    )
    secrets = 0
    for name in ("01_overview", "06_attention_pooling"):
        whole = classroom_chapters.read_chapter(ROOT / "chapters" / f"{name}.ipynb")
        public = {
            line
            for cell in whole.cells
            if cell.job != "solution"
            for line in telling_lines(cell.node)
        }
        for cell in whole.cells:
            lines = (
                telling_lines(cell.node) - public if cell.job == "solution" else set()
            )
            for output in (
                cell.node.get("outputs", []) if cell.job == "solution" else []
            ):
                lines |= {
                    line.strip()
                    for line in output.get("text", "").splitlines()
                    if len(line.strip()) >= 20
                }
            if cell.section == "Quiz":
                lines |= {
                    line
                    for answer in re.findall(
                        r"</summary>(.*?)</details>", cell.node.source, re.DOTALL
                    )
                    for line in answer.split("\n")
                    if len(line) >= 20
                }
            for line in lines:
                secrets += 1
                assert (
                    json.dumps(
                        json.dumps(line, ensure_ascii=False)[1:-1], ensure_ascii=False
                    )[1:-1]
                    not in everything
                ), line
    assert secrets > 60


def test_an_exercise_fails_with_a_friendly_line_until_it_is_done(kit):
    student = notebook(kit, "student", "06_attention_pooling")
    stubs = [node for node in student.cells if "NotImplementedError" in node.source]
    assert (
        len(stubs) == 1
        and not stubs[0].outputs
        and "raises-exception" in stubs[0].metadata.tags
    )
    names = re.search(r"The check below looks at: (\w+)", stubs[0].source)[1]
    with pytest.raises(
        NotImplementedError, match="Exercise 1 is still to do: put your code here"
    ):
        exec(stubs[0].source)
    check = student.cells[student.cells.index(stubs[0]) + 1]
    assert (
        check.source.startswith("# @title Check")
        and f'"{names}"' in check.source
        and not check.outputs
    )


def test_sections_that_are_left_out_are_gone_and_links_lead_elsewhere(kit):
    text = "\n".join(
        node.source for node in notebook(kit, "student", "01_overview").cells
    )
    assert (
        "## First, look" in text
        and "## Where it fails" not in text
        and "## Try your own picture" not in text
    )
    assert "](06_attention_pooling.ipynb)" in text and "](07_model.ipynb)" not in text
    assert "/blob/main/chapters/07_model.ipynb)" in text


def test_the_instructor_has_solutions_notes_and_minutes(kit):
    instructor = notebook(kit, "instructor", "01_overview")
    assert "40 minutes. Ask before you run." in instructor.cells[1].source
    assert "the whole chapter runs in 21 seconds" in instructor.cells[1].source
    assert "### Where students get stuck" in instructor.cells[1].source
    solutions = [
        node for node in instructor.cells if node.source.startswith("# @title Solution")
    ]
    assert len(solutions) == 2 and all(node.outputs for node in solutions)


def test_nbgrader_finds_what_it_needs(kit):
    """Version 3 of its metadata: unique names; a grade has points; a check is locked,
    and an open exercise graded by hand.
    """
    for folder in (kit / "student" / "chapters", kit / "instructor" / "nbgrader"):
        nodes = [
            node
            for path in sorted(folder.glob("*.ipynb"))
            for node in nbformat.read(path, as_version=4).cells
        ]
        marks = [
            node.metadata.nbgrader for node in nodes if "nbgrader" in node.metadata
        ]
        assert not any(
            "For the instructor" in node.source or "<summary>Answer" in node.source
            for node in nodes
        )
        assert len({mark.grade_id for mark in marks}) == len(marks) >= 5
        for mark in marks:
            assert (mark.schema_version, mark.task, mark.cell_type) == (
                3,
                False,
                "code",
            )
            assert mark.grade == ("points" in mark) and mark.locked == (
                not mark.solution
            )
        by_hand = [mark for mark in marks if mark.solution and mark.grade]
        assert [mark.grade_id for mark in by_hand] == ["01_overview-4"] and by_hand[
            0
        ].points == 6
    solutions = [
        node.source
        for node in nodes
        if node.metadata.get("nbgrader", {}).get("solution")
    ]
    assert all(
        source.startswith("### BEGIN SOLUTION\n")
        and source.endswith("\n### END SOLUTION")
        for source in solutions
    )


def test_schedule_and_rubric(kit):
    schedule = (kit / "student" / "schedule.md").read_text(encoding="utf-8")
    assert (
        "## Only one (80 minutes)" in schedule
        and "| 10:10 | 10 | Break |  |" in schedule
    )
    assert (
        "| 10:20 | 30 | [Attention pooling](chapters/06_attention_pooling.ipynb): Three"
        " jobs" in schedule
    )
    rubric = (kit / "instructor" / "rubric.md").read_text(encoding="utf-8")
    assert (
        "| 01 The course in one sitting | 4. Catch the eye | open | a person | 6 |"
        in rubric
        and "10 points in all" in rubric
    )
    assert not (kit / "student" / "rubric.md").exists()


def test_slides_load_nothing_from_another_host(kit):
    for name in ("01_overview", "06_attention_pooling"):
        page = (kit / "slides" / f"{name}.html").read_text(encoding="utf-8")
        loaded = re.findall(
            r'<(?:script|link|img|iframe)[^>]*?(?:src|href)="([^"]+)"', page
        )
        local = [address for address in loaded if not address.startswith("data:")]
        assert local and all(
            (kit / "slides" / address).is_file() for address in local
        ), local
        assert (
            "<h2" in page
            and "Predict" in page
            and 'aside class="notes"' in page
            and "A school" in page
        )
        assert "NotImplementedError" not in page and "@title Solution" not in page
    assert "Where it fails" not in (kit / "slides" / "01_overview.html").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("## Title\n\nOne. Two. Three.", "## Title\n\nOne. Two."),
        (
            "## Title\n\nLong text.\n\n> **Predict.** What?\n\nMore.",
            "## Title\n\n> **Predict.** What?",
        ),
        (
            "Text.\n\n$$ x = 1 $$\n\n| a |\n| --- |\n| 1 |",
            "$$ x = 1 $$\n\n| a |\n| --- |\n| 1 |",
        ),
        (
            (
                "## T\n\nSee [here](../glossary.md#x) and [there](https://a.b/c).<!--"
                " claim: x -->"
            ),
            "## T\n\nSee here and [there](https://a.b/c).",
        ),
    ],
)
def test_of_a_text_a_slide_shows_what_can_be_taken_in(text, shown):
    assert classroom_slides.shortened(text) == shown


def test_a_kit_is_renewed_but_nothing_of_the_instructors_is_lost(kit, tmp_path):
    copy = tmp_path / "kit"
    shutil.copytree(kit, copy)
    (copy / "my notes.txt").write_text("mine")
    plan = copy / "plan.toml"
    sections = (
        'sections = ["Three jobs, three versions of a patch", "How sharp?"]\n'
        "exercises = [1]\n"
    )
    write(
        plan,
        plan.read_text()
        .replace("A school", "Another school")
        .replace('chapter = "06_attention_pooling"', 'title = "Lunch"')
        .replace(sections, ""),
    )
    classroom_kit.make(plan, copy)
    assert (
        "Another school" in (copy / "student" / "intro.md").read_text()
        and (copy / "my notes.txt").read_text() == "mine"
    )
    assert not (copy / "student" / "chapters" / "06_attention_pooling.ipynb").exists()
    first = copy / "student" / "chapters" / "01_overview.ipynb"
    first.write_text(first.read_text().replace("First, look", "First, see"))
    with pytest.raises(
        PatchConvNetError,
        match="01_overview.ipynb in .* was changed by hand and would be lost",
    ):
        classroom_kit.make(plan, copy)
    assert "First, see" in first.read_text()


def test_a_kit_that_was_stopped_half_way_can_be_made_again(kit, tmp_path, monkeypatch):
    copy = tmp_path / "kit"
    shutil.copytree(kit, copy)
    (copy / "student" / "_build").mkdir()  # a book of the old kit
    plan = write(
        copy / "plan.toml",
        (copy / "plan.toml").read_text().replace("A school", "Another school"),
    )
    moved, replace = [], classroom_kit.os.replace

    def stop_after_five(source, target):
        if Path(target).name != classroom_kit.LIST:
            moved.append(target)
        if len(moved) > 5:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(classroom_kit.os, "replace", stop_after_five)
    with pytest.raises(KeyboardInterrupt):
        classroom_kit.make(plan, copy)
    monkeypatch.undo()
    classroom_kit.make(plan, copy)
    assert (
        "Another school" in (copy / "student" / "intro.md").read_text()
        and not (copy / "student" / "_build").exists()
    )


def test_a_failure_leaves_the_kit_as_it_was(kit, tmp_path, monkeypatch):
    copy = tmp_path / "kit"
    shutil.copytree(kit, copy)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(classroom_slides, "slides_of", full)
    assert (
        classroom_kit.main(["--plan", str(copy / "plan.toml"), "--out", str(copy)]) == 2
    )
    assert {
        path: path.read_bytes() for path in copy.rglob("*") if path.is_file()
    } == before
    assert [path.name for path in tmp_path.iterdir()] == ["kit"]


def test_a_folder_that_is_no_kit_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert classroom_kit.main(["--plan", "90min", "--out", str(tmp_path)]) == 2
    assert (
        "is there and is no kit" in capsys.readouterr().err
        and len(list(tmp_path.iterdir())) == 1
    )


def test_another_plan_does_not_replace_a_kits_own(kit, tmp_path):
    copy = tmp_path / "kit"
    shutil.copytree(kit, copy)
    with pytest.raises(PatchConvNetError, match="has a plan of its own: give --plan"):
        classroom_kit.make("90min", copy)


def test_pictures_without_a_chapter_for_them_are_refused(tmp_path):
    np.savez(
        tmp_path / "own.npz",
        images=np.zeros((8, 8, 8, 3), np.uint8),
        labels=np.arange(8) % 2,
    )
    plan = write(
        tmp_path / "plan.toml", PLAN.replace('start = "09:30"', 'dataset = "own.npz"')
    )
    with pytest.raises(
        PatchConvNetError,
        match="no chapter of the plan works on other pictures: add 15_own_pictures",
    ):
        classroom_kit.make(plan, tmp_path / "kit")


def test_the_book_of_a_class_builds_and_keeps_its_secrets(kit, tmp_path):
    shutil.copytree(kit / "student", tmp_path / "student")
    build = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        ".",
        "--all",
        "-W",
        "-n",
        "--keep-going",
    ]
    result = subprocess.run(
        build, cwd=tmp_path / "student", capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    html = tmp_path / "student" / "_build" / "html"
    page = (html / "chapters" / "06_attention_pooling.html").read_text(encoding="utf-8")
    assert (
        "Exercise 1 is still to do" in page
        and "The sum of the powers is 20" not in page
    )
    assert "A school" in (html / "intro.html").read_text(encoding="utf-8")
    for source in (html / "_sources").rglob("*.ipynb"):
        assert "@title Solution" not in source.read_text(encoding="utf-8")
