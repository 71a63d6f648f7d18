"""`load_dataset`: where it looks, what it accepts, what it refuses, and what it says.

CIFAR-10 is played by six small files in the official layout (20 rows each instead of
10,000).
"""

import pickle
import struct
import tarfile

import numpy as np
import pytest

from patchconvnet.data import cifar10, load_dataset, shapes
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("small_batches")

ROWS = 20


def pixels_of(index):
    return np.random.RandomState(index).randint(0, 256, (ROWS, 3072)).astype("uint8")


def labels_of(index):
    return [(row + index) % 10 for row in range(ROWS)]


def python2_pickle(pixels, labels):
    """The official files' own form: protocol 2 as Python 2 wrote it, opcode by opcode;
    Python 3 cannot write it.
    """
    # a short Python 2 `str`
    text = lambda content: b"U" + bytes([len(content)]) + content
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85"
        + text(b"b")
        + b"\x87R"
    )
    dtype = (
        b"cnumpy\ndtype\n"
        + text(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text(b"|")
        + b"NNN"
        + b"J\xff\xff\xff\xff" * 2
    )
    dtype += b"K\x00tb"
    shape = (
        b"M"
        + struct.pack("<H", pixels.shape[0])
        + b"M"
        + struct.pack("<H", pixels.shape[1])
        + b"\x86"
    )
    content = b"T" + struct.pack("<i", pixels.nbytes) + pixels.tobytes()
    array += b"(K\x01" + shape + dtype + b"\x89" + content + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return (
        b"\x80\x02}("
        + text(b"batch_label")
        + text(b"x")
        + text(b"labels")
        + numbers
        + text(b"data")
        + array
        + b"u."
    )


def python3_pickle(pixels, labels):
    return pickle.dumps({b"data": pixels, b"labels": labels}, protocol=4)


def write_folder(parent, write=python3_pickle, name=cifar10.FOLDER):
    folder = parent / name
    folder.mkdir(parents=True)
    for index, batch in enumerate(cifar10.BATCHES):
        (folder / batch).write_bytes(write(pixels_of(index), labels_of(index)))
    return folder


def write_archive(path, folder):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        # the official one is in no order either
        for file in sorted(folder.iterdir(), reverse=True):
            archive.add(file, arcname=f"{cifar10.FOLDER}/{file.name}")
    return path


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "source")


def load(path=None, validation=10):
    return load_dataset("cifar10", path, validation=validation)


# === Shapes ===


def test_shapes_has_the_sizes_types_and_masks_it_promises():
    small = load_dataset("shapes", train=30, val=20, test=10)
    for part, count in (("train", 30), ("val", 20), ("test", 10)):
        images, labels, masks = (
            getattr(small, f"{field}_{part}") for field in ("x", "y", "mask")
        )
        assert images.shape == (count, 32, 32, 3) and images.dtype == np.uint8
        assert labels.shape == (count,) and labels.dtype == np.int64
        assert (
            masks.shape == (count, 32, 32)
            and masks.dtype == bool
            and masks.any(axis=(1, 2)).all()
        )
    assert small.class_names == shapes.CLASS_NAMES and len(small.class_names) == 10
    assert (small.name, small.variant) == ("shapes", "generated, version 1, seed 0")


def test_shapes_has_8000_1000_and_2000_images_unless_told_otherwise(monkeypatch):
    generate = shapes.generate
    quick = lambda count, seed: [
        np.repeat(array, count, axis=0) for array in generate(1, seed)
    ]
    monkeypatch.setattr(shapes, "generate", quick)
    assert repr(load_dataset("shapes")).endswith("8000 train, 1000 val, 2000 test)")


def test_the_size_of_one_part_changes_no_image_of_another():
    small, large = (
        load_dataset("shapes", train=10, val=5, test=20),
        load_dataset("shapes", train=40, val=15, test=20),
    )
    np.testing.assert_array_equal(small.x_test, large.x_test)
    np.testing.assert_array_equal(small.mask_test, large.mask_test)
    np.testing.assert_array_equal(small.x_val, large.x_val[:5])


def test_no_image_is_in_two_parts_or_under_two_seeds():
    sets = [
        load_dataset("shapes", train=40, val=40, test=40, seed=seed)
        for seed in (0, 1, 2)
    ]
    images = np.concatenate(
        [part for drawn in sets for part in (drawn.x_train, drawn.x_val, drawn.x_test)]
    )
    assert len({image.tobytes() for image in images}) == len(images) == 360


def test_the_seed_is_followed_and_named():
    first, again = (
        load_dataset("shapes", train=10, val=0, test=0, seed=7) for _ in range(2)
    )
    np.testing.assert_array_equal(first.x_train, again.x_train)
    assert first.variant == "generated, version 1, seed 7"


def test_an_empty_part_is_empty_and_keeps_its_form():
    small = load_dataset("shapes", train=1, val=0, test=0)
    assert (
        small.x_val.shape == (0, 32, 32, 3)
        and small.y_test.shape == (0,)
        and small.mask_val.shape == (0, 32, 32)
    )


# === bad arguments ===


@pytest.mark.parametrize(
    "name, hint",
    [
        ("shape", "shapes"),
        ("CIFAR-10", "cifar10"),
        ("cifar100", "cifar10"),
        ("Pet", "pets"),
    ],
)
def test_an_unknown_name_lists_the_known_ones_and_the_nearest(name, hint):
    with pytest.raises(
        PatchConvNetError,
        match=f'"shapes", "cifar10", "pets", or a folder.*Did you mean "{hint}"',
    ):
        load_dataset(name)


@pytest.mark.parametrize("name", ["imagenet", "", 3, ["shapes"]])
def test_a_name_like_nothing_known_gets_no_hint(name):
    with pytest.raises(
        PatchConvNetError, match='"shapes", "cifar10", "pets", or a folder of pictures'
    ) as caught:
        load_dataset(name)
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"train": 0},
        {"train": -1},
        {"val": -1},
        {"test": -5},
        {"train": 10.0},
        {"test": "10"},
        {"val": True},
    ]
    + [{"seed": -1}, {"seed": 1.5}, {"train": 10**12}],
)
def test_impossible_numbers_are_named(options):
    [(option, value)] = options.items()
    with pytest.raises(
        PatchConvNetError,
        match=f"^{option}= must be a whole number from .*not {value!r}",
    ):
        load_dataset("shapes", **options)


@pytest.mark.parametrize("validation", [-1, 5 * ROWS, 2.5, "10", True])
def test_an_impossible_validation_size_is_named(folder, validation):
    with pytest.raises(PatchConvNetError, match="^validation= must be"):
        load(folder, validation)


def test_numpy_integers_are_integers():
    assert len(load_dataset("shapes", train=np.int64(3), val=0, test=0).x_train) == 3


def test_options_of_the_other_data_set_are_refused(folder):
    with pytest.raises(
        PatchConvNetError, match='path= does not apply to the data set "shapes"'
    ):
        load_dataset("shapes", folder)
    with pytest.raises(
        PatchConvNetError,
        match='train= does not apply to the data set "cifar10".*validation=',
    ):
        load_dataset("cifar10", folder, train=10)
