"""A small book with the course's own settings, style and scripts; and bare pages.

For the tests of what each page of the book does in a browser.
"""

import base64
import io
import shutil

import nbformat
import pytest
import yaml
from PIL import Image

from book_pages import ROOT, build, open_page

PREDICT = "> **Predict.** Which weight is greater, $w_1$ or $w_2$?"
BY_HAND = "> **By hand.** What is the sum of 1, 4, 1 and 2?\n>\n> Take a pencil."
SAYS = "<details><summary>What it says</summary>\n\nThe second.\n\n</details>"
FIGURE = 1200, 900  # pixels, shown on the page at half of that


def drawn(width, height):
    """An output that is a picture, as a notebook keeps it."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, "png")
    return nbformat.v4.new_output(
        "display_data",
        {"image/png": base64.b64encode(file.getvalue()).decode()},
        metadata={"image/png": {"width": width // 2, "height": height // 2}},
    )


def code(source, *outputs, tags=(), alt=None, prompt=None):
    shown = {"image": {"alt": alt}} if alt else {}
    shown |= {"code_prompt_show": prompt} if prompt else {}
    cell = nbformat.v4.new_code_cell(source, outputs=list(outputs))
    cell.metadata |= {"tags": list(tags), "mystnb": shown}
    return cell


def printed(text):
    return nbformat.v4.new_output("stream", text=text)


def cells(first_question=()):
    """A chapter with two questions and three figures, the last one a tiny one."""
    text = nbformat.v4.new_markdown_cell
    folded = {"tags": ["hide-output"], "prompt": "What came out"}
    return [
        text("# A chapter\n\nWords."),
        *first_question,
        text(f"## One\n\nWords.\n\n{PREDICT}"),
        code("draw()", drawn(*FIGURE), alt="Two bars, the second higher", **folded),
        text(f"{SAYS}\n\nWords after it.\n\n> **Note.** No question."),
        code("print(1)", printed("1\n"), tags=["hide-output"]),
        text(f"## Two\n\n{BY_HAND}"),
        code("print(8)", printed("8\n"), **folded),
        text(SAYS),
        code("draw()", drawn(*FIGURE), alt="A wide figure in the open"),
        code("draw()", drawn(40, 40), alt="A mark as large as a letter"),
        text("## Three\n\n> **Predict.** And now?\n\n**My guess:** …"),
    ]


def make_book(folder, pages):
    """Build a book of notebooks: a dict from a page's name to its cells."""
    for name in ("site_static", "site_templates"):
        shutil.copytree(ROOT / name, folder / name)
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    shutil.copy2(ROOT / "references.bib", folder)
    # of the course's own site, and of the page "Try it yourself"
    del settings["sphinx"]["local_extensions"]
    del settings["sphinx"]["config"]["html_extra_path"]
    (folder / "_config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    listed = [f"  - file: {name}\n" for name in pages]
    (folder / "_toc.yml").write_text(
        f"format: jb-book\nroot: plain\nchapters:\n{''.join(listed)}"
    )
    (folder / "plain.md").write_text("# A page\n\n> A quotation.\n")
    for name, content in pages.items():
        metadata = {
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python"},
        }
        notebook = nbformat.v4.new_notebook(cells=content, metadata=metadata)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    result = build(folder, folder)
    assert result.returncode == 0, result.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    return make_book(tmp_path_factory.mktemp("small"), {"chapter": cells()})


@pytest.fixture
def visit(browser, small_book):
    """visit("chapter") opens a page; at the end nothing may have gone wrong in it."""
    opened = []

    def opening(name="chapter", viewport=None):
        address = (small_book / f"{name}.html").as_uri()
        opened.append(open_page(browser, address, viewport))
        return opened[-1][0]

    yield opening
    for page, problems in opened:
        page.context.close()
        assert problems == []


def again(page):
    """The page as the same reader sees it on another day."""
    page.wait_for_timeout(1000)  # the browser stores behind the scenes
    page.reload()
    page.wait_for_load_state("networkidle")
    page.evaluate("() => window.MathJax?.startup?.promise?.then(() => true)")
    return page


def bare(file, content):
    """A page with our style and scripts, and without the theme's."""
    style = (ROOT / "site_static" / "course.css").read_text(encoding="utf-8")
    scripts = [
        f"<script>{(ROOT / 'site_static' / name).read_text(encoding='utf-8')}</script>"
        for name in ("guesses.js", "figures.js")
    ]
    file.write_text(
        f'<!doctype html><meta charset="utf-8"><style>{style}</style>'
        f'<article class="bd-article">{content}</article>{"".join(scripts)}',
        encoding="utf-8",
    )
    return file.as_uri()
