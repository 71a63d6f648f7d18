"""Chapter 02: other pictures, and fewer."""

import dataclasses

import numpy as np

from patchconvnet.data import shapes


def of_seed(data, seed, train, test):
    x_train, y_train, mask_train = shapes.generate(train, seed)
    x_test, y_test, mask_test = shapes.generate(test, seed + 1)
    return dataclasses.replace(
        data,
        x_train=x_train,
        y_train=y_train,
        mask_train=mask_train,
        x_test=x_test,
        y_test=y_test,
        mask_test=mask_test,
    )


def use_disc_mask(disc_mask):
    """Any disc of the right size in the middle."""
    disc = np.asarray(disc_mask, bool)
    from_middle = ((np.argwhere(disc) - 15.5) ** 2).sum(axis=1)
    outside = ((np.argwhere(~disc) - 15.5) ** 2).sum(axis=1)
    return disc.shape == (32, 32), from_middle.max() <= outside.min() + 8


def other_2(data):
    data = of_seed(data, 201, 10, 400)
    masks = np.pad(data.mask_test, ((0, 0), (3, 0), (3, 0)))[:, :32, :32]
    wide = masks | np.roll(masks, 4, axis=2)  # larger objects: other chances
    return {"data": dataclasses.replace(data, mask_test=wide), "masks": wide}


def other_3(data, flat, nearest):
    data = of_seed(data, 203, 600, 300)
    guess = nearest(flat(data.x_train), data.y_train, flat(data.x_test))
    return {"data": data, "of_pixels": (guess == data.y_test).mean()}
