"""A source of two halves whose positions hold independent symbols, or the same one in pairs.

The synthetic source of Gray-Wyner (Appendix D.3). What is tied are exact copies, so that a pair is
one symbol whose squared error counts twice, and everything follows from how many pairs there are
and from the rate-distortion function of a single symbol. Rates are bits per position of one half,
which is a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibpapers.information.blahut_arimoto import RateDistortion, blahut_arimoto
from ibpapers.information.entropy import entropy

TOLERANCE = 1e-6  # bits, of every rate


@dataclass(frozen=True)
class Ties:
    """Pairs across the halves, and within the first and the second, of `positions` each."""

    positions: int
    across: int
    within: tuple[int, int]

    @classmethod
    def of(cls, partner: NDArray[np.int64]) -> Ties:
        """From `partner` [2 n]: for every position the one it shares its symbol with, or itself."""
        n = len(partner) // 2
        position = np.arange(2 * n)
        first = position < partner  # each pair once
        low, high = position[first], partner[first]
        return cls(
            n,
            across=int(((low < n) & (high >= n)).sum()),
            within=(int((high < n).sum()), int((low >= n).sum())),
        )

    @property
    def joint(self) -> float:
        """Independent symbols of both halves together, per position."""
        return self.marginal_sum - self.mutual

    @property
    def marginal_sum(self) -> float:
        """Independent symbols of each half, added up, per position."""
        return 2 - sum(self.within) / self.positions

    @property
    def mutual(self) -> float:
        """Symbols that both halves hold, per position."""
        return self.across / self.positions


def entropies(ties: Ties, pmf: ArrayLike) -> dict[str, float]:
    """H(X1, X2), H(X1) + H(X2) and I(X1; X2) in bits per pixel, of symbols with `pmf`."""
    h = entropy(pmf)
    return {
        "joint": ties.joint * h,
        "marginal_sum": ties.marginal_sum * h,
        "mutual_information": ties.mutual * h,
    }


@dataclass(frozen=True)
class Curves:
    """Rate-distortion curves [S] in bits per pixel; `rmse` is that of every position.

    `joint`, `marginal_sum` and `mutual_information` are those of the paper: every position at the
    same distortion, each symbol at the rate of one that counts twice. `residual` bounds the error
    of the rates.
    """

    rmse: NDArray[np.float64]
    joint: NDArray[np.float64]
    marginal_sum: NDArray[np.float64]
    mutual_information: NDArray[np.float64]
    residual: NDArray[np.float64]


def curves(ties: Ties, pmf: ArrayLike, values: ArrayLike, slopes: ArrayLike) -> Curves:
    """The theory curves of Fig. 3 and 9, from Blahut-Arimoto on the pair.

    A reproduction of a pair has twice the squared error of its symbol, so the pair's slope s
    is the symbol's slope 2 s. `values` [m] are the numbers that symbols stand for.
    """
    symbol = _symbol(pmf, values, 2 * np.asarray(slopes, dtype=float))
    return Curves(
        rmse=np.sqrt(symbol.distortion),
        joint=ties.joint * symbol.rate,
        marginal_sum=ties.marginal_sum * symbol.rate,
        mutual_information=ties.mutual * symbol.rate,
        residual=ties.marginal_sum * symbol.residual,
    )


@dataclass(frozen=True)
class Bound:
    """A rate-distortion function: least `rate` [S], bits per pixel, at `mse` [S] over both halves.

    `slope` [S] is -dR/d(mse) in bits per pixel.
    """

    slope: NDArray[np.float64]
    mse: NDArray[np.float64]
    rate: NDArray[np.float64]

    def at(self, mse: float) -> float:
        """A lower bound on the rate at `mse`: the highest tangent of the (convex) function."""
        return float(max(0.0, (self.rate + self.slope * (self.mse - mse)).max()))


def bounds(ties: Ties, pmf: ArrayLike, values: ArrayLike, slopes: ArrayLike) -> tuple[Bound, Bound]:
    """What no code is below: R(X1, X2) and R(X1) + R(X2) at the mean squared error over positions.

    The best code spends less on symbols that count once than on those that count twice: at one
    slope for all, pairs and single symbols add up to a point of either function.
    """
    s = np.asarray(slopes, dtype=float)
    single, double = _symbol(pmf, values, s), _symbol(pmf, values, 2 * s)
    pairs = (ties.mutual + sum(ties.within) / ties.positions, sum(ties.within) / ties.positions)
    return tuple(
        Bound(
            slope=2 * s / np.log(2),
            mse=((2 - 2 * share) * single.distortion + 2 * share * double.distortion) / 2,
            rate=(2 - 2 * share) * single.rate + share * double.rate,
        )
        for share in pairs
    )


def _symbol(pmf: ArrayLike, values: ArrayLike, slopes: NDArray) -> RateDistortion:
    x = np.asarray(values, dtype=float)
    return blahut_arimoto(pmf, np.square(x[:, None] - x), slopes, TOLERANCE)
