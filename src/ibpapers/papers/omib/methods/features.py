"""Plain heads on parts of the observation: what each of them is worth (Table 2)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """One encoder and head per feature set, independent of one another, trained side by side."""
    return Fusion(recipe, system, seed, device, Features(system.layout, recipe["model"]))


class Features(FusionModel):
    """The views are the feature sets; the sum of losses trains each as if it were alone."""

    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        self.predictors = nn.ModuleList(self.head(self.encoding) for _ in self.names)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        outputs = self.predictions(batch.views, draw)
        losses = {name: self.task.loss(output, batch.label) for name, output in outputs.items()}
        return {"loss": torch.stack(list(losses.values())).sum(), **losses}

    def predictions(self, views: list[Tensor], draw: torch.Generator | None) -> dict[str, Tensor]:
        """The output of every feature set's own head, [n, outputs]."""
        encoded = zip(self.names, self.predictors, self.encode(views), strict=True)
        return {name: predictor(z) for name, predictor, z in encoded}
