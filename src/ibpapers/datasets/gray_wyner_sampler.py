"""Samples of Gray-Wyner's synthetic source, drawn on the fly on the device that trains."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ibpapers.datasets.gray_wyner_source import (
    HALVES,
    VALUES,
    GrayWynerSource,
    symbol_pmf,
)


class Batch(NamedTuple):
    """`x` [B, 2, H, W], X1 and X2 in [-1, 1]; `z` [B, 2, H, W], the targets A x1 and B x2."""

    x: Tensor
    z: Tensor


class Sampler:
    """Draws batches of a source; it holds the map of ties and both transforms on `device`."""

    def __init__(self, source: GrayWynerSource, device: torch.device | str = "cpu"):
        self.shape = source.shape
        self.device = torch.device(device)
        # Every independent symbol is drawn once, at the first position that holds it.
        first = np.minimum(source.partner, np.arange(len(source.partner)))
        roots, symbol = np.unique(first, return_inverse=True)
        self._symbols = len(roots)
        self._symbol = torch.from_numpy(symbol).to(self.device)
        # Inverting the CDF in float32 moves no probability by more than 2^-24.
        self._cdf = torch.from_numpy(np.cumsum(symbol_pmf())[:-1]).float().to(self.device)
        self._values = torch.from_numpy(VALUES).float().to(self.device)
        self._transposed = torch.from_numpy(source.transforms).to(self.device).transpose(1, 2)

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """`count` independent samples and their targets, float32; `generator` is on the device."""
        uniform = torch.rand(count, self._symbols, generator=generator, device=self.device)
        values = self._values[torch.bucketize(uniform, self._cdf, right=True)]
        x = values[:, self._symbol].view(count, HALVES, -1)
        z = torch.bmm(x.transpose(0, 1), self._transposed).transpose(0, 1)
        shape = count, HALVES, *self.shape
        return Batch(x.view(shape), z.reshape(shape))
