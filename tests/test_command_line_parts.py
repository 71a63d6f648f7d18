"""The parts of the command line: how each command ends, which backend it takes, and
what its options are read as.
"""

import builtins
import json
import os
import sys
import types
import warnings

import numpy as np
import pytest

from patchconvnet import PatchConvNetError, __main__, inference, records
from patchconvnet.__main__ import main
from patchconvnet.course import commands, doctor
from patchconvnet.course.doctor import OK, Check

COMMANDS = {
    "train": ["train", "--preset", "shapes", "--out", "run"],
    "evaluate": ["evaluate", "--record", "mine"],
    "attend": ["attend", "a.png", "--record", "mine", "--out", "map.png"],
    "doctor": ["doctor"],
}


@pytest.fixture
def ended(monkeypatch, capsys):
    """ended(command, error): exit code and standard error where the command ends so."""

    def call(name, error=None, answer=None):
        def run(options):
            if error is not None:
                raise error
            return answer

        monkeypatch.setattr(commands, name, run)
        code = main(COMMANDS[name])
        return code, capsys.readouterr().err

    return call


@pytest.mark.parametrize("name", COMMANDS)
def test_an_interruption_of_a_training_says_how_to_go_on_and_no_other(ended, name):
    hint = (
        "; the same train command goes on from the last whole epoch"
        if name == "train"
        else ""
    )
    assert ended(name, KeyboardInterrupt()) == (130, f"\nstopped{hint}\n")


def test_an_interruption_before_there_are_options(monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "_parser", interrupt)
    assert main(["train"]) == 130 and capsys.readouterr().err == "\nstopped\n"


@pytest.mark.parametrize(("answer", "code"), [(None, 0), (0, 0), (1, 1)])
def test_a_command_gives_its_exit_code(ended, answer, code):
    assert ended("attend", answer=answer) == (code, "")


class ResourceExhaustedError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PatchConvNetError("bad\nnews"), "bad news"),
        (OSError("no\ndisk"), "no disk"),
        (MemoryError(), __main__.NO_MEMORY),
        (ResourceExhaustedError("x"), __main__.NO_MEMORY),
        (ValueError("RESOURCE_EXHAUSTED: 9 GB"), __main__.NO_MEMORY),
        (RuntimeError("torch.OutOfMemoryError"), __main__.NO_MEMORY),
    ],
)
def test_what_no_command_can_help_is_one_line(ended, error, said):
    assert ended("evaluate", error) == (2, f"error: {said}\n")


@pytest.mark.parametrize("error", [ValueError("our fault"), AssertionError()])
def test_a_fault_of_ours_is_raised_and_warnings_are_as_before(ended, error):
    before = warnings.formatwarning
    with pytest.raises(type(error)):
        ended("evaluate", error)
    assert warnings.formatwarning is before


def test_a_warning_of_several_lines_is_one_line(monkeypatch, capsys):
    def run(options):
        sys.stderr.write(
            warnings.formatwarning("some\nthing", UserWarning, "file.py", 3)
        )

    before = warnings.formatwarning
    monkeypatch.setattr(commands, "evaluate", run)
    assert main(COMMANDS["evaluate"]) == 0 and warnings.formatwarning is before
    assert capsys.readouterr().err == "warning: some thing\n"


def test_wrong_options_name_the_help_of_the_command(capsys):
    assert main(["attend", "a.png"]) == 2
    assert capsys.readouterr().err.endswith(
        "--record, --out (see python -m patchconvnet attend --help)\n"
    )


def test_tensorflow_is_quiet_unless_it_was_told_otherwise(ended, monkeypatch):
    for level in (None, "0"):
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level or "x")
        if level is None:
            monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
        ended("doctor")
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == (level or "3")


# === backends ===


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_but_the_doctor_needs_a_backend(ended, monkeypatch, name):
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    code, said = ended(name)
    wanted = (
        "error: KERAS_BACKEND is 'numpy': set it to tensorflow, jax or torch, or unset"
        " it\n"
    )
    assert (code, said) == ((0, "") if name == "doctor" else (2, wanted))


@pytest.mark.parametrize("variable", [None, "", "jax"])
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch", "numpy", "openvino"])
def test_what_keras_has_started_with_must_be_a_backend(monkeypatch, variable, backend):
    import keras

    monkeypatch.setenv("KERAS_BACKEND", variable or "")
    if variable is None:
        monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    if backend in ("tensorflow", "jax", "torch"):
        __main__._check_backend()
    else:
        with pytest.raises(
            PatchConvNetError,
            match=f"keras.json names the backend '{backend}': set KERAS_BACKEND",
        ):
            __main__._check_backend()


@pytest.mark.parametrize(
    ("variable", "home", "named", "advice"),
    [
        ("torch", "/k", "the backend torch", "pip install torch"),
        (
            "",
            "/k",
            "what /k/keras.json names, if it is there",
            "pip install tensorflow",
        ),
        (
            "",
            "",
            "what /home/anna/.keras/keras.json names, if it is there",
            "pip install tensorflow",
        ),
    ],
)
def test_where_keras_cannot_start_it_is_said_with_what(
    monkeypatch, variable, home, named, advice
):
    usual = builtins.__import__

    def refuse(name, *given, **options):
        if name == "keras":
            raise ImportError("no wheels")
        return usual(name, *given, **options)

    for name, value in (
        ("KERAS_BACKEND", variable),
        ("KERAS_HOME", home),
        ("HOME", "/home/anna"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(PatchConvNetError) as caught:
        __main__._check_backend()
    way_out = f"{advice}, or set KERAS_BACKEND to tensorflow, jax or torch"
    assert (
        str(caught.value)
        == f"Keras cannot start with {named} (ImportError: no wheels): {way_out}"
    )


# === options ===


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("depth=4", ("depth", 4)), ("a=b=c", ("a", "b=c")), ("a=(1,", ("a", "(1,")),
        ("a='4'", ("a", "4")), ("a={[]: 1}", ("a", "{[]: 1}")),
        ("a=1 + x", ("a", "1 + x")), (f"a={'[' * 5000}", ("a", "[" * 5000)),
        ("a=None", ("a", None)), ("a=\0", ("a", "\0")),
    ],
    ids=range(9),
)  # fmt: skip
def test_a_setting_is_a_value_of_python_or_a_string(text, wanted):
    assert commands.setting(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"), [("2", 2), ("all", "all"), ("-1", "-1"), ("1.5", "1.5")]
)
def test_devices_are_a_number_or_a_word(text, wanted):
    assert __main__._devices(text) == wanted


def test_two_names_of_a_file_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "b.png").write_bytes(b"a")
    same = [
        ("~/a.png", tmp_path / "a.png"),
        (str(tmp_path / "a.png"), "~/a.png"),
        ("~/./a.png", "~/a.png"),
    ]
    others = [
        ("~/a.png", "~/b.png"),
        ("~/a.png", "https://e.org/a.png"),
        ("~/new.png", "~/a.png"),
        ("a\0", "a\0"),
    ]
    assert [commands._is_same(*pair) for pair in same + others] == [True] * 3 + [
        False
    ] * 4


def test_evaluate_compares_a_record_with_what_is_measured_here(monkeypatch, capsys):
    from patchconvnet.training import evaluation

    monkeypatch.setattr(records, "load", lambda name: f"record {name}")
    monkeypatch.setattr(
        evaluation, "evaluate", lambda record: (f"scores of {record}", "variant")
    )
    monkeypatch.setattr(
        evaluation,
        "compare",
        lambda record, scores, variant: f"{record}; {scores}; {variant}",
    )
    assert main(COMMANDS["evaluate"]) == 0
    assert capsys.readouterr().out == "record mine; scores of record mine; variant\n"


@pytest.mark.parametrize(
    ("lit", "strict", "code"),
    [
        ("ready", False, 0),
        ("remark", False, 0),
        ("remark", True, 1),
        ("mend", False, 1),
    ],
)
def test_the_doctor_ends_as_its_table_says(monkeypatch, capsys, lit, strict, code):
    state = OK if lit == "ready" else lit
    monkeypatch.setattr(
        doctor,
        "examine",
        lambda dataset: ([Check("disk", state, "here", "advice")], None),
    )
    assert main(["doctor", *(["--class"] if strict else [])]) == code
    assert (
        capsys.readouterr()
        .out.rstrip()
        .splitlines()[-1]
        .startswith("not ready" if code else "ready")
    )


def test_the_doctors_json_has_the_letters_that_the_terminal_has(
    monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr(
        doctor, "examine", lambda dataset: ([Check("disk", OK, "größe")], 0.036)
    )
    assert main(["doctor", "--json", "-", "--name", " a\nb "]) == 0
    out = capsys.readouterr().out
    assert "größe" in out and json.loads(out)["name"].split() == ["a", "b"]
    monkeypatch.setattr(
        "patchconvnet.course.terminal.Output.can_show", lambda self, text: False
    )
    assert main(["doctor", "--json", "-"]) == 0
    out = capsys.readouterr().out
    assert (
        out.isascii()
        and json.loads(out)["checks"][0]["found"] == "größe"
        and out.count("\n") > 10
    )
    assert main(["doctor", "--json", str(tmp_path / "report.json")]) == 0
    assert capsys.readouterr().out.startswith("ok ") and "größe" in (
        tmp_path / "report.json"
    ).read_text("utf-8")


# === attend ===


@pytest.mark.parametrize("name", ["map.png", "map.PDF", "map.svg", "folder.v2/map.png"])
def test_names_of_figures_that_can_be_written(monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.v2").mkdir()
    given = []
    monkeypatch.setattr(
        commands,
        "_attend_to_one",
        lambda source, options: given.append((source, options.out)),
    )
    assert main(
        ["attend", "a.png", "--record", "mine", "--out", name]
    ) == 0 and given == [("a.png", name)]


def test_left_out_and_skipped_files_are_told_in_their_places(
    monkeypatch, tmp_path, capsys
):
    from PIL import Image

    from patchconvnet import plotting

    for name in ("b.png", "a.png"):
        Image.new("RGB", (4, 6)).save(tmp_path / name)
    for name in ("c.png", "notes.txt", "more.txt"):
        (tmp_path / name).write_text("x")
    shares = np.array([0.75, 0.25])
    found = inference.Prediction(
        ("x", "y"), shares, np.eye(2), (0, 1, 4), map_name="evidence", strange=False
    )
    results = {"class_names": ["x\nx", "y"]}
    network = types.SimpleNamespace(
        model=lambda: "network", results=results, usual="usual"
    )
    asked, drawn = [], []
    monkeypatch.setattr(records, "load", lambda name: network)
    monkeypatch.setattr(
        inference,
        "predict",
        lambda *given: asked.append((given[0], *given[2:])) or found,
    )
    monkeypatch.setattr(
        plotting,
        "contact_sheet",
        lambda *given, **options: drawn.append((given, options)),
    )
    out = str(tmp_path / "sheet.pdf")
    assert main(["attend", str(tmp_path), "--record", "mine", "--out", out]) == 1
    told = capsys.readouterr()
    first, *lines, last = told.out.splitlines()
    assert first == "left out, as no pictures by their names: more.txt, notes.txt"
    assert [line.partition(":")[0] for line in lines] == ["a.png", "b.png"]
    assert last == f"2 evidence maps written to {out}"
    assert (
        told.err.startswith(f"warning: skipped: {tmp_path / 'c.png'} is not a picture")
        and told.err.count("\n") == 1
    )
    assert asked == [("network", ["x x", "y"], "usual")] * 2
    [((pictures, maps, titles, squares), options)] = drawn
    assert [picture.shape for picture in pictures] == [(6, 4, 3)] * 2 and squares == [
        (0, 1, 4)
    ] * 2
    assert all(np.array_equal(weights, np.eye(2)) for weights in maps)
    assert titles == ["a.png\nx, 75%", "b.png\nx, 75%"] and options == {"save_to": out}
