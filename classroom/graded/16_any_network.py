"""Chapter 16: another favourite cell; features that tell less."""

import dataclasses

import numpy as np

WITHIN = {"blind_accuracy": 0.05, "hand_accuracy": 0.05}


def other_1(data, shares):
    """Training masks moved aside: the best cell is another."""
    moved = np.roll(data.mask_train, 64, axis=2)
    return {
        "shares": np.roll(shares, 4, axis=2),
        "data": dataclasses.replace(data, mask_train=moved),
    }


def noisy(to_train, to_test):
    draws = np.random.default_rng(1602)
    features = {}
    for name, clean in (("to_train", to_train), ("to_test", to_test)):
        spread = 2.5 * clean.std(axis=(0, 1, 2)) * draws.normal(size=clean.shape)
        aside = clean.std(axis=(0, 1, 2)) * draws.normal(size=(len(clean), 1, 1, 112))
        features[name] = (clean + spread + aside).astype("float32")
    return features


def other_2(to_train, to_test):
    return noisy(to_train, to_test)


def other_3(to_train, to_test):
    return noisy(to_train, to_test)
