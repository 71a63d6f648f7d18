"""What the machine has, and its user has set, is of no account to these tests."""

import pytest

from patchconvnet.data import cifar10, web


@pytest.fixture
def no_network_settings(monkeypatch):
    """No proxy, and nothing that says that there is no network."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv(web.OFFLINE_VARIABLE, raising=False)


@pytest.fixture
def small_batches(request, tmp_path, monkeypatch):
    """Batches of CIFAR-10 of so few rows as the test's file says; an empty home, no
    variables, no network.
    """
    monkeypatch.setattr(cifar10, "ROWS", request.module.ROWS)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv(web.OFFLINE_VARIABLE, "1")
    for name in (cifar10.VARIABLE, "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
