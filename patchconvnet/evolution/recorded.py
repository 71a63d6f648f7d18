"""What a record, or a training in this process, tells about its probe images."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from patchconvnet import faithfulness, records
from patchconvnet.data import load_dataset
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference import maps_of
from patchconvnet.training.recipes import data_options


@dataclass(frozen=True, eq=False, repr=False)
class Evolution:
    """What a network said of P pictures, and where it looked, epoch by epoch.

    It was asked E + 1 times: before training, and after each of E epochs.

    Attributes:
        name: where it comes from, in a word: a record's name, or "live".
        maps: float32 (E + 1, P, h, w), not negative. Where each class has a map of its
            own, that of the answer.
        logits: float64 (E + 1, P, classes).
        class_names: tuple of strings.
        history: dict of column name to array (E,), as `Record.history`: of the
            validation images, not of these P.
        chance: how often a random cell is on the object, 0 to 1, or None where there
            are no masks.
        pictures, labels, masks: uint8 (P, H, W, 3), int (P,), bool (P, H, W); each None
            where it cannot be had.
        note: a sentence that says why there are no pictures, or "".
    """

    name: str
    maps: np.ndarray
    logits: np.ndarray
    class_names: tuple
    history: dict
    chance: float | None = None
    pictures: np.ndarray | None = None
    labels: np.ndarray | None = None
    masks: np.ndarray | None = None
    note: str = ""

    def __repr__(self):
        epochs, pictures = self.maps.shape[:2]
        return f"Evolution({self.name!r}: {pictures} pictures, {epochs - 1} epochs)"

    @cached_property
    def answers(self):
        """The class with the greatest logit: int (E + 1, P)."""
        return self.logits.argmax(axis=2)

    @cached_property
    def probabilities(self):
        """Softmax of the logits: float64 (E + 1, P, classes)."""
        powers = np.exp(self.logits - self.logits.max(axis=2, keepdims=True))
        return powers / powers.sum(axis=2, keepdims=True)

    @cached_property
    def of_truth(self):
        """Probability of the right class: float64 (E + 1, P); None without labels."""
        if self.labels is None:
            return None
        labels = self.labels[None, :, None]  # (1, P, 1)
        return np.take_along_axis(self.probabilities, labels, axis=2)[..., 0]

    @cached_property
    def entropy(self):
        """How spread out each map is, in bits: float64 (E + 1, P), 0 to log2(h w)."""
        return np.stack([faithfulness.entropy(maps) for maps in self.maps])

    @cached_property
    def energy(self):
        """Share of each map that lies on the object: float64 (E + 1, P), 0 to
        1; None without masks.
        """
        if self.masks is None:
            return None
        each = [faithfulness.energy(maps, self.masks) for maps in self.maps]
        return np.stack(each)  # (E + 1, P)

    @cached_property
    def on_object(self):
        """Whether each greatest cell is on the object: as `energy`, but bool."""
        if self.masks is None:
            return None
        each = [faithfulness.pointing_game(maps, self.masks) for maps in self.maps]
        return np.stack(each)  # (E + 1, P)

    def pick(self, chosen):
        """The same for some of the pictures.

        Args:
            chosen: ints, each from 0 to P - 1, in the order wanted.

        Raises:
            PatchConvNetError: if there is no such picture, or none was chosen.
        """
        count, chosen = self.maps.shape[1], list(chosen)
        wrong = [number for number in chosen if number not in range(count)]
        if wrong or not chosen:
            raise PatchConvNetError(
                f"{self!r} has pictures 0 to {count - 1}; choose at least one of them,"
                f" got {chosen}"
            )
        picked = {"maps": self.maps[:, chosen], "logits": self.logits[:, chosen]}
        for name in ("pictures", "labels", "masks"):
            array = getattr(self, name)
            picked[name] = None if array is None else array[chosen]
        return replace(self, **picked)


def read(record):
    """What a record tells about its probe images.

    The record holds maps and logits. The pictures come from the data set: Shapes is
    drawn again, CIFAR-10 is read if the copy that the record was made with is on this
    machine (nothing is downloaded). Where they cannot be had, `note` says why.

    Args:
        record: a `Record`, or what `records.load` takes: a shipped record's name, or a
            run folder.

    Returns:
        An `Evolution`.

    Raises:
        PatchConvNetError: if there is no such record, or it keeps no maps, or they are
            damaged.
    """
    record = record if isinstance(record, records.Record) else records.load(record)
    arrays, results = record.attention, record.results
    maps, logits = arrays.get("maps"), arrays.get("logits")
    seen = _evolution(record.name, maps, logits, record.folder)
    pictures, note = _probes(record, arrays.get("indices"), seen.maps.shape[1])
    return replace(
        seen,
        class_names=tuple(results["class_names"]),
        history=record.history,
        chance=results.get("attention_chance"),
        note=note,
        **pictures,
    )


def live(recorder):
    """What an `AttentionRecorder` has kept of a training here: an `Evolution`.

    Raises:
        PatchConvNetError: if it has seen no training.
    """
    if not recorder.maps:
        raise PatchConvNetError(
            "this AttentionRecorder has seen no training: give it to fit as a callback"
            " first"
        )
    dataset, count = recorder.dataset, len(recorder.maps[0])
    maps, logits = np.stack(recorder.maps), np.stack(recorder.logits)
    seen = _evolution("live", maps, logits, "this AttentionRecorder")
    masks = chance = None
    if dataset.mask_test is not None:
        masks = dataset.mask_test[:count]
        chance = faithfulness.chance(dataset.mask_test, seen.maps.shape[2:])
    return replace(
        seen,
        class_names=tuple(dataset.class_names),
        history={key: np.array(column) for key, column in recorder.history.items()},
        chance=chance,
        pictures=dataset.x_test[:count],
        labels=dataset.y_test[:count],
        masks=masks,
    )


def _evolution(name, maps, logits, source):
    """Maps and logits, checked, as an `Evolution` of these alone.

    Maps are (E + 1, P, Q, h, w), logits (E + 1, P, classes).
    """
    shapes = np.shape(maps), np.shape(logits)
    if (
        (len(shapes[0]), len(shapes[1])) != (5, 3)
        or shapes[0][:2] != shapes[1][:2]
        or 0 in shapes[0] + shapes[1]
    ):
        raise PatchConvNetError(
            f"{source} is damaged: maps {shapes[0]} and logits {shapes[1]}, wanted (E +"
            " 1, P, Q, h, w) and (E + 1, P, classes)"
        )
    logits = logits.astype("float64")
    if not (np.isfinite(logits).all() and np.isfinite(maps).all()):
        raise PatchConvNetError(
            f"{source} holds maps or logits that are no numbers: its training has"
            " failed"
        )
    chosen = [
        maps_of(now.argmax(axis=1), then.astype("float32"))
        for now, then in zip(logits, maps)
    ]
    return Evolution(name, np.stack(chosen), logits, (), {})


def _probes(record, indices, count):
    """Pictures, labels and masks of a record's probes, a dict; and why not, or ""."""
    name, known = record.recipe["dataset"], record.results["variant"]
    if np.shape(indices) != (count,) or np.min(indices) < 0:
        raise PatchConvNetError(
            f"{record.folder} is damaged: {count} maps, and their places in the test"
            f" set: {indices}"
        )
    options = data_options(record.recipe)
    if name == "shapes":
        options = {"train": 1, "val": 0, "test": int(np.max(indices)) + 1}
    elif name == "cifar10":
        options = {"download": False}
    try:
        dataset = load_dataset(name, **options)
    except PatchConvNetError:
        return {}, (
            f"The pictures of {name} are not on this machine, and a record holds none."
            " So here are the maps alone."
        )
    # its images may come in another order
    if dataset.variant != known or np.max(indices) >= len(dataset.x_test):
        return {}, (
            f"The maps are of another copy of {name} ({known}) than this machine has."
            " So they stand here alone."
        )
    masks = dataset.mask_test
    found = {"pictures": dataset.x_test[indices], "labels": dataset.y_test[indices]}
    return {**found, "masks": None if masks is None else masks[indices]}, ""
