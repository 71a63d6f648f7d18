"""Any picture file to red, green and blue; any picture to classes and a map."""

import contextlib
import re
import socket
import struct
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from patchconvnet import faithfulness, inference, records
from patchconvnet.data import reading, shapes, web
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import familiarity, read_image
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
    assert pixels[0].tolist() == [[value] * 3 for value in (0, 1, 100, 253, 255)]


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


# === addresses ===


class Host(BaseHTTPRequestHandler):
    """Answers as the path says."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        kind = self.path.strip("/").partition(".")[0]
        self.server.requests.append(self.path)
        if kind == "missing":
            return self.send_error(404)
        if kind == "moved":
            self.send_response(302)
            self.send_header("Location", "/picture.png")
            return self.end_headers()
        content = b"<html>a page</html>" if kind == "page" else self.server.picture
        self.send_response(200)
        if kind not in ("endless", "crawling"):
            self.send_header(
                "Content-Length",
                {"large": 10**9, "cut": len(content) + 9}.get(kind, len(content)),
            )
        self.end_headers()
        with contextlib.suppress(OSError):  # the client has left
            self.wfile.write(content)
            while kind in ("endless", "crawling") and not self.server.over.wait(
                0.02 if kind == "crawling" else 0
            ):
                self.wfile.write(bytes(10 if kind == "crawling" else 100_000))
            if kind == "silent":
                self.server.over.wait(5)


@pytest.fixture
def address(tmp_path, monkeypatch):
    """Makes addresses of a local server."""
    for variable in (
        "http_proxy",
        "HTTP_PROXY",
        "all_proxy",
        "ALL_PROXY",
        web.OFFLINE_VARIABLE,
    ):
        monkeypatch.delenv(variable, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        server.picture = saved(left_dark("RGB"), tmp_path / "served.png").read_bytes()
        server.requests, server.over = [], threading.Event()
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        thread.start()
        give = lambda kind: f"http://127.0.0.1:{server.server_port}/{kind}.png"
        give.requests = server.requests
        yield give
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", ["picture", "moved"])
def test_an_address_is_read_like_a_file(address, kind):
    check_left_dark(read_image(address(kind)))
    check_left_dark(read_image(address(kind).replace("http:", "HTTP:")))


def test_an_address_may_have_letters_of_any_alphabet_and_spaces(address):
    check_left_dark(read_image(address("bücher und %C3%A4pfel")))
    assert address.requests == ["/b%C3%BCcher%20und%20%C3%A4pfel.png"]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", r"answers HTTP 404 \(Not Found\): is the address right"),
        (
            "page",
            (
                "is not a picture: give the address of the picture file itself, not of"
                " a page around it"
            ),
        ),
        ("large", "is larger than 50 MB: shrink the picture first"),
        ("endless", "is larger than 50 MB"),
        ("cut", "broke off before its end: try again"),
        ("crawling", "is too slow: download the picture first"),
    ],
)
def test_addresses_that_give_no_picture(address, kind, message, monkeypatch):
    monkeypatch.setattr(reading, "PATIENCE", 0.3 if kind == "crawling" else 60)
    with pytest.raises(
        PatchConvNetError, match=f"^{re.escape(address(kind))} {message}"
    ):
        read_image(address(kind))


def test_a_silent_address_is_given_up(address, monkeypatch):
    monkeypatch.setattr(reading, "SILENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        with pytest.raises(
            PatchConvNetError,
            match=(
                "cannot be reached .*timed out.*: is it right, and is there a network"
            ),
        ):
            read_image(f"http://127.0.0.1:{mute.getsockname()[1]}/a.png")


def test_addresses_where_nobody_is(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/a.png"
    with pytest.raises(PatchConvNetError, match=f"^{re.escape(url)} cannot be reached"):
        read_image(url)
    monkeypatch.setattr(web.socket, "getaddrinfo", Mock(side_effect=OSError))
    with pytest.raises(
        PatchConvNetError,
        match="There is no network: none of these hosts is known: example.org",
    ):
        read_image("https://example.org/a.png")


def test_the_offline_variable_forbids_any_request(address, monkeypatch):
    monkeypatch.setenv(web.OFFLINE_VARIABLE, "1")
    with pytest.raises(PatchConvNetError, match="The network may not be used"):
        read_image(address("picture"))
    assert address.requests == []


# === folders ===


def test_a_folder_becomes_its_pictures_in_order(tmp_path):
    for name in ("b.png", "A.JPG", "notes.txt", ".hidden.png", "c.webp"):
        (tmp_path / name).touch()
    (tmp_path / "inside.png").mkdir()
    found, left_out = inference.find_pictures(
        ["x.png", str(tmp_path), "https://example.org/a"]
    )
    assert found == [
        "x.png",
        *(tmp_path / name for name in ("A.JPG", "b.png", "c.webp")),
        "https://example.org/a",
    ]
    assert left_out == [tmp_path / "inside.png", tmp_path / "notes.txt"]


def test_a_folder_without_a_picture(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(
        PatchConvNetError,
        match="is a folder without a picture: its files end in none of .*png",
    ):
        inference.find_pictures([str(tmp_path)])


def test_thumbnails_keep_the_aspect_and_small_pictures():
    assert inference.thumbnail(np.zeros((100, 400, 3), "uint8"), 80).shape == (
        20,
        80,
        3,
    )
    small = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype("uint8")
    assert np.array_equal(inference.thumbnail(small, 80), small)


# === bad files ===


def test_places_without_a_file(tmp_path):
    with pytest.raises(PatchConvNetError, match="is not there: give a picture file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(PatchConvNetError, match="is a folder: give a picture file"):
        read_image(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"dear reader", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", bytes(500)],
)
def test_files_that_are_no_pictures(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(
        PatchConvNetError,
        match=r"a\.png (is not a picture|cannot be read as a picture)",
    ):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tiff", "webp", "bmp"])
def test_pictures_that_are_cut_short(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype("uint8")
    path = saved(Image.fromarray(pixels), tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(
        PatchConvNetError,
        match=rf"a\.{suffix} (is not a picture|cannot be read as a picture)",
    ):
        read_image(path)


def test_a_picture_of_too_many_pixels(tmp_path, monkeypatch):
    path = saved(Image.new("L", (64, 64)), tmp_path / "a.png")
    monkeypatch.setattr(reading, "LARGEST_SOURCE", 64 * 64 - 1)
    with pytest.raises(
        PatchConvNetError, match=r"has too many pixels \(at most .*\): shrink it first"
    ):
        read_image(path)


def test_a_format_that_takes_more_memory_may_have_fewer_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_SOURCE", 64 * 64)
    assert read_image(saved(left_dark("RGB", (64, 64)), tmp_path / "a.png")).shape == (
        64,
        64,
        3,
    )
    assert read_image(saved(left_dark("RGB", (32, 32)), tmp_path / "a.webp")).shape == (
        32,
        32,
        3,
    )
    with pytest.raises(PatchConvNetError, match="too many pixels"):
        read_image(saved(left_dark("RGB", (33, 32)), tmp_path / "b.webp"))


def test_a_picture_that_pillow_calls_a_bomb(tmp_path):
    header = Image.new("1", (16, 16))
    path = saved(header, tmp_path / "a.bmp")
    content = bytearray(path.read_bytes())
    # width and height in the heading of a BMP
    content[18:26] = struct.pack("<ii", 60_000, 60_000)
    path.write_bytes(content)
    with pytest.raises(
        PatchConvNetError, match=r"a.bmp has too many pixels \(at most 150 million"
    ):
        read_image(path)


# === predicting ===


def test_predict_names_the_most_probable_class_first():
    network = PatchConvNet(dim=8, depth=1)
    picture = np.random.default_rng(0).integers(0, 256, (50, 90, 3)).astype("uint8")
    found = inference.predict(network, picture, NAMES)
    logits = np.asarray(network(picture[None, :, 20:70]))[0]
    assert list(found.names) == [NAMES[index] for index in np.argsort(-logits)]
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-6)
    assert np.all(np.diff(found.probabilities) <= 0)
    np.testing.assert_allclose(
        found.probabilities,
        np.sort(np.exp(logits) / np.exp(logits).sum())[::-1],
        rtol=1e-4,
    )
    assert found.attention.shape == (8, 8) and 0.5 < found.attention.sum() <= 1.000001
    assert (found.square, found.map_name, found.strange) == (
        (20, 0, 50),
        "attention",
        None,
    )


def test_a_square_picture_is_seen_whole_and_exactly():
    network = PatchConvNet(dim=8, depth=1)
    picture = np.random.default_rng(0).integers(0, 256, (45, 45, 3)).astype("uint8")
    found = inference.predict(network, picture, NAMES)
    assert found.square == (0, 0, 45)
    assert np.array_equal(found.attention, network.explain(picture[None])[1][0, 0])


@pytest.mark.parametrize(
    ("shape", "square"),
    [
        ((4, 9), (2, 0, 4)),
        ((9, 4), (0, 2, 4)),
        ((1, 1), (0, 0, 1)),
        ((7, 1), (0, 3, 1)),
        ((5, 6), (0, 0, 5)),
    ],
)
def test_the_square_lies_in_the_middle(shape, square):
    assert inference.central_square(np.zeros((*shape, 3))) == square


def test_what_lies_outside_the_square_has_no_part_in_the_answer():
    network = PatchConvNet(dim=8, depth=1)
    picture = np.random.default_rng(0).integers(0, 256, (30, 90, 3)).astype("uint8")
    changed = picture.copy()
    changed[:, :30], changed[:, 60:] = 0, 255
    one, other = (
        inference.predict(network, given, NAMES) for given in (picture, changed)
    )
    assert np.array_equal(one.probabilities, other.probabilities) and np.array_equal(
        one.attention, other.attention
    )


class TwoTokens:
    """Stands for a network with a class token a class: that of i looks at cell i."""

    def get_config(self):
        return {"pooling": "attention"}

    def explain(self, images):
        assert images.shape == (1, 4, 4, 3)
        return np.array([[1000.0, 1001.0, -1000.0]]), np.eye(3).reshape(1, 3, 1, 3)


def test_predict_takes_the_predicted_classs_own_map_and_great_logits():
    found = inference.predict(
        TwoTokens(), np.zeros((4, 4, 3), "uint8"), ("cat", "dog", "ship")
    )
    assert found.names == ("dog", "cat", "ship")
    assert found.probabilities == pytest.approx(
        [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0]
    )
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
    with pytest.raises(
        PatchConvNetError, match=f"{len(names)} class names for a network of 10 classes"
    ):
        inference.predict(
            PatchConvNet(dim=8, depth=1), np.zeros((8, 8, 3), "uint8"), names
        )


def test_average_pooling_gives_the_class_activation_map_of_the_answer():
    network = PatchConvNet(dim=8, depth=1, pooling="average")
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")
    found = inference.predict(network, picture, NAMES)
    assert found.map_name == "class activation"
    _, maps = faithfulness.class_activation_maps(network, picture[None])
    wanted = np.maximum(maps[0, NAMES.index(found.names[0])], 0)
    np.testing.assert_allclose(found.attention, wanted / wanted.sum(), rtol=1e-4)


@pytest.mark.parametrize("shape", [(32, 32), (0, 4, 3), (4, 0, 3)])
def test_predict_needs_a_picture(shape):
    with pytest.raises(PatchConvNetError, match="a picture of shape"):
        inference.predict(PatchConvNet(dim=8, depth=1), np.zeros(shape, "uint8"), NAMES)


# === strange pictures, and words ===


def test_the_trained_network_finds_noise_strange_and_shapes_not():
    record = records.load("shapes")
    network, usual = record.model(), record.usual
    noise = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3)).astype("uint8")
    fresh, _, _ = shapes.generate(200, seed=77)
    assert np.all(familiarity.distances(network, noise, usual) > usual["limit"])
    assert np.mean(familiarity.distances(network, fresh, usual) > usual["limit"]) < 0.12
    assert familiarity.distances(network, fresh, usual).mean() == pytest.approx(
        1, abs=0.05
    )
    assert inference.predict(network, noise[0], NAMES, usual).strange is True
    assert inference.predict(network, fresh[0], NAMES, usual).strange is False


def test_distances_count_in_deviations_of_the_training_images(monkeypatch):
    """Deviations of 1 and 10: a point 3 and 40 away is 3 and 4 deviations away."""
    random = np.random.default_rng(0)
    described = random.normal(size=(5000, 2)) * [1, 10] + [5, -5]
    monkeypatch.setattr(
        familiarity, "descriptions", lambda model, images: np.asarray(images, "float32")
    )
    usual = familiarity.measure(None, described, described)
    found = familiarity.distances(None, [[5, -5], [8, 35]], usual)
    assert found == pytest.approx([0, np.sqrt((3**2 + 4**2) / 2)], abs=0.15)
    assert np.mean(
        familiarity.distances(None, described, usual) > usual["limit"]
    ) == pytest.approx(0.05)
    assert {key: value.dtype for key, value in usual.items()} == dict.fromkeys(
        ("mean", "whitening", "limit"), np.float32
    )


def prediction(weights, probability=0.97, **options):
    given = {"square": (0, 0, 32), **options}
    return inference.Prediction(
        ("star", "heart"),
        np.array([probability, 1 - probability]),
        np.asarray(weights),
        **given,
    )


def one_cell(row, column):
    weights = np.full((8, 8), 0.001)
    weights[row, column] = 0.9
    return weights


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            prediction(one_cell(0, 1)),
            "star, 97%; attention strongest at the upper left",
        ),
        (prediction(one_cell(4, 4)), "star, 97%; attention strongest in the middle"),
        (prediction(one_cell(7, 3)), "star, 97%; attention strongest at the bottom"),
        (
            prediction(one_cell(3, 7), 0.999),
            "star, more than 99%; attention strongest at the right",
        ),
        (
            prediction(np.full((8, 8), 1 / 64)),
            "star, 97%; attention spread over the picture",
        ),
        (
            prediction(np.full((8, 8), 1 / 64), square=(9, 0, 32)),
            "star, 97%; attention spread over the central square",
        ),
        (
            prediction(
                one_cell(0, 7),
                square=(0, 9, 32),
                map_name="class activation",
                strange=True,
            ),
            (
                "star, 97%; class activation strongest at the upper right of the"
                " central square; unlike the training pictures"
            ),
        ),
    ],
)
def test_a_prediction_in_a_sentence(found, sentence):
    assert inference.describe(found) == sentence


def test_the_remark_says_what_is_known():
    assert inference.remark(prediction(one_cell(0, 0), strange=False)) == ""
    strange, unknown = (
        inference.remark(prediction(one_cell(0, 0), strange=value))
        for value in (True, None)
    )
    assert strange.startswith("this is unlike the pictures") and unknown.startswith(
        "nobody measured how near"
    )
    for remark in (strange, unknown):
        assert (
            "It names one of its 2 classes whatever it sees" in remark
            and "not that something is there" in remark
        )


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.6, "60%"),
        (0.984, "98%"),
        (0.986, "99%"),
        (0.9949, "99%"),
        (0.9951, "more than 99%"),
        (1.0, "more than 99%"),
    ],
)
def test_how_sure_is_said_in_whole_percents_but_never_all(probability, said):
    assert inference.describe(prediction(one_cell(0, 0), probability)).startswith(
        f"star, {said}; "
    )


def spread_over(cells):
    """A map of 8 x 8: equal weights on so many cells, a hair more at the upper left."""
    weights = np.zeros(64)
    weights[:cells] = 1
    weights[0] += 1e-6
    return weights.reshape(8, 8)


@pytest.mark.parametrize(
    ("cells", "place"), [(1, True), (33, True), (48, True), (49, False), (64, False)]
)
def test_a_map_has_a_place_until_it_is_as_flat_as_three_cells_in_four(cells, place):
    where = "strongest at the upper left" if place else "spread over the picture"
    assert (
        inference.describe(prediction(spread_over(cells)))
        == f"star, 97%; attention {where}"
    )


@pytest.mark.parametrize("grid", [(3, 3), (8, 8), (12, 12), (6, 9)])
def test_the_place_is_said_in_ninths(grid):
    rows, columns = ("upper", "", "lower"), ("left", "", "right")
    for row in range(grid[0]):
        for column in range(grid[1]):
            weights = np.zeros(grid)
            weights[row, column] = 1
            down, right = (
                (2 * index + 1) * 3 // (2 * count)
                for index, count in zip((row, column), grid)
            )
            words = " ".join(filter(None, (rows[down], columns[right])))
            words = {"upper": "top", "lower": "bottom", "": "middle"}.get(words, words)
            said = f"{'in' if words == 'middle' else 'at'} the {words}"
            assert inference.describe(prediction(weights)).endswith(
                f"strongest {said}"
            ), (row, column)


@pytest.mark.parametrize(
    ("square", "cut"), [((0, 0, 32), False), ((1, 0, 32), True), ((0, 1, 32), True)]
)
def test_a_picture_that_was_cut_is_said_to_be(square, cut):
    assert (
        inference.describe(prediction(one_cell(0, 0), square=square)).endswith(
            " of the central square"
        )
        == cut
    )
    assert inference.describe(prediction(np.ones((8, 8)), square=square)).endswith(
        "central square" if cut else "picture"
    )


def test_only_what_is_strange_is_said_to_be():
    for strange, said in ((True, True), (False, False), (None, False)):
        assert (
            inference.describe(prediction(one_cell(0, 0), strange=strange)).endswith(
                "unlike the training pictures"
            )
            == said
        )


def test_a_picture_is_strange_beyond_the_limit_and_not_at_it():
    network = PatchConvNet(dim=8, depth=1)
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3)).astype("uint8")
    usual = {"mean": np.zeros(8, "float32"), "whitening": np.eye(8, dtype="float32")}
    # of the part that the network sees
    distance = familiarity.distances(network, picture[None, :, 8:40], usual)[0]
    for limit, strange in (
        (distance * 0.999, True),
        (distance, False),
        (distance * 1.001, False),
    ):
        assert (
            inference.predict(
                network, picture, NAMES, {**usual, "limit": np.float32(limit)}
            ).strange
            is strange
        )


def test_equally_probable_classes_keep_their_order():
    class Undecided(TwoTokens):
        def explain(self, images):
            return np.zeros((1, 3)), np.eye(3).reshape(1, 3, 1, 3)

    assert inference.predict(
        Undecided(), np.zeros((4, 4, 3), "uint8"), ("cat", "dog", "ship")
    ).names == ("cat", "dog", "ship")


# === limits of reading ===


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
