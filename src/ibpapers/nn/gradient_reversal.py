"""Layers that are the identity on the way forward and change the gradient on the way back."""

from __future__ import annotations

from torch import Tensor
from torch.autograd import Function


def reverse_gradient(x: Tensor, alpha: float) -> Tensor:
    """`x`; its gradient comes back times -alpha (Ganin et al., 2016)."""
    return scale_gradient(x, -alpha)


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """`x`; its gradient comes back times `factor`."""
    return _Scale.apply(x, factor)


class _Scale(Function):
    @staticmethod
    def forward(ctx, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        return grad * ctx.factor, None
