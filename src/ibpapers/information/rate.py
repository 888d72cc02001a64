"""The rate I(X; Z) of a Gaussian encoder, estimated from a batch (PoM2-DIB, Eq. 17).

Both estimators take the marginal p(z) to be the mixture of the batch's own n conditionals. They
differ in what the mixture is over:

- ``joint``: Eq. 17 as printed, the density of the whole vector z. It cannot exceed ln n.
- ``factorised``: a mixture per dimension, p(z) = prod_d p(z_d). It bounds I(X; Z) from above (by
  the total correlation of z) and can reach d ln n. The printed figures come from this one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from ibpapers.nn.gaussian import Gaussian

# Below e^-80 a density adds nothing to a sum of float32 that holds a 1, and computing with what is
# left of it (denormal numbers) is a hundred times slower.
NEGLIGIBLE = -80.0
# Of the [codes, n, n, d] comparisons a piece that stays in a core's cache (512 KiB of float32), or
# one that leaves room on a GPU, whose time is that of starting many pieces.
VALUES_AT_ONCE = {"cpu": 2**17, "cuda": 2**26}


def joint_rate(code: Gaussian, z: Tensor) -> Tensor:
    """mean_i [ln p(z_i | x_i) - ln mean_j p(z_i | x_j)] in nats; [..., n, d] -> [...]."""
    distance = (z.unsqueeze(-2) - code.mean.unsqueeze(-3)) / code.std.unsqueeze(-3)
    log_density = -(distance.square() / 2 + code.std.log().unsqueeze(-3)).sum(-1)
    own = log_density.diagonal(dim1=-2, dim2=-1)
    return (own - log_density.logsumexp(-1)).mean(-1) + math.log(z.shape[-2])


def factorised_rate(code: Gaussian, z: Tensor) -> Tensor:
    """sum_d mean_i [ln p(z_di | x_i) - ln mean_j p(z_di | x_j)] in nats; [..., n, d] -> [...]."""
    return _FactorisedRate.apply(code.mean, code.std, z)


RATE_ESTIMATORS = {"factorised": factorised_rate, "joint": joint_rate}


class _FactorisedRate(Function):
    """Value and gradient in one pass over [n, n, d] comparisons that never leave the cache.

    With a_ij = (z_i - mean_j) / std_j and the posterior r_ij = p(z_i | x_j) / sum_j p(z_i | x_j),
    the weight of ln p(z_i | x_j) in the rate is w_ij = (delta_ij - r_ij) / n, and its derivatives
    by mean_j, std_j and z_i are a_ij / std_j, (a_ij^2 - 1) / std_j and -a_ij / std_j.
    """

    @staticmethod
    def forward(ctx, mean: Tensor, std: Tensor, z: Tensor) -> Tensor:
        *lead, n, d = z.shape
        flat = [x.detach().reshape(-1, n, d) for x in (mean, std, z)]
        wanted = any(ctx.needs_input_grad)
        step = max(1, VALUES_AT_ONCE[z.device.type] // (n * n * d))
        parts = [
            _rate_and_gradient(*piece, wanted)
            for piece in zip(*(x.split(step) for x in flat), strict=True)
        ]
        if wanted:
            ctx.save_for_backward(*(torch.cat([part[i] for part in parts]) for i in (1, 2, 3)))
            ctx.lead = lead
        return torch.cat([part[0] for part in parts]).reshape(lead)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, ...]:
        scale = grad.reshape(-1, 1, 1)
        return tuple((scale * g).reshape(*ctx.lead, *g.shape[1:]) for g in ctx.saved_tensors)


def _rate_and_gradient(mean: Tensor, std: Tensor, z: Tensor, gradient: bool) -> tuple[Tensor, ...]:
    """The rate [P] of [P, n, d] and, if wanted, its gradient by mean, std and z."""
    n = z.shape[1]
    precision = std.reciprocal().unsqueeze(1)
    a = (z.unsqueeze(2) - mean.unsqueeze(1)).mul_(precision)
    square = a.square()
    log_density = torch.add(std.log().unsqueeze(1), square, alpha=0.5).neg_()
    own = log_density.diagonal(dim1=1, dim2=2).sum((1, 2))
    highest = log_density.amax(2, keepdim=True)
    density = log_density.sub_(highest).clamp_min_(NEGLIGIBLE).exp_()
    total = density.sum(2, keepdim=True)
    marginal = (total.log() + highest).sum((1, 2, 3))
    rate = (own - marginal) / n + z.shape[2] * math.log(n)
    if not gradient:
        return (rate,)
    weight = density.mul_(total.mul_(-n).reciprocal_())
    weight.diagonal(dim1=1, dim2=2).add_(1 / n)
    by_std = square.sub_(1).mul_(weight).sum(1).mul_(precision.squeeze(1))
    by_mean = a.mul_(weight).mul_(precision)
    return rate, by_mean.sum(1), by_std, by_mean.sum(2).neg_()
