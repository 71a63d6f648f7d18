"""Training on what a frozen trunk makes of photographs."""

import numpy as np
import pytest
from drawn_data import draw_few_photographs

from patchconvnet import records, train
from patchconvnet.any_network import efficientnet_lite0
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import look, predict
from patchconvnet.model import weights_of
from patchconvnet.training import evaluation, on_features, running


def few_photographs(validation):
    return draw_few_photographs(train=12, val=6 if validation else 0, test=6)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two short runs: by attention, and by averaging."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        for room in (running, evaluation):
            patch.setattr(
                room,
                "load_dataset",
                lambda name, validation: few_photographs(validation),
            )
        settings = {"validation": 6, "batch_size": 8, "until": 5}
        usual = {"preset": "pets", "epochs": 2, "verbose": 0, "settings": settings}
        train(out=folder / "attention", **usual)
        train(
            out=folder / "average",
            **usual | {"settings": settings | {"pooling": "average", "validation": 0}},
        )
        yield folder


pytestmark = pytest.mark.long


def test_a_run_folder_like_any_other(runs):
    record = records.load(runs / "attention")
    assert record.recipe["model"]["dim"] == 80
    assert record.attention["maps"].shape == (3, 6, 1, 14, 14)
    assert record.results["trunk_parameters"] == efficientnet_lite0(5).count_params()
    assert record.results["trunk_seconds"] > 0
    assert "val_accuracy" in record.history
    assert "on a frozen trunk of" in record.summary()
    assert record.usual["mean"].shape == (80,)


@pytest.mark.parametrize("name", ["attention", "average"])
def test_on_photographs_the_whole_says_what_was_measured_on_features(runs, name):
    record, data = records.load(runs / name), few_photographs(6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "load_dataset", lambda *name, **options: data)
        scores, _ = evaluation.evaluate(record)
    for key, value in scores.items():
        assert value == pytest.approx(record.results[key], abs=1e-4), key
    network = record.model()
    logits, maps = look(network, data.x_test)
    assert maps.shape == (6, 3 if name == "average" else 1, 14, 14)
    kept = record.attention["logits"][-1]
    np.testing.assert_allclose(logits, kept, atol=0.02 * np.abs(kept).max())


def test_only_what_follows_the_trunk_is_kept(runs):
    record = records.load(runs / "attention")
    kept = records.read_arrays(record.folder / "weights.npz")
    assert {name.split("/")[0] for name in kept} == {
        "norm_features",
        "pooling",
        "norm",
        "head",
    }
    assert kept.keys() == weights_of(record.model()).keys()


def test_a_photograph_of_any_size_is_classified(runs):
    record = records.load(runs / "attention")
    picture = few_photographs(6).x_test[0][:200, 20:]
    found = predict(record.model(), picture, ("a", "b", "c"), record.usual)
    assert found.attention.shape == (14, 14)
    assert found.strange in (True, False)


def test_mirror_images_are_trained_on_and_nothing_else_changes():
    data = few_photographs(6)
    seen = on_features.see(efficientnet_lite0(1), data, verbose=0)
    images, labels = on_features.images_and_labels(seen)
    assert len(images) == 24 and len(seen.x_test) == 6
    np.testing.assert_array_equal(labels, np.tile(data.y_train, 2))
    # a mirror image shows as much of everything
    means = images.mean(axis=(1, 2)).reshape(2, -1)
    assert np.corrcoef(means)[0, 1] > 0.95
    assert np.abs(images[:12] - images[12:]).mean() > 0.1
    assert seen.mask_test is data.mask_test and seen.variant == data.variant


def test_a_run_that_was_stopped_goes_on(runs, tmp_path, monkeypatch):
    data = few_photographs(6)
    monkeypatch.setattr(running, "load_dataset", lambda *name, **options: data)
    settings = {"validation": 6, "batch_size": 8, "until": 5}
    usual = {"preset": "pets", "epochs": 2, "verbose": 0, "settings": settings}
    finish = running._finish

    def stop(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "_finish", stop)
    with pytest.raises(KeyboardInterrupt):
        train(out=tmp_path / "run", **usual)
    monkeypatch.setattr(running, "_finish", finish)
    record = train(out=tmp_path / "run", **usual)
    wanted = records.load(runs / "attention")
    assert record.history["loss"] == pytest.approx(wanted.history["loss"], rel=1e-4)


def test_blocks_that_are_not_shipped_leave_no_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("PATCHCONVNET_EFFICIENTNET", raising=False)
    monkeypatch.setattr(running, "load_dataset", lambda *n, **o: few_photographs(0))
    with pytest.raises(PatchConvNetError, match="block 15 needs weights"):
        train("pets", tmp_path / "run", settings={"until": 15})
    assert not (tmp_path / "run").exists()
