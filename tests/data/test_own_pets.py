"""The whole Pet data set from a local copy: a small folder of the same layout."""

import shutil

import numpy as np
import pytest
from PIL import Image

from patchconvnet import PatchConvNetError, load_dataset
from patchconvnet.data import number_of_classes, own_pets, whole_name
from patchconvnet.training.recipes import data_options, make_recipe

BREEDS = ("Abyssinian", "american_bulldog", "yorkshire_terrier")
HEADER = "#Image CLASS-ID SPECIES BREED ID\n"


def draw(folder, name, row):
    """A photograph of 60 x 40 pixels, and its trimap: the left half, then a rim."""
    pixels = np.random.default_rng(row).integers(256, size=(40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "images" / f"{name}.jpg")
    trimap = np.full((40, 60), 2, np.uint8)
    trimap[:, :30] = 1
    trimap[:, 30:36] = 3
    Image.fromarray(trimap).save(folder / "annotations" / "trimaps" / f"{name}.png")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "oxford-iiit-pet"
    (folder / "images").mkdir(parents=True)
    (folder / "annotations" / "trimaps").mkdir(parents=True)
    lines = {"trainval.txt": [], "test.txt": []}
    for number, breed in enumerate(BREEDS):
        for index in range(1, 6):
            draw(folder, f"{breed}_{index}", 10 * number + index)
            file = "trainval.txt" if index < 4 else "test.txt"
            lines[file].append(f"{breed}_{index} {number + 1} 1 {number + 1}\n")
    for file, written in lines.items():
        (folder / "annotations" / file).write_text("".join(written))
    text = HEADER + "".join(lines["trainval.txt"] + lines["test.txt"])
    (folder / "annotations" / "list.txt").write_text(text)
    # what the archives hold beside it
    (folder / "annotations" / "xmls").mkdir()
    (folder / "images" / "Abyssinian_100.mat").write_bytes(b"matlab")
    return folder


@pytest.fixture
def copy(drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "oxford-iiit-pet")


def test_it_has_the_official_test_part_and_takes_validation_from_the_rest(drawn):
    data = load_dataset(drawn, size=20)
    assert (len(data.x_train), len(data.x_val), len(data.x_test)) == (6, 3, 6)
    for labels, count in ((data.y_train, 2), (data.y_val, 1), (data.y_test, 2)):
        assert np.bincount(labels).tolist() == [count, count, count]
    assert data.class_names == ("Abyssinian", "American bulldog", "Yorkshire terrier")
    assert data.name == "oxford-iiit-pet"
    assert data.variant.startswith("15 own pictures (sha256 ")
    assert load_dataset(str(drawn), size=20).variant == data.variant
    assert data.y_test.tolist() != sorted(data.y_test)


def test_pictures_and_masks_are_central_squares_and_the_rim_is_animal(drawn):
    data = load_dataset(drawn, size=20)
    assert data.x_train.shape[1:] == (20, 20, 3) and data.mask_test.dtype == bool
    # of 60 columns the 40 in the middle: animal and rim are the first 26 of them
    wanted = np.zeros((20, 20), bool)
    wanted[:, :13] = True
    for masks in (data.mask_train, data.mask_val, data.mask_test):
        assert (masks == wanted).all()
    picture = Image.open(drawn / "images" / "american_bulldog_5.jpg")
    square = picture.crop((10, 0, 50, 40)).resize((20, 20), Image.Resampling.BICUBIC)
    tested = data.x_test[data.y_test == 1]
    assert any(np.array_equal(image, np.asarray(square)) for image in tested)


def test_breeds_are_counted_without_reading_a_picture(drawn, monkeypatch):
    monkeypatch.setattr(own_pets, "read_image", lambda file: pytest.fail("it reads"))
    assert number_of_classes(drawn) == 3 and whole_name(drawn) == str(drawn.resolve())
    recipe = make_recipe("shapes", data=drawn)
    assert recipe["model"]["num_classes"] == 3
    assert data_options(recipe) == {"size": 32}


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("images/Abyssinian_2.jpg", "Abyssinian_2 is listed, but there is no .*jpg: "),
        ("annotations/trimaps/american_bulldog_4.png", "bulldog_4 is listed, .*png: "),
        ("annotations/trainval.txt", r"trainval.txt cannot be read \(No such file"),
        ("annotations/test.txt", r"test.txt cannot be read \(No such file"),
    ],
)
def test_what_is_missing_is_named(copy, gone, said):
    (copy / gone).unlink()
    with pytest.raises(PatchConvNetError, match=f"{said}.*unpack images") as caught:
        load_dataset(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "test.txt lists no picture"),
        (HEADER, "test.txt lists no picture"),
        ("Abyssinian_4 1 1 1\n../secret_1 1 1 1\n", "has ../secret_1, no name such as"),
        ("Abyssinian 1 1 1\n", "has Abyssinian, no name such as Abyssinian_1"),
        ("Abyssinian_1 1 1 1\n", "has Abyssinian_1, twice"),
    ],
)
def test_a_list_that_cannot_be_is_named(copy, text, said):
    (copy / "annotations" / "test.txt").write_text(text)
    for ask in (load_dataset, number_of_classes):
        with pytest.raises(PatchConvNetError, match=said):
            ask(copy)


def test_a_list_that_is_no_text_and_a_single_breed_are_named(copy):
    (copy / "annotations" / "test.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PatchConvNetError, match=r"test.txt cannot be read \(no UTF-8"):
        load_dataset(copy)
    for index, file in enumerate(("trainval.txt", "test.txt"), 1):
        (copy / "annotations" / file).write_text(f"Abyssinian_{index} 1 1 1\n")
    with pytest.raises(PatchConvNetError, match="a single breed, Abyssinian: two"):
        load_dataset(copy)


def test_a_trimap_with_other_values_or_another_shape_is_named(copy):
    file = copy / "annotations" / "trimaps" / "Abyssinian_1.png"
    for value in (0, 4):
        Image.fromarray(np.full((40, 60), value, np.uint8)).save(file)
        with pytest.raises(
            PatchConvNetError, match="Abyssinian_1.png cannot be read .*not 1, 2 and 3"
        ):
            load_dataset(copy)
    Image.fromarray(np.ones((40, 40), np.uint8)).save(file)
    with pytest.raises(PatchConvNetError, match="is 40 x 40, its picture 60 x 40"):
        load_dataset(copy)


def test_a_photograph_that_is_none_is_named(copy):
    (copy / "images" / "Abyssinian_1.jpg").write_bytes(b"none")
    with pytest.raises(PatchConvNetError, match="Abyssinian_1.jpg is not a picture"):
        load_dataset(copy)


def test_classes_may_be_called_images_and_annotations(tmp_path):
    """Only trimaps make it this data set."""
    for kind in ("images", "annotations"):
        (tmp_path / kind).mkdir()
        for index in range(4):
            noise = np.random.default_rng(len(kind) + index).integers(256, size=(9, 9))
            path = tmp_path / kind / f"{index}.png"
            Image.fromarray(noise.astype(np.uint8)).save(path)
    assert load_dataset(tmp_path).class_names == ("annotations", "images")
