"""Entropy and mutual information from nearest neighbours, on a k-d tree, in the maximum norm.

Kozachenko and Leonenko (1987) for entropy, Kraskov, Stögbauer and Grassberger (2004, their first
estimator) for mutual information. Both are for few dimensions: from about eight on they are far
off, the entropy too high and the information too low. (`knn` has the entropy of many small batches
of codes at once, differentiably.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import digamma

JITTER = 1e-10  # of a column's deviation: breaks ties, which have no k-th distance


def entropy(x: NDArray, k: int, rng: np.random.Generator) -> float:
    """Differential entropy of the samples x [n, d] in nats.

    h = digamma(n) - digamma(k) + d ln 2 + d mean_i ln eps_i, with eps_i the distance to the k-th
    neighbour. Raises ValueError unless 1 <= k < n.
    """
    x = _without_ties(x, rng)
    n, d = x.shape
    eps = _to_kth_neighbour(x, k)
    return float(digamma(n) - digamma(k) + d * (np.log(2) + np.log(eps).mean()))


def mutual_information(x: NDArray, y: NDArray, k: int, rng: np.random.Generator) -> float:
    """I(X; Y) of paired samples x [n, dx] and y [n, dy] in nats.

    I = digamma(k) + digamma(n) - mean_i [digamma(n_x(i) + 1) + digamma(n_y(i) + 1)], with n_x(i)
    how many other x lie strictly within eps_i, the distance of (x_i, y_i) to its k-th neighbour.
    Columns are standardised, which leaves I as it is. Raises ValueError unless 1 <= k < n.
    """
    x, y = (_without_ties(z, rng) / np.maximum(z.std(axis=0), JITTER) for z in (x, y))
    eps = _to_kth_neighbour(np.hstack([x, y]), k)
    within = np.nextafter(eps, 0)
    counts = [cKDTree(z).query_ball_point(z, within, p=np.inf, return_length=True) for z in (x, y)]
    # A count includes the sample itself, so it is n_x + 1 already.
    return float(digamma(k) + digamma(len(x)) - sum(digamma(count).mean() for count in counts))


def _to_kth_neighbour(x: NDArray, k: int) -> NDArray:
    n = len(x)
    if not 1 <= k < n:
        raise ValueError(f"k = {k} neighbours asked of n = {n} samples; allowed: 1 to {n - 1}")
    return cKDTree(x).query(x, k=[k + 1], p=np.inf)[0][:, 0]  # the first is the sample itself


def _without_ties(x: NDArray, rng: np.random.Generator) -> NDArray:
    deviation = np.maximum(x.std(axis=0), JITTER)
    return x + JITTER * deviation * rng.standard_normal(x.shape)
