"""DLSC: deterministic codes, full participation, no rate in the objective."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.information.knn import knn_entropy
from ibpapers.papers.pom2dib.coding import Codes
from ibpapers.papers.pom2dib.selection import full_selection
from ibpapers.papers.pom2dib.systems import System
from ibpapers.papers.pom2dib.trainee import DIB, FixedSelection, together

__all__ = ["build", "together"]

NEIGHBOURS = 5


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> DIB:
    """Trained on the cross entropy alone; its codes' entropy is recorded where others have a rate.

    That is a differential entropy: it depends on the scale of the codes and on n, and is no rate.
    """
    return DIB(
        recipe,
        system,
        seed,
        device,
        selector=lambda layout, *_: FixedSelection(full_selection(layout)),
        rate=_entropy,
        stochastic=False,
    )


def _entropy(codes: Codes) -> torch.Tensor:
    return knn_entropy(codes.z.detach(), NEIGHBOURS)
