"""MMIB (Cui): a bottleneck on every modality, and their codes aligned with one another.

Cui, Cao, Cong, Sheng, Li, Liu and Shi, Enhancing multimodal entity and relation extraction with
variational information bottleneck, IEEE/ACM TASLP 2024. The paper was not at hand: one term against
noise in a modality and one against the gap between modalities are its own, their weights and the
fusion are a reading.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ibpapers.nn.gaussian import sample
from ibpapers.papers.omib.alignment import pair_critics, pairwise_information
from ibpapers.papers.omib.networks import Bottlenecks, CrossAttention, rates
from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses

REFINEMENT, ALIGNMENT = 1e-3, 0.1


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """A refinement term against noise in a modality, an alignment term against the gap."""
    return Fusion(recipe, system, seed, device, MMIBCui(system.layout, recipe["model"]))


class MMIBCui(FusionModel):
    """Loss: task + REFINEMENT sum of KL_i - ALIGNMENT mean over pairs of I_JS(zeta_i; zeta_j)."""

    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        self.bottlenecks = Bottlenecks(len(self.names), self.encoding, self.code)
        self.critics = pair_critics(len(self.names), self.code)
        self.fuse = CrossAttention(len(self.names), self.code, self.code)
        self.predictor = self.head(self.code)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        codes = self.bottlenecks(self.encode(batch.views))
        drawn = [code.draw(draw) for code in codes]
        task = self.task.loss(self.predictor(self.fuse(drawn)), batch.label)
        refinement = rates(codes).sum()
        alignment = pairwise_information(self.critics, drawn)
        return {
            "loss": task + REFINEMENT * refinement - ALIGNMENT * alignment,
            "task": task,
            "refinement": refinement,
            "alignment": alignment,
        }

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        return self.predictor(
            self.fuse([sample(code, draw) for code in self.bottlenecks(self.encode(views))])
        )
