"""Deep multi-view IB: a bottleneck on every view, one prediction from their codes together.

Wang, Boudreau, Luo, Tan and Zhou, Deep multi-view information bottleneck, SDM 2019. The paper was
not at hand: this is its objective as OMIB's Appendix J states it, with the weight of Mai et al.
(2023) for all views.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ibpapers.nn.gaussian import Gaussian, sample
from ibpapers.papers.omib.networks import Bottlenecks, rates
from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses

BETA = 1e-3


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """max I(y; zeta_1 .. zeta_M) - BETA sum over views of I(v_i; zeta_i), variationally."""
    return Fusion(recipe, system, seed, device, DeepIB(system.layout, recipe["model"]))


class DeepIB(FusionModel):
    """Loss: task + BETA sum over i of KL(p(zeta_i | z_i) || N(0, I))."""

    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        self.bottlenecks = Bottlenecks(len(self.names), self.encoding, self.code)
        self.predictor = self.head(len(self.names) * self.code)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        codes = self.bottlenecks(self.encode(batch.views))
        task = self.task.loss(self._predict(codes, draw), batch.label)
        rate = rates(codes).sum()
        return {"loss": task + BETA * rate, "task": task, "rate": rate}

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        return self._predict(self.bottlenecks(self.encode(views)), draw)

    def _predict(self, codes: list[Gaussian], draw: torch.Generator | None) -> Tensor:
        return self.predictor(torch.cat([sample(code, draw) for code in codes], dim=-1))
