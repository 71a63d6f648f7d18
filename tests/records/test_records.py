"""Records: opened by name or folder, their network, and what is said if damaged."""

import shutil

import numpy as np
import pytest

from patchconvnet import records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training.scores import score_attention, score_logits


@pytest.fixture(scope="module")
def record(finished_run):
    return records.load(finished_run)


@pytest.fixture
def copy(finished_run, tmp_path):
    """A copy of the finished run that a test may damage."""
    return shutil.copytree(finished_run, tmp_path / "copy")


@pytest.fixture
def shipped(finished_run, tmp_path, monkeypatch):
    """The finished run, as if it came with the package under the name "small"."""
    shutil.copytree(finished_run, tmp_path / "package" / "small" / "seed_0")
    (tmp_path / "package" / "unfinished" / "seed_0").mkdir(parents=True)
    monkeypatch.setattr(records, "SHIPPED", tmp_path / "package")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "package" / "small" / "seed_0"


# === opening ===


@pytest.mark.long
def test_a_run_folder_opens_as_path_and_as_string(finished_run):
    for place in (finished_run, str(finished_run)):
        record = records.load(place)
        assert (record.folder, record.name) == (finished_run, "finished")
    assert repr(record) == f"Record({str(finished_run)!r})"


def test_a_shipped_record_opens_by_name(shipped):
    assert records.names() == ["small"]
    assert records.load("small").folder == shipped


def test_a_path_means_a_folder_even_where_a_shipped_record_has_its_name(
    shipped, tmp_path
):
    shutil.copytree(shipped, tmp_path / "small")
    assert records.load("small").folder == shipped
    assert records.load("./small/../small").folder.resolve() == tmp_path / "small"
    assert records.load(tmp_path / "small").folder == tmp_path / "small"


def test_a_record_has_a_run_for_each_seed(shipped, finished_run):
    shutil.copytree(finished_run, shipped.with_name("seed_12"))
    shutil.copytree(finished_run, shipped.with_name("seed_3"))
    shutil.copytree(finished_run, shipped.with_name("seed_of_doubt"))
    (shipped.with_name("seed_4")).mkdir()  # has not finished
    assert records.names() == ["small"] and records.seeds("small") == records.seeds(
        shipped.parent
    ) == [0, 3, 12]
    assert records.load("small", seed=12).folder == shipped.with_name("seed_12")
    assert records.load(shipped.parent, seed=3).folder == shipped.with_name("seed_3")
    assert records.load("small", seed=3).name == "small"
    shutil.rmtree(shipped)
    assert records.load("small").folder == shipped.with_name("seed_3")  # the lowest


@pytest.mark.parametrize("seed", [1, -1, "0", 0.5, True])
def test_a_seed_that_is_not_there_is_named(shipped, seed):
    with pytest.raises(
        PatchConvNetError, match="^small has no run with seed .*: there are 0$"
    ):
        records.load("small", seed=seed)


def test_a_run_folder_has_no_seeds_to_choose_from(finished_run):
    assert records.seeds(finished_run) == []
    with pytest.raises(
        PatchConvNetError,
        match="has no run with seed 0: there are none, as it is no folder of runs",
    ):
        records.load(finished_run, seed=0)


def test_every_shipped_record_is_whole():
    assert records.seeds("shapes")[:3] == [0, 1, 2]
    for record in (
        records.load(name, seed)
        for name in records.names()
        for seed in records.seeds(name)
    ):
        assert (
            record.folder.name == f"seed_{record.recipe['seed']}"
            and record.name in records.names()
        )
        epochs, size = (
            record.recipe["epochs"],
            sum(path.stat().st_size for path in record.folder.iterdir()),
        )
        assert len(record.history["epoch"]) == epochs and size < 5_000_000
        assert 0 <= record.results["test_accuracy"] <= 1
        if record.recipe["keep"] != "scores":
            assert len(record.attention["maps"]) == epochs + 1
        if record.usual is not None:
            dim = record.recipe["model"]["dim"]
            assert {key: array.shape for key, array in record.usual.items()} == {
                "mean": (dim,),
                "whitening": (dim, dim),
                "limit": (),
            }
    for name in ("shapes", "shapes_per_class", "cifar10_cpu"):
        assert 1 < records.load(name).usual["limit"] < 2


def test_the_shipped_cifar10_record_beats_the_published_example():
    """Its own words; `python -m patchconvnet evaluate --record cifar10_cpu` measures it
    again where CIFAR-10 is.
    """
    record = records.load("cifar10_cpu")
    assert (
        record.results["test_accuracy"] >= 0.8459
        and record.results["test_top5"] > 0.985
    )
    assert record.results["test_accuracy_with_flip"] > 0.8459
    assert record.results["variant"].startswith(("original", "other copy"))
    model = record.model()
    assert model.count_params() == record.results["parameters"] <= 2_400_000
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype="uint8")
    assert all(np.all(np.isfinite(array)) for array in model.explain(images))


@pytest.mark.long
def test_the_shipped_shapes_record_scores_what_it_says():
    """On the test set as drawn today: a change of Shapes or of a layer shows here."""
    from patchconvnet import load_dataset

    data, record = load_dataset("shapes", train=1, val=0), records.load("shapes")
    logits, maps = record.model().explain(data.x_test)
    scores = score_logits(logits, data.y_test) | score_attention(
        logits, maps, data.mask_test
    )
    assert scores["accuracy"] == pytest.approx(
        record.results["test_accuracy"], abs=0.003
    )
    assert scores["attention_on_object"] == pytest.approx(
        record.results["attention_on_object"], abs=0.003
    )


def test_an_unknown_record_names_those_there_are(shipped):
    with pytest.raises(
        PatchConvNetError, match="no record 'smal': give a run folder, or one of small"
    ):
        records.load("smal")
    with pytest.raises(PatchConvNetError, match="no record 'no/such/folder'"):
        records.load("no/such/folder")


def test_an_unfinished_run_says_how_to_finish_it(copy):
    (copy / "results.json").unlink()
    with pytest.raises(
        PatchConvNetError, match="has not finished: run the same train command again"
    ):
        records.load(copy)


# === the network ===


def test_the_network_reproduces_the_results_and_the_last_maps(record, small_data):
    logits, maps = record.model().explain(small_data.x_test)
    scores = score_logits(logits, small_data.y_test)
    assert scores["accuracy"] == record.results["test_accuracy"]
    assert scores["loss"] == pytest.approx(record.results["test_loss"], abs=1e-5)
    attention = score_attention(logits, maps, small_data.mask_test)
    assert attention["attention_on_object"] == record.results["attention_on_object"]
    # The recorded maps are those of the float32 weights; the kept weights are rounded
    # to float16.
    np.testing.assert_allclose(maps[:32], record.attention["maps"][-1], atol=2e-3)
    np.testing.assert_allclose(logits[:32], record.attention["logits"][-1], atol=2e-2)


@pytest.mark.parametrize("epoch", [0, 1])
def test_every_epoch_has_its_network(record, small_data, epoch):
    logits, maps = record.model(epoch=epoch).explain(small_data.x_test[:32])
    np.testing.assert_allclose(maps, record.attention["maps"][epoch], atol=2e-3)
    np.testing.assert_allclose(logits, record.attention["logits"][epoch], atol=2e-2)
    others = np.delete(record.attention["logits"], epoch, axis=0).astype("float32")
    assert np.abs(others - logits).max(axis=(1, 2)).min() > 0.1  # of no other epoch


def test_the_last_epoch_is_the_end(record):
    for end, last in zip(
        record.model().get_weights(), record.model(epoch=np.int64(2)).get_weights()
    ):
        assert np.array_equal(end, last)


@pytest.mark.parametrize("epoch", [3, -1, 0.5])
def test_epochs_that_are_not_kept(record, epoch):
    with pytest.raises(
        PatchConvNetError, match=f"weights of epochs 0 to 2, not of {epoch}"
    ):
        record.model(epoch=epoch)


def test_a_record_without_epochs_says_so(copy):
    (copy / "epochs.npz").unlink()
    with pytest.raises(
        PatchConvNetError, match="holds no epochs.npz: this record does not keep it"
    ):
        records.load(copy).model(epoch=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dim": 32}, r"stem/conv_0/kernel has shape .*, this network wants"),
        ({"depth": 3}, r"lacks the weight trunk/\S+: it is of another architecture"),
        ({"depth": 1}, r"has a weight that this network lacks: trunk/"),
    ],
)
def test_weights_of_another_architecture_are_refused_by_name(copy, changes, message):
    recipe = records.read_json(copy / "recipe.json")
    recipe["model"] |= changes
    records.write_json(copy / "recipe.json", recipe)
    with pytest.raises(PatchConvNetError, match=message):
        records.load(copy).model()


# === what it says ===


def test_summary_tells_accuracy_and_attention_beside_chance(record):
    lines = record.summary().splitlines()
    parameters = f"{record.model().count_params():,} parameters"
    assert lines[:2] == [
        "shapes, small, for tests",
        f"preset shapes, seed 0, 2 epochs, {parameters}",
    ]
    assert f"{record.results['test_accuracy']:.1%}" in lines[2]
    assert f"{record.results['attention_on_object']:.1%}" in lines[3]
    assert f"(a random cell: {record.results['attention_chance']:.1%};" in lines[3]


def test_summary_without_masks_says_nothing_of_objects(copy):
    results = records.read_json(copy / "results.json")
    del results["attention_on_object"], results["attention_chance"]
    records.write_json(copy / "results.json", results)
    assert (
        "object" not in records.load(copy).summary()
        and "mirror" not in records.load(copy).summary()
    )
    records.write_json(
        copy / "results.json", {**results, "test_accuracy_with_flip": 0.875}
    )
    assert "with mirror images 87.5%" in records.load(copy).summary()
