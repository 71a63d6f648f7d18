"""The yardstick: the network of the source, its optimizer, runs that go on."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from patchconvnet import records
from patchconvnet.errors import PatchConvNetError

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SMALL = {"width": 4, "batch_size": 16, "learning_rate": 0.1}


@pytest.fixture
def resnet9(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import resnet9

    return resnet9


@pytest.fixture
def yardstick(resnet9, small_data, monkeypatch):
    """The tool, on small data."""
    import yardstick

    small = replace(small_data, mask_train=None, mask_val=None, mask_test=None)
    monkeypatch.setattr(yardstick, "load_dataset", lambda name, **options: small)
    return yardstick


# === the network ===


def test_the_network_has_the_known_number_of_parameters(resnet9):
    network = resnet9.resnet9()
    kernels = 9 * (
        3 * 64 + 64 * 128 + 2 * 128 * 128 + 128 * 256 + 256 * 512 + 2 * 512 * 512
    )
    channels = 64 + 3 * 128 + 256 + 3 * 512
    trainable = sum(int(np.prod(each.shape)) for each in network.trainable_weights)
    assert trainable == kernels + 2 * channels + 10 * 512 == 6_573_120
    # the means and variances of batch norm
    assert network.count_params() == trainable + 2 * channels


def test_logits_come_in_the_precision_of_the_loss(resnet9):
    usual = keras.config.dtype_policy().name
    network = resnet9.resnet9(width=4, precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == usual
    logits = network(np.zeros((2, 32, 32, 3), dtype="uint8"))
    assert (
        logits.shape == (2, 10)
        and keras.backend.standardize_dtype(logits.dtype) == "float32"
    )
    convolution = next(
        layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)
    )
    assert convolution.compute_dtype == "bfloat16"


def test_pictures_vary_in_training_alone(resnet9, small_data):
    network = resnet9.resnet9(width=4)
    vary = network.get_layer(index=2)
    images = small_data.x_test[:8].astype("float32")
    assert (vary.shift, vary.flip, vary.cutout) == (4, True, 8)
    np.testing.assert_array_equal(vary(images), images)
    assert not np.array_equal(vary(images, training=True), images)


# === how it is trained ===


def test_the_rate_climbs_to_its_peak_and_falls_to_nothing(resnet9):
    rate = resnet9.UpAndDown(0.4, steps=100, warmup_steps=20)
    # at steps 0, 9, 19 (the peak), 59 (half way down), 99 (the last)
    found = [float(rate(step)) for step in (0, 9, 19, 59, 99, 200)]
    assert found == pytest.approx([0.02, 0.2, 0.4, 0.2, 0, 0], abs=1e-6)


def test_decay_is_part_of_the_gradient_and_of_the_momentum(resnet9):
    weight = keras.Variable(np.array([2.0], dtype="float32"))
    optimizer = resnet9.CoupledSGD(0.1, momentum=0.5, decay=0.25)
    gradient = keras.ops.convert_to_tensor(np.array([1.0], dtype="float32"))
    optimizer.apply([gradient], [weight])
    # 1 + 0.25 * 2 = 1.5; the momentum is -0.15, and Nesterov's step -0.075 - 0.15
    assert float(weight.value[0]) == pytest.approx(1.775)
    optimizer.apply([gradient], [weight])
    # 1 + 0.25 * 1.775 = 1.44375; -0.075 - 0.144375 = -0.219375; halved, -0.144375 more
    assert float(weight.value[0]) == pytest.approx(1.775 - 0.1096875 - 0.144375)


@pytest.mark.long
def test_a_run_learns_and_is_then_only_read(yardstick, tmp_path, capsys):
    command = ["--out", str(tmp_path), "--epochs", "6", "--seed", "1"]
    for name, value in SMALL.items():
        command += ["--set", f"{name}={value}"]
    assert yardstick.main(command) == 0
    assert "with mirror images" in capsys.readouterr().out
    record = records.Record(tmp_path)
    assert record.recipe["seed"] == 1 and record.recipe["model"]["width"] == 4
    assert record.recipe["precision"] != "auto"
    assert list(record.history["epoch"]) == [1, 2, 3, 4, 5, 6]
    assert record.history["loss"][-1] < record.history["loss"][0]
    assert record.history["learning_rate"][-1] == 0
    results = records.read_json(tmp_path / "results.json")
    assert {"test_accuracy", "test_accuracy_with_flip", "seconds"} <= results.keys()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "history.csv",
        "recipe.json",
        "results.json",
    ]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert yardstick.main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert yardstick.main([*command, "--limit", "32"]) == 2
    assert "holds another run: its limit" in capsys.readouterr().err


@pytest.mark.long
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(
    yardstick, tmp_path, monkeypatch
):
    def run(folder):
        recipe = yardstick.make_recipe(2, limit=32, settings=SMALL)
        return yardstick.run(recipe, tmp_path / folder, verbose=0)

    def stop(self, epoch, logs=None):
        write(self, epoch, logs)
        raise KeyboardInterrupt

    whole = run("whole")
    write = yardstick.Checkpoint.on_epoch_end
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(yardstick.Checkpoint, "on_epoch_end", stop)
        run("stopped")
    assert not (tmp_path / "stopped" / "results.json").exists()
    (tmp_path / "stopped" / ".0123456789ab.partial.npz").write_bytes(b"half")
    resumed = run("stopped")
    assert resumed["test_loss"] == pytest.approx(whole["test_loss"], rel=1e-4)
    found = records.Record(tmp_path / "stopped").history
    assert list(found["epoch"]) == [1, 2]
    assert not list((tmp_path / "stopped").glob(".*"))


def test_scores_count_the_image_and_its_mirror_image(yardstick):
    class Leaning:
        """Says class 1 by what is on the left, class 0 by 3."""

        def predict(self, images, **options):
            left = images[:, 0, 0, 0].astype("float32")
            return np.stack([np.full_like(left, 3), left], axis=1)

    images = np.zeros((2, 1, 2, 1), dtype="uint8")
    images[:, 0, :, 0] = [[4, 0], [4, 4]]  # means of left and right: 2 and 4
    found = yardstick.scores(Leaning(), images, np.array([0, 1]))
    assert (found["test_accuracy"], found["test_accuracy_with_flip"]) == (0.5, 1)


# === refusals ===


@pytest.mark.parametrize(
    "words, said",
    [
        (["--epochs", "0"], "epochs must be a whole number from 1"),
        (["--epochs", "two"], "invalid int value"),
        (["--limit", "0"], "limit must be"),
        (["--seed", "-1"], "seed must be"),
        (["--precision", "float8"], "precision must be one of"),
        (["--set", "widht=8"], 'did you mean "width"'),
        (["--set", "width=0"], "width must be a whole number"),
    ],
)
def test_what_may_not_be_is_one_line(words, said, yardstick, tmp_path, capsys):
    assert yardstick.main(["--out", str(tmp_path / "run"), *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_places_that_will_not_do_are_one_line(yardstick, tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("dear")
    for out, said in (
        (tmp_path, "not empty and holds no run"),
        (tmp_path / "letter.txt", "is a file, not a folder"),
        (tmp_path / "letter.txt" / "run", "cannot be written"),
    ):
        assert yardstick.main(["--out", str(out)]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1


def test_without_data_the_loader_says_so(resnet9, tmp_path, monkeypatch, capsys):
    import yardstick

    monkeypatch.setenv("PATCHCONVNET_CIFAR10", str(tmp_path / "nowhere"))
    assert yardstick.main(["--out", str(tmp_path / "run")]) == 2
    assert "$PATCHCONVNET_CIFAR10" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_a_loss_that_is_no_number_is_one_line(yardstick, tmp_path):
    recipe = yardstick.make_recipe(2, limit=32, settings=SMALL)
    recipe["learning_rate"] = 1e30
    with pytest.raises(PatchConvNetError, match="the loss became"):
        yardstick.run(recipe, tmp_path / "run", verbose=0)
