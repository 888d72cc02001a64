"""Separated: an analysis transform for every channel."""

from __future__ import annotations

from typing import Any

import torch

from ibpapers.papers.gray_wyner.codec import COMMON
from ibpapers.papers.gray_wyner.encoders import TransformPerChannel
from ibpapers.papers.gray_wyner.systems import System
from ibpapers.papers.gray_wyner.trainee import GrayWyner


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> GrayWyner:
    """Three channels of E / 2 channels each, each from a transform of its own."""
    half = recipe["model"]["representation_channels"] // 2
    widths = {COMMON: half, 1: half, 2: half}
    return GrayWyner(recipe, system, seed, device, TransformPerChannel, widths)
