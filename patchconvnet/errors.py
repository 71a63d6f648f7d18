"""The one kind of error that is the user's to mend."""


class PatchConvNetError(ValueError):
    """Bad input, a broken file, or a missing network: the message is one line that says what to do.

    The command line prints that line, without a traceback, and ends with exit code 2.
    """
