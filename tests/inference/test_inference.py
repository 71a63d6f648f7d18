"""Any picture file to red, green and blue; any picture to classes and a map."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from patchconvnet import faithfulness, inference
from patchconvnet.data import web
from patchconvnet.errors import PatchConvNetError
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


def test_equally_probable_classes_keep_their_order():
    class Undecided(TwoTokens):
        def explain(self, images):
            return np.zeros((1, 3)), np.eye(3).reshape(1, 3, 1, 3)

    assert inference.predict(
        Undecided(), np.zeros((4, 4, 3), "uint8"), ("cat", "dog", "ship")
    ).names == ("cat", "dog", "ship")
