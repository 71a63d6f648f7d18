"""Make an instructor's kit from the chapters: student and instructor notebooks, slides, schedule and rubric.

    python tools/classroom.py --plan 90min --out ../my-class
    python tools/classroom.py --plan ../my-class/plan.toml --out ../my-class      # after you have edited the plan

A plan is a small text file that says which chapters and sections, for how many minutes, with which exercises, and on whose
pictures. The course has three: 90min, half-day, three-weeks (in classroom/plans). The kit gets a copy of it to edit. Making a kit
again replaces what it made before, and nothing else: a notebook that you have edited is never overwritten.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notes would drown what matters

import nbformat

import classroom_pages
import classroom_plan
import classroom_slides
from classroom_chapters import read_chapter, select
from classroom_notebooks import instructor_notebook, run_on, set_preset, student_notebook
from patchconvnet import load_dataset, own_pictures
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import written_aside

ROOT = Path(__file__).resolve().parent.parent
LIST = "kit.json"  # what was made, with checksums: tells the tool's files from the instructor's


def make(plan_name, out):
    """Make or renew the kit in the folder `out`; returns its `Plan`.

    Everything is made beside it and moved when it is complete: a failure leaves the old kit as it was.

    Raises:
        PatchConvNetError: a plan that is wrong; a folder that is not a kit; files in it that were edited by hand.
    """
    path, out = classroom_plan.find(plan_name), Path(out).expanduser()
    plan = classroom_plan.read(path)
    _check_folder(out, path)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as work:
        fresh = Path(work, "kit")
        data = _fill(fresh, plan, out)
        if not (out / "plan.toml").exists():
            text = path.read_text(encoding="utf-8")
            text = classroom_plan.with_dataset(text, f"student/data/{data}") if data else text
            (fresh / "plan.toml").write_text(text, encoding="utf-8")
        _move(fresh, out)
    return plan


def _fill(folder, plan, out):
    """Write the whole kit into a new folder; the file name of the class's own pictures, or None."""
    for name in ("student/chapters", "slides"):
        (folder / name).mkdir(parents=True)
    chapters = [_chapter(name) for name in plan.chapters()]
    data = _pack_pictures(folder / "student", plan, chapters)
    names = {chapter.name for chapter in chapters}
    classroom_pages.write_book(folder / "student", plan, chapters)
    classroom_slides.write_assets(folder / "slides")
    for chapter in chapters:
        cells = select(chapter, plan.parts_of(chapter.name))
        for cell in cells:
            if cell.node.cell_type == "markdown":
                cell.node.source = classroom_pages.linked(cell.node.source, names)
        notes = (ROOT / "classroom" / "notes" / f"{chapter.name}.md").read_text(encoding="utf-8")
        own = data if chapter.takes_data else None
        if set_preset(cells, plan.preset) or own:
            run_on(chapter, cells, own, folder / "student" / "chapters")
        notebooks = {
            "student/chapters": student_notebook(chapter, cells, plan, own),
            "instructor/chapters": instructor_notebook(chapter, cells, plan, notes, own),
        }
        if plan.graded:
            notebooks["instructor/nbgrader"] = student_notebook(chapter, cells, plan, own, for_nbgrader=True)
        for where, notebook in notebooks.items():
            (folder / where).mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, folder / where / f"{chapter.name}.ipynb")
        page = classroom_slides.slides_of(chapter, cells, plan)
        (folder / "slides" / f"{chapter.name}.html").write_text(page, encoding="utf-8")
    titles = {chapter.name: chapter.title for chapter in chapters}
    pages = {
        "README.md": classroom_pages.instructions(plan, out, data),
        "pytest.ini": classroom_pages.PYTEST.format(folders="student/chapters instructor/chapters"),
        "instructor/schedule.md": classroom_pages.schedule(plan, titles),
        "instructor/rubric.md": classroom_pages.rubric(plan, chapters),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("LICENSE", "LICENSE-text.md"):
        shutil.copy2(ROOT / name, folder / "student")
    return data


def _chapter(name):
    path = ROOT / "chapters" / f"{name}.ipynb"
    if not path.is_file():
        known = ", ".join(path.stem for path in sorted((ROOT / "chapters").glob("*.ipynb")))
        raise PatchConvNetError(f"there is no chapter {name}: choose from {known}")
    return read_chapter(path)


def _pack_pictures(folder, plan, chapters):
    """Write the class's pictures as one file into the student's folder: its name, or None for the course's own data."""
    if plan.dataset == "shapes":
        return None
    if not any(chapter.takes_data for chapter in chapters):
        raise PatchConvNetError(
            f"dataset = {plan.dataset!r}, but no chapter of the plan works on other pictures: add 15_own_pictures"
        )
    dataset = load_dataset(plan.dataset)
    (folder / "data").mkdir()
    own_pictures.write(dataset, folder / "data" / f"{dataset.name}.npz")
    return f"{dataset.name}.npz"


# === the folder ===


def _check_folder(out, plan):
    """An error if making a kit in `out` could destroy something that is not ours."""
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / LIST).is_file()):
        raise PatchConvNetError(f"{out} is there and is no kit: choose another place")
    own = out / "plan.toml"
    if own.is_file() and own.resolve() != plan.resolve() and own.read_bytes() != plan.read_bytes():
        raise PatchConvNetError(f"{out} has a plan of its own: give --plan {own}, or choose another --out")
    edited = [name for name, digests in _list(out).items() if (out / name).is_file() and _digest(out / name) not in digests]
    if edited:
        more = f" and {len(edited) - 1} more" if len(edited) > 1 else ""
        raise PatchConvNetError(
            f"{edited[0]}{more} in {out} was changed by hand and would be lost: make the kit in another folder, or move it away first"
        )


def _list(out):
    """What was made: names, each with its checksum; with the old and the new one if the tool was stopped while it moved files."""
    try:
        return json.loads((out / LIST).read_text(encoding="utf-8")) if (out / LIST).is_file() else {}
    except ValueError:
        raise PatchConvNetError(f"{out / LIST} is damaged: make the kit in another folder") from None


def _move(fresh, out):
    """Replace what was made before by what is new; all else in `out` stays, but for a book that was built from the old kit."""
    old = _list(out)
    files = sorted(path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if path.is_file())
    new = {name: [_digest(fresh / name)] for name in files if name != "plan.toml"}
    out.mkdir(exist_ok=True)
    _write_list(out, {name: old.get(name, []) + new.get(name, []) for name in old | new})
    shutil.rmtree(out / "student" / "_build", ignore_errors=True)
    for name in old.keys() - new.keys():
        (out / name).unlink(missing_ok=True)
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(fresh / name, out / name)
    _write_list(out, new)


def _write_list(out, made):
    with written_aside(out / LIST) as aside:
        aside.write_text(json.dumps(made, indent=1), encoding="utf-8")


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan", required=True, help="90min, half-day, three-weeks, or the path of a .toml file")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the kit; one that was made before is renewed")
    options = parser.parse_args(arguments)
    try:
        plan = make(options.plan, options.out)
    except (PatchConvNetError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: {len(plan.chapters())} chapters for {plan.institution}. Begin with its README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
