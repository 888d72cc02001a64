"""Joint: one channel for both tasks, the optimum of the transmit rate."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.papers.gray_wyner.codec import COMMON
from ibpapers.papers.gray_wyner.encoders import TransformPerChannel
from ibpapers.papers.gray_wyner.systems import System
from ibpapers.papers.gray_wyner.trainee import GrayWyner


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> GrayWyner:
    """The common channel alone, of E channels."""
    widths = {COMMON: recipe["model"]["representation_channels"]}
    return GrayWyner(recipe, system, seed, device, TransformPerChannel, widths)
