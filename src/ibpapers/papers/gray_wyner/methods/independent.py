"""Independent: a channel for each task and none in common, the optimum of the receive rate."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.papers.gray_wyner.encoders import TransformPerChannel
from ibpapers.papers.gray_wyner.systems import System
from ibpapers.papers.gray_wyner.trainee import GrayWyner


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> GrayWyner:
    """Two private channels of E channels each."""
    channels = recipe["model"]["representation_channels"]
    widths = {1: channels, 2: channels}
    return GrayWyner(recipe, system, seed, device, TransformPerChannel, widths)
