"""Comparing rate-distortion curves: BD-rate (VCEG-M33), and what two baselines say they share."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import bjontegaard
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibpapers.errors import UserError

Method = Literal["cubic", "pchip"]
FEWEST_POINTS = {"cubic": 4, "pchip": 2}


@dataclass(frozen=True)
class Curve:
    """Rates [P], all positive, at quality [P]: a quantity that a codec lowers is its distortion.

    In order of distortion; `name` is for messages.
    """

    name: str
    rate: NDArray[np.float64]
    distortion: NDArray[np.float64]

    @classmethod
    def of(cls, name: str, rate: ArrayLike, distortion: ArrayLike) -> Curve:
        r, d = np.asarray(rate, dtype=float), np.asarray(distortion, dtype=float)
        order = np.argsort(d, kind="stable")
        return cls(name, r[order], d[order])


def bd_rate(anchor: Curve, test: Curve, method: Method = "cubic") -> float:
    """By how much the rate of `test` differs from `anchor`'s at equal distortion, percent.

    The mean difference of log rate over the common interval of distortion; "cubic" fits one
    polynomial of degree 3 to each curve as VCEG-M33 does, "pchip" is the piecewise cubic variant.
    Negative where `test` needs less.

    Raises:
        UserError: a curve has too few points, a rate that is not positive, or a rate that does not
            fall as distortion rises; or the curves have no distortion in common.
    """
    for curve in (anchor, test):
        _check(curve, FEWEST_POINTS[method])
    low = max(anchor.distortion[0], test.distortion[0])
    high = min(anchor.distortion[-1], test.distortion[-1])
    if low >= high:
        raise UserError(
            f"no BD-rate of {test.name} against {anchor.name}: the curves do not overlap "
            f"(distortions {_span(test)} and {_span(anchor)})"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a small overlap: `low` and `high` are what is compared
        return float(
            bjontegaard.bd_rate(
                anchor.rate, anchor.distortion, test.rate, test.distortion, method,
                require_matching_points=False, min_overlap=0,
            )
        )  # fmt: skip


def empirical_mutual_information(joint: Curve, independent: Curve) -> Curve:
    """What both tasks share by two codecs: the rate of `independent` less that of `joint`.

    At every distortion of either curve that lies within both, linearly between points. The paper
    extrapolates as well; this does not, where there is nothing to go by.

    Raises:
        UserError: the curves have no distortion in common.
    """
    low = max(joint.distortion[0], independent.distortion[0])
    high = min(joint.distortion[-1], independent.distortion[-1])
    if low > high:
        raise UserError(
            f"{joint.name} and {independent.name} do not overlap "
            f"(distortions {_span(joint)} and {_span(independent)})"
        )
    at = np.union1d(joint.distortion, independent.distortion)
    at = at[(at >= low) & (at <= high)]
    rates = (np.interp(at, curve.distortion, curve.rate) for curve in (independent, joint))
    return Curve("empirical mutual information", np.subtract(*rates), at)


def _check(curve: Curve, fewest: int) -> None:
    where = f"no BD-rate with {curve.name}"
    if len(curve.rate) < fewest:
        raise UserError(f"{where}: {len(curve.rate)} points, at least {fewest} are needed")
    if not (np.isfinite(curve.rate).all() and (curve.rate > 0).all()):
        raise UserError(f"{where}: its lowest rate is {curve.rate.min():g}; rates are positive")
    for i, (left, right) in enumerate(pairwise(zip(curve.distortion, curve.rate, strict=True))):
        if right[0] <= left[0] or right[1] >= left[1]:
            raise UserError(
                f"{where}: it is not monotone, its rate goes from {left[1]:g} to {right[1]:g} as "
                f"its distortion goes from {left[0]:g} to {right[0]:g} (points {i + 1} and {i + 2})"
            )


def _span(curve: Curve) -> str:
    return f"{curve.distortion[0]:g} to {curve.distortion[-1]:g}"
