"""A conditional, autoregressive entropy model: how likely the symbols of a representation are.

Every symbol is a discretised Gaussian whose mean and scale are made from the symbols that come
before it in raster order and, for a private channel, from the common representation in the place
of a hyper-prior (Ballé et al., 2018; Gray-Wyner, Fig. 7). All channels of one position are
conditionally independent of each other.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ibpapers.nn.causal_convolution import CausalConvolution
from ibpapers.nn.residual_bottleneck import ResidualBottleneck


class EntropyModel(nn.Module):
    """Of symbols with `channels` channels, given a representation with `given` (0: nothing)."""

    def __init__(self, channels: int, given: int = 0):
        super().__init__()
        self.given = _Given(given, 2 * channels) if given else None
        self.before = CausalConvolution(channels, 2 * channels)
        widths = [
            (4 if given else 2) * channels,
            max(1, 10 * channels // 3),
            max(1, 8 * channels // 3),
            2 * channels,
        ]
        # On position-major maps a 1 x 1 convolution is a linear layer.
        self.fusion = nn.Sequential(
            nn.Linear(widths[0], widths[1]),
            nn.ELU(inplace=True),
            nn.Linear(widths[1], widths[2]),
            nn.ELU(inplace=True),
            nn.Linear(widths[2], widths[3]),
        )

    def condition(self, common: Tensor | None) -> Tensor | None:
        """What the common representation [N, C, H, W] tells, [H, W, N, 2 channels]."""
        return None if self.given is None else self.given(common).permute(2, 3, 0, 1).contiguous()

    def forward(self, symbols: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and scale of every one of `symbols` [H, W, N, channels], in their shape.

        The scale is as the network gives it: not bounded from below.
        """
        return self._fuse(self.before(symbols), condition)

    def at(
        self, symbols: Tensor, condition: Tensor | None, row: int, column: int
    ) -> tuple[Tensor, Tensor]:
        """Mean and scale at one position, [N, channels], from the symbols before it alone."""
        given = None if condition is None else condition[row, column]
        return self._fuse(self.before.at(symbols, row, column), given)

    def _fuse(self, before: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        known = before if condition is None else torch.cat([condition, before], dim=-1)
        mean, scale = self.fusion(known).chunk(2, dim=-1)
        return mean, scale


class _Given(nn.Sequential):
    """Two blocks, a 5 x 5 convolution to `outputs` channels, two blocks."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(
            ResidualBottleneck(inputs),
            ResidualBottleneck(inputs),
            nn.Conv2d(inputs, outputs, 5, padding=2),
            ResidualBottleneck(outputs),
            ResidualBottleneck(outputs),
        )
