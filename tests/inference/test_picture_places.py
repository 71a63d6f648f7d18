"""Pictures at addresses and in folders, and files that are none."""

import re
import socket
import struct
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image
from test_inference import address, check_left_dark, left_dark, saved  # noqa: F401

from patchconvnet import inference
from patchconvnet.data import reading, web
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import read_image

# === addresses ===


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
