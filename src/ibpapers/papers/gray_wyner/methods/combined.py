"""Combined: one analysis transform, its output split into the three channels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.nn.straight_through import round_straight_through
from ibpapers.papers.gray_wyner.codec import COMMON, Encoded
from ibpapers.papers.gray_wyner.encoders import Analysis
from ibpapers.papers.gray_wyner.systems import System
from ibpapers.papers.gray_wyner.trainee import GrayWyner


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> GrayWyner:
    """Three channels of E / 2 channels each, from one transform to 3 E / 2."""
    half = recipe["model"]["representation_channels"] // 2
    widths = {COMMON: half, 1: half, 2: half}
    return GrayWyner(recipe, system, seed, device, Combined, widths)


class Combined(nn.Module):
    def __init__(self, analysis: Analysis, widths: dict[int, int]):
        super().__init__()
        self.widths = widths
        self.transform = analysis(sum(widths.values()))

    def forward(self, x: Tensor) -> Encoded:
        symbols = round_straight_through(self.transform(x)).split(list(self.widths.values()), dim=1)
        return Encoded(dict(zip(self.widths, symbols, strict=True)))
