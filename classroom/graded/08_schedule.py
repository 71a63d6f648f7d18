"""Chapter 08: other plans, other rows."""

import numpy as np

WITHIN = {"area": 0.6}  # printed as whole numbers


def use_steps_and_warmup(steps_and_warmup):
    plans = (40_000, 128), (40_000, 512), (1_000, 32), (1_024, 32)
    return [steps_and_warmup(*plan) for plan in plans]


def use_area(area):
    return [
        area(steps, warmup) for steps, warmup in ((500, 50), (400, 0), (2000, 1000))
    ]


def use_distance_apart(distance_apart):
    draw = np.random.default_rng(801).normal
    rows = draw(size=(128, 10))
    answers = rows @ draw(size=10) + draw(size=128)
    return [distance_apart(rate, rows, answers) for rate in (0.003, 0.03, 0.1, 0.2)]
