"""Do the tests notice? Plant one fault at a time in a copy of the package, and see whether anything turns red.

    python tests/mutation.py                 all faults; about half an hour on two cores
    python tests/mutation.py trunk schedule  the faults of these modules

Each fault runs the unit tests of its module. Where those stay green, the chapter that teaches the module runs under
nbval. A fault that neither notices is printed as MISSED. Exit code 1 if fewer than nine in ten are caught.
pytest does not collect this file: it is run on demand, and its last result stands in CONTRIBUTING.md.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
WANTED = 0.9  # share of faults to be caught


class Fault(NamedTuple):
    module: str  # below patchconvnet/, without .py
    right: str  # as it stands there, once
    wrong: str
    tests: str  # test files, without test_ and .py
    chapter: str


LAYERS, POOLING = "layers model", "06_attention_pooling"
FAULTS = [
    # === the network ===
    Fault("stem", "ZeroPadding2D(1,", "ZeroPadding2D(((0, 1), (0, 1)),", LAYERS + " official", "03_stem"),
    Fault("stem", "if not last or self.final_activation:", "if self.final_activation:", LAYERS + " official", "03_stem"),
    Fault("stem", "gelu, dtype", "relu, dtype", LAYERS, "03_stem"),
    Fault("stem", "-(-height // stride)", "height // stride", LAYERS, "03_stem"),
    Fault("squeeze_excite", "axis=(1, 2)", "axis=(1, 3)", LAYERS, "04_squeeze_excite"),
    Fault("squeeze_excite", 'activation="sigmoid"', 'activation="relu"', LAYERS, "04_squeeze_excite"),
    Fault("squeeze_excite", "return x * self.gate(x)", "return x + self.gate(x)", LAYERS, "04_squeeze_excite"),
    Fault("trunk", "return x + self.skip(", "return self.skip(", LAYERS, "05_trunk"),
    Fault("trunk", "block = self.blocks[0] if self.tied", "block = self.blocks[0] if True", LAYERS, "05_trunk"),
    Fault("trunk", "distinct = 1 if tied else depth", "distinct = depth", LAYERS, "05_trunk"),
    Fault("trunk", "epsilon=1e-6", "epsilon=1e-3", LAYERS + " official", "05_trunk"),
    Fault("trunk", "x = gelu(self.look_around(x))", "x = self.look_around(x)", LAYERS, "05_trunk"),
    Fault("trunk", "else x * self.scale", "else x", LAYERS, "05_trunk"),
    Fault("trunk", "noise_shape=(None, 1, 1, 1)", "noise_shape=None", LAYERS, "05_trunk"),
    Fault("attention_pooling", "keys.shape[-1] ** -0.5", "keys.shape[-1] ** -1", LAYERS, POOLING),
    Fault("attention_pooling", "else weights[..., 1:]", "else weights[..., :-1]", LAYERS, POOLING),
    Fault("attention_pooling", "normalized[:, : self.tokens]", "normalized[:, -self.tokens :]", LAYERS, POOLING),
    Fault("attention_pooling", "normalized if self.tokens == 1 else", "normalized[:, 1:] if self.tokens == 1 else", LAYERS, POOLING),
    Fault("attention_pooling", "softmax(ops.cast(scores", "sigmoid(ops.cast(scores", LAYERS, POOLING),
    Fault("attention_pooling", "(-1, self.tokens, height, width)", "(-1, self.tokens, width, height)", LAYERS, POOLING),
    Fault("attention_pooling", "return ops.sum(tokens * self.kernel", "return ops.mean(tokens * self.kernel", LAYERS, POOLING),
    Fault("attention_pooling", "token = token + (update if self.scale_mlp", "token = (update if self.scale_mlp", LAYERS, POOLING),
    Fault("model", "patches = trunk(stem(x))", "patches = stem(x)", "model", "07_model"),
    Fault("model", "pooled = pooled[:, 0]", "pooled = pooled[:, -1] * 2", "model scores records", "07_model"),
    Fault("model", '"se_ratio": None,', '"se_ratio": 8,', "model records", "07_model"),
    Fault("preprocessing", "offset=-1", "offset=0", "preprocessing model", "02_data"),
    Fault("preprocessing", "antialias=shrinks", "antialias=False", "preprocessing", "02_data"),
    Fault("preprocessing", "(count, 1), -self.shift", "(1, 1), -self.shift", "preprocessing", "02_data"),
    Fault("preprocessing", "ops.where(mirrored, (width - 1)", "ops.where(mirrored, width", "preprocessing", "02_data"),
    # === its training ===
    Fault("schedule", "(step + 1) / max(", "step / max(", "schedule", "08_schedule"),
    Fault("schedule", "share = (step + 1 - self", "share = (step - self", "schedule", "08_schedule"),
    Fault("schedule", '"bias", "gamma"', '"gamma"', "schedule training_parts", "08_schedule"),
    Fault("callbacks", "self.order[index * self.batch_size :", "self.order[index * self.batch_size + 1 :", "training_parts", "09_training"),
    Fault("callbacks", "default_rng((self.seed, epoch))", "default_rng((self.seed, 0))", "training_parts training", "09_training"),
    Fault("callbacks", "self._probe(epoch + 1)", "self._probe(epoch)", "training training_parts", "09_training"),
    Fault("scores", "(rank < 5)", "(rank <= 5)", "scores", "09_training"),
    Fault("training", 'int(recipe["warmup"] * steps)', "0", "training training_parts", "09_training"),
    # === the data, the maps and their measures ===
    Fault("shapes", "coverage >= 0.5\n", "(coverage >= 0.5).swapaxes(1, 2)\n", "shapes", "02_data"),
    Fault("faithfulness/localization", '"Hh,nhw,Ww->nHW", rows, masks', '"Hh,nwh,Ww->nHW", rows, masks', "faithfulness", "12_faithfulness"),
    Fault("faithfulness/localization", "greatest] >= threshold", "greatest] > threshold", "faithfulness", "12_faithfulness"),
    Fault("faithfulness/localization", "np.log2(", "np.log(", "faithfulness", "12_faithfulness"),
    Fault("faithfulness/activation", '"nhwd,dc->nchw"', '"nhwd,dc->ncwh"', "faithfulness", "12_faithfulness"),
    Fault("faithfulness/perturbation", "(ranks < count) == inserting", "(ranks <= count) == inserting", "faithfulness", "12_faithfulness"),
]


def plant(fault, copy):
    """Put the fault into the copy; an error if the line that it changes is no longer there once."""
    path = copy / "patchconvnet" / f"{fault.module}.py"
    text = path.read_text(encoding="utf-8")
    if text.count(fault.right) != 1:
        raise SystemExit(f"{path.name} has {text.count(fault.right)} times {fault.right!r}, not once: mend this list")
    path.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")


def turns_red(copy, *arguments):
    """Whether pytest fails in the copy. The package comes from there, in kernels and other processes too."""
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-o", "addopts=", "-p", "no:cacheprovider", *arguments]
    code = subprocess.run(command, cwd=copy, env=environment, capture_output=True).returncode
    if code not in (0, 1, 2):  # 2: the fault shows when the tests are read
        raise SystemExit(f"pytest could not run (exit code {code}): {' '.join(arguments)}")
    return code != 0


def caught_by(fault, copy):
    """What notices the fault: "tests", its chapter's name, or "" for nothing."""
    if turns_red(copy, *(f"tests/test_{name}.py" for name in fault.tests.split())):
        return "tests"
    chapter = f"chapters/{fault.chapter}.ipynb"
    return fault.chapter if turns_red(copy, "--nbval", "--nbval-current-env", chapter) else ""


def main(modules):
    chosen = [fault for fault in FAULTS if not modules or fault.module in modules]
    if not chosen:
        known = sorted({fault.module for fault in FAULTS})
        raise SystemExit(f"no faults for {' '.join(modules)}: there are some for {', '.join(known)}")
    caught = 0
    for number, fault in enumerate(chosen, 1):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "course"
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "_build", "__pycache__", "runs", "*.egg-info"))
            plant(fault, copy)
            by = caught_by(fault, copy)
        caught += bool(by)
        print(f"{number:3} {fault.module}: {fault.wrong.strip()!r}: {f'caught by {by}' if by else 'MISSED'}", flush=True)
    print(f"caught {caught} of {len(chosen)}")
    return 0 if caught >= WANTED * len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
