"""The one kind of error that is the user's to mend, and what a setting may be.

PatchConvNetError   says in one line what was given, what is accepted and what to do
listing             such an error with names, one a line
short, one_line     values and texts as they may stand in such a line
Rule                what a setting may be: a test, and the same in words
Checked             a dataclass of settings, each held against its rule

rule = whole(1, 500)
rule.check("depth", True)   # raises a PatchConvNetError:
                            # depth must be a whole number from 1 to 500, got True

@dataclass(frozen=True)
class Config(Checked):      # the same for every field: Config(depth=0) raises
    depth: int = setting(2, whole(1, 500))
"""

import difflib
import reprlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields

# between letters of Persian, Hindi and emoji: they are seen, but no letters to Python
JOINERS = "\u200c\u200d"


class PatchConvNetError(ValueError):
    """Bad input, a broken file, or a missing network.

    The message is one line that says what to do. The command line prints that line,
    without a traceback, and ends with exit code 2. Below it come its notes, each in a
    line of its own: names that are accepted, files that cannot be read.
    """


def listing(message, names):
    """An error with names below its message, one a line: they are its notes."""
    error = PatchConvNetError(message)
    for name in names:
        error.add_note(one_line(name))
    return error


def lines_of(error):
    """What an error says, in lines that a terminal can show: the first, its notes."""
    notes = (f"  {one_line(note)}" for note in getattr(error, "__notes__", ()))
    return "\n".join([one_line(error), *notes])


def short(value):
    """A value as it may stand in a message: its repr, cut.

    Some numbers and nested lists have none.
    """
    try:
        return one_line(reprlib.repr(value))
    except Exception:
        return f"a value of type {type(value).__name__} that is too long to show"


def one_line(said):
    """A text, or an error's, as a single line that a terminal can show.

    What cannot be printed becomes U+FFFD. File names may hold line breaks, commands to
    the terminal, and bytes that are no letters.
    """
    words = " ".join(str(said).split())
    sign = "\N{REPLACEMENT CHARACTER}"
    return "".join(
        letter if letter.isprintable() or letter in JOINERS else sign
        for letter in words
    )


# === rules ===


@dataclass(frozen=True)
class Rule:
    """A condition that values are held against.

    Attributes:
        accepts: function of a value: whether it may be so.
        words: what it may be, as in "must be ...".
    """

    accepts: Callable
    words: str

    def check(self, name, value):
        """Raise a `PatchConvNetError` with name and value, unless it may be so."""
        if not self.accepts(value):
            raise PatchConvNetError(f"{name} must be {self.words}, got {short(value)}")


def whole(lowest, highest):
    """A whole number in this range, both ends included; True and 2.0 are none."""
    return Rule(
        lambda value: _is(value, int) and lowest <= value <= highest,
        f"a whole number from {lowest:,} to {highest:,}",
    )


def number(lowest, highest, words, above=False, below=False):
    """A finite number in this range.

    With `above` or `below`, its lower or upper end is not part of it.
    """

    def accepts(value):
        # NaN is in no range
        if not _is(value, (int, float)) or not lowest <= value <= highest:
            return False
        return not (above and value == lowest) and not (below and value == highest)

    return Rule(accepts, words)


def one_of(*choices):
    """One of these words, numbers or None.

    Numbers that equal one of them, but are of another type, are refused.
    """

    def accepts(value):
        return any(
            type(value) is type(choice) and value == choice for choice in choices
        )

    return Rule(accepts, f"one of {', '.join(map(repr, choices))}")


def none_or(rule):
    accepts = lambda value: value is None or rule.accepts(value)
    return Rule(accepts, f"None or {rule.words}")


def several(rule, most):
    """One to `most` values of a kind, as a tuple or list."""

    def accepts(values):
        are_several = isinstance(values, (tuple, list)) and 1 <= len(values) <= most
        return are_several and all(map(rule.accepts, values))

    return Rule(accepts, f"a sequence of 1 to {most}, each {rule.words}")


def setting(default, rule):
    """A field of a dataclass: its default, and what it may be."""
    return field(default=default, metadata={"rule": rule})


class Checked:
    """Of a dataclass of settings: each field is held against its rule."""

    def __post_init__(self):
        for entry in fields(self):
            entry.metadata["rule"].check(entry.name, getattr(self, entry.name))

    @classmethod
    def names(cls):
        """The names of the fields, in their order: a tuple of strings."""
        return tuple(entry.name for entry in fields(cls))


def _is(value, kinds):
    return isinstance(value, kinds) and not isinstance(value, bool)


def plain(value):
    """A number of NumPy's as Python's own, which JSON can write; else what it is."""
    import numpy as np  # `doctor` needs this module where NumPy is broken, too

    return value.item() if isinstance(value, np.generic) else value


def nearest(name, known):
    """What to add to an error about an unknown name: the known one most like it."""
    near = difflib.get_close_matches(str(name), known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


YES_OR_NO = one_of(True, False)
SHARE = number(0, 1, "a number, at least 0 and below 1", below=True)
LAYER_SCALE = number(0, 100, "a number from 0 to 100")
ANYTHING = Rule(lambda value: True, "anything")
