"""How pictures are shrunk, converted and fetched: the limits on either side."""

import contextlib
import io

import numpy as np
import pytest
from PIL import Image

from patchconvnet.data import reading
from patchconvnet.data.reading import read_image
from patchconvnet.errors import PatchConvNetError

DICE = np.random.default_rng(0)


def slope(width, height, across):
    """Grey that rises from 0 to 255 across, or down."""
    line = np.linspace(0, 255, width if across else height)
    return np.broadcast_to(line if across else line[:, None], (height, width))


@pytest.mark.parametrize(
    "size", [(161, 161), (167, 167), (160, 160), (161, 40), (40, 167)]
)
@pytest.mark.parametrize("across", [True, False])
def test_a_shrunk_picture_is_the_whole_picture(monkeypatch, size, across):
    """Whatever of it is left over where it is averaged in blocks: a slope stays a
    slope, from end to end.
    """
    monkeypatch.setattr(reading, "LARGEST_AREA", 100)
    found = read_image(slope(*size, across).astype("uint8"))[..., 0]
    assert found.size <= 110 and min(found.shape) > 1
    wide, high = found.shape[::-1]
    cells = wide if across else high
    wanted = 255 * ((np.arange(cells) + 0.5) / cells)
    middle = slice(1, -1) if cells > 3 else slice(None)  # a filter bends the ends
    found = found.mean(axis=0 if across else 1)
    np.testing.assert_allclose(found[middle], wanted[middle], atol=2.5)


MODES = {
    "grey": DICE.integers(0, 256, (37, 53)).astype("uint8"),
    "colours": DICE.integers(0, 256, (37, 53, 3)).astype("uint8"),
    "transparent": DICE.integers(0, 256, (37, 53, 4)).astype("uint8"),
    "16 bits": DICE.integers(0, 65_536, (37, 53)).astype("uint16"),
    "floats": DICE.random((37, 53)).astype("float32"),
    "integers": DICE.integers(0, 70_000, (37, 53)).astype("int32"),
}


@pytest.mark.parametrize("area", [1 << 20, 300])
@pytest.mark.parametrize("kind", MODES)
def test_strips_of_any_height_give_the_same_picture(monkeypatch, kind, area):
    file = io.BytesIO()
    Image.fromarray(MODES[kind]).save(file, "TIFF")
    monkeypatch.setattr(reading, "LARGEST_AREA", area)
    whole = read_image(file.getvalue())
    assert whole.shape == ((37, 53, 3) if area > 300 else (14, 21, 3))
    for strip in (1, 53, 200, 1500):
        monkeypatch.setattr(reading, "STRIP", strip)
        np.testing.assert_array_equal(read_image(file.getvalue()), whole)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "RGBa"])
def test_white_shows_through_in_every_mode_that_has_a_share_of_it(mode):
    """From left to right: nothing, half, and all of a dark grey."""
    values = np.array([[[40, 0], [40, 128], [40, 255]]], "uint8")
    picture = (
        Image.frombytes("PA", (3, 1), values.tobytes())
        if mode == "PA"
        else Image.fromarray(values)
    )
    if mode == "PA":
        picture.putpalette([level for level in range(256) for _ in range(3)])
    elif mode != "LA":
        picture = picture.convert("RGBA").convert(mode)
    assert picture.mode == mode
    found = np.asarray(reading._rgb(picture, None))[0]
    np.testing.assert_allclose(found, [[255] * 3, [147] * 3, [40] * 3], atol=2)


@pytest.mark.parametrize(
    ("mode", "colour", "wanted"),
    [("L", 7, 7), ("1", 1, 255), ("RGB", (7, 7, 7), 7), ("CMYK", (0, 0, 0, 248), 7)],
)
def test_other_modes_have_no_white_below(mode, colour, wanted):
    assert np.asarray(reading._rgb(Image.new(mode, (2, 1), colour), None)).tolist() == [
        [[wanted] * 3] * 2
    ]


class Header:
    """A picture of which only the header is read."""

    def __init__(self, kind, pixels):
        self.format, self.width, self.height, self.size = kind, pixels, 1, (pixels, 1)
        self.drafts = []

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        pass

    def draft(self, mode, size):
        self.drafts.append((mode, size))

    def load(self):
        raise OSError("it is loaded")


@pytest.mark.parametrize(
    ("kind", "pixels", "loaded"),
    [
        ("PNG", 150_000_000, True), ("PNG", 150_000_001, False),
        ("TIFF", 150_000_000, True), ("JPEG", 150_000_001, False),
        ("WEBP", 37_500_000, True), ("WEBP", 37_500_001, False),
        ("AVIF", 37_500_000, True), ("AVIF", 37_500_001, False),
    ],
)  # fmt: skip
def test_150_million_pixels_are_the_most_and_a_quarter_in_costly_formats(
    monkeypatch, kind, pixels, loaded
):
    monkeypatch.setattr(Image, "open", lambda file, formats: Header(kind, pixels))
    with pytest.raises(PatchConvNetError) as caught:
        read_image(b"a picture")
    limits = (
        "has too many pixels (at most 150 million, a quarter of it in WebP or AVIF):"
        " shrink it first"
    )
    assert ("it is loaded" if loaded else limits) in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "is_photograph"), [("JPEG", True), ("MPO", True), ("PNG", False)]
)
def test_a_large_photograph_is_decoded_no_larger_than_it_is_returned(
    monkeypatch, kind, is_photograph
):
    header = Header(kind, 4_194_304)
    monkeypatch.setattr(Image, "open", lambda file, formats: header)
    with pytest.raises(PatchConvNetError, match="it is loaded"):
        read_image(b"a picture")
    assert header.drafts == ([("RGB", (2_097_152, 1))] if is_photograph else [])


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((1024, 1024), (1024, 1024)), ((2048, 2048), (1024, 1024)),
        ((2048, 512), (2048, 512)), ((4096, 1024), (2048, 512)),
        ((1 << 20, 1), (1 << 20, 1)), ((1 << 22, 1), (1 << 21, 1)),
        ((1, 1 << 22), (1, 1 << 21)), ((3, 2), (3, 2)),
    ],
)  # fmt: skip
def test_a_million_pixels_are_returned(size, wanted):
    assert reading._bounded(size) == wanted


# === addresses ===


class Answer:
    def __init__(self, pieces, length):
        self.pieces, self.length, self.asked = list(pieces), length, []

    def read1(self, most):
        self.asked.append(most)
        return self.pieces.pop(0) if self.pieces else b""


@pytest.fixture
def answering(monkeypatch):
    """answering(pieces, length): what an address sends; the calls are kept."""
    calls = []

    class Dog:
        watching = contextlib.nullcontext

    def prepare(pieces, length):
        answer = Answer(pieces, length)

        @contextlib.contextmanager
        def asked(*given):
            calls.append(given)
            yield answer, Dog()

        monkeypatch.setattr(reading, "asked", asked)
        return answer

    monkeypatch.setattr(reading, "require_network", lambda urls: calls.append(urls))
    prepare.calls = calls
    return prepare


def test_an_address_has_ten_seconds_of_silence_and_a_minute(answering):
    answer = answering([b"ab", b"c"], 3)
    assert reading._download("http://example.org/a b.png") == b"abc"
    assert answering.calls == [
        ["http://example.org/a%20b.png"],
        ("http://example.org/a b.png", {}, 10.0, 60.0),
    ]
    assert set(answer.asked) == {65_536}


@pytest.mark.parametrize(
    ("sent", "length", "said"),
    [
        (50_000_000, 50_000_000, None), (50_000_000, None, None),
        (50_000_001, None, "is larger than 50 MB: shrink"),
        (0, 50_000_001, "is larger than 50 MB: shrink"),
        (2, 3, "broke off before its end: try again"), (0, 0, None), (3, 0, None),
    ],
)  # fmt: skip
def test_50_megabytes_are_the_most_and_all_that_was_promised_must_come(
    answering, sent, length, said
):
    answer = answering([bytes(sent)] if sent else [], length)
    if said is None:
        assert len(reading._download("http://a/b")) == sent
    else:
        with pytest.raises(PatchConvNetError, match=f"^http://a/b {said}"):
            reading._download("http://a/b")
        # no more than needed
        assert len(answer.asked) == (0 if not sent else 1 if sent > 5 else 2)
