"""Initial weights from a seeded generator."""

from __future__ import annotations

import math

import torch
from torch import nn


@torch.no_grad()
def initialise(module: nn.Module, generator: torch.Generator, weights: str = "pytorch") -> None:
    """Draw all weights uniformly, by the fan-in: how many inputs an output is a sum over.

    ``pytorch``: weights and biases within 1 / sqrt(fan-in), PyTorch's own default; every layer
    makes the variance of its inputs three times smaller. Its fan-in of a transposed convolution
    counts the layer's outputs.
    ``lecun``: weights within sqrt(3 / fan-in), biases zero; the variance stays (LeCun et al.,
    1998).

    A part with a method `initialise` draws its own.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d):
            if weights == "lecun":
                bound, bias = math.sqrt(3 / _fan_in(part)), 0.0
            else:
                bound = bias = 1 / math.sqrt(part.weight[0].numel())
            part.weight.uniform_(-bound, bound, generator=generator)
            part.bias.uniform_(-bias, bias, generator=generator)
        elif hasattr(part, "initialise"):
            part.initialise(generator)


def _fan_in(layer: nn.Module) -> float:
    if isinstance(layer, nn.ConvTranspose2d):
        # Of the inputs whose kernels cover an output, one in so many.
        return layer.weight[:, 0].numel() / math.prod(layer.stride)
    return layer.weight[0].numel()
