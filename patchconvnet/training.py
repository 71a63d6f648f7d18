"""Training: one call, the standard `fit`, and a run folder that tells everything afterwards.

    record = train(preset="shapes", out="runs/shapes")

    recipe    what the preset sets, plus what the caller changes        written first
    fit       after each epoch: history, attention maps, checkpoint
    finish    weights, test scores; results.json                        written last

A run that was stopped goes on from its last whole epoch when the same call is made again.
"""

import difflib
import inspect
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from patchconvnet import faithfulness, records
from patchconvnet.data import load_dataset
from patchconvnet.environment import device, peak_memory, versions
from patchconvnet.errors import PatchConvNetError
from patchconvnet.files import written_aside
from patchconvnet.model import PatchConvNet, preset_config
from patchconvnet.schedule import AdamW, WarmUpCosine

PROBES = 32  # images whose maps are kept after every epoch: the first ones of the test set

RECIPES = {
    "shapes": {
        "dataset": "shapes",
        "epochs": 8,
        "batch_size": 32,
        "learning_rate": 2.5e-3,
        "warmup": 0.15,
        "weight_decay": 0.05,
        "label_smoothing": 0.0,
    },
    "keras_example": {
        "dataset": "cifar10",
        "validation": 10_000,
        "epochs": 50,
        "batch_size": 128,
        "learning_rate": 1e-3,
        "warmup": 0.15,
        "weight_decay": 0.1,
        "label_smoothing": 0.0,
    },
}


def train(preset, out, data=None, *, epochs=None, limit=None, seed=0, keep=None, model=None, verbose="auto"):
    """Train a preset and write its run folder; go on with a run that was stopped; or return a finished one.

    Sets Python's, NumPy's and the backend's global random seeds.

    Args:
        preset: "shapes" or "keras_example".
        out: folder to write; made if it is not there.
        data: name of a data set, if not the preset's own.
        epochs: number of passes over the training images, if not the preset's own.
        limit: use only this many training images.
        seed: seed of the weights, of the order of images and of their variation.
        keep: what stays in the folder: "epochs" (the weights after every epoch, too: the default for "shapes"),
            "weights" (the last ones: the default else), or "scores" (no weights and no maps).
        model: a dict of arguments of `PatchConvNet` to use instead of the preset's: {"class_tokens": "per_class"}.
        verbose: as in Keras' `fit`: 0 silent, 1 progress bar, 2 a line an epoch, "auto".

    Returns:
        A `records.Record`.

    Raises:
        PatchConvNetError: unknown preset or data set; a number out of range; a folder that holds another run or
            other files, or cannot be written; a loss that is not finite.
    """
    recipe = make_recipe(preset, data, epochs, limit, seed, keep, model)
    folder = Path(out).expanduser()
    if _has_finished(folder, recipe):
        return records.Record(folder)
    keras.utils.set_random_seed(seed)
    network = PatchConvNet(**recipe["model"])
    dataset = _load(recipe)
    if recipe["batch_size"] > len(dataset.x_train):
        raise PatchConvNetError(
            f"a batch has {recipe['batch_size']} images, but there are only {len(dataset.x_train)} to train on"
        )
    # Only now is the folder ours: a call that could not have trained must not stand in the way of the next one.
    records.write_json(folder / "recipe.json", recipe)
    batches = Batches(dataset.x_train, dataset.y_train, recipe["batch_size"], len(dataset.class_names), seed)
    compile_model(network, recipe, steps_per_epoch=len(batches))
    recorder = AttentionRecorder(dataset, folder, keep_epochs=recipe["keep"] == "epochs")
    checkpoint = Checkpoint(folder / "checkpoint.npz", batches)
    done = checkpoint.restore(network)
    recorder.restore(done)
    network.fit(
        batches,
        epochs=recipe["epochs"],
        initial_epoch=done,
        shuffle=False,  # `Batches` shuffles; Keras would shuffle the order of batches again, by a clock-like seed
        verbose=verbose,
        # The recorder comes first: the checkpoint's rename is what makes an epoch count as done.
        callbacks=[StopOnBadLoss(checkpoint.path), recorder, checkpoint],
    )
    return _finish(folder, recipe, network, dataset, recorder)


# === recipe ===


def make_recipe(preset, data=None, epochs=None, limit=None, seed=0, keep=None, model=None):
    """All that is set for a run, as a dict of plain values; arguments and errors as in `train`."""
    config = {**preset_config(preset), **_known_arguments(model or {})}
    if preset not in RECIPES:
        known = ", ".join(RECIPES)
        raise PatchConvNetError(f"there is no recipe to train {preset!r}: presets that have one are {known}")
    recipe = {"preset": preset, **RECIPES[preset]}
    if data is not None:
        recipe["dataset"] = data
    if recipe["dataset"] != "cifar10":
        recipe.pop("validation", None)
    if epochs is not None:
        recipe["epochs"] = _positive("epochs", epochs)
    recipe["limit"] = None if limit is None else _positive("limit", limit)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**31:
        raise PatchConvNetError(f"seed must be a whole number from 0 to {2**31 - 1}, got {seed!r}")
    recipe["seed"] = int(seed)
    recipe["keep"] = keep or ("epochs" if preset == "shapes" else "weights")
    if recipe["keep"] not in ("epochs", "weights", "scores"):
        raise PatchConvNetError(f'keep must be "epochs", "weights" or "scores", got {keep!r}')
    recipe["model"] = {**config, "num_classes": 10, "seed": int(seed)}
    return recipe


def _known_arguments(model):
    """The same dict, if every key is an argument of `PatchConvNet`."""
    known = [name for name in inspect.signature(PatchConvNet).parameters if name != "kwargs"]
    for name in model:
        if name in ("num_classes", "seed") or name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise PatchConvNetError(f"{name} is not a setting of the network that can be changed{hint}")
    return model


def _positive(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise PatchConvNetError(f"{name} must be a whole number, at least 1, got {value!r}")
    return int(value)


def _has_finished(folder, recipe):
    """Whether the run in the folder has finished; an error if the folder is not for this run."""
    if folder.exists() and not folder.is_dir():
        raise PatchConvNetError(f"{folder} is a file, not a folder: choose another place for the run")
    if (folder / "recipe.json").is_file():
        existing = records.read_json(folder / "recipe.json")
        difference = _difference(existing, recipe)
        if difference:
            raise PatchConvNetError(f"{folder} holds another run: {difference}; choose another folder")
        return (folder / "results.json").is_file()
    if folder.is_dir() and any(not item.name.startswith(".") for item in folder.iterdir()):
        raise PatchConvNetError(f"{folder} is not empty and holds no run: choose another folder")
    return False


def _difference(existing, recipe):
    """The first difference between two recipes, in words; "" if they are equal."""
    for key in [*recipe, *existing]:  # a recipe's own order: the preset first, what follows from it later
        old, new = existing.get(key), recipe.get(key)
        nested = isinstance(old, dict) and isinstance(new, dict)
        found = _difference(old, new) if nested else f"its {key} is {old!r}, not {new!r}"
        if old != new and found:
            return found
    return ""


def _load(recipe):
    options = {"validation": recipe["validation"]} if "validation" in recipe else {}
    dataset = load_dataset(recipe["dataset"], **options)
    if recipe["limit"] is None:
        return dataset
    kept = slice(recipe["limit"])
    masks = None if dataset.mask_train is None else dataset.mask_train[kept]
    return replace(dataset, x_train=dataset.x_train[kept], y_train=dataset.y_train[kept], mask_train=masks)


def compile_model(model, recipe, steps_per_epoch):
    """Compile a `PatchConvNet` for one-hot labels as a recipe says: AdamW, warm-up and cosine, cross-entropy."""
    steps = recipe["epochs"] * steps_per_epoch
    schedule = WarmUpCosine(recipe["learning_rate"], steps, int(recipe["warmup"] * steps))
    model.compile(
        AdamW(schedule, weight_decay=recipe["weight_decay"]),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe["label_smoothing"]),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )


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


# === callbacks ===


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
        self._probe(epoch + 1)
        logs.update(self._validate())
        row = {"epoch": epoch + 1, **logs, "seconds": seconds}
        row["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        for key, value in row.items():
            self.history.setdefault(key, []).append(float(value))
        if self.folder is not None:
            self._write()

    def _probe(self, epoch):
        logits, maps = self.model.explain(self.dataset.x_test[:PROBES])
        self.logits.append(logits.astype("float16"))
        self.maps.append(maps.astype("float16"))
        if self.keep_epochs:
            for path, array in records.weights_of(self.model).items():
                self.weights[f"{epoch}/{path}"] = array

    def _validate(self):
        if not len(self.dataset.x_val):
            return {}
        logits, maps = self.model.explain(self.dataset.x_val)
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


def _state(model):
    return [*model.weights, *model.optimizer.variables]


def _to_numpy(variable):
    return keras.ops.convert_to_numpy(variable)


class StopOnBadLoss(keras.callbacks.Callback):
    """Stops with an error when the loss is no longer a finite number; the last good checkpoint stays."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite(logs["loss"]):
            kept = f"; {self.path} keeps the epoch before" if self.path.is_file() else ""
            raise PatchConvNetError(
                f"the loss became {logs['loss']} in epoch {epoch + 1}: try another seed, or a lower learning_rate in "
                f"the preset's recipe{kept}"
            )


# === scores ===


def score_logits(logits, labels):
    """Loss (mean cross-entropy), accuracy and top-5 accuracy of logits (N, classes) for labels (N,): a dict."""
    logits = logits.astype("float64")
    greatest = logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(logits - greatest).sum(axis=1)) + greatest[:, 0]
    of_label = logits[np.arange(len(labels)), labels]
    order = np.argsort(-logits, axis=1, kind="stable")  # of equal logits the first class counts, as in argmax
    rank = (order == labels[:, None]).argmax(axis=1)
    return {
        "loss": float((log_total - of_label).mean()),
        "accuracy": float((rank == 0).mean()),
        "top5": float((rank < 5).mean()),
    }


def maps_of(classes, maps):
    """Of attention (N, Q, h, w), the map of each image's class (N,) if there is one a class: (N, h, w)."""
    token = classes if maps.shape[1] > 1 else np.zeros(len(maps), dtype=int)
    return maps[np.arange(len(maps)), token]


def score_attention(logits, maps, masks=None):
    """Scores of attention (N, Q, h, w), of the predicted class's token if there are several: a dict.

    "attention_entropy" in bits; with masks bool (N, H, W) also "attention_on_object" (see `faithfulness`).
    """
    chosen = maps_of(logits.argmax(axis=1), maps)
    scores = {"attention_entropy": float(faithfulness.entropy(chosen).mean())}
    if masks is not None:
        scores["attention_on_object"] = float(faithfulness.pointing_game(chosen, masks).mean())
    return scores


def _finish(folder, recipe, model, dataset, recorder):
    """Round the weights as they are kept, measure the test images with them, and write what remains."""
    weights = records.weights_of(model)
    records.set_weights(model, weights)
    if recipe["keep"] != "scores":
        records.write_arrays(folder / "weights.npz", weights)
    logits, maps = model.explain(dataset.x_test)
    results = {f"test_{name}": value for name, value in score_logits(logits, dataset.y_test).items()}
    results |= score_attention(logits, maps, dataset.mask_test)
    if dataset.mask_test is not None:
        touching = faithfulness.pointing_game(maps_of(logits.argmax(axis=1), maps), dataset.mask_test, 1e-9)
        results["attention_touching"] = float(touching.mean())
        if maps.shape[1] > 1:
            of_true_class = faithfulness.pointing_game(maps_of(dataset.y_test, maps), dataset.mask_test)
            results["attention_of_true_class_on_object"] = float(of_true_class.mean())
        results["attention_chance"] = faithfulness.chance(dataset.mask_test, maps.shape[2:])
        results["attention_best_fixed_cell"] = faithfulness.best_fixed_cell(dataset.mask_test, maps.shape[2:])
    results |= {
        "parameters": model.count_params(),
        "seconds": float(sum(recorder.history["seconds"])),
        "peak_memory_bytes": peak_memory(),
        "device": device(),
        "variant": dataset.variant,
        "class_names": list(dataset.class_names),
        "versions": versions(),
    }
    records.write_json(folder / "results.json", results)
    (folder / "checkpoint.npz").unlink(missing_ok=True)
    if recipe["keep"] == "scores":
        (folder / "attention.npz").unlink(missing_ok=True)
    return records.load(folder)
