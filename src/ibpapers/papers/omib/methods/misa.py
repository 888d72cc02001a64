"""MISA: a space that all modalities share and one of its own for each.

Hazarika, Zimmermann and Poria, MISA: modality-invariant and -specific representations for
multimodal sentiment analysis, ACM MM 2020. The weights are those of its release for CMU-MOSI; its
Transformer layer over all codes is the attention here that OMIB has as well.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ibpapers.papers.omib.networks import CrossAttention
from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.papers.omib.trainee import Fusion, FusionModel, Losses

SIMILARITY, DIFFERENCE, RECONSTRUCTION = 1.0, 0.3, 1.0
MOMENTS = 5


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Fusion:
    """Similarity between shared codes, orthogonality to private ones, reconstruction."""
    return Fusion(recipe, system, seed, device, MISA(system.layout, recipe["model"]))


class MISA(FusionModel):
    """Loss: task + SIMILARITY CMD + DIFFERENCE orthogonality + RECONSTRUCTION squared error."""

    def __init__(self, layout: Layout, sizes: dict[str, Any]):
        super().__init__(layout, sizes)
        self.shared = nn.Linear(self.encoding, self.code)
        self.private = nn.ModuleList(nn.Linear(self.encoding, self.code) for _ in self.names)
        self.decoders = nn.ModuleList(nn.Linear(self.code, self.encoding) for _ in self.names)
        self.fuse = CrossAttention(2 * len(self.names), self.code, self.code)
        self.predictor = self.head(self.code)

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        encoded = self.encode(batch.views)
        shared, private = self.spaces(encoded)
        pairs = list(combinations(range(len(encoded)), 2))
        similarity = torch.stack([discrepancy(shared[i], shared[j]) for i, j in pairs]).mean()
        apart = [orthogonality(s, p) for s, p in zip(shared, private, strict=True)]
        apart += [orthogonality(private[i], private[j]) for i, j in pairs]
        difference = torch.stack(apart).sum()
        rebuilt = [
            F.mse_loss(decoder(s + p), z)
            for decoder, s, p, z in zip(self.decoders, shared, private, encoded, strict=True)
        ]
        reconstruction = torch.stack(rebuilt).mean()
        task = self.task.loss(self.predictor(self.fuse([*shared, *private])), batch.label)
        return {
            "loss": task
            + SIMILARITY * similarity
            + DIFFERENCE * difference
            + RECONSTRUCTION * reconstruction,
            "task": task,
            "similarity": similarity,
            "difference": difference,
            "reconstruction": reconstruction,
        }

    def spaces(self, encoded: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Shared and private codes of every modality, [n, code] each, in (0, 1)."""
        shared = [self.shared(z).sigmoid() for z in encoded]
        private = [own(z).sigmoid() for own, z in zip(self.private, encoded, strict=True)]
        return shared, private

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        shared, private = self.spaces(self.encode(views))
        return self.predictor(self.fuse([*shared, *private]))


def discrepancy(a: Tensor, b: Tensor) -> Tensor:
    """Central moment discrepancy of two batches [n, d] in (0, 1)^d, moments 1 to `MOMENTS`."""
    mean_a, mean_b = a.mean(0), b.mean(0)
    apart = [
        ((a - mean_a) ** moment).mean(0) - ((b - mean_b) ** moment).mean(0)
        for moment in range(2, MOMENTS + 1)
    ]
    return torch.stack([difference.norm() for difference in (mean_a - mean_b, *apart)]).sum()


def orthogonality(a: Tensor, b: Tensor) -> Tensor:
    """Mean square of the entries of A^T B, both [n, d], centred and their rows of unit length."""
    a, b = (F.normalize(x - x.mean(0), dim=-1) for x in (a, b))
    return (a.mT @ b).square().mean()
