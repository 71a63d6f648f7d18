"""The photographs of the package: the official split, masks, order, and damage."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from patchconvnet import PatchConvNetError, faithfulness, load_dataset
from patchconvnet.data import number_of_classes, pets, whole_name

GRID = (14, 14)


@pytest.fixture(scope="module")
def whole():
    """All 300 to train on, and all 298 to test with."""
    return load_dataset("pets", validation=0)


@pytest.fixture(scope="module")
def outlines():
    """Trimaps of the 300 and the 298."""
    return {part: pets.trimaps(part, validation=0) for part in ("train", "test")}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the package's files, to be damaged."""
    shutil.copytree(pets.FOLDER, tmp_path / "photographs")
    monkeypatch.setattr(pets, "FOLDER", tmp_path / "photographs")
    return tmp_path / "photographs"


# === what it is ===


def test_it_is_the_official_split_with_its_classes(whole):
    assert whole.x_train.shape == (300, 224, 224, 3) and whole.x_train.dtype == np.uint8
    assert whole.x_test.shape == (298, 224, 224, 3) and len(whole.x_val) == 0
    assert np.bincount(whole.y_train).tolist() == [100, 100, 100]
    assert np.bincount(whole.y_test).tolist() == [98, 100, 100]
    assert whole.y_test.dtype == np.int64 and whole.mask_val.shape == (0, 224, 224)
    assert whole.class_names == ("Abyssinian", "Bengal", "American bulldog")
    assert repr(whole) == (
        "Dataset(pets, official split, 598 photographs (sha256 8fb89300): 300 train, 0"
        " val, 298 test)"
    )


def test_labels_are_those_of_the_names(whole):
    for part in ("train", "test"):
        breeds = [
            name.rpartition("_")[0].replace("_", " ").capitalize()
            for name in pets.names(part, validation=0)
        ]
        labels = getattr(whole, f"y_{part}")
        assert breeds == [whole.class_names[label] for label in labels]
    names = pets.names("train", validation=0) + pets.names("test")
    assert len(set(names)) == 598


def test_the_package_names_the_classes_as_its_files_do():
    for file in ("train", "test"):
        with np.load(pets.FOLDER / f"{file}.npz") as stored:
            assert tuple(stored["class_names"]) == pets.CLASS_NAMES
        assert (pets.FOLDER / f"{file}.npz").stat().st_size < 5_000_000


def test_classes_are_counted_without_decoding(monkeypatch):
    monkeypatch.setattr(pets, "_stored", lambda file: pytest.fail("it reads"))
    assert number_of_classes("pets") == 3 and whole_name("pets") == "pets"


def test_no_part_holds_another_in_memory(whole):
    for field in ("x_train", "y_train", "mask_train", "x_test", "y_test", "mask_test"):
        array = getattr(whole, field)
        assert array.base is None or array.base.nbytes == array.nbytes, field


def test_a_photograph_is_what_its_bytes_hold(whole):
    """By hand: the first of the training file, wherever it stands."""
    with np.load(pets.FOLDER / "train.npz") as stored:
        name, label = str(stored["name"][0]), stored["label"][0]
        content = stored["photo_jpeg"][: stored["photo_size"][0]].tobytes()
        trimap = stored["trimap_png"][: stored["trimap_size"][0]].tobytes()
    row = pets.names("train", validation=0).index(name)
    picture = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(whole.x_train[row], picture)
    outline = np.asarray(Image.open(io.BytesIO(trimap)))
    np.testing.assert_array_equal(whole.mask_train[row], outline != 2)
    assert whole.y_train[row] == label


# === what is set apart ===


def test_sixty_are_set_apart_twenty_of_each_class(whole):
    data = load_dataset("pets")
    assert (len(data.x_train), len(data.x_val), len(data.x_test)) == (240, 60, 298)
    assert np.bincount(data.y_val).tolist() == [20, 20, 20]
    together = np.concatenate([data.x_val, data.x_train])
    np.testing.assert_array_equal(together, whole.x_train)
    np.testing.assert_array_equal(data.mask_val, whole.mask_train[:60])
    np.testing.assert_array_equal(data.x_test, whole.x_test)
    assert data.variant == whole.variant


def test_more_that_are_set_apart_hold_those_that_were():
    few, many = pets.names("val", 7), pets.names("val", 90)
    assert many[:7] == few and len(many) == 90
    assert not set(many) & set(pets.names("train", 90))
    assert few[:4] == (
        "Abyssinian_122",
        "Bengal_116",
        "american_bulldog_138",
        "Abyssinian_180",
    )


def test_at_the_most_one_of_each_class_stays():
    assert len(pets.names("val", 297)) == 297
    breeds = {name.rpartition("_")[0] for name in pets.names("train", 297)}
    assert breeds == {"Abyssinian", "Bengal", "american_bulldog"}


@pytest.mark.parametrize("validation", [-1, 298, 2.5, "10", True])
def test_an_impossible_number_is_named(validation):
    with pytest.raises(
        PatchConvNetError,
        match=f"^validation= must be a whole number from 0 to 297, not {validation!r}",
    ):
        load_dataset("pets", validation=validation)
    with pytest.raises(PatchConvNetError, match="^validation must be a whole number"):
        pets.names("train", validation)


def test_another_option_and_another_part_are_refused():
    with pytest.raises(
        PatchConvNetError,
        match='size= does not apply to the data set "pets", which takes validation=',
    ):
        load_dataset("pets", size=32)
    with pytest.raises(
        PatchConvNetError, match="no part 'tests' .*: choose one of train, val, test$"
    ):
        pets.rims("tests")


# === masks and their rim ===


def test_masks_are_the_animal_with_its_rim(whole, outlines):
    for part, outline in outlines.items():
        assert outline.dtype == np.uint8 and set(np.unique(outline)) == {1, 2, 3}
        mask = getattr(whole, f"mask_{part}")
        assert mask.dtype == bool and mask.any(axis=(1, 2)).all()
        np.testing.assert_array_equal(mask, (outline == 1) | (outline == 3))
    rim = pets.rims("val", validation=5)
    np.testing.assert_array_equal(rim, outlines["train"][:5] == 3)
    assert rim.dtype == bool


def scores(outlines, is_animal):
    """What the docstring says of masks made so: five numbers."""
    training, test = is_animal(outlines["train"]), is_animal(outlines["test"])
    shares = faithfulness.cell_shares(training, GRID)
    on_it = (shares >= 0.5).mean(axis=0)
    fixed = np.repeat((on_it == on_it.max())[None], len(test), axis=0)
    mean = np.repeat(shares.mean(axis=0)[None], len(test), axis=0)
    return (
        test.mean(),
        faithfulness.chance(test, GRID),
        faithfulness.pointing_game(fixed, test).mean(),
        faithfulness.energy(mean, test).mean(),
        faithfulness.average_precision(mean, test).mean(),
    )


def test_the_docstring_says_what_the_rim_does(outlines):
    with_it = scores(outlines, lambda outline: outline != 2)
    without = scores(outlines, lambda outline: outline == 1)
    lines = [
        ("the animal's share of the pictures", "{:.1%}"),
        ("of a random cell", "{:.1%}"),
        ("of the best fixed cell of training", "{:.1%}"),
        ("energy: of the mean training mask", "{:.3f}"),
        ("average precision: of the mean training mask", "{:.3f}"),
    ]
    for (words, form), rim, bare in zip(lines, with_it, without):
        line = next(line for line in pets.__doc__.splitlines() if words in line)
        assert line.split()[-2:] == [form.format(rim), form.format(bare)], words


def test_the_credit_names_source_licence_and_owners():
    assert "adapted, CC BY-SA 4.0" in pets.CREDIT and "Oxford-IIIT Pet" in pets.CREDIT
    assert pets.CREDIT.endswith(
        "The copyright remains with the original owners of the images."
    )
    assert max(map(len, pets.CREDIT.splitlines())) <= 79


# === damage ===


def test_the_variant_changes_with_the_files(copy):
    before = pets.variant()
    with np.load(copy / "test.npz") as stored:
        arrays = dict(stored)
    arrays["label"][0] = 1
    np.savez(copy / "test.npz", **arrays)
    assert pets.variant() != before


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("damage", ["missing", "cut", "a byte", "no picture", "small"])
def test_a_damaged_file_of_the_package_is_one_line(copy, part, damage):
    path = copy / f"{part}.npz"
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[:1_000_000])
    elif damage == "a byte":
        content[1_000_000] ^= 255
        path.write_bytes(content)
    else:
        with np.load(path) as stored:
            arrays = dict(stored)
        if damage == "small":
            small = io.BytesIO()
            Image.new("RGB", (1, 1)).save(small, "JPEG")
            arrays["photo_jpeg"] = np.frombuffer(small.getvalue(), np.uint8)
            arrays["photo_size"][:] = 0
            arrays["photo_size"][0] = len(arrays["photo_jpeg"])
        else:
            arrays["photo_jpeg"][:] = 0
        np.savez(path, **arrays)
    with pytest.raises(PatchConvNetError) as caught:
        load_dataset("pets")
    said = str(caught.value)
    assert said.startswith("the package's photographs cannot be read (")
    assert said.endswith("install patchconvnet again") and "\n" not in said
