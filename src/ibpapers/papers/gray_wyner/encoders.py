"""Encoders that more than one method uses."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from ibpapers.nn.straight_through import round_straight_through
from ibpapers.papers.gray_wyner.codec import Encoded

Analysis = Callable[[int], nn.Module]  # an analysis transform to so many channels


class TransformPerChannel(nn.Module):
    """Every channel has an analysis transform of its own; `widths` are the channels' channels."""

    def __init__(self, analysis: Analysis, widths: dict[int, int]):
        super().__init__()
        self.transforms = nn.ModuleDict(
            {str(channel): analysis(width) for channel, width in widths.items()}
        )

    def forward(self, x: Tensor) -> Encoded:
        transforms = self.transforms.items()
        return Encoded({int(channel): round_straight_through(t(x)) for channel, t in transforms})
