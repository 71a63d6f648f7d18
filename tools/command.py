"""How a tool ends: what its user can mend is one line on standard error, code 2.

Names that belong to it follow, one a line.

`benchmark`, `export_web` and `set_repository` have their own way: they start without
the package, and so without Keras.
"""

import argparse
import functools
import os
import re
import subprocess
import sys

from patchconvnet.errors import PatchConvNetError, lines_of, one_line

# a line that says why, where a command says much
TELLING = re.compile("WARNING|ERROR|Error:|fatal:")


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


def run(command, problem, folder, telling=TELLING, **options):
    """Standard output of a command that is run in `folder`.

    Raises:
        PatchConvNetError: if it fails: `problem`, and the first line that says why,
            which is one that has the pattern `telling`, if there is any.
    """
    result = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        **options,
    )
    if result.returncode:
        # jupyter-book colours its lines, whoever reads them
        plain = re.sub(r"\x1b\[[\d;]*m", "", result.stderr)
        lines = [line.strip() for line in plain.splitlines() if line.strip()]
        lines = lines or ["it does not say why"]
        reason = next(filter(telling.search, lines), lines[-1])
        raise PatchConvNetError(f"{problem}: {reason.replace(f'{folder}{os.sep}', '')}")
    return result.stdout


def check_utf8(name, what):
    """An error for a name that no page, and no zip, can hold."""
    try:
        str(name).encode("utf-8")
    except UnicodeEncodeError:
        raise PatchConvNetError(
            f"{one_line(name)}, the place of {what}, is no UTF-8: give it another name"
        ) from None
