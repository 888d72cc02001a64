"""SIM-I to SIM-III: two simulated modalities whose information is known (OMIB, Appendix F).

Factors a0, b0, a1, b1, a2, b2 ~ N(0, I). The modalities are v1 = [a0; b0; a1; b1] and
v2 = [a0; b0; a2; b2]: what has index 0 they share, the rest is their own. Relevant are the a: the
class is 1 where <delta, [a0; a1; a2]> > 0, with delta ~ N(0, I) drawn once per dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import stored

FACTORS = ("a0", "b0", "a1", "b1", "a2", "b2")
RELEVANT = ("a0", "a1", "a2")


@dataclass(frozen=True)
class Split:
    """N samples: each factor float32 [N, its dimensions], `label` int64 [N], 0 or 1."""

    a0: NDArray[np.float32]
    b0: NDArray[np.float32]
    a1: NDArray[np.float32]
    b1: NDArray[np.float32]
    a2: NDArray[np.float32]
    b2: NDArray[np.float32]
    label: NDArray[np.int64]


@dataclass(frozen=True)
class Sim:
    """The dataset: `dims` of each factor; `delta` float32 [a0 + a1 + a2], the separating normal."""

    train: Split
    test: Split
    dims: dict[str, int]
    delta: NDArray[np.float32]
    card: dict[str, Any]


def load(folder: str | Path) -> Sim:
    """Load the dataset that `sim_build.build` wrote into `folder`.

    Raises:
        UserError: a file is missing, or the arrays are not those of the card.
    """
    arrays, card = stored.read(folder)
    train, test = (
        Split(**{name: arrays[f"{side}_{name}"] for name in (*FACTORS, "label")})
        for side in ("train", "test")
    )
    return Sim(train, test, card["dims"], arrays["delta"], card)


def draw(
    dims: Mapping[str, int], delta: NDArray[np.float32], count: int, rng: np.random.Generator
) -> Split:
    """Draw `count` samples with factors of `dims`, divided into classes by the normal `delta`."""
    factors = {name: rng.standard_normal((count, dims[name]), dtype=np.float32) for name in FACTORS}
    relevant = np.hstack([factors[name] for name in RELEVANT])
    return Split(**factors, label=(relevant @ delta > 0).astype(np.int64))
