"""Metrics of sentiment prediction on [-3, 3] (OMIB, Appendix K; TOC, Section VI)."""

from __future__ import annotations

import numpy as np


def metrics(predicted: np.ndarray, label: np.ndarray) -> dict[str, tuple[float, str]]:
    """Acc7, Acc2 and F1 in both conventions (percent), MAE and Pearson's r.

    Both arguments are float [n]. `_nonnegative`: negative against non-negative, every sample
    counts; `_positive`: negative against positive, samples with label zero are left out.
    """
    error = np.abs(predicted - label).mean()
    found = {"acc7": (100 * accuracy_7(predicted, label), "percent")}
    for convention, kept, positive in (
        ("nonnegative", np.ones_like(label, bool), np.greater_equal),
        ("positive", label != 0, np.greater),
    ):
        ours, true = positive(predicted[kept], 0), positive(label[kept], 0)
        found[f"acc2_{convention}"] = (100 * (ours == true).mean(), "percent")
        found[f"f1_{convention}"] = (100 * weighted_f1(ours, true), "percent")
    return {**found, "mae": (error, "1"), "corr": (pearson(predicted, label), "1")}


def accuracy_7(predicted: np.ndarray, label: np.ndarray) -> float:
    """Share of samples in the right one of seven classes: clipped to [-3, 3] and rounded."""
    ours, true = (np.round(np.clip(values, -3, 3)) for values in (predicted, label))
    return (ours == true).mean()


def weighted_f1(predicted: np.ndarray, label: np.ndarray) -> float:
    """F1 of each of the two classes, averaged with the classes' shares of the labels as weights.

    This average is the usual one in the field (MAG-BERT, Mai et al. 2023).
    """
    total = 0.0
    for of_class in (False, True):
        hits = ((predicted == of_class) & (label == of_class)).sum()
        named, true = (predicted == of_class).sum(), (label == of_class).sum()
        if hits:
            total += true / len(label) * 2 * hits / (named + true)
    return total


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation coefficient; 0 where one of the two is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else 0.0
