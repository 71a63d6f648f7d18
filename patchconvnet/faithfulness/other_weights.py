"""Is a map the only one with its answers? Look for another, the network frozen."""

import keras
import numpy as np
from keras import layers, ops

from patchconvnet.errors import PatchConvNetError, number, plain, whole
from patchconvnet.faithfulness.gradients import cut_at_pooling
from patchconvnet.faithfulness.localization import cell_shares

TINY = 1e-6  # below a weight that tells, so that its logarithm exists
STEPS = whole(1, 100_000)
HOLD = number(0, 1e6, "a number from 0 to 1,000,000")
AT_ONCE = 250  # images: bounds the memory


def other_weights(model, images, avoid, steps=600, hold=10.0):
    """Weights elsewhere that leave the network's answers as they are.

    After Jain and Wallace (2019, section 4.2, "adversarial attention"), whose weights
    are to differ as much as they can; here they are to leave `avoid`. Each image has
    scores of its own, which start as the network's; Adam moves them, so that little
    weight is left there, and the answers stay. Nothing else is trained.

    Args:
        model: a network with attention pooling and a single class token.
        images: uint8 or float (N, H, W, 3), 0..255.
        avoid: bool or float (N, h, w), 0..1, of any size: where no weight should be.
        steps: how often the scores are moved.
        hold: how much a change of the answers (cross-entropy, in nats) counts against
            the weight that is left on `avoid` (0..1).

    Returns:
        maps: float32 (N, h, w), the patches' new weights.
        logits: float32 (N, classes), what the network answers with them.

    Raises:
        PatchConvNetError: as `explain`, or another kind of network; an argument that is
            not as said above.
    """
    STEPS.check("steps", plain(steps))
    HOLD.check("hold", plain(hold))
    avoid = _checked(avoid, len(images))
    found = [
        _moved(
            model, images[start : start + AT_ONCE], avoid[start:][:AT_ONCE], steps, hold
        )
        for start in range(0, max(len(images), 1), AT_ONCE)
    ]
    maps, logits = map(np.concatenate, zip(*found))
    return maps, logits


def _checked(avoid, count):
    avoid = np.asarray(avoid)
    numbers = avoid.dtype.kind in "bfiu" and avoid.ndim == 3 and avoid.size > 0
    if not numbers or len(avoid) != count or not ((avoid >= 0) & (avoid <= 1)).all():
        raise PatchConvNetError(
            f"avoid must be bool or numbers from 0 to 1, ({count}, h, w), one for each"
            f" image, got {avoid.dtype} {avoid.shape}"
            + (f" from {avoid.min()} to {avoid.max()}" if numbers else "")
        )
    return avoid


def _moved(model, images, avoid, steps, hold):
    weights, values, grid, reader = cut_at_pooling(model, images)
    count, _, sources = weights.shape
    cells = cell_shares(avoid, grid).reshape(count, -1)  # (N, h, w) -> (N, P)
    cells = np.pad(cells, ((0, 0), (1, 0)))  # (N, S): the token's own is free
    answers = ops.softmax(reader.predict([weights, values], verbose=0))

    number = keras.Input((), dtype="int32")
    scores = layers.Embedding(count, sources, "zeros", name="scores")
    kept = layers.Embedding(count, values[0].size, "zeros", trainable=False)
    chosen = layers.Reshape(values.shape[1:])(kept(number))  # (B, S, C)
    moved = layers.Softmax(name="weights")(scores(number)[:, None])  # (B, 1, S)
    frozen = _Frozen(reader, name="logits")
    finder = keras.Model(number, [frozen([moved, chosen]), moved])
    scores.set_weights([np.log(weights[:, 0] + TINY)])  # (N, S)
    kept.set_weights([values.reshape(count, -1)])
    finder.compile(
        keras.optimizers.Adam(0.1),
        loss=[
            # sums: an image's steps do not depend on how many others there are
            keras.losses.CategoricalCrossentropy(from_logits=True, reduction="sum"),
            lambda cells, moved: ops.sum(cells * moved[:, 0]),  # (B, S), a number
        ],
        loss_weights=[hold, 1.0],
    )
    every = np.arange(count)
    targets = [ops.convert_to_numpy(answers), cells.astype("float32")]
    again = np.tile(every, steps)  # one step is all images; epochs would cost more
    finder.fit(
        again,
        [target[again] for target in targets],
        batch_size=count,
        shuffle=False,
        verbose=0,
    )
    logits, moved = finder.predict(every, batch_size=128, verbose=0)
    return moved[:, 0, 1:].reshape(count, *grid), logits  # (N, 1, S) -> (N, h, w)


class _Frozen(layers.Layer):
    """A model as a layer, past Keras' tracking: its weights are not trained."""

    def __init__(self, model, name):
        super().__init__(name=name)
        self._call_model = model.call  # a function is not tracked

    def call(self, inputs):
        return self._call_model(inputs, training=False)
