"""What is recorded on a GPU: its order, its end in time, what goes on, what is packed.

The clock and the trainings are made up here.
"""

import importlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from patchconvnet import files
from patchconvnet.__main__ import main

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PLAN = {"epochs": None, "limit": None, "set": [], "set_yardstick": []}


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import gpu_records

    return gpu_records


class Machine:
    """Child processes that take so many seconds, an epoch every ten of them.

    Attributes:
        now: its clock.
        seconds: dict from a job's name to how long it takes from its start to its end.
        codes: dict from a job's name to its exit code; 0 if it is not there.
        begun: what was started, in this order, with the time.
        most: the greatest number that ran at once.
        ended: what was ended from outside.
    """

    def __init__(self, seconds=30):
        self.now, self.seconds, self.codes = 1000.0, seconds, {}
        self.begun, self.ended, self.running, self.most = [], [], {}, 0

    def start(self, job, out, together):
        self.begun.append((str(job), self.now))
        process = Process(self, job, out)
        self.running[job] = process
        self.most = max(self.most, len(self.running))
        return process

    def pause(self, seconds):
        self.now += seconds
        for process in list(self.running.values()):
            process.go_on()


class Process:
    def __init__(self, machine, job, out):
        self.machine, self.job, self.out = machine, job, out
        self.since, self.returncode = machine.now, None

    def go_on(self):
        seconds = self.machine.now - self.since
        self.write("history.csv", "epoch\n" + int(seconds // 10) * "0\n")
        if seconds >= self.machine.seconds:
            del self.machine.running[self.job]
            self.returncode = self.machine.codes.get(self.job.name, 0)
            if self.returncode:
                log = self.job.log(self.out)
                log.parent.mkdir(parents=True, exist_ok=True)
                log.write_text("Epoch 1\nerror: no CIFAR-10 here\n\n")
            else:
                self.write("results.json", "{}")

    def write(self, name, text):
        path = self.out / str(self.job) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def poll(self):
        return self.returncode

    def terminate(self):
        self.machine.ended.append(str(self.job))
        self.machine.running.pop(self.job)

    def wait(self, timeout=None):
        return -15


@pytest.fixture
def call(tool, tmp_path, monkeypatch):
    """The tool on a machine: its exit code."""

    def run(machine, *words, minutes=9):
        work = tool.work

        def on_machine(*given):
            return work(*given, machine.start, lambda: machine.now, machine.pause)

        out = ["--out", str(tmp_path / "out"), "--minutes", str(minutes)]
        with monkeypatch.context() as patch:
            patch.setattr(tool, "work", on_machine)
            return tool.main([*out, *words])

    return run


ALL = [
    *("cifar10/seed_0", "cifar10/seed_1", "cifar10/seed_2", "yardstick/seed_0"),
    *("keras_example/seed_1", "keras_example/seed_2", "ladder/seed_0"),
]


def test_everything_is_trained_in_order_and_packed(call, tmp_path, capsys):
    machine = Machine()
    assert call(machine) == 0
    assert [name for name, _ in machine.begun] == ALL
    assert machine.most == 3 and not machine.ended
    packed = tmp_path / "out" / "packed"
    assert sorted(path.name for path in packed.iterdir()) == sorted(
        f"{name.replace('/', '-')}.tar.gz" for name in ALL
    )
    with tarfile.open(packed / "cifar10-seed_1.tar.gz") as archive:
        assert {"cifar10/seed_1/history.csv", "cifar10/seed_1/results.json"} <= set(
            archive.getnames()
        )
    said = capsys.readouterr().out
    assert "cifar10/seed_0: epoch 1, 15 s" in said
    assert said.count("cifar10/seed_0: epoch") == 1  # every 15 seconds, no oftener
    assert "cifar10/seed_0: finished, epoch 3, 30 s" in said
    # once more: nothing is left to do
    machine = Machine()
    assert call(machine) == 0 and not machine.begun


def test_when_time_is_up_runs_end_and_the_same_command_goes_on(call, capsys):
    machine = Machine(seconds=100)
    assert call(machine, "--together", "2", minutes=2.6) == 3
    # two for 100 s; with 55 s left the next two are begun, and ended
    assert [name for name, _ in machine.begun] == ALL[:4]
    assert machine.ended == ALL[2:4] and machine.now - 1000 == pytest.approx(156, abs=1)
    said = capsys.readouterr().out
    assert "cifar10/seed_2: stopped, after epoch" in said
    assert "ladder/seed_0: left out, too little time" in said
    assert "time is up, 5 left: the same command goes on" in said
    machine = Machine()
    assert call(machine, "--together", "2", minutes=60) == 0
    assert [name for name, _ in machine.begun] == ALL[2:]


def test_nothing_is_begun_without_time_for_an_epoch(call, tool):
    machine = Machine(seconds=20)
    # the second would be begun after 20 s, when 40 are left
    assert call(machine, "--together", "1", minutes=1) == 3
    assert len(machine.begun) == 1 and not machine.ended
    assert machine.now - 1000 < 60


def test_a_run_that_fails_is_told_and_holds_up_no_other(call, tmp_path, capsys):
    machine = Machine()
    machine.codes = {"yardstick": 2}
    assert call(machine) == 1
    captured = capsys.readouterr()
    assert captured.err == "yardstick/seed_0: failed: no CIFAR-10 here\n"
    assert "1 failed" in captured.out
    assert len(list((tmp_path / "out" / "packed").iterdir())) == 6
    # it alone is tried again
    machine = Machine()
    assert call(machine) == 0 and machine.begun[0][0] == "yardstick/seed_0"
    assert len(machine.begun) == 1


def test_what_is_too_large_is_told_and_not_packed(
    call, tool, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(tool, "LARGEST", 10)
    assert call(Machine()) == 1
    assert "cifar10/seed_0: failed: packed it has 0.0 MB" in capsys.readouterr().err
    assert not list(tmp_path.glob("out/packed/*"))


def test_whatever_happens_no_child_goes_on(tool, tmp_path):
    machine = Machine()

    def interrupt(seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tool.work(tool.jobs(PLAN), tmp_path, 9, 3, machine.start, lambda: 0, interrupt)
    assert machine.ended == ALL[:3]


# === what is run ===


def test_the_commands_are_those_that_a_reader_would_type(tool):
    plan = PLAN | {"epochs": 1, "limit": 600, "set": ["dim=16"]}
    found = {
        str(job): " ".join(job.words)
        for job in tool.jobs(plan | {"set_yardstick": ["width=8"]})
    }
    common = "--epochs 1 --limit 600"
    assert found["cifar10/seed_0"] == (
        f"-m patchconvnet train --preset cifar10 --seed 0 {common} --set dim=16"
    )
    assert found["keras_example/seed_2"] == (
        "-m patchconvnet train --preset keras_example --seed 2 --keep scores"
        f" {common} --set dim=16"
    )
    assert found["yardstick/seed_0"].endswith(f"yardstick.py {common} --set width=8")
    assert found["ladder/seed_0"].endswith(f"ladder.py {common} --set dim=16")


def test_every_command_is_understood(tool, tmp_path, monkeypatch, capsys):
    """By the tools themselves: what they refuse is the lack of data alone."""
    monkeypatch.setenv("PATCHCONVNET_CIFAR10", str(tmp_path / "nowhere"))
    plan = PLAN | {"epochs": 1, "limit": 600, "set": ["dim=16", "depth=1"]}
    for job in tool.jobs(plan | {"set_yardstick": ["width=8"]}):
        run, words = main, job.words[2:]
        if job.words[0] != "-m":
            tool_of_it = importlib.import_module(Path(job.words[0]).stem)
            run, words = tool_of_it.main, job.words[1:]
        assert run([*words, "--out", str(tmp_path / str(job))]) == 2
        assert "$PATCHCONVNET_CIFAR10" in capsys.readouterr().err, job


def test_a_child_gets_its_share_of_the_memory_unless_the_user_says(
    tool, tmp_path, monkeypatch
):
    monkeypatch.delenv("XLA_PYTHON_CLIENT_MEM_FRACTION", raising=False)
    program = (
        "import os, sys; print(os.environ['XLA_PYTHON_CLIENT_MEM_FRACTION'], sys.argv)"
    )
    job = tool.Job("echo", 7, ("-c", program))
    for share in ("0.300", "0.5"):
        assert tool.start(job, tmp_path, together=3).wait() == 0
        log = job.log(tmp_path).read_text()
        assert log.startswith(share) and f"'--out', '{tmp_path}/echo/seed_7'" in log
        monkeypatch.setenv("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.5")


def test_a_child_is_ended_and_if_it_does_not_listen_killed(tool, tmp_path):
    job = tool.Job("sleeper", 0, ("-c", "import time; time.sleep(60)"))
    sleeper = tool.start(job, tmp_path, together=1)

    class Deaf:
        killed = False

        def terminate(self):
            pass

        def kill(self):
            self.killed = True

        def wait(self, timeout=None):
            if not self.killed:
                raise subprocess.TimeoutExpired("deaf", timeout)

    deaf = Deaf()
    tool.end([deaf, sleeper])
    assert deaf.killed and sleeper.returncode not in (None, 0)


def test_of_what_a_child_said_the_last_error_counts(tool, tmp_path):
    log = tmp_path / "log.txt"
    for text, said in (
        ("error: one\nerror: two\nwarning\n", "two"),
        ("Traceback\nKeyError: 'x'\n", "KeyError: 'x'"),
        ("", "it said nothing"),
    ):
        log.write_text(text)
        assert tool.complaint(log) == said


@pytest.mark.long
def test_the_gpu_is_left_to_the_runs():
    """With the first device that JAX looks for, it would take most of its memory."""
    pytest.importorskip("jax")
    program = """
import gpu_records, sys
from jax._src import xla_bridge
sys.exit(xla_bridge.backends_are_initialized())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=TOOLS,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )
    assert done.returncode == 0


# === refusals ===


@pytest.mark.parametrize(
    "words, said",
    [
        (["--minutes", "0"], "minutes must be a number, at least 1"),
        (["--minutes", "nan"], "minutes must be"),
        (["--minutes", "soon"], "invalid float value"),
        (["--together", "0"], "together must be"),
        (["--epochs", "0"], "epochs must be"),
        (["--limit", "0"], "limit must be"),
    ],
)
def test_what_may_not_be_is_one_line(words, said, tool, tmp_path, capsys):
    out = tmp_path / "out"
    assert tool.main(["--out", str(out), "--minutes", "9", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not out.exists()


def test_other_options_need_another_folder(call, tmp_path, capsys):
    assert call(Machine()) == 0
    assert call(Machine(), "--limit", "600") == 2
    assert "was begun with other options" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "plan.json").read_text()) == PLAN


def test_a_folder_that_will_not_do_is_one_line(call, tmp_path, capsys):
    (tmp_path / "out").write_text("dear")
    assert call(Machine()) == 2
    error = capsys.readouterr().err
    assert "cannot be written" in error and error.count("\n") == 1


def test_a_second_call_at_once_is_refused(call, tmp_path, capsys):
    pytest.importorskip("fcntl")
    with files.held(tmp_path / "out"):
        assert call(Machine()) == 2
    assert "another process" in capsys.readouterr().err
