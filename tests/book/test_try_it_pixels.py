"""Pixels that "Try it yourself" takes from a file, beside those of the package."""

import base64
import io
import zlib

import numpy as np
import pytest
from PIL import Image

from patchconvnet.inference import central_square, read_image
from test_try_it_files import chunk
from test_try_it_network import network_page, site  # noqa: F401

READ = """async content => {
    const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
    const {canvas} = await Pictures.read(new File([bytes], "a picture"));
    return [...Pictures.pixels(canvas).data];
}"""


def as_the_page_reads(page, content):
    found = page.evaluate(READ, base64.b64encode(content).decode())
    side = round((len(found) / 4) ** 0.5)
    return np.array(found).reshape(side, side, 4)[..., :3]


def as_the_package_reads(content):
    picture = read_image(content)
    left, top, side = central_square(picture)
    return picture[top : top + side, left : left + side].astype(int)


PATTERN = np.random.RandomState(0).randint(0, 256, (8, 12, 3)).astype("uint8")
PATTERN = PATTERN.repeat(8, axis=0).repeat(8, axis=1)


def turned_webp(orientation, damage=None):
    notes, file = Image.Exif(), io.BytesIO()
    notes[0x010E], notes[0x0112] = "a description before it", orientation
    Image.fromarray(PATTERN).save(file, "WebP", lossless=True, exif=notes)
    content = file.getvalue()
    return content.replace(*damage) if damage else content


# 0 and 9 are no orientations
@pytest.mark.parametrize("orientation", range(10))
def test_a_webp_that_says_which_side_is_up_is_upright(network_page, orientation):
    content = turned_webp(orientation)
    found = as_the_page_reads(network_page, content)
    np.testing.assert_array_equal(found, as_the_package_reads(content))
    as_it_lies = turned_webp(1)
    as_it_lies = as_the_package_reads(as_it_lies)
    assert (found == as_it_lies).all() == (orientation in (0, 1, 9))


def test_damaged_notes_beside_a_good_webp_do_no_harm(network_page):
    content = turned_webp(6, (b"MM\0*\0\0\0\x08", b"MM\0*\xff\xff\0\x08"))
    found = as_the_page_reads(network_page, content)
    np.testing.assert_array_equal(found, as_the_package_reads(content))


def png_of_16_bits(channels):
    values = np.arange(65_536).reshape(256, 256, 1).repeat(channels, axis=2)
    values[..., -1] = values[..., -1].T
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = b"\0\0\1\0" * 2 + bytes([16, 0 if channels == 1 else 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_of_16_bits_the_upper_8_are_taken(network_page, channels):
    content = png_of_16_bits(channels)
    found = as_the_page_reads(network_page, content)
    np.testing.assert_array_equal(found, as_the_package_reads(content))
