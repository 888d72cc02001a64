"""Metrics of sentiment, by hand."""

import numpy as np
import pytest

from ibpapers.sentiment import accuracy_7, metrics, pearson, weighted_f1

LABEL = np.array([-2.6, -0.4, 0.0, 0.0, 0.0, 1.2, 3.0])
OURS = np.array([-3.9, 0.3, -0.1, 0.2, 0.3, 1.6, 2.4])


def test_seven_classes_are_clipped_and_rounded():
    # -3 | -3, 0 | 0, 0 | 0, 0 | 0, 0 | 0, 2 | 1, 2 | 3
    assert accuracy_7(OURS, LABEL) == pytest.approx(5 / 7)


def test_both_conventions_of_two_classes():
    found = {name: value for name, (value, _) in metrics(OURS, LABEL).items()}
    # Negative or not, ours: - + - + + + +, labels: - - + + + + +: five of seven agree.
    assert found["acc2_nonnegative"] == pytest.approx(100 * 5 / 7)
    # F1 of the negatives 2 * 1 / (2 + 2), of the others 2 * 4 / (5 + 5).
    assert found["f1_nonnegative"] == pytest.approx(100 * (2 / 7 * 0.5 + 5 / 7 * 0.8))
    # Without zeros, ours: - + + +, labels: - - + +.
    assert found["acc2_positive"] == pytest.approx(75)
    assert found["f1_positive"] == pytest.approx(100 * (0.5 * 2 / 3 + 0.5 * 0.8))
    assert found["mae"] == pytest.approx(np.mean([1.3, 0.7, 0.1, 0.2, 0.3, 0.4, 0.6]))


def test_a_class_that_nobody_names_has_no_f1():
    label = np.array([True, True, True, False])
    assert weighted_f1(np.ones(4, bool), label) == pytest.approx(3 / 4 * 6 / 7)
    assert weighted_f1(np.ones(4, bool), np.ones(4, bool)) == 1


def test_pearson():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 50))
    assert pearson(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert pearson(np.ones(3), np.array([1.0, 2.0, 3.0])) == 0
