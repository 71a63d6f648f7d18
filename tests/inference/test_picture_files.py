"""Picture files, bytes and arrays, read as red, green and blue."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_inference import check_left_dark, left_dark, saved

from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import read_image

# === reading ===


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "RGBA", "LA"])
@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_every_mode_becomes_red_green_and_blue(tmp_path, mode, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    check_left_dark(
        read_image(saved(left_dark(mode), tmp_path / f"a.{suffix}", **options))
    )


def test_a_path_may_be_a_string_and_a_picture_may_have_any_suffix(tmp_path):
    path = saved(left_dark("RGB"), tmp_path / "picture.of.mine", format="PNG")
    check_left_dark(read_image(str(path)))


def test_colours_stay_in_their_places(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype("uint8")
    assert np.array_equal(
        read_image(saved(Image.fromarray(pixels), tmp_path / "a.png")), pixels
    )


def test_black_and_white(tmp_path):
    picture = Image.new("1", (4, 2), 1)
    picture.putpixel((0, 0), 0)
    pixels = read_image(saved(picture, tmp_path / "a.png"))
    assert (
        pixels.shape == (2, 4, 3)
        and pixels[0, 0].max() == 0
        and pixels.sum() == 7 * 3 * 255
    )


def test_grey_of_16_bits_keeps_its_range(tmp_path):
    values = np.array([[0, 257, 257 * 100, 65_024, 65_535]], dtype="uint16")
    pixels = read_image(saved(Image.fromarray(values), tmp_path / "a.png"))
    assert pixels[0].tolist() == [[value] * 3 for value in (0, 1, 100, 254, 255)]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([[0, 0.2, 1]], "float32"), [0, 51, 255]),
        (np.array([[0, 100, 255]], "float32"), [0, 100, 255]),
        (np.array([[0, 257, 65_535]], "float32"), [0, 1, 255]),
        (np.array([[0, 7, 255]], "int32"), [0, 7, 255]),
        (np.array([[0, 1, 1]], "int32"), [0, 1, 1]),
        (np.array([[0, 500_000, 1_000_000]], "int32"), [0, 128, 255]),
    ],
)
def test_pictures_of_more_than_8_bits_fill_the_range(tmp_path, values, wanted):
    pixels = read_image(saved(Image.fromarray(values), tmp_path / "a.tiff"))
    assert pixels[0].tolist() == [[value] * 3 for value in wanted]


@pytest.mark.parametrize("suffix", ["jpg", "tiff"])
def test_cmyk(tmp_path, suffix):
    check_left_dark(
        read_image(saved(left_dark("RGB").convert("CMYK"), tmp_path / f"a.{suffix}")),
        tolerance=6,
    )


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


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "webp"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_photograph_is_set_upright(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {
        "jpg": {"quality": 100, "subsampling": 0},
        "webp": {"lossless": True},
    }.get(suffix, {})
    pixels = read_image(
        saved(left_dark("RGB", (16, 8)), tmp_path / f"a.{suffix}", exif=exif, **options)
    )
    undone = {
        3: pixels[:, ::-1],
        6: pixels.swapaxes(0, 1),
        8: pixels[::-1].swapaxes(0, 1),
    }[orientation]
    check_left_dark(undone, (8, 16, 3), tolerance=4)


def test_damaged_notes_do_not_hide_a_good_picture(tmp_path):
    path = saved(left_dark("RGB"), tmp_path / "a.png", exif=b"Exif\x00\x00nonsense")
    check_left_dark(read_image(path))


def test_an_animation_gives_its_first_picture(tmp_path):
    first, second = left_dark(), Image.new("L", (8, 6), 90)
    check_left_dark(
        read_image(
            saved(first, tmp_path / "a.gif", save_all=True, append_images=[second])
        )
    )


def test_a_picture_of_one_pixel(tmp_path):
    assert read_image(
        saved(Image.new("RGB", (1, 1), (1, 2, 3)), tmp_path / "a.png")
    ).tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((2048, 2048), (1024, 1024)),
        ((3000, 1500), (724, 1448)),
        ((9001, 301), (187, 5600)),
        ((5000, 8), (8, 5000)),
    ],
)
def test_large_pictures_are_bounded_and_keep_their_aspect(tmp_path, mode, size, shape):
    pixels = read_image(saved(left_dark(mode, size), tmp_path / "a.png"))
    assert pixels.shape == (*shape, 3)
    assert (
        abs(int(pixels[0, 0, 0]) - 50) <= 1 and abs(int(pixels[-1, -1, 0]) - 200) <= 1
    )


def test_a_large_photograph_is_bounded_and_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = read_image(
        saved(left_dark("RGB", (4000, 2000)), tmp_path / "a.jpg", exif=exif)
    )
    check_left_dark(pixels.swapaxes(0, 1)[:, [0, 1, -2, -1]], (724, 4, 3), tolerance=3)


def test_a_palette_is_shrunk_smoothly(tmp_path):
    stripes = Image.fromarray(np.tile(np.array([0, 1], "uint8"), (2048, 1024)))
    stripes = Image.frombytes("P", stripes.size, stripes.tobytes())
    stripes.putpalette([0, 0, 0, 255, 255, 255])
    pixels = read_image(saved(stripes, tmp_path / "a.png"))
    # grey, not stripes
    assert (
        pixels.shape[1] == 1024 and np.abs(pixels[0, 8:-8].astype(int) - 128).max() < 20
    )


PEAKS = """
import sys
from patchconvnet.inference import read_image

def peak_memory():  # of this process alone; that of `resource` begins with its parent's
    status = open("/proc/self/status").read()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])

read_image(sys.argv[1])
before = peak_memory()
for path in sys.argv[2:]:
    assert read_image(path).size <= 3 * (1 << 20) + 20_000
    print(round((peak_memory() - before) / 1e6))
"""


@pytest.mark.long
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="only Linux tells the peak of one process",
)
def test_pictures_of_12000_pixels_are_read_in_bounded_memory(tmp_path):
    """48 million pixels: the picture's memory (1, 2 or 4 bytes each), little more."""
    files = [saved(left_dark("RGB"), tmp_path / "small.png")]
    for mode, suffix in (
        ("RGB", "jpg"),
        ("P", "png"),
        ("I;16", "png"),
        ("F", "tiff"),
        ("RGBA", "png"),
    ):
        picture = Image.new(mode, (12_000, 4_000))
        options = {"compress_level": 1} if suffix == "png" else {}
        files.append(saved(picture, tmp_path / f"{len(files)}.{suffix}", **options))
    result = subprocess.run(
        [sys.executable, "-c", PEAKS, *map(str, files)], capture_output=True, text=True
    )
    assert result.returncode == 0 and result.stderr == "", result.stderr
    peaks = [int(line) for line in result.stdout.split()]  # each includes those before
    assert all(
        peak < limit
        for peak, limit in zip(peaks, (60, 100, 150, 240, 250), strict=True)
    ), peaks


# === bytes and arrays ===


def test_bytes_are_read_like_a_file(tmp_path):
    content = saved(left_dark("P"), tmp_path / "a.png").read_bytes()
    check_left_dark(read_image(content))
    check_left_dark(read_image(memoryview(content)))
    with pytest.raises(
        PatchConvNetError, match="^what the bytes hold is not a picture"
    ):
        read_image(b"dear reader")


@pytest.mark.parametrize("dtype", ["uint8", "int64", "uint16", "float32", "float64"])
def test_arrays_of_any_numbers(dtype):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3))
    assert np.array_equal(read_image(pixels.astype(dtype)), pixels)
    assert read_image(pixels.astype(dtype)).dtype == np.uint8


def test_arrays_of_any_number_of_channels():
    grey = np.array([[0, 80, 255]], "uint8")
    three = np.stack([grey] * 3, axis=-1)
    half = np.full((1, 3, 1), 0, "uint8")
    assert np.array_equal(read_image(grey), three) and np.array_equal(
        read_image(grey[..., None]), three
    )
    assert np.array_equal(
        read_image(np.concatenate([grey[..., None], half], axis=-1)),
        np.full((1, 3, 3), 255),
    )
    assert np.array_equal(
        read_image(np.concatenate([three, half], axis=-1)), np.full((1, 3, 3), 255)
    )
    assert np.array_equal(
        read_image(np.concatenate([three, half + 255], axis=-1)), three
    )
    assert np.array_equal(read_image(np.asfortranarray(three[:, ::-1])), three[:, ::-1])


def test_a_large_array_is_bounded():
    assert read_image(np.zeros((3000, 1500), "float32")).shape == (1448, 724, 3)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3,)), r"shape \(3,\); wanted \(H, W\) or"),
        (np.zeros((0, 4, 3)), r"shape \(0, 4, 3\)"),
        (np.zeros((4, 4, 5), "uint8"), r"shape \(4, 4, 5\)"),
        (np.zeros((1, 4, 4, 3)), r"shape \(1, 4, 4, 3\)"),
        (np.full((4, 4), 256), "values from 256 to 256"),
        (np.full((4, 4), -1.0), "values from -1 to -1"),
        (np.full((4, 4), np.nan), "values from nan to nan"),
        (np.full((4, 4), 0.5), "looks like 0..1; multiply by 255"),
        (np.zeros((4, 4), bool), "an array of bool"),
        (np.zeros((4, 4), complex), "an array of complex128"),
    ],
)
def test_arrays_that_are_no_pictures(array, message):
    with pytest.raises(PatchConvNetError, match=message):
        read_image(array)


@pytest.mark.parametrize("source", [None, 3, [[1, 2]], Image.new("L", (2, 2))])
def test_other_things_that_are_no_pictures(source):
    with pytest.raises(
        PatchConvNetError, match="give a path, an address, bytes or a NumPy array"
    ):
        read_image(source)
