"""What a command prints on: a terminal, a pipe, a file, or nothing at all.

The terminal may know few letters, the reader of the pipe leave, the disk be full.
"""

import os


class Output:
    """A stream that loses no work.

    It replaces letters that the terminal lacks, and goes on without a reader: one may
    leave (`| head -1`), and that is no error. That a disk is full is told at the end.
    """

    def __init__(self, stream):
        # None where there is none: a closed one, or a program without a window
        self.stream = stream
        self.problem = None  # the `OSError` of a stream that cannot be written

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, text):
        if self.stream is not None:
            encoding = self.stream.encoding or "utf-8"
            shown = text.encode(encoding, "replace").decode(encoding)
            self._try(self.stream.write, shown)
        return len(text)

    def flush(self):
        if self.stream is not None:
            self._try(self.stream.flush)

    def can_show(self, text):
        """Whether the stream has all letters of a text."""
        try:
            text.encode(getattr(self.stream, "encoding", None) or "ascii")
        except UnicodeEncodeError:
            return False
        return True

    def isatty(self):
        return self.stream is not None and self.stream.isatty()

    def _try(self, action, *given):
        try:
            action(*given)
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.problem = error
            # What is still to come, at Python's own end too, goes nowhere.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
