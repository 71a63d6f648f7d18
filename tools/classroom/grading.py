"""What a graded class adds to an exercise, for nbgrader (schema 3 of its metadata).

An exercise is a cell to solve, a test cell for each name that its check looks at, and a
cell for the explanation, which a person reads; one for the prediction where the text
asks for one. A test cell shows the chapter's check. Below it, in `instructor/nbgrader`
alone, stands the hidden test: it runs the student's cell once more on other data, and
the chapter's solution beside it (see `classroom/graded`).
"""

import ast
import re
import textwrap
from pathlib import Path

import nbformat

GRADED = Path(__file__).resolve().parents[2] / "classroom" / "graded"
POINTS = {"easy": 4, "medium": 6, "hard": 8, "open": 12}
PREDICTION = 1  # of these points
ASKS = re.compile(r"\b(?:[Pp]redict|[Gg]uess|you expect)\b")
EXPLAIN = (
    "**Explain.** Why does it come out so? Which number shows it? And what does it not"
    " show?"
)
PREDICT = "**My prediction,** before I ran anything:"
YOURS = "# Exercise {}. Write the whole answer in this cell: grading runs it again."


def points_of(chapter, number):
    """Points of an exercise: a dict from the end of a cell's `grade_id`.

    "" is the cell to solve, where a person grades it; else "-NAME" is a test's. Half of
    all points are for the result, the rest for what is written. Without a cell to solve
    all are for that.
    """
    _, level = chapter.exercises()[number]
    ends = [
        f"-{name}"
        for source in _of(chapter, number, "check")
        for name in _names(source)
    ]
    if not ends and _of(chapter, number, "solution"):
        ends = [""]
    points = {end: POINTS[level] / 2 / len(ends) for end in ends}
    if asks_to_predict("".join(_of(chapter, number, "text"))):
        points["-prediction"] = PREDICTION
    return points | {"-explanation": POINTS[level] - sum(points.values())}


def asks_to_predict(text):
    without_code = re.sub(r"`[^`]*`", "", text)  # as in `model.predict`
    return bool(ASKS.search(without_code))


def written_points(points):
    """How many of an exercise's points are for words, which a person reads."""
    return points["-explanation"] + points.get("-prediction", 0)


def _of(chapter, number, job):
    """Sources of the cells of an exercise that have a job."""
    return [
        cell.node.source
        for cell in chapter.cells
        if cell.exercise == number and cell.job == job
    ]


def _names(source):
    return [name for name, _ in parts(source)]


def parts(source):
    """The checks in a check cell: pairs of the name that one looks at and its code.

    What stands above the first one belongs to each of them.
    """
    lines, above, found, end = source.splitlines(), [], [], 0
    for node in ast.parse(source).body:
        text = "\n".join(lines[end : node.end_lineno]).strip("\n")
        text, end = text.removeprefix("# @title Check\n"), node.end_lineno
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "check":
            found.append((call.args[0].value, "\n\n\n".join([*above, text])))
        else:
            above.append(text)
    return found


def exercise_cells(chapter, cell, stub, for_nbgrader):
    """What nbgrader needs instead of a solution or a check, or below a text alone.

    Args:
        chapter: a `Chapter`.
        cell: a `Cell` of an exercise.
        stub: the source of the cell to solve, as a student gets it.
        for_nbgrader: solutions and hidden tests stay, between the marks at which
            nbgrader cuts them out.

    Returns:
        A list of nodes, empty for a text whose exercise has a cell to solve.
    """
    number = cell.exercise
    points, made = points_of(chapter, number), []
    if cell.job == "solution":
        if "-prediction" in points:
            made.append(_written(PREDICT, "-prediction", for_nbgrader))
        if for_nbgrader:
            told = [line for line in stub.splitlines() if line.startswith("#")]
            stub = "\n".join([*told, _between("SOLUTION", cell.node.source)])
        solve = nbformat.v4.new_code_cell(stub)
        made.append((solve, "", {"solution": True, "grade": "" in points}))
    elif cell.job == "check":
        for name, source in parts(cell.node.source):
            if for_nbgrader:
                hidden = hidden_test(chapter, number, name)
                source = f"{source}\n\n{_between('HIDDEN TESTS', hidden)}"
            test = nbformat.v4.new_code_cell(source)
            made.append((test, f"-{name}", {"grade": True, "locked": True}))
    jobs = [job for job in ("check", "solution", "text") if _of(chapter, number, job)]
    if cell.job == jobs[0]:  # the last of the exercise
        made.append(_written(EXPLAIN, "-explanation", for_nbgrader))
    for node, end, job in made:
        _mark(node, f"{chapter.name}-{number}{end}", job, points.get(end))
    return [node for node, _, _ in made]


def _written(text, end, for_nbgrader):
    """A cell to write in, which a person reads."""
    here = _between("SOLUTION", "…") if for_nbgrader else "…"
    node = nbformat.v4.new_markdown_cell(f"{text}\n\n{here}")
    return node, end, {"solution": True, "grade": True}


def _between(what, text):
    return f"### BEGIN {what}\n{text}\n### END {what}"


def _mark(node, grade_id, job, points):
    node.metadata["nbgrader"] = {
        "schema_version": 3,
        "cell_type": node.cell_type,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
        **job,
        **({"points": points} if job.get("grade") else {}),
    }


# === hidden tests ===


def hidden_test(chapter, number, name):
    """The text of a hidden test: a function of its own, called once."""
    again = (GRADED / "again.py").read_text(encoding="utf-8")
    own = (GRADED / f"{chapter.name}.py").read_text(encoding="utf-8")
    others = f"other_{number}", f"use_{name}"
    own, defined = _without_others(own, others)
    [solution] = _of(chapter, number, "solution")
    lines = "\n".join(f"    {line!r}," for line in solution.splitlines())
    other, use = (one if one in defined else "None" for one in others)
    body = f"""{again}

{own}

solution = [
{lines}
]
compare({name!r}, solution, names, {other}, {use}, {_within(own, name)})"""
    body = textwrap.indent(body, "    ")
    return f"def hidden_test(names):\n{body}\n\n\nhidden_test(globals())"


def _without_others(source, kept):
    """The text of a chapter's file without the functions of other exercises.

    Returns:
        The text, and the names of the functions in it.
    """
    lines, dropped, defined = source.splitlines(), set(), set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            if node.name.startswith(("other_", "use_")) and node.name not in kept:
                dropped |= set(range(node.lineno - 1, node.end_lineno))
            else:
                defined.add(node.name)
    text = [line for place, line in enumerate(lines) if place not in dropped]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(text)).strip(), defined


def _within(source, name):
    return f'WITHIN.get("{name}", NEAR)' if "WITHIN =" in source else "NEAR"
