"""Data sets: one call, the same fields.

data = load_dataset("shapes")    # drawn by code, with a mask for every image
data = load_dataset("cifar10")   # found on this machine, else downloaded (170 MB)
data = load_dataset("pets")      # 598 photographs with masks, part of the package
data = load_dataset("photos")    # your own: a folder of folders, or an .npz file
data = load_dataset()            # what the environment variable names, else Shapes

data.x_train      uint8 (N, 32, 32, 3), 0 to 255; of pets (N, 224, 224, 3)
data.y_train      int64 (N,), 0 to 9
data.mask_train   bool (N, 32, 32): the object's pixels, where there are masks
data.variant      which copy of the data it is, for every figure measured on it
"""

import difflib
import numbers
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from patchconvnet.data import cifar10, own_pictures, pets, shapes
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import place

VARIABLE = "PATCHCONVNET_DATASET"
OWN = "your own pictures"
OPTIONS = {
    "shapes": {"train": 8_000, "val": 1_000, "test": 2_000, "seed": 0},
    "cifar10": {"path": None, "validation": 5_000, "download": True},
    "pets": {"validation": pets.VALIDATION},
    OWN: {"size": 32, "seed": 0},
}


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images, labels and, where they are known, masks, in three parts.

    Attributes:
        name: "shapes", "cifar10", "pets", or the name of your own folder or file.
        variant: which copy: "generated, version 1, seed 0"; "original"; "other copy
            (sha256 1a2b3c4d)"; "official split, 598 photographs (sha256 1a2b3c4d)";
            "1,200 own pictures (sha256 1a2b3c4d)".
        x_train, x_val, x_test: images, uint8 (N, S, S, 3), RGB from 0 to 255; S is 32,
            224 for pets, or your own pictures' `size`.
        y_train, y_val, y_test: labels, int64 (N,), indices into `class_names`.
        class_names: a tuple of strings, ten for Shapes and CIFAR-10, three for pets.
        mask_train, mask_val, mask_test: bool (N, S, S), True on the object; None where
            there are no masks.
    """

    name: str
    variant: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple
    mask_train: np.ndarray | None = None
    mask_val: np.ndarray | None = None
    mask_test: np.ndarray | None = None

    def __repr__(self):
        counts = (
            f"{len(self.x_train)} train, {len(self.x_val)} val, {len(self.x_test)} test"
        )
        return f"Dataset({self.name}, {self.variant}: {counts})"


def load_dataset(
    name=None,
    path=None,
    *,
    train=None,
    val=None,
    test=None,
    seed=None,
    validation=None,
    download=None,
    size=None,
):
    """Load "shapes", "cifar10", "pets", or your own pictures.

    Without a name it is what the environment variable `PATCHCONVNET_DATASET` names, and
    Shapes if that is not set. How a folder or an `.npz` file of your own must look is
    said in `own_pictures`; where CIFAR-10 is looked for, and which copies of it there
    are, in `cifar10`.

    "pets" is adapted from the Oxford-IIIT Pet data set (Parkhi et al., 2012), CC BY-SA
    4.0; the copyright remains with the original owners of the images. `pets.CREDIT`
    belongs under each figure of them, and `pets` says what their masks hold.

    Args:
        name: "shapes", "cifar10", "pets", a folder with one subfolder of pictures for
            each class, an `.npz` file, or None.
        path: "cifar10" only: where it is.
        train, val, test: "shapes" only: how many images (8,000, 1,000 and 2,000). Each
            part has its own random stream: the size of one changes no image of another.
        seed: 0 if not given. Of "shapes": another seed draws other images; of your own:
            another split.
        validation: "cifar10" and "pets": how many of the 50,000 (300) training images
            are set apart (5,000; 60), always the same ones; 0 leaves all of them for
            training.
        download: "cifar10" only: whether to download it if it is not on this machine
            (True).
        size: your own pictures only: side of their central squares after shrinking, in
            pixels (32).

    Returns:
        A `Dataset`.

    Raises:
        PatchConvNetError: unknown name; an option of the other data set; an impossible
            number; no CIFAR-10 at the place given, or on this machine; a broken file;
            no network; own pictures that cannot be used (see `own_pictures.read`).
    """
    name = usual_name() if name is None else name
    kind = _kind(name)
    given = {
        "path": path,
        "train": train,
        "val": val,
        "test": test,
        "seed": seed,
        "validation": validation,
        "download": download,
        "size": size,
    }
    return _load(name, kind, _options(name, kind, given))


def _load(name, kind, options):
    if kind == OWN:
        return _load_own(name, **options)
    load = {"shapes": _load_shapes, "cifar10": _load_cifar10, "pets": _load_pets}
    return load[kind](**options)


def _options(name, kind, given):
    """The options of a data set, those given instead of the usual ones: a dict."""
    given = {option: value for option, value in given.items() if value is not None}
    for option in given.keys() - OPTIONS[kind].keys():
        accepted = ", ".join(f"{known}=" for known in OPTIONS[kind])
        raise PatchConvNetError(
            f'{option}= does not apply to the data set "{name}", which takes'
            f" {accepted}."
        )
    return OPTIONS[kind] | given


def usual_name():
    """What `load_dataset()` loads: `PATCHCONVNET_DATASET`, or "shapes" if unset."""
    return os.environ.get(VARIABLE) or "shapes"


def _kind(name):
    """ "shapes", "cifar10", "pets" or `OWN`; an error for what is none of them."""
    if isinstance(name, str) and name in OPTIONS:
        return name
    if isinstance(name, Path) or (isinstance(name, str) and _is_a_place(name)):
        return OWN
    close = []
    if isinstance(name, str):
        close = difflib.get_close_matches(name.lower(), OPTIONS, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    raise PatchConvNetError(
        f'There is no data set {name!r}: choose "shapes", "cifar10", "pets", or a'
        f" folder of pictures or an .npz file that exists.{hint}"
    )


def _is_a_place(name):
    if not name.strip():
        return False
    looks_so = name.lower().endswith(".npz") or {"/", os.sep} & set(name)
    return looks_so or place(name).is_dir()


def _check_number(option, value, lowest, highest):
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_whole or not lowest <= value <= highest:
        raise PatchConvNetError(
            f"{option}= must be a whole number from {lowest:,} to {highest:,}, not"
            f" {value!r}."
        )


# === Shapes ===


def _load_shapes(train, val, test, seed):
    _check_number("seed", seed, 0, 2**32 - 1)
    counts = {"train": train, "val": val, "test": test}
    for part, count in counts.items():
        _check_number(part, count, 1 if part == "train" else 0, 1_000_000)
    fields = {}
    for stream, (part, count) in enumerate(counts.items(), start=1):
        drawn = shapes.generate(max(count, 1), (seed, stream))  # it draws at least one
        images, labels, masks = (array[:count] for array in drawn)
        fields |= {f"x_{part}": images, f"y_{part}": labels, f"mask_{part}": masks}
    variant = f"generated, version {shapes.VERSION}, seed {seed}"
    return Dataset(
        name="shapes", variant=variant, class_names=shapes.CLASS_NAMES, **fields
    )


# === CIFAR-10 ===


def _load_cifar10(path, validation, download):
    _check_number("validation", validation, 0, 5 * cifar10.ROWS - 1)
    images, labels, variant = cifar10.find(path, download)
    for_training = 5 * cifar10.ROWS
    set_apart = np.zeros(for_training, dtype=bool)
    # by a generator that NumPy never changes; both parts keep the order of the files
    set_apart[np.random.RandomState(0).permutation(for_training)[:validation]] = True
    x_rest, y_rest = images[:for_training], labels[:for_training]
    return Dataset(
        name="cifar10",
        variant=variant,
        x_train=x_rest[~set_apart],
        y_train=y_rest[~set_apart],
        x_val=x_rest[set_apart],
        y_val=y_rest[set_apart],
        # a view would keep all 60,000 images in memory
        x_test=images[for_training:].copy(),
        y_test=labels[for_training:].copy(),
        class_names=cifar10.CLASS_NAMES,
    )


# === pets ===


def _load_pets(validation):
    _check_number("validation", validation, 0, pets.MOST_VALIDATION)
    fields = {}
    for part in pets.PARTS:
        found = pets.read(part, validation)
        fields |= {f"x_{part}": found.images, f"y_{part}": found.labels}
        fields[f"mask_{part}"] = found.trimaps != pets.BACKGROUND
    return Dataset(
        name="pets", variant=pets.variant(), class_names=pets.CLASS_NAMES, **fields
    )


# === what is known without loading ===


def whole_name(name):
    """The name of a data set, and of own pictures the whole path.

    So it is the same from wherever they are named.
    """
    return str(place(name).resolve()) if _kind(name) == OWN else name


def number_of_classes(name):
    """How many classes a data set has, without reading its pictures.

    Errors are as in `load_dataset`.
    """
    kind = _kind(name)
    if kind == OWN:
        return len(own_pictures.class_names(name))
    return len(pets.CLASS_NAMES) if kind == "pets" else 10


def download_size(name):
    """Bytes that `load_dataset(name)` would download on this machine.

    That is 0 for all but CIFAR-10, or where it is here.
    """
    return cifar10.ARCHIVE_SIZE if name == "cifar10" and not cifar10.is_here() else 0


# === your own ===


def _load_own(name, size, seed):
    _check_number("size", size, 8, 1024)
    _check_number("seed", seed, 0, 2**32 - 1)
    return Dataset(**own_pictures.read(name, size, seed))
