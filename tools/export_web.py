"""Bring trained networks to the page "Try it yourself".

From the shipped records to files that a browser reads.

    python tools/export_web.py                 # into _build/html/try_it/weights
    python tools/export_web.py --out FOLDER

`jupyter-book build` does it by itself: this file is also an extension of Sphinx, named
in `_config.yml`.

    manifest.js             for each network: class names, strides, the names and
                            shapes of its weights, and its files
    shapes-8.js             float16 weights after epoch 8, in the manifest's order,
                            little-endian, as base64
    shapes-usual.js         float32: what pictures it is used to
    efficientnet_lite0.js   float32 weights of the trunk of `pets`, batch norms folded;
                            beside it, as .txt, whose they are, and their licence
    photographs.js          pictures to try, as they are shipped
    star.js                 a test picture, its mask, and what two networks said of it,
                            epoch by epoch: what the page shows before it loads any

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

import web_pets

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "patchconvnet" / "records"
TRUNK = ROOT / "patchconvnet" / "any_network" / "efficientnet_lite0.npz"
PHOTOGRAPHS = ROOT / "patchconvnet" / "data" / "photographs" / "test.npz"
# the test picture that the page begins with, and the networks whose maps it shows
FIRST_PICTURE, FIRST_NETWORKS = 3, ("shapes", "shapes_average")
TEST_SEED = (0, 3)  # of `load_dataset("shapes")`
# name on the page: its record, of seed 0
NETWORKS = {
    "shapes": "shapes",
    "shapes_average": "shapes_average",
    "shapes_per_class": "shapes_per_class",
    "cifar10": "cifar10_cpu",
    "pets": "pets",
    "pets_average": "pets_average",
}


def export(folder):
    """Write the manifest and all weights into `folder`.

    Raises:
        OSError: a record that is not there, or a folder that cannot be written.
        ValueError: a record that is damaged; the message names its file.
    """
    entries = {
        name: network(name, RECORDS / record / "seed_0")
        for name, record in NETWORKS.items()
    }
    trunk = web_pets.trunk(read_arrays(TRUNK))
    entry = {"weights": {key: list(array.shape) for key, array in trunk.items()}}
    entries[TRUNK.stem] = entry, {TRUNK.stem: pack(trunk.values(), "<f4")}
    photographs = web_pets.photographs(read_arrays(PHOTOGRAPHS))
    entries["pets"][0]["photographs"] = [one["name"] for one in photographs]
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "photographs", photographs)
    replace(folder / f"{TRUNK.stem}.txt", web_pets.licence(TRUNK.parent))
    manifest = {}
    for name, (entry, packed) in entries.items():
        for file, content in packed.items():
            write(folder, file, base64.b64encode(content).decode("ascii"))
        manifest[name] = entry | {
            "files": {
                file: {
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
                for file, content in packed.items()
            }
        }
    write(folder, "star", first_picture())
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
        f"{name}-{epoch}": pack((arrays[f"{epoch}/{key}"] for key in weights), "<f2")
        for epoch in epochs
    }
    usual = read_arrays(record / "familiarity.npz")
    # a dense layer without bias, there
    usual["whitening/kernel"] = usual.pop("whitening")
    packed[f"{name}-usual"] = pack(usual.values(), "<f4")
    entry = {
        "classes": results["class_names"],
        "size": recipe["model"]["image_size"],
        # the default of PatchConvNet
        "strides": recipe["model"].get("stem_strides", [2, 2]),
        "epochs": epochs,
        # how often the best patch that never moves is on the object; None without masks
        "best_fixed_cell": results.get("attention_best_fixed_cell"),
        "weights": weights,
        "usual": {key: list(array.shape) for key, array in usual.items()},
    }
    if "trunk" in recipe["model"]:
        entry |= {"trunk": recipe["model"]["trunk"], "strides": web_pets.STRIDES}
    return entry, packed


def pack(arrays, dtype):
    return b"".join(array.astype(dtype).tobytes() for array in arrays)


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
    """Write a script that hands `content` to the page."""
    begin = f'(self.patchConvNetFiles ??= {{}})["{name}"] ='
    replace(folder / f"{name}.js", f"{begin} {json.dumps(content)};\n")


def replace(path, text):
    """Write a file; one that is there stays whole until the new one is."""
    aside = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        with open(aside, "x", encoding="ascii") as file:  # new: it follows no link
            file.write(text)
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
