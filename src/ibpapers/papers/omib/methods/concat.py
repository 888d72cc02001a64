"""Concat: the encodings side by side under one head, the plainest fusion (OMIB, Appendix J)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """No bottleneck and no fusion but concatenation."""
    return Fusion(recipe, system, seed, device, Concat(system.layout, recipe["model"]))


class Concat(FusionModel):
    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        self.predictor = self.head(len(self.names) * self.encoding)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        return {"loss": self.task.loss(self.predict(batch.views, draw), batch.label)}

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        return self.predictor(torch.cat(self.encode(views), dim=-1))
