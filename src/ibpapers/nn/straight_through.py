"""Functions whose gradient is not their own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import Function


def round_straight_through(x: Tensor) -> Tensor:
    """The nearest integers, with the gradient of the identity (Theis et al., 2017)."""
    return _Round.apply(x)


def lower_bound(x: Tensor, bound: float) -> Tensor:
    """max(x, bound); where x lies below, only gradients that raise it come through."""
    return _LowerBound.apply(x, bound)


class _Round(Function):
    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        return grad


class _LowerBound(Function):
    @staticmethod
    def forward(ctx, x: Tensor, bound: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp_min(bound)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return torch.where((x >= ctx.bound) | (grad < 0), grad, 0), None
