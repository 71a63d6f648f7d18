"""Slides of a chapter, as one HTML page for a browser without a network.

The cells for them are marked by Jupyter's own means (View, Cell Toolbar, Slideshow:
`slideshow.slide_type` in a cell's metadata), as "slide" or "subslide". Of a marked
text, the slide shows what an audience can take in: headings, questions to predict,
formulas, tables and lists. The whole text is in the speaker's notes (press S). Of a
figure, the code is left out; whose photographs it shows, stays. After a question to
predict come slides of their own with what comes out and with what it says, marked or
not; so does what else is folded.
"""

import html
import re
import shutil
from pathlib import Path

import nbformat

from classroom.chapters import FOLD, UNSEEN, ends_with_question
from classroom.text import plain
from patchconvnet.data import pets

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "classroom" / "slides"
SHOWN = ("slide", "subslide", "fragment")
# not for a lecture
ASIDE = ("Exercises", "Quiz", "Further reading", "Where to go from here")
MOST_ITEMS = 7  # of a list: more cannot be read from the last row
# to a page of the book, which is not here
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def write_assets(folder):
    """Put what all slides load into `folder`/reveal: reveal.js, MathJax, a style."""
    shutil.copytree(TEMPLATE / "reveal", folder / "reveal", dirs_exist_ok=True)
    shutil.copy2(ROOT / "site_static" / "mathjax" / "tex-svg.js", folder / "reveal")


def slides_of(chapter, cells, plan):
    """The slides as a page of HTML, a string: the title, then the marked `cells`."""
    from nbconvert.exporters import SlidesExporter

    exporter = SlidesExporter(
        extra_template_basedirs=[str(TEMPLATE.parent)], template_name=TEMPLATE.name
    )
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    exporter.reveal_url_prefix, exporter.reveal_theme = "reveal", "course"
    whose = f"{_words(plan.title)}\n\n{_words(plan.institution)}"
    nodes = [
        _text(f"# {chapter.title}\n\n{whose}", "slide"),
        _text(_without_links(chapter.cells[0].node.source), "notes"),
    ]
    asked = False  # by the slides so far, and not yet answered
    for cell in cells:
        kind = cell.node.metadata.get("slideshow", {}).get("slide_type")
        answers = asked and _answers(cell)
        if cell.helper or cell.section in ASIDE:
            continue
        if kind in SHOWN:
            nodes += _slides(cell, kind)
        elif answers:
            nodes += _slides(cell, "subslide")[: None if answers == "shows" else 2]
        shown = kind in SHOWN and cell.node.cell_type == "markdown"
        asked = answers == "shows" or shown and ends_with_question(cell.node.source)
    notebook = nbformat.v4.new_notebook(
        cells=nodes, metadata={"title": chapter.title, **chapter.metadata}
    )
    page, _ = exporter.from_notebook_node(notebook)
    return page


def _slides(cell, kind):
    """The slides of one cell, and their notes."""
    node = cell.node
    above = f'<p class="section">{html.escape(cell.section)}</p>'
    if node.cell_type == "code":
        if _draws(node):
            return [_picture(node, above)]
        return [_text(above, "subslide"), _code(node)]
    nodes = []
    for number, (shown, whole) in enumerate(_pieces(node.source)):
        shown = shown if shown.startswith("#") else f"{above}\n\n{shown}"
        # a fold belongs to what stands above it
        begins = number == 0 and not FOLD.match(node.source)
        nodes += [
            _text(shown, kind if begins else "subslide"),
            _text(_without_links(whole), "notes"),
        ]
    return nodes


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
            if any(map(_shown, _blocks(part))):
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


def _text(source, kind):
    return nbformat.v4.new_markdown_cell(
        source, metadata={"slideshow": {"slide_type": kind}}
    )


def _figures(node):
    """Kind and Base64 text of each figure that a cell shows."""
    for output in node.outputs:
        for kind in ("image/png", "image/jpeg"):
            if kind in output.get("data", {}):
                yield kind, output.data[kind]


def _draws(node):
    return any(_figures(node))


def _picture(node, above):
    """The figure of a cell, without its code and with its alt text."""
    kind, data = next(_figures(node))
    data = "".join(data.split())
    alt = html.escape(node.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))
    picture = f'<img src="data:{kind};base64,{data}" alt="{alt}">'
    return _text(f"{above}\n\n{picture}{_credit(node)}", "subslide")


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


def _without_links(text):
    return LINK.sub(r"\1", COMMENT.sub("", text))


def _blocks(text):
    parts = re.split(r"\n\s*\n", _without_links(text).strip())
    return [block for block in parts if block.strip()]


def shortened(text):
    """What of a text goes on a slide."""
    blocks = _blocks(text)
    kept = [short for block in blocks if (short := _shown(block))]
    if all(block.startswith("#") for block in kept):  # a heading alone says too little
        others = [block for block in blocks if not block.startswith(("#", "<"))]
        kept += map(_first_sentences, others[:1])
    return "\n\n".join(kept)


def _shown(block):
    """The part of a block that is shown; "" for none.

    A block is a paragraph, list, table, quotation, formula or heading.
    """
    if block.startswith("- ") or re.match(r"\d+\. ", block):
        items = re.split(r"\n(?=- |\d+\. )", block)
        return "\n".join(items[:MOST_ITEMS])
    if block.startswith("#"):
        heading, _, rest = block.partition("\n")
        below = _shown(rest) if rest.strip() else ""
        return f"{heading}\n\n{below}" if below else heading
    return block if block.startswith(("> **Predict", "> **By hand", "$$", "|")) else ""


def _first_sentences(paragraph):
    return " ".join(re.split(r"(?<=[.?!:])\s+", " ".join(paragraph.split()))[:2])
