"""The bound that the paper draws: the proposal where what is sent arrives as it is."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.papers.toc.systems import System
from ibpapers.papers.toc.two_stage import TwoStage


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> TwoStage:
    """The recipe has no channel."""
    return TwoStage(recipe, system, seed, device)
