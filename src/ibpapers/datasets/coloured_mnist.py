"""Coloured MNIST, read back (Gray-Wyner, Section 4.2): grey images, coloured when they are used.

An image is stored once, in grey. Which colour it has follows from the PMF that is asked for and
from a number that was drawn for it when the dataset was built, so that it does not depend on when,
or in which order, an image is looked at.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import stored

SIDE = 32
CLASSES = 10  # digits, and colours

PMF = Literal["dependent", "independent", "mixture"]
# The colours that each digit takes, all equally likely; digits are as frequent as in MNIST.
COLOURS_OF: dict[str, tuple[tuple[int, ...], ...]] = {
    "dependent": tuple((digit,) for digit in range(CLASSES)),
    "independent": (tuple(range(CLASSES)),) * CLASSES,
    "mixture": (
        *((digit,) for digit in (0, 1, 2)),
        *(tuple(range(CLASSES)),) * 3,
        *(tuple(range(first, first + 4)) for first in (0, 2, 4, 6)),
    ),
}
# Red, orange, yellow, lime, green, cyan, blue, purple, magenta, grey: of the strokes, on black.
PALETTE = np.array(
    [
        (255, 0, 0), (255, 165, 0), (255, 255, 0), (0, 255, 0), (0, 128, 0),
        (0, 255, 255), (0, 0, 255), (128, 0, 128), (255, 0, 255), (128, 128, 128),
    ],
    np.uint8,
)  # fmt: skip


@dataclass(frozen=True)
class Split:
    """N images of one side of the split.

    Attributes:
        image: uint8 [N, 32, 32], grey.
        digit: int64 [N], 0 to 9.
        uniform: float64 [N] in [0, 1), what decides the image's colour.
    """

    image: NDArray[np.uint8]
    digit: NDArray[np.int64]
    uniform: NDArray[np.float64]

    def colour(self, pmf: PMF) -> NDArray[np.int64]:
        """The colour of every image, int64 [N], 0 to 9: a row of `PALETTE`."""
        choices = np.array([len(colours) for colours in COLOURS_OF[pmf]])
        table = np.array([np.resize(colours, CLASSES) for colours in COLOURS_OF[pmf]])
        return table[self.digit, (self.uniform * choices[self.digit]).astype(np.int64)]


@dataclass(frozen=True)
class ColouredMNIST:
    """The dataset and its card (tier, sources, licences, how it was made)."""

    train: Split
    validation: Split
    test: Split
    card: dict[str, Any]


def joint_pmf(pmf: PMF, digits: NDArray | None = None) -> NDArray[np.float64]:
    """P(digit, colour) [10, 10]; `digits` [10] are their counts, equal ones where None."""
    count = np.ones(CLASSES) if digits is None else np.asarray(digits, dtype=float)
    table = np.zeros((CLASSES, CLASSES))
    for digit, colours in enumerate(COLOURS_OF[pmf]):
        table[digit, list(colours)] = count[digit] / len(colours)
    return table / count.sum()


def load(folder: str | Path) -> ColouredMNIST:
    """Load the dataset that `build` wrote into `folder`.

    Raises:
        UserError: a file is missing, or the arrays are not those of the card.
    """
    arrays, card = stored.read(folder)
    splits = (
        Split(*(arrays[f"{side}_{field}"] for field in ("image", "digit", "uniform")))
        for side in ("train", "validation", "test")
    )
    return ColouredMNIST(*splits, card)
