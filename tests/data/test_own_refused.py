"""Own folders and arrays that are no data set: what is wrong is said in a line."""

import shutil

import numpy as np
import pytest
from test_own_pictures import KINDS, folder, picture, save  # noqa: F401

from patchconvnet import PatchConvNetError, load_dataset


def test_a_run_folder_in_the_data_is_refused(folder):
    from patchconvnet import train

    with pytest.raises(
        PatchConvNetError,
        match="runs/new lies in the data, .*animals, where it would count as a class",
    ):
        train("shapes", folder / "runs" / "new", data=folder)
    assert not (folder / "runs").exists()


def only_parts(folder, *parts):
    """One picture of each class in each of these parts, and nothing else."""
    for kind in KINDS:
        shutil.rmtree(folder / kind)
        for part in parts:
            save(folder / part / kind / "0.png", picture(0))


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
        only_parts(folder, "train", "val")
    elif how == "no train":
        only_parts(folder, "test", "val")
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
        only_parts(folder, "train", "validation")
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


def test_all_files_that_cannot_be_used_are_listed_at_once(folder):
    """Strays, other kinds of files, and damaged pictures, of two classes."""
    for how in ("damaged", "text", "nested", "photographs of a phone", "stray"):
        spoil(folder, how)
    (folder / "dog" / "1.png").write_bytes(b"no picture")
    with pytest.raises(PatchConvNetError, match="has 6 files that cannot") as caught:
        load_dataset(folder)
    named = [note.split(" ")[0].split("animals/")[1] for note in caught.value.__notes__]
    assert sorted(named) == [
        "0.png", "cat/0.png", "cat/IMG.HEIC", "cat/kittens", "cat/notes.txt",
        "dog/1.png",
    ]  # fmt: skip


def test_a_long_list_of_files_is_cut(folder):
    for number in range(60):
        (folder / "cat" / f"{number}.txt").write_text("a note")
    with pytest.raises(PatchConvNetError, match="has 60 files that") as caught:
        load_dataset(folder)
    assert len(caught.value.__notes__) == 51
    assert caught.value.__notes__[-1] == "and 10 more"


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
