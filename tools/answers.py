"""What does a score prove? The numbers behind chapter 17, one row a network and seed.

    python tools/answers.py --runs runs/controls --out runs/answers

It asks the networks that `tools/controls.py` has trained (what is missing in --runs is
trained), and two more that it trains itself, with one class token a class: one goes on
from the single token's weights, one judges each class by a sigmoid of its own. The
table's copy in the course is `patchconvnet/records/measures_answers.csv`.

right_on, right_off     share of right answers, greatest cell on or off the object
blurred_...             pictures as insertion begins: right answers, cells on the object
pair_...                two objects: one of them is answered; greatest cell on the one
                        that is named, on the other one
class_...               each class's own map, of two objects: on its own, on the other
                        one; a map of an absent class on either
moved_...               other weights with the same answers: answers kept, change of the
                        probabilities (total variation); energy and pointing before and
                        after
"""

import json
import os
import sys
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import controls
from command import Parser, in_one_line
from patchconvnet import PatchConvNet, faithfulness, load_dataset, records, train
from patchconvnet.data import shapes
from patchconvnet.errors import PatchConvNetError, one_line
from patchconvnet.faithfulness.perturbation import painted
from patchconvnet.files import place
from patchconvnet.inference import look, maps_of, softmax
from patchconvnet.training import compile_model, make_recipe
from patchconvnet.training.batches import Batches

ASKED = {"shapes": range(10), "shapes_average": range(3), "shapes_per_class": range(3)}
TOKENS = ("shapes_per_class_tuned", "shapes_per_class_sigmoid")
PAIRS, MOVED = 540, 200  # pictures with two objects; pictures with other weights
TUNED = {"epochs": 4, "learning_rate": 5e-4}


def runs(folder, out, dataset):
    """All networks, trained or read: yields name, seed and network."""
    for name, seeds in ASKED.items():
        for seed in seeds:
            options = {"settings": controls.NETWORKS["shapes"][name], "seed": seed}
            keep = "epochs" if name == "shapes" and seed == 0 else "weights"
            options |= {"keep": keep, "verbose": 0}
            run = folder / name / f"seed_{seed}"
            options |= controls.BUDGETS["shapes"]
            yield name, seed, train(out=run, **options).model()
    for name in TOKENS:
        for seed in ASKED["shapes_per_class"]:
            single = records.load(folder / "shapes", seed).model()
            yield name, seed, tokens(name, seed, single, out, dataset)


def tokens(name, seed, single, out, dataset):
    """A network with a token a class, read from `out` or trained."""
    tuned, file = name == TOKENS[0], out / name / f"seed_{seed}" / "weights.npz"
    settings = {"class_tokens": "per_class"}
    recipe = make_recipe(**controls.BUDGETS["shapes"], seed=seed, settings=settings)
    if tuned:
        recipe |= TUNED
    recipe["from"] = digest(single) if tuned else None
    keras.utils.set_random_seed(seed)
    model = PatchConvNet(**recipe["model"])
    check_origin(file.with_name("recipe.json"), recipe)
    if file.is_file():
        records.set_weights(model, records.read_arrays(file), file)
        return model
    if tuned:
        start_from(model, single)
    batches = Batches(
        dataset.x_train, dataset.y_train, recipe["batch_size"], 10, seed=seed
    )
    compile_model(model, recipe, len(batches))
    if not tuned:  # ten questions, each yes or no
        judge = keras.losses.BinaryCrossentropy(from_logits=True)
        model.compile(model.optimizer, judge)
    shuffle = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: batches.shuffle(epoch)
    )
    model.fit(
        batches, epochs=recipe["epochs"], shuffle=False, verbose=0, callbacks=[shuffle]
    )
    weights = records.weights_of(model)  # rounded: the next call reads the same
    records.write_arrays(file, weights)
    records.set_weights(model, weights)
    return model


def digest(model):
    """Eight digits that tell a network's weights from others'."""
    weights = records.weights_of(model)
    return f"{zlib.crc32(b''.join(weights[path].tobytes() for path in weights)):08x}"


def check_origin(file, recipe):
    """Write how a network comes about, or hold it against what is written.

    Raises:
        PatchConvNetError: there is a network of another recipe, or from other weights.
    """
    recipe = json.loads(json.dumps(recipe))  # as it is read: no tuples
    if not file.is_file():
        records.write_json(file, recipe)
    elif records.read_json(file) != recipe:
        raise PatchConvNetError(
            f"{one_line(file.parent)} holds a network of another recipe, or from other"
            " weights: give another --out, or remove the folder"
        )


def start_from(model, single):
    """Give a network with a token a class the weights of one with a single token.

    Every class starts from the same token.
    """
    classes, weights = model.output_shape[-1], records.weights_of(single)
    for path, value in weights.items():
        if path.startswith("norm/"):  # every token's channels: (C,) -> (Q * C,)
            weights[path] = np.tile(value, classes)
    token = weights["pooling/class_token"]
    weights["pooling/class_token"] = np.repeat(token, classes, axis=1)  # (1, Q, C)
    weights["head/kernel"] = weights["head/kernel"].T  # (C, classes) -> (classes, C)
    records.set_weights(model, weights)


# === questions ===


def trust(answers, chosen, dataset):
    """Are answers right where the map is on the object, and where it is off?"""
    on = faithfulness.pointing_game(chosen, dataset.mask_test)
    right = answers == dataset.y_test
    return {
        "accuracy": right.mean(),
        "right_on": right[on].mean() if on.any() else np.nan,
        "right_off": right[~on].mean() if not on.all() else np.nan,
    }


def blurred(model, dataset):
    """What is left of answers and maps where nothing can be told."""
    logits, maps = look(model, painted(dataset.x_test, "blur"))
    answers = logits.argmax(axis=1)
    on = faithfulness.pointing_game(maps_of(answers, maps), dataset.mask_test)
    return {
        "blurred_accuracy": (answers == dataset.y_test).mean(),
        "blurred_pointing": on.mean(),
    }


def pairs(model):
    """Two objects: is the map on the one that is named?"""
    images, labels, masks = shapes.generate_pairs(PAIRS, seed=1)
    logits, maps = look(model, images)
    answers = logits.argmax(axis=1)
    found = on_each(maps_of(answers, maps), masks)
    named = labels == answers[:, None]  # (N, 2)
    known = named.any(axis=1)
    scores = {
        "pair_answered": known.mean(),
        "pair_named": found[named].mean(),
        "pair_other": found[~named & known[:, None]].mean(),
    }
    if maps.shape[1] == 1:
        return scores
    first, second = (on_each(maps_of(labels[:, each], maps), masks) for each in (0, 1))
    absent = [min(set(range(10)) - set(pair)) for pair in labels.tolist()]
    neither = on_each(maps_of(np.array(absent), maps), masks)
    return scores | {
        "class_own": np.mean([first[:, 0], second[:, 1]]),
        "class_other": np.mean([first[:, 1], second[:, 0]]),
        "class_absent": neither.any(axis=1).mean(),
    }


def on_each(maps, masks):
    """Is the greatest cell on the first object, on the second? bool (N, 2)."""
    on = [faithfulness.pointing_game(maps, masks[:, each]) for each in (0, 1)]
    return np.stack(on, axis=1)


def moved(model, dataset):
    """Other weights with the same answers, for one class token."""
    few = slice(MOVED)
    images, masks = dataset.x_test[few], dataset.mask_test[few]
    logits, maps = model.explain(images)
    found, answers = faithfulness.other_weights(model, images, masks)
    change = np.abs(softmax(answers) - softmax(logits)).sum(axis=1) / 2
    before, after = (faithfulness.measure(kind, masks) for kind in (maps[:, 0], found))
    return {
        "moved_kept": (answers.argmax(axis=1) == logits.argmax(axis=1)).mean(),
        "moved_change": change.mean(),
        "moved_energy_before": before["energy"],
        "moved_energy": after["energy"],
        "moved_pointing_before": before["pointing_game"],
        "moved_pointing": after["pointing_game"],
    }


COLUMNS = (
    *("accuracy", "right_on", "right_off", "blurred_accuracy", "blurred_pointing"),
    *("pair_answered", "pair_named", "pair_other"),
    *("class_own", "class_other", "class_absent"),
    *("moved_kept", "moved_change", "moved_energy_before", "moved_energy"),
    *("moved_pointing_before", "moved_pointing"),
)


def row_of(name, seed, model, dataset):
    """All answers of one network; what it cannot be asked is NaN."""
    logits, maps = look(model, dataset.x_test)
    answers = logits.argmax(axis=1)
    found = trust(answers, maps_of(answers, maps), dataset)
    found |= blurred(model, dataset) | pairs(model)
    if name == "shapes":
        found |= moved(model, dataset)
    numbers = {column: float(found.get(column, np.nan)) for column in COLUMNS}
    return {"network": name, "seed": seed, "map": "own", **numbers}


def table(folder, out):
    """All rows, in the order in which they are worked out."""
    dataset = load_dataset("shapes")
    for name, seed, model in runs(folder, out, dataset):
        yield row_of(name, seed, model, dataset)


@in_one_line
def main(arguments=None):
    parser = Parser(__doc__)
    parser.add_argument("--runs", required=True, help="--out of tools/controls.py")
    parser.add_argument("--out", required=True, help="folder of the other networks")
    parser.add_argument(
        "--table", help="CSV file to write; default: measures_answers.csv in --out"
    )
    parser.set_defaults(records=None)
    options = parser.parse_args(arguments)
    out, path, _ = controls.places_of(options, "measures_answers.csv")
    controls.write_rows(table(place(options.runs), out), path)


if __name__ == "__main__":
    sys.exit(main())
