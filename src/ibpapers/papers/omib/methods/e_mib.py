"""E-MIB: one bottleneck, on the fused code.

Mai, Zeng and Hu, Multimodal information bottleneck: learning minimal sufficient unimodal and
multimodal representations, IEEE TMM 2023.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ibpapers.nn.gaussian import sample
from ibpapers.papers.omib.networks import Concatenation, VariationalEncoder
from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses

BETA = 1e-3


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """Early: unimodal encodings are fused as they are."""
    return Fusion(recipe, system, seed, device, EMIB(system.layout, recipe["model"]))


class EMIB(FusionModel):
    """Loss: task + BETA KL(p(zeta | z_1 .. z_M) || N(0, I))."""

    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        self.fuse = Concatenation(len(self.names), self.encoding, self.encoding)
        self.bottleneck = VariationalEncoder(self.encoding, self.code)
        self.predictor = self.head(self.code)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        code = self.bottleneck(self.fuse(self.encode(batch.views)))
        task = self.task.loss(self.predictor(code.draw(draw)), batch.label)
        rate = code.divergence_from_standard().mean()
        return {"loss": task + BETA * rate, "task": task, "rate": rate}

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        return self.predictor(sample(self.bottleneck(self.fuse(self.encode(views))), draw))
