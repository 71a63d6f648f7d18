"""The learning rate, step by step."""

import keras
import numpy as np
import pytest

from patchconvnet.errors import PatchConvNetError
from patchconvnet.schedule import WarmUpCosine


def rates(schedule, steps):
    return np.array([float(schedule(step)) for step in range(steps)])


def test_warm_up_climbs_in_equal_steps_to_the_peak():
    schedule = WarmUpCosine(1.0, steps=20, warmup_steps=4)
    np.testing.assert_allclose(rates(schedule, 4), [0.25, 0.5, 0.75, 1.0], rtol=1e-6)


def test_cosine_falls_from_the_peak_to_the_end():
    values = rates(WarmUpCosine(2.0, steps=14, warmup_steps=4, end=0.5), 14)
    by_hand = [0.5 + 1.5 * (1 + np.cos(np.pi * k / 10)) / 2 for k in range(1, 11)]
    np.testing.assert_allclose(values[4:], by_hand, rtol=1e-5)
    assert np.all(np.diff(values[3:]) < 0)
    assert values[-1] == pytest.approx(0.5)


def test_without_warm_up_it_only_falls_and_stays_at_the_end():
    schedule = WarmUpCosine(1.0, steps=10)
    assert np.all(np.diff(rates(schedule, 10)) < 0)
    assert float(schedule(9)) == pytest.approx(0, abs=1e-7)
    assert float(schedule(1000)) == pytest.approx(0, abs=1e-7)


def test_serialization_round_trip():
    schedule = WarmUpCosine(1e-3, steps=100, warmup_steps=15, end=1e-5)
    config = keras.optimizers.schedules.serialize(schedule)
    again = keras.optimizers.schedules.deserialize(config)
    np.testing.assert_array_equal(rates(again, 100), rates(schedule, 100))


def test_an_optimizer_follows_it():
    weight = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(WarmUpCosine(1.0, steps=4, warmup_steps=2))
    for _ in range(2):
        optimizer.apply([keras.ops.convert_to_tensor([1.0])], [weight])
    assert float(weight.numpy()[0]) == pytest.approx(1 - 0.5 - 1.0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((0.0, 10), "peak"),
        ((-1.0, 10), "peak"),
        ((float("nan"), 10), "peak"),
        ((1.0, 0), "steps"),
        ((1.0, 2.5), "steps"),
        ((1.0, 10, -1), "warmup_steps"),
        ((1.0, 10, 10), "warm-up must end before"),
        ((1.0, 10, 11), "warm-up must end before"),
        ((1.0, 10, 2, 2.0), "end"),
        ((1.0, 10, 2, -0.1), "end"),
    ],
)
def test_bad_arguments_are_named_at_construction(arguments, message):
    with pytest.raises(PatchConvNetError, match=message):
        WarmUpCosine(*arguments)
