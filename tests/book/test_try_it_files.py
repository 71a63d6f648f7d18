"""Pictures given to the page "Try it yourself", and files that are none."""

import io
import struct
import zlib

import pytest
from PIL import Image

from patchconvnet import inference, records
from test_try_it_network import pictures
from test_try_it_page import address, fresh, site, spoken, visit  # noqa: F401


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_a_picture_is_taken_and_the_words_are_those_of_attend(visit, tmp_path, way):
    record = records.load("shapes")
    path = tmp_path / "a shape.png"
    Image.fromarray(pictures(100)[13]).resize((64, 64), Image.Resampling.NEAREST).save(
        path
    )
    found = inference.predict(
        record.model(), inference.read_image(path), record.results["class_names"]
    )
    page = visit("page.html")
    give(page, path, way)
    assert spoken(page).split(". With average pooling: ")[0] == inference.describe(
        found
    )


def test_a_wide_picture_is_cut_and_that_is_said_until_it_is_gone(visit, tmp_path):
    record = records.load("shapes")
    path = tmp_path / "wide.png"
    picture = Image.new("RGB", (100, 64), "grey")
    picture.paste(
        Image.fromarray(pictures(100)[13]).resize((64, 64), Image.Resampling.NEAREST),
        (18, 0),
    )
    picture.save(path)
    found = inference.predict(
        record.model(), inference.read_image(path), record.results["class_names"]
    )
    page = visit("page.html")
    give(page, path)
    words = spoken(page).split(". With average pooling: ")[0]
    assert words == inference.describe(found) and words.endswith(
        "of the central square"
    )
    fresh(page)
    page.get_by_role("button", name="Undo").click()
    assert "central square" not in spoken(page)


def give(page, path, way="choose", kind="image/png"):
    if way == "choose":
        return page.locator("input[type=file]").set_input_files(path)
    page.evaluate(
        """([bytes, name, kind, way]) => {
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(bytes)], name, {type: kind}));
            const place = document.querySelector(".try-it");
            place.dispatchEvent(way === "drop"
                ? new DragEvent("drop",
                    {dataTransfer: data, bubbles: true, cancelable: true})
                : new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
        }""",
        [list(path.read_bytes()), path.name, kind, way],
    )


def chunk(kind, data):
    return (
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
    )


def png(width, height):
    """A PNG of one colour, which takes many pixels in few bytes."""
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 1)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def photograph():
    content = io.BytesIO()
    Image.fromarray(pictures(100)[5]).resize((400, 300)).save(content, "JPEG")
    return content.getvalue()


ODD = {
    "empty.png": (lambda: b"", "is empty (0 bytes)"),
    "words.txt": (lambda: b"this is no picture", "not a picture that browsers read"),
    "script.svg": (
        lambda: (
            b"<svg"
            b" xmlns='http://www.w3.org/2000/svg'><script>document.title='run'</script></svg>"
        ),
        "SVG drawing",
    ),
    "page.png": (lambda: b"<!doctype html><title>not found</title>", "a web page"),
    "huge.png": (lambda: png(8000, 7000), "56 million pixels"),
    "cut short.jpg": (lambda: photograph()[:300], "damaged or cut short"),
    "noise.png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(200), "damaged or cut short"),
    "cut.gif": (lambda: b"GIF89a" + bytes(7) + b"\x2c", "damaged or cut short"),
}


def test_odd_files_get_a_sentence_and_the_page_goes_on(visit, tmp_path):
    page = visit("page.html")
    page.get_by_role("button", name="Example: circle").click()
    before = spoken(page)
    answer = page.locator(".attention .answer").inner_text()
    for name, (content, sentence) in ODD.items():
        path = tmp_path / name
        path.write_bytes(content())
        give(page, path)
        page.wait_for_function(
            """([name, sentence]) => {
                const said = document.querySelector(".problem").textContent;
                return said.startsWith(name) && said.includes(sentence);
            }""",
            arg=[f'"{name}"', sentence],
            timeout=10_000,
        )
        # the picture before stays
        assert page.locator(".attention .answer").inner_text() == answer
    page.evaluate(
        "document.querySelector('.try-it').dispatchEvent(new DragEvent('drop',"
        " {dataTransfer: new DataTransfer(), bubbles: true}))"
    )
    assert "A link is not fetched" in page.locator(".problem").inner_text()
    assert page.title() == "Try it"
    fresh(page)
    page.get_by_role("button", name="Example: circle").click()
    assert spoken(page) == before
    assert page.locator(".problem").inner_text() == ""


def test_of_a_moving_picture_the_first_is_used_and_that_is_said(visit, tmp_path):
    frames = [Image.fromarray(pictures(100)[index]) for index in (13, 10)]
    for path in (
        tmp_path / "moving.gif",
        tmp_path / "moving.png",
        tmp_path / "moving.webp",
    ):
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)
        page = visit("page.html")
        give(page, path)
        assert "moves: only its first picture is used. star, " in spoken(page)


def still_pictures():
    """Names and contents: pictures of one frame whose words look like marks of more."""
    picture, found = Image.fromarray(pictures(100)[13]), {}
    for kind in ("PNG", "WebP", "GIF"):
        content = io.BytesIO()
        picture.save(
            content, kind, **({"exif": b"Exif\0\0ANIM"} if kind == "WebP" else {})
        )
        found[f"still.{kind.lower()}"] = content.getvalue()
    plain = found["still.png"]
    # a text of 12 MB before the pixels, as screenshots and other programs may have
    words = chunk(b"tEXt", b"Comment\0" + 6_000_000 * b"ac" + b"acTL")
    found["words.png"] = plain[:33] + words + plain[33:]
    comment = b"\x21\xfe" + b"\x0a" + b"\x21\xf9\x04\0\0\0\0\0,," + b"\0"
    gif = found["still.gif"]
    table = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    found["comment.gif"] = gif[:table] + 2 * comment + gif[table:]
    return found


def test_a_picture_of_one_frame_does_not_move_whatever_its_words(visit, tmp_path):
    page = visit("page.html")
    for name, content in still_pictures().items():
        path = tmp_path / name
        path.write_bytes(content)
        fresh(page)
        give(page, path)
        said = spoken(page)
        assert said.startswith("star, ") and "moves" not in said, name


def test_what_was_said_of_a_moving_picture_goes_with_it(visit, tmp_path):
    frames = [Image.fromarray(pictures(100)[index]) for index in (13, 10)]
    path = tmp_path / "moving.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)
    page = visit("page.html")
    give(page, path)
    assert "moves" in spoken(page)
    assert "moves" in page.locator(".readout").inner_text()
    fresh(page)
    page.get_by_role("button", name="Example: circle").click()
    assert "moves" not in spoken(page)
    assert page.locator(".readout").inner_text().startswith("Point at a patch")


@pytest.mark.parametrize("answer", ["255", "data[index] ^ (index % 2)"])
def test_a_browser_that_hides_pixels_is_said_and_nothing_is_answered(visit, answer):
    page = visit("page.html")
    page.evaluate(
        """(answer) => {
            const get = CanvasRenderingContext2D.prototype.getImageData;
            const change = new Function("data", "index", `return ${answer}`);
            CanvasRenderingContext2D.prototype.getImageData = function (...box) {
                const image = get.apply(this, box);
                const seen = image.data.slice();
                for (const index of seen.keys()) {
                    image.data[index] = change(seen, index);
                }
                return image;
            };
        }""",
        answer,
    )
    page.get_by_role("button", name="Example: circle").click()
    page.wait_for_function("document.querySelector('.problem').textContent")
    assert "privacy setting" in page.locator(".problem").inner_text()
    assert page.locator(".attention .answer").inner_text() == "Nothing was computed."
