"""Own pictures: strangers, the split, and what becomes of a picture."""

import warnings

import numpy as np
import pytest
from test_own_pictures import KINDS, folder, make_folder, picture, save, sizes  # noqa: F401

from patchconvnet import PatchConvNetError, load_dataset
from patchconvnet.data import own_pictures

# === strangers, and who is counted ===


def split_folder(place, same):
    """Three pictures of a class in each part; `same` repeats one of another part."""
    number = 0
    for part in ("train", "val", "test"):
        for kind in KINDS[:2]:
            for index in range(3):
                number += 1
                save(place / part / kind / f"{index}.png", picture(number))
    for source, target in same:
        (place / target).write_bytes((place / source).read_bytes())
    return place


@pytest.mark.parametrize(
    ("same", "said"),
    [
        ([], None),
        (
            [("train/cat/0.png", "test/cat/2.png")],
            "1 of the 6 test pictures are among the training pictures",
        ),
        (
            [
                ("train/cat/0.png", "test/cat/2.png"),
                ("train/cat/0.png", "test/dog/0.png"),
            ],
            "2 of the 6 test pictures",
        ),
        ([("train/cat/0.png", "train/cat/1.png")], None),
        ([("train/cat/0.png", "val/cat/1.png")], None),
        ([("val/cat/0.png", "test/cat/1.png")], None),
    ],
)
def test_only_test_pictures_that_were_trained_on_are_counted(tmp_path, same, said):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        load_dataset(split_folder(tmp_path / "animals", same))
    assert [
        str(one.message).partition(" are among")[0]
        for one in told
        if "among" in str(one.message)
    ] == ([said.partition(" are among")[0]] if said else [])


# === the split ===


@pytest.mark.parametrize(
    ("each", "parts"),
    [
        (4, (2, 1, 1)),
        (6, (4, 1, 1)),
        (10, (6, 2, 2)),
        (20, (14, 3, 3)),
        (23, (17, 3, 3)),
        (24, (16, 4, 4)),
    ],
)
def test_fifteen_in_a_hundred_of_each_class_go_to_each_part(tmp_path, each, parts):
    images = np.stack([picture(index, (8, 8)) for index in range(2 * each)])
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(2 * each) % 2)
    data = load_dataset(tmp_path / "own.npz", size=8)
    for labels, count in zip((data.y_train, data.y_val, data.y_test), parts):
        assert np.bincount(labels, minlength=2).tolist() == [count, count]
    whole = np.concatenate([data.x_train, data.x_val, data.x_test])
    assert {image.tobytes() for image in whole} == {image.tobytes() for image in images}
    label_of = {image.tobytes(): index % 2 for index, image in enumerate(images)}
    for part in ("train", "val", "test"):
        assert [
            label_of[image.tobytes()] for image in getattr(data, f"x_{part}")
        ] == getattr(data, f"y_{part}").tolist()


@pytest.mark.parametrize(("count", "enough"), [(3, False), (4, True)])
def test_four_pictures_of_a_class_are_the_least_that_is_split(tmp_path, count, enough):
    images = np.stack([picture(index, (8, 8)) for index in range(count + 4)])
    np.savez(
        tmp_path / "own.npz", images=images, labels=np.array([0] * 4 + [1] * count)
    )
    if enough:
        assert sizes(load_dataset(tmp_path / "own.npz")) == (4, 2, 2)
    else:
        with pytest.raises(
            PatchConvNetError,
            match="class 'class 1' of .* has 3 pictures to train on: give at least 4",
        ):
            load_dataset(tmp_path / "own.npz")


@pytest.mark.parametrize(("count", "enough"), [(1, False), (2, True)])
def test_two_training_pictures_of_a_class_are_the_least_where_the_parts_are_given(
    tmp_path, count, enough
):
    arrays = {
        "x_train": np.stack([picture(index, (8, 8)) for index in range(count + 4)]),
        "y_train": np.array([0] * 4 + [1] * count),
    }
    arrays |= {
        "x_test": np.stack([picture(90 + index, (8, 8)) for index in range(2)]),
        "y_test": np.array([0, 1]),
    }
    np.savez(tmp_path / "own.npz", **arrays)
    if enough:
        data = load_dataset(tmp_path / "own.npz")
        assert sizes(data) == (4, 2, 2) and np.bincount(data.y_train).tolist() == [3, 1]
        np.savez(
            tmp_path / "whole.npz",
            **arrays,
            x_val=arrays["x_test"],
            y_val=arrays["y_test"],
        )
        # nothing is taken from train
        assert sizes(load_dataset(tmp_path / "whole.npz")) == (6, 2, 2)
    else:
        with pytest.raises(
            PatchConvNetError, match="has 1 pictures to train on: give at least 2"
        ):
            load_dataset(tmp_path / "own.npz")


def test_the_first_test_pictures_are_not_all_of_one_class(tmp_path):
    images = np.stack([picture(index, (8, 8)) for index in range(120)])
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(120) // 40)
    for place in (tmp_path / "own.npz", make_folder(tmp_path / "folder", 20)):
        assert len(set(load_dataset(place).y_test[:6].tolist())) > 1


# === what becomes of a picture ===


@pytest.mark.parametrize("size", [(20, 60), (60, 20), (21, 60)])
def test_the_square_is_cut_from_the_very_middle_both_ways(tmp_path, size):
    """Left and right of the square, or above and below, all is black; a column of it
    would show at the border.
    """
    side, longer = min(size), max(size)
    lit = np.zeros((*size, 3), np.uint8)
    first = (longer - side) // 2
    lit[
        (
            (slice(None), slice(first, first + side))
            if size[1] > size[0]
            else slice(first, first + side)
        )
    ] = 200
    arrays = np.stack([lit] * 8) + np.arange(8, dtype=np.uint8)[:, None, None, None]
    masks, hole = lit[..., 0] > 0, np.zeros((side, side), bool)
    hole[5, 7] = True  # a mask says something
    square = (
        masks[:, first : first + side]
        if size[1] > size[0]
        else masks[first : first + side]
    )
    square[hole] = False
    np.savez(
        tmp_path / "own.npz",
        images=arrays,
        labels=np.arange(8) % 2,
        masks=np.stack([masks] * 8),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = load_dataset(tmp_path / "own.npz", size=side)
    assert data.x_train.shape[1:] == (side, side, 3) and data.x_train.min() >= 200
    assert (data.mask_train == ~hole).all()


@pytest.mark.parametrize(("rows", "on"), [(15, False), (16, True)])
def test_a_pixel_of_a_mask_is_on_the_object_from_half_on(tmp_path, rows, on):
    """Each pixel of the small mask stands for 32 rows of the large one."""
    make_folder(tmp_path, 4, masks=True)
    for path in (tmp_path / "masks").rglob("*.png"):
        mask = np.zeros((320, 384), np.uint8)
        mask[: 32 + rows] = 255
        save(path, mask)
    found = load_dataset(tmp_path, size=10).mask_train
    assert (
        found[:, 0].all()
        and found[:, 1].all() == found[:, 1].any() == on
        and not found[:, 2:].any()
    )


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        ((40, 48), True),
        ((80, 96), True),
        ((81, 96), True),
        ((83, 96), False),
        ((40, 50), False),
    ],
)
def test_a_mask_has_the_form_of_its_picture_but_for_a_fiftieth(tmp_path, shape, fits):
    make_folder(tmp_path, 4, masks=True)
    for path in (tmp_path / "masks").rglob("*.png"):
        mask = np.full(shape, 255, np.uint8)
        mask[: shape[0] // 2] = 0
        save(path, mask)
    if fits:
        found = load_dataset(tmp_path).mask_test
        assert found[:, 17:].all() and not found[:, :15].any()
    else:
        with pytest.raises(
            PatchConvNetError,
            match=(
                f"is {shape[1]} x {shape[0]}, its picture 48 x 40: masks cover all"
                " of it"
            ),
        ):
            load_dataset(tmp_path)


def test_masks_in_arrays_are_white_wherever_they_are_not_black(tmp_path):
    images = np.stack([picture(index, (16, 16)) for index in range(8)])
    masks = np.zeros((8, 16, 16), np.uint8)
    masks[:, :8] = 1  # not 255
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(8) % 2, masks=masks)
    data = load_dataset(tmp_path / "own.npz", size=16)
    for part in (data.mask_train, data.mask_val, data.mask_test):
        assert part.dtype == bool and part[:, :8].all() and not part[:, 8:].any()


def test_masks_stay_with_their_pictures_through_every_shuffle(tmp_path):
    """A picture's mask is where it is bright."""
    images = np.zeros((24, 16, 16, 3), np.uint8)
    for index, image in enumerate(images):
        image[:, : 3 + index % 8] = 200 + index
    np.savez(
        tmp_path / "own.npz",
        images=images,
        labels=np.arange(24) % 2,
        masks=images[..., 0] > 0,
    )
    for index, image in enumerate(images):
        save(tmp_path / "folder" / KINDS[index % 2] / f"{index}.png", image)
        save(
            tmp_path / "folder" / "masks" / KINDS[index % 2] / f"{index}.png",
            (image[..., 0] > 0).astype(np.uint8) * 255,
        )
    for place in (tmp_path / "own.npz", tmp_path / "folder"):
        data = load_dataset(place, size=16)
        for part in ("train", "val", "test"):
            np.testing.assert_array_equal(
                getattr(data, f"x_{part}")[..., 0] > 0, getattr(data, f"mask_{part}")
            )
            assert (
                getattr(data, f"x_{part}")[..., 0].max(axis=(1, 2)) % 2
                == getattr(data, f"y_{part}")
            ).all()


def test_the_variant_follows_pixels_and_labels(tmp_path):
    images = np.stack([picture(index, (8, 8)) for index in range(8)])
    labels = np.arange(8) % 2
    variants = set()
    for name, arrays in {
        "one": (images, labels),
        "pixel": (images ^ np.uint8(1), labels),
        "label": (images, 1 - labels),
    }.items():
        np.savez(tmp_path / f"{name}.npz", images=arrays[0], labels=arrays[1])
        variants.add(load_dataset(tmp_path / f"{name}.npz", size=8).variant)
    assert len(variants) == 3 and all(
        variant.startswith("8 own pictures (sha256 ") for variant in variants
    )


def test_names_may_be_more_than_the_labels_but_not_fewer(tmp_path):
    images = np.stack([picture(index, (8, 8)) for index in range(12)])
    np.savez(
        tmp_path / "own.npz",
        images=images,
        labels=np.arange(12) % 2,
        class_names=["a", "b"],
    )
    assert load_dataset(tmp_path / "own.npz").class_names == ("a", "b")
    np.savez(
        tmp_path / "own.npz",
        images=images,
        labels=np.arange(12) % 3,
        class_names=["a", "b"],
    )
    with pytest.raises(
        PatchConvNetError, match="class_names in .* must be 3 different strings"
    ):
        load_dataset(tmp_path / "own.npz")
    np.savez(
        tmp_path / "own.npz",
        images=images,
        labels=np.arange(12) % 2,
        class_names=[1, 2],
    )
    with pytest.raises(
        PatchConvNetError, match="class_names in .* must be 2 different strings"
    ):
        load_dataset(tmp_path / "own.npz")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_arrays_have_one_channel_or_three(tmp_path, channels):
    images = np.random.default_rng(0).integers(
        256, size=(8, 8, 8, channels), dtype=np.uint8
    )
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(8) % 2)
    if channels in (1, 3):
        data = load_dataset(tmp_path / "own.npz", size=8)
        found = {
            image.tobytes()
            for image in np.concatenate([data.x_train, data.x_val, data.x_test])
        }
        assert found == {
            np.broadcast_to(image, (8, 8, 3)).tobytes() for image in images
        }
    else:
        with pytest.raises(
            PatchConvNetError, match=r"wanted uint8 \(N, H, W, 3\) or \(N, H, W\)"
        ):
            load_dataset(tmp_path / "own.npz")


def test_the_classes_are_known_without_reading_a_picture(tmp_path):
    folder = make_folder(tmp_path / "animals")
    (folder / "cat" / "0.png").write_bytes(b"no picture")
    assert (
        own_pictures.class_names(folder)
        == own_pictures.class_names(str(folder))
        == KINDS
    )


def test_pictures_are_32_wide_and_split_by_seed_0_unless_told(folder):
    usual, told = own_pictures.read(folder), own_pictures.read(folder, 32, 0)
    for part in ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test"):
        np.testing.assert_array_equal(usual[part], told[part])
    assert (
        usual["x_train"].shape[1:] == (32, 32, 3)
        and load_dataset(folder).variant == usual["variant"]
    )
