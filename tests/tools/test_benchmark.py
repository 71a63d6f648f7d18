"""tools/benchmark.py: what it times is what it says, and a missed goal is called so."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


def test_the_published_arrangement_is_the_example(tools):
    from benchmark import published_example

    for depth in (1, 2):
        # tied: at any depth
        assert published_example.build(depth=depth).count_params() == 1_436_426
    model = published_example.build(dim=16, ratio=4)
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    assert model(images).shape == (4, 10)
    # the crop switches the compiler off
    assert not all(layer.supports_jit for layer in model.layers)


def test_our_arrangement_is_the_preset(tools):
    from benchmark import step

    model = step.ours("mixed_bfloat16")
    assert model.count_params() == 2_174_986 and model.optimizer is not None
    assert model.get_layer("trunk").blocks[0].look_around.compute_dtype == "bfloat16"


def test_a_missed_goal_is_reported(tools, capsys, monkeypatch):
    from benchmark import compare

    assert compare.report(
        "test_accuracy", [{"test_accuracy": 0.96}, {"test_accuracy": 0.95}]
    )
    assert not compare.report("seconds", [{"seconds": 70.0}])
    assert capsys.readouterr().out.split()[-3:] == ["at", "most", "60"]

    seconds = {"published": 2.0, "ours": 1.8}

    def run(command, **options):
        line = json.dumps(
            {"seconds": seconds[command[-1]], "peak_memory_bytes": 1e9, "device": "CPU"}
        )
        return subprocess.CompletedProcess(command, 0, stdout=f"noise\n{line}\n")

    monkeypatch.setattr(compare.subprocess, "run", run)
    monkeypatch.setattr(compare, "has_bfloat16", lambda: False)
    assert compare.step() == ["step, ours"]
    assert "0.90  0.90  0.90" in capsys.readouterr().out
    seconds["ours"] = 1.0
    assert compare.step() == []


@pytest.mark.parametrize(
    ("device", "backend", "seconds", "wanted"),
    [
        ("NVIDIA H200", "jax", [15.0, *49 * [0.9]], []),
        ("NVIDIA H100 80GB HBM3", "jax", [15.1, *49 * [0.9]], ["first, first epoch"]),
        ("NVIDIA H200", "jax", [14.0, *49 * [1.0]], ["first, 50 epochs"]),
        ("NVIDIA H200", "tensorflow", [40.0, *49 * [3.0]], []),
        ("Tesla T4", "jax", [40.0, *49 * [9.0]], []),
        ("CPU, 2 cores", "jax", [99.0, 7.0, 8.0], []),
    ],
)
def test_the_first_epoch_has_a_goal_where_it_was_set(
    tools, capsys, monkeypatch, device, backend, seconds, wanted
):
    from benchmark import compare

    caches = []

    def run(command, env, **options):
        # JAX's own folder, and its switch, would hide ours
        assert not {"JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE"} & {
            *env
        }
        caches.append(env["XDG_CACHE_HOME"])
        answer = {"seconds": seconds, "images": 192, "backend": backend}
        line = json.dumps(answer | {"device": device})
        return subprocess.CompletedProcess(command, 0, stdout=f"noise\n{line}\n")

    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "elsewhere")
    monkeypatch.setattr(compare.subprocess, "run", run)
    assert compare.first() == wanted
    # a second run finds what the first has compiled, and only JAX keeps it
    assert len(caches) == (2 if backend == "jax" else 1) and len(set(caches)) == 1
    told = capsys.readouterr().out
    assert f"{seconds[0]:.1f}" in told and f"{sum(seconds):.1f}" in told
    asked = backend == "jax" and "H" in device
    assert ("not asked here" in told) is not asked


@pytest.mark.long
def test_the_epochs_are_timed_of_a_whole_batch_and_a_rest(
    tools, capsys, monkeypatch, tmp_path
):
    from benchmark import first as worker

    monkeypatch.setitem(worker.running.RECIPES["keras_example"], "batch_size", 8)
    monkeypatch.setattr(worker, "ON_A_CPU", (12, 4, 32))
    monkeypatch.setattr(worker.running, "load_dataset", None)  # and then as before
    worker.main(tmp_path / "run")
    result = json.loads(capsys.readouterr().out)
    assert len(result["seconds"]) == 3 and result["images"] == 12
    assert len(list(tmp_path.iterdir())) == 1


def test_the_measures_are_timed(tools, capsys, monkeypatch):
    from benchmark import compare
    from benchmark import measures as worker

    monkeypatch.setattr(worker, "MAPS", 50)
    monkeypatch.setattr(worker, "CHANGED", 2)
    worker.main()
    line = capsys.readouterr().out
    assert set(json.loads(line)["seconds"]) == set(compare.MEASURING)

    slow = json.dumps(
        {"seconds": {"measures": 1.5, "deletion": 9, "insertion": 9}, "device": "CPU"}
    )
    done = subprocess.CompletedProcess([], 0, stdout=f"noise\n{slow}\n")
    monkeypatch.setattr(compare.subprocess, "run", lambda *given, **options: done)
    assert compare.measures() == ["measures, measures"]
    assert "at most 60" in capsys.readouterr().out


def test_an_unknown_part_is_named():
    done = subprocess.run(
        [sys.executable, TOOLS / "benchmark.py", "steps"],
        capture_output=True,
        text=True,
    )
    assert (
        done.returncode == 2
        and "no part 'steps': there are step, first, shapes, measures" in done.stderr
    )
