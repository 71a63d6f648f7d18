"""Own pictures: arrays and folders that are missing, too many, or of another form."""

import re

import numpy as np
import pytest
from PIL import Image

from patchconvnet.data import load_dataset, own_common, own_folder, own_pictures
from patchconvnet.errors import PatchConvNetError

DICE = np.random.default_rng(0)
IMAGES = DICE.integers(256, size=(8, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(8) % 2
MASKS = IMAGES[..., 0] > 100
WHOLE = {"images": IMAGES, "labels": LABELS}
PARTS = {
    "x_train": IMAGES, "y_train": LABELS, "mask_train": MASKS,
    "x_val": 255 - IMAGES[:2], "y_val": LABELS[:2], "mask_val": MASKS[:2],
    "x_test": IMAGES[:4] ^ 1, "y_test": LABELS[:4], "mask_test": MASKS[:4],
}  # fmt: skip


def load(folder, arrays, size=8):
    np.savez(folder / "own.npz", **arrays)
    return load_dataset(folder / "own.npz", size=size)


def refusal(folder, arrays):
    with pytest.raises(PatchConvNetError) as caught:
        load(folder, arrays)
    return str(caught.value)


def test_parts_that_are_given_stay_as_they_are(tmp_path):
    data = load(tmp_path, PARTS)
    for part in ("train", "val", "test"):
        np.testing.assert_array_equal(getattr(data, f"x_{part}"), PARTS[f"x_{part}"])
        np.testing.assert_array_equal(getattr(data, f"y_{part}"), PARTS[f"y_{part}"])
        np.testing.assert_array_equal(
            getattr(data, f"mask_{part}"), PARTS[f"mask_{part}"]
        )
    assert data.class_names == ("class 0", "class 1") and data.name == "own"


@pytest.mark.parametrize(
    ("arrays", "name", "said"),
    [
        (WHOLE, "images", "lacks images: it holds labels"),
        (WHOLE, "labels", "lacks labels: it holds images"),
        (PARTS, "y_train", "lacks y_train: it holds x_train, mask_train, x_val"),
        (PARTS, "x_test", "lacks x_test: "), (PARTS, "y_test", "lacks y_test: "),
        (PARTS, "y_val", "y_val in "),
        (PARTS, "mask_train", "has masks for some of its parts only"),
        (PARTS, "mask_val", "has masks for some"),
        (PARTS, "mask_test", "has masks for some of its parts only"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(tmp_path, arrays, name, said):
    assert said in refusal(
        tmp_path, {key: value for key, value in arrays.items() if key != name}
    )


def test_a_file_without_arrays_holds_nothing(tmp_path):
    assert "lacks images, labels: it holds nothing" in refusal(tmp_path, {})


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("images", IMAGES.astype("int64")), ("images", IMAGES[..., None]),
        ("images", IMAGES[0, 0]), ("images", IMAGES[:0]), ("images", IMAGES[:, :0]),
        ("x_train", IMAGES[:0]), ("x_test", IMAGES[:0]), ("x_val", IMAGES[:, :0]),
    ],
    ids=range(8),
)  # fmt: skip
def test_images_have_bytes_colours_and_a_size(tmp_path, name, array):
    arrays = WHOLE if name == "images" else PARTS
    said = refusal(tmp_path, {**arrays, name: array})
    assert (
        f"{name} in {tmp_path / 'own.npz'} is {array.dtype} {array.shape}: wanted uint8"
        in said
    )


@pytest.mark.parametrize(
    ("labels", "good"),
    [
        (LABELS[:, None], True), (LABELS.astype("uint8"), True),
        (LABELS.astype(float), False), (LABELS.astype(bool), False),
        (LABELS - 1, False), (LABELS[:7], False), (np.r_[LABELS, 0], False),
        (LABELS.astype("U1"), False),
    ],
    ids=range(8),
)  # fmt: skip
def test_labels_are_whole_numbers_one_for_each_picture(tmp_path, labels, good):
    arrays = {"images": IMAGES, "labels": labels}
    if good:
        assert len(load(tmp_path, arrays).y_train) == 4
    else:
        assert "wanted 8 whole numbers from 0" in refusal(tmp_path, arrays)


@pytest.mark.parametrize(
    ("greatest", "said"),
    [
        (65_535, "class 'class 1' of .* has 0 pictures"),
        (65_536, "go up to 65,536: number the classes"),
    ],
)
def test_labels_go_up_to_65535(tmp_path, greatest, said):
    assert re.search(
        said, refusal(tmp_path, {"images": IMAGES, "labels": LABELS * greatest})
    )


@pytest.mark.parametrize(
    ("masks", "good"),
    [
        (MASKS, True), (MASKS[..., None], True), (MASKS.astype("uint8") * 255, True),
        (MASKS.astype("int64"), True), (MASKS.astype("float32"), True),
        (MASKS * 0.5, False), (MASKS[:7], False), (MASKS[:, :7], False),
        (MASKS[:, :, :7], False), (MASKS.astype("U1"), False),
        (np.repeat(MASKS[..., None], 2, axis=3), False),
    ],
    ids=range(11),
)  # fmt: skip
def test_masks_have_the_shape_of_their_pictures_and_whole_numbers(
    tmp_path, masks, good
):
    if good:
        data = load(tmp_path, WHOLE | {"masks": masks})
        np.testing.assert_array_equal(data.mask_train, data.x_train[..., 0] > 100)
    else:
        assert "wanted bool or uint8 (8, 8, 8), as its pictures" in refusal(
            tmp_path, WHOLE | {"masks": masks}
        )


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b"], None), (["a", "b", "c"], "class 'c' of"),
        (["a"], "must be 2 different strings"), (["a", "a"], "must be 2 different"),
        (["a", "b", "a"], "must be 2 different"), ([1, 2], "must be 2 different"),
        ([["a", "b"]], "must be 2 different"),
    ],
    ids=range(7),
)  # fmt: skip
def test_each_class_has_a_name_of_its_own(tmp_path, names, said):
    if said is None:
        assert load(tmp_path, WHOLE | {"class_names": names}).class_names == tuple(
            names
        )
    else:
        assert said in refusal(tmp_path, WHOLE | {"class_names": names})


def test_two_classes_are_the_least_and_their_names_are_known_from_the_file(tmp_path):
    assert "has a single class: two are the least" in refusal(
        tmp_path, {"images": IMAGES, "labels": 0 * LABELS}
    )
    load(tmp_path, WHOLE | {"class_names": ["b", "a"]})
    assert own_pictures.class_names(tmp_path / "own.npz") == ("b", "a")


@pytest.mark.parametrize(
    ("masks", "kind"),
    [
        (np.zeros((8, 8, 8)), "all empty"),
        (np.ones((8, 8, 8)), "all full"),
        (LABELS[:, None, None] * np.ones((8, 8, 8)), "either empty or full"),
    ],
    ids=range(3),
)
def test_masks_that_say_nothing_are_named(tmp_path, masks, kind):
    assert f"are {kind} at 8 pixels: wanted white on the object" in refusal(
        tmp_path, WHOLE | {"masks": masks}
    )


@pytest.mark.parametrize(("lit", "on"), [(127, False), (128, True)])
def test_half_of_a_pixel_must_be_white(lit, on):
    """Each pixel of the small mask is the mean of 255 x 1 of the large one."""
    mask = np.zeros((255, 255), bool)
    mask[:lit] = True
    assert own_common.small_mask(mask, 1).tolist() == [[on]]


@pytest.mark.parametrize(
    ("shape", "picture", "good"),
    [
        ((98, 100), (100, 100), True),
        ((97, 100), (100, 100), False),
        ((114, 97), (40, 48), False),
        ((117, 99), (40, 48), True),
        ((48, 40), (40, 48), True),
        ((40, 48), (40, 48), False),
    ],
)
def test_a_mask_may_differ_from_its_picture_by_a_fiftieth(
    tmp_path, shape, picture, good
):
    """Shapes of masks are (height, width), sizes of pictures (width, height)."""
    read = lambda: own_folder._read_mask(
        tmp_path / "mask.png", tmp_path / "a.png", picture, 4
    )
    mask = np.zeros(shape, np.uint8)
    mask[: shape[0] // 2] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    if good:
        assert read().tolist() == [[True] * 4] * 2 + [[False] * 4] * 2
    else:
        with pytest.raises(PatchConvNetError, match="masks cover all of it"):
            read()


def test_the_order_and_the_split_of_arrays_are_pinned(tmp_path):
    """No other seed, no other NumPy: recorded figures rest on this split."""
    images = np.arange(20, dtype=np.uint8)[:, None, None, None] + np.zeros(
        (20, 8, 8, 3), np.uint8
    )
    data = load(tmp_path, {"images": images, "labels": np.arange(20) % 2})
    apart = [part[:, 0, 0, 0].tolist() for part in (data.x_val, data.x_test)]
    assert (apart, data.variant) == (
        [[10, 13, 9, 0], [19, 17, 4, 12]],
        "20 own pictures (sha256 4b6dc6b7)",
    )


# === folders ===


def test_the_order_and_the_split_of_a_folder_are_pinned(tmp_path):
    for number in range(20):
        path = tmp_path / "ab"[number % 2] / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (number, number, number)).save(path)
    data = load_dataset(tmp_path, size=8)
    apart = [part[:, 0, 0, 0].tolist() for part in (data.x_val, data.x_test)]
    assert (apart, data.variant) == (
        [[15, 12, 9, 6], [19, 1, 4, 0]],
        "20 own pictures (sha256 8438074a)",
    )


def test_one_class_is_too_few(tmp_path):
    for number in range(8):
        save(tmp_path / "a" / f"{number}.png", number)
    with pytest.raises(
        PatchConvNetError,
        match="has 1 subfolders of pictures, and two classes are the least",
    ):
        load_dataset(tmp_path)


def test_masks_of_a_folder_that_say_nothing_are_named_with_one_of_them(folder):
    for path in list(folder.rglob("*.png")):
        place = folder / "masks" / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8)).save(place)
    said = (
        rf"^the masks of {folder} are all empty at 8 pixels, as"
        rf" {folder}/masks/[ab]/\d\.png: wanted white on the"
    )
    with pytest.raises(PatchConvNetError, match=said):
        load_dataset(folder, size=8)


def save(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(
        np.random.default_rng(number).integers(256, size=(8, 8, 3), dtype=np.uint8)
    ).save(path)


@pytest.fixture
def folder(tmp_path):
    for number in range(8):
        save(tmp_path / "my.pictures" / "ab"[number % 2] / f"{number}.png", number)
    return tmp_path / "my.pictures"


@pytest.mark.parametrize(
    "name", ["Thumbs.db", "desktop.ini", "Icon\r", "@eaDir", "__MACOSX", ".hidden"]
)
def test_what_systems_put_there_is_passed_over_wherever_it_lies(folder, name):
    before = load_dataset(folder, size=8)
    (folder / "a" / name).write_bytes(b"x")
    (folder / name).mkdir()
    (folder / name / "b").mkdir()
    after = load_dataset(folder, size=8)
    assert (
        before.variant == after.variant
        and after.class_names == ("a", "b")
        and after.name == "my.pictures"
    )


@pytest.mark.parametrize(
    ("suffix", "said"),
    [
        ("HEIC", "convert it to JPEG"),
        ("heif", "convert it to JPEG"),
        ("txt", "is no picture"),
    ],
)
def test_what_cannot_be_read_is_named(folder, suffix, said):
    (folder / "a" / f"photo.{suffix}").write_bytes(b"x")
    with pytest.raises(PatchConvNetError, match=said):
        load_dataset(folder)


def test_files_beside_the_classes_that_are_no_pictures_are_passed_over(folder):
    before = load_dataset(folder, size=8).variant
    (folder / "notes.txt").write_text("x")
    assert load_dataset(folder, size=8).variant == before
    save(folder / "PHOTO.PNG", 9)
    with pytest.raises(
        PatchConvNetError, match="PHOTO.PNG lies outside of the classes' folders"
    ):
        load_dataset(folder)


def test_a_class_may_miss_in_a_part_that_is_given(tmp_path):
    for number, place in enumerate(
        ["train/a"] * 4 + ["train/b"] * 4 + ["test/a"] * 2 + ["val/b"]
    ):
        save(tmp_path / place / f"{number}.png", number)
    data = load_dataset(tmp_path, size=8)
    counts = [
        np.bincount(labels, minlength=2).tolist()
        for labels in (data.y_train, data.y_val, data.y_test)
    ]
    assert counts == [[4, 4], [0, 1], [2, 0]]


def test_a_mask_of_a_folder_has_the_ending_png_whatever_its_picture_has(folder):
    (folder / "a" / "0.png").rename(folder / "a" / "0.old.PNG")
    for path in list(folder.rglob("*.*")):
        if path.is_file():
            mask = np.zeros((8, 8), np.uint8)
            mask[:4] = 255
            place = folder / "masks" / path.relative_to(folder).with_suffix(".png")
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(place)
    data = load_dataset(folder, size=8)
    assert data.mask_train[:, :4].all() and not data.mask_train[:, 4:].any()
    (folder / "masks" / "a" / "0.old.png").unlink()
    with pytest.raises(
        PatchConvNetError, match=r"0\.old\.PNG has no mask: there is no .*0\.old\.png"
    ):
        load_dataset(folder)
