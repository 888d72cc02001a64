"""Stochastic codes: a diagonal Gaussian per sample and its reparameterised draw."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ibpapers.nn.members import Source, randn


class Gaussian(NamedTuple):
    """N(mean, diag(std^2)); both [..., d]."""

    mean: Tensor
    std: Tensor

    @classmethod
    def from_output(cls, output: Tensor) -> Gaussian:
        """Split a network's output [..., 2d] into mean and std = softplus(. - 5)."""
        mean, raw = output.chunk(2, dim=-1)
        return cls(mean, F.softplus(raw - 5))

    def divergence_from_standard(self) -> Tensor:
        """KL(N(mean, diag(std^2)) || N(0, I)), nats, summed over d: [...]."""
        mean, std = self
        return (mean.square() + std.square() - 1).sum(-1) / 2 - std.log().sum(-1)

    def draw(self, source: Source) -> Tensor:
        """A differentiable sample, mean + std * N(0, 1) [..., d]."""
        mean, std = self
        return mean + std * randn(mean.shape, source, mean.dtype)


def sample(code: Gaussian, draw: torch.Generator | None) -> Tensor:
    """A draw of `code` [..., d], or its mean without a generator."""
    return code.mean if draw is None else code.draw(draw)
