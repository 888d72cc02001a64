"""Differential entropy from nearest neighbours (Kozachenko and Leonenko, maximum norm)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def knn_entropy(z: Tensor, k: int) -> Tensor:
    """Differential entropy of the samples z in nats; [..., n, d] -> [...].

    h = digamma(n) - digamma(k) + d ln 2 + d mean_i ln eps_i, with eps_i the distance to the k-th
    neighbour. Meant for small n: all n^2 distances are held. Raises ValueError unless 1 <= k < n.
    """
    n, d = z.shape[-2:]
    if not 1 <= k < n:
        raise ValueError(f"k = {k} neighbours asked of n = {n} samples; allowed: 1 to {n - 1}")
    distance = (z.unsqueeze(-2) - z.unsqueeze(-3)).abs().amax(-1)
    to_kth = distance.kthvalue(k + 1, dim=-1).values  # the first neighbour is the sample itself
    count = torch.tensor([n, k], dtype=torch.float64).digamma()
    tiny = torch.finfo(z.dtype).tiny
    return (count[0] - count[1]).item() + d * (math.log(2) + to_kth.clamp_min(tiny).log().mean(-1))
