"""The discretised Gaussian that learned codecs take their symbols to have (Ballé et al., 2018)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ibpapers.nn.straight_through import lower_bound

SMALLEST_SCALE = 0.11
SMALLEST_LIKELIHOOD = 1e-9


def likelihood(symbols: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """P(symbol) = Phi((symbol - mean + 1/2) / scale) - Phi((symbol - mean - 1/2) / scale).

    Elementwise; sums to one over the integers. It is computed in the lower tail, where
    differences of Phi are precise.
    """
    distance = (symbols - mean).abs()
    inverse = 1 / (math.sqrt(2) * scale)
    inner, outer = (distance - 0.5) * inverse, (distance + 0.5) * inverse
    return 0.5 * (torch.special.erfc(inner) - torch.special.erfc(outer))


def bits(symbols: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """The ideal code length of all `symbols` together, -sum log2 P, bits [].

    The scale is held above `SMALLEST_SCALE` and P above `SMALLEST_LIKELIHOOD`.
    """
    bounded = likelihood(symbols, mean, lower_bound(scale, SMALLEST_SCALE))
    return -lower_bound(bounded, SMALLEST_LIKELIHOOD).log2().sum()
