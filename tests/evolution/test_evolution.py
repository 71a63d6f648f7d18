"""Maps over a training: read from records and live trainings, drawn, in a player."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from patchconvnet import evolution, faithfulness, load_dataset, records
from patchconvnet.data import cifar10, pets
from patchconvnet.errors import PatchConvNetError
from patchconvnet.evolution import Evolution, recorded

MASKS = np.zeros((2, 8, 8), dtype=bool)
MASKS[:, :4] = True  # the upper half


def small(**changes):
    """Two pictures, two epochs, maps of 2 x 2 cells; easy to compute by hand."""
    maps = np.full((3, 2, 2, 2), 0.25, dtype="float32")
    maps[2, 0] = [[0.6, 0.2], [0.1, 0.1]]
    maps[2, 1] = [[0, 0], [0, 0.5]]
    logits = np.zeros((3, 2, 3))
    logits[2, 0] = np.log([8, 1, 1])
    logits[1:, 1] = [np.log([1, 1, 2]), np.log([1, 2, 1])]
    fields = {
        "name": "small",
        "maps": maps,
        "logits": logits,
        "class_names": ("circle", "square", "star"),
        "history": {
            "epoch": np.array([1.0, 2.0]),
            "val_accuracy": np.array([0.5, 0.9]),
            "attention_entropy": np.array([2.0, 1.0]),
        },
        "pictures": np.arange(2 * 8 * 8 * 3, dtype="uint8").reshape(2, 8, 8, 3),
        "labels": np.array([0, 2]),
        "masks": MASKS,
    }
    return Evolution(**fields | changes)


def data_of(player):
    return json.loads(
        re.search(
            r'<script type="application/json" class="data">(.*?)</script>',
            player.html,
            re.DOTALL,
        )[1]
    )


# === numbers ===


def test_numbers_by_hand():
    seen = small()
    assert seen.answers.tolist() == [[0, 0], [0, 2], [0, 1]]
    np.testing.assert_allclose(seen.probabilities[2, 0], [0.8, 0.1, 0.1])
    np.testing.assert_allclose(
        seen.of_truth, [[1 / 3, 1 / 3], [1 / 3, 0.5], [0.8, 0.25]]
    )
    np.testing.assert_allclose(seen.energy, [[0.5, 0.5], [0.5, 0.5], [0.8, 0.0]])
    np.testing.assert_allclose(seen.entropy[:, 1], [2, 2, 0])
    assert seen.on_object.tolist() == [[True, True], [True, True], [True, False]]


def test_what_is_not_known_is_none():
    seen = small(labels=None, masks=None)
    assert seen.of_truth is None and seen.energy is None and seen.on_object is None


def test_pick_takes_everything_along():
    seen = small().pick([1])
    assert (
        seen.maps.shape == (3, 1, 2, 2)
        and seen.answers[:, 0].tolist() == [0, 2, 1]
        and seen.labels.tolist() == [2]
    )
    assert np.array_equal(seen.pictures, small().pictures[1:]) and seen.masks.shape == (
        1,
        8,
        8,
    )
    assert small(pictures=None).pick([0]).pictures is None


@pytest.mark.parametrize("chosen", [[], [2], [-1], ["a"]])
def test_pick_names_what_there_is(chosen):
    with pytest.raises(
        PatchConvNetError,
        match=(
            r"^Evolution\('small': 2 pictures, 2 epochs\) has pictures 0 to 1; .*got \["
        ),
    ):
        small().pick(chosen)


# === from records and trainings ===


def test_a_shipped_record_is_what_its_history_says():
    seen = evolution.read("shapes")
    assert repr(seen) == "Evolution('shapes': 32 pictures, 11 epochs)"
    assert (
        seen.note == ""
        and seen.masks.shape == (32, 32, 32)
        and seen.chance == records.load("shapes").results["attention_chance"]
    )
    assert (
        (seen.answers[-1] == seen.labels).mean()
        > 0.9
        > 0.2
        > (seen.answers[0] == seen.labels).mean()
    )
    maps = records.load("shapes").attention["maps"][-1, :, 0].astype("float32")
    np.testing.assert_array_equal(seen.maps[-1], maps)
    np.testing.assert_allclose(seen.energy[-1], faithfulness.energy(maps, seen.masks))


def test_a_map_for_each_class_shows_that_of_the_answer():
    seen, arrays = (
        evolution.read("shapes_per_class"),
        records.load("shapes_per_class").attention,
    )
    assert arrays["maps"].shape[2] == 10
    np.testing.assert_array_equal(
        seen.maps[3, 5], arrays["maps"][3, 5, seen.answers[3, 5]].astype("float32")
    )


def test_the_photographs_of_a_record_are_the_packages():
    seen, test = evolution.read("pets"), pets.read("test")
    assert repr(seen) == "Evolution('pets': 32 pictures, 30 epochs)"
    assert seen.note == "" and seen.class_names == pets.CLASS_NAMES
    np.testing.assert_array_equal(seen.pictures, test.images[:32])
    np.testing.assert_array_equal(seen.labels, test.labels[:32])
    animals = test.trimaps[:32] != pets.BACKGROUND
    np.testing.assert_array_equal(seen.masks, animals)
    # the maps lie on these pictures, and not on others
    assert seen.energy[-1].mean() > 0.1 + (
        faithfulness.energy(seen.maps[-1], np.roll(animals, 1, axis=0)).mean()
    )


@pytest.mark.long
def test_a_run_folder_and_a_record_object(finished_run):
    seen = evolution.read(str(finished_run))
    assert seen.name == "finished" and len(seen.maps) == 3
    assert np.array_equal(evolution.read(records.load(finished_run)).maps, seen.maps)
    # not the data set's own
    assert (
        seen.pictures is None
        and "another copy of shapes (small, for tests)" in seen.note
    )


def test_without_the_pictures_there_are_maps_and_a_sentence(tmp_path, monkeypatch):
    for name in (cifar10.VARIABLE, "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "" if name == cifar10.VARIABLE else str(tmp_path))
    monkeypatch.setattr(
        cifar10,
        "fetch",
        lambda *given, **options: pytest.fail("it would download 170 MB"),
    )
    seen = evolution.read("cifar10_cpu").pick([0, 1])
    assert seen.pictures is None and seen.labels is None and seen.masks is None
    assert "cifar10 are not on this machine" in seen.note
    player = evolution.player(seen)
    assert (
        data_of(player)["note"] == seen.note
        and data_of(player)["pictures"] is None
        and data_of(player)["size"] is None
    )


def test_another_copy_has_other_pictures_at_the_same_places(monkeypatch):
    """CIFAR-10 in another order: its pictures must not be shown below these maps."""
    shapes = load_dataset("shapes", train=1, val=0, test=40)
    monkeypatch.setattr(
        recorded,
        "load_dataset",
        lambda name, **options: replace(shapes, name="cifar10", variant="original"),
    )
    seen = evolution.read("cifar10_cpu")
    assert (
        seen.pictures is None
        and "another copy of cifar10 (other copy (sha256" in seen.note
    )


@pytest.mark.long
def test_a_live_training(small_data):
    import keras

    from patchconvnet import PatchConvNet
    from patchconvnet.training.callbacks import AttentionRecorder

    recorder = AttentionRecorder(small_data)
    with pytest.raises(PatchConvNetError, match="has seen no training: give it to fit"):
        evolution.live(recorder)
    model = PatchConvNet.from_preset("shapes", seed=0)
    model.compile(
        "sgd",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        small_data.x_train,
        small_data.y_train,
        epochs=1,
        verbose=0,
        callbacks=[recorder],
    )
    seen = evolution.live(recorder)
    assert seen.maps.shape == (2, 32, 8, 8) and seen.history["val_accuracy"].shape == (
        1,
    )
    assert (
        np.array_equal(seen.pictures, small_data.x_test[:32]) and 0 < seen.chance < 0.5
    )
    assert "live" in evolution.player(seen).html


@pytest.mark.parametrize(
    "broken",
    [
        {"maps": np.ones((3, 2, 8, 8))},
        {"logits": np.ones((2, 4, 10))},
        {"logits": np.full((3, 4, 10), np.nan)},
        {"maps": None},
        {"indices": np.arange(3)},
        {"indices": np.arange(4) - 1},
    ],
    ids=[
        "no tokens",
        "other epochs",
        "no numbers",
        "missing",
        "too few places",
        "no place",
    ],
)
def test_damaged_maps_are_named(finished_run, broken):
    record = records.Record(finished_run)
    arrays = {
        "maps": np.ones((3, 4, 1, 8, 8), "float16"),
        "logits": np.ones((3, 4, 10), "float16"),
        "indices": np.arange(4),
    }
    record.attention = {
        name: array for name, array in (arrays | broken).items() if array is not None
    }
    with pytest.raises(
        PatchConvNetError,
        match="^.*finished (is damaged|holds maps or logits that are no numbers)",
    ):
        evolution.read(record)


def test_a_record_of_scores_alone_is_refused():
    with pytest.raises(
        PatchConvNetError, match="attention.npz: this record does not keep it"
    ):
        evolution.read(records.load("shapes", seed=1))
