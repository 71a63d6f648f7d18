"""What a text says of sections that a class leaves out, taken out of it.

A comment in a chapter says what a line rests on: a section's heading, `exercise 3`, or
`next 04_trunk`, the chapter that comes next. Several are parted by semicolons.

    - say what a gate cannot know;<!-- needs: What the gate cannot know -->

Where one of them is not there, what the comment belongs to goes: a list's item, a
table's row, a question of the quiz with its answer; the brackets that it follows, else
the sentence. On a line of its own it stands for the block below it.
"""

import re

import times  # of the folder above

NEEDS = re.compile(r"[ ]?<!-- needs: (.*?) -->")
ITEM = re.compile(r"(?:> ?)?[ ]*(?:- |\d+\. )")
QUESTION = re.compile(r"(?:\*\*|<details><summary>)\d+\.")
NUMBER = re.compile(r"(?m)^(\*\*|<details><summary>)\d+(?=\.)")  # of a question
SENTENCE = re.compile(r"[.?!][\"'*_)]*\s+")
LAST_GOAL = re.compile(r"(?m)(^> ?- .*?)[;,]$(?!\n> ?(?:- |  ))")
# said of the course's own book
COURSE = re.compile(r"(?m)^> (?:\*\*(?:Core path|Depth)\.\*\*|In Colab, choose).*\n?")
EMPTY_QUOTES = re.compile(r"(?m)(?:^>[ ]*\n){2,}")
BLOCK_END, FOLD_END = r"\n[ >]*\n\s*", r"</details>\s*"
HEADING = re.compile(r"## .*")
LISTS = ("Quiz", "What to remember", "Further reading")  # not as a heading alone


def there(cells, following=None):
    """What a class takes of a chapter, as the comments name it: a set of strings.

    Args:
        cells: as `chapters.select` returns them.
        following: name of the chapter that comes next in the plan, or None.
    """
    kept = [cell for cell in cells if not cell.helper]
    found = {cell.section for cell in kept}
    found |= {f"exercise {cell.exercise}" for cell in kept if cell.exercise}
    return found | ({f"next {following}"} if following else set())


def needed(text):
    """What each comment of a text names: a list of lists of strings."""
    return [found[1].split("; ") for found in NEEDS.finditer(text)]


def trimmed(text, present):
    """A text without what rests on things that are not in the set `present`."""
    place = 0
    while found := NEEDS.search(text, place):
        start, end = found.span()
        if not set(found[1].split("; ")) <= present:
            start, end = _unit(text, found)
        text, place = text[:start] + text[end:], start
    return LAST_GOAL.sub(r"\1.", text)


def numbered(text):
    """A text whose questions are numbered from 1."""
    numbers = iter(range(1, 1000))
    return NUMBER.sub(lambda found: f"{found[1]}{next(numbers)}", text)


def trim(cells, present, seconds):
    """Take out of the cells what the class leaves out, and count the head's time anew.

    Returns:
        The cells that still say something: a list.
    """
    for cell in cells:
        if cell.node.cell_type == "markdown":
            cell.node.source = trimmed(cell.node.source, present)
        if cell.section == "Quiz":
            cell.node.source = numbered(cell.node.source)
    head = cells[0].node
    shorter = EMPTY_QUOTES.sub(">\n", COURSE.sub("", head.source))
    head.source = shorter.replace("\n>\n\n", "\n\n").removesuffix("\n>")
    count = times.together(counted(cells).values())
    head.source = times.HEAD.sub(
        lambda line: line["begin"] + times.head(count, seconds), head.source
    )
    return [cell for cell in cells if not _is_empty(cell)]


def notes_on(notes, gone):
    """Teaching notes without the paragraphs that name a section of the set `gone`."""
    blocks = [
        block
        for block in re.split(r"\n\s*\n|\n(?=- )", notes.strip())
        if not any(f'"{section}"' in block for section in gone)
    ]
    kept = [
        block
        for block, below in zip(blocks, [*blocks[1:], "## "])
        if not (block.startswith("## ") and below.startswith("## "))
    ]
    return "\n\n".join(kept)


def counted(cells):
    """What there is to read and to do: `times.Count`s by section."""
    nodes = [cell.node for cell in cells if not cell.helper]
    return times.sections_of({"cells": nodes})


def _unit(text, found):
    """From where to where a text goes with a comment: two indices."""
    start = text.rfind("\n", 0, found.start()) + 1
    end = (text.find("\n", found.end()) + 1) or len(text)
    if not text[start : found.start()].strip(" >"):  # a line of its own
        folded = text.startswith("<details", end)
        return start, _end_of(text, FOLD_END if folded else BLOCK_END, end)
    if QUESTION.match(text, _begin_of_block(text, found.start())):
        block = _begin_of_block(text, found.start())
        return block, _end_of(text, FOLD_END, found.end())
    if text.startswith("|", start):
        return start, end
    while start and not ITEM.match(text, start) and text[: start - 1].strip():
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above : start - 1].strip(" >"):
            break
        start = above
    if ITEM.match(text, start):
        return start, end
    if text[found.start() - 1] == ")":
        return _bracket(text, found.start()), found.end()
    ends = [m.end() for m in SENTENCE.finditer(text, start, found.start() - 1)]
    return (ends[-1] if ends else start), found.end()


def _begin_of_block(text, place):
    return text.rfind("\n\n", 0, place) + 2 if "\n\n" in text[:place] else 0


def _end_of(text, pattern, place):
    found = re.compile(pattern).search(text, place)
    return found.end() if found else len(text)


def _bracket(text, end):
    """Where the brackets that end at `end` begin, with the space before them."""
    depth = 0
    for place in range(end - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[place], 0)
        if not depth:
            return place - text[:place].endswith(" ")
    return end


def _is_empty(cell):
    source = cell.node.source.strip()
    if cell.node.cell_type != "markdown":
        return False
    return not source or (cell.section in LISTS and bool(HEADING.fullmatch(source)))
