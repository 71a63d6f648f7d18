"""Chapter 18: other labels, so that other answers are right."""

import numpy as np


def relabelled(labels, every):
    labels = labels.copy()
    labels[::every] = (labels[::every] + 3) % 10
    return labels


def other_1(labels):
    return {"labels": relabelled(labels, 3)}


def other_2(labels, scores, values):
    """Half as strict scores as well."""
    return {"labels": relabelled(labels, 4), "scores": np.float64(scores) * 0.9}
