"""Each check of the doctor on either side of what it asks for, and their order."""

import sys

import pytest
from test_doctor import NAMES

from patchconvnet.course import doctor, doctor_apart
from patchconvnet.course.doctor import MEND, OK, Check

JUPYTER = ["JupyterLab", "kernel"]
OTHERS = ["Python", "packages", "Keras", "memory", "disk", *JUPYTER, "Shapes"]


# === all of them ===


@pytest.fixture
def examined(monkeypatch):
    """examined(answers, ...): what `examine` finds where the process apart reports so,
    and what it was asked for.
    """
    monkeypatch.setattr(doctor, "look", lambda name: Check(name, OK, "looked at here"))
    monkeypatch.delenv("PATCHCONVNET_DATASET", raising=False)

    def call(answers=None, *given):
        asked = []

        def reports(rest, own):
            asked.append((list(rest), own))
            while rest:
                name = rest.pop(0)
                asked.append(name)
                yield (
                    name,
                    (answers or {}).get(
                        name, {"name": name, "state": OK, "found": "looked at apart"}
                    ),
                )

        monkeypatch.setattr(doctor_apart, "reports", reports)
        checks, step = doctor.examine(*given)
        return {check.name: check for check in checks}, step, asked

    return call


def test_what_needs_libraries_is_looked_at_apart_and_the_rest_here(examined):
    training = {
        "name": "training",
        "state": OK,
        "found": "fast",
        "advice": "",
        "step": 0.5,
    }
    found, step, asked = examined({"training": training})
    assert list(found) == [*OTHERS, "CIFAR-10", "records", "training"] and step == 0.5
    apart = ["Keras", *JUPYTER, "Shapes", "CIFAR-10", *doctor.NEED_KERAS]
    assert asked == [(apart, None), *apart] and found["training"] == Check(
        "training", OK, "fast"
    )
    here = [name for name, check in found.items() if check.found == "looked at here"]
    assert here == ["Python", "packages", "memory", "disk"]


@pytest.mark.parametrize(
    ("given", "variable", "own"),
    [
        ([], "photos", "photos"),
        (["mine"], "photos", "mine"),
        (["mine"], None, "mine"),
        ([], "shapes", None),
        ([], "", None),
    ],
)
def test_own_pictures_are_looked_at_where_there_are_some(
    examined, monkeypatch, given, variable, own
):
    if variable is not None:
        monkeypatch.setenv("PATCHCONVNET_DATASET", variable)
    found, _, asked = examined(None, *given)
    assert ("own pictures" in found) == (own is not None)
    if own:
        assert list(found) == [
            *OTHERS,
            "own pictures",
            "CIFAR-10",
            "records",
            "training",
        ]
        assert asked[0] == (
            [
                "Keras",
                *JUPYTER,
                "Shapes",
                "own pictures",
                "CIFAR-10",
                *doctor.NEED_KERAS,
            ],
            own,
        )


def test_where_keras_kills_its_process_what_needs_it_is_not_tried(examined):
    found, step, asked = examined({"Keras": "the process died of SIGILL"})
    assert asked[1:] == ["Keras", *JUPYTER, "Shapes", "CIFAR-10"] and step is None
    not_tried = [(MEND, "not tried: Keras does not start", "mend Keras first")] * 2
    assert [
        (found[name].state, found[name].found, found[name].advice)
        for name in ("records", "training")
    ] == not_tried
    assert found["Keras"].state == MEND and list(found)[-2:] == ["records", "training"]


def test_where_another_kills_its_process_the_rest_is_tried(examined):
    found, _, asked = examined({"CIFAR-10": "the process died of SIGSEGV"})
    assert asked[-2:] == ["records", "training"] and found["records"].state == OK
    assert (found["CIFAR-10"].state, found["CIFAR-10"].found) == (
        MEND,
        "the process died of SIGSEGV",
    )


AGAIN = "pip install --force-reinstall"


@pytest.mark.parametrize(
    ("name", "end", "backend", "advice"),
    [
        ("Keras", "the process died of SIGKILL", None,
         "close other programs: memory may have run out"),
        ("Shapes", "the process died of SIGKILL", None,
         "close other programs: memory may have run out"),
        ("Shapes", "the process died of SIGSEGV", None, doctor.NEW_ENVIRONMENT),
        ("own pictures", "the process died of SIGILL", None, doctor.NEW_ENVIRONMENT),
        ("Keras", "the process died of SIGILL", None,
         f"this build of tensorflow is for newer processors: {AGAIN} tensorflow,"
         " or set KERAS_BACKEND to jax or torch"),
        ("records", "the process died of SIGSEGV", "torch",
         f"torch may be damaged: {AGAIN} torch,"
         " or set KERAS_BACKEND to tensorflow or jax"),
        ("training", "it did not end", "jax",
         f"jax may be damaged: {AGAIN} jax,"
         " or set KERAS_BACKEND to tensorflow or torch"),
        ("Keras", "it did not end", "numpy",
         f"tensorflow may be damaged: {AGAIN} tensorflow,"
         " or set KERAS_BACKEND to jax or torch"),
    ],
)  # fmt: skip
def test_what_kills_a_process_has_its_advice(monkeypatch, name, end, backend, advice):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if backend:
        monkeypatch.setenv("KERAS_BACKEND", backend)
    assert doctor._killed(name, end) == Check(name, MEND, end, advice)


def test_what_is_found_is_one_line_of_200_letters_without_the_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    assert doctor._without_home("in /home/anna/a\nand /home/anna/b") == "in ~/a and ~/b"
    assert (
        doctor._without_home("x" * 200) == "x" * 200 == doctor._without_home("x" * 201)
    )
    ends = "died in /home/anna of SIGKILL", "died in /home/anna"
    found = [
        doctor._killed(name, end).found for name in ("Shapes", "Keras") for end in ends
    ]
    assert found == ["died in ~ of SIGKILL", "died in ~"] * 2
    monkeypatch.setenv("HOME", "/")
    assert doctor._without_home("/a\n" * 100) == "/a " * 66 + "/a"


def test_the_process_apart_reports_each_check_it_was_asked_for(monkeypatch):
    def look(name, own, step):
        if name == "training":
            step.append(0.25)
        return Check(name, OK, f"of {own!r}")

    told = []
    monkeypatch.setattr(doctor, "look", look)
    monkeypatch.setattr(doctor_apart, "report", told.append)
    monkeypatch.setattr(sys, "argv", ["doctor", "photos", "training", "Shapes"])
    doctor.main()
    common = {"state": OK, "found": "of 'photos'", "advice": ""}
    assert told == [
        {"name": "training", **common, "step": 0.25},
        {"name": "Shapes", **common},
    ]


def test_each_name_is_a_check(monkeypatch, tmp_path):
    functions = [
        "_python", "_packages", "_backend", "_memory", "_disk", "lab", "kernel",
        "_shapes", "_cifar10", "_records",
    ]  # fmt: skip
    for name in functions:
        module = doctor if name.startswith("_") else doctor.doctor_jupyter
        monkeypatch.setattr(module, name, lambda name=name: name)
    monkeypatch.setattr(doctor, "_own", lambda own: f"_own {own}")
    monkeypatch.setattr(doctor, "_training", lambda step: step)
    found = [doctor.look(name) for name in NAMES]
    assert found == functions
    given = []
    assert (
        doctor.look("own pictures", "photos") == "_own photos"
        and doctor.look("training", None, given) is given
    )
    assert doctor.look("training") == []


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (SystemExit("enough"), doctor.NEW_ENVIRONMENT),
        (
            RuntimeError("no home directory"),
            "set the environment variable HOME to a folder of your own",
        ),
    ],
)
def test_a_check_that_breaks_tells_what_to_do(monkeypatch, error, advice):
    def broken():
        raise error

    monkeypatch.setattr(doctor, "_disk", broken)
    assert doctor.look("disk") == Check(
        "disk", MEND, f"{type(error).__name__}: {error}", advice
    )
