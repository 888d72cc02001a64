"""The residual bottleneck block of ELIC (He et al., 2022), with ELU."""

from __future__ import annotations

from torch import Tensor, nn


class ResidualBottleneck(nn.Module):
    """x + conv1(elu(conv3(elu(conv1(x))))), all of `channels` channels; [N, C, H, W]."""

    def __init__(self, channels: int):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(channels, channels, 1),
            nn.ELU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ELU(inplace=True),
            nn.Conv2d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)
