"""The kit as a whole: what is in it, what is renewed, what is kept."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from test_classroom import PLAN, ROOT, kit, notebook, write  # noqa: F401

from book_pages import build
from classroom import chapters as classroom_chapters
from classroom import kit as classroom_kit
from classroom import slides as classroom_slides
from patchconvnet import PatchConvNetError


def telling_lines(node):
    """Lines of a solution, code and comments, that say something."""
    return {
        line.strip()
        for line in node.source.splitlines()
        if len(line.strip()) >= 20 and "@title" not in line
    }


def test_links_of_the_instructors_notebooks_lead_somewhere(kit):
    found = set()
    for path in (kit / "instructor" / "chapters").glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", cell.source)
                found |= {path.parent / target for target in targets}
    assert len(found) > 3 and not [path for path in found if not path.exists()]


def test_no_solution_is_anywhere_in_the_students_folder(kit):
    """Nor its output, nor an answer of the quiz. A line that chapters have elsewhere,
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
    taken = [
        classroom_chapters.read_chapter(ROOT / "chapters" / f"{name}.ipynb")
        for name in ("01_overview", "06_attention_pooling")
    ]
    public = {
        line
        for whole in taken
        for cell in whole.cells
        if cell.job != "solution"
        for line in telling_lines(cell.node)
    }
    for whole in taken:
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
    assert f'check(\n    "{names}"' in check.source and not check.outputs


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


def test_the_instructor_has_solutions_notes_and_minutes(kit):
    instructor = notebook(kit, "instructor", "01_overview")
    assert "40 minutes. Ask before you run." in instructor.cells[1].source
    assert "the whole chapter runs in 21 seconds" in instructor.cells[1].source
    assert "### Where students get stuck" in instructor.cells[1].source
    solutions = [
        node for node in instructor.cells if node.source.startswith("# @title Solution")
    ]
    assert len(solutions) == 2 and all(node.outputs for node in solutions)


def test_the_schedule_and_whose_the_rubric_is(kit):
    schedule = (kit / "student" / "schedule.md").read_text(encoding="utf-8")
    assert (
        "## Only one (80 minutes)" in schedule
        and "| 10:10 | 10 | Break |  |" in schedule
    )
    assert (
        "| 10:20 | 30 | [Attention pooling](chapters/06_attention_pooling.ipynb): Three"
        " jobs" in schedule
    )
    assert (kit / "instructor" / "rubric.md").is_file()
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
    result = build(tmp_path / "student", tmp_path / "student")
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
