"""What happens around the steps of a training: batches in a fixed order, and what is kept after every epoch.

    Batches             feeds the steps
    StopOnBadLoss       after each epoch: is the loss still a number?
    AttentionRecorder   then: scores and maps of the same images
    Checkpoint          then: all that training goes on from
"""

import time
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from patchconvnet import records
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import written_aside
from patchconvnet.scores import look, score_attention, score_logits

PROBES = 32  # images whose maps are kept after every epoch: the first ones of the test set


class Batches(keras.utils.PyDataset):
    """Shuffled batches whose order depends only on the seed and the epoch, so that a resumed run sees the same.

    Each item is a pair: images uint8 (B, H, W, 3), labels one-hot float32 (B, classes).
    """

    def __init__(self, images, labels, batch_size, num_classes, seed):
        super().__init__()
        self.images = images
        self.labels = np.eye(num_classes, dtype="float32")[labels]  # (N,) -> (N, classes)
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle(0)

    def shuffle(self, epoch):
        """Draw the order of an epoch, counted from 0."""
        self.order = np.random.default_rng((self.seed, epoch)).permutation(len(self.images))

    def __len__(self):
        return -(-len(self.images) // self.batch_size)  # rounded up

    def __getitem__(self, index):
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.images[chosen], self.labels[chosen]


@contextmanager
def averaged_weights(model):
    """While this lasts, a compiled model has the running mean of its weights, if its optimizer keeps one.

    Batch normalization keeps the averages that belong to the current weights, as Keras does at the end of `fit`: part of
    why averaging may cost something in a short run.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # mixed_float16 scales the loss
    if not optimizer.use_ema:
        yield
        return
    current = [_to_numpy(variable) for variable in model.trainable_variables]
    optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, current):
            variable.assign(value)


class AttentionRecorder(keras.callbacks.Callback):
    """Keeps, before training and after every epoch, the maps of the same probe images.

    Also measures the validation images: their loss and accuracy and, where masks are known, how often attention is
    on the object. These join the epoch's logs, so that the progress bar and `History` have them too.

    Args:
        dataset: a `Dataset`. The first 32 test images are the probes.
        folder: run folder for `attention.npz`, `history.csv` (and `epochs.npz`); None keeps all in memory.
        keep_epochs: whether to keep the weights after every epoch.

    Attributes:
        maps: list, one array an epoch, float16 (P, Q, h, w), the first from before training.
        logits: list, one array an epoch, float16 (P, classes).
        history: dict of column name to list, one value an epoch.
    """

    def __init__(self, dataset, folder=None, keep_epochs=False):
        super().__init__()
        self.dataset = dataset
        self.folder = None if folder is None else Path(folder)
        self.keep_epochs = keep_epochs
        self.maps, self.logits, self.history, self.weights = [], [], {}, {}

    def restore(self, epochs):
        """Go on after `epochs` whole epochs of a run that was stopped: read what its folder holds up to there."""
        if not epochs:
            return
        self.history = {
            key: list(column[:epochs]) for key, column in records.read_history(self.folder / "history.csv").items()
        }
        arrays = records.read_arrays(self.folder / "attention.npz")
        self.maps, self.logits = (list(arrays[name][: epochs + 1]) for name in ("maps", "logits"))
        if self.keep_epochs:
            kept = records.read_arrays(self.folder / "epochs.npz")
            self.weights = {key: array for key, array in kept.items() if int(key.split("/")[0]) <= epochs}

    def on_train_begin(self, logs=None):
        if not self.maps:
            self._probe(epoch=0)

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.started
        with averaged_weights(self.model):
            self._probe(epoch + 1)
            logs.update(self._validate())
        row = {"epoch": epoch + 1, **logs, "seconds": seconds}
        row["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        for key, value in row.items():
            self.history.setdefault(key, []).append(float(value))
        if self.folder is not None:
            self._write()

    def _probe(self, epoch):
        logits, maps = look(self.model, self.dataset.x_test[:PROBES])
        self.logits.append(logits.astype("float16"))
        self.maps.append(maps.astype("float16"))
        if self.keep_epochs:
            for path, array in records.weights_of(self.model).items():
                self.weights[f"{epoch}/{path}"] = array

    def _validate(self):
        if not len(self.dataset.x_val):
            return {}
        logits, maps = look(self.model, self.dataset.x_val)
        scores = {f"val_{name}": value for name, value in score_logits(logits, self.dataset.y_val).items()}
        scores.pop("val_top5")
        return {**scores, **score_attention(logits, maps, self.dataset.mask_val)}

    def _write(self):
        records.write_history(self.folder / "history.csv", self.history)
        records.write_arrays(
            self.folder / "attention.npz",
            {"maps": np.stack(self.maps), "logits": np.stack(self.logits), "indices": np.arange(len(self.maps[0]))},
        )
        if self.keep_epochs:
            records.write_arrays(self.folder / "epochs.npz", self.weights)


class Checkpoint(keras.callbacks.Callback):
    """After every epoch, writes all that training goes on from: weights, optimizer, and which epoch it was.

    Before every epoch it sets the order of images and all random generators from the seed and the epoch's number, so
    that a run which was stopped continues as if it had not been.

    Args:
        path: the checkpoint's file. It is written aside and renamed.
        batches: the `Batches` that the model trains on.
    """

    def __init__(self, path, batches):
        super().__init__()
        self.path = path
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.shuffle(epoch)
        states = [variable for variable in self.model.variables if variable.path.endswith("seed_generator_state")]
        for index, state in enumerate(states):
            first = (self.batches.seed * 1000 + index) % 2**32
            state.assign(np.array([first, epoch], dtype="uint32"))

    def on_epoch_end(self, epoch, logs=None):
        arrays = {str(index): value for index, value in enumerate(map(_to_numpy, _state(self.model)))}
        with written_aside(self.path) as aside:
            np.savez(aside, epochs_done=epoch + 1, **arrays)

    def restore(self, model):
        """Load the checkpoint into a compiled model if there is one: how many epochs were done, 0 or more."""
        model.optimizer.build(model.trainable_variables)
        if not self.path.is_file():
            return 0
        arrays = records.read_arrays(self.path)
        state = _state(model)
        expected = {"epochs_done": (), **{str(index): tuple(variable.shape) for index, variable in enumerate(state)}}
        if {key: array.shape for key, array in arrays.items()} != expected:
            raise PatchConvNetError(
                f"{self.path} does not fit this network: it was written by another version; choose another folder"
            )
        for index, variable in enumerate(state):
            variable.assign(arrays[str(index)])
        return int(arrays["epochs_done"])


# === state ===


def _state(model):
    return [*model.weights, *model.optimizer.variables]


def _to_numpy(variable):
    return keras.ops.convert_to_numpy(variable)


class StopOnBadLoss(keras.callbacks.Callback):
    """Stops with an error when the loss is no longer a finite number; the last good checkpoint stays."""

    async_safe = True  # Keras then calls the hook below beside the steps: no step waits for it

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.bad_step = None

    def on_train_batch_end(self, batch, logs=None):
        # The logged loss is the epoch's mean so far: once it is not finite, it stays so.
        if not np.isfinite(logs["loss"]) and (self.bad_step is None or batch < self.bad_step):
            self.bad_step = batch
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self.bad_step is None:
            return
        kept = f"; {self.path} keeps the epoch before" if self.path.is_file() else ""
        raise PatchConvNetError(
            f"the loss became {logs['loss']} at step {self.bad_step + 1} of epoch {epoch + 1}: try another seed, or a "
            f"lower learning_rate (--set learning_rate=...) in another folder{kept}"
        )
