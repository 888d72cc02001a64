"""The synthetic source of Gray-Wyner (Appendix D.3), read back: who is tied to whom, A and B.

Samples are drawn on the fly (`gray_wyner_sampler`) and never end; what is stored is what fixes
their distribution and their targets.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import stored

HALVES = 2  # X1 and X2, the two channels of a sample
DEVIATION = 2.0  # of the normal distribution that symbols are rounded from, N(0, 4)
SYMBOLS = np.arange(-4, 5)
VALUES = SYMBOLS / SYMBOLS.max()  # in [-1, 1]: what a codec sees


@dataclass(frozen=True)
class GrayWynerSource:
    """X = (X1, X2), each H x W, and the targets Z1 = A x1, Z2 = B x2.

    Attributes:
        shape: (H, W).
        partner: int64 [2 H W], for every position the one that holds the same symbol, or itself.
        transforms: float32 [2, H W, H W], A and B, of determinant 1; they act on a flattened half.
        card: how it was made, and its entropies in bits per pixel.
    """

    shape: tuple[int, int]
    partner: NDArray[np.int64]
    transforms: NDArray[np.float32]
    card: dict[str, Any]


def symbol_pmf() -> NDArray[np.float64]:
    """The PMF of one position over `SYMBOLS` [9]: N(0, 4) clipped to [-4, 4] and rounded."""
    edges = [-math.inf, *(SYMBOLS[:-1] + 0.5), math.inf]
    below = [(1 + math.erf(edge / (DEVIATION * math.sqrt(2)))) / 2 for edge in edges]
    return np.diff(below)


def load(folder: str | Path) -> GrayWynerSource:
    """Load the dataset that `build` wrote into `folder`.

    Raises:
        UserError: a file is missing, or the arrays are not those of the card.
    """
    arrays, card = stored.read(folder)
    return GrayWynerSource(tuple(card["shape"]), arrays["partner"], arrays["transforms"], card)
