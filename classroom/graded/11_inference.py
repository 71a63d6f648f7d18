"""Chapter 11: other pictures."""

import numpy as np


def use_share_seen(share_seen):
    return [share_seen(*sides) for sides in ((4, 3), (16, 9), (5, 1), (7, 7), (3, 2))]


def other_2(photos):
    return {"picture": np.concatenate(photos[[52, 8, 18]], axis=1)}


def other_3(groups, fresh):
    return {"groups": groups | {"four": groups["blurred"]}, "fresh": fresh[::2]}
