"""What happens around the steps of a training.

StopOnBadLoss       after each epoch: is the loss still a number?
AttentionRecorder   then: scores and maps of the same images
Checkpoint          then: all that training goes on from
"""

import hashlib
import time
from pathlib import Path

import keras
import numpy as np

from patchconvnet import records
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.inference import look
from patchconvnet.training.averaging import (
    averaged_weights,
    keeps_average,
    set_random_states,
)
from patchconvnet.training.scores import score_attention, score_logits

PROBES = 32  # images whose maps are kept: the first ones of the test set

ANOTHER_TRY = (
    "try another seed, or a lower learning_rate (--set learning_rate=...) in another"
    " folder"
)


class AttentionRecorder(keras.callbacks.Callback):
    """Keeps the maps of the same probe images, from before training on.

    Also measures the validation images: their loss and accuracy and, where masks are
    known, how often attention is on the object. These join the epoch's logs, so that
    the progress bar and `History` have them too. Where the optimizer keeps a running
    mean of the weights, the mean is measured, and of the raw weights the accuracy.

    Args:
        dataset: a `Dataset`. The first 32 test images are the probes.
        folder: run folder for `attention.npz`, `history.csv` (and `epochs.npz`); None
            keeps all in memory.
        keep_epochs: whether to keep the weights after every epoch.

    Attributes:
        maps: list, one array an epoch, float16 (P, Q, h, w), the first from before
            training.
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
        """Go on after `epochs` whole epochs of a run that was stopped.

        What its folder holds up to there is read.
        """
        if not epochs:
            return
        history = records.read_history(self.folder / "history.csv")
        self.history = {key: list(column[:epochs]) for key, column in history.items()}
        arrays = records.read_arrays(self.folder / "attention.npz")
        self.maps = list(arrays["maps"][: epochs + 1])
        self.logits = list(arrays["logits"][: epochs + 1])
        if self.keep_epochs:
            kept = records.read_arrays(self.folder / "epochs.npz")
            self.weights = {
                key: array
                for key, array in kept.items()
                if int(key.split("/")[0]) <= epochs
            }

    def digest(self, epochs):
        """The sha256 of the number of epochs and of all that is kept of them: a string.

        It is taken of them as they stand in the files.
        """
        found = hashlib.sha256(f"{epochs} epochs\n".encode())
        for key, column in self.history.items():
            numbers = " ".join(map(records.as_written, column))
            found.update(f"{key}: {numbers}\n".encode())
        weights = [self.weights[key] for key in sorted(self.weights)]
        for array in (*self.maps, *self.logits, *weights):
            found.update(f"{array.dtype} {array.shape}".encode())
            found.update(np.ascontiguousarray(array))
        return found.hexdigest()

    def on_train_begin(self, logs=None):
        if not self.maps:
            self._probe(epoch=0)

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.started
        raw = self._validate() if keeps_average(self.model) else {}
        with averaged_weights(self.model, self.dataset.x_train):
            self._probe(epoch + 1)
            logs.update(self._validate())
        if raw:
            logs["val_accuracy_raw"] = raw["val_accuracy"]
        row = {"epoch": epoch + 1, **logs, "seconds": seconds}
        row["learning_rate"] = float(
            keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        )
        for key, value in row.items():
            self.history.setdefault(key, []).append(float(value))
        if self.folder is not None:
            self._write()

    def _probe(self, epoch):
        logits, maps = look(self.model, self.dataset.x_test[:PROBES])
        with np.errstate(over="ignore"):
            self.logits.append(logits.astype("float16"))
        self.maps.append(maps.astype("float16"))
        if self.keep_epochs:
            for path, array in records.weights_of(self.model).items():
                self.weights[f"{epoch}/{path}"] = array

    def _validate(self):
        if not len(self.dataset.x_val):
            return {}
        try:
            logits, maps = look(self.model, self.dataset.x_val)
            scores = score_logits(logits, self.dataset.y_val)
            scores.pop("top5", None)
            scores = {f"val_{name}": value for name, value in scores.items()}
            return {**scores, **score_attention(logits, maps, self.dataset.mask_val)}
        except PatchConvNetError as error:
            raise PatchConvNetError(
                f"training has failed ({error}): {ANOTHER_TRY}"
            ) from error

    def _write(self):
        records.write_history(self.folder / "history.csv", self.history)
        arrays = {
            "maps": np.stack(self.maps),
            "logits": np.stack(self.logits),
            "indices": np.arange(len(self.maps[0])),
        }
        records.write_arrays(self.folder / "attention.npz", arrays)
        if self.keep_epochs:
            records.write_arrays(self.folder / "epochs.npz", self.weights)


class Checkpoint(keras.callbacks.Callback):
    """Writes all that training goes on from: before it, and after every epoch.

    Before every epoch it sets the order of images and all random generators from the
    seed and the epoch's number, so that a run which was stopped continues as if it had
    not been.

    Args:
        path: the checkpoint's file. It is written aside and renamed.
        batches: the `Batches` that the model trains on.
        recorder: the `AttentionRecorder` whose files must be of the same epochs.
        variant: which data these are (see `data.Dataset`): a run must not go on with
            others.
    """

    def __init__(self, path, batches, recorder, variant):
        super().__init__()
        self.path = path
        self.batches = batches
        self.recorder = recorder
        self.variant = variant

    def on_train_begin(self, logs=None):
        if not self.path.is_file():
            self._write(0)

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.shuffle(epoch)
        set_random_states(self.model, self.batches.seed, epoch)

    def on_epoch_end(self, epoch, logs=None):
        self._write(epoch + 1)

    def _write(self, done):
        arrays = {
            "epochs_done": np.array(done),
            "variant": self.variant,
            "digest": self.recorder.digest(done),
        }
        for index, variable in enumerate(_state(self.model)):
            arrays[str(index)] = _to_numpy(variable)
        records.write_arrays(self.path, arrays, compressed=False)

    def restore(self, model, epochs):
        """Load the checkpoint, if there is one, and the recorder's files.

        Args:
            model: the compiled model.
            epochs: how many epochs the run has.

        Returns:
            How many epochs were done, 0 to `epochs`.

        Raises:
            PatchConvNetError: the files do not belong together, or are damaged; other
                data.
        """
        model.optimizer.build(model.trainable_variables)
        if not self.path.is_file():
            return 0
        try:
            arrays = records.read_arrays(self.path)
            done = self._checked(arrays, _state(model), epochs)
            self.recorder.restore(done)
            if done and self.recorder.digest(done) != str(arrays["digest"]):
                raise PatchConvNetError(
                    "its history, maps and checkpoint are not of the same epochs"
                )
        except (LookupError, ValueError, TypeError) as error:
            reason = error
            if not isinstance(error, PatchConvNetError):
                reason = f"its files are damaged ({error!r})"
            raise PatchConvNetError(
                f"the stopped run in {self.path.parent} cannot go on:"
                f" {one_line(reason)}. Delete {self.path} to start it over, or choose"
                " another folder"
            ) from error
        for index, variable in enumerate(_state(model)):
            variable.assign(arrays[str(index)])
        return done

    def _checked(self, arrays, state, epochs):
        """How many epochs the checkpoint has done, if it fits model, data and run."""
        expected = dict.fromkeys(("epochs_done", "variant", "digest"), ())
        expected |= {
            str(index): tuple(variable.shape) for index, variable in enumerate(state)
        }
        if {key: array.shape for key, array in arrays.items()} != expected:
            raise PatchConvNetError(
                "its checkpoint does not fit this network, or was written by another"
                " version"
            )
        if str(arrays["variant"]) != self.variant:
            raise PatchConvNetError(
                f"it began with other data ({arrays['variant']}), and these are"
                f" {self.variant}"
            )
        done = int(arrays["epochs_done"])
        if not 0 <= done <= epochs:
            raise PatchConvNetError(
                f"its checkpoint is of epoch {done}, and the run has {epochs}"
            )
        return done


class StopOnBadLoss(keras.callbacks.Callback):
    """Stops with an error when the loss is no longer a finite number.

    The last good checkpoint stays.
    """

    # Keras then calls the hook below beside the steps: no step waits for it
    async_safe = True

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.bad_step = None

    def on_train_batch_end(self, batch, logs=None):
        # The logged loss is the epoch's mean so far: once not finite, it stays so.
        is_first = self.bad_step is None or batch < self.bad_step
        if is_first and not np.isfinite(logs["loss"]):
            self.bad_step = batch
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self.bad_step is None:
            return
        kept = f"; {self.path} keeps the epoch before" if self.path.is_file() else ""
        raise PatchConvNetError(
            f"the loss became {logs['loss']} at step {self.bad_step + 1} of epoch"
            f" {epoch + 1}: {ANOTHER_TRY}{kept}"
        )


# === state ===


def _state(model):
    return [*model.weights, *model.optimizer.variables]


def _to_numpy(variable):
    return keras.ops.convert_to_numpy(variable)
