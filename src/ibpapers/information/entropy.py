"""Entropy, mutual information and the two notions of common information, in bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components


def entropy(pmf: ArrayLike) -> float:
    """H = -sum p log2 p over all cells of `pmf`, of any shape. Raises ValueError if it is none."""
    p = _checked(pmf)
    positive = p[p > 0]
    return float(-(positive * np.log2(positive)).sum()) + 0.0  # never -0.0


def mutual_information(joint: ArrayLike) -> float:
    """I(X; Y) of the joint PMF [x, y]: H(X) + H(Y) - H(X, Y)."""
    p = _checked(joint)
    return entropy(p.sum(axis=1)) + entropy(p.sum(axis=0)) - entropy(p)


def gacs_korner(joint: ArrayLike) -> float:
    """Gacs-Korner common information of the joint PMF [x, y]: what both know without an error.

    The entropy of the block of its ergodic decomposition (Eq. 8 of Gray-Wyner): of the connected
    component of the bipartite graph that joins x and y where p(x, y) > 0.
    """
    p = _checked(joint)
    rows, columns = np.nonzero(p)
    size = sum(p.shape)
    edges = csr_array((np.ones(len(rows)), (rows, p.shape[0] + columns)), shape=(size, size))
    blocks, block = connected_components(edges, directed=False)
    return entropy(np.bincount(block[: p.shape[0]], weights=p.sum(axis=1), minlength=blocks))


def wyner_binary(p: float) -> float:
    """Wyner's common information of the doubly symmetric binary source, P(X != Y) = p <= 1/2.

    C = 1 + h(p) - 2 h(a), a = (1 - sqrt(1 - 2 p)) / 2 (Wyner 1975).
    """
    if not 0 <= p <= 0.5:
        raise ValueError(f"the crossover probability is {p}; allowed: 0 to 0.5")
    a = (1 - np.sqrt(1 - 2 * p)) / 2
    return 1 + entropy([p, 1 - p]) - 2 * entropy([a, 1 - a])


def wyner_gaussian(rho: float, distortion: float) -> float:
    """Wyner's lossy common information of two unit Gaussians with correlation `rho` in [0, 1).

    Both reproduced at the mean squared error `distortion` in (0, 1] (Viswanatha, Akyol, Rose 2014):
    a plateau up to 1 - rho, the Gaussian joint rate above it.
    """
    if not (0 <= rho < 1 and 0 < distortion <= 1):
        raise ValueError(
            f"rho = {rho} and distortion = {distortion}; allowed: 0 <= rho < 1, 0 < distortion <= 1"
        )
    left = max(1 - rho, 2 * distortion - 1 + rho)
    return float(np.log2((1 + rho) / left) / 2)


def _checked(pmf: ArrayLike) -> NDArray[np.float64]:
    p = np.asarray(pmf, dtype=float)
    if not (np.isfinite(p).all() and (p >= 0).all() and abs(p.sum() - 1) < 1e-9):
        raise ValueError(f"not a PMF: smallest {p.min()}, sum {p.sum()}; it should add up to 1")
    return p
