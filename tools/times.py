"""How long the chapters take to read and try: counted, and written where it stands.

    python tools/times.py               # a line for each chapter, in minutes
    python tools/times.py --sections    # and one for each of its sections
    python tools/times.py --write       # into the heads, and behind the marks

What takes time: words of prose, answers and hints among them; lines of code that is not
folded, without the cell that sets a chapter up; cells that show what they print or
draw; boxes in which a reader predicts, or computes by hand; exercises by their level.
An open exercise has no end, and is not counted. Of a core chapter's exercises the first
two are counted: the others go beyond the core path. A head says:

    > **Time:** about 1 minute to run, 95 minutes to read and try, 35 for the exercises.

What follows this sentence stays. Elsewhere a comment after a number says what it is,
all together or one of the two:

    The core path takes about 8<!-- time: core hours --> hours, the whole course
    25<!-- time: all hours -->, 01 to 03 take 6<!-- time: 01..03 hours --> of them.
    That is 60<!-- time: 01 reading minutes --> minutes, and then
    35<!-- time: 01 exercises minutes --> for the exercises.
"""

import csv
import json
import math
import operator
import os
import re
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

# TensorFlow's start-up notes would drown the table
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from command import Parser, in_one_line
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.files import check_writable, written_aside

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "intro.md", "chapters/14_instructors.md")  # that may have marks
SECONDS = "patchconvnet/course/chapters.csv"

WORDS_A_MINUTE = 200
LINES_A_MINUTE = 20
MINUTES_AN_OUTPUT = 0.5
MINUTES_A_BOX = 1.5
MINUTES_AN_EXERCISE = {"easy": 5, "medium": 15, "hard": 30, "open": 0}
STEP = 5  # minutes, to which a page rounds
SHORT = 45  # seconds: below, a chapter runs in less than a minute

CODE_FOLDED = {"hide-cell", "hide-input", "remove-cell", "remove-input"}
OUTPUT_FOLDED = {"hide-cell", "hide-output", "remove-cell", "remove-output"}
SETUP = "from patchconvnet.course.announcement import announce"

HEADING = re.compile(r"(?m)^(?=## )")
BOX = re.compile(r"(?m)^> \*\*(?:Predict|By hand)\b")
# the level of an exercise, in its title or right after it
LEVEL_OF = re.compile(
    rf"(?m)^\*\*\d+\. (?:(?!\*\*).)*?(?:\*\*\s*)?\(({'|'.join(MINUTES_AN_EXERCISE)})\)"
)
HEAD = re.compile(r'(?P<begin>> \*\*Time:\*\* )(?P<said>[^.\n"\\]*\.)')
MARK = re.compile(
    r"(?P<number>[\d.,-]*\d)?(?P<mark><!--\s*times?\s*:(?P<what>.*?)(?:-->|\Z))",
    re.DOTALL | re.IGNORECASE,
)
CORE = "> **Core path.**"  # in the head of a core chapter
CORE_EXERCISES = 2
WHAT = re.compile(
    r"(?:(?P<group>core|all)|(?P<first>\d\d)(?:\.\.(?P<last>\d\d))?)"
    r"(?: (?P<part>reading|exercises))? (?P<unit>minutes|hours)"
)

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
FENCE = re.compile(r"^[ >]*(`{3,}|~{3,}).*?^[ >]*\1[^\n]*$", re.DOTALL | re.MULTILINE)
INLINE_CODE = re.compile(r"`[^`\n]*`")
# a formula is one word; it may go on in the next line, not in the next paragraph
FORMULA = re.compile(r"\$\$.*?\$\$|\$(?:[^$\n]|\n(?!\n))+\$", re.DOTALL)
LINK_TARGET = re.compile(r"\]\([^)]*\)")
TAG = re.compile(r"</?[A-Za-z][^<>]*>")


@dataclass
class Count:
    """What a section or a chapter has.

    Attributes:
        words: of prose.
        lines: of code that is shown, without empty ones.
        outputs: cells that show one.
        boxes: places at which to predict, or to take a pencil.
        exercises: minutes, by their levels.
        core: how many heads say that their chapter belongs to the core path.
    """

    words: int = 0
    lines: int = 0
    outputs: int = 0
    boxes: int = 0
    exercises: int = 0
    core: int = 0

    def __add__(self, other):
        return Count(*map(operator.add, astuple(self), astuple(other)))

    @property
    def reading(self):
        """Minutes to read and try, without the exercises."""
        return (
            self.words / WORDS_A_MINUTE
            + self.lines / LINES_A_MINUTE
            + self.outputs * MINUTES_AN_OUTPUT
            + self.boxes * MINUTES_A_BOX
        )

    @property
    def whole(self):
        return self.reading + self.exercises


def together(counts):
    return sum(counts, Count())


# === counting ===


def sections_of(notebook):
    """A dict from each section's heading to its `Count`; the head's key is ""."""
    found, section, levels = {"": Count()}, "", []
    for cell in _without_setup(notebook["cells"]):
        if cell["cell_type"] == "code":
            found[section] += _count_code(cell)
        if cell["cell_type"] != "markdown":
            continue
        for text in HEADING.split(_without_code("".join(cell["source"]))):
            if text.startswith("## "):
                section = text.splitlines()[0].removeprefix("## ").strip()
            found.setdefault(section, Count())
            found[section] += _count_text(text)
            if section == "Exercises":
                levels += LEVEL_OF.findall(text)
    if levels:
        counted = levels[:CORE_EXERCISES] if found[""].core else levels
        minutes = sum(MINUTES_AN_EXERCISE[level] for level in counted)
        found["Exercises"] += Count(exercises=minutes)
    return found


def _without_setup(cells):
    """All cells but the first of code, where it is the one that sets a chapter up."""
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    setup = [cell for cell in code[:1] if SETUP in "".join(cell["source"])]
    return [cell for cell in cells if cell not in setup]


def _count_code(cell):
    tags = set(cell["metadata"].get("tags", []))
    lines = [line for line in "".join(cell["source"]).splitlines() if line.strip()]
    return Count(
        lines=0 if tags & CODE_FOLDED else len(lines),
        outputs=0 if tags & OUTPUT_FOLDED else int(bool(cell["outputs"])),
    )


def _count_text(text):
    return Count(
        words=words_in(text), boxes=len(BOX.findall(text)), core=int(CORE in text)
    )


def words_in(text):
    """The number of words that a reader of a Markdown text sees.

    The sentence that this tool writes is not among them: what it says may not change
    what is counted.
    """
    text = HEAD.sub("", _without_code(text))
    # a `<` or a `$` of code begins no tag and no formula
    text = INLINE_CODE.sub(lambda code: re.sub("[<>$]", "", code[0]), text)
    text = LINK_TARGET.sub("] ", FORMULA.sub(" formula ", text))
    words = TAG.sub(" ", text).replace("|", " ").split()
    return sum(any(map(str.isalnum, word)) for word in words)


def _without_code(text):
    return FENCE.sub("", COMMENT.sub("", text))


def read_chapters(root):
    """A dict from the name of each chapter to what `sections_of` finds in it."""
    return {
        path.stem: sections_of(_notebook(path))
        for path in sorted(Path(root, "chapters").glob("*.ipynb"))
    }


def _notebook(path):
    try:
        notebook = json.loads(_read(path))
    except ValueError as error:
        raise PatchConvNetError(f"{path.name} is no notebook: {error}") from None
    if not isinstance(notebook, dict) or "cells" not in notebook:
        raise PatchConvNetError(f"{path.name} is no notebook: it has no cells")
    return notebook


def _read(path):
    """A file's text with its own line ends."""
    return path.read_bytes().decode("utf-8")


# === what heads and pages say ===


def rounded(minutes):
    return STEP * math.floor(minutes / STEP + 0.5)


def head(count, seconds):
    """The sentence for a chapter's head."""
    running = math.ceil(seconds / 60)
    run = f"about {running} minute{'s' if running > 1 else ''}"
    run = "less than a minute" if seconds < SHORT else run
    exercises = rounded(count.exercises)
    return (
        f"{run} to run, {rounded(count.reading)} minutes to read and try"
        f"{f', {exercises} for the exercises' if exercises else ''}."
    )


def with_head(text, name, sentence):
    """The text of a chapter's file with that sentence in its head, all else as it was.

    Raises:
        PatchConvNetError: a chapter without such a line, or with several.
    """
    lines = len(HEAD.findall(text))
    if lines != 1:
        raise PatchConvNetError(
            f'{name}: its head needs one line "> **Time:** ... .", and there are'
            f" {lines or 'none'}"
        )
    return HEAD.sub(lambda line: line["begin"] + sentence, text)


def with_times(text, page, chapters):
    """A page's text with the number before each mark as it is counted now.

    Raises:
        PatchConvNetError: a mark that follows no number, or that says nothing that can
            be counted.
    """

    def replaced(match):
        mark = one_line(match["mark"])
        if not (match["number"] or "").isdecimal():
            raise PatchConvNetError(f"{page}: {mark[:60]} follows no whole number")
        if not re.match("<!--\\s*time:", mark) or not mark.endswith("-->"):
            raise PatchConvNetError(f"{page}: {mark[:60]} is no <!-- time: ... -->")
        what = one_line(match["what"])
        return f"{value_of(what, page, chapters)}{match['mark']}"

    return MARK.sub(replaced, text)


def value_of(what, page, chapters):
    """The number behind a mark: minutes to five, or hours to one."""
    match = WHAT.fullmatch(what)
    if match is None:
        raise PatchConvNetError(
            f"{page}: {one_line(what)!r} is no time: write core hours, 01..13 hours, or"
            " 01 reading minutes"
        )
    first, last = match["first"] or "", match["last"] or match["first"] or "99"
    chosen = [
        count
        for name, sections in chapters.items()
        if first <= name[:2] <= last and (match["group"] != "core" or sections[""].core)
        for count in sections.values()
    ]
    if not chosen:
        raise PatchConvNetError(f"{page}: {what!r} is the time of no chapter")
    minutes = getattr(together(chosen), match["part"] or "whole")
    if match["unit"] == "minutes":
        return rounded(minutes)
    return math.floor(minutes / 60 + 0.5)


def updated(root):
    """Each file in which a time stands: a dict from its path to its text now and then.

    Raises:
        PatchConvNetError: as `with_head` and `with_times`; a chapter whose running time
            was not measured.
    """
    root, texts = Path(root), {}
    chapters, seconds = read_chapters(root), seconds_of(root)
    for name, sections in chapters.items():
        if name not in seconds:
            raise PatchConvNetError(f"{name} has no line in {SECONDS}: add its seconds")
        path = root / "chapters" / f"{name}.ipynb"
        sentence = head(together(sections.values()), seconds[name])
        before = _read(path)
        texts[path] = before, with_head(before, path.name, sentence)
    for page in PAGES:
        before = _read(root / page)
        texts[root / page] = before, with_times(before, page, chapters)
    return texts


def seconds_of(root):
    """Seconds that each chapter was measured to run: a dict."""
    with open(root / SECONDS, encoding="utf-8", newline="") as file:
        return {row["chapter"]: float(row["seconds"]) for row in csv.DictReader(file)}


def write(root):
    """Put the times where they stand: the paths of the files that this changes."""
    # first all, so that a mistake in the last leaves the first as it was
    texts = updated(root)
    changed = {path: new for path, (old, new) in texts.items() if old != new}
    for path in changed:
        check_writable(path)
    for path, text in changed.items():
        with written_aside(path) as aside:
            aside.write_bytes(text.encode("utf-8"))
    return list(changed)


# === the table ===


def table(chapters, with_sections=False):
    """The chapters, and at the end all of them in hours: a text."""
    rows = []
    for name, sections in chapters.items():
        rows.append((name, together(sections.values())))
        if with_sections:
            rows += [(f"  {key or '(head)'}", count) for key, count in sections.items()]
    width = max([16, *(len(name) for name, _ in rows)])
    lines = [f"{'minutes':{width}}  {'words':>7}  reading  exercises"]
    lines += [
        f"{name:{width}}  {count.words:7,}  {count.reading:7.0f}  {count.exercises:9}"
        for name, count in rows
    ]
    core = [sections for sections in chapters.values() if sections[""].core]
    for what, some in (("core", core), ("all", chapters.values())):
        whole = together(count for sections in some for count in sections.values())
        reading, exercises = whole.reading / 60, whole.exercises / 60
        lines.append(
            f"{f'{what}, in hours':{width}}  {whole.words:7,}  {reading:7.1f} "
            f" {exercises:9.1f}  together {whole.whole / 60:.1f}"
        )
    return "\n".join(lines)


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument(
        "--sections", action="store_true", help="a line for each section, too"
    )
    parser.add_argument(
        "--write", action="store_true", help="change heads and marked numbers"
    )
    options = parser.parse_args(arguments)
    if not options.write:
        print(table(read_chapters(ROOT), options.sections))
        return
    changed = write(ROOT)
    for path in changed:
        print(f"changed {path.relative_to(ROOT)}")
    if not changed:
        print("nothing to change: every time is as counted")


if __name__ == "__main__":
    sys.exit(main())
