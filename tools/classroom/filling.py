"""What is in a kit: its notebooks, slides, book and papers, written from a plan."""

import re
import shutil
from pathlib import Path

import nbformat

import times
from classroom import assignments, cuts, pages, papers, slides
from classroom.chapters import read_chapter, select
from classroom.links import installing, linked
from classroom.notebooks import (
    instructor_notebook,
    run_on,
    set_preset,
    student_notebook,
)
from classroom.schedule import schedule
from command import check_utf8
from patchconvnet import load_dataset
from patchconvnet.course import plans
from patchconvnet.data import own_pictures
from patchconvnet.errors import PatchConvNetError

ROOT = Path(__file__).resolve().parents[2]
LOOKED_UP = re.compile(rf"\]\(\.\./(?={'|'.join(map(re.escape, pages.LOOK_UP))})")


def fill(folder, plan, out):
    """Write the whole kit into a new folder."""
    for name in ("student/chapters", "instructor/chapters", "slides"):
        (folder / name).mkdir(parents=True)
    chapters = [read(name) for name in plan.chapters()]
    data = _pack_pictures(folder / "student", plan, chapters)
    taken = contents(plan, chapters)
    kit = {name: present for name, (_, present) in taken.items()}
    cells_of = {chapter: taken[chapter.name][0] for chapter in chapters}
    for_students = papers.for_students(plan, cells_of, kit)
    pages.write_book(folder / "student", plan, chapters, kit, for_students)
    slides.write_assets(folder / "slides")
    for chapter in chapters:
        cells = taken[chapter.name][0]
        _write_chapter(folder, plan, chapter, cells, kit, data)
    if plan.graded:
        assignments.write_course(
            folder / "instructor" / "nbgrader", plan, folder / "student", data
        )
    titles = {chapter.name: chapter.title for chapter in chapters}
    texts = {
        "README.md": pages.instructions(plan, out, data),
        "pytest.ini": pages.PYTEST.format(
            folders="student/chapters instructor/chapters"
        ),
        "conftest.py": pages.CONFTEST,
        "nbval.cfg": (ROOT / "tests" / "nbval.cfg").read_text(encoding="utf-8"),
        "instructor/schedule.md": schedule(plan, titles, notes=True),
        "instructor/rubric.md": pages.rubric(plan, chapters),
    }
    for name, text in papers.for_instructor(plan, cells_of, kit).items():
        texts[f"instructor/{name}"] = text
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("LICENSE", "LICENSE-text.md"):
        shutil.copy2(ROOT / name, folder / "student")


def _write_chapter(folder, plan, chapter, cells, kit, data):
    """Write a chapter's notebooks and slides."""
    for cell in cells:
        if cell.node.cell_type == "markdown":
            cell.node.source = linked(cell.node.source, kit)
        else:
            cell.node.source = installing(cell.node.source)
    notes = ROOT / "classroom" / "notes" / f"{chapter.name}.md"
    gone = set(chapter.sections()) - kit[chapter.name]
    notes = cuts.notes_on(notes.read_text(encoding="utf-8"), gone)
    own = data if chapter.takes_data else None
    if set_preset(cells, plan.preset) or own:
        run_on(chapter, cells, own, folder / "student" / "chapters")
    notebooks = {
        "student": student_notebook(chapter, cells, plan, own),
        "instructor": instructor_notebook(chapter, cells, plan, notes, own),
    }
    if plan.graded:
        source = student_notebook(chapter, cells, plan, own, for_nbgrader=True)
        assignments.write_notebook(
            source, folder / "instructor" / "nbgrader", plan, chapter.name
        )
    for cell in notebooks["instructor"].cells:  # the pages to look up are the students'
        cell.source = LOOKED_UP.sub("](../../student/", cell.source)
    for whose, notebook in notebooks.items():
        nbformat.write(notebook, folder / whose / "chapters" / f"{chapter.name}.ipynb")
    page = slides.slides_of(chapter, cells, plan, notes)
    (folder / "slides" / f"{chapter.name}.html").write_text(page, encoding="utf-8")


def contents(plan, chapters):
    """What the plan takes of each chapter: a dict from its name to cells and contents.

    The contents are named as in `cuts.there`.
    """
    seconds = times.seconds_of(ROOT)
    following = [chapter.name for chapter in chapters[1:]] + [None]
    taken = {}
    for chapter, after in zip(chapters, following):
        cells = select(chapter, plan.parts_of(chapter.name))
        present = cuts.there(cells, after)
        cells = cuts.trim(cells, present, seconds[chapter.name])
        taken[chapter.name] = cells, present
    return taken


def read(name):
    """The chapter of that name, as a `Chapter`."""
    known = {path.stem: path for path in sorted((ROOT / "chapters").glob("*.ipynb"))}
    plans.check_chapter(name, known)
    return read_chapter(known[name])


def _pack_pictures(folder, plan, chapters):
    """Write the class's pictures as one file into the student's folder.

    Returns:
        Its name, or None for the course's own data.
    """
    if plan.dataset == "shapes":
        return None
    if not any(chapter.takes_data for chapter in chapters):
        raise PatchConvNetError(
            f"dataset = {plan.dataset!r}, but no chapter of the plan works on other"
            " pictures: add 15_own_pictures"
        )
    dataset = load_dataset(plan.dataset)
    check_utf8(dataset.name, "pictures")
    (folder / "data").mkdir()
    own_pictures.write(dataset, folder / "data" / f"{dataset.name}.npz")
    return f"{dataset.name}.npz"
