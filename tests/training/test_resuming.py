"""A stopped run goes on only where all of its files are of the same epochs, and the
data are those that it began with.
"""

import dataclasses

import numpy as np
import pytest

from patchconvnet import files, model, records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.training import running

TINY = {"image_size": 16, "dim": 8, "depth": 1, "norm": "batch"}
EPOCHS = 3


@pytest.fixture(scope="module")
def stopped_run(small_data, tmp_path_factory):
    """The folder of a run that was stopped in its third epoch. Tests change a copy."""
    folder = tmp_path_factory.mktemp("runs") / "stopped"
    begin = running.Checkpoint.on_epoch_begin

    def stop(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(model.PRESETS, "shapes", TINY)
        patch.setattr(running, "load_dataset", lambda name, **options: small_data)
        patch.setattr(running.Checkpoint, "on_epoch_begin", stop)
        with pytest.raises(KeyboardInterrupt):
            running.train("shapes", folder, epochs=EPOCHS, verbose=0)
    return folder


@pytest.fixture
def stopped(stopped_run, tmp_path, monkeypatch):
    monkeypatch.setitem(model.PRESETS, "shapes", TINY)
    folder = tmp_path / "stopped"
    folder.mkdir()
    for path in stopped_run.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def change_arrays(path, change):
    arrays = records.read_arrays(path)
    change(arrays)
    records.write_arrays(path, arrays)


def change_text(path, change):
    path.write_text(change(path.read_text()))


def rows(count):
    return lambda text: "\n".join(text.splitlines()[: count + 1]) + "\n"


def swapped_rows(text):
    head, *others = text.splitlines()
    return "\n".join([head, *reversed(others)]) + "\n"


TAMPERED = {
    "history with a row less": lambda run: change_text(run / "history.csv", rows(1)),
    "history without a row": lambda run: change_text(run / "history.csv", rows(0)),
    "history cut in a number": lambda run: change_text(
        run / "history.csv", lambda text: text[:-4]
    ),
    "history cut in a row": lambda run: change_text(
        run / "history.csv", lambda text: text[:-30]
    ),
    "history in another order": lambda run: change_text(
        run / "history.csv", swapped_rows
    ),
    "history with another loss": lambda run: change_text(
        run / "history.csv", lambda text: text.replace("2.", "1.", 1)
    ),
    "no history": lambda run: (run / "history.csv").unlink(),
    "history of zeros": lambda run: (run / "history.csv").write_bytes(bytes(300)),
    "maps of one epoch less": lambda run: change_arrays(
        run / "attention.npz", lambda arrays: arrays.update(maps=arrays["maps"][:-1])
    ),
    "logits of one epoch less": lambda run: change_arrays(
        run / "attention.npz",
        lambda arrays: arrays.update(logits=arrays["logits"][:-1]),
    ),
    "other maps": lambda run: change_arrays(
        run / "attention.npz", lambda arrays: arrays.update(maps=arrays["maps"][::-1])
    ),
    "no logits": lambda run: change_arrays(
        run / "attention.npz", lambda arrays: arrays.pop("logits")
    ),
    "a number for maps": lambda run: change_arrays(
        run / "attention.npz", lambda arrays: arrays.update(maps=np.array(1))
    ),
    "no maps": lambda run: (run / "attention.npz").unlink(),
    "damaged maps": (
        lambda run: (run / "attention.npz").write_bytes(b"PK\x03\x04 cut short")
    ),
    "weights of one epoch less": lambda run: change_arrays(
        run / "epochs.npz",
        lambda arrays: [
            arrays.pop(key) for key in list(arrays) if key.startswith("1/")
        ],
    ),
    "weights under another name": lambda run: change_arrays(
        run / "epochs.npz", lambda arrays: arrays.update(other=np.array(1))
    ),
    "no weights": lambda run: (run / "epochs.npz").unlink(),
    "epochs beyond the end": lambda run: change_arrays(
        run / "checkpoint.npz",
        lambda arrays: arrays.update(epochs_done=np.array(EPOCHS + 1)),
    ),
    "more epochs done": lambda run: change_arrays(
        run / "checkpoint.npz", lambda arrays: arrays.update(epochs_done=np.array(3))
    ),
    "fewer epochs done": lambda run: change_arrays(
        run / "checkpoint.npz", lambda arrays: arrays.update(epochs_done=np.array(1))
    ),
    "negative epochs": lambda run: change_arrays(
        run / "checkpoint.npz", lambda arrays: arrays.update(epochs_done=np.array(-1))
    ),
    "epochs in words": lambda run: change_arrays(
        run / "checkpoint.npz",
        lambda arrays: arrays.update(epochs_done=np.array("two")),
    ),
    "no number of epochs": lambda run: change_arrays(
        run / "checkpoint.npz", lambda arrays: arrays.pop("epochs_done")
    ),
    "another shape": lambda run: change_arrays(
        run / "checkpoint.npz", lambda arrays: arrays.update({"0": np.zeros(3)})
    ),
    "a damaged checkpoint": (
        lambda run: (run / "checkpoint.npz").write_bytes(
            (run / "checkpoint.npz").read_bytes()[:-40]
        )
    ),
    "an empty checkpoint": lambda run: (run / "checkpoint.npz").write_bytes(b""),
}


@pytest.fixture(scope="module")
def restore(small_data):
    """Let a compiled network go on as `train` does: gives the number of epochs done."""
    recipe = running.make_recipe("shapes", epochs=EPOCHS)
    network = model.PatchConvNet(**TINY)
    batches = running.Batches(small_data.x_train, small_data.y_train, 32, 10, 0)
    running.compile_model(network, recipe, len(batches))

    def restore(folder):
        recorder = running.AttentionRecorder(small_data, folder, keep_epochs=True)
        return running.Checkpoint(
            folder / "checkpoint.npz", batches, recorder, small_data.variant
        ).restore(network, EPOCHS)

    return restore


@pytest.mark.long
@pytest.mark.parametrize("how", TAMPERED)
def test_files_that_do_not_belong_together_are_refused(how, stopped, restore):
    assert restore(stopped) == 2
    TAMPERED[how](stopped)
    before = {path.name: path.read_bytes() for path in stopped.iterdir()}
    with pytest.raises(
        PatchConvNetError,
        match=(
            r"stopped run in .* cannot go on: .*Delete .*checkpoint\.npz to start it"
            r" over"
        ),
    ) as caught:
        restore(stopped)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in stopped.iterdir()} == before


@pytest.mark.long
def test_what_the_message_says_helps(stopped, train_on_small_data):
    TAMPERED["no history"](stopped)
    with pytest.raises(PatchConvNetError, match="history.csv is not there: .*Delete"):
        train_on_small_data(stopped, epochs=EPOCHS)
    (stopped / "checkpoint.npz").unlink()
    record = train_on_small_data(stopped, epochs=EPOCHS)
    assert (
        list(record.history["epoch"]) == [1, 2, 3]
        and len(record.attention["maps"]) == EPOCHS + 1
    )


@pytest.mark.long
def test_a_process_may_die_between_the_files_of_an_epoch(
    stopped, train_on_small_data, monkeypatch
):
    """The checkpoint is written last: the others may be an epoch ahead."""

    def die(self, epoch, logs=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(running.Checkpoint, "on_epoch_end", die)
        train_on_small_data(stopped, epochs=EPOCHS)
    assert len(records.read_history(stopped / "history.csv")["epoch"]) == EPOCHS
    # what it leaves where it is killed
    (stopped / ".0123456789ab.partial.npz").write_bytes(b"half")
    record = train_on_small_data(stopped, epochs=EPOCHS)
    assert (
        list(record.history["epoch"]) == [1, 2, 3]
        and len(record.attention["maps"]) == EPOCHS + 1
    )
    assert not [path for path in record.folder.iterdir() if path.name.startswith(".")]


def test_other_data_are_refused(stopped, small_data, monkeypatch):
    grown = dataclasses.replace(small_data, variant="with more pictures")
    monkeypatch.setattr(running, "load_dataset", lambda name, **options: grown)
    with pytest.raises(
        PatchConvNetError,
        match=(
            "began with other data .small, for tests., and these are with more"
            " pictures.*Delete"
        ),
    ):
        running.train("shapes", stopped, epochs=EPOCHS, verbose=0)


@pytest.mark.long
def test_the_data_are_known_from_before_the_first_epoch(
    small_data, tmp_path, train_on_small_data, monkeypatch
):
    monkeypatch.setitem(model.PRESETS, "shapes", TINY)

    def stop(self, epoch, logs=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(running.Checkpoint, "on_epoch_begin", stop)
        train_on_small_data(tmp_path / "run", epochs=1)
    monkeypatch.setattr(
        running,
        "load_dataset",
        lambda name, **options: dataclasses.replace(small_data, variant="others"),
    )
    with pytest.raises(PatchConvNetError, match="began with other data"):
        running.train("shapes", tmp_path / "run", epochs=1, verbose=0)
    monkeypatch.setattr(running, "load_dataset", lambda name, **options: small_data)
    assert len(train_on_small_data(tmp_path / "run", epochs=1).attention["maps"]) == 2


def test_a_second_process_is_told_that_the_folder_is_in_use(
    stopped, train_on_small_data
):
    pytest.importorskip("fcntl")
    before = {path.name: path.read_bytes() for path in stopped.iterdir()}
    with (
        files.held(stopped),
        pytest.raises(PatchConvNetError, match="another process is training in"),
    ):
        train_on_small_data(stopped, epochs=EPOCHS)
    assert {path.name: path.read_bytes() for path in stopped.iterdir()} == before


def test_a_run_that_another_process_finished_meanwhile_is_not_trained_again(
    stopped, small_data, monkeypatch
):
    answers = iter([False, True])
    monkeypatch.setattr(running, "has_finished", lambda *given: next(answers))
    monkeypatch.setattr(running, "load_dataset", lambda name, **options: small_data)
    monkeypatch.setattr(running, "_run", lambda *given: pytest.fail("it trained"))
    assert running.train("shapes", stopped, epochs=EPOCHS, verbose=0).folder == stopped


def test_randomness_is_of_the_epoch_and_the_seed_alone(small_data):
    """A resumed epoch draws what it would have drawn, and no other one drew that."""
    network = model.PatchConvNet(**TINY, shift=2, dropout=0.2)
    running.compile_model(network, running.make_recipe("shapes"), steps_per_epoch=3)

    def drawn(seed, epoch):
        batches = running.Batches(small_data.x_train, small_data.y_train, 32, 10, seed)
        checkpoint = running.Checkpoint(None, batches, None, "")
        checkpoint.set_model(network)
        checkpoint.on_epoch_begin(epoch)
        shifted = network.get_layer("augment")(
            small_data.x_train[:4].astype("float32"), training=True
        )
        return np.concatenate([np.ravel(shifted), np.ravel(batches[0][0])])

    first, again, next_epoch, other_seed = (
        drawn(0, 1),
        drawn(0, 1),
        drawn(0, 2),
        drawn(1, 1),
    )
    np.testing.assert_array_equal(first, again)
    for other in (next_epoch, other_seed):
        pixels = small_data.x_train[:4].size
        assert not np.array_equal(
            first[:pixels], other[:pixels]
        ) and not np.array_equal(first[pixels:], other[pixels:])


# === data that grow ===


@pytest.mark.long
def test_a_folder_that_grew_since_the_stop_is_refused_and_another_name_is_not(
    tmp_path, monkeypatch
):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)

    def add(kind, count):
        folder = tmp_path / "pictures" / kind
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            name = f"{len(list(folder.iterdir()))}.png"
            Image.fromarray(
                generator.integers(256, size=(16, 16, 3), dtype="uint8")
            ).save(folder / name)

    add("cat", 8), add("dog", 8)
    asked = {
        "epochs": 2,
        "settings": {"dim": 8, "depth": 1, "batch_size": 4, "image_size": 16},
        "verbose": 0,
    }
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(
            running, "_finish", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        running.train("shapes", "run", data="pictures/", **asked)
    add("dog", 1)
    with pytest.raises(
        PatchConvNetError,
        match=(
            "began with other data .16 own pictures .*, and these are 17 own pictures"
        ),
    ):
        running.train("shapes", "run", data="./pictures", **asked)
    (tmp_path / "pictures" / "dog" / "8.png").unlink()
    record = running.train(
        "shapes", tmp_path / "run", data=tmp_path / "pictures", **asked
    )
    assert (
        running.train("shapes", "run", data="pictures/../pictures", **asked).folder.name
        == record.folder.name
        == "run"
    )
