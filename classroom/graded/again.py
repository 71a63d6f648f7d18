"""A hidden test: a student's cell runs once more, on other data.

Its text goes into each test cell of `instructor/nbgrader`, with what the file of the
chapter says of the exercise: `other_2` makes the names that exercise 2 then finds
changed, `use_NAME` turns what it makes into what is compared, `WITHIN` says how near.
The chapter's own solution runs on the same data, and both must come to the same.
"""

import builtins
import contextlib
import inspect
import symtable

from IPython.utils.capture import capture_output

NEAR = 0.0051  # two decimals, rounded up or down


def cell_that_makes(name, cells):
    """The last of the cells that were run that makes `name`."""
    for source in reversed(cells):
        try:
            table = symtable.symtable(source, "cell", "exec")
        except SyntaxError:
            continue
        if name in table.get_identifiers() and table.lookup(name).is_assigned():
            return source
    raise AssertionError(f"no cell makes {name}")


def numbers(value):
    """Everything in a value, in a row: numbers as float, and strings."""
    if isinstance(value, str):
        return [value]
    if hasattr(value, "numpy"):  # a tensor
        value = value.numpy()
    if hasattr(value, "tolist"):  # an array
        value = value.tolist()
    try:
        parts = list(value)
    except TypeError:
        return [float(value)]
    return [number for part in parts for number in numbers(part)]


def near(these, those, within):
    """Whether two rows are as long, and the same up to `within`."""
    return len(these) == len(those) and all(
        one == other if isinstance(other, str) else -within <= one - other <= within
        for one, other in zip(these, those)
    )


def given(function, names):
    """What a function returns that is given, of all names, those that it asks for."""
    wanted = inspect.signature(function).parameters
    return function(**{name: names[name] for name in wanted})


@contextlib.contextmanager
def kept(names):
    """The notebook's names are afterwards as they were before."""
    saved = dict(names)
    try:
        yield
    finally:
        for made in names.keys() - saved.keys():
            del names[made]
        names.update(saved)


def outcome(name, source, names, other, use):
    """What a cell makes of other data."""
    with kept(names), capture_output():
        names.update(given(other, names) if other else {})
        names.pop(name, None)
        exec(source, names)
        return numbers(given(use, names) if use else names[name])


def compare(name, solution, names, other, use, within=NEAR):
    student = cell_that_makes(name, names["In"][:-1])
    with kept(names):
        for python in builtins.dir(builtins):  # max = 3 is a student's own affair
            if not python.startswith("_"):
                names.pop(python, None)
        got = outcome(name, student, names, other, use)
        wanted = outcome(name, "\n".join(solution), names, other, use)
        assert not near([0.25], [0.75], NEAR), "comparisons were tampered with"
        assert near(got, wanted, within), f"on other data, {name} is not right"
