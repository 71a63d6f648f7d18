"""Any picture file to red, green and blue; any picture to classes and a map."""

import numpy as np
import pytest
from PIL import Image

from patchconvnet import inference
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import read_image
from patchconvnet.model import PatchConvNet

NAMES = tuple("abcdefghij")


def saved(picture, path, **options):
    picture.save(path, **options)
    return path


def left_dark(mode="L", size=(8, 6)):
    """A picture whose left half is dark (50) and whose right half is light (200)."""
    picture = Image.new("L", size, 200)
    picture.paste(50, (0, 0, size[0] // 2, size[1]))
    return picture.convert(mode)


def check_left_dark(pixels, shape=(6, 8, 3), tolerance=1):
    assert pixels.dtype == np.uint8 and pixels.shape == shape
    middle = shape[1] // 2
    assert np.abs(pixels[:, :middle].astype(int) - 50).max() <= tolerance
    assert np.abs(pixels[:, middle:].astype(int) - 200).max() <= tolerance


# === reading ===


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "RGBA", "LA"])
@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_every_mode_becomes_red_green_and_blue(tmp_path, mode, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    check_left_dark(read_image(saved(left_dark(mode), tmp_path / f"a.{suffix}", **options)))


def test_a_path_may_be_a_string_and_a_picture_may_have_any_suffix(tmp_path):
    path = saved(left_dark("RGB"), tmp_path / "picture.of.mine", format="PNG")
    check_left_dark(read_image(str(path)))


def test_colours_stay_in_their_places(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype("uint8")
    assert np.array_equal(read_image(saved(Image.fromarray(pixels), tmp_path / "a.png")), pixels)


def test_black_and_white(tmp_path):
    picture = Image.new("1", (4, 2), 1)
    picture.putpixel((0, 0), 0)
    pixels = read_image(saved(picture, tmp_path / "a.png"))
    assert pixels.shape == (2, 4, 3) and pixels[0, 0].max() == 0 and pixels.sum() == 7 * 3 * 255


def test_grey_of_16_bits_keeps_its_range(tmp_path):
    values = np.array([[0, 257, 257 * 100, 65_024, 65_535]], dtype="uint16")
    pixels = read_image(saved(Image.fromarray(values), tmp_path / "a.png"))
    assert pixels[0].tolist() == [[value] * 3 for value in (0, 1, 100, 253, 255)]


@pytest.mark.parametrize("suffix", ["jpg", "tiff"])
def test_cmyk(tmp_path, suffix):
    check_left_dark(read_image(saved(left_dark("RGB").convert("CMYK"), tmp_path / f"a.{suffix}")), tolerance=6)


def test_white_shows_through_transparency(tmp_path):
    picture = Image.new("RGBA", (3, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (10, 20, 30, 255))
    picture.putpixel((2, 0), (0, 0, 0, 128))
    first, second, third = read_image(saved(picture, tmp_path / "a.png"))[0].tolist()
    assert first == [255, 255, 255] and second == [10, 20, 30]
    assert all(abs(value - 127) <= 1 for value in third)


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_white_shows_through_a_transparent_colour_of_a_palette(tmp_path, suffix):
    picture = Image.new("P", (2, 1), 0)
    picture.putpalette([200, 0, 0, 0, 0, 200])
    picture.putpixel((1, 0), 1)
    pixels = read_image(saved(picture, tmp_path / f"a.{suffix}", transparency=0))
    assert pixels[0].tolist() == [[255, 255, 255], [0, 0, 200]]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_photograph_is_set_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = read_image(saved(left_dark("RGB", (16, 8)), tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0))
    undone = {3: pixels[:, ::-1], 6: pixels.swapaxes(0, 1), 8: pixels[::-1].swapaxes(0, 1)}[orientation]
    check_left_dark(undone, (8, 16, 3), tolerance=4)


def test_a_picture_of_one_pixel(tmp_path):
    assert read_image(saved(Image.new("RGB", (1, 1), (1, 2, 3)), tmp_path / "a.png")).tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
@pytest.mark.parametrize("size", [(3000, 1500), (1025, 8), (5000, 1)])
def test_large_pictures_are_bounded(tmp_path, mode, size):
    pixels = read_image(saved(left_dark(mode, size), tmp_path / "a.png"))
    assert pixels.shape == (max(1, round(size[1] * 1024 / size[0])), 1024, 3)
    assert abs(int(pixels[0, 0, 0]) - 50) <= 1 and abs(int(pixels[-1, -1, 0]) - 200) <= 1


def test_a_large_photograph_is_bounded_and_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = read_image(saved(left_dark("RGB", (4000, 2000)), tmp_path / "a.jpg", exif=exif))
    check_left_dark(pixels.swapaxes(0, 1)[:, [0, 1, -2, -1]], (512, 4, 3), tolerance=3)


def test_a_palette_is_shrunk_smoothly(tmp_path):
    stripes = Image.fromarray(np.tile(np.array([0, 1], "uint8"), (2, 1024)))
    stripes = Image.frombytes("P", stripes.size, stripes.tobytes())
    stripes.putpalette([0, 0, 0, 255, 255, 255])
    pixels = read_image(saved(stripes, tmp_path / "a.png"))
    assert pixels.shape[1] == 1024 and np.abs(pixels[0, 8:-8].astype(int) - 128).max() < 20  # grey, not stripes


# === bad files ===


def test_places_without_a_file(tmp_path):
    with pytest.raises(PatchConvNetError, match="is not there: give a picture file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(PatchConvNetError, match="is a folder: give a picture file"):
        read_image(tmp_path)


@pytest.mark.parametrize("content", [b"", b"dear reader", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", bytes(500)])
def test_files_that_are_no_pictures(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(PatchConvNetError, match=r"a\.png (is not a picture|cannot be read as a picture)"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tiff", "webp", "bmp"])
def test_pictures_that_are_cut_short(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype("uint8")
    path = saved(Image.fromarray(pixels), tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(PatchConvNetError, match=rf"a\.{suffix} (is not a picture|cannot be read as a picture)"):
        read_image(path)


def test_a_picture_of_too_many_pixels(tmp_path, monkeypatch):
    path = saved(Image.new("L", (64, 64)), tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 64 // 2 - 1)
    with pytest.raises(PatchConvNetError, match="has too many pixels: shrink it first"):
        read_image(path)


# === predicting ===


def test_predict_names_the_most_probable_class_first():
    network = PatchConvNet(dim=8, depth=1)
    picture = np.random.default_rng(0).integers(0, 256, (50, 90, 3)).astype("uint8")
    found = inference.predict(network, picture, NAMES)
    logits = np.asarray(network(picture[None]))[0]
    assert list(found.names) == [NAMES[index] for index in np.argsort(-logits)]
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-6)
    assert np.all(np.diff(found.probabilities) <= 0)
    np.testing.assert_allclose(found.probabilities, np.sort(np.exp(logits) / np.exp(logits).sum())[::-1], rtol=1e-4)
    assert found.attention.shape == (8, 8) and 0.5 < found.attention.sum() <= 1.000001


class TwoTokens:
    """Stands for a network with one class token a class: the token of class i looks at cell i."""

    def explain(self, images):
        assert images.shape == (1, 4, 4, 3)
        return np.array([[1000.0, 1001.0, -1000.0]]), np.eye(3).reshape(1, 3, 1, 3)


def test_predict_takes_the_predicted_classs_own_map_and_great_logits():
    found = inference.predict(TwoTokens(), np.zeros((4, 4, 3), "uint8"), ("cat", "dog", "ship"))
    assert found.names == ("dog", "cat", "ship")
    assert found.probabilities == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0])
    assert found.attention.tolist() == [[0, 1, 0]]


def test_predict_with_a_real_network_of_one_token_a_class():
    network = PatchConvNet(num_classes=10, dim=8, depth=1, class_tokens="per_class")
    picture = np.random.default_rng(1).integers(0, 256, (32, 32, 3)).astype("uint8")
    found = inference.predict(network, picture, NAMES)
    _, maps = network.explain(picture[None])
    assert maps.shape == (1, 10, 8, 8)
    assert np.array_equal(found.attention, maps[0, NAMES.index(found.names[0])])


@pytest.mark.parametrize("names", [NAMES[:9], (*NAMES, "k")])
def test_predict_needs_a_name_for_every_class(names):
    with pytest.raises(PatchConvNetError, match=f"{len(names)} class names for a network of 10 classes"):
        inference.predict(PatchConvNet(dim=8, depth=1), np.zeros((8, 8, 3), "uint8"), names)


def test_predict_needs_attention():
    network = PatchConvNet(dim=8, depth=1, pooling="average")
    with pytest.raises(PatchConvNetError, match='pooling="average"'):
        inference.predict(network, np.zeros((8, 8, 3), "uint8"), NAMES)
