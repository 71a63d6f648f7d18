"""What JAX compiles for a training is there for the next one, and only for that."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from patchconvnet.training.compilations import kept_compilations

WORKER = Path(__file__).with_name("compilations_worker.py")
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


def train_in_a_process(out, cache):
    """What the worker prints; its caches lie in `cache`."""
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)]),
        "XDG_CACHE_HOME": str(cache),
        "JAX_ENABLE_COMPILATION_CACHE": "true",
    }
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, WORKER, out],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "compilation cache" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None,
    reason="jax is not installed: pip install -r requirements-backends.txt",
)
@pytest.mark.slow
def test_a_second_training_finds_all_that_the_first_compiled(tmp_path):
    first, second = (
        train_in_a_process(tmp_path / name, tmp_path / "cache")
        for name in ("first", "second")
    )
    assert first["kept"] > 0 and second["kept"] == 0
    assert second["found"] == first["kept"] + first["found"]
    for name in ("loss", "test_loss"):
        assert first[name] == second[name]
    # what comes after the training is nobody's
    assert first["kept_later"] == 0 and first["folder"] is None
    kept = {
        path.name.partition("-")[0]
        for path in (tmp_path / "cache" / "patchconvnet" / "jax").glob("jit_*")
    }
    assert {"jit_train_step", "jit_predict_step"} <= kept


@pytest.fixture
def jax_config(monkeypatch, tmp_path):
    """JAX's settings, as if Keras computed with it, and its cache were not off."""
    jax = pytest.importorskip("jax")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = {name: getattr(jax.config, name) for name in SETTINGS}
    switched_on = jax.config.jax_enable_compilation_cache
    jax.config.update("jax_enable_compilation_cache", True)
    jax.config.update("jax_compilation_cache_dir", None)
    yield jax.config
    jax.config.update("jax_enable_compilation_cache", switched_on)
    for name, value in before.items():
        jax.config.update(name, value)


def settings_of(config):
    return tuple(getattr(config, name) for name in SETTINGS)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_jax_keeps_what_it_compiles_in_our_cache_and_then_as_before(
    jax_config, tmp_path, error
):
    before = settings_of(jax_config)
    try:
        with kept_compilations():
            folder = tmp_path / "cache" / "patchconvnet" / "jax"
            assert settings_of(jax_config) == (str(folder), 0)
            assert folder.is_dir() and not list(folder.iterdir())
            if error:
                raise error
    except KeyboardInterrupt:
        pass
    assert settings_of(jax_config) == before and before[0] is None


def test_a_folder_that_the_user_has_chosen_stays(jax_config, tmp_path):
    jax_config.update("jax_compilation_cache_dir", str(tmp_path / "mine"))
    before = settings_of(jax_config)
    with kept_compilations():
        assert settings_of(jax_config) == before
    assert settings_of(jax_config) == before
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_is_switched_off_stays_off(jax_config, tmp_path):
    jax_config.update("jax_enable_compilation_cache", False)
    with kept_compilations():
        assert jax_config.jax_compilation_cache_dir is None
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("where", ["a file", "~nobody-here/cache"])
def test_a_cache_folder_that_cannot_be_written_stops_nothing(
    jax_config, tmp_path, monkeypatch, where
):
    (tmp_path / "a file").write_text("")
    where = where if where.startswith("~") else str(tmp_path / where)
    monkeypatch.setenv("XDG_CACHE_HOME", where)
    with kept_compilations():
        assert jax_config.jax_compilation_cache_dir is None


def test_other_backends_are_left_alone(jax_config, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with kept_compilations():
        assert jax_config.jax_compilation_cache_dir is None
    assert not (tmp_path / "cache").exists()
