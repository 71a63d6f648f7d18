"""What each part of attention pooling is for: taken out, and trained again.

    python tools/parts.py --out runs/parts

It trains the network of chapter 06, plain convolutions under the chapter's own pooling
layer, with one part at a time left out or put in, five seeds each, and measures answers
and maps on the 2,000 test pictures of Shapes. About a minute a network on two CPU
cores; a network whose row is in the table is not trained again. The table's copy in the
course is `patchconvnet/records/measures_parts.csv`.

whole          as chapter 06 builds it
average        the plain mean of the patches, no layer at all
equal          the whole layer, but every weight is 1 / (1 + P)
no_project     the weighted sum goes to the token as it is
no_sum         the result is not added to the token, but takes its place
no_norm        the line is not normalized
no_root        the scores are not divided by the root of C
zeros          the token starts at zero
mlp            and a residual network of two dense layers on the result, as the package
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import layers, ops

from command import Parser, in_one_line
from controls import places_of
from patchconvnet import faithfulness, load_dataset
from patchconvnet.errors import one_line
from patchconvnet.records import read_table, write_table

VARIANTS = (
    "whole",
    "average",
    "equal",
    "no_project",
    "no_sum",
    "no_norm",
    "no_root",
    "zeros",
    "mlp",
)
SEEDS = range(5)
PICTURES = {"train": 4000, "val": 0, "test": 2000}
FIT = {"batch_size": 32, "epochs": 8, "verbose": 0}
WARM, STEPS, RATE = 250, 1000, 2e-3  # without a warm-up, some networks never start
TABLE = "measures_parts.csv"


class PartlyPooling(layers.Layer):
    """Chapter 06's pooling without one of its parts: (N, H, W, C) -> (N, C), (N, H, W).

    Args:
        variant: one of `VARIANTS`, but for "average" and "mlp", which are no part of
            the layer.
    """

    def __init__(self, variant="whole", **kwargs):
        super().__init__(**kwargs)
        self.variant = variant

    def build(self, shape):
        channels = shape[-1]
        start = "zeros" if self.variant == "zeros" else "truncated_normal"
        self.token = self.add_weight(shape=(1, 1, channels), initializer=start)
        self.norm = layers.LayerNormalization(epsilon=1e-6)
        self.query, self.key, self.value, self.project = (
            layers.Dense(channels) for _ in range(4)
        )

    def call(self, grid):
        _, height, width, channels = grid.shape
        patches = ops.reshape(grid, (-1, height * width, channels))  # (N, P, C)
        token = ops.tile(self.token, (ops.shape(grid)[0], 1, 1))  # (N, 1, C)
        line = ops.concatenate([token, patches], axis=1)  # (N, 1 + P, C)
        line = line if self.variant == "no_norm" else self.norm(line)
        keys = ops.transpose(self.key(line), (0, 2, 1))  # (N, C, 1 + P)
        scores = self.query(line[:, :1]) @ keys * self._factor(channels)
        weights = ops.softmax(scores)  # (N, 1, 1 + P)
        mixed = weights @ self.value(line)  # (N, 1, C)
        update = mixed if self.variant == "no_project" else self.project(mixed)
        pooled = update if self.variant == "no_sum" else token + update  # (N, 1, C)
        return pooled[:, 0], ops.reshape(weights[:, 0, 1:], (-1, height, width))

    def _factor(self, channels):
        return {"equal": 0.0, "no_root": 1.0}.get(self.variant, channels**-0.5)


def convolution(channels, stride=1):
    return [
        layers.Conv2D(channels, 3, strides=stride, padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    ]


def network(variant, seed):
    """A new network of a variant: pictures in, logits and maps out.

    The map of "average" is the mean of the trunk's channels.
    """
    keras.utils.set_random_seed(seed)
    trunk = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 127.5, -1),
            *convolution(32, 2),
            *convolution(64, 2),
            *convolution(64),
            *convolution(64),
        ]
    )
    images = keras.Input((32, 32, 3))
    grid = trunk(images)  # (N, 8, 8, 64)
    if variant == "average":
        pooled = layers.GlobalAveragePooling2D()(grid)  # (N, 64)
        maps = ops.mean(grid, axis=-1)  # (N, 8, 8)
    else:
        pooled, maps = PartlyPooling(variant)(grid)
    if variant == "mlp":
        hidden = layers.LayerNormalization(epsilon=1e-6)(pooled)
        hidden = layers.Dense(64, activation="gelu")(hidden)
        pooled = pooled + layers.Dense(64)(hidden)
    pooled = layers.BatchNormalization(momentum=0.9)(pooled)
    return keras.Model(images, [layers.Dense(10)(pooled), maps])


def measured(model, dataset):
    """Of a trained network: the share of right answers, and of its maps two scores."""
    logits, maps = model.predict(dataset.x_test, verbose=0)
    return {
        "accuracy": float((logits.argmax(axis=1) == dataset.y_test).mean()),
        "pointing_game": float(
            faithfulness.pointing_game(maps, dataset.mask_test).mean()
        ),
        "energy": float(faithfulness.energy(maps, dataset.mask_test).mean()),
    }


def trained(variant, seed, dataset):
    """A row of the table: a network of a variant, trained and measured."""
    model = network(variant, seed)
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, STEPS - WARM, warmup_target=RATE, warmup_steps=WARM
    )
    model.compile(keras.optimizers.Adam(rate), [entropy, None])
    model.fit(dataset.x_train, dataset.y_train, **FIT)
    row = {"network": variant, "seed": str(seed), "map": "own"}
    return row | measured(model, dataset)


def fill(path):
    """Add to the table what it lacks, row by row: a call that is stopped loses one."""
    rows = read_table(path) if path.is_file() else []
    known = {(row["network"], row["seed"]): row for row in rows}
    wanted = [(variant, str(seed)) for variant in VARIANTS for seed in SEEDS]
    missing = [one for one in wanted if one not in known]
    dataset = load_dataset("shapes", **PICTURES) if missing else None
    for variant, seed in missing:
        known[variant, seed] = row = trained(variant, int(seed), dataset)
        write_table(path, [known[one] for one in wanted if one in known])
        shown = ", ".join(f"{key} {row[key]:.3f}" for key in list(row)[3:])
        print(f"{variant}, seed {seed}: {shown}", flush=True)
    print(f"{len(wanted)} networks in {one_line(path)}")


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument("--out", required=True, help="folder of the table")
    parser.add_argument("--table", help=f"CSV file to write; default: {TABLE} in --out")
    parser.set_defaults(records=None)
    _, path, _ = places_of(parser.parse_args(arguments), TABLE)
    fill(path)


if __name__ == "__main__":
    sys.exit(main())
