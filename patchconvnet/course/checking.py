"""Check cells: does an exercise's result have the properties that it should have?

    check(
        "shares",
        {
            "five numbers": lambda shares: np.shape(shares) == (5,),
            "their sum is 1": ...,
        },
        hint="Softmax?",
    )

A check says what was expected, what came, and a hint. It looks at form and at an
example, never says the solution, and is no lock: who wants to pass it without a
solution, can. It needs no network, and changes nothing.
"""

import sys
import textwrap
import warnings

MISSING = object()
WIDTH = 79  # columns


class NotYet(AssertionError):
    """The result is not there yet, or not right.

    A notebook shows the message alone, without a traceback.
    """

    def _render_traceback_(self):  # IPython asks for it
        return [f"Not yet. {self}"]


def check(name, wanted, hint, stop=True):
    """Look at the variable `name` of the calling notebook; a line if all is well.

    Args:
        name: the variable, a string.
        wanted: a dict: what is expected, in words, to a function that takes the value
            and returns whether it is so. They are asked in this order. One that raises
            an error counts as "no".
        hint: what to think about, one sentence.
        stop: False prints what is lacking, for a part that is still to be written:
            the cells below run all the same.

    Raises:
        NotYet: if there is no such variable, or the first property that it lacks.
            Graders count this as a failed test.
    """
    value = sys._getframe(1).f_globals.get(name, MISSING)
    try:
        _fulfils_all(name, value, wanted, hint)
    except NotYet as lacking:
        if stop:
            raise
        print(f"Not yet. {lacking}")
    else:
        print(_wrapped(f"ok, {name}: {'; '.join(wanted)}", 2))


def _fulfils_all(name, value, wanted, hint):
    if value is MISSING:
        raise NotYet(
            f"There is no `{name}` yet. Write the exercise's cell, and run it first."
        )
    for description, holds in wanted.items():
        with warnings.catch_warnings():  # a graded cell that warns would fail
            warnings.simplefilter("ignore")
            came = _what_came(value, holds)
        if came:
            said = {"expected:": description, "came:": came, "hint:": hint}
            lines = [
                _wrapped(f"  {title:10}{text}", 12) for title, text in said.items()
            ]
            raise NotYet("\n".join([f"`{name}`", *lines]))


def _wrapped(text, indent):
    """The text in lines that a page shows whole, all but the first one indented."""
    return textwrap.fill(
        text,
        WIDTH,
        subsequent_indent=indent * " ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _what_came(value, holds):
    """None where a property holds, else what there is instead, in a few words."""
    try:
        return None if holds(value) else describe(value)
    except Exception as error:  # a student's value may be anything, and so may this
        if not callable(value):
            return describe(value)
        return _short(f"{type(error).__name__}: {error}")


def describe(value):
    """A value in a few words, for those who look for their mistake.

    That is its type, its shape if it has one, and how it begins. A function or a class
    is called by its name: its address differs from run to run.
    """
    kind = type(value).__name__
    if callable(value) and hasattr(value, "__name__"):
        return f"{kind} {value.__name__}, with another result"
    if (shape := getattr(value, "shape", None)) is not None:
        kind += f" of shape {tuple(shape)}"
    return f"{kind}: {_short(repr(value))}"


def _short(text):
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
