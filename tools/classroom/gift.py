"""The quizzes as a file in GIFT, which Moodle and other learning platforms import.

Each question is an essay, with the chapter's answer as its general feedback: a key for
who grades.
"""

import html
import re

from markdown_it import MarkdownIt

import times
from classroom.text import without_links

QUESTION = re.compile(
    r"\*\*\d+\.\*\*\s+(?P<asked>.*?)\s*<details>\s*<summary>[^<]*</summary>(?P<key>.*?)"
    r"</details>|<summary>\d+\.\s+(?P<asked_in_fold>.*?)</summary>(?P<key_in_fold>.*?)"
    r"</details>",
    re.DOTALL,
)
CONTROLS = re.compile(r"([\\~=#{}:])")
PLACE = "\ue000{}\ue001"  # of a formula, while Markdown is read


def questions(cells):
    """The quiz of a chapter: pairs of texts in Markdown, question and answer."""
    texts = [cell.node.source for cell in cells if cell.section == "Quiz"]
    found = [match for text in texts for match in QUESTION.finditer(text)]
    return [
        (
            (match["asked"] or match["asked_in_fold"]).strip(),
            (match["key"] or match["key_in_fold"]).strip(),
        )
        for match in found
    ]


def gift(plan, taken):
    """The questions of all chapters: a text; "" where there are none.

    Args:
        plan: a `Plan`.
        taken: dict from a `Chapter` to its cells.
    """
    lines = []
    for chapter, cells in taken.items():
        pairs = questions(cells)
        if not pairs:
            continue
        name = f"{chapter.name[:2]} {chapter.title}"
        path = "/".join(_in_category(part) for part in (plan.title, name))
        lines += [f"$CATEGORY: {path}", ""]
        for number, (asked, key) in enumerate(pairs, 1):
            title = escaped(f"{name}, {number}")
            lines += [
                f"::{title}::[html]{escaped(in_html(asked))}"
                f" {{####[html]{escaped(in_html(key))}}}",
                "",
            ]
    return "\n".join(lines)


def escaped(text):
    """A text in which nothing means anything to GIFT, in one line."""
    return CONTROLS.sub(r"\\\1", " ".join(text.split()))


def in_html(text):
    """Markdown as HTML; formulas stand between \\( and \\), as MathJax reads them."""
    formulas = []

    def kept(found):
        formulas.append(found[0].strip("$"))
        return PLACE.format(len(formulas) - 1)

    text = times.FORMULA.sub(kept, without_links(text))
    page = MarkdownIt("commonmark").render(text)
    for number, formula in enumerate(formulas):
        shown = f"\\({html.escape(formula, quote=False)}\\)"
        page = page.replace(PLACE.format(number), shown)
    return page


def _in_category(text):
    return " ".join(text.split()).replace("/", "//")
