"""A graded class as a course folder of nbgrader: `instructor/nbgrader` of the kit.

An assignment is a session of the plan. Its folder has the notebooks, the pages that
these link to, and the class's own pictures: it is complete wherever it is unpacked.
"""

import re
import shutil

import nbformat

from classroom.pages import LOOK_UP

KERNEL = "patchconvnet"
CONFIG = '''\
"""nbgrader's settings for this class. Made with the kit: change them in a copy."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = {course!r}
# the course's environment: python -m ipykernel install --user --name {kernel}
c.Execute.kernel_name = {kernel!r}
c.Execute.timeout = 900  # seconds a cell: some train
# a warning of NumPy on stderr costs no points
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s).*"
c.ClearSolutions.code_stub = {{
    "python": 'raise NotImplementedError("still to do: put your code here")'
}}
c.ClearSolutions.text_stub = "…"
'''
PAGE = re.compile(rf"\]\((?:\.\./)?({'|'.join(LOOK_UP)})")
CHAPTER = re.compile(r"\]\((?:chapters/)?((\d\d_[a-z_]+)\.ipynb)")


def assignment_of(plan, chapter):
    """Name of the assignment that has a chapter: the last session that takes it."""
    taking = [
        number
        for number, session in enumerate(plan.session, 1)
        if chapter in [part.chapter for part in session.part]
    ]
    return f"session_{taking[-1]}"


def linked_here(text, plan, assignment):
    """A text whose links lead to files of its own or of another assignment."""

    def chapter(link):
        other = assignment_of(plan, link[2]) if link[2] in plan.chapters() else None
        if other in (assignment, None):
            return f"]({link[1]}"
        return f"](../{other}/{link[1]}"

    return CHAPTER.sub(chapter, PAGE.sub(r"](\1", text))


def write_notebook(notebook, folder, plan, name):
    """Put a chapter's notebook, as nbgrader's source, where its assignment is."""
    assignment = assignment_of(plan, name)
    for node in notebook.cells:
        if node.cell_type == "markdown":
            node.source = linked_here(node.source, plan, assignment)
    place = folder / "source" / assignment
    place.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place / f"{name}.ipynb")


def write_course(folder, plan, student, data=None):
    """Write what is not a notebook: settings, pages to look up, pictures.

    Args:
        folder: the course folder.
        student: the student's folder of the kit, which has the pages and pictures.
        data: file name of the class's own pictures, or None.
    """
    course = re.sub(r"\W+", "_", plan.title.lower(), flags=re.ASCII).strip("_")
    settings = CONFIG.format(course=course or "course", kernel=KERNEL)
    (folder / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    for place in sorted((folder / "source").iterdir()):
        for name in LOOK_UP:
            text = (student / name).read_text(encoding="utf-8")
            text = linked_here(text, plan, place.name)
            (place / name).write_text(text, encoding="utf-8")
        if data and (place / "15_own_pictures.ipynb").exists():
            shutil.copy2(student / "data" / data, place / data)
