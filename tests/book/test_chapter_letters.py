"""Letters of the figures that chapters draw themselves: high enough to be read.

Computed from sizes in their source and the width of what was kept; the package's own
figures are drawn and looked at in tests/plotting/test_letters.py.
"""

import json

import pytest

from book_pages import CHAPTERS, ROOT
from figure_letters import heights
from patchconvnet.plotting.style import LETTERS


def small(notebook):
    """Each figure whose letters are too small: its cell, its points, and pixels."""
    return [one for one in heights(notebook) if one[2] < LETTERS]


@pytest.mark.parametrize("name", CHAPTERS)
def test_letters_of_a_chapters_own_figures_are_high_enough(name):
    path = ROOT / "chapters" / f"{name}.ipynb"
    found = small(json.loads(path.read_text(encoding="utf-8")))
    assert not found, "cell, points, pixels on the page"


def test_most_chapters_draw_figures_of_their_own():
    """That the test above has something to look at."""
    texts = {
        name: (ROOT / "chapters" / f"{name}.ipynb").read_text(encoding="utf-8")
        for name in CHAPTERS
    }
    drawing = {name for name, text in texts.items() if "plt.subplots(" in text}
    found = [name for name in drawing if heights(json.loads(texts[name]))]
    assert drawing and len(found) >= len(drawing) / 2


# === figures that are planted ===


def notebook(*sources, width=None, tags=()):
    """A notebook of code cells; out of the last came a figure so many pixels wide."""
    cells = [
        {"cell_type": "code", "id": f"cell-{index}", "metadata": {}, "source": source}
        for index, source in enumerate(sources)
    ]
    for cell in cells[:-1]:
        cell["outputs"] = [{"output_type": "stream", "text": "said"}]
    cells[-1]["metadata"] = {"tags": list(tags)}
    if width is not None:
        kept = {"image/png": {"width": width, "height": 200}}
        cells[-1]["outputs"] = [{"data": {"image/png": ""}, "metadata": kept}]
    return {"cells": cells}


OPEN = "_, axis = plt.subplots(figsize=(6, 3))\n"
BARE = OPEN + "axis.axis('off')\n"
STYLE = "%matplotlib inline\nplt.rcParams.update(plotting.STYLE)"


@pytest.mark.parametrize(
    "sources, points",
    [
        ([OPEN + "axis.set_title('a', fontsize=7)"], 7),
        ([OPEN + "axis.legend(prop={'size': 6})"], 6),
        ([OPEN + "axis.text(0, 0, 'a', size=5)"], 5),
        ([OPEN + "axis.tick_params(labelsize=6.5)"], 6.5),
        ([OPEN + "axis.legend(fontsize='xx-small')"], 5.8),
        ([STYLE, OPEN + "axis.legend(fontsize='xx-small')"], 6.4),
        ([OPEN + "look = {'fontsize': 6}\naxis.text(0, 0, 'a', **look)"], 6),
        (["SMALL = 6", OPEN + "axis.text(0, 0, 'a', fontsize=SMALL)"], 6),
        ([OPEN + "axis.text(0, 0, 'a', fontsize=12 if True else 4)"], 4),
        (["plt.rcParams['font.size'] = 6", OPEN], 6),
        (["plt.rcParams.update({'xtick.labelsize': 5})", OPEN], 5),
        (
            ["def draw():\n    " + OPEN + "    axis.text(0, 0, '', size=4)", "draw()"],
            4,
        ),
        (["def name(axis):\n    axis.set_title('', fontsize=3)", OPEN + "name()"], 3),
    ],
)
def test_small_letters_are_found(sources, points):
    ((cell, found, height),) = heights(planted := notebook(*sources, width=611))
    assert (cell, found) == (f"cell-{len(sources) - 1}", points)
    assert height < LETTERS and small(planted)


@pytest.mark.parametrize(
    "source, points",
    [
        (OPEN, 10),  # ticks alone
        (OPEN + "axis.text(0, 0, 'a', fontsize=14)", 10),
        (BARE + "axis.text(0, 0, 'a', fontsize=14)", 14),
        (BARE + "axis.text(0, 0, 'a')", 10),
        (BARE + "axis.text(0, 0, 'a', **{'color': 'k'})", 10),
        (BARE + "axis.set_title('a')", 12),
        (BARE + "axis.set(title='a', xlabel='b')", 10),
        (BARE + "axis.figure.colorbar(shown)", 10),
        (BARE + "dice.normal(size=3)\naxis.text(0, 0, 'a', size=13)", 13),
        (BARE, float("inf")),
    ],
)
def test_letters_have_the_usual_size_where_none_is_given(source, points):
    ((_, found, _),) = heights(notebook(source, width=611))
    assert found == points


def test_wide_figures_are_shrunk():
    """To 672 pixels on the page, and to 650 in a fold; 10 points are 13.9 pixels."""
    wide = "plt.subplots(figsize=(12, 3))"
    assert heights(notebook(wide, width=1000)) == [("cell-0", 10, 7.8)]  # as asked for
    assert heights(notebook(wide, width=1400)) == [("cell-0", 10, 6.7)]  # as kept
    folded = notebook(wide, width=1400, tags=["hide-cell"])
    assert heights(folded) == [("cell-0", 10, 6.4)]
    unknown = "plt.subplots(figsize=(2 * len(rows), 3))"
    assert heights(notebook(unknown, width=1400)) == [("cell-0", 10, 6.7)]
    with pytest.raises(AssertionError, match="cell-0: how wide is the figure"):
        heights(notebook(unknown))


def test_a_context_is_for_its_cell_alone():
    cell = "with plt.rc_context({'font.size': 6}):\n    plt.subplots()"
    found = heights(notebook(cell, "plt.subplots()", width=611))
    assert found == [("cell-1", 10, 13.5)]
    assert heights(notebook(cell, width=611)) == [("cell-0", 6, 8.1)]


def test_a_size_that_cannot_be_seen_is_refused():
    with pytest.raises(AssertionError, match="size of letters as a number: 3 . scale"):
        heights(notebook(OPEN + "axis.text(0, 0, 'a', size=3 * scale)"))
