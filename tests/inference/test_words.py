"""Strange pictures, and what is said of an answer."""

import numpy as np
import pytest
from test_inference import NAMES

from patchconvnet import inference, records
from patchconvnet.data import shapes
from patchconvnet.inference import familiarity
from patchconvnet.model import PatchConvNet


def test_the_trained_network_finds_noise_strange_and_shapes_not():
    record = records.load("shapes")
    network, usual = record.model(), record.usual
    noise = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3)).astype("uint8")
    fresh, _, _ = shapes.generate(200, seed=77)
    assert np.all(familiarity.distances(network, noise, usual) > usual["limit"])
    assert np.mean(familiarity.distances(network, fresh, usual) > usual["limit"]) < 0.12
    squares = familiarity.distances(network, fresh, usual) ** 2
    assert squares.mean() == pytest.approx(1, abs=0.1)
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
