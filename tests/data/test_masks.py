"""Masks as people have them: the usual ways are read as meant, the others are named."""

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from patchconvnet import PatchConvNetError, load_dataset
from patchconvnet.data.masks import object_of, read_mask

OBJECT = np.zeros((20, 30), bool)
OBJECT[4:16, 5:21] = True
WHITE = OBJECT.astype("uint8") * 255


def palette(colours, indices, transparency=None):
    picture = Image.frombytes(
        "P", indices.shape[::-1], indices.astype("uint8").tobytes()
    )
    picture.putpalette([number for colour in colours for number in colour])
    if transparency is not None:
        picture.info["transparency"] = transparency
    return picture


def transparent(colour):
    pixels = np.zeros((*OBJECT.shape, 4), "uint8")
    pixels[OBJECT] = (*colour, 255)
    return Image.fromarray(pixels)


def soft():
    grey = WHITE.copy()
    grey[3, 5:21], grey[4, 5:21] = 100, 200  # a soft edge
    return Image.fromarray(grey)


def numbered():
    numbers = OBJECT.astype("uint8")
    numbers[4:8, 5:21] = 7
    return Image.fromarray(numbers)


def coloured():
    pixels = np.zeros((*OBJECT.shape, 3), "uint8")
    pixels[OBJECT] = (0, 0, 128)  # a dark blue
    pixels[4:8, 5:21] = (128, 64, 0)
    return Image.fromarray(pixels)


VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (64, 0, 0)]
USUAL = {
    "white": lambda: Image.fromarray(WHITE),
    "soft edges": soft,
    "ones": lambda: Image.fromarray(OBJECT.astype("uint8")),
    "numbers": numbered,
    "one bit": lambda: Image.fromarray(WHITE).convert("1"),
    "colour picture": lambda: Image.fromarray(WHITE).convert("RGB"),
    "16 bits": lambda: Image.fromarray(OBJECT.astype("uint16") * 65_535),
    "16 bits, ones": lambda: Image.fromarray(OBJECT.astype("uint16")),
    "16 bits, 255": lambda: Image.fromarray(OBJECT.astype("uint16") * 255),
    "white on transparent": lambda: transparent((255, 255, 255)),
    "grey and alpha": lambda: Image.merge(
        "LA", (Image.fromarray(WHITE), Image.fromarray(WHITE))
    ),
    "opaque with alpha": lambda: Image.fromarray(WHITE).convert("RGBA"),
    "palette of white and black": lambda: palette(
        [(255, 255, 255), (0, 0, 0)], ~OBJECT
    ),
    "palette of classes": lambda: palette(VOC, OBJECT * 3),
    "palette of several classes": lambda: palette(
        VOC, OBJECT * np.where(np.arange(30) < 12, 1, 2)
    ),
    "palette with transparency": lambda: palette(
        [(9, 9, 9), (255, 255, 255)], OBJECT, transparency=0
    ),
    "colours": coloured,
}


@pytest.mark.parametrize("how", USUAL)
def test_each_usual_way_is_read(how, tmp_path):
    USUAL[how]().save(tmp_path / "mask.png")
    found = read_mask(tmp_path / "mask.png")
    assert found.dtype == bool
    np.testing.assert_array_equal(found, OBJECT)


@pytest.mark.parametrize(
    ("greatest", "least"), [(128, 128), (255, 128), (127, 1), (65_535, 32_768)]
)
def test_half_of_white_is_white_and_dark_values_are_numbers(greatest, least):
    values = np.array([[0, least - 1, least, greatest]], dtype="uint16")
    if greatest == 127:
        values[0, 1] = 0
    np.testing.assert_array_equal(object_of(values), [[False, False, True, True]])


def test_an_empty_and_a_full_mask_are_masks():
    assert (
        not object_of(np.zeros((2, 3), "uint8")).any()
        and object_of(np.full((2, 3), 255, "uint8")).all()
    )


def test_numbers_with_a_white_rim_are_not_guessed(tmp_path):
    """A label map whose undecided pixels are 255: these alone would be the object."""
    values = OBJECT.astype("uint8") * 3
    values[3, 5:21] = 255
    Image.fromarray(values).save(tmp_path / "mask.png")
    with pytest.raises(
        PatchConvNetError,
        match=(
            r"the mask .*mask.png cannot be read .areas in it have the value 3, and"
            r" others 255: make it black"
        ),
    ):
        read_mask(tmp_path / "mask.png")


@pytest.mark.parametrize("dark", [1, 100])
def test_areas_of_several_greys_are_not_guessed(dark):
    values = WHITE.copy()
    values[4:16, 5:13] = dark  # as large as the white part
    with pytest.raises(PatchConvNetError, match=f"areas in it have the value {dark}"):
        object_of(values)


@pytest.mark.parametrize("values", [np.array([[0.0, 0.5]]), np.array([[-1, 1]])])
def test_other_values_are_refused(values):
    with pytest.raises(
        PatchConvNetError, match="its values are not whole numbers from 0"
    ):
        object_of(values)


def test_a_long_text_in_the_file_is_passed_over(tmp_path):
    notes = PngInfo()
    notes.add_text("comment", "x" * 5_000_000, zip=True)
    Image.fromarray(WHITE).save(tmp_path / "mask.png", pnginfo=notes)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), OBJECT)


def test_what_is_no_png_is_said(tmp_path):
    Image.fromarray(WHITE).save(tmp_path / "mask.png", format="JPEG")
    with pytest.raises(
        PatchConvNetError, match="mask.png cannot be read .*: give a PNG"
    ):
        read_mask(tmp_path / "mask.png")


# === a whole set ===


def make_set(place, mask, each=4):
    for kind in ("cat", "dog"):
        (place / kind).mkdir(parents=True)
        (place / "masks" / kind).mkdir(parents=True)
        for number in range(each):
            pixels = np.random.default_rng((len(kind), ord(kind[0]), number)).integers(
                256, size=(20, 30, 3), dtype="uint8"
            )
            Image.fromarray(pixels).save(place / kind / f"{number}.png")
            mask(number).save(place / "masks" / kind / f"{number}.png")
    return place


@pytest.mark.parametrize(
    "how", ["ones", "palette of classes", "16 bits", "white on transparent"]
)
def test_a_set_has_the_masks_that_were_drawn(how, tmp_path):
    plain = load_dataset(
        make_set(tmp_path / "plain", lambda number: USUAL["white"]()), size=16
    )
    other = load_dataset(
        make_set(tmp_path / "other", lambda number: USUAL[how]()), size=16
    )
    np.testing.assert_array_equal(plain.mask_train, other.mask_train)
    assert 0.1 < plain.mask_train.mean() < 0.9 and plain.variant == other.variant


@pytest.mark.parametrize(
    ("grey", "kind"),
    [
        (lambda number: 0, "all empty"),
        (lambda number: 255, "all full"),
        (lambda number: 255 * (number % 2), "either empty or full"),
    ],
)
def test_masks_that_say_nothing_are_refused(grey, kind, tmp_path):
    place = make_set(
        tmp_path / "set", lambda number: Image.new("L", (30, 20), grey(number))
    )
    with pytest.raises(
        PatchConvNetError,
        match=(
            rf"the masks of .*set are .*{kind}.*, as .*masks.(cat|dog).\d.png.*white on"
            r" the object"
        ),
    ):
        load_dataset(place)


def test_masks_in_arrays_are_read_as_those_in_files(tmp_path):
    images = np.random.default_rng(0).integers(256, size=(8, 20, 30, 3), dtype="uint8")
    drawn = np.stack([OBJECT] * 8)
    kinds = {
        "bool": drawn,
        "ones": drawn.astype("uint8"),
        "white": drawn.astype("uint16") * 65_535,
    }
    kinds |= {
        "whole": drawn.astype("int64"),
        "floats": drawn.astype("float32"),
        "channel": drawn[..., None],
    }
    for name, masks in kinds.items():
        np.savez(
            tmp_path / f"{name}.npz",
            images=images,
            labels=np.arange(8) % 2,
            masks=masks,
        )
    first, *others = [
        load_dataset(tmp_path / f"{name}.npz", size=20).mask_train for name in kinds
    ]
    for other in others:
        np.testing.assert_array_equal(first, other)
    np.savez(
        tmp_path / "trimap.npz",
        images=images,
        labels=np.arange(8) % 2,
        masks=drawn.astype("uint8") + 1,
    )
    with pytest.raises(
        PatchConvNetError, match="the masks of .*trimap.npz are all full"
    ):
        load_dataset(tmp_path / "trimap.npz")


def test_the_variant_tells_masks_names_and_split(tmp_path):
    images = np.random.default_rng(0).integers(256, size=(12, 16, 16, 3), dtype="uint8")
    whole = {
        "images": images,
        "labels": np.arange(12) % 2,
        "masks": np.stack([OBJECT[:16, :16]] * 12),
        "class_names": ["a", "b"],
    }
    changed = {
        "masks": {"masks": np.roll(whole["masks"], 1, axis=1)},
        "names": {"class_names": ["a", "c"]},
        "labels": {"labels": whole["labels"][::-1]},
    }
    variants = []
    for change in ({}, *changed.values()):
        np.savez(tmp_path / "own.npz", **{**whole, **change})
        variants.append(load_dataset(tmp_path / "own.npz").variant)
    variants.append(load_dataset(tmp_path / "own.npz", seed=1).variant)
    assert len(set(variants)) == 5


@pytest.mark.parametrize(("least", "is_object"), [(32, False), (33, True)])
def test_a_colour_is_the_object_unless_it_is_nearly_black(least, is_object):
    pixels = np.zeros((1, 3, 3), "uint8")
    pixels[0, 1] = (200, 0, 0)  # one bright colour: the mask is a coloured one
    pixels[0, 2] = (0, 0, least)
    np.testing.assert_array_equal(object_of(pixels), [[False, True, is_object]])


@pytest.mark.parametrize(("apart", "is_object"), [(32, False), (33, True)])
def test_greys_may_be_a_little_apart_before_they_are_colours(apart, is_object):
    """As a grey, 100 beside white is the background; as a colour, it is an object."""
    pixels = np.array([[(255, 255, 255), (100, 100 - apart, 100)]], dtype="uint8")
    np.testing.assert_array_equal(object_of(pixels), [[True, is_object]])
