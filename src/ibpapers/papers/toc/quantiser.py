"""Features as grey images: eight bits a value, a frame a word, all modalities side by side."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ibpapers.papers.toc.systems import Split

LARGEST = 255
DEVIATIONS = 4.0  # beyond which a feature is clipped; the training set's deviation is 1
COLUMNS = 32  # of a frame: the modalities' values row by row
ROWS_MULTIPLE = 2  # what H.264 codes has an even height
FILL = 128
AT_ONCE = 512  # utterances


class Quantiser(nn.Module):
    """Uniform, with a range for every feature; the ranges are all that is learnt."""

    low: Tensor
    high: Tensor

    def __init__(self, widths: Mapping[str, int]):
        super().__init__()
        self.widths = dict(widths)
        total = sum(widths.values())
        self.register_buffer("low", torch.zeros(total))
        self.register_buffer("high", torch.ones(total))
        rows = -(-total // COLUMNS)
        self.shape = (rows + rows % ROWS_MULTIPLE, COLUMNS)  # of a frame

    @torch.no_grad()
    def calibrate(self, split: Split) -> float:
        """Take the ranges from the words of `split`. Returns the share of its values clipped."""
        words = [self._words(batch.views, batch.mask) for batch in split.batches(AT_ONCE)]
        self.low.copy_(torch.stack([x.amin(0) for x in words]).amin(0).clamp(min=-DEVIATIONS))
        self.high.copy_(torch.stack([x.amax(0) for x in words]).amax(0).clamp(max=DEVIATIONS))
        outside = sum(((x < self.low) | (x > self.high)).sum().item() for x in words)
        return outside / sum(x.numel() for x in words)

    def frames(self, views: Mapping[str, Tensor]) -> Tensor:
        """Views [..., width] as uint8 [..., height, width of a frame]."""
        values = torch.cat([views[name] for name in self.widths], dim=-1)
        step = (self.high - self.low).clamp(min=torch.finfo(values.dtype).tiny) / LARGEST
        quantised = ((values - self.low) / step).round().clamp(0, LARGEST).to(torch.uint8)
        height, width = self.shape
        filled = F.pad(quantised, (0, height * width - values.shape[-1]), value=FILL)
        return filled.unflatten(-1, self.shape)

    def views(self, frames: Tensor) -> dict[str, Tensor]:
        """The inverse of `frames`, up to half a step and what was clipped."""
        quantised = frames.flatten(-2)[..., : len(self.low)].to(self.low.dtype)
        values = self.low + quantised * ((self.high - self.low) / LARGEST)
        parts = values.split(list(self.widths.values()), dim=-1)
        return dict(zip(self.widths, parts, strict=True))

    def _words(self, views: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        return torch.cat([views[name] for name in self.widths], dim=-1)[mask]
