"""What is said of the machine, in chapters and in records."""

import os
import platform
import subprocess
import sys
import types
from pathlib import Path

import keras
import numpy as np
import pytest

import patchconvnet
from patchconvnet.course.announcement import announce
from patchconvnet.training import machine

on_cpu = pytest.mark.skipif(
    os.environ.get("CUDA_VISIBLE_DEVICES") != "-1", reason="a GPU may be used here"
)


def test_versions_of_all_that_a_result_depends_on():
    found = machine.versions()
    assert list(found) == [
        "patchconvnet",
        "python",
        "keras",
        "numpy",
        keras.backend.backend(),
    ]
    assert found["patchconvnet"] == patchconvnet.__version__
    assert found["python"] == platform.python_version()
    assert found["keras"] == keras.__version__ and found["numpy"] == np.__version__


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    def missing(name):
        raise machine.PackageNotFoundError(name)

    monkeypatch.setattr(machine, "version", missing)
    assert set(machine.versions()) == {"patchconvnet", "python", "keras"}


@on_cpu
@pytest.mark.parametrize(
    ("cores", "words"), [({0}, "CPU, 1 core"), ({0, 1, 2}, "CPU, 3 cores")]
)
def test_device_counts_the_cores_that_this_process_may_use(monkeypatch, cores, words):
    monkeypatch.setattr(
        machine.os, "sched_getaffinity", lambda process: cores, raising=False
    )
    assert machine.device() == words


@on_cpu
def test_device_where_the_system_does_not_tell_which_cores(monkeypatch):
    monkeypatch.delattr(machine.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 4)
    assert machine.device() == "CPU, 4 cores"


def unknown():
    raise ValueError("the allocator keeps no count")


def gpu_of(capability, peak_bytes=unknown):
    return lambda: {
        "name": "Tesla T4",
        "capability": capability,
        "peak_bytes": peak_bytes,
    }


def test_a_gpu_is_named_and_its_memory_told(monkeypatch):
    monkeypatch.setattr(
        machine, f"_{keras.backend.backend()}_gpu", gpu_of((7, 5), lambda: 3_000)
    )
    assert machine.device() == "Tesla T4" and machine.peak_device_memory() == 3_000


def test_memory_that_a_gpu_does_not_tell_stops_nothing(monkeypatch):
    monkeypatch.setattr(machine, f"_{keras.backend.backend()}_gpu", gpu_of((7, 5)))
    assert machine.device() == "Tesla T4" and machine.peak_device_memory() is None


@on_cpu
def test_without_a_gpu_there_is_no_memory_of_one():
    assert machine.peak_device_memory() is None


@pytest.mark.parametrize(
    ("capability", "policy"),
    [
        ((9, 0), "mixed_bfloat16"),
        ((8, 0), "mixed_bfloat16"),
        ((7, 5), "mixed_float16"),
        ((6, 1), "float32"),
    ],
)
def test_precision_follows_the_gpu(monkeypatch, capability, policy):
    monkeypatch.setattr(machine, f"_{keras.backend.backend()}_gpu", gpu_of(capability))
    assert machine.best_precision() == policy


@on_cpu
@pytest.mark.parametrize(
    ("flags", "faster"),
    [("fpu avx2", False), ("fpu avx512f avx512_bf16", True), ("amx_bf16", True)],
)
def test_precision_follows_the_processor(monkeypatch, tmp_path, flags, faster):
    (tmp_path / "cpuinfo").write_text(
        f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: {flags}\n"
    )
    monkeypatch.setattr(machine, "Path", lambda path: tmp_path / "cpuinfo")
    # the others were not measured
    faster = faster and keras.backend.backend() == "tensorflow"
    assert machine.best_precision() == ("mixed_bfloat16" if faster else "float32")
    (tmp_path / "cpuinfo").unlink()  # another system has no such file
    assert machine.best_precision() == "float32"


def test_peak_memory_is_in_bytes():
    pytest.importorskip("resource")  # Windows has none, and does not tell
    # Python with Keras takes hundreds of megabytes
    assert 50e6 < machine.peak_memory() < 64e9


@pytest.mark.long
@pytest.mark.skipif(
    not Path("/proc/self/status").is_file(),
    reason="only Linux tells a process's own peak",
)
def test_peak_memory_is_this_process_own():
    """A child begins with its parent's peak in what `resource` tells."""
    ballast = np.ones(machine.peak_memory() // 8)  # as much again
    parent = machine.peak_memory()
    assert parent > 1.5 * ballast.nbytes
    code = "from patchconvnet.training.machine import peak_memory; print(peak_memory())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert 50e6 < int(done.stdout) < 0.8 * parent


@pytest.mark.parametrize(
    ("minutes", "words"), [(1, "about 1 minute on"), (7, "about 7 minutes on")]
)
def test_announce_prints_four_lines(capsys, minutes, words):
    announce("shapes", minutes)
    backend, device, dataset, time = capsys.readouterr().out.splitlines()
    framework = keras.backend.backend()
    assert (
        backend == f"backend   {framework} {machine.versions()[framework]}, Keras"
        f" {keras.__version__}"
    )
    assert device == f"device    {machine.device()}"
    assert dataset == "data set  shapes, nothing to download"
    assert time.startswith("time ") and words in time


@pytest.mark.parametrize(
    "here",
    ["nowhere", "in the cache of Keras", "in our cache", "where the variable says"],
)
def test_announce_says_what_is_still_to_download(monkeypatch, tmp_path, capsys, here):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PATCHCONVNET_CIFAR10", raising=False)
    if here == "where the variable says":
        monkeypatch.setenv("PATCHCONVNET_CIFAR10", str(tmp_path))
    elif here != "nowhere":
        cache = tmp_path / (
            "keras/datasets" if "Keras" in here else "cache/patchconvnet"
        )
        cache.mkdir(parents=True)
        (cache / "cifar-10-python.tar.gz").touch()
    announce("cifar10", 5)
    said = "a download of 170 MB" if here == "nowhere" else "nothing to download"
    assert f"data set  cifar10, {said}" in capsys.readouterr().out.splitlines()


def test_in_colab_announce_gives_one_line_that_keeps_files_on_drive(
    monkeypatch, tmp_path, capsys
):
    mounted = []
    colab = types.ModuleType("google.colab")
    colab.drive = types.SimpleNamespace(mount=mounted.append)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    announce("shapes", 1)
    *_, colab_line, drive_line, line = capsys.readouterr().out.splitlines()
    assert (
        colab_line.startswith("Colab")
        and "Disconnected" in colab_line
        and drive_line.startswith("Drive")
    )
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setattr(os, "chdir", mounted.append)
    exec(compile(line.strip(), "the line", "exec"), {})
    assert mounted == ["/content/drive", "/content/drive/MyDrive"]


@pytest.mark.parametrize(
    ("capability", "policy"),
    [
        ((7, 9), "mixed_float16"),
        ((7, 0), "mixed_float16"),
        ((6, 9), "float32"),
        ((10, 0), "mixed_bfloat16"),
        ((0, 0), "float32"),
    ],
)
def test_precision_changes_with_the_generation_of_the_gpu(
    monkeypatch, capability, policy
):
    monkeypatch.setattr(machine, f"_{keras.backend.backend()}_gpu", gpu_of(capability))
    assert machine.best_precision() == policy


@pytest.mark.parametrize(("dataset", "own", "name", "unused"), [
    ("shapes", None, "shapes", False),
    ("shapes", "/home/ada/photos.npz", "shapes", True),
    (None, "/home/ada/photos.npz", "photos.npz", False),
    (None, None, "drawn by this chapter", False),
])  # fmt: skip
def test_announce_names_the_pictures_without_their_folder(
    monkeypatch, capsys, dataset, own, name, unused
):
    (
        monkeypatch.setenv("PATCHCONVNET_DATASET", own)
        if own
        else monkeypatch.delenv("PATCHCONVNET_DATASET", raising=False)
    )
    announce(dataset, 2)
    out = capsys.readouterr().out
    assert (
        f"data set  {name}, nothing to download" in out.splitlines()
        and "ada" not in out
    )
    assert (
        "it does not use PATCHCONVNET_DATASET" in out
    ) == unused and "2 minutes" in out


def test_announce_says_that_pets_come_with_the_package(monkeypatch, capsys):
    monkeypatch.delenv("PATCHCONVNET_DATASET", raising=False)
    announce("pets", 2)
    _, _, dataset, time = capsys.readouterr().out.splitlines()
    assert dataset == "data set  pets, nothing to download"
    assert time == "time      about 2 minutes on two CPU cores"


def test_announce_says_where_the_chapter_on_pets_takes_other_pictures(
    monkeypatch, capsys
):
    monkeypatch.setenv("PATCHCONVNET_DATASET", "/home/ada/photos.npz")
    announce("pets", 2)
    out = capsys.readouterr().out
    assert "data set  pets, nothing to download\n" in out
    assert "(and photos.npz, in the section on your own photographs)" in out
    assert "does not use" not in out and "ada" not in out


def test_announce_outside_colab_says_nothing_of_it(capsys):
    announce("shapes", 1)
    assert "Colab" not in capsys.readouterr().out


def test_announce_silences_the_warnings_of_tensorflow_alone():
    import logging

    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    announce("shapes", 1)
    assert (
        logging.getLogger("tensorflow").level == logging.ERROR
        and logging.getLogger("keras").level != logging.ERROR
    )


def test_peak_memory_is_1024_bytes_a_kilobyte(monkeypatch, tmp_path):
    (tmp_path / "status").write_text(
        "Name:\tpython\nVmPeak:\t  9999 kB\nVmHWM:\t     321 kB\n"
    )
    monkeypatch.setattr(machine, "Path", lambda path: tmp_path / "status")
    assert machine.peak_memory() == 321 * 1024
    (tmp_path / "status").unlink()
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(
        resource, "getrusage", lambda who: types.SimpleNamespace(ru_maxrss=1000)
    )
    for system, bytes_each in (("Linux", 1024), ("Darwin", 1)):
        monkeypatch.setattr(machine.platform, "system", lambda: system)
        assert machine.peak_memory() == 1000 * bytes_each
