"""Any picture file to red, green and blue; any picture to classes and a map."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from patchconvnet import faithfulness, inference, records
from patchconvnet.data import shapes, web
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import familiarity
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
