"""The limits of reading pictures, on either side."""

import numpy as np
import pytest
from PIL import Image
from test_inference import address, check_left_dark, left_dark, saved  # noqa: F401

from patchconvnet.data import reading
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import read_image


@pytest.mark.parametrize(
    ("value", "accepted"), [(0, True), (255, True), (256, False), (-1, False)]
)
def test_numbers_of_an_array_lie_between_0_and_255(value, accepted):
    array = np.full((2, 3), 100, "int64")
    array[0, 0] = value
    if accepted:
        assert read_image(array)[0, 0].tolist() == [value] * 3
    else:
        with pytest.raises(PatchConvNetError, match="an array with values from"):
            read_image(array)


@pytest.mark.parametrize(
    ("greatest", "share"), [(1.0, True), (1.01, False), (0.5, True), (0.0, False)]
)
def test_floats_up_to_one_look_like_shares(greatest, share):
    array = np.array([[0.0, greatest]])
    if share:
        with pytest.raises(PatchConvNetError, match="looks like 0..1; multiply by 255"):
            read_image(array)
    else:
        assert read_image(array)[0, 1].tolist() == [round(greatest)] * 3
    # whole numbers are dark, and no shares
    assert read_image(np.array([[0, 1]]))[0, 1].tolist() == [1] * 3


def test_floats_are_rounded_to_the_nearest():
    assert read_image(np.array([[3.4, 3.6, 254.6]]))[0, :, 0].tolist() == [3, 4, 255]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0, 1.5, 255.0], [0, 2, 255]),
        ([0, 128, 256.0], [0, 0, 1]),
        ([0, 257, 65_535.0], [0, 1, 255]),
        ([0, 65_536.0], [0, 255]),
    ],
)
def test_floats_of_a_tiff_change_their_range_at_1_255_and_65535(
    tmp_path, values, wanted
):
    pixels = read_image(
        saved(Image.fromarray(np.array([values], "float32")), tmp_path / "a.tiff")
    )
    assert pixels[0, :, 0].tolist() == wanted


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((1024, 1024), (1024, 1024)),
        ((1025, 1024), (1023, 1024)),
        ((4096, 256), (256, 4096)),
        ((4097, 256), (256, 4096)),
    ],
)
def test_pictures_of_up_to_a_million_pixels_keep_their_size(size, shape):
    pixels = read_image(np.asarray(left_dark("L", size)))
    assert abs(pixels.shape[0] - shape[0]) <= 1 and abs(pixels.shape[1] - shape[1]) <= 1
    assert (pixels.shape[:2] == size[::-1]) == (size[0] * size[1] <= 1 << 20)


@pytest.mark.parametrize(("length", "accepted"), [(0, True), (-1, False)])
def test_an_address_may_send_as_much_as_the_limit(
    address, tmp_path, monkeypatch, length, accepted
):
    size = (tmp_path / "served.png").stat().st_size
    monkeypatch.setattr(reading, "LARGEST_DOWNLOAD", size + length)
    if accepted:
        check_left_dark(read_image(address("picture")))
    else:
        with pytest.raises(PatchConvNetError, match="is larger than"):
            read_image(address("picture"))
