"""How good a network is: its logits, its maps, and all that test images measure."""

from dataclasses import replace

import numpy as np
import pytest

from patchconvnet import faithfulness, inference, model
from patchconvnet.training import scores


def test_score_logits_by_hand():
    logits = np.log(
        np.array(
            [[0.7, 0.1, 0.1, 0.02, 0.02, 0.06], [0.3, 0.4, 0.1, 0.09, 0.08, 0.03]],
            "float32",
        )
    )
    found = scores.score_logits(logits, np.array([0, 5]))
    assert found == pytest.approx(
        {"loss": -(np.log(0.7) + np.log(0.03)) / 2, "accuracy": 0.5, "top5": 0.5}
    )


def test_a_network_that_says_the_same_of_all_classes_is_no_good():
    labels = np.arange(10)
    assert scores.score_logits(np.zeros((10, 10)), labels)["accuracy"] == pytest.approx(
        0.1
    )
    assert scores.score_logits(np.full((10, 10), np.nan), labels)[
        "accuracy"
    ] == pytest.approx(0.1)


def test_scores_take_the_token_of_the_predicted_class():
    maps = np.zeros((2, 2, 2, 2))
    # token 0 looks at the first cell, token 1 at the last
    maps[:, 0, 0, 0] = maps[:, 1, 1, 1] = 1
    masks = np.zeros((2, 4, 4), bool)
    masks[:, 2:, 2:] = True  # the object fills the last cell
    logits = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert np.array_equal(
        inference.maps_of(logits.argmax(axis=1), maps)[:, 1, 1], [1, 0]
    )
    assert scores.score_attention(logits, maps, masks) == {
        "attention_entropy": 0,
        "attention_on_object": 0.5,
    }


def test_without_masks_mirror_images_are_measured_too(small_data):
    network = model.PatchConvNet(image_size=16, dim=8, depth=1)
    bare = replace(small_data, mask_test=None)
    found = scores.score_test(network, bare)
    logits = [
        network.explain(images)[0]
        for images in (bare.x_test, np.flip(bare.x_test, axis=2))
    ]
    both = (sum(logits).argmax(axis=1) == bare.y_test).mean()
    assert found["test_accuracy_with_flip"] == pytest.approx(both)
    assert (
        "attention_on_object" not in found
        and "test_accuracy_with_flip" not in scores.score_test(network, small_data)
    )


def test_where_pooling_is_average_evidence_takes_the_place_of_attention(small_data):
    network = model.PatchConvNet(image_size=16, dim=8, depth=1, pooling="average")
    images = small_data.x_test
    logits, maps = inference.look(network, images)
    _, evidence = faithfulness.class_activation_maps(network, images)
    assert maps.shape == (len(images), 10, 4, 4) and maps.min() == 0
    np.testing.assert_allclose(maps.sum(axis=(2, 3)), 1, rtol=1e-5)
    positive = evidence.max(axis=(2, 3)) > 0
    for place in np.argwhere(positive)[:20]:
        assert maps[tuple(place)].argmax() == evidence[tuple(place)].argmax()
    silent = np.argwhere(evidence.max(axis=(2, 3)) <= 0)
    assert all(np.allclose(maps[tuple(place)], 1 / 16) for place in silent)


# === each border ===


def test_the_first_of_equal_logits_is_the_answer_and_the_fifth_in_the_top_five():
    logits = np.zeros((7, 7))
    found = [scores.score_logits(logits[:1], np.array([label])) for label in range(7)]
    assert [one["accuracy"] for one in found] == [1, 0, 0, 0, 0, 0, 0]
    assert [one["top5"] for one in found] == [1, 1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(("classes", "told"), [(2, False), (5, False), (6, True)])
def test_the_top_five_of_five_classes_is_not_told(classes, told):
    found = scores.score_logits(np.zeros((1, classes)), np.array([1]))
    assert set(found) == {"loss", "accuracy"} | ({"top5"} if told else set())


def test_the_loss_of_great_logits_is_finite_and_of_float16_exact():
    logits = np.array([[1000.0, 999.0, 0.0]], "float16")
    assert scores.score_logits(logits, np.array([1]))["loss"] == pytest.approx(
        np.log(1 + np.e), rel=1e-6
    )


def test_of_a_single_token_every_class_has_the_map():
    maps = np.random.default_rng(0).random((3, 1, 2, 2))
    np.testing.assert_array_equal(
        inference.maps_of(np.array([0, 7, 3]), maps), maps[:, 0]
    )


def test_without_masks_nothing_is_said_of_objects():
    maps = np.full((2, 1, 2, 2), 0.25)
    assert scores.score_attention(np.zeros((2, 3)), maps) == {"attention_entropy": 2.0}


class Painter:
    """Stands for a network of three classes: its logits and maps are given."""

    def __init__(self, logits, maps):
        self.logits, self.maps = (
            np.asarray(logits, "float32"),
            np.asarray(maps, "float32"),
        )

    def get_config(self):
        return {"pooling": "attention"}

    def explain(self, images):
        """Mirrored images: brighter on the right; their logits are of class 2."""
        mirrored = images[:, :, -1].mean() > images[:, :, 0].mean()
        return (
            np.tile([0, 0, 1.0], (len(images), 1)) if mirrored else self.logits
        ), self.maps


def painted(small_data, masks, maps, labels=(0, 1, 1, 2), logits=None):
    """Four images with these masks; a network of these maps that says 0, 1, 1, 0."""
    pictures = np.zeros((4, 4, 4, 3), "uint8")
    pictures[:, :, 0] = 255  # bright on the left
    data = replace(
        small_data, x_test=pictures, y_test=np.array(labels), mask_test=masks
    )
    return (
        Painter(np.eye(3)[[0, 1, 1, 0]] * 3 if logits is None else logits, maps),
        data,
    )


def test_scores_of_a_test_set_by_hand(small_data):
    masks = np.zeros((4, 4, 4), bool)
    masks[:, :2, :2] = True  # the upper left cell
    masks[:2, 0, 2] = True  # in two images a quarter of the upper right cell, too
    maps = np.zeros((4, 1, 2, 2))
    for image, cell in enumerate([(0, 0), (0, 1), (0, 1), (1, 1)]):
        maps[image, 0][cell] = 1
    found = scores.score_test(*painted(small_data, masks, maps))
    assert (
        found["test_accuracy"] == 0.75
        and "test_top5" not in found  # of three classes
        and found["attention_entropy"] == 0
    )
    assert found["attention_on_object"] == 1 / 4  # the first alone
    assert found["attention_touching"] == 2 / 4  # and the second, by a corner
    assert (
        found["attention_chance"] == 1 / 4 and found["attention_best_fixed_cell"] == 1
    )
    assert (
        "attention_of_true_class_on_object" not in found
        and "test_accuracy_with_flip" not in found
    )
    assert found["test_loss"] == pytest.approx(np.log(np.exp(3) + 2) - 3 * 0.75)


def test_with_a_token_for_each_class_the_true_one_is_scored_too(small_data):
    masks = np.zeros((4, 4, 4), bool)
    masks[:, :2, :2] = True
    maps = np.zeros((4, 3, 2, 2))
    # the tokens of classes 1 and 2 look at the object
    maps[:, 0, 1, 1] = maps[:, 1, 0, 0] = maps[:, 2, 0, 0] = 1
    found = scores.score_test(*painted(small_data, masks, maps))
    assert found["attention_on_object"] == 2 / 4  # answers 0, 1, 1, 0
    assert found["attention_of_true_class_on_object"] == 3 / 4  # truth 0, 1, 1, 2


def test_logits_of_both_sides_count_alike(small_data):
    """The picture says class 0 by 0.9, or by 1.1; its mirror image class 2 by 1."""
    logits = np.array([[0.9, 0, 0], [1.1, 0, 0], [0.9, 0, 0], [1.1, 0, 0]])
    maps = np.full((4, 1, 2, 2), 0.25)
    found = scores.score_test(
        *painted(small_data, None, maps, labels=(2, 2, 0, 0), logits=logits)
    )
    assert found["test_accuracy_with_flip"] == 0.5 and found["test_accuracy"] == 0.5
    found = scores.score_test(
        *painted(small_data, None, maps, labels=(2, 0, 2, 0), logits=logits)
    )
    assert found["test_accuracy_with_flip"] == 1 and found["test_accuracy"] == 0.5


def test_evidence_against_a_class_is_no_place_to_look(monkeypatch):
    class Averaging:
        def get_config(self):
            return {"pooling": "average"}

    evidence = np.array([[[[3.0, 1.0], [-4.0, 0.0]], [[-1.0, -2.0], [-3.0, -4.0]]]])
    monkeypatch.setattr(
        scores.faithfulness,
        "class_activation_maps",
        lambda network, images: (np.zeros((1, 2)), evidence),
    )
    _, maps = inference.look(Averaging(), None)
    np.testing.assert_allclose(
        maps, [[[[0.75, 0.25], [0, 0]], [[0.25, 0.25], [0.25, 0.25]]]]
    )
