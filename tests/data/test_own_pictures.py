"""Your own pictures: a folder or an .npz file becomes a data set."""

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from patchconvnet import PatchConvNetError, load_dataset
from patchconvnet.data import number_of_classes, own_pictures

KINDS = ("cat", "dog", "owl")


def picture(number, size=(40, 48)):
    """One of its own for each number: (height, width, 3)."""
    return np.random.default_rng(number).integers(256, size=(*size, 3), dtype=np.uint8)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def make_folder(place, each=8, parts=("",), masks=False):
    number = 0
    for part in parts:
        for kind in KINDS:
            for index in range(each):
                number += 1
                save(place / part / kind / f"{index}.png", picture(number))
                if masks:
                    mask = np.zeros((40, 48), np.uint8)
                    mask[:20] = 255
                    save(place / "masks" / part / kind / f"{index}.png", mask)
    return place


def sizes(data):
    return len(data.x_train), len(data.x_val), len(data.x_test)


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "animals")


def test_a_folder_becomes_a_data_set(folder):
    data = load_dataset(str(folder))
    assert (data.name, data.class_names, sizes(data)) == ("animals", KINDS, (18, 3, 3))
    assert (
        data.x_train.shape == (18, 32, 32, 3)
        and data.x_train.dtype == np.uint8
        and data.y_train.dtype == np.int64
    )
    for labels in (data.y_train, data.y_val, data.y_test):  # every class in every part
        assert len(set(np.bincount(labels, minlength=3))) == 1
    assert data.mask_train is None and data.variant.startswith(
        "24 own pictures (sha256 "
    )
    assert number_of_classes(folder) == 3


def test_the_split_is_the_same_each_time_and_another_with_another_seed(folder):
    first, again, other = (
        load_dataset(folder),
        load_dataset(folder),
        load_dataset(folder, seed=1),
    )
    np.testing.assert_array_equal(first.x_test, again.x_test)
    assert first.variant == again.variant and not np.array_equal(
        first.x_test, other.x_test
    )


def test_the_central_square_is_kept(tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = (0, 200, 0)  # outside of it, all is black
    for kind in KINDS[:2]:
        for index in range(4):
            save(tmp_path / kind / f"{index}.png", np.roll(wide, 0) + np.uint8(index))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cat and dog are the same pictures here
        data = load_dataset(tmp_path, size=16)
    assert data.x_train.shape[1:] == (16, 16, 3) and data.x_train[..., 1].min() >= 190


def test_a_folder_that_is_split_already_keeps_its_parts(tmp_path):
    whole = load_dataset(make_folder(tmp_path / "whole", 4, ("train", "val", "test")))
    assert sizes(whole) == (12, 12, 12)
    without_val = load_dataset(make_folder(tmp_path / "without", 8, ("train", "test")))
    assert sizes(without_val) == (21, 3, 24)


def test_masks_belong_to_their_pictures(tmp_path):
    data = load_dataset(make_folder(tmp_path, masks=True))
    assert data.mask_val.shape == (3, 32, 32) and data.mask_val.dtype == bool
    assert data.mask_train[:, :16].all() and not data.mask_train[:, 16:].any()


def test_what_systems_leave_behind_is_passed_over(folder):
    before = load_dataset(folder).variant
    (folder / "cat" / ".DS_Store").write_bytes(b"x")
    (folder / "cat" / "Thumbs.db").write_bytes(b"x")
    (folder / ".cache").mkdir()
    assert load_dataset(folder).variant == before


def test_write_and_read_give_the_same(tmp_path):
    data = load_dataset(make_folder(tmp_path / "animals", masks=True))
    own_pictures.write(data, tmp_path / "animals.npz")
    again = load_dataset(tmp_path / "animals.npz")
    for field in (
        "x_train",
        "y_train",
        "mask_train",
        "x_val",
        "y_val",
        "mask_val",
        "x_test",
        "y_test",
        "mask_test",
    ):
        np.testing.assert_array_equal(getattr(data, field), getattr(again, field))
    assert again.class_names == KINDS and again.name == "animals"
    with pytest.raises(PatchConvNetError, match="must end in .npz"):
        own_pictures.write(data, tmp_path / "animals.zip")


def test_data_without_validation_pictures_are_read_as_they_were_written(tmp_path):
    data = load_dataset(make_folder(tmp_path / "animals", masks=True))
    empty = {
        field: getattr(data, field)[:0] for field in ("x_val", "y_val", "mask_val")
    }
    own_pictures.write(dataclasses.replace(data, **empty), tmp_path / "animals.npz")
    again = load_dataset(tmp_path / "animals.npz")
    assert sizes(again) == (18, 0, 3) and again.mask_val.shape == (0, 32, 32)
    np.testing.assert_array_equal(again.x_train, data.x_train)
    without_test = dataclasses.replace(
        data, x_test=data.x_test[:0], y_test=data.y_test[:0]
    )
    with pytest.raises(
        PatchConvNetError,
        match="no pictures in its part test: such data cannot be read again",
    ):
        own_pictures.write(without_test, tmp_path / "other.npz")
    assert not (tmp_path / "other.npz").exists()


def test_the_split_is_that_of_the_names_whatever_order_the_system_gives(
    folder, monkeypatch
):
    first = load_dataset(folder)
    listed = Path.iterdir
    monkeypatch.setattr(
        Path,
        "iterdir",
        lambda self: iter(
            sorted(listed(self), key=lambda path: path.name.swapcase(), reverse=True)
        ),
    )
    # paths differ by system
    monkeypatch.setattr(
        Path, "__lt__", lambda self, other: str(self).lower() > str(other).lower()
    )
    again = load_dataset(folder)
    np.testing.assert_array_equal(first.x_test, again.x_test)
    assert first.class_names == again.class_names and first.variant == again.variant


@pytest.mark.parametrize(
    "kinds", [("car", "train"), ("bus", "train", "val"), ("test", "train")]
)
def test_a_class_may_be_named_like_a_part(tmp_path, kinds):
    for first, kind in enumerate(kinds):
        for number in range(4):
            save(tmp_path / kind / f"{number}.png", picture(number + 10 * first))
    assert load_dataset(tmp_path).class_names == kinds


def test_arrays_become_a_data_set(tmp_path):
    images = np.stack([picture(index, (32, 32)) for index in range(20)])
    np.savez(tmp_path / "plain.npz", images=images, labels=np.arange(20) % 2)
    data = load_dataset(tmp_path / "plain.npz")
    assert sizes(data) == (12, 4, 4)
    assert data.class_names == ("class 0", "class 1")
    np.savez(
        tmp_path / "grey.npz",
        images=images[..., 0],
        labels=(np.arange(20) % 2)[:, None],
        class_names=["no", "yes"],
    )
    grey = load_dataset(tmp_path / "grey.npz")
    assert (
        grey.class_names == ("no", "yes")
        and (grey.x_test[..., 0] == grey.x_test[..., 2]).all()
    )


def test_the_variable_names_what_is_loaded_without_a_name(folder, monkeypatch):
    monkeypatch.setenv("PATCHCONVNET_DATASET", str(folder))
    assert load_dataset().name == "animals"
    # what is named stays
    assert load_dataset("shapes", train=1, val=1, test=1).name == "shapes"
    monkeypatch.setenv("PATCHCONVNET_DATASET", "")
    assert load_dataset(train=1, val=1, test=1).name == "shapes"


def test_test_pictures_that_were_trained_on_are_told(tmp_path):
    for kind in KINDS:
        for index in range(8):
            save(tmp_path / kind / f"{index}.png", picture(0))
    with pytest.warns(
        UserWarning, match="3 of the 3 test pictures are among the training pictures"
    ):
        load_dataset(tmp_path)


@pytest.mark.long
def test_a_network_is_trained_on_them_and_its_record_can_be_measured_again(
    folder, tmp_path
):
    from patchconvnet import train
    from patchconvnet.training import evaluation

    settings = {"dim": 8, "depth": 1, "batch_size": 4, "image_size": 16}
    record = train(
        "shapes", tmp_path / "run", data=folder, epochs=1, settings=settings, verbose=0
    )
    assert (
        record.results["class_names"] == list(KINDS)
        and record.recipe["model"]["num_classes"] == 3
    )
    assert record.results["variant"].startswith("24 own pictures")
    # of three classes
    assert "test_top5" not in record.results and "top 5" not in record.summary()
    scores, variant = evaluation.evaluate(record)
    assert variant == record.results["variant"]
    assert scores["test_accuracy"] == pytest.approx(record.results["test_accuracy"])
