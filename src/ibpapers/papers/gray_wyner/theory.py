"""What information theory says of the paper's two sources: curves to draw, bounds for any codec."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibpapers.datasets.gray_wyner_source import VALUES
from ibpapers.information import tied_source
from ibpapers.information.entropy import entropy, gacs_korner, mutual_information
from ibpapers.information.tied_source import Bound, Curves, Ties

SLOPES = np.geomspace(1.0, 100.0, 90)  # from no rate at all to the entropy


class Bounds(NamedTuple):
    """What the transmit rate R0 + R1 + R2 and the receive rate 2 R0 + R1 + R2 cannot be below."""

    transmit: float
    receive: float


def ties(card: Mapping[str, Any]) -> Ties:
    """The ties that the card of the synthetic source counts."""
    counted = card["ties"]
    return Ties(counted["positions"], counted["across"], tuple(counted["within"]))


def synthetic_curves(card: Mapping[str, Any]) -> Curves:
    """The theory curves of Fig. 3 and 9 for the source of `card`, bits per pixel."""
    return tied_source.curves(ties(card), card["symbols"]["pmf"], VALUES, SLOPES)


def synthetic_bounds(card: Mapping[str, Any], rmse: tuple[float, float]) -> Bounds:
    """Bits per pixel that reach the errors `rmse` of the two targets on the source of `card`.

    R(X1, X2) and R(X1) + R(X2) at the mean squared error of X1 and X2 that the answers allow: an
    error of A x1 becomes one of x1 by the inverse of A, which stretches by exp of the norm of A's
    logarithm at most. Takes every sample to have the error `rmse`, a mean over samples.
    """
    stretched = (
        (error * math.exp(norm)) ** 2
        for error, norm in zip(rmse, card["transforms"]["norm_of_logarithm"], strict=True)
    )
    mse = sum(stretched) / 2
    pmf = tuple(card["symbols"]["pmf"])
    return Bounds(*(bound.at(mse) for bound in _synthetic_bounds(ties(card), pmf)))


@lru_cache
def _synthetic_bounds(ties: Ties, pmf: tuple[float, ...]) -> tuple[Bound, Bound]:
    return tied_source.bounds(ties, pmf, VALUES, SLOPES)


def coloured_bounds(joint: ArrayLike, accuracy: tuple[float, float]) -> Bounds:
    """Bits per image that reach the `accuracy` (0 to 1) of digit and colour under `joint` [10, 10].

    By Fano's inequality on the images at hand, of which `joint` is the histogram over their number:
    what a decoder got leaves at most h(e) + e log2 9 bits of a label that it names with error e.
    """
    p = np.asarray(joint, dtype=float)
    known = [
        max(0.0, entropy(marginal) - _fano(1 - right, len(marginal)))
        for marginal, right in zip((p.sum(axis=1), p.sum(axis=0)), accuracy, strict=True)
    ]
    both = entropy(p) - sum(_fano(1 - right, len(p)) for right in accuracy)
    return Bounds(transmit=max(both, *known), receive=sum(known))


def coloured_entropies(joint: NDArray[np.float64]) -> dict[str, float]:
    """Of digit and colour under P(digit, colour) [10, 10], bits."""
    return {
        "digit": entropy(joint.sum(axis=1)),
        "colour": entropy(joint.sum(axis=0)),
        "joint": entropy(joint),
        "mutual_information": mutual_information(joint),
        "gacs_korner": gacs_korner(joint),
    }


def _fano(error: float, classes: int) -> float:
    e = min(max(error, 0.0), 1.0)  # a mean of float32
    return entropy([e, 1 - e]) + e * math.log2(classes - 1)
