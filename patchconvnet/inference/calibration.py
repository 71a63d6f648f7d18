"""How often is a network right when it is sure? And one number that mends its sureness.

    confidence     of a picture: the greatest of its probabilities
    reliability    in bins of confidence: how sure the network was, how often right
    expected calibration error    how far the two lie apart, on average
    temperature    what logits are divided by before the softmax; above 1 a network
                   becomes less sure, below 1 surer. No answer changes.

Both are of Guo et al. (2017), "On Calibration of Modern Neural Networks", arXiv
1706.04599. They say nothing of pictures from elsewhere than those measured.
"""

import numpy as np

from patchconvnet.errors import PatchConvNetError, number, plain, short, whole

BINS = whole(1, 10_000)
COLDEST, HOTTEST = 0.01, 100.0
TEMPERATURE = number(COLDEST, HOTTEST, "a number from 0.01 to 100")


def softmax(logits, temperature=1.0):
    """Probabilities from logits, at a temperature (Guo et al., section 4.2, eq. 9).

    Args:
        logits: float (N, classes), at least two classes.
        temperature: from 0.01 to 100; 1 is the network as it was trained.

    Returns:
        float64 (N, classes), each from 0 to 1; each row sums to 1.

    Raises:
        PatchConvNetError: another shape, logits that are not finite; an impossible
            temperature.
    """
    logits = _table("logits", logits)
    TEMPERATURE.check("temperature", plain(temperature))
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def reliability(probabilities, labels, bins=15):
    """How sure the network was and how often it was right, in bins of confidence.

    Bin m of M holds the pictures whose confidence is above (m - 1) / M and at most
    m / M (Guo et al., section 2). Of equal probabilities the first is the answer.

    Args:
        probabilities: float (N, classes), as `softmax` gives them.
        labels: int (N,), from 0 to classes - 1.
        bins: how many, from 1 to 10,000.

    Returns:
        confidences: float64 (bins,), mean confidence in each bin; NaN in an empty one.
        accuracies: float64 (bins,), share of right answers; NaN in an empty one.
        counts: int64 (bins,), pictures in each bin.

    Raises:
        PatchConvNetError: other shapes or dtypes; no pictures; rows that are no
            probabilities; a label that is no class; an impossible number of bins.
    """
    probabilities = _table("probabilities", probabilities)
    labels = _labels(labels, probabilities)
    BINS.check("bins", plain(bins))
    _check_sums(probabilities)
    confidence = probabilities.max(axis=1)  # (N, classes) -> (N,)
    right = probabilities.argmax(axis=1) == labels  # (N, classes) -> (N,)
    borders = np.arange(1, bins) / bins  # (bins - 1,)
    place = np.searchsorted(borders, confidence)  # (N,); on a border: the lower bin
    counts = np.bincount(place, minlength=bins)  # (N,) -> (bins,)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: an empty bin
        confidences = np.bincount(place, confidence, bins) / counts
        accuracies = np.bincount(place, right, bins) / counts
    return confidences, accuracies, counts


def expected_calibration_error(probabilities, labels, bins=15):
    """How far confidence and accuracy lie apart: a float, 0 at best, at most 1.

    The mean over bins of |accuracy - confidence|, each bin weighted by its pictures
    (Guo et al., section 2, eq. 3). More bins find more, and luck alone gives a network
    without fault more than 0: compare only numbers of the same bins and pictures.

    Args:
        probabilities, labels, bins: as in `reliability`.

    Raises:
        PatchConvNetError: as in `reliability`.
    """
    confidences, accuracies, counts = reliability(probabilities, labels, bins)
    apart = np.abs(accuracies - confidences)  # (bins,)
    return float(np.nansum(counts * apart) / counts.sum())


def fit_temperature(logits, labels):
    """The temperature at which the labels are most probable: a float.

    It has the least mean negative log-likelihood (Guo et al., section 4.2). Fit on
    validation pictures: on those of the training a network is surer than elsewhere.

    Args:
        logits: float (N, classes), before any softmax; at least two classes.
        labels: int (N,), from 0 to classes - 1.

    Returns:
        A temperature from 0.01 to 100.

    Raises:
        PatchConvNetError: other shapes or dtypes; no pictures; logits that are not
            finite, or are probabilities; a label that is no class; each label with the
            greatest logit, so that the coldest would be best, or no best one from 0.01
            to 100; SciPy is not installed.
    """
    logits = _table("logits", logits)
    labels = _labels(labels, logits)
    if _are_probabilities(logits).all():
        raise PatchConvNetError(
            "logits must be the numbers before the softmax, got rows that sum to 1"
        )
    below = logits - logits.max(axis=1, keepdims=True)  # (N, classes), at most 0
    of_label = below[np.arange(len(labels)), labels]  # (N, classes) -> (N,)
    if not of_label.any():
        raise PatchConvNetError(
            "no temperature is best: every label has the greatest logit, and the colder"
            " the better; give pictures of which some are answered wrongly"
        )

    def loss(log_temperature):
        cold = np.exp(-log_temperature)
        totals = np.exp(cold * below).sum(axis=1)  # (N, classes) -> (N,)
        return (np.log(totals) - cold * of_label).mean()

    ends = np.log([COLDEST, HOTTEST])
    found = _scipy().minimize_scalar(loss, bounds=ends, method="bounded").x
    if np.abs(ends - found).min() < 0.001:
        raise PatchConvNetError(
            f"no temperature from {COLDEST} to {HOTTEST:.0f} is best: are these the"
            " logits of these labels?"
        )
    return float(np.exp(found))


def _scipy():
    try:
        import scipy.optimize
    except ImportError as error:
        raise PatchConvNetError(
            "a temperature is fitted by SciPy, which is not installed: pip install"
            " scipy"
        ) from error
    return scipy.optimize


# === checks ===


def _table(name, values):
    """One row a picture, one column a class, finite: float64 (N, classes)."""
    try:
        table = np.asarray(values, dtype="float64")
    except (TypeError, ValueError) as error:
        raise PatchConvNetError(
            f"{name} must be numbers (N, classes), got {short(values)}"
        ) from error
    if table.ndim != 2 or len(table) < 1 or table.shape[1] < 2:
        raise PatchConvNetError(
            f"{name} must be (N, classes), at least one picture and two classes, got"
            f" shape {table.shape}"
        )
    if not np.isfinite(table).all():
        raise PatchConvNetError(f"{name} must be finite numbers, got NaN or infinity")
    return table


def _labels(labels, table):
    """Labels (N,), held against a table (N, classes)."""
    labels = np.asarray(labels)
    count, classes = table.shape
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise PatchConvNetError(
            f"labels must be whole numbers ({count},), one a picture, got"
            f" {labels.dtype} {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise PatchConvNetError(
            f"labels must be from 0 to {classes - 1}, got {labels.min()} to"
            f" {labels.max()}"
        )
    return labels


def _are_probabilities(table):
    """Whether each row holds shares that sum to 1: bool (N,)."""
    shares = (table >= 0).all(axis=1)  # (N, classes) -> (N,)
    # half precision rounds each share to three digits
    return shares & (np.abs(table.sum(axis=1) - 1) < 0.01)


def _check_sums(table):
    wrong = np.flatnonzero(~_are_probabilities(table))
    if len(wrong):
        row = table[wrong[0]]
        raise PatchConvNetError(
            "probabilities must be 0 to 1, with a sum of 1 in each row, got"
            f" {row.min():.3g} to {row.max():.3g} and a sum of {row.sum():.3g} in row"
            f" {wrong[0]}: of logits, take the softmax"
        )
