"""Each number of a recipe changes what is trained, and what is kept of it."""

import keras
import numpy as np
import pytest
from test_training_parts import TINY

from patchconvnet import model
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training import callbacks, recipes, running

# === each number of a recipe ===


def compiled(steps=10, network=None, **numbers):
    network = network or model.PatchConvNet(**TINY)
    running.compile_model(
        network, {**recipes.make_recipe("shapes"), **numbers}, steps_per_epoch=steps
    )
    return network


@pytest.mark.long
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_label_smoothing_shares_out_what_the_loss_wants(smoothing):
    network = compiled(label_smoothing=smoothing)
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype="uint8")
    labels = np.eye(10, dtype="float32")[[3, 1, 4, 1]]
    logits, _ = network.explain(images)
    wanted = labels * (1 - smoothing) + smoothing / 10
    by_hand = (
        -(wanted * (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))))
        .sum(axis=1)
        .mean()
    )
    assert network.test_on_batch(images, labels)[0] == pytest.approx(by_hand, rel=1e-5)


def test_the_learning_rate_climbs_to_its_peak_and_falls_to_nothing():
    network = compiled(steps=25, epochs=4, learning_rate=0.02, warmup=0.1)
    rate = lambda step: float(network.optimizer._learning_rate(step))
    # 10 of 100 steps
    assert [rate(step) for step in (0, 4, 9)] == pytest.approx([0.002, 0.01, 0.02])
    assert rate(54) == pytest.approx(0.01) and rate(99) == pytest.approx(0, abs=1e-8)


def test_weight_decay_takes_its_share_of_a_kernel():
    for decay in (0.0, 0.05, 0.2):
        network = compiled(
            weight_decay=decay, learning_rate=0.1, warmup=0.0, epochs=100
        )
        kernel = network.get_layer("stem").weights[0]
        kernel.assign(np.ones(kernel.shape))
        variables = network.trainable_variables
        network.optimizer.apply(
            [keras.ops.zeros_like(variable) for variable in variables], variables
        )
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(kernel), 1 - 0.1 * decay, rtol=1e-4
        )


def test_average_weights_only_where_a_recipe_says_so():
    assert (
        not compiled().optimizer.use_ema
        and not compiled(weight_averaging=0.0).optimizer.use_ema
    )
    averaging = compiled(weight_averaging=0.7).optimizer
    assert averaging.use_ema and averaging.ema_momentum == 0.7


def test_training_is_scored_by_accuracy_of_one_hot_labels():
    network = compiled()
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype="uint8")
    answers = network.explain(images)[0].argmax(axis=1)
    # two of eight are right
    labels = np.where(np.arange(8) < 2, answers, (answers + 1) % 10)
    one_hot, others = np.eye(10, dtype="float32")[[labels, (labels + 5) % 10]]
    # of mixed labels the greatest share counts
    for wanted in (one_hot, 0.6 * one_hot + 0.4 * others):
        found = network.test_on_batch(images, wanted, return_dict=True)
        assert found["accuracy"] == pytest.approx(0.25)


@pytest.mark.long
def test_history_follows_the_recipe_step_by_step(finished_run):
    """Two epochs of 96 images, 32 a step: six steps in all, none of them to warm up."""
    from patchconvnet import records

    record = records.load(finished_run)
    assert int(record.recipe["warmup"] * 6) == 0
    by_hand = [2.5e-3 * (1 + np.cos(np.pi * (step + 1) / 6)) / 2 for step in (3, 6)]
    assert record.history["learning_rate"] == pytest.approx(
        [by_hand[0], 0], rel=1e-4, abs=1e-9
    )


# === batch normalization ===


def test_a_running_mean_takes_a_tenth_of_each_batch():
    from patchconvnet.stem import ConvStem
    from patchconvnet.trunk import TrunkBlock

    x = np.random.default_rng(0).normal(3, 2, (16, 4, 4, 8)).astype("float32")
    block = TrunkBlock(norm="batch", se_ratio=None)
    mean = variance = None
    for step in range(3):
        block(x + step, training=True)
        mean = 0.9 * (0 if mean is None else mean) + 0.1 * (x + step).mean(
            axis=(0, 1, 2)
        )
        variance = 0.9 * (1 if variance is None else variance) + 0.1 * x.var(
            axis=(0, 1, 2)
        )
    np.testing.assert_allclose(block.normalize.moving_mean, mean, rtol=1e-4)
    np.testing.assert_allclose(block.normalize.moving_variance, variance, rtol=1e-2)
    block(x, training=False)  # outside training nothing is learnt
    np.testing.assert_allclose(block.normalize.moving_mean, mean, rtol=1e-4)
    network = model.PatchConvNet(**TINY)
    network(
        np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype="uint8"),
        training=True,
    )
    norms = [
        layer
        for layer in network._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    # two in the stem, one in the block, one at the end
    assert len(norms) == 4 and {norm.momentum for norm in norms} == {0.9}
    assert all(
        np.abs(keras.ops.convert_to_numpy(norm.moving_mean)).max() > 1e-6
        for norm in norms
    )
    assert isinstance(ConvStem(8, (2,), norm="batch"), keras.Layer)


# === what is kept ===


class Stopped:
    """Stands for a model that a callback may stop."""

    stop_training = False


@pytest.mark.parametrize(
    ("losses", "step"),
    [
        ([1.0, 2.0], None),
        ([1.0, float("nan")], 2),
        ([float("inf"), 1.0], 1),
        ([1.0, float("nan"), float("nan")], 2),
    ],
)
def test_the_first_bad_step_of_an_epoch_is_named(tmp_path, losses, step):
    for order in (1, -1):  # steps may be told late: Keras calls beside them
        watch = callbacks.StopOnBadLoss(tmp_path / "checkpoint.npz")
        watch.set_model(Stopped())
        for batch, loss in list(enumerate(losses))[::order]:
            watch.on_train_batch_end(batch, {"loss": loss})
        assert watch.model.stop_training == (step is not None)
        if step is None:
            watch.on_epoch_end(4, {"loss": losses[-1]})
        else:
            with pytest.raises(
                PatchConvNetError,
                match=rf"at step {step} of epoch 5: .* in another folder$",
            ):
                watch.on_epoch_end(4, {"loss": float("nan")})
    (tmp_path / "checkpoint.npz").touch()
    if step is not None:
        with pytest.raises(
            PatchConvNetError, match="checkpoint.npz keeps the epoch before$"
        ):
            watch.on_epoch_end(4, {"loss": float("nan")})


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_recorder_goes_on_after_so_many_epochs_and_forgets_later_ones(
    finished_run, small_data, done
):
    recorder = callbacks.AttentionRecorder(small_data, finished_run, keep_epochs=True)
    recorder.restore(done)
    from patchconvnet import records

    kept = records.load(finished_run)
    if not done:
        assert (recorder.maps, recorder.logits, recorder.history, recorder.weights) == (
            [],
            [],
            {},
            {},
        )
        return
    assert {
        key: list(column[:done]) for key, column in kept.history.items()
    } == recorder.history
    np.testing.assert_array_equal(recorder.maps, kept.attention["maps"][: done + 1])
    np.testing.assert_array_equal(recorder.logits, kept.attention["logits"][: done + 1])
    assert {int(key.split("/")[0]) for key in recorder.weights} == set(range(done + 1))
    without = callbacks.AttentionRecorder(small_data, finished_run)
    without.restore(done)
    assert without.weights == {} and len(without.maps) == done + 1


def test_a_recorder_that_goes_on_does_not_look_again_before_training(
    finished_run, small_data
):
    recorder = callbacks.AttentionRecorder(small_data, finished_run)
    recorder.restore(1)
    recorder.on_train_begin()
    assert len(recorder.maps) == 2


def test_what_is_usual_is_measured_with_the_kept_weights_on_the_runs_own_pictures(
    finished_run, small_data
):
    from patchconvnet import records
    from patchconvnet.inference import familiarity

    record = records.load(finished_run)
    again = familiarity.measure(record.model(), small_data.x_train, small_data.x_val)
    for key, array in again.items():
        np.testing.assert_allclose(record.usual[key], array, rtol=1e-3, atol=1e-4)
    others = familiarity.measure(record.model(), small_data.x_train, small_data.x_train)
    # so that the two can be told apart
    assert abs(float(others["limit"] - again["limit"])) > 1e-3


def test_a_record_tells_its_machine(finished_run):
    from patchconvnet import records
    from patchconvnet.training import machine

    results = records.load(finished_run).results
    assert results["device"] == machine.device() and results["devices"] == 1
    assert results["peak_device_memory_bytes"] == machine.peak_device_memory()
    assert results["peak_memory_bytes"] is None or results["peak_memory_bytes"] > 50e6
    assert results["versions"] == machine.versions()


@pytest.mark.long
def test_weights_may_be_kept_without_those_of_every_epoch(
    train_on_small_data, tmp_path
):
    record = train_on_small_data(
        tmp_path / "run",
        epochs=1,
        keep="weights",
        limit=40,
        settings={"dim": 8, "depth": 1, "batch_size": 20},
    )
    names = [
        "attention.npz",
        "familiarity.npz",
        "history.csv",
        "recipe.json",
        "results.json",
        "weights.npz",
    ]
    assert sorted(path.name for path in record.folder.iterdir()) == names
    assert record.recipe["keep"] == "weights" and record.recipe["limit"] == 40
    rate = 2.5e-3 * (1 + np.cos(np.pi)) / 2  # two steps: the second is the last
    assert record.history["learning_rate"] == pytest.approx([rate], abs=1e-9)
