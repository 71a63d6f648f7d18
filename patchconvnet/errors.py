"""The one kind of error that is the user's to mend."""

import reprlib

# between letters of Persian, Hindi and emoji: they are seen, but no letters to Python
JOINERS = "\u200c\u200d"


class PatchConvNetError(ValueError):
    """Bad input, a broken file, or a missing network.

    The message is one line that says what to do. The command line prints that line,
    without a traceback, and ends with exit code 2.
    """


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
