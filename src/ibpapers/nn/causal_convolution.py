"""The masked 5 x 5 convolution of autoregressive entropy models, without its masked half.

It sees the 12 elements that come before the current one in raster order: two rows above, and two
elements to the left. Of the 25 taps of the masked kernel the other 13 are zero, and on the small
maps of learned codecs many of the rest fall on padding. Neither is computed: the work is one
matrix product per tap and row, over those positions for which the tap lies inside the map.

Maps are position-major, [H, W, N, C]: a row of them is a matrix as it lies in memory.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

TAPS = (
    *((-2, column) for column in range(-2, 3)),
    *((-1, column) for column in range(-2, 3)),
    (0, -2),
    (0, -1),
)  # row and column relative to the current element


class CausalConvolution(nn.Module):
    """[H, W, N, inputs] -> [H, W, N, outputs], each element from those before it only."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(len(TAPS), inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """As a convolution with all its taps: uniform within 1 / sqrt(fan-in)."""
        bound = 1 / math.sqrt(len(TAPS) * self.weight.shape[1])
        self.weight.uniform_(-bound, bound, generator=generator)
        self.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return _CausalConvolution.apply(x, self.weight, self.bias)

    def at(self, x: Tensor, row: int, column: int) -> Tensor:
        """The output at one position, [N, outputs]; reads no element of `x` from there on."""
        height, width = x.shape[:2]
        output = self.bias.expand(x.shape[2], -1)
        for weight, (down, right) in zip(self.weight, TAPS, strict=True):
            if 0 <= row + down < height and 0 <= column + right < width:
                output = torch.addmm(output, x[row + down, column + right], weight)
        return output


class _CausalConvolution(Function):
    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        x = x.contiguous()
        ctx.save_for_backward(x, weight)
        height, width, count, _ = x.shape
        output = bias.expand(height, width, count, -1).contiguous()
        for tap, target, source in _rows(height, width):
            _matrix(output, target).addmm_(_matrix(x, source), weight[tap])
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        grad = grad.contiguous()
        by_x, by_weight = torch.zeros_like(x), torch.zeros_like(weight)
        for tap, target, source in _rows(*x.shape[:2]):
            given = _matrix(grad, target)
            _matrix(by_x, source).addmm_(given, weight[tap].T)
            by_weight[tap].addmm_(_matrix(x, source).T, given)
        return by_x, by_weight, grad.sum((0, 1, 2))


def _rows(height: int, width: int):
    """For every tap and row of the output: the places that the tap serves, and those it reads."""
    for tap, (down, right) in enumerate(TAPS):
        first, last = max(0, -right), width - max(0, right)
        if first < last:
            for row in range(-down, height):
                yield tap, (row, first, last), (row + down, first + right, last + right)


def _matrix(x: Tensor, place: tuple[int, int, int]) -> Tensor:
    """Columns first .. last - 1 of a row of [H, W, N, C], as a matrix that shares its memory."""
    row, first, last = place
    return x[row, first:last].view(-1, x.shape[-1])
