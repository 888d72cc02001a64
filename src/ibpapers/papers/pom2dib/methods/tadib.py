"""TADIB (and VDDIB, the same objective): stochastic codes, full participation."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.papers.pom2dib.coding import gaussian_rate
from ibpapers.papers.pom2dib.selection import full_selection
from ibpapers.papers.pom2dib.systems import System
from ibpapers.papers.pom2dib.trainee import DIB, FixedSelection, together

__all__ = ["build", "together"]


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> DIB:
    """Every modality of every transmitter serves every task, whatever the limits are."""
    return DIB(
        recipe,
        system,
        seed,
        device,
        selector=lambda layout, *_: FixedSelection(full_selection(layout)),
        rate=gaussian_rate(recipe["training"]["rate_estimator"]),
    )
