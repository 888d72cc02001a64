"""OMIB: a bottleneck on every modality, weighed by what the fused code still lacks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.nn.gaussian import sample
from ibpapers.papers.omib import relevance
from ibpapers.papers.omib.networks import Bottlenecks, Concatenation, CrossAttention, rates
from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.tasks import mean_divergences
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """Warm-up, then main training (Algorithms 1 and 2), under the recipe's ablation."""
    return OMIB(recipe, system, seed, device)


class OMIB(Fusion):
    """The two phases; without warm-up, main training has the whole budget."""

    model: OMIBModel

    def __init__(self, recipe: Mapping[str, Any], system: System, seed: int, device: torch.device):
        ablation = recipe["ablation"]
        model = OMIBModel(system.layout, recipe["model"], system.beta, ablation)
        super().__init__(recipe, system, seed, device, model)
        self.warm_up = 0 if ablation == "without_warm_up" else self.training["warm_up_updates"]

    def losses(self, update: int, batch: Batch, draw: torch.Generator) -> Losses:
        if update <= self.warm_up:
            return self.model.warm_up_losses(batch, draw)
        return self.model.losses(batch, draw)

    def validate(self, update: int) -> float | None:
        """As everywhere, once there is a fused code."""
        return None if update <= self.warm_up else super().validate(update)


class OMIBModel(FusionModel):
    """Task relevance branches Dec_i on [z_i, e_i], and the OMF block: VAE_i, CAN, head.

    `ablation` (Table 6): "full"; "without_warm_up"; "without_cross_attention" fuses the codes by
    concatenation and a linear map; "without_omf" fuses the z_i so, without codes and KL;
    "without_r" has r = 1.
    """

    def __init__(
        self, layout: Layout, sizes: Mapping[str, Any], beta: float, ablation: str = "full"
    ):
        super().__init__(layout, sizes)
        self.beta = beta
        self.ablation = ablation
        modalities = len(self.names)
        self.branches = nn.ModuleList(self.head(self.encoding + self.code) for _ in self.names)
        if ablation == "without_omf":
            self.fuse: nn.Module = Concatenation(modalities, self.encoding, self.code)
        else:
            self.bottlenecks = Bottlenecks(modalities, self.encoding, self.code)
            fusion = Concatenation if ablation == "without_cross_attention" else CrossAttention
            self.fuse = fusion(modalities, self.code, self.code)
        self.predictor = self.head(self.code)

    def warm_up_losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        """Algorithm 1: every branch sees its z_i beside noise e_i ~ N(0, I), Eq. 3 and 4."""
        encoded = self.encode(batch.views)
        noise = [torch.randn(len(z), self.code, generator=draw, device=z.device) for z in encoded]
        own = self._branches(encoded, noise)
        branches = torch.stack([self.task.loss(one, batch.label) for one in own])
        later = torch.full_like(branches.detach(), torch.nan)
        return self._record(branches.sum(), later[0], branches, later, later)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        """Algorithm 2: L_OMF of Eq. 10 and the branches, which see xi in the noise's place."""
        encoded = self.encode(batch.views)
        xi, rate = self.fused(encoded, draw)
        output = self.predictor(xi)
        own = self._branches(encoded, [xi] * len(encoded))
        branches = torch.stack([self.task.loss(one, batch.label) for one in own])
        r = torch.ones_like(rate)
        if self.ablation != "without_r":
            with torch.no_grad():
                r = relevance.weights(mean_divergences(self.task, own, output))
        omf = self.task.loss(output, batch.label) + self.beta * (r * rate).sum()
        return self._record(omf + branches.sum(), omf, branches, rate, r)

    def fused(self, encoded: list[Tensor], draw: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """xi [n, code] and KL(p(zeta_i | z_i) || N(0, I)) [M], nats, mean over the batch."""
        if self.ablation == "without_omf":
            return self.fuse(encoded), torch.zeros(len(encoded), device=encoded[0].device)
        codes = self.bottlenecks(encoded)
        return self.fuse([sample(code, draw) for code in codes]), rates(codes)

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        """The head on xi; the branches are idle."""
        return self.predictor(self.fused(self.encode(views), draw)[0])

    def _branches(self, encoded: list[Tensor], beside: list[Tensor]) -> list[Tensor]:
        """Dec_i([z_i, e_i]) of every modality, [n, outputs]."""
        return [
            branch(torch.cat([z, e], dim=-1))
            for branch, z, e in zip(self.branches, encoded, beside, strict=True)
        ]

    def _record(
        self, loss: Tensor, omf: Tensor, branches: Tensor, rate: Tensor, r: Tensor
    ) -> Losses:
        """The loss, and by modality what it is made of."""
        by_modality = {"branch": branches, "kl": rate, "r": r}
        return {"loss": loss, "omf": omf} | {
            f"{quantity}/{name}": value
            for quantity, values in by_modality.items()
            for name, value in zip(self.names, values.unbind(), strict=True)
        }
