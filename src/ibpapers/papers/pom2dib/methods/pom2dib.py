"""PoM2-DIB: stochastic codes, a selection policy learnt with them by its score function."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.papers.pom2dib.coding import gaussian_rate
from ibpapers.papers.pom2dib.selection import Policy
from ibpapers.papers.pom2dib.systems import System
from ibpapers.papers.pom2dib.trainee import AS_PRINTED, DIB, together

__all__ = ["build", "together"]


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> DIB:
    """Every batch is sent under its own draw of the policy."""
    ordered = recipe["training"].get("policy", AS_PRINTED)["likelihood"] == "order"
    return DIB(
        recipe,
        system,
        seed,
        device,
        selector=lambda layout, tasks, initial: Policy(
            layout, recipe["limits"], tasks, recipe["model"]["widths"], initial, ordered
        ),
        rate=gaussian_rate(recipe["training"]["rate_estimator"]),
    )
