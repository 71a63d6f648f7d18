"""Chapter 12: maps of another network, other pictures, other seeds."""

import numpy as np

from patchconvnet import faithfulness, records
from patchconvnet.data import shapes

WITHIN = {"attention_first": 0.04}


def other_1(clueless, masks, evidence, bell):
    """Of as many pictures as `some` takes: all are then no others."""
    kinds = {"attention": clueless, "masks": masks, "evidence": evidence, "bell": bell}
    return {name: values[:1_200] for name, values in kinds.items()}


def other_2():
    """Its masks are another's: a map that asks them does not get far."""
    pictures, labels, masks = shapes.generate(1_200, seed=1202)
    return {
        "pictures": pictures,
        "labels": labels,
        "masks": np.roll(masks, 1, axis=0),
    }


def use_asks_nobody(asks_nobody, pictures, masks):
    found = np.asarray(asks_nobody, float)
    masks = np.roll(masks, -1, axis=0)
    maps = records.load("shapes").model().explain(pictures)[1][:, 0]
    precision = [
        faithfulness.average_precision(kind.astype("float64"), masks).mean()
        for kind in (found, maps)
    ]
    return found.shape[0], found.min() >= 0, precision[0] > precision[1]


def other_3(seeds):
    """Two networks that are nearly as good as each other."""
    values = {
        "shapes": np.linspace(0.80, 0.90, 10),
        "shapes_average": np.linspace(0.78, 0.89, 10) ** 1.02,
    }
    table = [
        {"network": name, "map": "own", "pointing_game": value}
        for name, numbers in values.items()
        for value in numbers
    ]
    return {
        "recorded": table,
        "seeds": lambda kind, measure, table=table: seeds(kind, measure, table),
    }
