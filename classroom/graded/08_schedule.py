"""Chapter 08: other plans, other rows."""

import numpy as np


def use_steps_and_warmup(steps_and_warmup):
    plans = (40_000, 128), (40_000, 512), (1_000, 32), (1_024, 32)
    return [steps_and_warmup(*plan) for plan in plans]


def use_area(area):
    return [area(steps, warmup) for steps, warmup in ((500, 50), (40, 0), (2000, 1000))]


def use_apart(apart):
    draw = np.random.default_rng(801).normal
    rows = draw(size=(128, 10))
    answers = rows @ draw(size=10) + draw(size=128)
    return [apart(rate, rows, answers) for rate in (0.003, 0.03, 0.1, 0.2)]
