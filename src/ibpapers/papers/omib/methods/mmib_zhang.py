"""MMIB (Zhang): of every modality, keep what the other modalities know as well.

Zhang, Zhang, Xiang and Wu, Information bottleneck based representation learning for multimodal
sentiment analysis, CCEAI 2022: information constraints between pairs of modalities. The paper was
not at hand: bounds and weights are a reading, after the multi-view bottleneck (Federici, Dutta,
Forré, Kushman and Akata, ICLR 2020).
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from ibpapers.nn.gaussian import Gaussian, sample
from ibpapers.papers.omib.alignment import pair_critics, pairwise_information
from ibpapers.papers.omib.networks import Bottlenecks
from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses

SUPERFLUOUS, SHARED = 1e-3, 0.1


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """Constraints on pairs: what only one of the two knows goes, what both know stays."""
    return Fusion(recipe, system, seed, device, MMIBZhang(system.layout, recipe["model"]))


class MMIBZhang(FusionModel):
    """Loss: task + mean over pairs of SUPERFLUOUS D(i, j) - SHARED I_JS(zeta_i; zeta_j).

    D is the symmetrised KL between p(zeta_i | z_i) and p(zeta_j | z_j), an upper bound of what
    either code knows that the other modality does not.
    """

    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        self.bottlenecks = Bottlenecks(len(self.names), self.encoding, self.code)
        self.critics = pair_critics(len(self.names), self.code)
        self.predictor = self.head(len(self.names) * self.code)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        codes = self.bottlenecks(self.encode(batch.views))
        drawn = [code.draw(draw) for code in codes]
        task = self.task.loss(self.predictor(torch.cat(drawn, dim=-1)), batch.label)
        apart = [symmetric_divergence(a, b).mean() for a, b in combinations(codes, 2)]
        superfluous = torch.stack(apart).mean()
        shared = pairwise_information(self.critics, drawn)
        return {
            "loss": task + SUPERFLUOUS * superfluous - SHARED * shared,
            "task": task,
            "superfluous": superfluous,
            "shared": shared,
        }

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        drawn = [sample(code, draw) for code in self.bottlenecks(self.encode(views))]
        return self.predictor(torch.cat(drawn, dim=-1))


def symmetric_divergence(a: Gaussian, b: Gaussian) -> Tensor:
    """(KL(a || b) + KL(b || a)) / 2 of diagonal Gaussians, nats, [n]."""
    squares = (a.mean - b.mean).square()
    variance_a, variance_b = a.std.square(), b.std.square()
    one_way = (variance_a + squares) / variance_b - 1
    other_way = (variance_b + squares) / variance_a - 1
    return (one_way + other_way).sum(-1) / 4
