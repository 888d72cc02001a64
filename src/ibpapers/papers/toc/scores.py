"""How well sentiment is told, over several draws of a channel."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ibpapers import sentiment

# TOC's metrics, as in its figures, by their names where the conventions are told apart.
METRICS = {
    "acc2": "acc2_nonnegative",
    "acc2_nonzero": "acc2_positive",
    "f1": "f1_nonnegative",
    "f1_nonzero": "f1_positive",
    "acc7": "acc7",
    "mae": "mae",
}


def scores(predicted: Tensor, label: Tensor) -> dict[str, tuple[float, float, str]]:
    """Of every metric its mean over draws, its deviation (0 with one draw), and its unit.

    `predicted` [draws, n], `label` [n]. Accuracies and F1 in percent; ``acc2`` and ``f1`` of
    negative against non-negative, ``_nonzero`` of negative against positive.
    """
    label = label.cpu().numpy()
    each = [sentiment.metrics(one, label) for one in predicted.double().cpu().numpy()]
    found = {}
    for metric, name in METRICS.items():
        values = np.array([one[name][0] for one in each])
        deviation = values.std(ddof=1) if len(values) > 1 else 0.0
        found[metric] = (float(values.mean()), float(deviation), each[0][name][1])
    return found


def chance(label: Tensor) -> dict[str, tuple[float, str]]:
    """Of every metric the best value that one answer to all utterances reaches, and its unit.

    The answers that can be the best: the seven classes and the median of `label` [n].
    """
    label = label.cpu().numpy()
    answers = (*range(-3, 4), np.median(label))
    each = [sentiment.metrics(np.full_like(label, answer), label) for answer in answers]
    best = {"mae": min}
    return {
        metric: (float(best.get(metric, max)(one[name][0] for one in each)), each[0][name][1])
        for metric, name in METRICS.items()
    }
