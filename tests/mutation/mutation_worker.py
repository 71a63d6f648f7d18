"""Runs pytest in a copy of the course, again and again: Keras, which takes seconds, is
imported once, and each run is a fork.

    worker = Worker(copy)
    worker.turns_red(["tests/test_schedule.py"], patience=60)  True if it fails, hangs

Started by itself, in the copy, this file is the process that forks. Not on Windows,
which has no fork.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

OPTIONS = ["-q", "-x", "-o", "addopts=", "-p", "no:cacheprovider"]


class Worker:
    def __init__(self, copy):
        defaults = {
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
        }
        environment = (
            defaults
            | os.environ
            | {
                "PYTHONPATH": str(copy),
                "PYTHONDONTWRITEBYTECODE": "1",
            }
        )
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__)], cwd=copy, env=environment, **pipes
        )

    def turns_red(self, tests, patience):
        print(json.dumps([patience, tests]), file=self.process.stdin, flush=True)
        code = int(self.process.stdout.readline())
        if code == 5:
            raise SystemExit(f"pytest found none of {' '.join(tests)}")
        return code != 0

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    import keras  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import PIL.Image  # noqa: F401
    import pytest

    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (1, 2):
        os.dup2(nowhere, number)
    for line in sys.stdin:
        patience, tests = json.loads(line)
        child = os.fork()
        if not child:
            os.setsid()
            os.dup2(nowhere, 0)
            sys.path[0] = os.getcwd()  # in place of tests/, where this file lies
            os._exit(int(pytest.main([*OPTIONS, *tests])))
        print(_end_of(child, time.monotonic() + patience), file=answers, flush=True)


def _end_of(child, deadline):
    """How a run ended: pytest's exit code, or 1 if it crashed, or had to be killed with
    all that it started.
    """
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 1


if __name__ == "__main__":
    main()
