"""The synthetic source of Gray-Wyner, built: the map of ties, A and B (Appendix D.3)."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import stored
from ibpapers.datasets.gray_wyner_source import DEVIATION, HALVES, SYMBOLS, symbol_pmf
from ibpapers.information.tied_source import Ties, entropies

TIED = 4 / 5  # probability that a step of the walk ties a position to its successor
ENTRY_DEVIATION = 0.001  # of the logarithm of a transform, off its diagonal
LARGEST_ENTRY = 0.01


def build(output_folder: str | Path, tier: str, side: int, seed: int) -> None:
    """Write `arrays.npz` and then `card.json` into `output_folder`; there is nothing to download.

    The arrays are partner int64 [2 H W] and transforms float32 [2, H W, H W], with H = W =
    `side`. The same settings give the same bytes. Both tiers are the paper's source.
    """
    walk, *matrices = np.random.default_rng(seed).spawn(1 + HALVES)
    partner = tie(HALVES * side**2, walk)
    logarithms = [traceless(side**2, rng) for rng in matrices]
    transforms = np.stack([exponential(m) for m in logarithms])
    norms = [spectral_norm(m) for m in logarithms]

    card = _card(tier, seed, side, partner, norms)
    stored.write(output_folder, {"partner": partner, "transforms": transforms}, card)
    bits = ", ".join(f"{name} {value:.3f}" for name, value in card["entropies"].items())
    print(f"gray_wyner_source: {bits} bits per pixel, in {output_folder}", file=sys.stderr)


def tie(positions: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return for every position the one that it shares its symbol with: itself, or its partner.

    Along a shuffled order, a position is tied to its successor with probability `TIED` and both
    are passed, or it is left alone.
    """
    order = rng.permutation(positions)
    ties = rng.random(positions) < TIED
    partner = np.arange(positions)
    step = 0
    while step < positions:
        if ties[step] and step + 1 < positions:
            first, second = order[step], order[step + 1]
            partner[first], partner[second] = second, first
            step += 1
        step += 1
    return partner


def traceless(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the logarithm [size, size] of a random matrix of determinant 1, near the identity.

    Small normal entries and, on the diagonal, the sum of the absolute values of the row, less
    their mean: exp(m) is exp of the diagonally dominant matrix, divided by exp(trace / size).
    """
    m = rng.standard_normal((size, size), dtype=np.float32) * np.float32(ENTRY_DEVIATION)
    np.clip(m, -LARGEST_ENTRY, LARGEST_ENTRY, out=m)
    dominant = np.abs(m).sum(axis=1)
    np.fill_diagonal(m, dominant - dominant.mean())
    return m


def exponential(m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return exp(m) for a norm well below 1: its series up to m^4, in two products.

    At the norm of 0.15 of the paper's size what is left out is below 1e-6 of a vector's length.
    """
    square = m @ m
    return np.eye(len(m), dtype=m.dtype) + m + square / 2 + square @ (m / 6 + square / 24)


def spectral_norm(m: NDArray[np.float32], steps: int = 50) -> float:
    """Return the largest singular value of m, by power iteration, from below to about 1%."""
    vector = np.ones(len(m), m.dtype)
    for _ in range(steps):
        vector = m.T @ (m @ (vector / np.linalg.norm(vector)))
    return float(np.sqrt(np.linalg.norm(vector)))


def _card(
    tier: str, seed: int, side: int, partner: NDArray[np.int64], norms: list[float]
) -> dict[str, Any]:
    ties = Ties.of(partner)
    return {
        "dataset": "gray_wyner_source",
        "tier": tier,
        "content": "A random source and two linear tasks, made here as the paper describes them.",
        "seed": seed,
        "shape": [side, side],
        "sources": {},
        "symbols": {
            "values": SYMBOLS.tolist(),
            "pmf": symbol_pmf().tolist(),
            "normal_deviation": DEVIATION,
        },
        "ties": {"probability": TIED, **asdict(ties)},
        "entropies": entropies(ties, symbol_pmf()),
        "transforms": {
            "entry_deviation": ENTRY_DEVIATION,
            "largest_entry": LARGEST_ENTRY,
            "norm_of_logarithm": norms,
        },
    }
