"""DMIB: gated modalities, a bottleneck on the fused code, and a loss that keeps it sufficient.

Fang, Wu, Zhang, Huang, Zeng, Xing, Walsh and Yang, Dynamic multimodal information bottleneck for
multimodality classification, WACV 2024. The paper was not at hand: gates, bottleneck and a
sufficiency loss are what OMIB's Appendix J and the title tell of it; their form and weights are a
reading.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.nn.gaussian import sample
from ibpapers.papers.omib.networks import VariationalEncoder
from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses

BETA, SUFFICIENCY = 1e-3, 1.0


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """What the bottleneck would lose of the task is part of the loss."""
    return Fusion(recipe, system, seed, device, DMIB(system.layout, recipe["model"]))


class DMIB(FusionModel):
    """Loss: task + BETA KL + task of h + SUFFICIENCY KL(p(y | h) || p(y | zeta)).

    zeta is the code of h = [g_1 * z_1 .. g_M * z_M], the features behind gates sigmoid(W_i z_i).
    """

    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        width = len(self.names) * self.encoding
        self.openers = nn.ModuleList(nn.Linear(self.encoding, self.encoding) for _ in self.names)
        self.bottleneck = VariationalEncoder(width, self.code)
        self.witness = self.head(width)
        self.predictor = self.head(self.code)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        gated = self.gated(batch.views)
        code = self.bottleneck(gated)
        before, after = self.witness(gated), self.predictor(code.draw(draw))
        task, unfiltered = (self.task.loss(output, batch.label) for output in (after, before))
        rate = code.divergence_from_standard().mean()
        # The features set the standard: the code follows them, not they the code.
        sufficiency = self.task.divergence(before.detach(), after).mean()
        return {
            "loss": task + BETA * rate + unfiltered + SUFFICIENCY * sufficiency,
            "task": task,
            "rate": rate,
            "sufficiency": sufficiency,
        }

    def gates(self, encoded: list[Tensor]) -> list[Tensor]:
        """g_i [n, encoding] of every modality, in (0, 1)."""
        return [opener(z).sigmoid() for opener, z in zip(self.openers, encoded, strict=True)]

    def gated(self, views: list[Tensor]) -> Tensor:
        """h, [n, M encoding]."""
        encoded = self.encode(views)
        open_ = [gate * z for gate, z in zip(self.gates(encoded), encoded, strict=True)]
        return torch.cat(open_, dim=-1)

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        return self.predictor(sample(self.bottleneck(self.gated(views)), draw))
