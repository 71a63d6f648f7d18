"""What each command does with its options: `train`, `evaluate`, `attend`, `doctor`.

Each returns its exit code, or None for 0. What it needs is imported where it is needed:
the command line starts without Keras, which takes seconds, and may not start.
"""

import ast
import os
import sys

from patchconvnet.errors import PatchConvNetError, one_line

MOST_PAIRS = 12  # pictures that are drawn side by side; more become a contact sheet
MOST_PICTURES = 400  # on one contact sheet


def train(options):
    from patchconvnet import training

    record = training.train(
        options.preset,
        options.out,
        data=options.data,
        epochs=options.epochs,
        limit=options.limit,
        seed=options.seed,
        keep=options.keep,
        settings=dict(map(setting, options.set)),
        devices=options.devices,
        verbose=1 if sys.stdout.isatty() else 2,
    )
    print(record.summary())


def setting(text):
    """From "depth=4" to ("depth", 4): a value of Python's, or else a string."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise PatchConvNetError(f"--set {text}: wanted NAME=VALUE, as in depth=4")
    try:
        return name, ast.literal_eval(value)
    # the last two: thousands of brackets
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return name, value


def evaluate(options):
    from patchconvnet import records
    from patchconvnet.training import evaluation

    record = records.load(options.record)
    print(evaluation.compare(record, *evaluation.evaluate(record)))


def attend(options):
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
        names = ", ".join(path.name for path in left_out)
        print(one_line(f"left out, as no pictures by their names: {names}"))
    as_sheet = sources != options.image or len(sources) > MOST_PAIRS
    return _attend_to_several(sources, options, as_sheet)


def _is_same(out, source):
    try:
        return os.path.samefile(os.path.expanduser(out), os.path.expanduser(source))
    except (OSError, ValueError):  # one of them is not there, or is an address
        return False


def _network(name):
    """A record's network, its classes as they can be printed, and what is usual."""
    from patchconvnet import records

    record = records.load(name)
    names = [one_line(name) for name in record.results["class_names"]]
    return record.model(), names, record.usual


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


def names_apart(sources):
    """What each picture is called: its file, after folders that tell it from others.

    Args:
        sources: paths and addresses, as find_pictures gives them.

    Returns:
        A list of strings, "cat/1.jpg" where there is another 1.jpg, else "1.jpg".
    """
    parts = [str(one).rstrip("/").replace("\\", "/").split("/") for one in sources]

    def tail(names, length):
        return "/".join(names[-length:])

    def fewest(names):
        rivals = [other for other in parts if other != names]
        for length in range(1, len(names)):
            if tail(names, length) not in {tail(other, length) for other in rivals}:
                return length
        return len(names)

    return [one_line(tail(names, fewest(names))) for names in parts]


def _cut(title, most=24):
    """A title of at most so many letters, of which the end tells the most."""
    return (
        title if len(title) <= most else f"\N{HORIZONTAL ELLIPSIS}{title[1 - most :]}"
    )


def _attend_to_several(sources, options, as_sheet):
    """One line for each picture; those that cannot be read are named at the end."""
    from patchconvnet import inference, plotting

    network, names, usual = _network(options.record)
    pictures, predictions, titles, skipped = [], [], [], []
    for source, title in zip(sources, names_apart(sources)):
        try:
            picture = inference.read_image(source)
        except PatchConvNetError as error:
            skipped.append(one_line(error))
            continue
        found = inference.predict(network, picture, names, usual)
        print(f"{title}: {inference.describe(found)}", flush=True)
        remark = " (strange)" if found.strange else ""
        best = f"{found.names[0]}, {found.probabilities[0]:.0%}{remark}"
        titles.append(f"{_cut(title)}\n{best}")
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
        layout = {"columns": min(3, len(pictures)), "squares": squares}
        plotting.attention(pictures, maps, titles, **layout, save_to=options.out)
    strange = [found for found in predictions if found.strange or found.strange is None]
    if strange:
        count = f"{len(strange)} of {len(predictions)}"
        print(f"note, for {count}: {inference.remark(strange[0])}")
    kind = predictions[0].map_name
    print(f"{len(pictures)} {kind} maps written to {one_line(options.out)}")
    for problem in skipped:
        print(f"warning: skipped: {problem}", file=sys.stderr)
    return 1 if skipped else 0


def doctor(options):
    import json

    from patchconvnet.course import doctor as the_doctor
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
    names, dataset = None, None
    if options.plan is not None:
        names, dataset = the_doctor.read_plan(options.plan)
    to_file = options.json not in (None, "-")
    if to_file:
        check_writable(options.json)
    checks, step = the_doctor.examine(dataset)
    estimates = the_doctor.chapters(step, names)
    name = one_line(options.name or "")
    report = the_doctor.as_json(checks, estimates, options.strict, name)
    if to_file:
        with written_aside(options.json) as aside:
            aside.write_text(f"{report}\n", encoding="utf-8")
    if options.json == "-":
        if not sys.stdout.can_show(report):
            report = json.dumps(json.loads(report), indent=1)  # in ASCII
        print(report)
    else:
        plain = not sys.stdout.can_show("".join(the_doctor.SIGNS.values()))
        print(the_doctor.as_table(checks, estimates, options.strict, plain))
    return 0 if the_doctor.is_ready(checks, options.strict) else 1
