"""Calibration, against numbers by hand: bins, their error, and the temperature."""

import builtins
import math

import numpy as np
import pytest

from patchconvnet import inference
from patchconvnet.errors import PatchConvNetError
from patchconvnet.inference.calibration import (
    expected_calibration_error,
    fit_temperature,
    reliability,
    softmax,
)

# Four pictures of two classes; the first class is the answer to each.
FOUR = np.array([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4], [1.0, 0.0]])
ANSWERED = np.array([0, 1, 0, 0])  # the second wrongly


def drawn(count, temperature=1.0, classes=4, seed=0):
    """Logits, and labels drawn from their softmax at a temperature."""
    dice = np.random.default_rng(seed)
    logits = dice.normal(0, 3, (count, classes))
    sums = softmax(logits, temperature).cumsum(axis=1)
    return logits, (sums < dice.random((count, 1))).sum(axis=1)


# === softmax ===


def test_softmax_of_a_logarithm_is_the_share():
    logits = np.log([[1.0, 3.0]])
    np.testing.assert_allclose(softmax(logits), [[0.25, 0.75]])
    # 1 / (1 + 9): half the temperature squares the odds
    np.testing.assert_allclose(softmax(logits, 0.5), [[0.1, 0.9]])


def test_softmax_of_great_logits_does_not_overflow():
    found = softmax(np.array([[1e4, 0.0], [-1e4, -1e4]], dtype="float32"), 0.01)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[1, 0], [0.5, 0.5]])


def test_no_temperature_changes_an_answer():
    logits, _ = drawn(200)
    for temperature in (0.01, 0.3, 7, 100):
        found = softmax(logits, temperature)
        np.testing.assert_array_equal(found.argmax(axis=1), logits.argmax(axis=1))


# === reliability ===


def test_each_bin_has_its_confidence_accuracy_and_count():
    confidences, accuracies, counts = reliability(FOUR, ANSWERED, bins=4)
    # 0.7 and 0.6 lie in the third quarter, 0.9 and 1.0 in the last
    np.testing.assert_array_equal(counts, [0, 0, 2, 2])
    np.testing.assert_allclose(confidences, [np.nan, np.nan, 0.65, 0.95])
    np.testing.assert_allclose(accuracies, [np.nan, np.nan, 0.5, 1.0])
    assert {array.shape for array in (confidences, accuracies, counts)} == {(4,)}


def test_a_confidence_on_a_border_is_in_the_lower_bin():
    on_border = np.array([[0.5, 0.5], [0.75, 0.25]])
    assert reliability(on_border, [0, 0], bins=4)[2].tolist() == [0, 1, 1, 0]


def test_a_confidence_of_one_is_in_the_last_bin():
    sure = np.array([[0.0, 1.0], [1 + 1e-6, 0.0]], dtype="float32")
    confidences, accuracies, counts = reliability(sure, [1, 1], bins=15)
    assert counts.tolist() == 14 * [0] + [2]
    assert confidences[-1] == pytest.approx(1) and accuracies[-1] == 0.5


def test_of_equal_probabilities_the_first_is_the_answer():
    even = np.full((2, 4), 0.25)
    assert reliability(even, [0, 3], bins=1)[1] == [0.5]


def test_empty_bins_give_no_warning(recwarn):
    reliability(FOUR, ANSWERED)
    assert not recwarn.list


# === the error ===


def test_the_error_by_hand():
    # half of the pictures in each bin: 0.5 * 0.15 + 0.5 * 0.05
    assert expected_calibration_error(FOUR, ANSWERED, bins=4) == pytest.approx(0.1)
    # one bin: 0.8 sure, 0.75 right
    assert expected_calibration_error(FOUR, ANSWERED, bins=1) == pytest.approx(0.05)
    # each picture in a bin of its own: 0.1, 0.7, 0.4 and 0
    found = expected_calibration_error(FOUR, ANSWERED, bins=15)
    assert isinstance(found, float) and found == pytest.approx(0.3)


def test_sure_and_right_is_no_error_and_sure_and_wrong_the_greatest():
    sure = np.eye(3)
    assert expected_calibration_error(sure, [0, 1, 2]) == 0
    assert expected_calibration_error(sure, [1, 2, 0]) == 1


def test_a_calibrated_network_has_a_small_error_and_a_cooled_one_a_greater():
    logits, labels = drawn(20_000)
    assert expected_calibration_error(softmax(logits), labels) < 0.01
    assert expected_calibration_error(softmax(logits, 0.5), labels) > 0.05


# === the temperature ===


def test_the_temperature_that_made_the_labels_is_found():
    for temperature in (0.4, 1.0, 3.0):
        logits, labels = drawn(20_000, temperature)
        found = fit_temperature(logits, labels)
        assert isinstance(found, float) and found == pytest.approx(temperature, rel=0.1)


def test_the_temperature_by_hand():
    # Always log 9 to 0, and right on three of four: odds of 3 want a log 3, half of it.
    logits = np.tile([math.log(9), 0], (4, 1))
    assert fit_temperature(logits, [0, 0, 0, 1]) == pytest.approx(2, rel=1e-3)


def test_the_temperature_follows_the_logits():
    logits, labels = drawn(300)
    found = fit_temperature(logits, labels)
    assert fit_temperature(5 * logits + 7, labels) == pytest.approx(5 * found, rel=1e-3)
    assert fit_temperature(logits.astype("float32"), labels.astype("uint8")) == (
        pytest.approx(found, rel=1e-3)
    )


# === what is refused ===

LOGITS = np.array([[3.0, -1.0], [0.5, 0.2]])
REFUSED = {
    "logits for probabilities": (
        lambda: reliability(LOGITS, [0, 1]),
        "got -1 to 3 and a sum of 2 in row 0: of logits, take the softmax",
    ),
    "shares without a sum of 1": (
        lambda: expected_calibration_error([[0.5, 0.5], [0.9, 0.9]], [0, 1]),
        "a sum of 1.8 in row 1",
    ),
    "probabilities for logits": (
        lambda: fit_temperature(FOUR, ANSWERED),
        "before the softmax, got rows that sum to 1",
    ),
    "no table": (lambda: softmax([1.0, 2.0]), "got shape (2,)"),
    "one class": (lambda: softmax([[1.0]]), "two classes, got shape (1, 1)"),
    "no pictures": (
        lambda: reliability(np.empty((0, 3)), np.empty(0, int)),
        "got shape (0, 3)",
    ),
    "words": (lambda: softmax([["a", "b"]]), "must be numbers (N, classes), got [["),
    "NaN": (
        lambda: fit_temperature([[np.nan, 1.0]], [0]),
        "logits must be finite numbers, got NaN",
    ),
    "NaN of probabilities": (
        lambda: reliability([[np.nan, 1.0]], [0]),
        "probabilities must be finite numbers, got NaN",
    ),
    "infinity": (lambda: softmax([[np.inf, 1.0]]), "finite"),
    "too few labels": (
        lambda: reliability(FOUR, [0, 1]),
        "labels must be whole numbers (4,), one a picture, got int64 (2,)",
    ),
    "labels of shares": (lambda: reliability(FOUR, FOUR[:, 0]), "got float64 (4,)"),
    "one-hot labels": (
        lambda: fit_temperature(LOGITS, np.eye(2, dtype=int)),
        "got int64 (2, 2)",
    ),
    "a label too great": (
        lambda: reliability(FOUR, [0, 1, 2, 0]),
        "labels must be from 0 to 1, got 0 to 2",
    ),
    "a label below 0": (
        lambda: fit_temperature(LOGITS, [0, -1]),
        "labels must be from 0 to 1, got -1 to 0",
    ),
    "no bins": (
        lambda: reliability(FOUR, ANSWERED, bins=0),
        "bins must be a whole number from 1 to 10,000, got 0",
    ),
    "half a bin": (lambda: expected_calibration_error(FOUR, ANSWERED, 1.5), "got 1.5"),
    "no temperature": (
        lambda: softmax(LOGITS, 0),
        "temperature must be a number from 0.01 to 100, got 0",
    ),
    "all right": (
        lambda: fit_temperature(LOGITS, [0, 0]),
        "no temperature is best: every label has the greatest logit",
    ),
    "worse than chance": (
        lambda: fit_temperature(LOGITS, [1, 1]),
        "no temperature from 0.01 to 100 is best",
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
        fit_temperature(LOGITS, [0, 1])


def test_the_room_hands_them_on():
    assert inference.fit_temperature is fit_temperature
    assert inference.expected_calibration_error is expected_calibration_error
    assert inference.reliability is reliability and inference.softmax is softmax


def test_fifteen_bins_are_usual_as_in_the_paper():
    """Here 14 and 16 bins give other errors."""
    logits, labels = drawn(200)
    shares = softmax(logits)
    assert len(reliability(shares, labels)[2]) == 15
    errors = [expected_calibration_error(shares, labels, bins) for bins in (14, 15, 16)]
    assert len({round(error, 6) for error in errors}) == 3
    assert expected_calibration_error(shares, labels) == errors[1]
