"""Checks in a process of their own: what kills it, or never ends, is a finding.

A backend that was built for a newer processor dies of an illegal instruction as soon as
it is imported; others stop and never say why. No `except` helps against that.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time

# begins the line of a check; whatever else is printed comes from libraries
MARK = "patchconvnet doctor: "
# seconds for one check: TensorFlow alone may take half a minute on a slow disk
PATIENCE = 180.0
WINDOWS_ENDS = {0xC000001D: "SIGILL", 0xC0000005: "SIGSEGV", 0xC0000409: "SIGABRT"}


def reports(rest, own):
    """Run checks apart, one after the other.

    After one that kills its process, a new process goes on with the rest.

    Args:
        rest: names of checks that `python -m patchconvnet.course.doctor` knows, a list.
            Each is taken out as it is yielded; after one that killed its process, the
            caller may take out others, too.
        own: the place of own pictures, or None.

    Yields:
        (name, what `report` wrote, a dict) or (name, how the process ended, a string).
    """
    while rest:
        try:
            child = _Child(rest, own)
        except (OSError, ValueError) as error:  # no memory; no such interpreter
            yield rest.pop(0), f"no process can be started: {error}"
            continue
        try:
            while rest:
                found = child.next_report()
                yield rest.pop(0), found
                if isinstance(found, str):
                    break
        finally:
            child.stop()


def report(found):
    """What the child says of a check: a line by itself, whatever came before it."""
    sys.stdout.write(f"\n{MARK}{json.dumps(found)}\n")
    sys.stdout.flush()


class _Child:
    """A running `python -m patchconvnet.course.doctor`, with this process's modules."""

    def __init__(self, names, own):
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        environment = {
            **os.environ,
            "PYTHONPATH": paths,
            "PYTHONSAFEPATH": "1",
            "PYTHONIOENCODING": "utf-8:replace",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "patchconvnet.course.doctor", own or "", *names],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.lines = queue.Queue()
        self.said = ""  # the last line that is no report: often the only word of why
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):  # in a thread: Windows cannot wait for a pipe and a clock at once
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line.decode("utf-8", "replace"))
        self.lines.put(None)

    def next_report(self):
        """The report of the next check, a dict; or how the process ended, a string."""
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                said = f", and said: {self.said}" if self.said else ""
                return _how_it_ended(self.process.wait()) + said
            if line.startswith(MARK):
                return json.loads(line.removeprefix(MARK))
            self.said = line.strip() or self.said
        return f"it did not end within {PATIENCE:.0f} seconds"

    def stop(self):
        self.process.kill()
        self.process.wait()


def _how_it_ended(code):
    try:
        name = WINDOWS_ENDS.get(code) or signal.Signals(-code).name
    except ValueError:
        return f"the process ended with exit code {code}"
    return f"the process died of {name}"
