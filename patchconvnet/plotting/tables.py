"""Results in rows and columns: a table on a page, aligned text in a terminal."""

import sys
from html import escape

import numpy as np

GAP = "  "  # between the columns of the text


def table(columns, rows, title=None, digits=2):
    """Show one table: HTML in a notebook, and the same as text elsewhere.

    Args:
        columns: the headings, strings; the first stands over the rows' names.
        rows: lists as long as `columns`: a row's name, then what it holds, texts or
            numbers.
        title: what the numbers are: a string to stand above them, or None.
        digits: after the point, of numbers that are not whole.

    Raises:
        ValueError: a row that is not as long as `columns`.
    """
    columns = [str(column) for column in columns]
    rows = [[written(entry, digits) for entry in row] for row in rows]
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{len(columns)} columns, but {len(row)} entries: {row}")
    text = as_text(columns, rows, title)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "kernel"):
        print(text)
        return
    shown = {"text/plain": text, "text/html": as_html(columns, rows, title)}
    sys.modules["IPython"].display.display(shown, raw=True)


def written(entry, digits):
    """A text as it is, a number rounded."""
    is_float = isinstance(entry, (float, np.floating))
    return f"{entry:.{digits}f}" if is_float else str(entry)


def as_text(columns, rows, title=None):
    """Columns as wide as they must be: names from the left, all else from the right."""
    widths = [max(map(len, column)) for column in zip(columns, *rows)]
    lines = [] if title is None else [title]
    for name, *entries in (columns, *rows):
        aligned = [entry.rjust(width) for entry, width in zip(entries, widths[1:])]
        lines.append(GAP.join([name.ljust(widths[0]), *aligned]).rstrip())
    return "\n".join(lines)


def as_html(columns, rows, title=None):
    """The same as an HTML table, whose headings a screen reader finds."""
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = ["<table>"]
    lines += [] if title is None else [f"<caption>{escape(title)}</caption>"]
    lines += [f"<thead><tr>{heads}</tr></thead>", "<tbody>"]
    for name, *entries in rows:
        cells = "".join(f"<td>{escape(entry)}</td>" for entry in entries)
        lines.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return "\n".join([*lines, "</tbody>", "</table>"])
