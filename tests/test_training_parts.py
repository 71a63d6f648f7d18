"""What `train` is made of: batches, the optimizer's settings, the recorder."""

import keras
import numpy as np
import pytest

from patchconvnet import callbacks, model, recipes, training
from patchconvnet.errors import PatchConvNetError
from patchconvnet.scores import look, score_attention, score_logits

TINY = {"image_size": 16, "dim": 8, "depth": 1, "norm": "batch"}


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


def test_a_run_may_keep_its_scores_alone(train_on_small_data, tmp_path):
    record = train_on_small_data(tmp_path / "run", epochs=1, keep="scores")
    assert sorted(path.name for path in record.folder.iterdir()) == ["history.csv", "recipe.json", "results.json"]
    with pytest.raises(PatchConvNetError, match="does not keep it"):
        record.model()


def test_average_pooling_is_trained_and_measured_by_class_activation_maps(train_on_small_data, small_data, tmp_path):
    settings = {"pooling": "average", "dim": 8, "depth": 1}
    record = train_on_small_data(tmp_path / "run", epochs=1, settings=settings)
    assert record.attention["maps"].shape == (2, 32, 10, 8, 8)  # one map a class
    logits, maps = look(record.model(), small_data.x_test)
    expected = score_attention(logits, maps, small_data.mask_test)["attention_on_object"]
    assert record.results["attention_on_object"] == pytest.approx(expected)
    assert 0 <= record.results["attention_of_true_class_on_object"] <= 1


# === precision and averaging ===


def test_the_running_mean_of_the_weights_is_measured_and_kept(train_on_small_data, small_data, tmp_path):
    settings = {"weight_averaging": 0.9, "dim": 8, "depth": 1}
    record = train_on_small_data(tmp_path / "run", epochs=2, settings=settings)
    logits, _ = record.model().explain(small_data.x_val)
    of_the_mean = score_logits(logits, small_data.y_val)["loss"]
    assert record.history["val_loss"][-1] == pytest.approx(of_the_mean, rel=2e-3)
    last = train_on_small_data(tmp_path / "last", epochs=2, settings={**settings, "weight_averaging": 0})
    assert last.history["loss"] == pytest.approx(record.history["loss"], rel=1e-3)  # it trains the same
    assert abs(last.history["val_loss"][-1] - of_the_mean) > 1e-3 * of_the_mean


def test_averaged_weights_are_the_mean_and_go_as_they_came():
    network = model.PatchConvNet(**TINY)
    recipe = {**recipes.make_recipe("shapes"), "weight_averaging": 0.8}
    training.compile_model(network, recipe, steps_per_epoch=10)
    mean = None
    for step in range(4):
        images, labels = np.full((2, 16, 16, 3), 50 * step, "uint8"), np.eye(10, dtype="float32")[[step, 3]]
        network.train_on_batch(images, labels)
        now = [keras.ops.convert_to_numpy(variable) for variable in network.trainable_variables]
        mean = now if mean is None else [0.8 * old + 0.2 * new for old, new in zip(mean, now)]
    with callbacks.averaged_weights(network):
        for variable, expected in zip(network.trainable_variables, mean):
            np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), expected, rtol=1e-4, atol=1e-6)
    assert all(np.array_equal(*pair) for pair in zip(now, map(keras.ops.convert_to_numpy, network.trainable_variables)))


def test_float16_trains_goes_on_and_is_kept(train_on_small_data, tmp_path, monkeypatch):
    """With all that the optimizer then has: the scale of the loss, and the running mean of the weights."""
    settings = {"precision": "mixed_float16", "weight_averaging": 0.9, "dim": 8, "depth": 1}
    begin = callbacks.Checkpoint.on_epoch_begin

    def stop_at_second(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(callbacks.Checkpoint, "on_epoch_begin", stop_at_second)
        train_on_small_data(tmp_path / "run", epochs=2, settings=settings)
    record = train_on_small_data(tmp_path / "run", epochs=2, settings=settings)
    assert record.recipe["precision"] == "mixed_float16" and record.model().compute_dtype == "float32"
    assert list(record.history["epoch"]) == [1, 2]
    assert all(np.all(np.isfinite(column)) for column in record.history.values())


def test_a_run_goes_on_in_the_precision_that_it_began_with(train_on_small_data, tmp_path, monkeypatch):
    asked = {"epochs": 1, "settings": {"precision": "auto", "dim": 8, "depth": 1}}
    monkeypatch.setattr(training, "best_precision", lambda: "mixed_bfloat16")
    first = train_on_small_data(tmp_path / "run", **asked)
    monkeypatch.setattr(training, "best_precision", lambda: pytest.fail("it was asked again"))
    again = train_on_small_data(tmp_path / "run", **asked)
    assert first.recipe["precision"] == again.recipe["precision"] == "mixed_bfloat16"
