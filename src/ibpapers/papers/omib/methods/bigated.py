"""BiGated: every modality is gated by the others.

Kiela, Grave, Joulin and Mikolov, Efficient large-scale multi-modal classification, AAAI 2018.
They gate one modality by the sigmoid of the other; the name BiGated is not theirs. It is read here
as gating both ways (it could also be short for their bilinear gate, an outer product).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """The gated modalities stand side by side under one head."""
    return Fusion(recipe, system, seed, device, BiGated(system.layout, recipe["model"]))


class BiGated(FusionModel):
    """h_i = V_i z_i * sigmoid(sum over j != i of U_j z_j); the head sees [h_1 .. h_M]."""

    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        self.values = nn.ModuleList(nn.Linear(self.encoding, self.code) for _ in self.names)
        self.openers = nn.ModuleList(nn.Linear(self.encoding, self.code) for _ in self.names)
        self.predictor = self.head(len(self.names) * self.code)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        return {"loss": self.task.loss(self.predict(batch.views, draw), batch.label)}

    def gates(self, encoded: list[Tensor]) -> list[Tensor]:
        """What every modality's values are multiplied by, [n, code] each, in (0, 1)."""
        opened = [opener(z) for opener, z in zip(self.openers, encoded, strict=True)]
        total = torch.stack(opened).sum(0)
        return [(total - own).sigmoid() for own in opened]

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        encoded = self.encode(views)
        gated = [
            value(z) * gate
            for value, z, gate in zip(self.values, encoded, self.gates(encoded), strict=True)
        ]
        return self.predictor(torch.cat(gated, dim=-1))
