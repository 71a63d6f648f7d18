"""What a figure of a chapter has on the page: a caption, a number, a dark face."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from book_pages import CHAPTERS, ROOT
from test_notebooks import draws, figures_of, source_of


def drawing_cells(name):
    text = (ROOT / "chapters" / f"{name}.ipynb").read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code" and draws(cell)]


def is_lines_and_words(picture):
    """Whether a figure is a drawing, in which black and white may be exchanged: with
    few colours, and hardly anything but its paper. A map or a photograph is none.
    """
    pale = np.asarray(picture.convert("RGB")).min(axis=2) >= 0xD8
    return picture.mode == "P" and pale.mean() >= 0.8


def problems(cell):
    shown = cell["metadata"].get("mystnb", {})
    if len(shown.get("figure", {}).get("caption", "")) < 15:
        yield f"no caption for the figure of: {source_of(cell)[:40]!r}"
    ((kind, output),) = figures_of(cell)
    content = base64.b64decode("".join(output["data"][kind]))
    is_chart = shown.get("image", {}).get("classes") == "chart"
    if is_chart != is_lines_and_words(Image.open(io.BytesIO(content))):
        yield (
            f"{'no' if is_chart else 'a'} drawing of lines and words, so its image"
            f" {'cannot be' if is_chart else 'is'} of the class chart:"
            f" {source_of(cell)[:40]!r}"
        )


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_figure_has_a_caption_and_only_charts_turn_dark(name):
    found = [problem for cell in drawing_cells(name) for problem in problems(cell)]
    assert not found


def test_a_map_as_a_chart_and_a_figure_without_a_caption_are_seen():
    chart = drawing_cells("06_attention_pooling")[0]
    map_ = drawing_cells("12_faithfulness")[0]
    assert list(problems(chart)) == list(problems(map_)) == []
    map_["metadata"]["mystnb"]["image"]["classes"] = "chart"
    del chart["metadata"]["mystnb"]["figure"]
    del chart["metadata"]["mystnb"]["image"]["classes"]
    assert [problem[:10] for problem in problems(chart)] == ["no caption", "a drawing "]
    assert [problem[:10] for problem in problems(map_)] == ["no drawing"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_figures_are_numbered_by_chapter(book, name):
    page = (book / "chapters" / f"{name}.html").read_text(encoding="utf-8")
    numbers = re.findall(r'class="caption-number">Figure ([^<]+)\. </span>', page)
    count = len(drawing_cells(name))
    assert numbers == [f"{name[:2]}.{place}" for place in range(1, count + 1)]


def test_outlines_are_drawn_in_one_place():
    drawn = [
        path.relative_to(ROOT).as_posix()
        for folder in ("chapters", "patchconvnet", "tools")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".ipynb")
        and "mutation" not in path.parts
        and ".contour(" in path.read_text(encoding="utf-8")
    ]
    assert drawn == ["patchconvnet/plotting/marks.py"]
