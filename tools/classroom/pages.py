"""The pages of a kit that are not chapters, and the settings of its book.

They are the first page, schedule, rubric and instructions.
"""

import re
import shutil
from pathlib import Path

import yaml

from classroom.grading import points_of, written_points
from classroom.links import address, linked
from classroom.schedule import schedule
from classroom.text import code, plain, quoted, shell

ROOT = Path(__file__).resolve().parents[2]
CREDIT = (
    'Adapted from "PatchConvNet: attention you can see and measure" by the patchconvnet'
    " course authors ([CC BY 4.0](https://creativecommons.org/licenses/by/4.0/), code:"
    " MIT). Changed: chapters and sections were chosen, and the solutions taken out."
)
PHOTOGRAPHS = (
    "Photographs of cats and dogs, where figures and slides show them: [Oxford-IIIT Pet"
    " data set](https://www.robots.ox.ac.uk/~vgg/data/pets/) (Parkhi et al., 2012),"
    " adapted, [CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/). The"
    " copyright remains with the original owners of the images. Such figures stay under"
    " this licence, with the line below them."
)
PYTEST = """\
# Runs every chapter of the class. What waits for students, or depends on the class's \
own pictures, is not compared.
[pytest]
testpaths = {folders}
norecursedirs = _build .*
addopts = --nbval --nbval-current-env --nbval-cell-timeout=600
"""
CONFTEST = """\
# What differs from machine to machine is not compared: a number before its band.
from pathlib import Path


def pytest_configure(config):
    config.option.nbval_sanitize_with = str(Path(__file__).with_name("nbval.cfg"))
"""
CONTENTS = """\
format: jb-book
root: intro
parts:
  - caption: The course
    chapters:
      - file: schedule
{papers}{chapters}  - caption: To look up
    chapters:
      - file: set_up
      - file: where_it_stands
      - file: glossary
      - file: references
"""
LOOK_UP = ("set_up.md", "where_it_stands.md", "glossary.md", "references.md")
# The theme takes these for HTML, and they are a plan's words.
ESCAPED = """\
{%- set author, pagetitle, docstitle = author|e, pagetitle|e, docstitle|e %}
"""
SET_UP = """\
Reading needs nothing but this book. To run the chapters, do what `README.md` says, in \
the folder that you unzipped. Next time, two lines do, there: the one that activates, \
and `jupyter lab student/chapters`.

"""


def rubric(plan, chapters):
    """How the exercises of the plan are assessed, as Markdown.

    The criteria, then each exercise with its level and points.
    """
    criteria = (ROOT / "classroom" / "rubric.md").read_text(encoding="utf-8").strip()
    lines = ["# Rubric", "", criteria, "", "## The exercises of this class", ""]
    by_tests = "hidden tests" if plan.graded else "a check cell"
    lines += [
        "| chapter | exercise | level | checked by | result | written | points |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    total = 0
    for chapter in chapters:
        checked = {cell.exercise for cell in chapter.cells if cell.job == "check"}
        parts = plan.parts_of(chapter.name)
        for number in sorted({number for part in parts for number in part.exercises}):
            title, level = chapter.exercises()[number]
            by = by_tests if number in checked else "a person"
            points = points_of(chapter, number)
            whole, written = sum(points.values()), written_points(points)
            total += whole
            lines.append(
                f"| {chapter.name[:2]} {chapter.title} | {number}. {title} | {level} |"
                f" {by} | {whole - written:g} | {written:g} | {whole:g} |"
            )
    return "\n".join([*lines, "", f"{total:g} points in all.", ""])


def write_book(folder, plan, chapters, kit, papers):
    """Write what `jupyter-book build` needs besides the notebooks, in `folder`.

    Args:
        kit: what is there of each chapter, as for `links.linked`.
        papers: pages besides, a dict from a file's name to its Markdown.
    """
    titles = {chapter.name: chapter.title for chapter in chapters}
    unused = shutil.ignore_patterns("hero.png")
    for name in ("site_static", "site_templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=unused)
    layout = folder / "site_templates" / "layout.html"
    layout.write_text(ESCAPED + layout.read_text(encoding="utf-8"), encoding="utf-8")
    texts = {
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in (*LOOK_UP, "references.bib")
    }
    texts["set_up.md"] = _set_up(texts["set_up.md"], plan)
    for name in LOOK_UP:
        texts[name] = linked(texts[name], kit, "chapters/")
    texts["intro.md"] = _first_page(plan, chapters)
    texts["schedule.md"] = schedule(plan, titles)
    texts |= papers
    texts["_toc.yml"] = CONTENTS.format(
        papers="".join(f"      - file: {name[:-3]}\n" for name in papers),
        chapters="".join(
            f"      - file: chapters/{chapter.name}\n" for chapter in chapters
        ),
    )
    texts["_config.yml"] = yaml.safe_dump(
        _settings(plan), sort_keys=False, allow_unicode=True
    )
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _first_page(plan, chapters):
    listed = "\n".join(
        f"- [{chapter.title}](chapters/{chapter.name}.ipynb)" for chapter in chapters
    )
    return f"""# {plain(plan.title)}

{plain(plan.institution)}. Questions: {plain(plan.contact)}

## Chapters

{listed}

When, and for how long: see the [schedule](schedule.md); what for: the
[syllabus](syllabus.md).

## How to work

Read a chapter here, or run its notebook: [Set up](set_up.md) says how. `jupyter lab` \
opens it, and `python -m patchconvnet doctor` says whether your machine is ready. An \
exercise ends in an error until it is done. That is meant. Below most of them is a \
check: run it, and it says what was expected, what came, and a hint.

Where a text asks you to predict, write your guess down first. What the cell below it \
shows is not on these pages: run it in the notebook.

{CREDIT}

{PHOTOGRAPHS}
"""


def _settings(plan):
    """The course's `_config.yml`, for a class.

    Its title and its name, and no buttons to notebooks that have the solutions.
    """
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    settings |= {"title": plan.title, "author": plan.institution, "launch_buttons": {}}
    if address() is None:
        del settings["repository"]
    # of the course's own site, and of the page "Try it yourself"
    del settings["sphinx"]["local_extensions"]
    del settings["sphinx"]["config"]["html_extra_path"]
    settings["html"] |= {
        "use_edit_page_button": False,
        "use_issues_button": False,
        "use_repository_button": False,
    }
    if "<" in plan.title:
        # the theme's link to the first page takes it for HTML; the logo leads there
        settings["html"]["home_page_in_navbar"] = False
    return settings


def _set_up(text, plan):
    """The course's page "Set up", for those who have a class's zip."""
    title, rest = text.split("\n", 1)
    rest = rest[rest.index("## Where it does not run") :]
    rest = re.sub(r"\[Tell us\]\(\S+/issues\)", f"Ask {plain(plan.contact)}", rest)
    return f"{title}\n\n{SET_UP}{rest}"


def instructions(plan, out, data):
    """The kit's own README."""
    pictures = graded = ""
    if data:
        place = code(f"student/data/{data}")
        pictures = (
            f"\nThe class's own pictures are in {place} (chapter 15 takes them).\n"
        )
    if plan.graded:
        graded = (
            "\nThis is a graded class: no solution and no quiz answer is in `student/`."
            " `instructor/nbgrader` is a course folder of nbgrader, one assignment a"
            " session: copy it, and run `nbgrader generate_assignment session_1` there"
            " (chapter 14 says how).\n"
        )
    own, kit = quoted(out / "plan.toml"), quoted(out)
    again = f"python tools/classroom.py --plan {own} --out {kit}"
    packed = f"python tools/bundle.py --kit {kit} --wheels --out class.zip"
    ready = f"python -m patchconvnet doctor --class --plan {own}"
    commands = shell(
        f"{again}     # after a change of the plan",
        f"{packed}     # for a class without a network",
        f"{ready}     # is this machine ready?",
    )
    return f"""# {plain(plan.title)}

{plain(plan.institution)}. Contact: {plain(plan.contact)}

| folder or file | what it is | for whom |
| --- | --- | --- |
| `plan.toml` | what this kit was made from: change it, and make the kit again | you |
| `student/` | notebooks without solutions, and everything that builds their book \
| students |
| `instructor/` | the same notebooks with solutions and teaching notes; schedule with \
your notes, rubric, exam and key, quizzes for an LMS (`quizzes.gift`) | you, never \
students |
| `slides/` | open a page in a browser; S shows the speaker's notes; with `?print-pdf` \
behind its address, Print makes a PDF | you |
{pictures}{graded}
In this folder, with the course's virtual environment:

```bash
jupyter-book build student           # the class's book: student/_build/html/index.html
pytest                               # runs all notebooks, the students' and yours
```

In the clone of the course:

{commands}

{CREDIT}

{PHOTOGRAPHS}
"""
