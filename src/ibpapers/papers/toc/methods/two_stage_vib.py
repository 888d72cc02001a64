"""The proposal: two stages of bottleneck, redundancy between the modalities driven out."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.papers.toc.systems import System
from ibpapers.papers.toc.two_stage import TwoStage


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> TwoStage:
    """All of it, under the recipe's lambda_red."""
    return TwoStage(recipe, system, seed, device)
