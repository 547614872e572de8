"""Numbers against those worked out by hand, and against scikit-learn and SciPy."""

from math import erf, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from runhive import metrics

SCORES = np.array([0.1, 0.4, 0.35, 0.8])
POSITIVE = np.array([False, False, True, True])


def random_answers(seed: int, n: int = 200, classes: int = 5) -> tuple[metrics.Floats, metrics.Integers]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=n)
    logits = rng.normal(size=(n, classes)).round(1) + 1.5 * np.eye(classes)[labels]
    return metrics.softmax(logits), labels


def test_probabilities_sum_to_one_however_large_the_logits() -> None:
    found = metrics.softmax(np.array([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]]))

    assert found.tolist() == [[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(8, 10, 0.4901625, 0.9433178), (0, 10, 0.0, 0.2775328), (10, 10, 0.7224672, 1.0), (1, 1, 0.2065493, 1.0)],
)  # fmt: skip
def test_the_wilson_interval_is_that_of_the_tables(successes: int, n: int, low: float, high: float) -> None:
    assert metrics.wilson_interval(successes, n) == pytest.approx((low, high), abs=1e-7)


@pytest.mark.parametrize(("successes", "n"), [(0, 3), (1, 7), (144, 153), (999, 1000), (1000, 1000)])
def test_the_wilson_interval_is_that_of_scipy(successes: int, n: int) -> None:
    expected = binomtest(successes, n).proportion_ci(method="wilson")

    assert metrics.wilson_interval(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_holds_the_proportion_and_stays_within_zero_and_one(counts: tuple[int, int]) -> None:
    low, high = metrics.wilson_interval(*counts)

    assert 0 <= low <= counts[0] / counts[1] <= high <= 1


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (1, 0), (0, 5), (5, 1), (7, 7), (3, 12), (40, 25), (600, 500)])
def test_mcnemar_is_the_exact_two_sided_binomial_test(won: int, lost: int) -> None:
    expected = binomtest(won, won + lost).pvalue if won + lost else 1.0

    assert metrics.mcnemar_p(won, lost) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_takes_thousands_of_changed_images() -> None:
    """Summed with a fresh binomial coefficient for each term, this took a minute."""
    assert metrics.mcnemar_p(20_000, 20_000) == 1.0


def test_the_confusion_matrix_has_the_actual_classes_as_rows() -> None:
    found = metrics.confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)

    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("seed", range(3))
def test_the_confusion_matrix_is_that_of_scikit_learn(seed: int) -> None:
    probabilities, labels = random_answers(seed)
    predicted = probabilities.argmax(axis=1)

    assert np.array_equal(metrics.confusion_matrix(labels, predicted, 5), confusion_matrix(labels, predicted))


@pytest.mark.parametrize("seed", range(3))
def test_precision_recall_and_f1_are_those_of_scikit_learn(seed: int) -> None:
    probabilities, labels = random_answers(seed, n=30, classes=12)  # some are absent, some never predicted
    predicted = probabilities.argmax(axis=1)
    expected = precision_recall_fscore_support(labels, predicted, labels=range(12), zero_division=0)
    found = metrics.precision_recall_f1(metrics.confusion_matrix(labels, predicted, 12))

    assert np.allclose(found, expected[:3], atol=1e-12)


def test_a_class_that_is_neither_there_nor_predicted_scores_zero() -> None:
    found = metrics.precision_recall_f1(np.array([[2, 0], [0, 0]]))

    assert [values.tolist() for values in found] == [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]


def test_the_log_likelihood_of_halves_is_the_logarithm_of_two() -> None:
    assert metrics.negative_log_likelihood(np.full((4, 2), 0.5), np.array([0, 1, 1, 0])) == pytest.approx(log(2))


def test_a_label_that_was_called_impossible_costs_much_but_not_infinitely() -> None:
    found = metrics.negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([1]))

    assert 700 < found < 710


@pytest.mark.parametrize("seed", range(3))
def test_the_log_likelihood_is_that_of_scikit_learn(seed: int) -> None:
    probabilities, labels = random_answers(seed)

    assert metrics.negative_log_likelihood(probabilities, labels) == pytest.approx(log_loss(labels, probabilities))


@pytest.mark.parametrize(
    ("probabilities", "label", "score"),
    [([1.0, 0.0], 0, 0.0), ([1.0, 0.0], 1, 2.0), ([0.5, 0.5], 0, 0.5), ([0.7, 0.2, 0.1], 0, 0.14)],
)
def test_the_brier_score_is_the_squared_distance_to_the_truth(
    probabilities: list[float], label: int, score: float
) -> None:
    assert metrics.brier_score(np.array([probabilities]), np.array([label])) == pytest.approx(score)


@pytest.mark.parametrize("seed", range(3))
def test_the_brier_score_is_that_of_scikit_learn(seed: int) -> None:
    probabilities, labels = random_answers(seed)
    expected = brier_score_loss(labels, probabilities, scale_by_half=False, labels=range(5))

    assert metrics.brier_score(probabilities, labels) == pytest.approx(expected)


def test_the_calibration_error_is_the_weighted_gap_of_the_bins() -> None:
    """Two bins: (0.5, 0.6] is right half of the time at 0.6; (0.9, 1] always at 0.95."""
    confidence = np.array([0.6, 0.6, 0.95, 0.95])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    error, bins = metrics.calibration(probabilities, np.array([0, 1, 0, 0]), bins=10)

    assert error == pytest.approx(0.5 * 0.1 + 0.5 * 0.05)
    assert [(one.low, one.high, one.images) for one in bins] == [(0.5, 0.6, 2), (0.9, 1.0, 2)]
    assert [(one.confidence, one.accuracy) for one in bins] == [pytest.approx((0.6, 0.5)), pytest.approx((0.95, 1.0))]


def test_perfect_answers_are_perfectly_calibrated() -> None:
    error, bins = metrics.calibration(np.eye(3), np.arange(3))

    assert error == 0
    assert [(one.images, one.accuracy) for one in bins] == [(3, 1.0)]


@pytest.mark.parametrize("bins", [10, 15])
def test_a_confidence_on_a_border_belongs_to_the_bin_below(bins: int) -> None:
    for border in range(bins // 2 + 1, bins + 1):
        p = border / bins
        _, found = metrics.calibration(np.array([[p, 1 - p]]), np.array([0]), bins)

        assert found[0].high == p


@pytest.mark.parametrize("seed", range(3))
def test_every_image_is_in_the_bin_of_its_confidence(seed: int) -> None:
    probabilities, labels = random_answers(seed)
    _, bins = metrics.calibration(probabilities, labels)

    assert sum(one.images for one in bins) == len(labels)
    assert all(one.low < one.confidence <= one.high for one in bins)


def test_the_roc_area_of_the_textbook_example() -> None:
    curve = metrics.roc_curve(SCORES, POSITIVE)

    assert curve is not None
    assert curve.area == 0.75
    assert curve.x.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.y.tolist() == [0, 0.5, 0.5, 1, 1]


def test_the_average_precision_of_the_textbook_example() -> None:
    curve = metrics.precision_recall_curve(SCORES, POSITIVE)

    assert curve is not None
    assert curve.area == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@pytest.mark.parametrize("digits", [1, 6], ids=["ties", "no ties"])
@pytest.mark.parametrize("seed", range(3))
def test_the_areas_are_those_of_scikit_learn(seed: int, digits: int) -> None:
    probabilities, labels = random_answers(seed)
    scores, positive = probabilities[:, 0].round(digits), labels == 0
    roc, pr = metrics.roc_curve(scores, positive), metrics.precision_recall_curve(scores, positive)

    assert roc and roc.area == pytest.approx(roc_auc_score(positive, scores))
    assert pr and pr.area == pytest.approx(average_precision_score(positive, scores))


def test_scores_that_are_all_equal_are_worth_a_coin() -> None:
    roc = metrics.roc_curve(np.zeros(10), np.arange(10) < 3)
    pr = metrics.precision_recall_curve(np.zeros(10), np.arange(10) < 3)

    assert roc and (roc.area, len(roc.x)) == (0.5, 2)
    assert pr and (pr.area, len(pr.x)) == (pytest.approx(0.3), 1)


def test_perfect_scores_have_areas_of_one() -> None:
    scores = np.array([0.9, 0.8, 0.1])
    roc = metrics.roc_curve(scores, scores > 0.5)
    pr = metrics.precision_recall_curve(scores, scores > 0.5)

    assert roc and roc.area == 1
    assert pr and pr.area == 1


def test_a_class_without_images_has_no_curves() -> None:
    nobody = np.zeros(4, dtype=bool)

    assert metrics.roc_curve(SCORES, nobody) is None
    assert metrics.precision_recall_curve(SCORES, nobody) is None


def test_where_all_images_are_of_the_class_only_precision_has_a_meaning() -> None:
    everybody = np.ones(4, dtype=bool)
    pr = metrics.precision_recall_curve(SCORES, everybody)

    assert metrics.roc_curve(SCORES, everybody) is None
    assert pr and pr.area == 1


def test_the_quantile_is_that_of_the_normal_distribution() -> None:
    assert pytest.approx(0.975) == 0.5 * (1 + erf(metrics.Z_95 / sqrt(2)))
