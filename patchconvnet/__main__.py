"""The command line: `python -m patchconvnet train`, `evaluate`, `attend` and `doctor`.

Bad input ends with one line on standard error and exit code 2.
"""

import argparse
import os
import re
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

# and no Keras: it takes seconds, and may not start
from patchconvnet.course import commands
from patchconvnet.course.terminal import Output
from patchconvnet.errors import PatchConvNetError, lines_of, one_line

# as TensorFlow, JAX and PyTorch say it
OUT_OF_MEMORY = re.compile("ResourceExhausted|RESOURCE_EXHAUSTED|OutOfMemory")
NO_MEMORY = (
    "there is not enough memory: close other programs, or take a smaller batch_size or"
    " network"
)
BACKENDS = ("tensorflow", "jax", "torch")  # as Keras calls them, and as pip does
RECORD = "a shipped record's name (shapes), or a run folder"  # what --record takes


def main(arguments=None):
    """Run one command.

    Returns:
        The exit code: 0; 1 where pictures were skipped, or `doctor` finds something to
        mend; 2 for bad input; 130 if interrupted.
    """
    # TensorFlow's start-up notes would drown the answer.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    output, errors = Output(sys.stdout), Output(sys.stderr)
    usual = warnings.formatwarning
    warnings.formatwarning = _as_one_line
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            code = _run(arguments)
        finally:
            warnings.formatwarning = usual
            output.flush()
        if output.problem is not None:
            reason = output.problem.strerror
            print(
                f"error: standard output cannot be written ({reason})", file=sys.stderr
            )
            code = 2
        errors.flush()
    return code


def _as_one_line(message, *where, **what):
    return f"warning: {one_line(message)}\n"


def _run(arguments):
    options = None
    try:
        options = _parser().parse_args(arguments)
        if options.run is not commands.doctor:  # it looks for itself, and goes on
            _check_backend()
        return options.run(options) or 0
    except PatchConvNetError as error:
        print(f"error: {lines_of(error)}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    except Exception as error:
        named = f"{type(error).__name__} {error}"
        if not (isinstance(error, MemoryError) or OUT_OF_MEMORY.search(named)):
            raise  # a fault of ours
        print(f"error: {NO_MEMORY}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        hint = ""
        if options and options.run is commands.train:
            hint = "; the same train command goes on from the last whole epoch"
        print(f"\nstopped{hint}", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as all of our errors are."""

    def error(self, message):
        raise PatchConvNetError(f"{message} (see {self.prog} --help)")


def _check_backend():
    accepted = f"{', '.join(BACKENDS[:-1])} or {BACKENDS[-1]}"
    backend = os.environ.get("KERAS_BACKEND")
    if backend and backend not in BACKENDS:
        raise PatchConvNetError(
            f"KERAS_BACKEND is {backend!r}: set it to {accepted}, or unset it"
        )
    # without the variable, Keras reads its own configuration file
    named = f"the backend {backend}"
    if not backend:
        named = f"what {_keras_file()} names, if it is there"
    try:
        import keras
    except Exception as error:  # whatever such a file, or a broken installation, says
        raise PatchConvNetError(
            f"Keras cannot start with {named} ({type(error).__name__}: {error}): pip"
            f" install {backend or 'tensorflow'}, or set KERAS_BACKEND to {accepted}"
        ) from error
    if keras.backend.backend() not in BACKENDS:
        raise PatchConvNetError(
            f"{_keras_file()} names the backend {keras.backend.backend()!r}: set"
            f" KERAS_BACKEND to {accepted}"
        )


def _keras_file():
    """Where Keras keeps what the user has set for all programs."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    return os.path.join(home, "keras.json")


def _parser():
    parser = _Parser(
        prog="python -m patchconvnet",
        description="PatchConvNet: train it, see it look.",
    )
    each = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(each)
    _add_evaluate(each)
    _add_attend(each)
    _add_doctor(each)
    return parser


def _add_train(each):
    train = each.add_parser("train", help="train a preset and write a run folder")
    train.set_defaults(run=commands.train)
    train.add_argument(
        "--preset",
        required=True,
        help="shapes, cifar10, cifar10_cpu or keras_example",
    )
    train.add_argument(
        "--out",
        required=True,
        metavar="DIR",
        help="run folder; a run that was stopped goes on",
    )
    train.add_argument(
        "--data",
        metavar="NAME",
        help="shapes, cifar10, pets, a folder of pictures or an .npz file, if not the"
        " preset's own",
    )
    train.add_argument("--epochs", type=int, help="if not the preset's own")
    train.add_argument(
        "--limit", type=int, metavar="N", help="train on the first N images only"
    )
    train.add_argument("--seed", type=int, default=0, help="default: 0")
    train.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a setting of the network or its training: depth=4,"
        " learning_rate=1e-3 (may be given again)",
    )
    train.add_argument(
        "--devices",
        type=_devices,
        metavar="all|N",
        help="spread each batch over all devices, or over so many",
    )
    train.add_argument(
        "--keep", help="epochs, weights, maps or scores: what stays in the run folder"
    )


def _devices(text):
    return int(text) if text.isdecimal() else text


def _add_evaluate(each):
    evaluate = each.add_parser(
        "evaluate", help="measure a record's network again, and compare"
    )
    evaluate.set_defaults(run=commands.evaluate)
    evaluate.add_argument("--record", required=True, help=RECORD)


def _add_attend(each):
    attend = each.add_parser(
        "attend",
        help="classify pictures and draw where the network looks",
        description="Classify pictures and draw where the network looks. One picture is"
        f" drawn with its most probable classes, up to {commands.MOST_PAIRS} side by"
        " side with their maps, more, or a folder, as a contact sheet. Exit code 1"
        " means that some of several pictures could not be read and were skipped.",
    )
    attend.set_defaults(run=commands.attend)
    attend.add_argument(
        "image",
        nargs="+",
        metavar="IMAGE",
        help="a picture file, its http(s) address, or a folder of pictures",
    )
    attend.add_argument("--record", required=True, help=RECORD)
    attend.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="picture to write: .png, .pdf or .svg",
    )


def _add_doctor(each):
    doctor = each.add_parser(
        "doctor",
        help="is this machine ready for the course?",
        description="Look at Python, packages, device, memory, disk, data and records,"
        " train for some seconds, and say what to mend. Needs no network. Exit code 1"
        " means that something must be mended.",
    )
    doctor.set_defaults(run=commands.doctor)
    doctor.add_argument(
        "--class",
        action="store_true",
        dest="strict",
        help="as a class needs it: remarks (little memory, no place to write) must be"
        " mended, too; lists each chapter's time",
    )
    doctor.add_argument(
        "--plan",
        metavar="FILE",
        help="the plan of a class: its chapters only, and its pictures",
    )
    doctor.add_argument(
        "--json",
        metavar="FILE",
        help="write the report as JSON, too, to collect it; - for standard output"
        " alone",
    )
    doctor.add_argument("--name", help="what to call this machine in the JSON")


if __name__ == "__main__":
    sys.exit(main())
