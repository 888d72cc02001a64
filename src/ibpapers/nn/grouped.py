"""Layers of several networks of one shape at once: `groups` is the leading axis of what they see.

A batched product does what as many small ones would, whose calls cost more than their arithmetic.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn


class GroupedLinear(nn.Module):
    """y[g] = x[g] W[g] + b[g], [groups, ..., inputs] -> [groups, ..., outputs]."""

    def __init__(self, groups: int, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(groups, inputs, outputs))
        self.bias = nn.Parameter(torch.empty(groups, 1, outputs))

    def initialise(self, generator: torch.Generator) -> None:
        """As `nn.Linear`: U(-1, 1) / sqrt(inputs)."""
        bound = 1 / math.sqrt(self.weight.shape[1])
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.baddbmm(self.bias, x.flatten(1, -2), self.weight)
        return y.view(*x.shape[:-1], y.shape[-1])


class GroupedPerceptron(nn.Sequential):
    """A `Perceptron` of the given widths for every group."""

    def __init__(self, groups: int, *widths: int):
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [GroupedLinear(groups, inputs, outputs), nn.GELU()]
        super().__init__(*layers[:-1])
