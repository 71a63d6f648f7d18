"""Intervals and comparisons, against numbers by hand and against SciPy."""

import builtins

import numpy as np
import pytest
from scipy import stats

from patchconvnet.errors import PatchConvNetError
from patchconvnet.faithfulness import uncertainty

THREE, LATER = [1.0, 2.0, 3.0], [2.0, 4.0]
SEEDS = np.random.default_rng(0).normal(0.9, 0.03, 10)
OTHERS = np.random.default_rng(1).normal(0.93, 0.02, 7)


def test_three_seeds_by_hand():
    """s = 1, and Student's t for 95% and two degrees of freedom is 4.302653."""
    found = uncertainty.t_interval(THREE)
    assert found.estimate == 2 and found.confidence == 0.95
    assert found.high - 2 == pytest.approx(4.302653 / np.sqrt(3), abs=1e-6)
    assert 2 - found.low == pytest.approx(found.high - 2)
    # 50%: t is 0.816497
    half = uncertainty.t_interval(THREE, confidence=0.5)
    assert half.high - 2 == pytest.approx(0.816497 / np.sqrt(3), abs=1e-6)


def test_the_interval_of_a_mean_is_scipys():
    found = uncertainty.t_interval(SEEDS, 0.9)
    expected = stats.ttest_1samp(SEEDS, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_nineteen_of_twenty_intervals_hold_the_true_mean():
    dice = np.random.default_rng(2)
    held = [
        found.low < 5 < found.high
        for found in map(uncertainty.t_interval, dice.normal(5, 2, (2000, 4)))
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_the_error_of_a_difference_by_hand():
    """1 / 3 + 2 / 2."""
    found = uncertainty.standard_error_of_difference(THREE, LATER)
    assert found == pytest.approx(np.sqrt(4 / 3))
    expected = stats.ttest_ind(SEEDS, OTHERS, equal_var=False)
    t_value = (SEEDS.mean() - OTHERS.mean()) / expected.statistic
    found = uncertainty.standard_error_of_difference(SEEDS, OTHERS)
    assert found == pytest.approx(abs(t_value))


def test_two_seeds_are_enough():
    """0 and 2: mean 1, variance 2, so sqrt(2 / 2) = 1; t of 1 degree is 12.706."""
    found = uncertainty.t_interval([0, 2])
    assert (found.low, found.high) == pytest.approx((1 - 12.706, 1 + 12.706), abs=1e-3)
    both = uncertainty.standard_error_of_difference([0, 2], [5, 7])
    assert both == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    "values, others, expected",
    [
        ([1, 2, 3], [4, 5, 6], 2 / 20),
        ([4, 5, 6], [1, 2, 3], 2 / 20),
        ([1, 2], [3, 4], 2 / 6),
        ([1, 4], [2, 3], 1.0),
        # a mean of 1 alone is 2 away, one of 4 too: two of four ways
        ([1], [2, 3, 4], 2 / 4),
        ([0.1, 0.1], [0.1, 0.1], 1.0),
        # 0.1 + 0.2 is not 0.3 + 0 to the last digit
        ([0.1, 0.2], [0.3, 0.0], 1.0),
    ],
)
def test_all_ways_to_deal_a_few_seeds(values, others, expected):
    assert uncertainty.permutation_test(values, others) == pytest.approx(expected)


def test_the_exact_test_is_scipys():
    expected = stats.permutation_test(
        (SEEDS[:6], OTHERS),
        lambda one, other: abs(one.mean() - other.mean()),
        n_resamples=np.inf,
        alternative="greater",
    )
    found = uncertainty.permutation_test(SEEDS[:6], OTHERS)
    assert found == pytest.approx(expected.pvalue)


def test_the_bootstrap_by_hand():
    """Two pictures, 0 and 1: the mean of two draws is 0, 1/2 and 1 in shares of a
    quarter, a half and a quarter.
    """
    wide = uncertainty.bootstrap_interval([0, 1])
    assert (wide.estimate, wide.low, wide.high) == (0.5, 0, 1)
    narrow = uncertainty.bootstrap_interval([0, 1], confidence=0.4)
    assert (narrow.low, narrow.high, narrow.confidence) == (0.5, 0.5, 0.4)


def test_the_bootstrap_is_near_scipys_and_repeats():
    scores = np.random.default_rng(3).random(200) ** 2
    options = {"confidence_level": 0.9, "method": "percentile", "rng": 0}
    expected = stats.bootstrap((scores,), np.mean, **options).confidence_interval
    found = uncertainty.bootstrap_interval(scores, confidence=0.9)
    assert found.low == pytest.approx(expected.low, abs=0.003)
    assert found.high == pytest.approx(expected.high, abs=0.003)
    assert found == uncertainty.bootstrap_interval(scores, confidence=0.9)
    assert found != uncertainty.bootstrap_interval(scores, confidence=0.9, seed=1)


def test_what_belongs_to_a_picture_is_drawn_together():
    """Each row of the map and its label agree: whichever are drawn, all are right."""
    labels = np.arange(50) % 3
    logits = np.eye(3)[labels]
    found = uncertainty.bootstrap_interval(
        logits,
        labels,
        measure=lambda logits, labels: (logits.argmax(axis=1) == labels).mean(),
        draws=200,
    )
    assert (found.estimate, found.low, found.high) == (1, 1, 1)


def test_pairs_cancel_what_is_hard_for_both():
    dice = np.random.default_rng(4)
    hard, luck = dice.random(300), dice.normal(0, 0.01, 300)
    found = uncertainty.paired_bootstrap(hard + 0.02 + luck, hard)
    assert 0.018 < found.low < found.estimate < found.high < 0.022
    apart = uncertainty.bootstrap_interval(hard)
    assert apart.high - apart.low > 20 * (found.high - found.low)
    same = uncertainty.paired_bootstrap(hard, hard)
    assert (same.low, same.estimate, same.high) == (0, 0, 0)


@pytest.mark.parametrize("first, second", [(5, 0), (0, 5), (3, 3), (8, 3), (0, 0)])
def test_answers_that_one_network_alone_has_right(first, second):
    """5 against 0: two of the 32 ways that five coins fall."""
    right = np.array([True] * first + [False] * second + [True, False])
    other = np.array([False] * first + [True] * second + [True, False])
    found = uncertainty.mcnemar(right, other)
    assert (found.only_first, found.only_second) == (first, second)
    expected = 1.0
    if first + second:
        expected = stats.binomtest(first, first + second).pvalue
    assert found.probability == pytest.approx(expected)
    if (first, second) == (5, 0):
        assert found.probability == 2 / 32


def test_thousands_of_disagreements_neither_under_nor_overflow():
    right = np.arange(10_000) < 5_100
    assert uncertainty.mcnemar(right, ~right).probability == pytest.approx(
        stats.binomtest(5_100, 10_000).pvalue
    )
    assert uncertainty.mcnemar(right | True, right & False).probability == 0


REFUSED = {
    "one seed": (lambda: uncertainty.t_interval([0.9]), "at least 2 in a row"),
    "one seed of the others": (
        lambda: uncertainty.standard_error_of_difference(THREE, [1]),
        "others must be at least 2 in a row",
    ),
    "no seeds": (lambda: uncertainty.permutation_test([], [1]), "at least 1 in a row"),
    "not a number": (lambda: uncertainty.t_interval([1, np.nan]), "must be finite"),
    "words": (lambda: uncertainty.t_interval(["a", "b"]), "must be numbers"),
    "a table": (lambda: uncertainty.t_interval([[1, 2]]), "got shape (1, 2)"),
    "sure": (lambda: uncertainty.t_interval(THREE, 1), "confidence must be above 0"),
    "percent": (
        lambda: uncertainty.bootstrap_interval(THREE, confidence=95),
        "below 1, as in 0.95, got 95",
    ),
    "many seeds": (
        lambda: uncertainty.permutation_test(range(20), range(20)),
        "20 and 20 values can be dealt in 137,846,528,820 ways",
    ),
    "no pictures": (lambda: uncertainty.bootstrap_interval([]), "lengths [0]"),
    "no arrays": (lambda: uncertainty.bootstrap_interval(), "lengths []"),
    "unequal": (
        lambda: uncertainty.bootstrap_interval([1, 2], [1], measure=max),
        "lengths [2, 1]",
    ),
    "unequal pairs": (lambda: uncertainty.paired_bootstrap([1], THREE), "[1, 3]"),
    "no score": (
        lambda: uncertainty.bootstrap_interval(THREE, measure=lambda one: np.nan),
        "measure is not finite",
    ),
    "few draws": (lambda: uncertainty.bootstrap_interval(THREE, draws=99), "got 99"),
    "half a draw": (lambda: uncertainty.bootstrap_interval(THREE, draws=1e3), "1000.0"),
    "scores as answers": (
        lambda: uncertainty.mcnemar([0.5], [True]),
        "right must be bool (N,), one a picture, got float64 (1,)",
    ),
    "unequal answers": (
        lambda: uncertainty.mcnemar(np.ones(2, bool), np.ones(1, bool)),
        "[2, 1]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused(name):
    call, said = REFUSED[name]
    with pytest.raises(PatchConvNetError) as error:
        call()
    assert said in str(error.value) and "\n" not in str(error.value)


def test_without_scipy_one_line_says_what_to_do(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("scipy"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PatchConvNetError, match="pip install scipy"):
        uncertainty.t_interval(THREE)
