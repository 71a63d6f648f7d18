"""What a plan says, in Markdown and for the shell, whatever its letters mean there."""

import re
import shlex

# to a page of the book, which is not here
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def without_links(text):
    """Markdown without comments, and of links to other pages their words alone."""
    return LINK.sub(r"\1", COMMENT.sub("", text))


def plain(text):
    """Markdown that shows a text in one line.

    Nothing in it is markup, HTML, a formula, or the beginning of a block.
    """
    words = re.sub(
        r"[\x00-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", " ".join(text.split())
    )
    escaped = re.sub(r"([\\`*_{}\[\]<>&|~$#])", r"\\\1", words)
    # a list, a rule, a comment, a label
    return re.sub(r"^(\d*)([-+%:=(.)])", r"\1\\\2", escaped)


def code(text):
    """The same as Markdown's code, between more backticks than the text has."""
    words = " ".join(text.split())
    ticks = _ticks(words, 1)
    space = " " if "`" in words else ""
    return f"{ticks}{space}{words}{space}{ticks}"


def shell(*lines):
    """A block of commands for the shell; `quoted` is for what stands in them."""
    text = "\n".join(lines)
    return f"{_ticks(text, 3)}bash\n{text}\n{_ticks(text, 3)}"


def quoted(path):
    return shlex.quote(str(path))


def _ticks(text, least):
    return "`" * max([least, *(len(run) + 1 for run in re.findall("`+", text))])
