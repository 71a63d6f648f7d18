"""Bring trained networks to the page "Try it yourself".

From the shipped records to files that a browser reads.

    python tools/export_web.py                 # into _build/html/try_it/weights
    python tools/export_web.py --out FOLDER

`jupyter-book build` does it by itself: this file is also an extension of Sphinx, named
in `_config.yml`.

    manifest.js     for each network: class names, strides, the names and shapes of its
                    weights, and its files
    shapes-8.js     float16 weights after epoch 8, in the manifest's order,
                    little-endian, as base64
    cifar10-20.js   ...
    star.js         a test picture, its mask, and what two networks said of it, epoch by
                    epoch: what the page shows before it loads any network

They are scripts, because a page that is opened from disk may load a script, and nothing
else. The manifest has every file's number of bytes and SHA-256, both before base64.
"""

import argparse
import base64
import hashlib
import json
import runpy
import secrets
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "patchconvnet" / "records"
# the test picture that the page begins with, and the networks whose maps it shows
FIRST_PICTURE, FIRST_NETWORKS = 3, ("shapes", "shapes_average")
TEST_SEED = (0, 3)  # of `load_dataset("shapes")`
# name on the page: its record, of seed 0
NETWORKS = {
    "shapes": "shapes",
    "shapes_average": "shapes_average",
    "shapes_per_class": "shapes_per_class",
    "cifar10": "cifar10_cpu",
}


def export(folder):
    """Write the manifest and all weights into `folder`.

    Raises:
        OSError: a record that is not there, or a folder that cannot be written.
        ValueError: a record that is damaged; the message names its file.
    """
    networks = {
        name: network(name, RECORDS / record / "seed_0")
        for name, record in NETWORKS.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    for _, packed in networks.values():
        for file, content in packed.items():
            write(folder, file, base64.b64encode(content).decode("ascii"))
    write(folder, "star", first_picture())
    manifest = {name: entry for name, (entry, _) in networks.items()}
    write(folder, "manifest", manifest)
    return manifest


def network(name, record):
    """One entry of the manifest, and the bytes of its files: dict, {file: bytes}."""
    recipe, results = (
        read_json(record / file) for file in ("recipe.json", "results.json")
    )
    keeps_epochs = (record / "epochs.npz").is_file()
    arrays = read_arrays(record / ("epochs.npz" if keeps_epochs else "weights.npz"))
    if not keeps_epochs:
        arrays = {f"{recipe['epochs']}/{key}": array for key, array in arrays.items()}
    epochs = sorted({int(key.split("/")[0]) for key in arrays})
    weights = {
        key.split("/", 1)[1]: list(array.shape)
        for key, array in arrays.items()
        if key.startswith(f"{epochs[-1]}/")
    }
    packed = {
        f"{name}-{epoch}": b"".join(
            arrays[f"{epoch}/{key}"].astype("<f2").tobytes() for key in weights
        )
        for epoch in epochs
    }
    entry = {
        "classes": results["class_names"],
        "size": recipe["model"]["image_size"],
        # the default of PatchConvNet
        "strides": recipe["model"].get("stem_strides", [2, 2]),
        "epochs": epochs,
        # how often the best patch that never moves is on the object; None without masks
        "best_fixed_cell": results.get("attention_best_fixed_cell"),
        "weights": weights,
        "files": {
            file: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for file, content in packed.items()
        },
    }
    return entry, packed


def first_picture():
    """A picture of the probes, its mask, and the logits and maps of each epoch: dict.

    Arrays are base64: uint8 pixels, and float16, little-endian. Of a network with one
    map a class it is the map of the answer.
    """
    # by its file: importing the package brings Keras, and Sphinx needs none
    shapes = runpy.run_path(str(ROOT / "patchconvnet" / "data" / "shapes.py"))
    said = {}
    for name in FIRST_NETWORKS:
        arrays = read_arrays(RECORDS / NETWORKS[name] / "seed_0" / "attention.npz")
        logits = arrays["logits"][:, FIRST_PICTURE].astype("<f2")
        maps = arrays["maps"][:, FIRST_PICTURE].astype("<f2")  # (E + 1, Q, h, w)
        if maps.shape[1] > 1:
            maps = maps[range(len(maps)), logits.argmax(axis=1)]
        said[name] = {"logits": as_text(logits), "maps": as_text(maps)}
    place = int(arrays["indices"][FIRST_PICTURE])
    images, labels, masks = shapes["generate"](place + 1, TEST_SEED)
    return {
        "label": shapes["CLASS_NAMES"][labels[place]],
        "grid": list(maps.shape[-2:]),
        "size": images.shape[1],
        "pixels": as_text(images[place]),
        "mask": as_text(masks[place].astype("uint8")),
        "said": said,
    }


def as_text(array):
    return base64.b64encode(array.tobytes()).decode("ascii")


def read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error})") from error


def read_arrays(path):
    try:
        with np.load(path) as archive:
            return {key: archive[key] for key in archive.files}
    except OSError:
        raise
    except Exception as error:  # a truncated file can raise anything
        raise ValueError(f"{path} is damaged ({error})") from error


def write(folder, name, content):
    """Write a script that hands `content` to the page.

    A file that is there stays whole until the new one is.
    """
    path = folder / f"{name}.js"
    aside = folder / f".{secrets.token_hex(6)}.part"
    try:
        with open(aside, "x", encoding="ascii") as file:  # new: it follows no link
            file.write(
                f'(self.patchConvNetFiles ??= {{}})["{name}"] ='
                f" {json.dumps(content)};\n"
            )
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def setup(app):
    """What Sphinx calls: export when the pages are built."""

    def finished(app, error):
        if error is None and app.builder.format == "html":
            export(Path(app.outdir) / "try_it" / "weights")

    app.connect("build-finished", finished)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def main(arguments=None):
    parser = _Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        default=ROOT / "_build" / "html" / "try_it" / "weights",
        metavar="FOLDER",
    )
    out = parser.parse_args(arguments).out
    # only here: with it comes Keras, and Sphinx needs none
    from patchconvnet.files import made, place

    try:
        out = place(out)
        with made(out):
            manifest = export(out)
    except (OSError, ValueError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    for name, entry in manifest.items():
        largest = max(file["bytes"] for file in entry["files"].values())
        print(
            f"{name}: {len(entry['files'])} files of {largest / 1e3:.0f} kB (a third"
            " more in base64)"
        )
    print(f"in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
