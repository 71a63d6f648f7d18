"""The doctor's training, by its own clock; the process apart; what is written of it."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import types

import numpy as np
import pytest

from patchconvnet.course import doctor, doctor_apart
from patchconvnet.course.doctor import MEND, OK, Check

# === training ===


@pytest.fixture
def training(monkeypatch):
    """training(durations, losses, moves): what the doctor finds of such steps, and the
    seconds that it keeps of one.
    """
    import patchconvnet
    import patchconvnet.training

    def call(durations, losses=(2.0,), moves=True):
        clock, compiled, batches = types.SimpleNamespace(now=500.0), [], []

        class Network:
            trainable_variables = [np.zeros(3)]

            def train_on_batch(self, images, labels):
                step = len(batches)
                batches.append((images, labels))
                clock.now += durations[min(step, len(durations) - 1)]
                self.trainable_variables = [self.trainable_variables[0] + moves]
                return [losses[min(step, len(losses) - 1)], 0.1]

        network = Network()
        monkeypatch.setattr(
            doctor, "time", types.SimpleNamespace(perf_counter=lambda: clock.now)
        )
        monkeypatch.setattr(
            patchconvnet.PatchConvNet, "from_preset", lambda name, seed: network
        )
        compile_it = lambda *given, **options: compiled.append((given, options))
        monkeypatch.setattr(patchconvnet.training, "compile_model", compile_it)
        step = []
        check = doctor._training(step)
        assert compiled == [
            (
                (network, patchconvnet.training.RECIPES["shapes"]),
                {"steps_per_epoch": 250},
            )
        ]
        for images, labels in batches:
            assert images.shape == (32, 32, 32, 3) and labels.shape == (32, 10)
        data = patchconvnet.load_dataset("shapes", train=32, val=1, test=1)
        np.testing.assert_array_equal(batches[0][1], np.eye(10)[data.y_train])
        return check, step, len(batches)

    return call


@pytest.mark.parametrize(
    ("durations", "count", "kept"),
    [
        ([0.1], 24, 0.1),
        ([0.82], 24, 0.82),
        ([0.84], 24, 0.84),
        ([1.0], 20, 1.0),  # twenty seconds are over
        ([1.1], 19, 1.1),
        ([30.0, 3.0], 2, 3.0),  # the first one compiles: a second is needed
        ([5.0, 1.0, 2.0, 4.0, 1.5, 6.5], 6, 2.0),  # the median of all but the first
    ],
)
def test_24_steps_are_taken_or_as_many_as_20_seconds_allow_and_at_least_two(
    training, durations, count, kept
):
    check, step, taken = training(durations)
    assert taken == count and step == [pytest.approx(kept)]
    assert check == Check("training", OK, f"{count} steps, {1000 * kept:.0f} ms each")


@pytest.mark.parametrize(
    ("losses", "moves", "found"),
    [
        ([2.0], False, "loss 2.0, weights did not move"),
        ([2.0, float("nan"), 1.0], True, "loss 1.0, weights moved"),
        ([2.0, float("inf")], False, "loss inf, weights did not move"),
    ],
)
def test_a_loss_that_is_no_number_or_weights_that_stay_must_be_mended(
    training, losses, moves, found
):
    check, step, _ = training([0.1], losses, moves)
    assert (
        check == Check("training", MEND, found, "try another KERAS_BACKEND")
        and step == []
    )


# === the process apart ===


@pytest.fixture
def apart(monkeypatch):
    """apart(scripts, names): what `reports` yields where the child is each of these
    scripts in turn; and the calls.
    """
    usual, calls, children = subprocess.Popen, [], []
    monkeypatch.setattr(doctor_apart, "PATIENCE", 20.0)

    def call(scripts, names, own=None, take=None):
        waiting, rest = list(scripts), list(names)

        def start(command, **options):
            calls.append((command, options))
            script = waiting.pop(0)
            if isinstance(script, Exception):
                raise script
            children.append(
                usual(
                    [sys.executable, "-S", "-c", f"import os, sys, time\n{script}"],
                    **options,
                )
            )
            return children[-1]

        monkeypatch.setattr(doctor_apart.subprocess, "Popen", start)
        found = []
        for pair in doctor_apart.reports(rest, own):
            found.append(pair)
            for name in ({} if take is None else take).get(pair[0], ()):
                rest.remove(name)
        return found

    call.calls, call.children = calls, children
    return call


def says(*reports):
    return "\n".join(
        f"print({doctor_apart.MARK!r} + {json.dumps(report)!r}, flush=True)"
        for report in reports
    )


def test_reports_come_in_order_from_between_what_libraries_say(apart):
    noise = "print('another', file=sys.stderr, flush=True)"
    script = f"print('a note')\n{says({'name': 'a'})}\n{noise}\n{says({'name': 'b'})}"
    assert apart([script], ["a", "b"], own="photos") == [
        ("a", {"name": "a"}),
        ("b", {"name": "b"}),
    ]
    [(command, options)] = apart.calls
    assert command == [
        sys.executable,
        "-m",
        "patchconvnet.course.doctor",
        "photos",
        "a",
        "b",
    ]
    environment = options["env"]
    assert environment["PYTHONPATH"].split(os.pathsep) == [
        path or os.getcwd() for path in sys.path
    ]
    assert (
        environment["PYTHONSAFEPATH"] == "1"
        and environment["PYTHONIOENCODING"] == "utf-8:replace"
    )
    assert environment["PATH"] == os.environ["PATH"]
    assert (
        options["stdin"] == subprocess.DEVNULL
        and options["stderr"] == subprocess.STDOUT
    )
    assert all(child.poll() is not None for child in apart.children)


def test_the_folder_of_work_has_its_name_for_the_child(apart, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/elsewhere"])
    apart([says({})], ["a"])
    [(command, options)] = apart.calls
    assert options["env"][
        "PYTHONPATH"
    ] == f"{os.getcwd()}{os.pathsep}/elsewhere" and command[3:] == ["", "a"]


@pytest.mark.parametrize(
    ("script", "end"),
    [
        ("sys.exit(0)", "the process ended with exit code 0"),
        (
            "print('a'); print(' why '); print(' '); sys.exit(3)",
            "the process ended with exit code 3, and said: why",
        ),
        (
            "sys.stdout.buffer.write(b'\\xff\\n'); sys.exit(1)",
            "the process ended with exit code 1, and said: \ufffd",
        ),
        (
            "print('why', file=sys.stderr); sys.exit(1)",
            "the process ended with exit code 1, and said: why",
        ),
    ],
)
def test_the_end_of_a_process_is_told_with_its_last_words_and_the_next_goes_on(
    apart, script, end
):
    found = apart([script, says({"name": "b"}, {"name": "c"})], ["a", "b", "c"])
    assert found == [("a", end), ("b", {"name": "b"}), ("c", {"name": "c"})]
    assert [command[4:] for command, _ in apart.calls] == [["a", "b", "c"], ["b", "c"]]


def test_after_a_killed_process_others_may_be_taken_out(apart):
    found = apart(
        ["sys.exit(1)", says({"name": "c"})], ["a", "b", "c"], take={"a": ["b"]}
    )
    assert [name for name, _ in found] == ["a", "c"]


def test_a_process_that_cannot_be_started_is_told_for_each(apart):
    found = apart([OSError("no memory"), ValueError("null byte")], ["a", "b"])
    assert found == [
        ("a", "no process can be started: no memory"),
        ("b", "no process can be started: null byte"),
    ]


def test_a_process_that_hangs_is_ended(apart, monkeypatch):
    monkeypatch.setattr(doctor_apart, "PATIENCE", 0.6)
    assert apart(["time.sleep(60)"], ["a"]) == [
        ("a", "it did not end within 1 seconds")
    ]
    [child] = apart.children
    assert (
        child.poll() == -signal.SIGKILL if os.name != "nt" else child.poll() is not None
    )


def test_whoever_is_interrupted_waits_for_no_thread_and_leaves_no_process(apart):
    with contextlib.suppress(KeyboardInterrupt):
        apart([says({}) + "\ntime.sleep(60)"], ["a", "b"], take=Interrupting())
    [child] = apart.children
    assert (
        child.poll() is not None and Interrupting.threads and all(Interrupting.threads)
    )


class Interrupting(dict):
    """Interrupts where a report has come, and keeps of each other thread whether Python
    would wait for its end.
    """

    threads = []

    def get(self, name, usual):
        others = [
            thread
            for thread in threading.enumerate()
            if thread is not threading.main_thread()
        ]
        Interrupting.threads += [thread.daemon for thread in others]
        raise KeyboardInterrupt


def test_a_process_that_chatters_has_no_more_time_than_a_silent_one(monkeypatch):
    """Three minutes for a check, by a clock that goes on a second for each line."""
    clock = types.SimpleNamespace(now=0.0)
    waited = []

    class Lines:
        def get(self, timeout):
            waited.append(timeout)
            clock.now += 1
            return (
                "still at it\n" if len(waited) != 50 else f"{doctor_apart.MARK}{{}}\n"
            )

    child = object.__new__(doctor_apart._Child)
    child.lines, child.said = Lines(), ""
    monkeypatch.setattr(doctor_apart.time, "monotonic", lambda: clock.now)
    assert child.next_report() == {} and waited == [
        180.0 - second for second in range(50)
    ]
    # and again as much
    assert (
        child.next_report() == "it did not end within 180 seconds"
        and len(waited) == 50 + 180
    )


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0, "the process ended with exit code 0"),
        (120, "the process ended with exit code 120"),
        (-999, "the process ended with exit code -999"),
        (-int(signal.SIGSEGV), "the process died of SIGSEGV"),
        (0xC000001D, "the process died of SIGILL"),
        (0xC0000005, "the process died of SIGSEGV"),
        (0xC0000409, "the process died of SIGABRT"),
        (0xC0000006, f"the process ended with exit code {0xC0000006}"),
    ],
)
def test_how_a_process_ended_has_a_name(code, told):
    assert doctor_apart._how_it_ended(code) == told


def test_a_report_is_a_line_by_itself(capsys):
    print("no end of line", end="")
    doctor_apart.report({"name": "a"})
    assert (
        capsys.readouterr().out
        == 'no end of line\npatchconvnet doctor: {"name": "a"}\n'
    )


def test_a_report_has_left_before_the_next_check_can_kill_the_process(monkeypatch):
    gone = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(gone))
    doctor_apart.report({})
    assert gone.getvalue() == b"\npatchconvnet doctor: {}\n"
    monkeypatch.undo()
