"""Each border of what `load_dataset` takes."""

import tarfile

import numpy as np
import pytest
from test_data import (
    ROWS,
    folder,  # noqa: F401
    labels_of,
    load,
    pixels_of,
    python3_pickle,
    write_archive,
    write_folder,
)

from patchconvnet.data import cifar10, load_dataset, shapes
from patchconvnet.errors import PatchConvNetError

pytestmark = pytest.mark.usefixtures("small_batches")


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
    ("name", "counts"),
    [("shapes", 0), ("cifar10", 170_498_071), ("pets", 0), ("photos/", 0)],
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
