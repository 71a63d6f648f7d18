"""What of a text an audience can take in, and how much room it takes on a slide.

Headings, questions to predict, formulas, tables, code and lists, with the sentence that
leads to them; where there is none of these, the first sentences.
"""

import re

from classroom.text import without_links

MOST_ITEMS = 7  # of a list: more cannot be read from the last row
FENCE = re.compile(r"(?ms)^(```+|~~~+).*?^\1[^\n]*$")
# it begins a sentence that says nothing without the one before
HANGING = re.compile(
    r"(?:So|But|And|Or|Then|It|Its|They|Their|This|That|These|Those|Both|Neither|Nor"
    r"|There|Here|Instead|Else|Only|Yet|Also|Again|He|She)\b"
)


def height_of(text):
    """Pixels that a text takes on a slide, about."""
    pixels = 0
    for block in blocks_of(text):
        lines = block.splitlines()
        if FENCE.match(block):
            pixels += 28 * len(lines) + 20
        elif block.startswith("$$"):
            pixels += 60 * len(lines) + 30
        elif block.startswith("|"):
            pixels += 48 * len(lines)
        elif block.startswith("#"):
            pixels += 80
        else:
            pixels += sum(40 * (1 + len(line) // 78) for line in lines) + 20
    return pixels


def blocks_of(text):
    """Paragraphs, lists, tables and so on; code in one, whatever lines are empty."""
    blocks, place = [], 0
    text = without_links(text).strip()
    for fence in FENCE.finditer(text):
        blocks += re.split(r"\n\s*\n", text[place : fence.start()].strip())
        blocks.append(fence[0])
        place = fence.end()
    blocks += re.split(r"\n\s*\n", text[place:].strip())
    return [block for block in blocks if block.strip()]


def shortened(text):
    """What of a text goes on a slide."""
    kept, lead = [], ""
    blocks = blocks_of(text)
    for block in blocks:
        if short := shown_of(block):
            kept += [lead] * bool(lead) + [short]
        lead = _lead(block)
    if all(block.startswith("#") for block in kept):  # a heading alone says too little
        others = [block for block in blocks if not block.startswith(("#", "<"))]
        kept += map(_first_sentences, others[:1])
    return "\n\n".join(kept)


def shown_of(block):
    """The part of a block that is shown; "" for none.

    A block is a paragraph, list, table, quotation, formula, code or heading.
    """
    if block.startswith("- ") or re.match(r"\d+\. ", block):
        items = re.split(r"\n(?=- |\d+\. )", block)
        return "\n".join(items[:MOST_ITEMS])
    if block.startswith("#"):
        heading, _, rest = block.partition("\n")
        below = shown_of(rest) if rest.strip() else ""
        return f"{heading}\n\n{below}" if below else heading
    if block.startswith(("> **Predict", "> **By hand", "$$", "|", "```", "~~~")):
        return block
    return ""


def _lead(block):
    """The sentence of a paragraph that leads to what stands below it, or ""."""
    if not block.endswith(":") or shown_of(block):
        return ""
    return _from(_sentences(block), -1)


def _from(sentences, place):
    """The sentence at a place, after those without which it says nothing."""
    first = place % len(sentences)
    while first and HANGING.match(sentences[first]):
        first -= 1
    return " ".join(sentences[first:])


def _first_sentences(paragraph):
    """Two, and what hangs on them."""
    sentences = _sentences(paragraph)
    last = 2
    while last < len(sentences) and HANGING.match(sentences[last]):
        last += 1
    return " ".join(sentences[:last])


def _sentences(paragraph):
    return re.split(r"(?<=[.?!])\s+", " ".join(paragraph.split()))
