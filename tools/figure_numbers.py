"""Number the figures of each chapter while the book is built: a Sphinx extension.

The captions stand in the metadata of the cells that draw (`mystnb.figure.caption`).
Sphinx counts figures through the whole book: 06.1, the first of chapter 06, stays the
same when another chapter gets one more.
"""

import re


def number_by_chapter(app, env):
    for page, kinds in env.toc_fignumbers.items():
        chapter = re.match(r"chapters/(\d\d)_", page)
        figures = kinds.get("figure", {})
        for count, figure in enumerate(figures if chapter else (), start=1):
            figures[figure] = chapter[1], count


def setup(app):
    app.connect("env-check-consistency", number_by_chapter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
