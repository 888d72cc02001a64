"""The multi-layer perceptron."""

from __future__ import annotations

from itertools import pairwise

from torch import nn


class Perceptron(nn.Sequential):
    """Linear layers of the given widths with GELU between them."""

    def __init__(self, *widths: int):
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.GELU()]
        super().__init__(*layers[:-1])
