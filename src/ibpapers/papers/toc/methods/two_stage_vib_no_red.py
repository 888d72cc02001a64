"""The proposal without redundancy reduction: its discriminators only watch (Fig. 7, 8)."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.papers.toc.systems import System
from ibpapers.papers.toc.two_stage import TwoStage


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> TwoStage:
    """The lambda_red of the recipe is 0."""
    return TwoStage(recipe, system, seed, device)
