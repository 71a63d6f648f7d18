"""Chapter 01: other pictures, and the network before it was trained to the end."""

import dataclasses

import numpy as np

from patchconvnet import faithfulness, records
from patchconvnet.data import shapes

WITHIN = {"on_either": 0.1, "falls": 0.08}  # of pictures and cells drawn by lot


def looked_at(data, epoch, seed):
    pictures, labels, masks = shapes.generate(512, seed)
    network = records.load("shapes").model(epoch=epoch)
    logits, attention = network.explain(pictures)
    maps, answers = attention[:, 0], logits.argmax(axis=1)
    shares = faithfulness.cell_shares(masks, (8, 8))
    hits = (shares >= 0.5).reshape(512, 64)
    greatest = maps.reshape(512, 64).argmax(axis=1)
    test = {"x_test": pictures, "y_test": labels, "mask_test": masks}
    return {
        "data": dataclasses.replace(data, **test),
        "pictures": pictures,
        "labels": labels,
        "masks": masks,
        "network": network,
        "logits": logits,
        "attention": attention,
        "maps": maps,
        "answers": answers,
        "shares": shares,
        "is_object": shares >= 0.5,
        "hits": hits,
        "greatest": greatest,
        "on_object": hits[np.arange(512), greatest],
        "is_right": answers == labels,
    }


def other_1(data):
    return looked_at(data, epoch=6, seed=101)


def other_2(data):
    return looked_at(data, epoch=2, seed=102)


def other_3(data):
    return looked_at(data, epoch=5, seed=103)
