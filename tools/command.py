"""How a tool ends: what its user can mend is one line on standard error, code 2.

Names that belong to it follow, one a line.

`benchmark`, `export_web` and `set_repository` have their own way: they start without
the package, and so without Keras.
"""

import argparse
import functools
import sys

from patchconvnet.errors import PatchConvNetError, lines_of, one_line


class Parser(argparse.ArgumentParser):
    """A tool's options, with its documentation as help."""

    def __init__(self, documentation):
        super().__init__(
            description=documentation,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def error(self, message):
        raise PatchConvNetError(f"{message} (see {self.prog} --help)")


def in_one_line(main):
    """Decorates a tool's `main(arguments=None)`: it gives the exit code.

    The tool returns None if all went well.
    """

    @functools.wraps(main)
    def run(arguments=None):
        if hasattr(sys.stdout, "reconfigure"):
            # for what a terminal cannot print
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return main(arguments) or 0
        except (PatchConvNetError, OSError) as error:
            print(f"error: {lines_of(error)}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("\nstopped", file=sys.stderr)
            return 130

    return run


def check_utf8(name, what):
    """An error for a name that no page, and no zip, can hold."""
    try:
        str(name).encode("utf-8")
    except UnicodeEncodeError:
        raise PatchConvNetError(
            f"{one_line(name)}, the place of {what}, is no UTF-8: give it another name"
        ) from None
