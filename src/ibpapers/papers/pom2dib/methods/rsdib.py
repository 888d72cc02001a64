"""RS-DIB: stochastic codes, a selection drawn at random once and kept."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.papers.pom2dib.coding import gaussian_rate
from ibpapers.papers.pom2dib.selection import random_selection
from ibpapers.papers.pom2dib.systems import System
from ibpapers.papers.pom2dib.trainee import DIB, FixedSelection, together
from ibpapers.training.seeds import generator

__all__ = ["build", "together"]


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> DIB:
    """The selection is drawn under the limits at the start of the run; every seed has its own."""
    return DIB(
        recipe,
        system,
        seed,
        device,
        selector=lambda layout, *_: FixedSelection(
            random_selection(layout, recipe["limits"], generator(seed, "selection"))
        ),
        rate=gaussian_rate(recipe["training"]["rate_estimator"]),
    )
