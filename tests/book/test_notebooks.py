"""The rules that chapters keep (CONTRIBUTING.md), and a notebook that breaks each."""

import copy
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))

# Only the data set and the minutes differ from chapter to chapter.
SET_UP = re.compile(r"""import os
import sys

if "google\.colab" in sys\.modules:  # elsewhere, the installed package is used
    %pip install -q git\+https://github\.com/[\w-]+/[\w.-]+@v[\d.]+
os\.environ\.setdefault\("KERAS_BACKEND", "tensorflow"\)
os\.environ\.setdefault\("TF_CPP_MIN_LOG_LEVEL", "3"\)

try:
    from patchconvnet\.course\.announcement import announce
except ModuleNotFoundError as missing:
    sys\.exit\(
        f"\{missing\}: in the course's folder, in a terminal, run"
        " pip install -r requirements\.txt \(see the page Set up\)"
    \)

announce\(dataset=("shapes"|"cifar10"|"pets"|None), minutes=[\d.]+\)
?""")
# columns that a page of 1280 pixels shows: test_browser.py looks at the pages
WIDTH = 79
FENCE = re.compile(r"(?ms)^( *)```[^\n]*\n(.*?)^ *```")
DIRECTIVE = re.compile(r"(?m)^\s*(:::+|```+)\{|\{(cite|ref|numref|doc|term)(:\w+)?\}`")


def source_of(cell):
    return "".join(cell["source"])


def tags_of(cell):
    return [
        tag
        for tag in cell["metadata"].get("tags", [])
        if "nbval" in tag or tag == "raises-exception"
    ]


def is_compared(cell):
    return not tags_of(cell) and "NBVAL_" not in source_of(cell)


# drawings are PNG, figures with photographs JPEG
FIGURES = {"image/png", "image/jpeg"}


def figures_of(cell):
    """The figures that a cell shows: pairs of kind and output."""
    return [
        (kind, output)
        for output in cell["outputs"]
        for kind in FIGURES & output.get("data", {}).keys()
    ]


def draws(cell):
    return bool(figures_of(cell))


def set_up_problems(code):
    if not code or not SET_UP.fullmatch(source_of(code[0])):
        yield "the first code cell is not the set-up cell of the other chapters"
    elif tags_of(code[0]) != ["nbval-ignore-output"]:
        yield "the set-up cell needs the tag nbval-ignore-output"


def comparison_problems(code):
    hidden = [cell for cell in code if not is_compared(cell)]
    if len(hidden) > 0.15 * len(code) + 1:
        yield (
            f"{len(hidden)} of {len(code)} cells are not compared: at most 15% and one"
            " more may be"
        )
    for cell in hidden:
        if not str(cell["metadata"].get("nbval_reason", "")).strip():
            yield f"no nbval_reason in the metadata of: {source_of(cell)[:40]!r}"


def output_problems(code):
    if not any(cell["outputs"] for cell in code):
        yield "the outputs are missing"
    counts = [cell["execution_count"] for cell in code if source_of(cell).strip()]
    if counts != list(range(1, len(counts) + 1)):
        yield f"not run once from top to bottom: {counts}"
    for output in (output for cell in code for output in cell["outputs"]):
        if output["output_type"] == "error":
            yield f"an error output: {output['ename']}"
        if output.get("name") == "stderr":
            yield f"output on stderr: {''.join(output['text'])[:60]!r}"


def figure_problems(code):
    for cell in filter(draws, code):
        alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt.strip()) < 20:
            yield (
                "no alt text of 20 characters for the figure of:"
                f" {source_of(cell)[:40]!r}"
            )
        if len(figures_of(cell)) > 1:
            yield f"more than one figure in: {source_of(cell)[:40]!r}"
        for kind, output in figures_of(cell):
            size = len("".join(output["data"][kind])) * 3 // 4
            if kind == "image/jpeg" and size > 60_000:
                yield f"{size:,} bytes for the figure of: {source_of(cell)[:40]!r}"
        if not all(output["metadata"].get(kind) for kind, output in figures_of(cell)):
            yield (
                "import patchconvnet.plotting before the figure, for twice the pixels,"
                f" of: {source_of(cell)[:40]!r}"
            )


def text_problems(cells):
    for cell in cells:
        if cell["cell_type"] == "markdown" and DIRECTIVE.search(source_of(cell)):
            yield (
                "a MyST directive or role, which Colab shows as raw text:"
                f" {source_of(cell)[:40]!r}"
            )


def blocks_of(cell):
    """What stands on the page as it was typed or printed: pairs of kind and text."""
    if cell["cell_type"] == "markdown":
        for indent, block in FENCE.findall(source_of(cell)):
            yield "code block", re.sub(rf"(?m)^{indent}", "", block)
    if cell["cell_type"] == "code":
        yield "code", source_of(cell)
        for output in cell["outputs"]:
            shown = output.get("data", {})
            # else text/plain is not shown
            if not ({"text/html"} | FIGURES) & set(shown):
                yield (
                    "output",
                    "".join(output.get("text") or shown.get("text/plain", "")),
                )


def width_problems(cells):
    for cell in cells:
        for kind, block in blocks_of(cell):
            for line in block.splitlines():
                if len(line) > WIDTH:
                    yield (
                        f"{kind} of {len(line)} columns, at most {WIDTH}: {line[:60]!r}"
                    )


def problems_of(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    checks = (set_up_problems, comparison_problems, output_problems, figure_problems)
    of_code = [problem for check in checks for problem in check(code)]
    return (
        of_code
        + list(text_problems(notebook["cells"]))
        + list(width_problems(notebook["cells"]))
    )


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_keeps_the_rules(path):
    assert path.stat().st_size < 1_000_000
    assert re.fullmatch(r"\d\d_[a-z_]+", path.stem)
    assert problems_of(json.loads(path.read_text(encoding="utf-8"))) == []


def test_set_up_cells_are_the_same():
    cells = {}
    for path in CHAPTERS:
        code = [
            cell
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        ]
        cells[path.name] = re.sub(
            r'dataset=[\w"]+, minutes=[\d.]+', "", source_of(code[0])
        ).strip()
    assert len(set(cells.values())) <= 1, cells


# === a good notebook, and one broken on purpose for each rule ===


def code_cell(count, source, outputs, **metadata):
    return {
        "cell_type": "code",
        "source": source,
        "execution_count": count,
        "outputs": outputs,
        "metadata": metadata,
    }


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": [text]}


FIGURE = {
    "output_type": "display_data",
    "data": {"image/png": "iVBORw0KGgo="},
    "metadata": {"image/png": {"width": 1, "height": 1}},
}
GOOD = {
    "cells": [
        {
            "cell_type": "markdown",
            "source": (
                f"# Title\n\n{80 * 'x'}\n\n- Type\n\n  ```bash\n  {79 * 'x'}\n "
                f" ```\n\n{80 * 'x'}"
            ),
            "metadata": {},
        },
        code_cell(
            1,
            'import os\nimport sys\n\nif "google.colab" in sys.modules:  # elsewhere,'
            " the installed package is used\n    %pip install -q"
            ' git+https://github.com/OWNER/patchconvnet-course@v0.2.0\nos.environ.setdefault("KERAS_BACKEND",'
            ' "tensorflow")\nos.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")\n\n'
            "try:\n    from patchconvnet.course.announcement import announce\n"
            "except ModuleNotFoundError as missing:\n    sys.exit(\n"
            '        f"{missing}: in the course\'s folder, in a terminal, run"\n'
            '        " pip install -r requirements.txt (see the page Set up)"\n    )\n'
            '\nannounce(dataset="shapes", minutes=2)',
            [stream("CPU\n")],
            tags=["nbval-ignore-output"],
            nbval_reason="prints this machine's device",
        ),
        code_cell(2, f"print(1)  # {67 * 'x'}", [stream(f"1\n{79 * 'x'}\n")]),
        code_cell(
            3,
            "draw()",
            [FIGURE],
            mystnb={"image": {"alt": "Eight shapes in a row on cluttered backgrounds"}},
        ),
    ]
}


def broken(change):
    notebook = copy.deepcopy(GOOD)
    change(notebook["cells"])
    return problems_of(notebook)


def test_a_good_notebook_passes():
    assert problems_of(GOOD) == []


@pytest.mark.parametrize(
    ("problem", "change"),
    [
        ("set-up cell", lambda cells: cells[1].update(source="import os")),
        (
            "set-up cell",
            lambda cells: cells[1].update(source=cells[1]["source"] + "\nprint()"),
        ),
        ("needs the tag", lambda cells: cells[1].update(metadata={})),
        ("no nbval_reason", lambda cells: cells[1]["metadata"].pop("nbval_reason")),
        (
            "2 of 3 cells",
            lambda cells: cells[2]["metadata"].update(
                tags=["nbval-skip"], nbval_reason="slow"
            ),
        ),
        (
            "2 of 3 cells",
            lambda cells: cells[2].update(source="# NBVAL_IGNORE_OUTPUT\nprint(1)"),
        ),
        (
            "outputs are missing",
            lambda cells: [cell.update(outputs=[]) for cell in cells[1:]],
        ),
        ("not run once", lambda cells: cells[2].update(execution_count=None)),
        ("not run once", lambda cells: cells[2].update(execution_count=7)),
        (
            "an error output",
            lambda cells: cells[2].update(
                outputs=[{"output_type": "error", "ename": "ValueError"}]
            ),
        ),
        (
            "on stderr",
            lambda cells: cells[2].update(outputs=[stream("careful!\n", "stderr")]),
        ),
        ("no alt text", lambda cells: cells[3].update(metadata={})),
        (
            "no alt text",
            lambda cells: cells[3]["metadata"]["mystnb"]["image"].update(
                alt="figure.png"
            ),
        ),
        (
            "more than one figure",
            lambda cells: cells[3].update(outputs=[FIGURE, FIGURE]),
        ),
        (
            "twice the pixels",
            lambda cells: cells[3].update(outputs=[FIGURE | {"metadata": {}}]),
        ),
        (
            "MyST directive",
            lambda cells: cells[0].update(source="```{note}\nHello\n```"),
        ),
        ("MyST directive", lambda cells: cells[0].update(source="See {cite}`touvron`")),
        (
            "code of 80 columns",
            lambda cells: cells[2].update(source="# A comment\n" + 80 * "x"),
        ),
        (
            "code block of 80 columns",
            lambda cells: cells[0].update(
                source=f"1. Type:\n\n   ```text\n   {80 * 'x'}\n   ```\n"
            ),
        ),
        (
            "output of 80 columns",
            lambda cells: cells[2].update(outputs=[stream(f"1\n{80 * 'x'}\n")]),
        ),
        (
            "output of 80 columns",
            lambda cells: cells[2].update(
                outputs=[
                    {
                        "output_type": "execute_result",
                        "data": {"text/plain": [80 * "x"]},
                    }
                ]
            ),
        ),
    ],
)
def test_a_broken_notebook_is_seen(problem, change):
    assert any(problem in found for found in broken(change)), broken(change)
