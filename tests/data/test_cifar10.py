"""CIFAR-10: what is read, where it is looked for, what is refused."""

import hashlib
import os
import pickle
import tarfile

import numpy as np
import pytest
from test_data import (
    ROWS,
    folder,  # noqa: F401
    labels_of,
    load,
    pixels_of,
    python2_pickle,
    python3_pickle,
    write_archive,
    write_folder,
)

from patchconvnet.data import cifar10, load_dataset
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("small_batches")

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
