"""Numbers beside their bands, and what nbval makes of them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from patchconvnet.course.bands import in_band
from patchconvnet.errors import PatchConvNetError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((0.94, 0.9, 0.98), "0.94 (0.90 to 0.98)"),
        ((0.85, 0.9, 0.98), "0.85 NOT in 0.90 to 0.98"),
        ((np.float32(0.9), 0.9, 0.98), "0.90 (0.90 to 0.98)"),
        ((0.9849, 0.9, 0.98), "0.98 (0.90 to 0.98)"),  # as printed
        ((0.986, 0.9, 0.98), "0.99 NOT in 0.90 to 0.98"),
        ((-3, -5, 5, 0), "-3 (-5 to 5)"),
        ((float("nan"), 0, 1), "nan NOT in 0.00 to 1.00"),
    ],
)
def test_a_number_beside_its_band(asked, said):
    assert in_band(*asked) == said


@pytest.mark.parametrize("asked", [(0.5, 1, 0), ("half", 0, 1), (0.5, None, 1)])
def test_no_band(asked):
    with pytest.raises(PatchConvNetError, match="band"):
        in_band(*asked)


def notebook(source, printed):
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "id": "one",
        "metadata": {},
        "source": source,
        "outputs": [{"name": "stdout", "output_type": "stream", "text": printed}],
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": [cell],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.mark.long
@pytest.mark.parametrize(
    ("value", "printed", "passes"),
    [
        ("0.94", "score 0.91 (0.90 to 0.98), of 7\n", True),  # another digit
        ("0.85", "score 0.91 (0.90 to 0.98), of 7\n", False),  # outside
        ("0.94", "score 0.94 (0.80 to 0.98), of 7\n", False),  # another band
        ("0.94", "score 0.94 (0.90 to 0.98), of 8\n", False),  # another number
    ],
)
def test_nbval_compares_all_but_the_number_in_its_band(
    tmp_path, value, printed, passes
):
    source = (
        "from patchconvnet.course.bands import in_band\n"
        f"print('score ' + in_band({value}, 0.9, 0.98) + ', of 7')"
    )
    (tmp_path / "chapters").mkdir()
    (tmp_path / "tests").mkdir()
    for name in ("chapters/conftest.py", "tests/nbval.cfg"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    file = tmp_path / "chapters" / "one.ipynb"
    file.write_text(json.dumps(notebook(source, printed)))
    told = ["-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *told],
        cwd=tmp_path,  # not the course's root
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) == passes, done.stdout
    assert re.search(r"1 passed|1 failed", done.stdout)
