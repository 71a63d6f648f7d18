"""What `train` is made of: recipes, batches, the optimizer's settings, the recorder and the scores."""

import keras
import numpy as np
import pytest

from patchconvnet import model, training
from patchconvnet.errors import PatchConvNetError

TINY = {"image_size": 16, "dim": 8, "depth": 1, "norm": "batch"}


def test_the_keras_example_sets_10000_images_apart_on_cifar10_only():
    assert training.make_recipe("keras_example")["validation"] == 10_000
    assert "validation" not in training.make_recipe("keras_example", data="shapes")
    assert training.make_recipe("shapes")["keep"] == "epochs" and training.make_recipe("keras_example")["keep"] == "weights"


def test_batches_show_every_image_once_an_epoch_in_an_order_of_its_own():
    images = np.arange(10, dtype="uint8").reshape(10, 1, 1, 1) * np.ones((1, 2, 2, 3), "uint8")
    batches = training.Batches(images, np.arange(10) % 3, batch_size=4, num_classes=3, seed=1)
    orders = []
    for epoch in (0, 1, 0):
        batches.shuffle(epoch)
        parts = [batches[index] for index in range(len(batches))]
        assert [len(part) for part, _ in parts] == [4, 4, 2]
        order = np.concatenate([part[:, 0, 0, 0] for part, _ in parts])
        assert np.array_equal(np.concatenate([labels for _, labels in parts]), np.eye(3)[order % 3])
        orders.append(list(order))
    assert sorted(orders[0]) == list(range(10))
    assert orders[0] == orders[2] != orders[1]
    assert list(training.Batches(images, np.zeros(10, int), 4, 3, seed=2).order) != orders[0]


def test_weight_decay_pulls_at_kernels_only():
    network = model.PatchConvNet(**TINY, layer_scale=0.5)
    training.compile_model(network, training.make_recipe("shapes"), steps_per_epoch=10)
    network.set_weights([np.ones_like(weight) for weight in network.get_weights()])
    variables = network.trainable_variables
    network.optimizer.apply([keras.ops.zeros_like(variable) for variable in variables], variables)
    shrunk = {variable.path for variable in variables if keras.ops.convert_to_numpy(variable).max() < 1}
    assert shrunk == {variable.path for variable in variables if variable.path.endswith("kernel")}


def test_recorder_works_without_folder_masks_and_validation_images(small_data):
    bare = training.replace(small_data, mask_val=None, x_val=small_data.x_val[:0], y_val=small_data.y_val[:0])
    network = model.PatchConvNet(**TINY)
    training.compile_model(network, training.make_recipe("shapes"), steps_per_epoch=3)
    recorder = training.AttentionRecorder(bare)
    recorder.set_model(network)
    recorder.on_train_begin()
    recorder.on_epoch_begin(0)
    recorder.on_epoch_end(0, {"loss": 2.0})
    assert set(recorder.history) == {"epoch", "loss", "seconds", "learning_rate"}
    assert np.array_equal(recorder.maps[0], recorder.maps[1]) and recorder.maps[0].shape == (32, 1, 4, 4)


# === scores ===


def test_score_logits_by_hand():
    logits = np.log(np.array([[0.7, 0.1, 0.1, 0.02, 0.02, 0.06], [0.3, 0.4, 0.1, 0.09, 0.08, 0.03]], "float32"))
    scores = training.score_logits(logits, np.array([0, 5]))
    assert scores == pytest.approx({"loss": -(np.log(0.7) + np.log(0.03)) / 2, "accuracy": 0.5, "top5": 0.5})


def test_a_network_that_says_the_same_of_all_classes_is_no_good():
    labels = np.arange(10)
    assert training.score_logits(np.zeros((10, 10)), labels)["accuracy"] == pytest.approx(0.1)
    assert training.score_logits(np.full((10, 10), np.nan), labels)["accuracy"] == pytest.approx(0.1)


def test_scores_take_the_token_of_the_predicted_class():
    maps = np.zeros((2, 2, 2, 2))
    maps[:, 0, 0, 0] = maps[:, 1, 1, 1] = 1  # token 0 looks at the first cell, token 1 at the last
    masks = np.zeros((2, 4, 4), bool)
    masks[:, 2:, 2:] = True  # the object fills the last cell
    logits = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert np.array_equal(training.maps_of(logits.argmax(axis=1), maps)[:, 1, 1], [1, 0])
    assert training.score_attention(logits, maps, masks) == {"attention_entropy": 0, "attention_on_object": 0.5}


def test_a_run_may_keep_its_scores_alone(train_on_small_data, tmp_path):
    record = train_on_small_data(tmp_path / "run", epochs=1, keep="scores")
    assert sorted(path.name for path in record.folder.iterdir()) == ["history.csv", "recipe.json", "results.json"]
    with pytest.raises(PatchConvNetError, match="does not keep it"):
        record.model()


def test_keep_takes_three_words():
    with pytest.raises(PatchConvNetError, match='"epochs", "weights" or "scores"'):
        training.make_recipe("shapes", keep="all")
