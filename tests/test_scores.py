"""How good a network is: its logits, its maps, and all that is measured on test images."""

from dataclasses import replace

import numpy as np
import pytest

from patchconvnet import faithfulness, model, scores


def test_score_logits_by_hand():
    logits = np.log(np.array([[0.7, 0.1, 0.1, 0.02, 0.02, 0.06], [0.3, 0.4, 0.1, 0.09, 0.08, 0.03]], "float32"))
    found = scores.score_logits(logits, np.array([0, 5]))
    assert found == pytest.approx({"loss": -(np.log(0.7) + np.log(0.03)) / 2, "accuracy": 0.5, "top5": 0.5})


def test_a_network_that_says_the_same_of_all_classes_is_no_good():
    labels = np.arange(10)
    assert scores.score_logits(np.zeros((10, 10)), labels)["accuracy"] == pytest.approx(0.1)
    assert scores.score_logits(np.full((10, 10), np.nan), labels)["accuracy"] == pytest.approx(0.1)


def test_scores_take_the_token_of_the_predicted_class():
    maps = np.zeros((2, 2, 2, 2))
    maps[:, 0, 0, 0] = maps[:, 1, 1, 1] = 1  # token 0 looks at the first cell, token 1 at the last
    masks = np.zeros((2, 4, 4), bool)
    masks[:, 2:, 2:] = True  # the object fills the last cell
    logits = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert np.array_equal(scores.maps_of(logits.argmax(axis=1), maps)[:, 1, 1], [1, 0])
    assert scores.score_attention(logits, maps, masks) == {"attention_entropy": 0, "attention_on_object": 0.5}


def test_without_masks_mirror_images_are_measured_too(small_data):
    network = model.PatchConvNet(image_size=16, dim=8, depth=1)
    bare = replace(small_data, mask_test=None)
    found = scores.score_test(network, bare)
    logits = [network.explain(images)[0] for images in (bare.x_test, np.flip(bare.x_test, axis=2))]
    both = (sum(logits).argmax(axis=1) == bare.y_test).mean()
    assert found["test_accuracy_with_flip"] == pytest.approx(both)
    assert "attention_on_object" not in found and "test_accuracy_with_flip" not in scores.score_test(network, small_data)


def test_where_pooling_is_average_evidence_takes_the_place_of_attention(small_data):
    network = model.PatchConvNet(image_size=16, dim=8, depth=1, pooling="average")
    images = small_data.x_test
    logits, maps = scores.look(network, images)
    _, evidence = faithfulness.class_activation_maps(network, images)
    assert maps.shape == (len(images), 10, 4, 4) and maps.min() == 0
    np.testing.assert_allclose(maps.sum(axis=(2, 3)), 1, rtol=1e-5)
    positive = evidence.max(axis=(2, 3)) > 0
    for place in np.argwhere(positive)[:20]:
        assert maps[tuple(place)].argmax() == evidence[tuple(place)].argmax()
    silent = np.argwhere(evidence.max(axis=(2, 3)) <= 0)
    assert all(np.allclose(maps[tuple(place)], 1 / 16) for place in silent)
