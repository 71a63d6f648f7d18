"""Pictures with much beside the picture, other things, and names of no picture."""

import io
import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from patchconvnet import inference
from patchconvnet.data import png_notes, reading
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype("uint8")


def refusal(source):
    with pytest.raises(PatchConvNetError) as caught:
        read_image(source)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000
    return str(caught.value)


def saved(pixels=PIXELS, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


# === formats ===


POSTSCRIPT = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10"
    b" 10\n%%EndComments\nshowpage\n%%EOF\n"
)


@pytest.mark.parametrize("suffix", ["png", "jpg", "eps"])
def test_postscript_starts_no_other_program(tmp_path, monkeypatch, suffix):
    for name in ("Popen", "run", "call", "check_call"):
        monkeypatch.setattr(
            subprocess,
            name,
            lambda *given, **options: pytest.fail("it starts a program"),
        )
    (tmp_path / f"a.{suffix}").write_bytes(POSTSCRIPT)
    assert "is not a picture" in refusal(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("kind", ["ICO", "PCX", "SGI", "DDS", "ICNS", "IM", "PDF"])
def test_formats_that_have_no_suffix_of_ours_are_not_opened(kind):
    assert "is not a picture" in refusal(saved(np.zeros((16, 16, 3), "uint8"), kind))


def test_every_suffix_has_its_format():
    known = Image.registered_extensions()
    assert {known[suffix] for suffix in reading.SUFFIXES & known.keys()} == set(
        reading._formats()
    )
    assert {"PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "TGA", "PPM"} <= set(
        reading._formats()
    )


@pytest.mark.parametrize("missing", ["AVIF", "JPEG2000"])
def test_a_pillow_without_a_format_reads_the_others(monkeypatch, missing):
    reading._formats.cache_clear()
    monkeypatch.delitem(Image.OPEN, missing, raising=False)
    try:
        assert (
            np.array_equal(read_image(saved()), PIXELS)
            and missing not in reading._formats()
        )
    finally:
        reading._formats.cache_clear()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "TGA", "PPM"])
def test_each_format_is_read(kind):
    assert np.array_equal(read_image(saved(kind=kind)), PIXELS)


@pytest.mark.parametrize("size", [(40, 30), (3000, 2000)])
def test_the_photographs_of_telephones_are_read(size):
    """MPO: two JPEG pictures in one file; the first is taken."""
    file = io.BytesIO()
    Image.new("RGB", size, (200, 0, 0)).save(
        file, "MPO", save_all=True, append_images=[Image.new("RGB", size, (0, 0, 200))]
    )
    pixels = read_image(file.getvalue())
    assert pixels[..., 0].min() > 190 and pixels[..., 2].max() < 10


# === PNG ===


def chunk(kind, content):
    return (
        len(content).to_bytes(4, "big")
        + kind
        + content
        + zlib.crc32(kind + content).to_bytes(4, "big")
    )


MEGABYTE = bytes(1_000_000)
BOMB = zlib.compress(bytes(300_000_000), 9)
NOTES = {
    "a long text": chunk(b"tEXt", b"Comment\0" + b"x" * 3_000_000),
    "many long texts": chunk(b"tEXt", b"Comment\0" + b"x" * 900_000) * 80,
    "a text that unpacks to much": chunk(b"zTXt", b"Comment\0\0" + BOMB),
    "an international text that unpacks to much": chunk(
        b"iTXt", b"Comment\0\1\0\0\0" + BOMB
    ),
    "a profile that unpacks to much": chunk(b"iCCP", b"profile\0\0" + BOMB),
    "a long profile": chunk(
        b"iCCP", b"profile\0\0" + zlib.compress(os.urandom(2_000_000), 1)
    ),
    "a private note": chunk(b"abCd", MEGABYTE) * 50,
    "a public note": chunk(b"aBCd", MEGABYTE * 3) * 20,
    "many packed texts": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(MEGABYTE)) * 70,
}


def with_note(note, after_picture):
    """A PNG file with something before or behind its picture."""
    content = saved()
    place = content.index(b"IEND" if after_picture else b"IDAT") - 4
    return content[:place] + note + content[place:]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_of_16_bits_the_upper_8_are_taken_in_grey_and_in_colour(channels):
    values = np.arange(65_536).reshape(256, 256, 1).repeat(channels, axis=2)
    if channels in (2, 4):
        values[..., -1] = 65_535  # opaque
    header = b"\0\0\1\0" * 2 + bytes([16, (0, 4, 2, 6)[channels - 1], 0, 0, 0])
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    content = png_notes.SIGNATURE + b"".join(
        chunk(kind, part)
        for kind, part in (
            (b"IHDR", header),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        )
    )
    found = read_image(content)
    np.testing.assert_array_equal(found, (values[..., :1] // 256).repeat(3, axis=2))


@pytest.mark.parametrize("after_picture", [False, True])
@pytest.mark.parametrize("kind", NOTES)
def test_what_is_beside_a_picture_does_not_hide_it(kind, after_picture):
    assert np.array_equal(read_image(with_note(NOTES[kind], after_picture)), PIXELS)


PEAK = """
import sys
from patchconvnet.inference import read_image

def peak():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1e3

read_image(sys.argv[1])
before = peak()
for path in sys.argv[2:]:
    read_image(path)
    print(round(peak() - before))
"""


@pytest.mark.long
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="only Linux tells the peak of one process",
)
def test_what_is_beside_a_picture_takes_little_memory(tmp_path):
    files = [tmp_path / "usual.png"]
    files[0].write_bytes(saved())
    for kind, note in NOTES.items():
        for after_picture in (False, True):
            files.append(tmp_path / f"{kind}, {after_picture}.png")
            files[-1].write_bytes(with_note(note, after_picture))
    result = subprocess.run(
        [sys.executable, "-c", PEAK, *map(str, files)], capture_output=True, text=True
    )
    peaks = dict(zip(files[1:], map(int, result.stdout.split()), strict=True))
    # Pillow takes up to 64 MB of texts, each of which it holds twice
    assert max(peaks.values()) < 160, (peaks, result.stderr)


def test_the_short_text_that_tells_which_side_is_up_is_kept(tmp_path):
    exif = Image.Exif()
    exif[reading.ORIENTATION] = 3
    raw = exif.tobytes()
    text = f"\nexif\n{len(raw):8}\n{raw.hex()}\n"
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Raw profile type exif", text, zip=True)
    assert np.array_equal(read_image(saved(pnginfo=notes)), PIXELS[::-1, ::-1])


def test_an_animation_gives_its_first_picture():
    others = [Image.fromarray(255 - PIXELS), Image.fromarray(PIXELS // 2)]
    assert np.array_equal(
        read_image(saved(save_all=True, append_images=others)), PIXELS
    )


def damaged(content, where):
    place = content.index(where) + 6
    return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]


@pytest.mark.parametrize(
    "note",
    [b"", NOTES["a long text"], NOTES["a text that unpacks to much"]],
    ids=range(3),
)
@pytest.mark.parametrize("damage", ["size", "pixels", "cut", "endless chunk"])
def test_a_damaged_png_is_refused(note, damage):
    content = with_note(note, after_picture=False)
    broken = {
        "size": lambda: damaged(content, b"IHDR"),
        "pixels": lambda: damaged(content, b"IDAT"),
        "cut": lambda: content[: content.index(b"IDAT") + 20],
        "endless chunk": (
            lambda: (
                content[: content.index(b"IDAT") - 4]
                + b"\xff\xff\xff\xff"
                + content[content.index(b"IDAT") :][:40]
            )
        ),
    }
    assert "picture" in refusal(broken[damage]())


def test_more_notes_than_can_be_are_refused(monkeypatch):
    monkeypatch.setattr(png_notes, "MOST", 3)
    apart = (chunk(b"abCd", b"") + chunk(b"bKGD", bytes(6))) * 4
    assert "more than 3 notes" in refusal(with_note(apart, after_picture=False))
    together = chunk(b"abCd", b"") * 100
    assert np.array_equal(read_image(with_note(together, after_picture=False)), PIXELS)


# === numbers ===


@pytest.mark.parametrize(
    "values",
    [
        [np.nan],
        [np.inf],
        [-np.inf],
        [-1.0],
        [-1e-9],
        [0, np.nan, 1, 300],
        [1, -np.inf, 1e30],
    ],
    ids=str,
)
def test_floats_that_are_no_light_are_refused(tmp_path, values):
    Image.fromarray(np.array([[0.5, *values]], "float32")).save(tmp_path / "a.tiff")
    assert (
        f"{tmp_path / 'a.tiff'} holds values below zero, infinite ones or ones that are"
        " no numbers" in refusal(tmp_path / "a.tiff")
    )


def test_integers_below_zero_are_refused():
    assert "holds values below zero" in refusal(
        saved(np.array([[0, -1, 70_000]], "int32"), "TIFF")
    )


def test_one_bad_value_at_the_end_of_a_large_picture_is_seen(monkeypatch):
    monkeypatch.setattr(reading, "STRIP", 64)
    values = np.linspace(0, 1, 30 * 20).reshape(30, 20).astype("float32")
    assert np.abs(read_image(saved(values, "TIFF"))[..., 0] - 255 * values).max() < 1
    values[-1, -1] = np.nan
    assert "no numbers" in refusal(saved(values, "TIFF"))


# === names ===


@pytest.mark.parametrize(
    "source", ["", "  ", "~nobody-of-this-name/a.png", "x" * 300, "a\0b"]
)
def test_a_name_that_cannot_be_used(source):
    for use in (read_image, lambda source: inference.find_pictures([source])):
        with pytest.raises(
            PatchConvNetError, match="is no path|cannot be used"
        ) as caught:
            use(source)
        assert str(caught.value).isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among files here")
def test_what_is_no_file_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert "is no file that can be read: give a picture file" in refusal(
        tmp_path / "pipe.png"
    )
    assert "is no file that can be read: give a picture file" in refusal(
        tmp_path / "device.png"
    )
    assert "cannot be used" in refusal(tmp_path / "loop.png")
    (tmp_path / "a.png").write_bytes(saved())
    found, left_out = inference.find_pictures([str(tmp_path)])
    assert [path.name for path in found] == ["a.png"] and len(left_out) == 3


@pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="names are always text there"
)
def test_names_that_are_no_text_are_shown_all_the_same(tmp_path):
    folder = tmp_path / os.fsdecode(b"a\xff\x1b[2J\n")
    folder.mkdir()
    (folder / "a.png").write_text("no picture")
    assert "is not a picture" in refusal(folder / "a.png")
    assert "is not there" in refusal(folder / "b.png")
    (folder / "a.png").unlink()
    with pytest.raises(
        PatchConvNetError, match="is a folder without a picture"
    ) as caught:
        inference.find_pictures([str(folder)])
    assert str(caught.value).isprintable()


def test_a_folder_is_read_in_the_order_of_its_names_on_every_system(tmp_path):
    names = ["B.png", "Z.png", "a!.png", "a.png", "b.png"]
    for name in reversed(names):
        (tmp_path / name).touch()
    found, _ = inference.find_pictures([str(tmp_path)])
    assert [path.name for path in found] == sorted(names)


def test_addresses_and_missing_files_are_left_as_they_are(tmp_path):
    sources = ["https://example.org/a", str(tmp_path / "a.png"), tmp_path / "b.png"]
    assert inference.find_pictures(sources) == (sources, [])
