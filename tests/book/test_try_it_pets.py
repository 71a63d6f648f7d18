"""Photographs on the page "Try it yourself": the trunk that others trained, in a real
browser, against Keras; and what every network there finds unlike its training.
"""

import base64
import functools
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

import export_web
import web_pets
from book_pages import ROOT, open_page
from patchconvnet import load_dataset, records
from patchconvnet.any_network.efficientnet_lite0 import BLOCKS, LAST_SHIPPED
from patchconvnet.data import pets
from patchconvnet.inference import familiarity, look, maps_of
from test_try_it_network import (  # noqa: F401
    ATTENTION,
    LOGITS,
    SMALL,
    javascript_says,
    network_page,
    pictures,
    site,
)

NETWORKS = ("pets", "pets_average")
STRANGENESS = """async ({name, side, pixels}) => {
    const bytes = Uint8Array.from(atob(pixels), letter => letter.charCodeAt(0));
    const size = 3 * side * side, explain = await window.explainer(name);
    const found = [];
    for (let start = 0; start < bytes.length; start += size) {
        const data = bytes.subarray(start, start + size);
        found.push(explain({height: side, width: side, channels: 3, data}).strangeness);
    }
    return found;
}"""


@functools.cache
def photographs():
    return load_dataset("pets").x_test[:6]


@functools.cache
def keras_says(name):
    logits, maps = look(records.load(name).model(), photographs())
    return logits, maps_of(logits.argmax(axis=1), maps).reshape(len(logits), -1)


def differences(page, name, count=6):
    pairs = zip(keras_says(name), javascript_says(page, name, photographs()[:count]))
    return [
        float(np.nan_to_num(np.abs(ours[:count] - theirs), nan=np.inf).max())
        for ours, theirs in pairs
    ]


@pytest.mark.parametrize("name", NETWORKS)
def test_photographs_as_in_keras(network_page, name):
    logits, attention = differences(network_page, name)
    assert logits < LOGITS and attention < ATTENTION


FAULTS = {
    "rescale": ("(value - 127) / 128", "value / 127.5 - 1"),
    "relu6": ("Math.min(Math.max(value, 0), 6)", "Math.max(value, 0)"),
    "padding": ("(side - stride) >> 1", "side >> 1"),
    "which output": ("data[target + 2] = oneC", "data[target + 2] = oneB"),
    "second place": ("twoD += second * weightD", "twoD += first * weightD"),
    "depthwise kernel": ("(down * side + across)", "(across * side + down)"),
    "bias": ("data.set(bias.data, place)", "data.set(bias.data.map(() => 0), place)"),
    "residual connection": ("value + x.data[index]", "value"),
    "strides": ("slice(1).forEach((stride, number)", "forEach((stride, number)"),
    "the picture before": ("value === picture.data[index]", "true"),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_any_layer_is_seen(browser, site, fault):
    good, bad = FAULTS[fault]
    source = (site / "try_it" / "lite0.js").read_text("utf-8")
    assert source.count(good) == 1
    page, _ = open_page(browser, "about:blank")
    page.context.route(
        "**/lite0.js",
        lambda route: route.fulfill(
            body=source.replace(good, bad), content_type="text/javascript"
        ),
    )
    page.goto((site / "network.html").as_uri())
    try:
        logits, attention = differences(page, "pets", 2)
    except Exception as error:
        assert "TypeError" in str(error)  # a layer that finds no weights
    else:
        assert logits > 10 * LOGITS or attention > 10 * ATTENTION
    page.context.close()


# === what is unlike the training ===


@functools.cache
def of_both_kinds(name):
    """Test pictures, and pictures that are unlike them."""
    usual = photographs()[:3] if name in NETWORKS else pictures(12)
    noise = np.random.RandomState(0).randint(0, 256, usual[:1].shape)
    return np.concatenate([usual, noise, 0 * noise]).astype("uint8")


@pytest.mark.parametrize("name", [*SMALL, *NETWORKS])
def test_what_is_unlike_the_training_pictures_as_in_keras(network_page, name):
    record, given = records.load(export_web.NETWORKS[name]), of_both_kinds(name)
    usual = record.usual
    wanted = familiarity.distances(record.model(), given, usual) / usual["limit"]
    found = network_page.evaluate(
        STRANGENESS,
        {
            "name": name,
            "side": given.shape[1],
            "pixels": base64.b64encode(given.tobytes()).decode(),
        },
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-3)
    assert min(wanted) < 1 < max(wanted)


# === what is exported ===


def test_the_licence_of_the_trunk_comes_with_it(site):
    text = (site / "try_it" / "weights" / "efficientnet_lite0.txt").read_text("ascii")
    folder = ROOT / "patchconvnet" / "any_network"
    for name in ("NOTICE", "LICENSE"):
        assert (folder / name).read_text("ascii") in text


def test_the_strides_are_those_of_the_trunk():
    assert web_pets.STRIDES[1:] == tuple(
        stride for _, stride, _ in BLOCKS[: LAST_SHIPPED + 1]
    )


def test_the_examples_are_photographs_that_were_not_trained_on(site):
    text = (site / "try_it" / "weights" / "photographs.js").read_text("utf-8")
    names = [name.replace("_", " ").capitalize() for name in pets.names("test")]
    images = dict(zip(names, load_dataset("pets").x_test))
    trimaps = dict(zip(names, pets.trimaps("test")))
    found = json.loads(re.search(r"= (\[.*\]);", text)[1])
    assert len(found) == web_pets.EXAMPLES
    assert {one["class"] for one in found} == set(pets.CLASS_NAMES)
    for one in found:
        photo, trimap = (
            np.asarray(Image.open(io.BytesIO(base64.b64decode(one[field]))))
            for field in ("photo", "trimap")
        )
        np.testing.assert_array_equal(photo, images[one["name"]])
        np.testing.assert_array_equal(trimap, trimaps[one["name"]])
        assert one["name"].rpartition(" ")[0] == one["class"]
