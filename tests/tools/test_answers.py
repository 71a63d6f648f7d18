"""Chapter 17's tool: which networks it asks, and what it finds."""

from pathlib import Path

import numpy as np
import pytest

from patchconvnet import faithfulness, model, records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.faithfulness.gradients import cut_at_pooling
from patchconvnet.training import running

TOOLS = Path(__file__).resolve().parents[2] / "tools"
TINY = {"image_size": 16, "dim": 8, "depth": 1, "norm": "batch"}
SINGLE, AVERAGE, TOKENS = "shapes", "shapes_average", "shapes_per_class"


@pytest.fixture(scope="module")
def answers(small_data):
    """The tool, on small data, with one seed of each kind of network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        import answers
        import controls

        for module in (running, answers):
            patch.setattr(module, "load_dataset", lambda name, **options: small_data)
        patch.setitem(model.PRESETS, "shapes", TINY)
        patch.setattr(answers, "ASKED", dict.fromkeys((SINGLE, AVERAGE, TOKENS), (1,)))
        patch.setattr(answers, "PAIRS", 90)
        patch.setattr(answers, "MOVED", 6)
        patch.setitem(answers.TUNED, "epochs", 1)
        patch.setitem(controls.BUDGETS, "shapes", {"preset": "shapes", "epochs": 1})
        yield answers


@pytest.fixture(scope="module")
def folders(answers, tmp_path_factory):
    """The folders that one call of the tool has filled."""
    runs, out = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("out")
    assert answers.main(["--runs", str(runs), "--out", str(out)]) == 0
    return runs, out


@pytest.fixture
def table(folders, monkeypatch):
    monkeypatch.setattr(records, "SHIPPED", folders[1])
    return {row["network"]: row for row in records.measures("answers")}


def test_each_network_is_asked_what_it_can_be_asked(answers, table):
    assert list(table) == [SINGLE, AVERAGE, TOKENS, *answers.TOKENS]
    for name, row in table.items():
        given = {column for column in answers.COLUMNS if np.isfinite(row[column])}
        lacks = set(answers.COLUMNS) - given - {"right_on", "right_off"}
        groups = {column.split("_")[0] for column in lacks}
        assert groups == ({"class"} if name == SINGLE else {"moved"}), name


def test_a_row_is_what_its_network_gives(folders, table, small_data):
    network = records.load(folders[0] / SINGLE).model()
    logits, maps = network.explain(small_data.x_test)
    right = logits.argmax(axis=1) == small_data.y_test
    on = faithfulness.pointing_game(maps[:, 0], small_data.mask_test)
    row = table[SINGLE]
    assert row["accuracy"] == pytest.approx(right.mean())
    assert row["right_on"] == pytest.approx((right & on).sum() / on.sum(), rel=1e-5)
    off = (right & ~on).sum() / (~on).sum()
    assert row["right_off"] == pytest.approx(off, rel=1e-5, abs=1e-9)
    few = faithfulness.measure(maps[:6, 0], small_data.mask_test[:6])
    assert row["moved_energy_before"] == pytest.approx(few["energy"], rel=1e-4)
    assert row["moved_energy"] < row["moved_energy_before"]


class Painter:
    """Stands for a network that answers 3 and looks where the caller wants."""

    def __init__(self, maps):
        self.maps = maps

    def get_config(self):
        return {"pooling": "attention"}

    def explain(self, images):
        return np.tile(np.eye(10)[3], (len(images), 1)), self.maps(images)


def test_maps_on_each_object_are_told_apart(answers):
    """The maps of all classes are the mask of the first object, but that of the second
    object's class.
    """
    _, labels, masks = answers.shapes.generate_pairs(answers.PAIRS, seed=1)
    cells = [faithfulness.cell_shares(masks[:, each], (8, 8)) for each in (0, 1)]
    maps = np.repeat(cells[0][:, None], 10, axis=1)  # (N, 10, 8, 8)
    maps[np.arange(len(labels)), labels[:, 1]] = cells[1]
    found = answers.pairs(Painter(lambda images: maps))
    assert found["class_own"] == found["class_absent"] == 1
    assert found["class_other"] == 0
    known = (labels == 3).any(axis=1)
    assert found["pair_answered"] == known.mean() and 0 < known.mean() < 1
    assert found["pair_named"] == 1 and found["pair_other"] == 0
    single = answers.pairs(Painter(lambda images: cells[1][:, None]))
    second = (labels[known] == 3)[:, 1].mean()
    assert single["pair_named"] == pytest.approx(second)
    assert single["pair_other"] == pytest.approx(1 - second)
    assert "class_own" not in single


def test_tokens_go_on_from_the_single_one(answers, small_data):
    """Before training, every class's token reads as the single one did, without itself
    in the line.
    """
    single = model.PatchConvNet(**TINY)
    model.set_weights(single, model.weights_of(single))  # rounded to float16
    tokens = model.PatchConvNet(**TINY, class_tokens="per_class")
    answers.start_from(tokens, single)
    images = small_data.x_test[:5]
    cut = cut_at_pooling(single, images)
    weights = cut.weights[:, :, 1:] / cut.weights[:, :, 1:].sum(axis=-1, keepdims=True)
    wanted = cut.reader.predict([weights, cut.values[:, 1:]], verbose=0)
    logits, maps = tokens.explain(images)
    np.testing.assert_allclose(logits, wanted, atol=1e-4)
    for each in range(10):
        np.testing.assert_allclose(
            maps[:, each].reshape(5, -1), weights[:, 0], atol=1e-5
        )


def test_networks_that_are_there_are_only_read(answers, folders):
    runs, out = folders
    files = [*runs.glob("*/*/weights.npz"), *out.glob("*/*/weights.npz")]
    assert len(files) == 5
    before = {file: file.stat().st_mtime_ns for file in files}
    table = (out / "measures_answers.csv").read_bytes()
    assert answers.main(["--runs", str(runs), "--out", str(out)]) == 0
    assert {file: file.stat().st_mtime_ns for file in files} == before
    assert (out / "measures_answers.csv").read_bytes() == table


def test_what_cannot_be_written_is_one_line_before_any_training(
    answers, tmp_path, capsys
):
    (tmp_path / "letter").write_text("dear")
    told = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "letter")]
    assert answers.main(told) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_network_from_other_weights_is_not_taken(answers, folders, small_data):
    """`--out` of other runs: the table would mix two sets."""
    other = model.PatchConvNet(**TINY)
    with pytest.raises(PatchConvNetError, match="from other weights: give another"):
        answers.tokens(answers.TOKENS[0], 1, other, folders[1], small_data)
