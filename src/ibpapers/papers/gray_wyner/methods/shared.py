"""Shared, the paper's proposal: each task makes a private part and its own copy of the common one.

The copies become the common channel where they agree (Eq. 13 and 14); an auxiliary term of the
loss draws them together (Eq. 15).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.nn.straight_through import round_straight_through
from ibpapers.papers.gray_wyner.codec import COMMON, PRIVATE, Encoded
from ibpapers.papers.gray_wyner.encoders import Analysis
from ibpapers.papers.gray_wyner.systems import System
from ibpapers.papers.gray_wyner.trainee import GrayWyner


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> GrayWyner:
    """Three channels of E / 2 channels each, from two analysis transforms to E."""
    half = recipe["model"]["representation_channels"] // 2
    widths = {COMMON: half, 1: half, 2: half}
    return GrayWyner(recipe, system, seed, device, Shared, widths)


class Shared(nn.Module):
    def __init__(self, analysis: Analysis, widths: dict[int, int]):
        super().__init__()
        self.transforms = nn.ModuleList(analysis(widths[task] + widths[COMMON]) for task in PRIVATE)
        self.private_widths = [widths[task] for task in PRIVATE]

    def forward(self, x: Tensor) -> Encoded:
        private, copies = [], []
        for transform, width in zip(self.transforms, self.private_widths, strict=True):
            representation = round_straight_through(transform(x))
            private.append(representation[:, :width])
            copies.append(representation[:, width:])
        symbols = {COMMON: where_they_agree(*copies), 1: private[0], 2: private[1]}
        return Encoded(symbols, (copies[0], copies[1]))


def where_they_agree(first: Tensor, second: Tensor) -> Tensor:
    """Eq. 14: the average of two integer tensors where they are equal, else 0.

    Where they are equal, half the gradient goes to each.
    """
    return torch.where(first == second, (first + second) / 2, 0)
