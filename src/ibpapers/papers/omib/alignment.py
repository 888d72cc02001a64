"""Information between the codes of two modalities, as two of the baselines maximise it."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ibpapers.nn.perceptron import Perceptron


def pair_critics(modalities: int, width: int) -> nn.ModuleList:
    """One critic T(zeta_i, zeta_j) per pair of modalities, codes of `width` values."""
    pairs = modalities * (modalities - 1) // 2
    return nn.ModuleList(Perceptron(2 * width, width, 1) for _ in range(pairs))


def pairwise_information(critics: nn.ModuleList, codes: list[Tensor]) -> Tensor:
    """Mean over the pairs of codes [n, width] of `jensen_shannon_information`."""
    information = [
        jensen_shannon_information(critic, a, b)
        for critic, (a, b) in zip(critics, combinations(codes, 2), strict=True)
    ]
    return torch.stack(information).mean()


def jensen_shannon_information(critic: nn.Module, a: Tensor, b: Tensor) -> Tensor:
    """E[-softplus(-T(a, b))] - E[softplus(T(a, b'))], b' of another sample of the batch.

    Twice the Jensen-Shannon divergence between joint and product, less ln 4, at the best critic
    (Hjelm et al. 2019): at most 0.
    """
    joint = critic(torch.cat([a, b], dim=-1))
    product = critic(torch.cat([a, b.roll(1, dims=0)], dim=-1))
    return -F.softplus(-joint).mean() - F.softplus(product).mean()
