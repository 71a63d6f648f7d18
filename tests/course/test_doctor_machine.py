"""The doctor's checks of the machine, of data and of records, on either side."""

import types

import numpy as np
import pytest

from patchconvnet import PatchConvNetError, load_dataset
from patchconvnet.course import doctor
from patchconvnet.course.doctor import MEND, OK, REMARK, Check
from patchconvnet.data import cifar10

# === the machine ===


@pytest.mark.parametrize(
    ("version", "state", "advice"),
    [
        ((3, 10, 9), MEND, "install Python 3.11, 3.12 or 3.13"),
        ((3, 11, 0), OK, ""),
        ((3, 13, 9), OK, ""),
        ((3, 14, 0), REMARK, "not tried: use 3.11, 3.12 or 3.13"),
    ],
)
def test_pythons_on_either_side(monkeypatch, version, state, advice):
    monkeypatch.setattr(doctor.sys, "version_info", version)
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.x")
    assert doctor._python() == Check("Python", state, "3.x", advice)


@pytest.mark.parametrize(
    ("keras", "shown", "poor"),
    [
        ("3.8", "3.8", False), ("3.8.0rc1", "3.8.0rc1", False),
        ("3.10.1", "3.10.1", False), ("4", "4", False), ("3.7.9", "3.7.9", True),
        ("3", "3", True), ("2.99", "2.99", True), (None, "damaged", True),
    ],
)  # fmt: skip
def test_versions_are_compared_as_numbers(monkeypatch, keras, shown, poor):
    versions = {"keras": keras, "numpy": "1.26", "matplotlib": "3.8", "pillow": "10"}
    monkeypatch.setattr(doctor, "version", versions.get)
    found = f"keras {shown}, numpy 1.26, matplotlib 3.8, pillow 10"
    wanted = (
        Check("packages", MEND, found, 'pip install "keras>=3.8"')
        if poor
        else Check("packages", OK, found)
    )
    assert doctor._packages() == wanted


def test_a_missing_package_is_called_so(monkeypatch):
    def missing(name):
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", missing)
    found = doctor._packages()
    assert (
        found.found
        == "keras missing, numpy missing, matplotlib missing, pillow missing"
    )
    assert (
        found.advice
        == 'pip install "keras>=3.8" "numpy>=1.26" "matplotlib>=3.8" "pillow>=10"'
    )


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            ModuleNotFoundError("no", name="numpy"),
            "pip install numpy; KERAS_BACKEND may be tensorflow, jax, torch",
        ),
        (
            ModuleNotFoundError("no", name="keras"),
            "pip install keras; KERAS_BACKEND may be tensorflow, jax, torch",
        ),
        (
            ModuleNotFoundError("no", name="absl"),
            "pip install torch; KERAS_BACKEND may be tensorflow, jax, torch",
        ),
        (
            RuntimeError("no"),
            "pip install torch; KERAS_BACKEND may be tensorflow, jax, torch",
        ),
        (
            SystemExit("no"),
            "pip install torch; KERAS_BACKEND may be tensorflow, jax, torch",
        ),
        (
            RuntimeError("no home directory"),
            "set the environment variable HOME to a folder of your own",
        ),
    ],
)
def test_where_keras_does_not_start_it_is_said_what_is_missing(
    monkeypatch, error, advice
):
    import builtins

    usual = builtins.__import__

    def refuse(name, *given, **options):
        if name == "keras":
            raise error
        return usual(name, *given, **options)

    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr(builtins, "__import__", refuse)
    found = doctor._backend()
    monkeypatch.undo()
    assert found == Check(
        "Keras", MEND, f"does not start: {type(error).__name__}: {error}", advice
    )


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        ({"keras": "3.9", "jax": "0.5"}, "3.9 with jax 0.5, on a CPU"),
        ({"keras": "3.9", "torch": "2"}, "3.9 with jax, on a CPU"),
    ],
)
def test_keras_is_named_with_its_backend_and_device(monkeypatch, versions, found):
    import keras

    from patchconvnet.training import machine

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(machine, "versions", lambda: versions)
    monkeypatch.setattr(machine, "device", lambda: "a CPU")
    assert doctor._backend() == Check("Keras", OK, found)


SILENT = Check("memory", OK, "this system does not tell how much is free")


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ("MemFree: 9 kB\nMemAvailable: 1464844 kB\n",
         Check("memory", OK, "1.5 GB free")),
        ("MemAvailable: 1464843 kB\nSwapFree: 9999999 kB\n",
         Check("memory", REMARK, "1.5 GB free",
               "close other programs: 1.5 GB are needed")),
        ("MemAvailable: 100000 kB\n",
         Check("memory", REMARK, "0.1 GB free",
               "close other programs: 1.5 GB are needed")),
        ("MemFree: 9999999 kB\n", SILENT),
        (None, SILENT),
    ],
)  # fmt: skip
def test_a_gigabyte_and_a_half_of_memory_is_enough(monkeypatch, lines, wanted):
    class Place:
        def __init__(self, name):
            assert name == "/proc/meminfo"

        def read_text(self):
            if lines is None:
                raise FileNotFoundError
            return lines

    monkeypatch.setattr(doctor, "Path", Place)
    assert doctor._memory() == wanted


@pytest.mark.parametrize(
    ("free", "wanted"),
    [
        (500_000_000, Check("disk", OK, "0.5 GB free here")),
        (
            499_999_999,
            Check("disk", REMARK, "0.5 GB free here", "free some: 0.5 GB are needed"),
        ),
    ],
)
def test_half_a_gigabyte_of_disk_is_enough(monkeypatch, tmp_path, free, wanted):
    monkeypatch.chdir(tmp_path)
    asked = []
    usage = types.SimpleNamespace(free=free)
    monkeypatch.setattr(
        doctor.shutil, "disk_usage", lambda place: asked.append(place) or usage
    )
    assert (
        doctor._disk() == wanted and asked == ["."] and list(tmp_path.iterdir()) == []
    )


# === data and records ===


DAMAGED = "the package is changed or damaged: install it again"


@pytest.mark.parametrize(
    ("hashed", "wanted"),
    [
        (doctor.SHAPES, Check("Shapes", OK, "drawn, and the same as everywhere")),
        ("another", Check("Shapes", MEND, "drawn, but other pictures", DAMAGED)),
    ],
)
def test_shapes_are_the_same_everywhere(monkeypatch, hashed, wanted):
    monkeypatch.setattr(doctor, "SHAPES", hashed)
    assert doctor._shapes() == wanted


@pytest.mark.parametrize(("masks", "said"), [(False, "no masks"), (True, "with masks")])
def test_own_pictures_are_counted_with_their_masks(tmp_path, masks, said):
    images = np.random.default_rng(0).integers(256, size=(30, 8, 8, 3), dtype=np.uint8)
    more = {"masks": images[..., 0] > 100} if masks else {}
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(30) % 3, **more)
    assert doctor._own(tmp_path / "own.npz") == Check(
        "own pictures", OK, f"own: 30 in 3 classes, {said}"
    )


def test_own_pictures_that_are_none_are_said(tmp_path, monkeypatch):
    import patchconvnet

    def refuse(place):
        raise PatchConvNetError("no such place")

    monkeypatch.setattr(patchconvnet, "load_dataset", refuse, raising=False)
    advice = "see chapter 15 for what a folder must look like"
    assert doctor._own("x") == Check(
        "own pictures", MEND, "PatchConvNetError: no such place", advice
    )


@pytest.mark.parametrize(
    ("here", "found"),
    [
        (True, "on this machine"),
        (
            False,
            (
                "not on this machine: only the last part of chapter 09 and some figures"
                " use it"
            ),
        ),
    ],
)
def test_cifar10_is_no_must(monkeypatch, here, found):
    monkeypatch.setattr(cifar10, "is_here", lambda: here)
    assert doctor._cifar10() == Check("CIFAR-10", OK, found)


@pytest.mark.parametrize(
    ("place", "difference", "good"),
    [
        ((-1, 0, 0), 0.0, True), ((-1, 0, 0), 0.09, True), ((-1, 0, 0), 0.11, False),
        ((-1, 7, 9), -0.11, False), ((-1, 7, 9), -0.09, True),
        ((-1, 8, 0), 9.0, True),  # eight pictures are looked at
        ((0, 0, 0), 9.0, True), ((1, 0, 0), 9.0, True),  # after the last epoch
    ],
)  # fmt: skip
def test_the_shipped_network_answers_as_recorded(
    monkeypatch, tmp_path, place, difference, good
):
    from patchconvnet import records

    logits, probes = np.random.default_rng(0).normal(size=(3, 32, 10)), []
    recorded = logits.copy()
    recorded[place] += difference

    class Record:
        folder, results = tmp_path, {}

        def model(self):
            answer = lambda pictures: (
                probes.append(pictures)
                or (
                    logits[-1, : len(pictures)],
                    None,
                )
            )
            return types.SimpleNamespace(explain=answer)

    monkeypatch.setattr(records, "load", lambda name, seed=None: Record())
    kept = {tmp_path / "attention.npz": {"logits": recorded}}
    monkeypatch.setattr(records, "read_arrays", kept.get)
    count = sum(len(records.seeds(name)) for name in records.names())
    found = f"{count} load; the network answers {'as' if good else 'not as'} recorded"
    assert doctor._records() == Check(
        "records", OK if good else MEND, found, "" if good else DAMAGED
    )
    np.testing.assert_array_equal(
        probes[0], load_dataset("shapes", train=1, val=0, test=8).x_test
    )


def test_every_record_is_read(monkeypatch):
    from patchconvnet import records

    asked = []

    class Record:
        @property
        def results(self):
            if asked[-1] == ("broken", 2):
                raise PatchConvNetError("its results.json is damaged")

    monkeypatch.setattr(records, "names", lambda: ["good", "broken"])
    monkeypatch.setattr(records, "seeds", lambda name: [0, 1, 2])
    monkeypatch.setattr(
        records, "load", lambda name, seed=None: asked.append((name, seed)) or Record()
    )
    monkeypatch.setattr(records, "read_arrays", lambda path: pytest.fail("it went on"))
    found = doctor.look("records")
    assert found.state == MEND and "its results.json is damaged" in found.found
