"""Chapter 16's tool: which networks it trains, and what it measures."""

import sys
from pathlib import Path

import numpy as np
import pytest
from drawn_data import draw_few_photographs

from patchconvnet import faithfulness, records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training import make_recipe, running

TOOLS = Path(__file__).resolve().parents[2] / "tools"
pytestmark = pytest.mark.long


def few_photographs():
    return draw_few_photographs(train=32, val=0, test=9)


@pytest.fixture(scope="module")
def photographs():
    """The tool, on few photographs, two networks and one seed."""
    data = few_photographs()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        import photographs

        for module in (running, photographs):
            patch.setattr(module, "load_dataset", lambda name, **options: data)
        patch.setattr(photographs, "SEEDS", (0,))
        patch.setattr(
            photographs,
            "NETWORKS",
            {
                "pets": {"until": 5},
                "pets_average": {"until": 5, "pooling": "average"},
            },
        )
        recipe = running.RECIPES["pets"]
        patch.setitem(running.RECIPES, "pets", recipe | {"epochs": 2})
        yield photographs


@pytest.fixture(scope="module")
def folders(photographs, tmp_path_factory):
    """What one call of the tool leaves: its folder, and what it ships."""
    out, shipped = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("shipped")
    assert photographs.main(["--out", str(out), "--records", str(shipped)]) == 0
    return out, shipped


def test_the_networks_of_the_course_can_be_named(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import photographs

    for name, settings in photographs.NETWORKS.items():
        recipe = make_recipe("pets", settings=settings)
        assert recipe["model"]["pooling"] in name or "average" not in name


def test_each_network_map_and_kind_of_picture_has_a_row(
    photographs, folders, monkeypatch
):
    monkeypatch.setattr(records, "SHIPPED", folders[0])
    table = records.measures("pets")
    kinds = ["all", "aside", "crops", "swapped", "swapped_same"]
    found = {}
    for row in table:
        found.setdefault((row["network"], row["map"]), []).append(row["pictures"])
    assert found.keys() == {
        *((f"nobody_{grid}", name) for grid in ("14x14", "7x7") for name in NOBODY),
        ("pets", "own"),
        ("pets_average", "own"),
        *((f"pets_{name}", "none") for name in photographs.CONTROLS),
        ("pets_painted_over", "none"),
    }
    for (network, which), names in found.items():
        if network == "pets_painted_over":
            assert names == kinds[:1]
        else:
            assert names == (kinds[:3] if which in NOBODY else kinds)


NOBODY = ("fixed_cell", "mean_mask", "random", "contrast")


def test_what_stands_in_the_table_is_what_was_measured(folders, monkeypatch):
    monkeypatch.setattr(records, "SHIPPED", folders[0])
    data = few_photographs()
    (row,) = (
        row
        for row in records.measures("pets")
        if (row["network"], row["map"], row["pictures"]) == ("pets", "own", "all")
    )
    record = records.load(folders[0] / "pets")
    assert row["accuracy"] == pytest.approx(record.results["test_accuracy"], abs=1e-4)
    logits, maps = record.model().explain(data.x_test)
    wanted = faithfulness.measure(maps[:, 0], data.mask_test)
    for name in ("pointing_game", "energy", "average_precision"):
        assert row[name] == pytest.approx(wanted[name], abs=0.02)


def test_a_map_that_does_not_look_is_made_of_training_masks(folders, monkeypatch):
    monkeypatch.setattr(records, "SHIPPED", folders[0])
    data = few_photographs()
    shares = faithfulness.cell_shares(data.mask_train, (14, 14)).mean(axis=0)
    wanted = faithfulness.energy(np.tile(shares, (9, 1, 1)), data.mask_test).mean()
    (row,) = (
        row
        for row in records.measures("pets")
        if (row["network"], row["map"], row["pictures"])
        == ("nobody_14x14", "mean_mask", "all")
    )
    assert row["energy"] == pytest.approx(wanted, rel=1e-4)


def test_what_is_shipped_opens(folders):
    for name in ("pets", "pets_average"):
        record = records.load(folders[1] / name, seed=0)
        assert record.model().count_params() > 90_000


def test_a_head_without_its_trunk_is_not_shipped(photographs, folders, tmp_path):
    record = records.load(folders[0] / "pets")
    record.recipe["model"]["until"] = 15
    photographs.ship_run(record, tmp_path / "seed_0", 0)
    kept = {path.name for path in (tmp_path / "seed_0").iterdir()}
    assert kept == {"attention.npz", "history.csv", "recipe.json", "results.json"}
    shipped = records.Record(tmp_path / "seed_0")
    assert shipped.recipe["keep"] == "maps"
    with pytest.raises(PatchConvNetError, match="blocks of its trunk do not come"):
        shipped.model()


def test_a_background_is_swapped_for_a_background(photographs):
    dice = np.random.default_rng(0)
    features = dice.normal(size=(3, 4, 4, 2))
    masks = np.zeros((3, 8, 8), bool)
    masks[:, :4] = True  # the upper half is the animal
    masks[2] = True  # fills its picture: it gives none
    found = photographs.swapped(features, masks, np.array([1, 0, 0]))
    np.testing.assert_array_equal(found[:, :2], features[:, :2])
    np.testing.assert_array_equal(found[2], features[2])
    for number, other in ((0, 1), (1, 0)):
        background = features[other, 2:].reshape(-1, 2)
        for cell in found[number, 2:].reshape(-1, 2):
            assert (background == cell).all(axis=1).any()
    same = photographs.swapped(features, masks, np.array([2, 2, 2]))
    np.testing.assert_array_equal(same, features)


def test_donors_are_of_the_breed_asked_for(photographs):
    labels = np.array([0, 1, 2, 0, 1, 2, 2, 2])
    for same_breed in (True, False):
        found = photographs.donors(labels, same_breed)
        assert np.all((labels[found] == labels) == same_breed)
        assert np.all(found != np.arange(8))
    assert photographs.donors(labels, False)[0] == 1
    assert photographs.donors(labels, True)[7] == 2


def test_means_by_the_mask(photographs):
    features = np.arange(64.0).reshape(2, 4, 4, 2)
    masks = np.zeros((2, 4, 4), bool)
    masks[0, 1, 1:3] = masks[1, 3] = True
    prior = np.zeros((4, 4))
    prior[2, 2] = 1
    wanted = {
        "uniform": features[0].mean(axis=(0, 1)),
        "all": features[0].mean(axis=(0, 1)),
        "animal": features[0, 1, 1:3].mean(axis=0),
        "background": features[0][~masks[0]].mean(axis=0),
        "other_mask": features[0, 3].mean(axis=0),
        "middle": features[0, 2, 2],
        "middle_layers": features[0, 2, 2],
    }
    for name, mean in wanted.items():
        pool, _ = photographs.CONTROLS[name]
        np.testing.assert_allclose(pool(features, masks, prior)[0, 0, 0], mean, 1e-5)
    coarse = photographs.two_by_two(features, masks, prior)
    np.testing.assert_allclose(coarse[0, 0, 1], features[0, :2, 2:].mean(axis=(0, 1)))


def test_refused_before_anything_is_trained(photographs, tmp_path, capsys):
    table = tmp_path / "a_folder"
    table.mkdir()
    code = photographs.main(["--out", str(tmp_path / "out"), "--table", str(table)])
    assert code == 2 and "a folder: give --table" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_records_do_not_go_where_the_runs_are(photographs, folders, capsys):
    out = str(folders[0])
    before = sorted(path for path in folders[0].rglob("*"))
    assert photographs.main(["--out", out, "--records", out]) == 2
    assert "--records must be another folder than --out" in capsys.readouterr().err
    assert sorted(path for path in folders[0].rglob("*")) == before


def test_weights_that_are_missing_are_told_at_once(
    photographs, tmp_path, capsys, monkeypatch
):
    monkeypatch.delenv("PATCHCONVNET_EFFICIENTNET", raising=False)
    module = sys.modules[photographs.any_network.efficientnet_lite0.__module__]
    monkeypatch.setattr(module, "_of_the_package", lambda: None)
    monkeypatch.setitem(photographs.NETWORKS, "pets_end", {"until": 15})
    assert photographs.main(["--out", str(tmp_path / "out")]) == 2
    assert "block 15 needs weights" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_animal_is_painted_over_with_what_lies_around_it(photographs):
    images = np.zeros((2, 40, 40, 3), "uint8")
    masks = np.zeros((2, 40, 40), bool)
    masks[0, 10:20, 10:20] = True
    masks[1] = True  # nothing lies around it
    images[masks] = 255
    images[0, 5, 5] = 77  # background stays as it is
    painted = photographs.painted_over(images, masks)
    assert painted[0].max() == 77 and painted[0, 5, 5, 0] == 77
    np.testing.assert_array_equal(painted[1], images[1])
