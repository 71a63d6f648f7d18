"""The command line: `python -m patchconvnet train`, `evaluate` and `attend`.

Bad input ends with one line on standard error and exit code 2.
"""

import argparse
import ast
import os
import sys

from patchconvnet.errors import PatchConvNetError  # and no more: Keras takes seconds, and may not start

BACKENDS = ("tensorflow", "jax", "torch")  # as Keras calls them, and as pip does


def main(arguments=None):
    """Run one command; returns the exit code: 0, 2 for bad input, 130 if interrupted."""
    # TensorFlow's start-up notes would drown the answer.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        options = _parser().parse_args(arguments)
        _check_backend()
        options.run(options)
    except PatchConvNetError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same train command goes on from the last whole epoch", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as all of our errors are."""

    def error(self, message):
        raise PatchConvNetError(f"{message} (see {self.prog} --help)")


def _check_backend():
    accepted = f"{', '.join(BACKENDS[:-1])} or {BACKENDS[-1]}"
    backend = os.environ.get("KERAS_BACKEND") or None  # else Keras reads its own configuration file
    if backend is not None and backend not in BACKENDS:
        raise PatchConvNetError(f"KERAS_BACKEND is {backend!r}: set it to {accepted}, or unset it")
    try:
        import keras  # noqa: F401
    except (ImportError, ValueError) as error:
        raise PatchConvNetError(
            f"Keras cannot start with its backend {backend or '(none set)'} ({error}): pip install "
            f"{backend or 'tensorflow'}, or set KERAS_BACKEND to {accepted}"
        ) from error


def _parser():
    parser = _Parser(prog="python -m patchconvnet", description="PatchConvNet: train it, see it look.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a preset and write a run folder")
    train.set_defaults(run=_train)
    train.add_argument("--preset", required=True, help="shapes, cifar10, cifar10_cpu or keras_example")
    train.add_argument("--out", required=True, metavar="DIR", help="run folder; a run that was stopped goes on")
    train.add_argument("--data", metavar="NAME", help="shapes or cifar10, if not the preset's own")
    train.add_argument("--epochs", type=int, help="if not the preset's own")
    train.add_argument("--limit", type=int, metavar="N", help="train on the first N images only")
    train.add_argument("--seed", type=int, default=0, help="default: 0")
    train.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a setting of the network or its training: depth=4, learning_rate=1e-3 (may be given again)",
    )
    train.add_argument(
        "--devices", type=_devices, metavar="all|N", help="spread each batch over all devices, or over so many"
    )
    train.add_argument("--keep", help="epochs, weights or scores: what stays in the run folder")

    evaluate = commands.add_parser("evaluate", help="measure a record's network again, and compare")
    evaluate.set_defaults(run=_evaluate)
    evaluate.add_argument("--record", required=True, help="a shipped record's name (shapes), or a run folder")

    attend = commands.add_parser("attend", help="classify a picture and draw where the network looks")
    attend.set_defaults(run=_attend)
    attend.add_argument("image", help="a picture file")
    attend.add_argument("--record", required=True, help="a shipped record's name (shapes), or a run folder")
    attend.add_argument("--out", required=True, metavar="FILE", help="picture to write: .png, .pdf or .svg")
    return parser


def _devices(text):
    return int(text) if text.isdecimal() else text


def setting(text):
    """From "depth=4" to ("depth", 4): a Python value where it reads as one, else a string."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise PatchConvNetError(f"--set {text}: wanted NAME=VALUE, as in depth=4")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
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
    from patchconvnet import evaluation, records

    record = records.load(options.record)
    print(evaluation.compare(record, *evaluation.evaluate(record)))


def _attend(options):
    from pathlib import Path

    import matplotlib

    from patchconvnet import inference, plotting, records

    matplotlib.use("agg")
    if Path(options.out).suffix.lower() not in (".png", ".pdf", ".svg"):
        raise PatchConvNetError(f"--out {options.out}: the name must end in .png, .pdf or .svg")
    if Path(options.out).resolve() == Path(options.image).resolve():
        raise PatchConvNetError(f"--out {options.out} would replace the picture itself: choose another name")
    picture = inference.read_image(options.image)
    record = records.load(options.record)
    found = inference.predict(record.model(), picture, record.results["class_names"])
    plotting.prediction(picture, found.attention, found.names[:5], found.probabilities[:5], save_to=options.out)
    for name, probability in zip(found.names[:3], found.probabilities[:3]):
        print(f"{name:12} {probability:6.1%}")
    print(f"attention map written to {options.out}")


if __name__ == "__main__":
    sys.exit(main())
