"""Rate-distortion functions of discrete sources by the algorithm of Blahut and Arimoto, in bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

CHECKED_EVERY = 50  # iterations between looks at the residual


@dataclass(frozen=True)
class RateDistortion:
    """Points of R(D), one a slope, and how far they may be from it.

    Attributes:
        slope: [S], -dR/dD in nats per unit of distortion.
        rate: [S] bits. distortion: [S], expected.
        residual: [S] bits, upper minus lower bound on R at `distortion`.
        conditional: [S, m, n], the test channel p(reproduction | symbol).
    """

    slope: NDArray[np.float64]
    rate: NDArray[np.float64]
    distortion: NDArray[np.float64]
    residual: NDArray[np.float64]
    conditional: NDArray[np.float64]


def blahut_arimoto(
    pmf: ArrayLike,
    distortion: ArrayLike,
    slopes: ArrayLike,
    tolerance: float = 1e-8,
    max_iterations: int = 200_000,
) -> RateDistortion:
    """R(D) of a source `pmf` [m] under the distortion table [m, n], where it has `slopes` [S].

    All slopes are iterated together and leave when their residual is below `tolerance` bits
    (Blahut 1972, Theorem 7), or after `max_iterations`; the residual says which. Cells that are
    pairs of symbols enter flattened. Raises ValueError where a slope is not positive.
    """
    p, d = np.asarray(pmf, dtype=float), np.asarray(distortion, dtype=float)
    s = np.atleast_1d(np.asarray(slopes, dtype=float))
    if (s <= 0).any():
        raise ValueError(f"the smallest slope is {s.min()}; slopes are positive")
    symbols = p > 0
    least = d.min(axis=1)
    kernel = np.exp(-s[:, None, None] * (d - least[:, None]))
    marginal = np.full((len(s), d.shape[1]), 1 / d.shape[1])
    residual = np.full(len(s), np.inf)
    active = np.arange(len(s))
    # Copies that shrink with `active`, so that slow slopes do not drag the others along.
    own, some = kernel[:, symbols], marginal.copy()
    for iteration in range(1, max_iterations + 1):
        weight = p[symbols] / np.matmul(own, some[:, :, None])[:, :, 0]
        gain = np.matmul(weight[:, None, :], own)[:, 0, :]
        some = some * gain
        if iteration % CHECKED_EVERY and iteration != max_iterations:
            continue
        marginal[active], residual[active] = some, _residual(some, gain)
        left = residual[active] >= tolerance
        active, own, some = active[left], own[left], some[left]
        if not len(active):
            break
    return _points(p, d, s, kernel, marginal, residual)


def _residual(marginal: NDArray, gain: NDArray) -> NDArray:
    """Upper minus lower bound, bits: log max c_j - sum_j q_j log c_j, both by q's update."""
    used = np.where(marginal > 0, gain, 1.0)
    return np.log2(gain.max(axis=1)) - (marginal * np.log2(used)).sum(axis=1)


def _points(
    p: NDArray, d: NDArray, s: NDArray, kernel: NDArray, marginal: NDArray, residual: NDArray
) -> RateDistortion:
    joint = kernel * marginal[:, None, :]
    normaliser = joint.sum(axis=2, keepdims=True)
    conditional = joint / normaliser
    expected = (p[:, None] * conditional * d).sum(axis=(1, 2))
    # I = sum p K q / z log2(K / z): K is what exp(-s d) is, up to the least distortion of a row.
    excess = expected - p @ d.min(axis=1)
    rate = -s * excess / np.log(2) - np.log2(normaliser[:, :, 0]) @ p
    return RateDistortion(s, np.maximum(rate, 0.0), expected, residual, conditional)
