"""The network of the page "Try it yourself", in a real browser, against Keras: number
by number, and file by file.
"""

import base64
import functools
import re
import shutil

import numpy as np
import pytest
from PIL import Image, ImageCms

import export_web
from book_pages import ROOT, open_page
from patchconvnet import inference, load_dataset, records
from patchconvnet.inference import look, maps_of

LAST = records.load("shapes").recipe["epochs"]
BOX = (ROOT / "site_templates" / "try_it.html").read_text("utf-8")
# those for pictures of 32 x 32; test_try_it_pets.py has the others
SMALL = ("shapes", "shapes_average", "shapes_per_class", "cifar10")
# the largest difference that is no fault; float32 against float32 stays far below
LOGITS, ATTENTION = 1e-3, 1e-4
EXPLAIN = """async ({name, epoch, side, pixels, code}) => {
    const bytes = Uint8Array.from(atob(pixels), letter => letter.charCodeAt(0));
    const size = 3 * side * side;
    const explain = await window.explainer(name, epoch, code);
    const found = [];
    for (let start = 0; start < bytes.length; start += size) {
        const data = bytes.subarray(start, start + size);
        const picture = {height: side, width: side, channels: 3, data};
        const {logits, attention} = await explain(picture);
        found.push([[...logits], [...attention.data]]);
    }
    return found;
}"""
# With `code`, a changed network.js answers in place of the page's: here the weights are
# those that the page loaded.
EXPLAINER = """
window.loaded = {};
Worker = class {
    postMessage({name, network}) {
        if (network) window.loaded[name] = network;
        else throw Error("asked");
    }
};
window.explainer = async (name, epoch, code) => {
    const key = `${name}-${epoch ?? (await Engine.about(name)).epochs.at(-1)}`;
    const blank = {height: 1, width: 1, channels: 3, data: [0, 0, 0]};
    await Engine.explain(name, epoch, blank).catch(() => {});
    const module = code ? Function(`${code}; return PatchConvNet`)() : PatchConvNet;
    return picture => module.explain(picture, window.loaded[key]);
};
"""


def make_site(folder):
    """What the book has for the page, without the book around it: the scripts, the
    weights, and a bare page.
    """
    shutil.copytree(ROOT / "site_extra" / "try_it", folder / "try_it")
    export_web.export(folder / "try_it" / "weights")
    head = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport"'
        ' content="width=device-width"><title>Try it</title>'
    )
    for name, size in (("page", ""), ("small", ' data-size="small"')):
        (folder / f"{name}.html").write_text(
            f'{head}<main><div class="try-it"{size}>{BOX}</div></main>', "utf-8"
        )
    scripts = "".join(re.findall("<script.*</script>", BOX))
    (folder / "network.html").write_text(f"{head}{scripts}<script>{EXPLAINER}</script>")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def network_page(browser, site):
    page, problems = open_page(browser, (site / "network.html").as_uri())
    yield page
    page.context.close()
    assert problems == []


@functools.cache
def pictures(count):
    return load_dataset("shapes", train=1, val=1, test=count).x_test


@functools.cache
def keras_says(name, count, epoch=None):
    """Logits (N, classes) and the maps that the page shows (N, h w)."""
    logits, maps = look(
        records.load(export_web.NETWORKS[name]).model(epoch), pictures(count)
    )
    return logits, maps_of(logits.argmax(axis=1), maps).reshape(count, -1)


def javascript_says(page, name, images, epoch=None, code=None):
    pixels = base64.b64encode(images.tobytes()).decode()
    found = page.evaluate(
        EXPLAIN,
        {
            "name": name,
            "epoch": epoch,
            "side": images.shape[1],
            "pixels": pixels,
            "code": code,
        },
    )
    return tuple(np.array(part) for part in zip(*found))


def differences(page, name, count, epoch=None, code=None):
    """The largest difference of a logit, and of a weight of a map; NaN is infinite."""
    pairs = zip(
        keras_says(name, count, epoch),
        javascript_says(page, name, pictures(count), epoch, code),
    )
    return [
        float(np.nan_to_num(np.abs(ours - theirs), nan=np.inf).max())
        for ours, theirs in pairs
    ]


@pytest.mark.parametrize("name", SMALL)
def test_a_hundred_pictures_as_in_keras(network_page, name):
    logits, attention = differences(network_page, name, 100)
    assert logits < LOGITS and attention < ATTENTION


@pytest.mark.parametrize("epoch", range(LAST + 1))
def test_every_epoch_as_in_keras(network_page, epoch):
    logits, attention = differences(network_page, "shapes", 4, epoch)
    assert logits < LOGITS and attention < ATTENTION


FAULTS = {
    "rescale": ("value / 127.5 - 1", "value / 255", "shapes"),
    "padding": ("across - (before ?? columns >> 1)", "across", "shapes"),
    "stride": ("row * stride + down", "row + down", "shapes"),
    "bias": ("if (bias)", "if (bias && stride > 1)", "shapes"),
    "kernel order": ("down * columns + across", "across * rows + down", "shapes"),
    "gelu": ("1 + erf(value / Math.SQRT2)", "1 + Math.tanh(value)", "shapes"),
    "batch norm": ("EPSILON_BATCH = 1e-3", "EPSILON_BATCH = 1e-1", "shapes"),
    "squeeze": (
        "+= value / (x.height * x.width); }); const reduced",
        "+= value / x.width; }); const reduced",
        "cifar10",
    ),
    "excite": ("1 / (1 + Math.exp(-value))", "1", "cifar10"),
    "order in a block": (
        'gelu(layer(y, "look_around"))',
        'layer(gelu(y), "look_around")',
        "shapes",
    ),
    "residual connection": ("value + y.data[index]", "y.data[index]", "shapes"),
    "number of blocks": ("let block = 0;", "let block = 1;", "shapes"),
    "layer norm": ("* gamma[index] + beta[index]", "* gamma[index]", "shapes"),
    "class token as a key": (
        "(single ? tokens : [])",
        "(single ? tokens.map((token) => token.map(() => 0)) : [])",
        "shapes",
    ),
    "key": (
        'dense(vector, weights, "pooling/key")',
        'dense(vector, weights, "pooling/query")',
        "shapes",
    ),
    "scale of the scores": ("/ Math.sqrt(token.length)", "/ token.length", "shapes"),
    "softmax": (
        "Math.exp(score - greatest)",
        "Math.exp(score / 2 - greatest)",
        "shapes",
    ),
    "value": ("attention[index] * value", "value / values.length", "shapes"),
    "projection": (
        'add(token, dense(mixed, weights, "pooling/project"))',
        "add(token, mixed)",
        "shapes",
    ),
    "hidden layer": (
        'add(answer, dense(hidden, weights, "pooling/mlp_out"))',
        "answer",
        "shapes",
    ),
    "norm before the head": (
        'batchNorm({ data: tokens }, weights, "norm").data',
        "tokens",
        "shapes",
    ),
    "the token's own share": (
        "attention.slice(1)",
        "attention.slice(0, -1)",
        "shapes",
    ),
    "a token's own question": (
        "} = ask(token, keys",
        "} = ask(tokens[0], keys",
        "shapes_per_class",
    ),
    "head of each class": (
        "kernel.subarray(label * dim, (label + 1) * dim)",
        "kernel.subarray(0, dim)",
        "shapes_per_class",
    ),
    "map of the answer": (
        "maps.length > 1 ? answer : 0",
        "0",
        "shapes_per_class",
    ),
    "average pooling": (
        "averagePooling(patches), weights",
        "averagePooling(patches).map(Math.abs), weights",
        "shapes_average",
    ),
    "class activation map": (
        "Math.max(value, 0)), total",
        "Math.abs(value)), total",
        "shapes_average",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_any_layer_is_seen(network_page, site, fault):
    good, bad, name = FAULTS[fault]
    source = (site / "try_it" / "network.js").read_text("utf-8")
    # in however many lines it stands
    good = r"\s+".join(map(re.escape, good.split()))
    code, count = re.subn(good, lambda match: bad, source)
    assert count == 1
    logits, attention = differences(network_page, name, 4, code=code)
    assert logits > 10 * LOGITS or attention > 10 * ATTENTION


# === from a file to an answer ===


def scene(width, height, seed):
    """A picture of another size than the network's: a shape on a wider background."""
    shape = Image.fromarray(pictures(100)[seed]).resize(
        (min(width, height),) * 2, Image.Resampling.BICUBIC
    )
    picture = shape.resize((width, height)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    picture.paste(shape, ((width - shape.width) // 2, (height - shape.height) // 2))
    return picture


def save_pictures(folder):
    """Eleven files of the kinds that people have. -> {name: path}"""
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright
    transparent = scene(200, 200, 6).convert("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize((200, 200)))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # red is blue
    swapped = (
        profile.replace(b"rXYZ", b"____")
        .replace(b"bXYZ", b"rXYZ")
        .replace(b"____", b"bXYZ")
    )
    files = {
        "profile.jpg": (scene(400, 400, 17), {"quality": 95, "icc_profile": swapped}),
        "wide.jpg": (scene(640, 427, 3), {"quality": 92}),
        "tall.jpg": (scene(300, 500, 4), {"quality": 90, "progressive": True}),
        "turned.jpg": (
            scene(480, 320, 7).transpose(Image.Transpose.ROTATE_90),
            {"quality": 95, "exif": turned},
        ),
        "large.jpg": (scene(3000, 2000, 8), {"quality": 85}),
        "small.png": (Image.fromarray(pictures(100)[9]), {}),
        "tiny.png": (scene(20, 17, 2), {}),
        "transparent.png": (transparent, {}),
        "palette.gif": (scene(256, 256, 1).quantize(128), {}),
        "grey.webp": (
            scene(333, 222, 5).convert("L").convert("RGB"),
            {"lossless": True},
        ),
        "plain.bmp": (scene(97, 131, 0), {}),
    }
    for name, (picture, options) in files.items():
        picture.save(folder / name, **options)
    return {name: folder / name for name in files}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return save_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.mark.parametrize("name", ["shapes", "cifar10"])
def test_picture_files_as_with_attend(network_page, files, name):
    """Decoding, turning, cutting and resizing, too. Browsers and Pillow decode JPEG a
    little differently.
    """
    record = records.load(export_web.NETWORKS[name])
    model, names = record.model(), record.results["class_names"]
    page = network_page
    page.evaluate("document.body.innerHTML = '<input type=file id=file>'")
    for path in files.values():
        found = inference.predict(model, inference.read_image(path), names)
        page.locator("#file").set_input_files(path)
        logits, attention = page.evaluate(
            """async name => {
                const explain = await window.explainer(name);
                const {files} = document.querySelector("#file");
                const {canvas} = await Pictures.read(files[0]);
                const {logits, attention} = await explain(Pictures.pixels(canvas));
                return [[...logits], [...attention.data]];
            }""",
            name,
        )
        assert names[int(np.argmax(logits))] == found.names[0], path.name
        assert np.corrcoef(attention, found.attention.ravel())[0, 1] > 0.98, path.name


# === the exported files ===


def test_the_manifest_is_true_and_an_export_is_the_same_twice(site, tmp_path):
    manifest = export_web.export(tmp_path)
    for name in SMALL:
        record = export_web.NETWORKS[name]
        config = records.load(record).model().get_config()
        assert (
            manifest[name]["strides"] == config["stem_strides"]
            and manifest[name]["size"] == config["image_size"]
        )
        assert manifest[name]["epochs"] == (
            list(range(LAST + 1))
            if name == "shapes"
            else [records.load(record).recipe["epochs"]]
        )
    ours, theirs = (
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (tmp_path, site / "try_it" / "weights")
    )
    assert ours == theirs
    assert not list(tmp_path.glob("*.part"))


def test_a_missing_record_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(export_web, "RECORDS", tmp_path)
    assert export_web.main(["--out", str(tmp_path / "out")]) == 2
    assert "shapes" in capsys.readouterr().err
    shutil.copytree(
        records.SHIPPED / "shapes" / "seed_0", tmp_path / "shapes" / "seed_0"
    )
    (tmp_path / "shapes" / "seed_0" / "epochs.npz").write_bytes(b"PK half")
    assert export_web.main(["--out", str(tmp_path / "out")]) == 2
    assert "epochs.npz is damaged" in capsys.readouterr().err
