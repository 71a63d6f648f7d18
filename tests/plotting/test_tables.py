"""A table of results: text in a terminal, HTML in a notebook."""

import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from patchconvnet import plotting

HEADS = ("maps", "right", "count")
ROWS = [("a <b> & c", np.float32(0.456), 3), ("bell", "0.94 (0.90 to 0.98)", 12)]


def test_in_a_terminal_columns_are_aligned(capsys):
    plotting.table(HEADS, ROWS, title="of 100 right")
    assert capsys.readouterr().out.splitlines() == [
        "of 100 right",
        "maps                     right  count",
        "a <b> & c                 0.46      3",
        "bell       0.94 (0.90 to 0.98)     12",
    ]


def test_digits_are_those_of_numbers_that_are_not_whole(capsys):
    plotting.table(("", "x"), [("a", 1.0), ("b", 2), ("c", "3.14159")], digits=1)
    assert capsys.readouterr().out.split() == [
        "x",
        "a",
        "1.0",
        "b",
        "2",
        "c",
        "3.14159",
    ]


def test_in_a_notebook_it_is_html_with_headings(monkeypatch, capsys):
    shown = []
    display = lambda data, raw: shown.append((data, raw))  # noqa: E731
    stand_in = SimpleNamespace(
        get_ipython=lambda: SimpleNamespace(kernel=None),
        display=SimpleNamespace(display=display),
    )
    monkeypatch.setitem(sys.modules, "IPython", stand_in)
    assert plotting.table(HEADS, ROWS, title="of 100 right") is None
    ((data, raw),) = shown
    assert raw and capsys.readouterr().out == ""
    assert data["text/plain"].startswith("of 100 right\nmaps")
    tree = ElementTree.fromstring(data["text/html"])
    assert tree.find("caption").text == "of 100 right"
    heads = tree.findall("thead/tr/th")
    assert [(head.text, head.get("scope")) for head in heads] == [
        (head, "col") for head in HEADS
    ]
    names = tree.findall("tbody/tr/th")
    assert [(name.text, name.get("scope")) for name in names] == [
        ("a <b> & c", "row"),
        ("bell", "row"),
    ]
    cells = [[cell.text for cell in row] for row in tree.findall("tbody/tr")]
    assert cells[1] == ["bell", "0.94 (0.90 to 0.98)", "12"]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="3 columns, but 2 entries"):
        plotting.table(HEADS, [("a", 1)])
