"""`load_dataset`: where it looks, what it accepts, what it refuses, and what it says.

CIFAR-10 is played by six small files in the official layout (20 rows each instead of
10,000).
"""

import hashlib
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest

from patchconvnet.data import cifar10, load_dataset, shapes
from patchconvnet.errors import PatchConvNetError

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


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path, monkeypatch):
    """Small batches, an empty home, no variables, no network."""
    monkeypatch.setattr(cifar10, "ROWS", ROWS)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("PATCHCONVNET_OFFLINE", "1")
    for name in (cifar10.VARIABLE, "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


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
    [("shape", "shapes"), ("CIFAR-10", "cifar10"), ("cifar100", "cifar10")],
)
def test_an_unknown_name_lists_the_known_ones_and_the_nearest(name, hint):
    with pytest.raises(
        PatchConvNetError,
        match=f'"shapes", "cifar10", or a folder.*Did you mean "{hint}"',
    ):
        load_dataset(name)


@pytest.mark.parametrize("name", ["imagenet", "", 3, ["shapes"]])
def test_a_name_like_nothing_known_gets_no_hint(name):
    with pytest.raises(
        PatchConvNetError, match='"shapes", "cifar10", or a folder of pictures'
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


# === CIFAR-10: what is read ===


@pytest.mark.parametrize("write", [python2_pickle, python3_pickle])
def test_every_image_and_label_is_read_in_the_official_order(tmp_path, write):
    whole = load(write_folder(tmp_path / "in", write), validation=0)
    rows = np.concatenate([pixels_of(index) for index in range(6)])
    red, green, blue = rows[:, :1024], rows[:, 1024:2048], rows[:, 2048:]
    expected = np.stack([red, green, blue], axis=-1).reshape(-1, 32, 32, 3)
    np.testing.assert_array_equal(
        np.concatenate([whole.x_train, whole.x_test]), expected
    )
    assert whole.y_train.tolist() + whole.y_test.tolist() == sum(
        (labels_of(index) for index in range(6)), []
    )
    assert whole.x_train.dtype == np.uint8 and whole.y_train.dtype == np.int64
    assert whole.class_names[0] == "airplane" and len(whole.class_names) == 10
    assert whole.mask_train is whole.mask_val is whole.mask_test is None


def test_the_validation_part_is_fixed_disjoint_and_grows(folder):
    whole, small, large = load(folder, 0), load(folder, 10), load(folder, 30)
    as_set = lambda images: {image.tobytes() for image in images}
    assert whole.x_val.shape == (0, 32, 32, 3) and whole.y_val.shape == (0,)
    assert (len(small.x_train), len(small.x_val), len(small.x_test)) == (90, 10, 20)
    assert as_set(small.x_val) < as_set(large.x_val)
    assert as_set(small.x_train) | as_set(small.x_val) == as_set(whole.x_train)
    np.testing.assert_array_equal(small.x_val, load(folder, 10).x_val)
    np.testing.assert_array_equal(small.x_test, whole.x_test)
    label_of = dict(zip((image.tobytes() for image in whole.x_train), whole.y_train))
    assert [label_of[image.tobytes()] for image in small.x_val] == small.y_val.tolist()
    assert [
        label_of[image.tobytes()] for image in small.x_train
    ] == small.y_train.tolist()


def test_the_split_of_the_full_set_is_pinned(monkeypatch):
    """No other seed, no other NumPy: recorded figures rest on these 5,000 images."""
    monkeypatch.setattr(cifar10, "ROWS", 10_000)
    numbered = np.arange(60_000)
    images = np.broadcast_to(np.uint8(0), (60_000, 32, 32, 3))
    monkeypatch.setattr(
        cifar10, "find", lambda path, download: (images, numbered, "numbered")
    )
    split = load_dataset("cifar10")
    assert (len(split.y_train), len(split.y_val), len(split.y_test)) == (
        45_000,
        5_000,
        10_000,
    )
    assert (
        hashlib.sha256(split.y_val.astype("<i8")).hexdigest()[:16] == "7580bdab922dd449"
    )


def test_the_variant_is_original_by_the_md5_of_the_files(folder, monkeypatch):
    official = {
        batch: hashlib.md5((folder / batch).read_bytes()).hexdigest()
        for batch in cifar10.BATCHES
    }
    monkeypatch.setattr(cifar10, "BATCHES", official)
    assert load(folder).variant == "original"
    (folder / "test_batch").write_bytes(python3_pickle(pixels_of(9), labels_of(9)))
    assert load(folder).variant.startswith("other copy (sha256 ")


def test_the_variant_is_original_by_the_sha256_of_the_archive(
    tmp_path, folder, monkeypatch
):
    archive = write_archive(tmp_path / "cifar.tar.gz", folder)
    assert load(archive).variant.startswith("other copy (sha256 ")
    monkeypatch.setattr(
        cifar10, "ARCHIVE_SHA256", hashlib.sha256(archive.read_bytes()).hexdigest()
    )
    assert load(archive).variant == "original"


def test_another_copy_is_named_by_its_images_not_by_its_packing(tmp_path, folder):
    packed = load(write_archive(tmp_path / "cifar.tar.gz", folder)).variant
    older = load(write_folder(tmp_path / "older", python2_pickle)).variant
    assert load(folder).variant == packed == older
    whole = load(folder, 0)
    content = hashlib.sha256(np.concatenate([whole.x_train, whole.x_test]))
    content.update(np.concatenate([whole.y_train, whole.y_test]).astype("uint8"))
    assert packed == f"other copy (sha256 {content.hexdigest()[:8]})"


# === CIFAR-10: where it is looked for ===


def test_a_place_may_be_the_folder_the_archive_or_what_holds_either(tmp_path, folder):
    packed = write_archive(tmp_path / "packed" / cifar10.ARCHIVE, folder)
    renamed = write_folder(tmp_path, name="anything")
    places = [folder, folder.parent, packed, packed.parent, renamed, str(folder)]
    assert len({load(place).variant for place in places}) == 1


def test_a_path_may_begin_with_the_home(tmp_path):
    write_folder(tmp_path / "home" / "pictures")
    assert len(load("~/pictures").x_test) == ROWS


@pytest.mark.parametrize(
    "version", ["3.13 folder", "3.13 archive", "older folder", "older archive"]
)
@pytest.mark.parametrize("moved", [False, True])
def test_the_keras_cache_is_found(tmp_path, folder, monkeypatch, version, moved):
    cache = tmp_path / "home" / ".keras" / "datasets"
    if moved:
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "elsewhere"))
        cache = tmp_path / "elsewhere" / "datasets"
    if version == "3.13 folder":
        write_folder(cache / "cifar-10-batches-py-target")
    elif version == "older folder":
        write_folder(cache)
    else:
        name = (
            "cifar-10-batches-py-target_archive"
            if version == "3.13 archive"
            else "cifar-10-batches-py.tar.gz"
        )
        write_archive(cache / name, folder)
    assert len(load().x_test) == ROWS


@pytest.mark.parametrize("moved", [False, True])
def test_our_own_cache_is_found(tmp_path, monkeypatch, moved):
    if moved:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    write_folder(
        (tmp_path / "elsewhere" if moved else tmp_path / "home" / ".cache")
        / "patchconvnet"
    )
    assert len(load().x_test) == ROWS


def test_the_places_are_tried_in_the_promised_order(tmp_path, folder, monkeypatch):
    def another(place, index):
        target = write_folder(place)
        (target / "test_batch").write_bytes(
            python3_pickle(pixels_of(index), labels_of(index))
        )
        return target

    first_pixel = lambda found: found.x_test[0, 0, 0, 0]
    another(tmp_path / "home" / ".cache" / "patchconvnet", 11)
    assert first_pixel(load()) == pixels_of(11)[0, 0]
    another(tmp_path / "home" / ".keras" / "datasets", 12)
    assert first_pixel(load()) == pixels_of(12)[0, 0]
    monkeypatch.setenv(cifar10.VARIABLE, str(another(tmp_path / "variable", 13)))
    assert first_pixel(load()) == pixels_of(13)[0, 0]
    assert first_pixel(load(folder)) == pixels_of(5)[0, 0]
    monkeypatch.setenv(cifar10.VARIABLE, "")
    assert first_pixel(load()) == pixels_of(12)[0, 0]


@pytest.mark.parametrize("given_as", ["path=", f"${cifar10.VARIABLE}"])
@pytest.mark.parametrize("there", [False, True])
def test_a_place_that_was_given_is_never_passed_over(
    tmp_path, monkeypatch, given_as, there
):
    write_folder(tmp_path / "home" / ".cache" / "patchconvnet")
    place = tmp_path / "place"
    if there:
        place.mkdir()
    monkeypatch.setenv(cifar10.VARIABLE, str(place))
    problem = "holds no CIFAR-10" if there else "does not exist"
    with pytest.raises(PatchConvNetError) as caught:
        load(place if given_as == "path=" else None)
    assert str(caught.value).startswith(
        f"{given_as} {place} {problem}: give {cifar10.ARCHIVE}"
    )


def test_a_path_that_is_no_path_is_refused():
    with pytest.raises(
        PatchConvNetError, match="path= must be a path to CIFAR-10: a path of type int"
    ):
        load(3)


def test_a_broken_copy_in_a_cache_is_passed_over_with_a_warning(tmp_path):
    broken = (
        tmp_path / "home" / ".keras" / "datasets" / "cifar-10-batches-py-target_archive"
    )
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"half a download")
    write_folder(tmp_path / "home" / ".cache" / "patchconvnet")
    with pytest.warns(UserWarning, match="target_archive cannot be read"):
        assert len(load().x_test) == ROWS


def test_offline_and_nowhere_to_be_found_it_names_the_ways_out(tmp_path):
    with pytest.raises(PatchConvNetError) as caught:
        load()
    message = str(caught.value)
    target = tmp_path / "home" / ".cache" / "patchconvnet" / cifar10.ARCHIVE
    for way in (
        'load_dataset("shapes")',
        "path=",
        cifar10.VARIABLE,
        str(target),
        "PATCHCONVNET_OFFLINE",
    ):
        assert way in message
    assert "\n" not in message and not target.parent.exists()


def test_nothing_is_downloaded_unasked(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(
        cifar10, "fetch", lambda *given, **options: pytest.fail("it downloads")
    )
    with pytest.raises(
        PatchConvNetError,
        match=(
            r'^CIFAR-10 is not on this machine: load_dataset\("cifar10"\) downloads it'
        ),
    ):
        load_dataset("cifar10", validation=10, download=False)


def test_what_is_downloaded_is_kept_and_found_again(tmp_path, folder, monkeypatch):
    calls = []

    def deliver(urls, destination, sha256, *, size):
        calls.append((list(urls), sha256, size))
        return write_archive(destination, folder)

    monkeypatch.setattr(cifar10, "fetch", deliver)
    assert load().variant == load().variant
    [(urls, sha256, size)] = calls
    assert len(urls) == 3 and "cs.toronto.edu" in urls[-1]
    assert sha256.startswith("6d958be0") and size == 170_498_071


# === CIFAR-10: what is refused ===


def refusal(place):
    with pytest.raises(PatchConvNetError) as caught:
        load(place)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_that_lacks_a_file_says_which(folder):
    (folder / "data_batch_3").unlink()
    assert (
        "lacks data_batch_3. Give cifar-10-python.tar.gz, the folder"
        " cifar-10-batches-py, or" in refusal(folder)
    )


def test_an_archive_of_something_else_is_refused(tmp_path, folder):
    other = tmp_path / "other.tar.gz"
    with tarfile.open(other, "w:gz") as archive:
        archive.add(folder, arcname="cifar-100-python")
    assert f"{other} is no complete CIFAR-10" in refusal(other)


@pytest.mark.parametrize("damage", ["truncated", "one bit", "text", "empty"])
def test_a_damaged_archive_is_named(tmp_path, folder, damage):
    archive = write_archive(tmp_path / "cifar.tar.gz", folder)
    content = bytearray(archive.read_bytes())
    if damage == "one bit":
        content[len(content) // 2] ^= 1
    shorter = {
        "truncated": content[: len(content) // 2],
        "text": b"hello",
        "empty": b"",
    }
    archive.write_bytes(shorter.get(damage, content))
    assert str(archive) in refusal(
        archive
    ) and "extract or download it again" in refusal(archive)


def test_a_truncated_batch_is_named(folder):
    batch = folder / "data_batch_2"
    batch.write_bytes(batch.read_bytes()[:1000])
    assert refusal(folder).startswith(f"path= {batch} is no CIFAR-10 batch")


@pytest.mark.parametrize(
    "content, problem",
    [
        (b"", "is no CIFAR-10 batch"),
        (b"not a pickle at all", "is no CIFAR-10 batch"),
        (pickle.dumps([1, 2]), "is no CIFAR-10 batch"),
        (pickle.dumps({b"data": pixels_of(0)}), "is no CIFAR-10 batch"),
        (
            python3_pickle(pixels_of(0)[:-1], labels_of(0)),
            "holds pixels of uint8 (19, 3072)",
        ),
        (
            python3_pickle(pixels_of(0)[:, :-1], labels_of(0)),
            "holds pixels of uint8 (20, 3071)",
        ),
        (python3_pickle(pixels_of(0) / 255, labels_of(0)), "holds pixels of float64"),
        (python3_pickle(pixels_of(0), labels_of(0)[:-1]), "holds labels other than"),
        (python3_pickle(pixels_of(0), [10] * ROWS), "holds labels other than"),
        (python3_pickle(pixels_of(0), [-1] * ROWS), "holds labels other than"),
        (python3_pickle(pixels_of(0), [0.5] * ROWS), "holds labels other than"),
    ],
    ids=range(11),
)
def test_a_batch_of_another_form_is_named(folder, content, problem):
    (folder / "test_batch").write_bytes(content)
    message = refusal(folder)
    assert (
        message.startswith(f"path= {folder / 'test_batch'} {problem}")
        and "download it again" in message
    )


class Trap:
    def __init__(self, function, *arguments):
        self.parts = function, arguments

    def __reduce__(self):
        return self.parts


@pytest.mark.parametrize("function", [os.system, os.mkdir, eval, getattr])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_wants_to_run_something_is_refused_and_runs_nothing(
    folder, tmp_path, function, protocol
):
    target = tmp_path / "made_by_a_pickle"
    python = f"__import__('os').mkdir({str(target)!r})"
    arguments = {
        os.system: [f"mkdir '{target}'"],
        os.mkdir: [str(target)],
        eval: [python],
        getattr: [python, "x"],
    }
    trap = Trap(function, *arguments[function])
    (folder / "data_batch_1").write_bytes(
        pickle.dumps({b"data": trap, b"labels": []}, protocol)
    )
    assert "which no batch needs" in refusal(folder)
    assert not target.exists()


# === each border ===


@pytest.mark.parametrize(
    ("option", "inside", "outside"),
    [
        ("train", [1], [0, 1_000_001]),
        ("val", [0, 1], [-1, 1_000_001]),
        ("test", [0, 1], [-1, 1_000_001]),
        ("seed", [0, 2**32 - 1], [-1, 2**32]),
    ],
)
def test_numbers_of_shapes_have_borders(option, inside, outside):
    sizes = {"train": 1, "val": 0, "test": 0}
    for value in inside:
        data = load_dataset("shapes", **{**sizes, option: value})
        counts = {
            part: len(getattr(data, f"x_{part}")) for part in ("train", "val", "test")
        }
        assert counts == {**sizes, **({option: value} if option in sizes else {})}
    for value in outside:
        with pytest.raises(
            PatchConvNetError,
            match=f"^{option}= must be a whole number from .*, not {value}",
        ):
            load_dataset("shapes", **{**sizes, option: value})


@pytest.mark.parametrize("validation", [0, 1, 5 * ROWS - 1])
def test_all_but_one_image_of_cifar10_may_be_set_apart(folder, validation):
    data = load(folder, validation)
    assert (len(data.x_val), len(data.x_train)) == (validation, 5 * ROWS - validation)


def test_each_part_of_shapes_is_its_own_stream():
    data = load_dataset("shapes", train=2, val=2, test=2, seed=3)
    for stream, part in enumerate(("train", "val", "test"), start=1):
        images, labels, masks = shapes.generate(2, (3, stream))
        for found, wanted in zip(
            (f"x_{part}", f"y_{part}", f"mask_{part}"), (images, labels, masks)
        ):
            np.testing.assert_array_equal(getattr(data, found), wanted)


def test_labels_from_0_to_9_are_those_of_cifar10(folder):
    (folder / "test_batch").write_bytes(
        python3_pickle(pixels_of(5), [0, 9] * (ROWS // 2))
    )
    assert load(folder).y_test.tolist() == [0, 9] * (ROWS // 2)


def test_the_test_images_are_the_last_file_and_hold_no_others_in_memory(folder):
    data = load(folder)
    assert (
        data.y_test.tolist() == labels_of(5)
        and data.x_test.base is None
        and data.y_test.base is None
    )


@pytest.mark.parametrize(
    ("name", "counts"), [("shapes", 0), ("cifar10", 170_498_071), ("photos/", 0)]
)
def test_only_cifar10_is_downloaded_and_only_where_it_is_not(
    name, counts, folder, monkeypatch
):
    from patchconvnet.data import download_size

    assert download_size(name) == counts and not cifar10.is_here()
    monkeypatch.setenv(cifar10.VARIABLE, str(folder))
    assert download_size(name) == 0 and cifar10.is_here()


def test_files_beside_the_batches_and_in_other_folders_are_passed_over(
    tmp_path, folder
):
    """An archive may hold instructions, and other data whose files have these names."""
    (folder / "readme.html").write_text("about")
    archive = tmp_path / "cifar.tar.gz"
    other = write_folder(tmp_path / "other", name="another-data-set")
    (other / "data_batch_1").write_bytes(b"something else")
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(folder, arcname=cifar10.FOLDER)
        packed.add(other, arcname="another-data-set")
    assert load(archive).variant == load(folder).variant


@pytest.mark.parametrize(
    "name",
    [cifar10.ARCHIVE, f"{cifar10.FOLDER}-target_archive", f"{cifar10.FOLDER}.tar.gz"],
)
def test_a_folder_is_read_before_an_archive_beside_it(tmp_path, folder, name):
    place = tmp_path / "place"
    other = write_folder(tmp_path / "older", write=python3_pickle)
    (other / "test_batch").write_bytes(python3_pickle(pixels_of(9), labels_of(9)))
    write_archive(place / name, other)
    assert load(place).x_test[0, 0, 0, 0] == pixels_of(9)[0, 0]
    write_folder(place)
    assert load(place).x_test[0, 0, 0, 0] == pixels_of(5)[0, 0]


def test_what_was_passed_over_is_said_of_each_copy_and_the_next_is_read(tmp_path):
    for place in (
        tmp_path / "home" / ".keras" / "datasets",
        tmp_path / "home" / ".cache" / "patchconvnet",
    ):
        (write_folder(place) / "data_batch_5").unlink()
    with (
        pytest.warns(UserWarning) as told,
        pytest.raises(PatchConvNetError, match="CIFAR-10 is not on this machine"),
    ):
        load()
    assert (
        sum(
            "lacks data_batch_5" in str(one.message)
            and "passed over" in str(one.message)
            for one in told
        )
        == 2
    )


def test_the_network_may_be_asked_only_where_nothing_is_found(folder, monkeypatch):
    monkeypatch.setattr(
        cifar10, "fetch", lambda *given, **options: pytest.fail("it downloads")
    )
    assert (
        len(load_dataset("cifar10", folder, validation=0, download=True).x_train)
        == 5 * ROWS
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("./shapes", "own"), ("photos.npz", "own"), ("shapes", "shapes")]
)
def test_a_separator_or_a_suffix_makes_a_name_a_path(tmp_path, monkeypatch, name, kind):
    monkeypatch.chdir(tmp_path)
    if kind == "shapes":
        # a folder of this name is meant by ./shapes alone
        (tmp_path / "shapes").mkdir()
        assert load_dataset(name, train=1, val=0, test=0).name == "shapes"
    else:
        with pytest.raises(PatchConvNetError, match="is not there: wanted a folder"):
            load_dataset(name)


@pytest.mark.parametrize("size", [8, 1024])
def test_own_pictures_may_have_8_to_1024_pixels(tmp_path, size):
    np.savez(
        tmp_path / "own.npz",
        images=np.random.default_rng(0).integers(
            256, size=(8, 8, 8, 3), dtype=np.uint8
        ),
        labels=np.arange(8) % 2,
    )
    assert load_dataset(tmp_path / "own.npz", size=size).x_train.shape[1:] == (
        size,
        size,
        3,
    )
    for wrong in (7, 1025):
        with pytest.raises(
            PatchConvNetError, match="size= must be a whole number from 8 to 1,024"
        ):
            load_dataset(tmp_path / "own.npz", size=wrong)
    for wrong in (-1, 2**32):
        with pytest.raises(
            PatchConvNetError, match="seed= must be a whole number from 0 to"
        ):
            load_dataset(tmp_path / "own.npz", seed=wrong)
