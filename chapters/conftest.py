"""Chapters are compared with their outputs, but for numbers in a band."""

from pathlib import Path


def pytest_configure(config):
    if config.getoption("nbval_sanitize_with", None) is None:
        patterns = Path(__file__).parents[1] / "tests" / "nbval.cfg"
        config.option.nbval_sanitize_with = str(patterns)
