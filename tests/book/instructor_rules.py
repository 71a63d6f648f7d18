"""The rules that chapter 14 keeps: outcomes, timetables, numbers, chapters.

Each takes the page's text and yields what is wrong, a string a problem.
"""

import csv
import functools
import itertools
import re
import tomllib
from pathlib import Path

import times
from classroom.chapters import STUB_CHECK, read_chapter
from classroom.plan import find_plan, read_plan
from patchconvnet.course.plans import OLD_NAMES

ROOT = Path(__file__).resolve().parents[2]
PLANS = ("90min", "half-day", "three-weeks")
WORDS = "no one two three four five six seven eight nine ten".split()
CIFAR = re.compile(r'(?:load_dataset|train)\(\s*(?:preset=)?"cifar10"')


@functools.cache
def course():
    """The chapters, as `read_chapter` has them, by number: "01" to "18"."""
    paths = sorted((ROOT / "chapters").glob("*.ipynb"))
    return {path.stem[:2]: read_chapter(path) for path in paths}


@functools.cache
def plan(name):
    return read_plan(find_plan(name))


def tagged(number, tag):
    """The source of a chapter's code cells with a tag, together."""
    cells = [cell.node for cell in course()[number].cells]
    tagged = [cell for cell in cells if tag in cell.metadata.get("tags", [])]
    return "\n".join(cell.source for cell in tagged)


def rows(page, opening):
    """The first table after an opening: a list of cells for each row."""
    lines = page[page.index(opening) :].splitlines()
    table = itertools.dropwhile(lambda line: not line.startswith("|"), lines)
    table = list(itertools.takewhile(lambda line: line.startswith("|"), table))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def listed(text):
    return re.findall(r"\b\d\d\b", text)


# === outcomes ===


def outcomes(page):
    """A row's chapters and exercises exist, and no chapter is without an outcome."""
    reached, written = set(), set()
    for outcome, chapters, shown in rows(page, "## What students will be able to do"):
        reached |= set(listed(chapters))
        for part in shown.split("; "):
            yield from exercise_problems(part, listed(chapters))
            if part.startswith('"Yours to write"'):
                own = listed(chapters if part.endswith("each") else part)
                yield from stub_problems(own, "weights set over" in outcome)
                written |= set(own)
            yield from (
                f"{number} shows it, and is not in its row: {outcome}"
                for number in listed(part)
                if number not in listed(chapters)
            )
    yield from (f"{number} is no chapter" for number in sorted(reached - {*course()}))
    yield from (
        f"{number} has no outcome" for number in course() if number not in reached
    )
    yield from (
        f"nothing says that there is a part to write in {number}"
        for number in course()
        if tagged(number, "stub") and number not in written
    )


def exercise_problems(part, chapters):
    found = re.fullmatch(r"(\d\d): (\d(?:, \d)*)", part)
    if not found and not re.fullmatch(
        r'"Yours to write" in (each|\d\d(, \d\d)*)', part
    ):
        yield f"cannot be read: {part}"
    if found and found[1] in course():
        for number in found[2].split(", "):
            if int(number) not in course()[found[1]].exercises():
                yield f"{found[1]} has no exercise {number}"


def stub_problems(numbers, equal):
    for number in filter(course().get, numbers):
        if "# Yours to write" not in tagged(number, "stub"):
            yield f"nothing is to be written in {number}"
        elif equal and "set_weights(" not in tagged(number, STUB_CHECK):
            yield f"{number} sets no weights over"


# === timetables ===


def taken(part):
    """What of a chapter a part takes, in the words of the page."""
    count, what = len(part.leave_out), ", without"
    if part.sections is not None:
        count, what = len(part.sections), ","
    return f"{what} {WORDS[count]} section{'s' * (count != 1)}" if count else ""


def minutes(page):
    """Each line of a table is a part of the plan: minutes, chapter, how much of it."""
    for name in PLANS[:2]:
        parts = [part for session in plan(name).session for part in session.part]
        wanted = [
            f"{part.minutes} "
            + (
                f"[{part.chapter[:2]}]({part.chapter}.ipynb){taken(part)}"
                if part.chapter
                else part.title.lower()
            )
            for part in parts
        ]
        stated = [f"{row[0]} {row[1]}" for row in rows(page, f"(`{name}`)")]
        yield from differences(name, stated, wanted)


def sessions(page):
    """A session's chapters in order, "in part" where sections are chosen, minutes."""
    wanted = [
        ", ".join(
            (part.chapter[:2] if part.chapter else part.title.split(",")[0].lower())
            + (" in part" if taken(part) else "")
            + f" ({part.minutes})"
            for part in session.part
        )
        for session in plan("three-weeks").session
    ]
    stated = [row[1] for row in rows(page, "(`three-weeks`)")]
    yield from differences("three-weeks", stated, wanted)
    opening = re.search(r"\(`three-weeks`\)\. (\w+) sessions.+?but (.+?)\.", page)
    if opening[1].lower() != WORDS[len(wanted)]:
        yield f"three-weeks: {opening[1]} sessions are {len(wanted)}"
    left = sorted({*course()} - {name[:2] for name in plan("three-weeks").chapters()})
    comment = find_plan("three-weeks").read_text(encoding="utf-8").splitlines()[0]
    for where, text in (("page", opening[2]), ("comment", comment)):
        if listed(text) != left:
            yield f"three-weeks: its {where} leaves out {listed(text)}, not {left}"


def differences(name, stated, wanted):
    for page, ours in itertools.zip_longest(stated, wanted):
        if page != ours:
            yield f"{name}: {page!r} is {ours!r} in the plan"


def note_problems(part):
    """What a plan's note names is in the chapter: sections, and exercises taken."""
    named = re.findall(r"chapter (\d\d)", part.note) or [(part.chapter or "")[:2]]
    headings = [
        line.lstrip("# ")
        for number in filter(course().get, named)
        for cell in course()[number].cells
        for line in cell.node.source.splitlines()
        if cell.job == "text" and line.startswith("##")
    ]
    for quoted in re.findall(r"'([^']+)'", part.note):
        if not any(heading.startswith(quoted) for heading in headings):
            yield f"nothing is called {quoted!r}"
    for found in re.findall(r"exercises? (\d(?: and \d)*)", part.note):
        if missing := {*map(int, found.split(" and "))} - {*part.exercises}:
            yield f"exercises that the part does not take: {missing}"


# === the rest of the page ===


def steps(page):
    """The example makes a section less; old names; how long the commands run."""
    example = tomllib.loads(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1])
    part = plan("90min").parts_of("01_overview")[0]
    if len({*example["leave_out"]} - {*part.leave_out}) != 1:
        yield f"not one section less than {part.leave_out}"
    if unknown := {*example["leave_out"]} - {*course()["01"].sections()}:
        yield f"no sections of 01: {unknown}"
    if {old: new for new, old in re.findall(r"`(\w+)` for `(\w+)`", page)} != OLD_NAMES:
        yield "other old names than the tool's"
    with open(ROOT / times.SECONDS, encoding="utf-8", newline="") as file:
        seconds = {row["chapter"]: int(row["seconds"]) for row in csv.DictReader(file)}
    own = seconds["15_own_pictures"]
    if "a minute or two" in page and not 60 <= own <= 120:
        yield f"chapter 15 takes {own} seconds"
    # step 2 runs chapter 15, step 4 every chapter of the kit
    whole = (own + sum(seconds[name] for name in plan("90min").chapters())) / 60
    stated = WORDS.index(re.search(r"up to (\w+) minutes on two cores", page)[1])
    if not whole <= stated <= whole + 2:
        yield f"the commands run for {whole:.1f} minutes, not {stated}"


def chapters_named(page):
    """The core path; the project; CIFAR-10; what most chapters have."""
    core = [name[:2] for name, one in times.read_chapters(ROOT).items() if one[""].core]
    if listed(re.search(r"the core path \((.+?)\)", page)[1]) != core:
        yield f"the core path is {core}"
    for named in re.findall(r"[Cc]hapters? (\d\d(?:(?:, | and | to )\d\d)*)", page):
        unknown = {*listed(named)} - {*course(), "14"}
        yield from (f"{number} is no chapter" for number in sorted(unknown))
    exercise, number = re.search(r"Exercise (\d) of chapter (\d\d)", page).groups()
    if course()[number].exercises().get(int(exercise), ("", ""))[1] != "open":
        yield f"exercise {exercise} of chapter {number} is no project"
    number = re.search(r"only needed if the last part of chapter (\d\d)", page)[1]
    last = course()[number].sections()
    last = (number, last[last.index("Exercises") - 1])
    needing = {
        (number, cell.section)
        for number, chapter in course().items()
        for cell in chapter.cells
        if cell.job != "text" and CIFAR.search(cell.node.source)
    }
    if needing != {last}:
        yield f"CIFAR-10 is needed in {needing}"
    levels = [{one[1] for one in c.exercises().values()} for c in course().values()]
    if sum("open" in some for some in levels) <= len(levels) / 2:
        yield "most chapters have no open exercise"


def notes(page):
    """Every chapter has its title, link and notes, which have so many to discuss."""
    wanted = [
        f"### {number} {chapter.title}\n\n[The chapter]({chapter.name}.ipynb).\n\n"
        f"```{{include}} ../classroom/notes/{chapter.name}.md\n"
        for number, chapter in course().items()
    ]
    pattern = r"### \d\d .+\n\n\[The chapter\]\(.+\)\.\n\n```\{include\} .+\n"
    yield from differences("notes", re.findall(pattern, page), wanted)
    said = re.search(r"questions that come, (\w+)(?: or (\w+))? to discuss", page)
    allowed = {WORDS.index(word) for word in filter(None, said.groups())}
    for path in sorted((ROOT / "classroom" / "notes").glob("*.md")):
        discuss = path.read_text(encoding="utf-8").split("## Discuss\n")[1]
        if (
            count := len(re.findall(r"(?m)^- ", discuss.split("\n## ")[0]))
        ) not in allowed:
            yield f"{path.stem}: {count} to discuss"
