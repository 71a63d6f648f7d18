"""How sure is a number? Intervals, and comparisons that know how far luck goes.

Two kinds of luck are told apart. A network trained again from another seed is another
network: that is what `t_interval`, `standard_error_of_difference` and
`permutation_test` are for, on one number a seed. Other test pictures would give one
network another score: that is what `bootstrap_interval`, `paired_bootstrap` and
`mcnemar` are for, on one number a picture.
"""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from patchconvnet.errors import PatchConvNetError

DRAWS = 10_000
MOST_SPLITS = 1_000_000  # of the exact test: 11 and 11 seeds have 705,432


@dataclass(frozen=True)
class Interval:
    """An estimate, and the interval that should hold the true value.

    Attributes:
        estimate: what was measured.
        low, high: the ends of the interval.
        confidence: the share of such intervals, made anew from other data, that hold
            the true value: 0.95 for 95%.
    """

    estimate: float
    low: float
    high: float
    confidence: float = 0.95


def t_interval(values, confidence=0.95):
    """The mean over seeds, with an interval by Student's t distribution.

    mean +- t * s / sqrt(n), t from n - 1 degrees of freedom, s the standard deviation
    with n - 1 below the line (Student, 1908). It takes the values for draws from a
    normal distribution; of shares near 0 or 1 the interval may leave 0..1.

    Args:
        values: one number a seed, float (n,), n at least 2.
        confidence: above 0, below 1.

    Returns:
        An `Interval`.

    Raises:
        PatchConvNetError: fewer than two values, or one that is not finite; an
            impossible confidence; SciPy is not installed.
    """
    values = _numbers("values", values, at_least=2)
    _check_confidence(confidence)
    # one tail of what is left out
    reach = _scipy().stats.t.ppf((1 + confidence) / 2, len(values) - 1)
    reach *= values.std(ddof=1) / math.sqrt(len(values))
    mean = float(values.mean())
    return Interval(mean, mean - float(reach), mean + float(reach), confidence)


def standard_error_of_difference(values, others):
    """How far the difference of two means strays from luck alone: a float.

    sqrt(s1^2 / n1 + s2^2 / n2), for seeds that were drawn apart (Welch, 1947).

    Args:
        values, others: one number a seed, float (n,), (m,); each at least two.

    Raises:
        PatchConvNetError: as in `t_interval`.
    """
    parts = (
        _numbers("values", values, at_least=2),
        _numbers("others", others, at_least=2),
    )
    return math.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))


def permutation_test(values, others):
    """Could the seeds have been dealt into these two groups by luck? A probability.

    All ways to deal the same numbers into groups of these sizes are tried; the result
    is the share of them whose means differ at least as much as here, in either
    direction (Fisher, 1935). Three seeds against three have 20 ways: no result can be
    below 2 / 20 = 0.1.

    Args:
        values, others: one number a seed, float (n,), (m,).

    Raises:
        PatchConvNetError: no values, or one that is not finite; more than a million
            ways.
    """
    values = _numbers("values", values)
    others = _numbers("others", others)
    together = np.concatenate([values, others])
    ways = math.comb(len(together), len(values))
    if ways > MOST_SPLITS:
        raise PatchConvNetError(
            f"{len(values)} and {len(others)} values can be dealt in {ways:,} ways, and"
            f" an exact test tries at most {MOST_SPLITS:,}: give fewer seeds"
        )
    choices = combinations(range(len(together)), len(values))
    sums = np.array([together[list(chosen)].sum() for chosen in choices])
    rest = together.sum() - sums
    apart = np.abs(sums / len(values) - rest / len(others))
    # the first is the way that was found; sums in another order differ in a last digit
    return float(np.mean(apart >= apart[0] - 1e-12 * np.abs(together).max()))


def bootstrap_interval(*arrays, measure=np.mean, confidence=0.95, draws=DRAWS, seed=0):
    """Any measure of one network, with an interval over the pictures.

    Pictures are drawn anew from those that there are, as many, with replacement, and
    the measure is taken again; the interval holds the middle share of what comes out
    (the percentile method: Efron and Tibshirani, 1993, chapter 13).

    Args:
        *arrays: one row a picture, (N, ...), all of one length, drawn together.
        measure: a function of such arrays that gives a number.
        confidence: above 0, below 1.
        draws: how often pictures are drawn, at least 100.
        seed: of the draws.

    Returns:
        An `Interval`.

    Raises:
        PatchConvNetError: no arrays, or no pictures; arrays of different lengths; a
            measure that is not finite; an impossible confidence or number of draws.
    """
    arrays = _rows(arrays)
    _check_confidence(confidence)
    if not isinstance(draws, int) or isinstance(draws, bool) or draws < 100:
        raise PatchConvNetError(
            f"draws must be a whole number, at least 100, got {draws!r}"
        )
    count = len(arrays[0])
    dice = np.random.default_rng(seed)
    found = np.empty(draws)
    for draw in range(draws):
        chosen = dice.integers(0, count, count)
        found[draw] = measure(*(array[chosen] for array in arrays))
    estimate = float(measure(*arrays))
    if not (np.isfinite(estimate) and np.isfinite(found).all()):
        raise PatchConvNetError(
            "the measure is not finite for these pictures, or for some that were drawn"
            " from them"
        )
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high), confidence)


def paired_bootstrap(scores, others, confidence=0.95, draws=DRAWS, seed=0):
    """By how much one network's scores exceed another's on the same pictures.

    The difference of each picture is what is drawn, so what is hard for both cancels
    out (see `bootstrap_interval`).

    Args:
        scores, others: one number a picture, float (N,).

    Returns:
        An `Interval` of the mean difference. If 0 lies outside it, luck in the choice
        of pictures hardly explains the difference; another seed may still reverse it.

    Raises:
        PatchConvNetError: as in `bootstrap_interval`.
    """
    scores, others = _rows((_numbers("scores", scores), _numbers("others", others)))
    return bootstrap_interval(
        scores - others, confidence=confidence, draws=draws, seed=seed
    )


@dataclass(frozen=True)
class Disagreement:
    """Two networks' answers to the same pictures.

    Attributes:
        only_first, only_second: how many pictures one alone has right.
        probability: that luck alone splits them at least so unevenly.
    """

    only_first: int
    only_second: int
    probability: float


def mcnemar(right, others_right):
    """Is one network right more often than another on the same pictures?

    Only pictures that one alone has right tell. If both networks were equally good,
    each of these would fall to either like a coin: the exact, two-sided binomial test
    (McNemar, 1947).

    Args:
        right, others_right: whether each answer is right, bool (N,).

    Returns:
        A `Disagreement`.

    Raises:
        PatchConvNetError: other lengths or dtypes, or no pictures.
    """
    right, others_right = np.asarray(right), np.asarray(others_right)
    for name, array in (("right", right), ("others_right", others_right)):
        if array.dtype != bool or array.ndim != 1:
            raise PatchConvNetError(
                f"{name} must be bool (N,), one a picture, got {array.dtype}"
                f" {array.shape}"
            )
    _rows((right, others_right))
    first = int(np.sum(right & ~others_right))
    second = int(np.sum(~right & others_right))
    thrown, fewer = first + second, min(first, second)
    # whole numbers, so that nothing under- or overflows
    tail = sum(math.comb(thrown, heads) for heads in range(fewer + 1))
    return Disagreement(first, second, min(1.0, 2 * tail / 2**thrown))


def _scipy():
    try:
        import scipy.stats
    except ImportError as error:
        raise PatchConvNetError(
            "Student's t needs SciPy, which is not installed: pip install scipy"
        ) from error
    return scipy


def _numbers(name, values, at_least=1):
    """Numbers as float64 (n,); an error if they are not, or too few."""
    try:
        array = np.asarray(values, dtype="float64")
    except (TypeError, ValueError) as error:
        raise PatchConvNetError(f"{name} must be numbers, got {values!r}") from error
    if array.ndim != 1 or len(array) < at_least:
        raise PatchConvNetError(
            f"{name} must be at least {at_least} in a row (n,), got shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise PatchConvNetError(f"{name} must be finite numbers")
    return array


def _rows(arrays):
    """The same as NumPy arrays of one length, one row a picture."""
    arrays = [np.asarray(array) for array in arrays]
    lengths = [len(array) if array.ndim else 0 for array in arrays]
    if not arrays or 0 in lengths or len(set(lengths)) > 1:
        raise PatchConvNetError(
            "wanted arrays with one row a picture, all of one length, got lengths"
            f" {lengths}"
        )
    return arrays


def _check_confidence(confidence):
    is_number = isinstance(confidence, (int, float))
    if not is_number or not 0 < confidence < 1:
        raise PatchConvNetError(
            f"confidence must be above 0 and below 1, as in 0.95, got {confidence!r}"
        )
