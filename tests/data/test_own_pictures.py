"""Your own pictures: a folder or an .npz file becomes a data set, and what is wrong
with one is said in a line.
"""

import dataclasses
import shutil
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


def test_a_run_folder_in_the_data_is_refused(folder):
    from patchconvnet import train

    with pytest.raises(
        PatchConvNetError,
        match="runs/new lies in the data, .*animals, where it would count as a class",
    ):
        train("shapes", folder / "runs" / "new", data=folder)
    assert not (folder / "runs").exists()


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


def spoil(folder, how):
    first = folder / "cat" / "0.png"
    if how == "damaged":
        first.write_bytes(first.read_bytes()[:60])
    elif how == "text":
        (folder / "cat" / "notes.txt").write_text("hello")
    elif how == "nested":
        save(folder / "cat" / "kittens" / "0.png", picture(0))
    elif how == "few":
        [path.unlink() for path in sorted((folder / "cat").iterdir())[3:]]
    elif how == "mixed":
        [(folder / name).mkdir() for name in ("train", "test")]
    elif how == "no test":
        [
            save(folder / part / kind / "0.png", picture(0))
            for part in ("train", "val")
            for kind in KINDS
        ]
        [shutil.rmtree(folder / kind) for kind in KINDS]
    elif how == "no train":
        [
            save(folder / part / kind / "0.png", picture(0))
            for part in ("test", "val")
            for kind in KINDS
        ]
        [shutil.rmtree(folder / kind) for kind in KINDS]
    elif how in (
        "test without classes",
        "test without pictures",
        "test with folders alone",
    ):
        [
            save(folder / "train" / kind / f"{number}.png", picture(number))
            for kind in KINDS
            for number in range(4)
        ]
        [shutil.rmtree(folder / kind) for kind in KINDS]
        (
            folder / "test" / "cat"
            if how == "test with folders alone"
            else folder / "test"
        ).mkdir(parents=True)
        if how == "test without classes":
            save(folder / "test" / "0.png", picture(0))
    elif how == "other names":
        [
            save(folder / part / kind / "0.png", picture(0))
            for part in ("train", "validation")
            for kind in KINDS
        ]
        [shutil.rmtree(folder / kind) for kind in KINDS]
    elif how == "flat masks":
        save(folder / "masks" / "0.png", picture(0))
    elif how == "same mask":
        [
            save(folder / "masks" / kind / f"{index}.png", np.zeros((40, 48), np.uint8))
            for kind in KINDS
            for index in range(8)
        ]
        save(folder / "cat" / "0.jpg", picture(0))
    elif how == "photographs of a phone":
        (folder / "cat" / "IMG.HEIC").write_bytes(b"x")
    elif how == "stray":
        save(folder / "0.png", picture(0))
    elif how == "closed":
        (folder / "cat" / "0.png").unlink()
        (folder / "cat" / "0.png").symlink_to("0.png")
    elif how == "no mask":
        save(folder / "masks" / "cat" / "1.png", np.zeros((40, 48), np.uint8))
    elif how == "other mask":
        [
            save(folder / "masks" / kind / f"{index}.png", np.zeros((48, 40), np.uint8))
            for kind in KINDS
            for index in range(8)
        ]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("damaged", r"cat/0.png cannot be read as a picture .* damaged or cut short"),
        ("text", r"cat/notes.txt is no picture by its name: move it out"),
        ("nested", r"cat/kittens is a folder inside a class: move it out"),
        ("few", r"class 'cat' of .* has 3 pictures to train on: give at least 4"),
        ("mixed", r"holds cat beside train and test: split it all"),
        (
            "no test",
            (
                r"holds no test beside train and val: split it all into train, val"
                r" .optional. and test"
            ),
        ),
        ("no train", r"holds no train beside val and test"),
        (
            "test without classes",
            r"test/0.png lies outside of the classes' folders: move it into one",
        ),
        ("test without pictures", r"test holds no folder with pictures of a class"),
        ("test with folders alone", r"test holds no folder with pictures of a class"),
        (
            "other names",
            (
                r"holds folders of folders, as train: name the parts train, val"
                r" .optional. and test"
            ),
        ),
        (
            "flat masks",
            (
                r"masks/0.png lies in the folder for masks, which has a folder for each"
                r" class"
            ),
        ),
        ("same mask", r"cat/0.(png|jpg) and 0.(png|jpg) would have the same mask"),
        (
            "photographs of a phone",
            r"cat/IMG.HEIC is a picture that cannot be read here: convert it to JPEG",
        ),
        ("stray", r"animals/0.png lies outside of the classes' folders"),
        ("closed", r"cat/0.png .*"),
        ("no mask", r"\w+/\d.png has no mask: there is no .*masks/\w+/\d.png"),
        ("other mask", r"masks/\w+/\d.png is 40 x 48, its picture 48 x 40"),
    ],
)
def test_a_spoilt_folder_is_said_in_one_line(folder, how, said):
    spoil(folder, how)
    with pytest.raises(PatchConvNetError, match=said) as caught:
        load_dataset(folder)
    assert "\n" not in str(caught.value)


IMAGES = np.zeros((8, 8, 8, 3), np.uint8)
LABELS = np.arange(8) % 2


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": IMAGES}, "lacks labels: it holds images"),
        (
            {"images": IMAGES / 255, "labels": LABELS},
            r"images in .* is float64 \(8, 8, 8, 3\): wanted uint8",
        ),
        (
            {"images": IMAGES, "labels": LABELS[:7]},
            r"labels in .* wanted 8 whole numbers from 0",
        ),
        (
            {"images": IMAGES, "labels": LABELS - 1},
            r"labels in .* wanted 8 whole numbers from 0",
        ),
        (
            {"images": IMAGES, "labels": LABELS, "masks": IMAGES},
            r"masks in .* as its pictures",
        ),
        (
            {"images": IMAGES, "labels": LABELS, "class_names": ["a", "a"]},
            "must be 2 different strings",
        ),
        ({"images": IMAGES, "labels": 0 * LABELS}, "a single class"),
        (
            {"images": IMAGES, "labels": np.array([0, 0, 0, 0, 0, 0, 0, 1])},
            "class 'class 1' of .* has 1 pictures",
        ),
        (
            {"images": IMAGES, "labels": LABELS * 10**9},
            "labels in .* go up to 1,000,000,000: number the classes 0, 1, 2",
        ),
        (
            {"images": IMAGES, "labels": LABELS.astype("uint64") + 2**63},
            "labels in .* go up to 9,223,372",
        ),
        (
            {"images": IMAGES, "labels": LABELS * 2**15},
            "class 'class 1' of .* has 0 pictures",
        ),
        ({"x_train": IMAGES, "y_train": LABELS}, "lacks x_test, y_test"),
        (
            {
                "x_train": IMAGES,
                "y_train": LABELS,
                "x_test": IMAGES[:0],
                "y_test": LABELS[:0],
            },
            r"x_test in .* is uint8 \(0, 8, 8, 3\)",
        ),
        (
            {
                "x_train": IMAGES,
                "y_train": LABELS,
                "x_test": IMAGES,
                "y_test": LABELS,
                "mask_test": IMAGES[..., 0],
            },
            "masks for some of its parts only",
        ),
        (
            {"images": np.array([{}], dtype=object), "labels": LABELS},
            "is damaged, or no .npz file",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_said_in_one_line(tmp_path, arrays, said):
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(PatchConvNetError, match=said) as caught:
        load_dataset(tmp_path / "own.npz")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["own.npz", "folder/", "own.zip"])
def test_what_is_no_data_set_is_said(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.zip").write_bytes(b"x")
    with pytest.raises(PatchConvNetError, match="wanted a folder|There is no data set"):
        load_dataset(name)
    (tmp_path / "own.npz").write_bytes(b"PK not really")
    with pytest.raises(PatchConvNetError, match="is damaged, or no .npz file"):
        load_dataset("own.npz")


def test_empty_classes_are_no_data_set(tmp_path):
    [(tmp_path / kind).mkdir() for kind in KINDS]
    with pytest.raises(PatchConvNetError, match="holds no pictures"):
        load_dataset(tmp_path)


def test_an_empty_folder_is_no_data_set(tmp_path):
    with pytest.raises(
        PatchConvNetError,
        match="0 subfolders of pictures, and two classes are the least",
    ):
        load_dataset(tmp_path)


@pytest.mark.parametrize("size", [0, 4, 5000, 32.0, True])
def test_an_impossible_size_is_refused(folder, size):
    with pytest.raises(
        PatchConvNetError, match="size= must be a whole number from 8 to 1,024"
    ):
        load_dataset(folder, size=size)
    with pytest.raises(
        PatchConvNetError, match=r"size= does not apply to the data set \"shapes\""
    ):
        load_dataset("shapes", size=32)


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
    scores, variant = evaluation.evaluate(record)
    assert variant == record.results["variant"]
    assert scores["test_accuracy"] == pytest.approx(record.results["test_accuracy"])
