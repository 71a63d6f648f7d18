"""Slides of a chapter, as one HTML page for a browser without a network.

The cells for them are marked by Jupyter's own means (View, Cell Toolbar, Slideshow:
`slideshow.slide_type` in a cell's metadata), as "slide" or "subslide". Of a marked
text, the slide shows what an audience can take in: headings, questions to predict,
formulas, tables, code and lists, with the sentence that leads to them. The whole text
is in the speaker's notes (press S), with what the teaching notes say of the section;
the title's slide has all of those. Of a figure, the code is left out; whose photographs
it shows, stays. Slides of a section that are half empty are joined. After a question to
predict come slides of their own with what comes out and with what it says, marked or
not; so does what else is folded.
"""

import html
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from classroom.chapters import FOLD, UNSEEN, ends_with_question
from classroom.shortening import blocks_of, height_of, shortened, shown_of
from classroom.text import plain, without_links
from patchconvnet.data import pets

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "classroom" / "slides"
SHOWN = ("slide", "subslide", "fragment")
# not for a lecture
ASIDE = ("Exercises", "Quiz", "Further reading", "Where to go from here")
ROOM = 600  # pixels of a slide below its section's name
LEAST_FIGURE = 380  # pixels of a figure's height, so that the last row sees it


def write_assets(folder):
    """Put what all slides load into `folder`/reveal: reveal.js, MathJax, a style."""
    shutil.copytree(TEMPLATE / "reveal", folder / "reveal", dirs_exist_ok=True)
    shutil.copy2(ROOT / "site_static" / "mathjax" / "tex-svg.js", folder / "reveal")


@dataclass
class Page:
    """A slide: what it shows, and the notes of its speaker.

    Attributes:
        kind: "slide" where a section begins, else "subslide" or "fragment".
        section: the heading of its section; "" if what it shows begins with it.
        nodes: what it shows, nbformat cells.
        notes: texts.
        height: what it takes of `ROOM`, about.
        asks: whether it ends with a question, whose answer is on the next one.
        alone: whether it does not join the one before.
    """

    kind: str
    section: str
    nodes: list
    notes: list = field(default_factory=list)
    height: float = ROOM
    asks: bool = False
    alone: bool = False


def slides_of(chapter, cells, plan, teaching_notes=""):
    """The slides as a page of HTML, a string: the title, then the marked `cells`."""
    from nbconvert.exporters import SlidesExporter

    exporter = SlidesExporter(
        extra_template_basedirs=[str(TEMPLATE.parent)], template_name=TEMPLATE.name
    )
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    exporter.reveal_url_prefix, exporter.reveal_theme = "reveal", "course"
    whose = f"{_words(plan.title)}\n\n{_words(plan.institution)}"
    title = Page("slide", "", [_text(f"# {chapter.title}\n\n{whose}")])
    title.notes += [chapter.cells[0].node.source, _plans_notes(chapter, plan)]
    title.notes.append(re.sub(r"(?m)^## ", "### ", teaching_notes.strip()))
    nodes = []
    for page in [title, *_joined(_pages(cells, teaching_notes))]:
        nodes += _cells_of(page)
    notebook = nbformat.v4.new_notebook(
        cells=nodes, metadata={"title": chapter.title, **chapter.metadata}
    )
    page, _ = exporter.from_notebook_node(notebook)
    return page


def _pages(cells, teaching_notes):
    """A slide, or several, for each cell that is marked, or that answers a question."""
    pages = []
    asked = False  # by the slides so far, and not yet answered
    for cell in cells:
        kind = cell.node.metadata.get("slideshow", {}).get("slide_type")
        answers = asked and _answers(cell)
        if cell.helper or cell.section in ASIDE:
            continue
        found = []
        if kind in SHOWN:
            found = _slides(cell, kind)
        elif answers:
            found = _slides(cell, "subslide")[: None if answers == "shows" else 1]
        shown = kind in SHOWN and cell.node.cell_type == "markdown"
        asked = answers == "shows" or shown and ends_with_question(cell.node.source)
        if found and asked and shown:
            found[-1].asks = True
        if found and (answers or found[0].kind == "slide"):
            found[0].alone = True
        if found and found[0].kind == "slide":
            found[0].notes += _about(cell.section, teaching_notes)
        pages += found
    return pages


def _joined(pages):
    """The slides, where two have room on one of them as that one."""
    joined = pages[:1]
    for page in pages[1:]:
        last = joined[-1]
        if page.alone or last.asks or last.height + page.height > ROOM:
            joined.append(page)
            continue
        for node in page.nodes:  # a figure takes what is left
            size = f'<img style="height: {ROOM - last.height:.0f}px" '
            node.source = node.source.replace("<img ", size)
        if any("<img " in node.source for node in page.nodes):
            page.height = ROOM - last.height
        last.nodes += page.nodes
        last.notes += page.notes
        last.height += page.height
        last.asks = page.asks
    return joined


def _cells_of(page):
    """A slide as cells of a notebook, the first of them marked."""
    above = f'<p class="section">{html.escape(page.section)}</p>'
    nodes = ([_text(above)] if page.section else []) + page.nodes
    if page.section and page.nodes[0].cell_type == "markdown":
        nodes = [_text(f"{above}\n\n{page.nodes[0].source}"), *page.nodes[1:]]
    nodes[0].metadata["slideshow"] = {"slide_type": page.kind}
    notes = [_text(without_links(note), "notes") for note in page.notes if note]
    return nodes + notes


def _plans_notes(chapter, plan):
    parts = plan.parts_of(chapter.name)
    return "\n".join(
        f"- {part.minutes} minutes. {plain(part.note)}".rstrip() for part in parts
    )


def _about(section, teaching_notes):
    """The paragraphs of the teaching notes that name a section."""
    blocks = re.split(r"\n\s*\n|\n(?=- )", teaching_notes)
    return [block.strip() for block in blocks if f'"{section}"' in block]


def _slides(cell, kind):
    """The slides of one cell: a list of `Page`s."""
    node = cell.node
    if node.cell_type == "code":
        if _draws(node):
            picture = [_picture(node)]
            return [Page("subslide", cell.section, picture, height=LEAST_FIGURE)]
        code = _code(node)
        return [Page("subslide", cell.section, [code], height=_height_of_code(code))]
    pages = []
    for number, (shown, whole) in enumerate(_pieces(node.source)):
        # a fold belongs to what stands above it
        begins = number == 0 and not FOLD.match(node.source)
        page = Page(
            kind if begins else "subslide",
            "" if shown.startswith("#") else cell.section,
            [_text(shown)],
            [whole],
            height_of(shown),
            alone=whole is not None and shown.startswith("**") and not begins,
        )
        pages.append(page)
    return pages


def _height_of_code(node):
    printed = "".join(
        output.get("text") or "".join(output.data["text/plain"])
        for output in node.outputs
    )
    return 28 * (node.source.count("\n") + printed.count("\n") + 2) + 60


def _answers(cell):
    """What a cell does for the question above it: "shows" the answer, or "says" it."""
    if UNSEEN in cell.node.metadata.get("tags", []):
        return "shows"
    fold = cell.node.cell_type == "markdown" and FOLD.match(cell.node.source)
    return "says" if fold else ""


def _pieces(source):
    """A text as pairs, what of it a slide shows and the whole, for a slide each.

    One begins at each heading of level 3, and at each fold.
    """
    pieces = []
    text, *others = FOLD.split(source)
    for part in _parts(text):
        pieces.append((shortened(part), part))
    for summary, folded, text in zip(others[::3], others[1::3], others[2::3]):
        pieces.append((f"**{summary.strip()}**\n\n{shortened(folded)}", folded))
        for part in _parts(text):
            if any(map(shown_of, blocks_of(part))):
                pieces.append((shortened(part), part))
            else:  # some words on: for the notes
                shown, whole = pieces[-1]
                pieces[-1] = shown, f"{whole}\n\n{part}"
    return pieces


def _parts(text):
    return [part for part in re.split(r"(?m)^(?=### )", text) if part.strip()]


def _words(text):
    # MathJax makes formulas of dollars, unless it is told not to
    return f'<span class="tex2jax_ignore">{plain(text)}</span>'


def _text(source, kind=None):
    metadata = {"slideshow": {"slide_type": kind}} if kind else {}
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)


def _figures(node):
    """Kind and Base64 text of each figure that a cell shows."""
    for output in node.outputs:
        for kind in ("image/png", "image/jpeg"):
            if kind in output.get("data", {}):
                yield kind, output.data[kind]


def _draws(node):
    return any(_figures(node))


def _picture(node):
    """The figure of a cell, without its code and with its alt text."""
    kind, data = next(_figures(node))
    data = "".join(data.split())
    alt = html.escape(node.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))
    picture = f'<img src="data:{kind};base64,{data}" alt="{alt}">'
    return _text(f"{picture}{_credit(node)}")


def _credit(node):
    """What a figure's cell prints below it of whose the photographs are, or ""."""
    texts = [output.text for output in node.outputs if output.output_type == "stream"]
    if pets.CREDIT not in "".join(texts):
        return ""
    return f"\n\n<p><small>{html.escape(pets.CREDIT)}</small></p>"


def _is_read(output):
    """Whether an output is a text or a table."""
    shown = output.get("data", {}).get("text/html", "")
    return output.output_type == "stream" or "".join(shown).startswith("<table>")


def _code(node):
    outputs = list(filter(_is_read, node.outputs))
    # no mark: on the slide that its heading has begun
    return nbformat.v4.new_code_cell(node.source, outputs=outputs)
