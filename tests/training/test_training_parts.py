"""What `train` is made of: batches, the optimizer's settings, the recorder."""

import keras
import numpy as np
import pytest

from patchconvnet import model
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import look
from patchconvnet.training import averaging, callbacks, recipes, running
from patchconvnet.training.scores import score_attention, score_logits

TINY = {"image_size": 16, "dim": 8, "depth": 1, "norm": "batch"}


def test_batches_show_every_image_once_an_epoch_in_an_order_of_its_own():
    images = np.arange(10, dtype="uint8").reshape(10, 1, 1, 1) * np.ones(
        (1, 2, 2, 3), "uint8"
    )
    batches = running.Batches(
        images, np.arange(10) % 3, batch_size=4, num_classes=3, seed=1
    )
    orders = []
    for epoch in (0, 1, 0):
        batches.shuffle(epoch)
        parts = [batches[index] for index in range(len(batches))]
        assert [len(part) for part, _ in parts] == [4, 4, 2]
        order = np.concatenate([part[:, 0, 0, 0] for part, _ in parts])
        assert np.array_equal(
            np.concatenate([labels for _, labels in parts]), np.eye(3)[order % 3]
        )
        orders.append(list(order))
    assert sorted(orders[0]) == list(range(10))
    assert orders[0] == orders[2] != orders[1]
    assert (
        list(running.Batches(images, np.zeros(10, int), 4, 3, seed=2).order)
        != orders[0]
    )


@pytest.mark.parametrize(
    ("count", "size", "wanted"),
    [
        (8, 4, [4, 4]),
        (9, 4, [4, 5]),  # one alone joins the batch before it
        (10, 4, [4, 4, 2]),
        (11, 4, [4, 4, 3]),
        (4, 4, [4]),
        (5, 4, [5]),
        (6, 4, [4, 2]),
        (3, 2, [3]),
        (4, 2, [2, 2]),
        (3, 1, [1, 1, 1]),  # as asked for
        (1, 1, [1]),
        (1, 4, [1]),  # there is none before it
        (3, 4, [3]),
        (0, 4, []),
    ],
)
def test_no_image_is_left_alone_in_a_last_batch(count, size, wanted):
    images = np.arange(count, dtype="uint8")
    batches = running.Batches(images, np.zeros(count, int), size, 2, seed=0)
    parts = [batches[index] for index in range(len(batches))]
    assert [len(part) for part, _ in parts] == wanted
    assert [len(labels) for _, labels in parts] == wanted
    assert [image for part, _ in parts for image in part] == list(batches.order)


@pytest.mark.parametrize(("count", "steps"), [(33, 1), (34, 2)])
def test_training_plans_as_many_steps_as_there_are_batches(
    count, steps, train_on_small_data, tmp_path, monkeypatch
):
    class Planned(Exception):
        pass

    def stop(network, recipe, steps_per_epoch):
        raise Planned(steps_per_epoch)

    monkeypatch.setattr(running, "compile_model", stop)
    with pytest.raises(Planned, match=f"^{steps}$"):
        train_on_small_data(tmp_path / "run", limit=count)


def test_weight_decay_pulls_at_kernels_only():
    network = model.PatchConvNet(**TINY, layer_scale=0.5)
    running.compile_model(network, running.make_recipe("shapes"), steps_per_epoch=10)
    network.set_weights([np.ones_like(weight) for weight in network.get_weights()])
    variables = network.trainable_variables
    network.optimizer.apply(
        [keras.ops.zeros_like(variable) for variable in variables], variables
    )
    shrunk = {
        variable.path
        for variable in variables
        if keras.ops.convert_to_numpy(variable).max() < 1
    }
    assert shrunk == {
        variable.path for variable in variables if variable.path.endswith("kernel")
    }


def test_recorder_works_without_folder_masks_and_validation_images(small_data):
    bare = running.replace(
        small_data,
        mask_val=None,
        x_val=small_data.x_val[:0],
        y_val=small_data.y_val[:0],
    )
    network = model.PatchConvNet(**TINY)
    running.compile_model(network, running.make_recipe("shapes"), steps_per_epoch=3)
    recorder = running.AttentionRecorder(bare)
    recorder.set_model(network)
    recorder.on_train_begin()
    recorder.on_epoch_begin(0)
    recorder.on_epoch_end(0, {"loss": 2.0})
    assert set(recorder.history) == {"epoch", "loss", "seconds", "learning_rate"}
    assert np.array_equal(recorder.maps[0], recorder.maps[1]) and recorder.maps[
        0
    ].shape == (32, 1, 4, 4)


def test_recorder_validates_few_classes(small_data):
    few = running.replace(small_data, y_val=small_data.y_val % 5)
    network = model.PatchConvNet(**TINY, num_classes=5)
    running.compile_model(network, running.make_recipe("shapes"), steps_per_epoch=3)
    recorder = running.AttentionRecorder(few)
    recorder.set_model(network)
    recorder.on_epoch_begin(0)
    logs = {}
    recorder.on_epoch_end(0, logs)
    scores = {"val_loss", "val_accuracy", "attention_entropy", "attention_on_object"}
    assert set(logs) == scores


@pytest.mark.long
def test_a_run_may_keep_its_scores_alone(train_on_small_data, tmp_path):
    record = train_on_small_data(tmp_path / "run", epochs=1, keep="scores")
    assert sorted(path.name for path in record.folder.iterdir()) == [
        "history.csv",
        "recipe.json",
        "results.json",
    ]
    with pytest.raises(PatchConvNetError, match="does not keep it"):
        record.model()


@pytest.mark.long
def test_average_pooling_is_trained_and_measured_by_class_activation_maps(
    train_on_small_data, small_data, tmp_path
):
    settings = {"pooling": "average", "dim": 8, "depth": 1}
    record = train_on_small_data(tmp_path / "run", epochs=1, settings=settings)
    assert record.attention["maps"].shape == (2, 32, 10, 8, 8)  # one map a class
    logits, maps = look(record.model(), small_data.x_test)
    expected = score_attention(logits, maps, small_data.mask_test)[
        "attention_on_object"
    ]
    assert record.results["attention_on_object"] == pytest.approx(expected)
    assert 0 <= record.results["attention_of_true_class_on_object"] <= 1


# === precision and averaging ===


@pytest.mark.long
def test_the_running_mean_of_the_weights_is_measured_and_kept(
    train_on_small_data, small_data, tmp_path
):
    settings = {"weight_averaging": 0.9, "dim": 8, "depth": 1}
    record = train_on_small_data(tmp_path / "run", epochs=2, settings=settings)
    logits, _ = record.model().explain(small_data.x_val)
    of_the_mean = score_logits(logits, small_data.y_val)["loss"]
    assert record.history["val_loss"][-1] == pytest.approx(of_the_mean, rel=2e-3)
    last = train_on_small_data(
        tmp_path / "last", epochs=2, settings={**settings, "weight_averaging": 0}
    )
    # it trains the same
    assert last.history["loss"] == pytest.approx(record.history["loss"], rel=1e-3)
    assert abs(last.history["val_loss"][-1] - of_the_mean) > 1e-3 * of_the_mean


@pytest.mark.long
def test_averaged_weights_are_the_mean_and_go_as_they_came():
    network = model.PatchConvNet(**TINY)
    recipe = {**recipes.make_recipe("shapes"), "weight_averaging": 0.8}
    running.compile_model(network, recipe, steps_per_epoch=10)
    mean = None
    for step in range(4):
        images, labels = (
            np.full((2, 16, 16, 3), 50 * step, "uint8"),
            np.eye(10, dtype="float32")[[step, 3]],
        )
        network.train_on_batch(images, labels)
        now = [
            keras.ops.convert_to_numpy(variable)
            for variable in network.trainable_variables
        ]
        mean = (
            now
            if mean is None
            else [0.8 * old + 0.2 * new for old, new in zip(mean, now)]
        )
    with averaging.averaged_weights(network, images):
        for variable, expected in zip(network.trainable_variables, mean):
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(variable), expected, rtol=1e-4, atol=1e-6
            )
    assert all(
        np.array_equal(*pair)
        for pair in zip(
            now, map(keras.ops.convert_to_numpy, network.trainable_variables)
        )
    )


@pytest.mark.long
def test_float16_trains_goes_on_and_is_kept(train_on_small_data, tmp_path, monkeypatch):
    """With all the optimizer then has: the loss's scale, the weights' running mean."""
    settings = {
        "precision": "mixed_float16",
        "weight_averaging": 0.9,
        "dim": 8,
        "depth": 1,
    }
    begin = callbacks.Checkpoint.on_epoch_begin

    def stop_at_second(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(callbacks.Checkpoint, "on_epoch_begin", stop_at_second)
        train_on_small_data(tmp_path / "run", epochs=2, settings=settings)
    record = train_on_small_data(tmp_path / "run", epochs=2, settings=settings)
    assert (
        record.recipe["precision"] == "mixed_float16"
        and record.model().compute_dtype == "float32"
    )
    assert list(record.history["epoch"]) == [1, 2]
    assert all(np.all(np.isfinite(column)) for column in record.history.values())


@pytest.mark.long
def test_a_run_goes_on_in_the_precision_that_it_began_with(
    train_on_small_data, tmp_path, monkeypatch
):
    asked = {"epochs": 1, "settings": {"precision": "auto", "dim": 8, "depth": 1}}
    monkeypatch.setattr(running, "best_precision", lambda: "mixed_bfloat16")
    first = train_on_small_data(tmp_path / "run", **asked)
    monkeypatch.setattr(
        running, "best_precision", lambda: pytest.fail("it was asked again")
    )
    again = train_on_small_data(tmp_path / "run", **asked)
    assert first.recipe["precision"] == again.recipe["precision"] == "mixed_bfloat16"


# === chance ===


VARIATIONS = (
    {"shift": 2},
    {"flip": True},
    {"cutout": 6},
    {"dropout": 0.5},
    {"drop_path": 0.5},
)


def drawn(settings, epoch, seed=0, network=None):
    """What training sees of six images at the first step of an epoch, as logits."""
    keras.utils.set_random_seed(0)  # of the weights: the same in every network
    network = network or model.PatchConvNet(**TINY, **settings, seed=1)
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype="uint8")
    checkpoint = callbacks.Checkpoint(
        "unused.npz", running.Batches(images, np.zeros(6, int), 6, 10, seed), None, ""
    )
    checkpoint.set_model(network)
    checkpoint.on_epoch_begin(epoch)
    return keras.ops.convert_to_numpy(network(images, training=True))


@pytest.mark.long
@pytest.mark.parametrize(
    "settings", VARIATIONS, ids=lambda settings: next(iter(settings))
)
def test_chance_is_another_in_each_epoch_and_with_each_seed_and_the_same_after_resuming(
    settings,
):
    network = model.PatchConvNet(**TINY, **settings, seed=1)
    first, second, third, again = (
        drawn(settings, epoch, network=network) for epoch in (0, 1, 2, 0)
    )
    assert np.array_equal(first, again)
    assert np.abs(first - second).max() > 1e-3 and np.abs(second - third).max() > 1e-3
    in_a_new_process, with_another_seed = drawn(settings, 1), drawn(settings, 1, seed=1)
    assert np.abs(in_a_new_process - drawn(settings, 1)).max() == 0
    assert np.abs(in_a_new_process - with_another_seed).max() > 1e-3


def test_every_generator_of_a_network_draws_its_own_numbers():
    network = model.PatchConvNet(
        **{**TINY, "depth": 3}, shift=2, dropout=0.2, drop_path=0.2
    )
    states = set()
    for seed in (0, 1):
        for epoch in (0, 1):
            drawn({}, epoch, seed, network)
            found = [
                variable
                for variable in network.variables
                if variable.path.endswith("seed_generator_state")
            ]
            assert len(found) == 5  # the variation, the dropout, and each block's
            drawn_by = callbacks.Checkpoint(
                "unused.npz",
                running.Batches(np.zeros((1, 1)), np.zeros(1, int), 1, 10, seed),
                None,
                "",
            )
            drawn_by.set_model(network)
            drawn_by.on_epoch_begin(epoch)
            states |= {tuple(keras.ops.convert_to_numpy(state)) for state in found}
    assert len(states) == 2 * 2 * 5


def test_batches_differ_by_the_epoch_when_training_begins_anew(small_data):
    """The order that `fit` sees in its second epoch is not that of its first."""
    batches = running.Batches(small_data.x_train, small_data.y_train, 32, 10, seed=3)
    checkpoint = callbacks.Checkpoint("unused.npz", batches, None, "")
    checkpoint.set_model(model.PatchConvNet(**TINY))
    orders = []
    for epoch in (0, 1, 2, 1):
        checkpoint.on_epoch_begin(epoch)
        orders.append(batches.order.tolist())
    assert orders[1] == orders[3] and len({tuple(order) for order in orders}) == 3
