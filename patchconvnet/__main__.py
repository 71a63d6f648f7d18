"""The command line: `python -m patchconvnet train`, `evaluate`, `attend` and `doctor`.

Bad input ends with one line on standard error and exit code 2.
"""

import argparse
import ast
import os
import re
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

from patchconvnet.course.terminal import Output

# and no Keras: it takes seconds, and may not start
from patchconvnet.errors import PatchConvNetError, one_line

# pictures that `attend` draws side by side; more become a contact sheet
MOST_PAIRS = 12
MOST_PICTURES = 400  # on one contact sheet
# TensorFlow, JAX, PyTorch
OUT_OF_MEMORY = re.compile("ResourceExhausted|RESOURCE_EXHAUSTED|OutOfMemory")
NO_MEMORY = (
    "there is not enough memory: close other programs, or take a smaller batch_size or"
    " network"
)
BACKENDS = ("tensorflow", "jax", "torch")  # as Keras calls them, and as pip does


def main(arguments=None):
    """Run one command; returns the exit code: 0; 1 where pictures were skipped, or
    `doctor` finds something to mend; 2 for bad input; 130 if interrupted.
    """
    # TensorFlow's start-up notes would drown the answer.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    output, errors = Output(sys.stdout), Output(sys.stderr)
    usual = warnings.formatwarning
    warnings.formatwarning = lambda message, *where, **what: (
        f"warning: {one_line(message)}\n"
    )
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            code = _run(arguments)
        finally:
            warnings.formatwarning = usual
            output.flush()
        if output.problem is not None:
            print(
                f"error: standard output cannot be written ({output.problem.strerror})",
                file=sys.stderr,
            )
            code = 2
        errors.flush()
    return code


def _run(arguments):
    options = None
    try:
        options = _parser().parse_args(arguments)
        if options.run is not _doctor:  # it looks for itself, and goes on
            _check_backend()
        return options.run(options) or 0
    except PatchConvNetError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    except Exception as error:
        if not (
            isinstance(error, (OSError, MemoryError))
            or OUT_OF_MEMORY.search(f"{type(error).__name__} {error}")
        ):
            raise  # a fault of ours
        reason = one_line(error) if isinstance(error, OSError) else NO_MEMORY
        print(f"error: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        hint = (
            "; the same train command goes on from the last whole epoch"
            if options and options.run is _train
            else ""
        )
        print(f"\nstopped{hint}", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as all of our errors are."""

    def error(self, message):
        raise PatchConvNetError(f"{message} (see {self.prog} --help)")


def _check_backend():
    accepted = f"{', '.join(BACKENDS[:-1])} or {BACKENDS[-1]}"
    # else Keras reads its own configuration file
    backend = os.environ.get("KERAS_BACKEND") or None
    if backend is not None and backend not in BACKENDS:
        raise PatchConvNetError(
            f"KERAS_BACKEND is {backend!r}: set it to {accepted}, or unset it"
        )
    try:
        import keras
    except Exception as error:
        # whatever a configuration file, or a broken installation, makes it say
        named = (
            f"the backend {backend}"
            if backend
            else f"what {_keras_file()} names, if it is there"
        )
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
    return os.path.join(
        os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"), "keras.json"
    )


def _parser():
    parser = _Parser(
        prog="python -m patchconvnet",
        description="PatchConvNet: train it, see it look.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a preset and write a run folder")
    train.set_defaults(run=_train)
    train.add_argument(
        "--preset", required=True, help="shapes, cifar10, cifar10_cpu or keras_example"
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
        help=(
            "shapes, cifar10, a folder of pictures or an .npz file, if not the"
            " preset's own"
        ),
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
        help=(
            "change a setting of the network or its training: depth=4,"
            " learning_rate=1e-3 (may be given again)"
        ),
    )
    train.add_argument(
        "--devices",
        type=_devices,
        metavar="all|N",
        help="spread each batch over all devices, or over so many",
    )
    train.add_argument(
        "--keep", help="epochs, weights or scores: what stays in the run folder"
    )

    evaluate = commands.add_parser(
        "evaluate", help="measure a record's network again, and compare"
    )
    evaluate.set_defaults(run=_evaluate)
    evaluate.add_argument(
        "--record",
        required=True,
        help="a shipped record's name (shapes), or a run folder",
    )

    attend = commands.add_parser(
        "attend",
        help="classify pictures and draw where the network looks",
        description=(
            "Classify pictures and draw where the network looks. One picture is drawn"
            f" with its most probable classes, up to {MOST_PAIRS} side by side with"
            " their maps, more, or a folder, as a contact sheet. Exit code 1 means"
            " that some of several pictures could not be read and were skipped."
        ),
    )
    attend.set_defaults(run=_attend)
    attend.add_argument(
        "image",
        nargs="+",
        metavar="IMAGE",
        help="a picture file, its http(s) address, or a folder of pictures",
    )
    attend.add_argument(
        "--record",
        required=True,
        help="a shipped record's name (shapes), or a run folder",
    )
    attend.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="picture to write: .png, .pdf or .svg",
    )

    doctor = commands.add_parser(
        "doctor",
        help="is this machine ready for the course?",
        description=(
            "Look at Python, packages, device, memory, disk, data and records, train"
            " for some seconds, and say what to mend. Needs no network. Exit code 1"
            " means that something must be mended."
        ),
    )
    doctor.set_defaults(run=_doctor)
    doctor.add_argument(
        "--class",
        action="store_true",
        dest="strict",
        help=(
            "as a class needs it: remarks (little memory, no place to write) must be"
            " mended, too; lists each chapter's time"
        ),
    )
    doctor.add_argument(
        "--plan",
        metavar="FILE",
        help="the plan of a class: its chapters only, and its pictures",
    )
    doctor.add_argument(
        "--json",
        metavar="FILE",
        help=(
            "write the report as JSON, too, to collect it; - for standard output alone"
        ),
    )
    doctor.add_argument("--name", help="what to call this machine in the JSON")
    return parser


def _devices(text):
    return int(text) if text.isdecimal() else text


def setting(text):
    """From "depth=4" to ("depth", 4): a Python value where it reads as one, else a
    string.
    """
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise PatchConvNetError(f"--set {text}: wanted NAME=VALUE, as in depth=4")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        # the last ones: thousands of brackets
        return name, value


def _train(options):
    from patchconvnet.training import train

    verbose = 1 if sys.stdout.isatty() else 2
    record = train(
        options.preset,
        options.out,
        data=options.data,
        epochs=options.epochs,
        limit=options.limit,
        seed=options.seed,
        keep=options.keep,
        settings=dict(map(setting, options.set)),
        devices=options.devices,
        verbose=verbose,
    )
    print(record.summary())


def _evaluate(options):
    from patchconvnet import records
    from patchconvnet.training import evaluation

    record = records.load(options.record)
    print(evaluation.compare(record, *evaluation.evaluate(record)))


def _attend(options):
    from pathlib import Path

    import matplotlib

    from patchconvnet import inference
    from patchconvnet.files import check_writable

    matplotlib.use("agg")
    if Path(options.out).suffix.lower() not in (".png", ".pdf", ".svg"):
        raise PatchConvNetError(
            f"--out {options.out!r}: the name must end in .png, .pdf or .svg"
        )
    sources, left_out = inference.find_pictures(options.image)
    if any(_is_same(options.out, source) for source in sources):
        raise PatchConvNetError(
            f"--out {options.out} would replace the picture itself: choose another name"
        )
    if len(sources) > MOST_PICTURES:
        raise PatchConvNetError(
            f"{len(sources)} pictures: at most {MOST_PICTURES} fit on one sheet; give"
            " some of them"
        )
    check_writable(options.out)  # now, not after hundreds of pictures
    if sources == options.image and len(sources) == 1:
        return _attend_to_one(sources[0], options)
    if left_out:
        print(
            one_line(
                "left out, as no pictures by their names:"
                f" {', '.join(path.name for path in left_out)}"
            )
        )
    as_sheet = sources != options.image or len(sources) > MOST_PAIRS
    return _attend_to_several(sources, options, as_sheet)


def _is_same(out, source):
    try:
        return os.path.samefile(os.path.expanduser(out), os.path.expanduser(source))
    except (OSError, ValueError):  # one of them is not there, or is an address
        return False


def _network(name):
    """A record's network, the names of its classes as they can be printed, and what is
    usual for it.
    """
    from patchconvnet import records

    record = records.load(name)
    return (
        record.model(),
        [one_line(name) for name in record.results["class_names"]],
        record.usual,
    )


def _attend_to_one(source, options):
    from patchconvnet import inference, plotting

    picture = inference.read_image(source)
    network, names, usual = _network(options.record)
    found = inference.predict(network, picture, names, usual)
    plotting.prediction(
        picture,
        found.attention,
        found.names[:5],
        found.probabilities[:5],
        found.square,
        found.map_name,
        options.out,
    )
    for name, probability in zip(found.names[:3], found.probabilities[:3]):
        print(f"{name:12} {probability:6.1%}")
    if remark := inference.remark(found):
        print(f"note: {remark}")
    print(f"{found.map_name} map written to {one_line(options.out)}")


def _attend_to_several(sources, options, as_sheet):
    """One line for each picture; those that cannot be read are named at the end, and
    the exit code is 1.
    """
    from patchconvnet import inference, plotting

    network, names, usual = _network(options.record)
    pictures, predictions, titles, skipped = [], [], [], []
    for source in sources:
        try:
            picture = inference.read_image(source)
        except PatchConvNetError as error:
            skipped.append(one_line(error))
            continue
        found = inference.predict(network, picture, names, usual)
        title = one_line(str(source).rstrip("/").replace("\\", "/").rpartition("/")[2])
        print(f"{title}: {inference.describe(found)}", flush=True)
        titles.append(
            f"{title[:24]}\n{found.names[0]},"
            f" {found.probabilities[0]:.0%}{' (strange)' if found.strange else ''}"
        )
        # as large as it is drawn: hundreds fit into the memory
        pictures.append(inference.thumbnail(picture, 320))
        predictions.append(found)
    if not pictures:
        raise PatchConvNetError(
            f"none of the {len(sources)} pictures could be read; the first:"
            f" {skipped[0]}"
        )
    maps = [found.attention for found in predictions]
    squares = [inference.central_square(picture) for picture in pictures]
    if as_sheet:
        plotting.contact_sheet(pictures, maps, titles, squares, save_to=options.out)
    else:
        plotting.attention(
            pictures,
            maps,
            titles,
            columns=min(3, len(pictures)),
            squares=squares,
            save_to=options.out,
        )
    strange = [found for found in predictions if found.strange or found.strange is None]
    if strange:
        print(
            f"note, for {len(strange)} of {len(predictions)}:"
            f" {inference.remark(strange[0])}"
        )
    print(
        f"{len(pictures)} {predictions[0].map_name} maps written to"
        f" {one_line(options.out)}"
    )
    for problem in skipped:
        print(f"warning: skipped: {problem}", file=sys.stderr)
    return 1 if skipped else 0


def _doctor(options):
    import json

    from patchconvnet.course import doctor
    from patchconvnet.files import check_writable, written_aside

    # All that was given is looked at first: the machine takes a minute.
    if options.json == "-" and sys.stdout.stream is None:
        raise PatchConvNetError(
            "--json -: standard output is closed; give the name of a file"
        )
    if options.name is not None and not options.name.strip():
        raise PatchConvNetError(
            "--name '' is no name: give what this machine is called, as in --name"
            ' "laptop 7"'
        )
    names, dataset = (
        doctor.read_plan(options.plan) if options.plan is not None else (None, None)
    )
    to_file = options.json not in (None, "-")
    if to_file:
        check_writable(options.json)
    checks, step = doctor.examine(dataset)
    estimates = doctor.chapters(step, names)
    report = doctor.as_json(
        checks, estimates, options.strict, one_line(options.name or "")
    )
    if to_file:
        with written_aside(options.json) as aside:
            aside.write_text(f"{report}\n", encoding="utf-8")
    if options.json == "-":
        # in ASCII
        print(
            report
            if sys.stdout.can_show(report)
            else json.dumps(json.loads(report), indent=1)
        )
    else:
        plain = not sys.stdout.can_show("".join(doctor.SIGNS.values()))
        print(doctor.as_table(checks, estimates, options.strict, plain))
    return 0 if doctor.is_ready(checks, options.strict) else 1


if __name__ == "__main__":
    sys.exit(main())
