"""The controls: which networks are trained, which maps measured, and a table of it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from patchconvnet import faithfulness, model, records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import look
from patchconvnet.training import running

TOOLS = Path(__file__).resolve().parents[2] / "tools"
TINY = {"image_size": 16, "dim": 8, "depth": 1, "norm": "batch"}
RIVALS = (
    *("uniform", "centre", "random", "contrast", "grad_cam"),
    *("gradient_times_attention", "gradient_times_input", "occlusion"),
)
MEASURES = {
    "pointing_game",
    "energy",
    "energy_ratio",
    "rank_accuracy",
    "average_precision",
    "entropy",
}


def test_every_network_of_the_course_can_be_built(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import controls

    for data, networks in controls.NETWORKS.items():
        assert controls.REFERENCE[data] in networks
        for settings in networks.values():
            recipe = running.make_recipe(**controls.BUDGETS[data], settings=settings)
            assert recipe["dataset"] == data and model.PatchConvNet(**recipe["model"])


@pytest.fixture(scope="module")
def controls(small_data):
    """The tool, on small data, with two networks and one seed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        import controls

        for module in (running, controls):
            patch.setattr(module, "load_dataset", lambda name, **options: small_data)
        patch.setitem(model.PRESETS, "shapes", TINY)
        patch.setattr(controls, "SEEDS", {"shapes": (1,)})
        patch.setattr(controls, "FEW_SEEDS", (1,))
        patch.setattr(controls, "STEPS", 4)
        patch.setitem(
            controls.NETWORKS,
            "shapes",
            {"shapes": {}, "shapes_average": {"pooling": "average"}},
        )
        patch.setitem(controls.BUDGETS, "shapes", {"preset": "shapes", "epochs": 1})
        yield controls


@pytest.fixture(scope="module")
def out(controls, tmp_path_factory):
    """The folder that one call of the tool has filled."""
    folder = tmp_path_factory.mktemp("controls")
    assert controls.main(["--out", str(folder)]) == 0
    return folder


@pytest.fixture
def table(out, monkeypatch):
    monkeypatch.setattr(records, "SHIPPED", out)
    return records.measures("shapes")


def test_every_network_and_map_has_a_row(table):
    assert [(row["network"], row["map"]) for row in table] == [
        *(("shapes", kind) for kind in ("own", *RIVALS)),
        ("shapes_untrained", "own"),
        ("shapes_average", "own"),
        ("shapes_average", "sharpened"),
    ]
    assert all(
        row.keys() >= MEASURES | {"accuracy", "deletion", "insertion"} for row in table
    )
    uniform = table[1]
    # 4 x 4 cells
    assert uniform["entropy"] == pytest.approx(4) and uniform[
        "energy_ratio"
    ] == pytest.approx(1)


def test_a_row_is_what_its_run_gives(table, out, small_data):
    network = records.load(out / "shapes_average").model()
    logits, maps = look(network, small_data.x_test)
    predicted = logits.argmax(axis=1)
    own = maps[range(len(maps)), predicted]
    row = table[-2]
    assert row["accuracy"] == pytest.approx((predicted == small_data.y_test).mean())
    for name, value in faithfulness.measure(own, small_data.mask_test).items():
        assert row[name] == pytest.approx(value, rel=1e-4), name
    _, area = faithfulness.deletion(network, small_data.x_test, own, predicted, 4)
    assert row["deletion"] == pytest.approx(area.mean(), rel=1e-3)
    for name, value in faithfulness.measure(own**4, small_data.mask_test).items():
        assert table[-1][name] == pytest.approx(value, rel=1e-4), name


def test_finished_runs_are_only_read(controls, out):
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*/*")}
    assert len(before) == 12 and len(list(controls.runs("shapes", out))) == 2
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*/*")} == before


def test_runs_are_copied_as_they_are_shipped(controls, out, tmp_path, monkeypatch):
    monkeypatch.setattr(controls, "SEEDS", {"shapes": (0, 1)})
    monkeypatch.setattr(controls, "measured", lambda *asked: {"energy": 0.5})
    told = ["--out", str(out), "--table", str(tmp_path / "table.csv")]
    stray = tmp_path / "shipped" / "shapes" / "seed_1" / "weights.npz"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"of an older run")
    assert controls.main([*told, "--records", str(tmp_path / "shipped")]) == 0
    whole = records.load(tmp_path / "shipped" / "shapes", 0)
    assert whole.recipe["keep"] == "epochs" and whole.model()
    assert (whole.folder / "epochs.npz").is_file()
    scores = records.load(tmp_path / "shipped" / "shapes", 1)
    assert scores.recipe["keep"] == "scores"
    assert scores.results == records.load(out / "shapes", 1).results
    names = {file.name for file in scores.folder.iterdir()}
    assert names == {"recipe.json", "history.csv", "results.json"}


def test_runs_are_not_shipped_over_themselves(controls, out, tmp_path, capsys):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.*")}
    for place in (out, out / ".." / out.name):
        assert controls.main(["--out", str(out), "--records", str(place)]) == 2
        assert "--records must be another folder" in capsys.readouterr().err
    (tmp_path / "letter").write_text("dear")
    told = ["--out", str(tmp_path / "new"), "--records", str(tmp_path / "letter")]
    assert controls.main(told) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.*")} == before


def test_a_rerun_has_another_number_of_threads(
    controls, out, tmp_path, monkeypatch, capsys
):
    """Here the other process is this one; its first call fails."""
    asked = []

    def process(command, env, stdout):
        told = dict(zip(command[4::2], command[5::2]))
        asked.append((told["--seed"], env["TF_NUM_INTRAOP_THREADS"]))
        if len(asked) > 1:
            again = {"seed": int(told["--seed"]), "keep": told["--keep"], "epochs": 1}
            running.train(told["--preset"], told["--out"], **again, verbose=0)
        return SimpleNamespace(returncode=2 * (len(asked) == 1))

    monkeypatch.setattr(controls.subprocess, "run", process)
    monkeypatch.setattr(controls, "SEEDS", {"shapes_again": (3,)})
    monkeypatch.setitem(controls.NETWORKS, "shapes", {"shapes_again": {}})
    monkeypatch.setattr(controls, "measured", lambda *asked: {"energy": 0.5})
    told = ["--out", str(tmp_path), "--records", str(tmp_path / "shipped")]
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    assert controls.main(told) == 2
    assert "seed_3 failed, as told above" in capsys.readouterr().err
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    assert controls.main(told) == 0
    assert asked == [("3", "1"), ("3", "2")]
    assert controls.main(told) == 0 and len(asked) == 2  # only read
    assert records.load(tmp_path / "shipped" / "shapes_again", 3).results


def test_without_masks_the_measures_that_need_none(controls, small_data):
    bare = replace(small_data, mask_train=None, mask_val=None, mask_test=None)
    row = next(controls.rows_of("tiny", 0, model.PatchConvNet(**TINY), bare))
    assert not MEASURES - {"entropy"} & row.keys() and row.keys() >= {
        "entropy",
        "deletion",
        "insertion",
    }


def test_a_folder_that_holds_other_files_is_one_line(controls, tmp_path, capsys):
    (tmp_path / "shapes" / "seed_1").mkdir(parents=True)
    (tmp_path / "shapes" / "seed_1" / "letter.txt").write_text("dear")
    assert controls.main(["--out", str(tmp_path)]) == 2
    assert "not empty and holds no run" in capsys.readouterr().err


def test_a_missing_and_a_damaged_table(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "SHIPPED", tmp_path)
    with pytest.raises(PatchConvNetError, match="measures_shapes.csv is not there"):
        records.measures("shapes")
    (tmp_path / "measures_shapes.csv").write_text("network,energy\nshapes,half\n")
    with pytest.raises(PatchConvNetError, match="could not convert"):
        records.measures("shapes")
