"""C-MIB: bottlenecks on the unimodal codes and on the fused one.

Mai, Zeng and Hu, Multimodal information bottleneck: learning minimal sufficient unimodal and
multimodal representations, IEEE TMM 2023.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.nn.gaussian import sample
from ibpapers.papers.omib.networks import Bottlenecks, Concatenation, VariationalEncoder, rates
from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses

BETA = 1e-3


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """Complete: E-MIB on top of L-MIB."""
    return Fusion(recipe, system, seed, device, CMIB(system.layout, recipe["model"]))


class CMIB(FusionModel):
    """Loss: task + BETA KL of the fused code + sum over i of (task of zeta_i + BETA KL_i)."""

    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        self.bottlenecks = Bottlenecks(len(self.names), self.encoding, self.code)
        self.unimodal = nn.ModuleList(self.head(self.code) for _ in self.names)
        self.fuse = Concatenation(len(self.names), self.code, self.encoding)
        self.bottleneck = VariationalEncoder(self.encoding, self.code)
        self.predictor = self.head(self.code)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        codes = self.bottlenecks(self.encode(batch.views))
        drawn = [code.draw(draw) for code in codes]
        fused = self.bottleneck(self.fuse(drawn))
        task = self.task.loss(self.predictor(fused.draw(draw)), batch.label)
        own = [
            self.task.loss(head(zeta), batch.label)
            for head, zeta in zip(self.unimodal, drawn, strict=True)
        ]
        unimodal = torch.stack(own).sum()
        rate = rates([*codes, fused]).sum()
        loss = task + unimodal + BETA * rate
        return {"loss": loss, "task": task, "unimodal": unimodal, "rate": rate}

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        drawn = [sample(code, draw) for code in self.bottlenecks(self.encode(views))]
        return self.predictor(sample(self.bottleneck(self.fuse(drawn)), draw))
