"""The network behind every part of PoM2-DIB: two residual blocks and a linear layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """relu(outer(relu(inner(x))) + shortcut(x)), three linear layers, all of the block's width.

    What reads x is one layer, `first`: its first `width` outputs are the inner layer's, the others
    the shortcut's, whose bias is that of the sum.
    """

    def __init__(self, inputs: int, width: int, generator: torch.Generator):
        super().__init__()
        self.first = nn.Linear(inputs, 2 * width)
        self.outer = nn.Linear(width, width, bias=False)
        inner, shortcut = self.first.weight.split(width)
        for weight in (inner, self.outer.weight, shortcut):
            nn.init.xavier_uniform_(weight, generator=generator)
        nn.init.zeros_(self.first.bias)

    def forward(
        self, x: Tensor, condition: Tensor | None = None, rows: Tensor | None = None
    ) -> Tensor:
        """[..., inputs] -> [N, width], N samples in all; the rest as in `FeedForward`."""
        read = _linear(self.first, x, condition, rows)
        return rest_of_block(read.flatten(0, -2), self.outer.weight)


class FeedForward(nn.Module):
    """A residual block and a layer normalisation per width, then a linear layer to `outputs`.

    Weights are Xavier-uniform and biases zero, drawn from `generator`. With `conditions` > 0 the
    network reads [x, condition] side by side.
    """

    def __init__(
        self,
        inputs: int,
        widths: Sequence[int],
        outputs: int,
        generator: torch.Generator,
        conditions: int = 0,
    ):
        super().__init__()
        sizes = [inputs + conditions, *widths]
        self.blocks = nn.ModuleList(
            ResidualBlock(size, width, generator)
            for size, width in zip(sizes, widths, strict=False)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in widths)
        self.out = nn.Linear(sizes[-1], outputs)
        nn.init.xavier_uniform_(self.out.weight, generator=generator)
        nn.init.zeros_(self.out.bias)

    def forward(
        self,
        x: Tensor,
        condition: Tensor | None = None,
        rows: Tensor | None = None,
        member: Tensor | None = None,
    ) -> Tensor:
        """x [..., inputs] -> [..., outputs].

        With `condition` [P, conditions] and `rows` [P]: x is [G, n, inputs], and output p
        [P, n, outputs] is the network at [x[rows[p]], condition[p]]. What the first layer makes of
        x is computed once per group, however many conditions it meets. `member` is for `Ensemble`.
        """
        shape = x.shape[:-1] if condition is None else (len(condition), x.shape[-2])
        for i, (block, norm) in enumerate(zip(self.blocks, self.norms, strict=True)):
            x = norm(block(x, condition, rows) if i == 0 else block(x))
        return self.out(x).unflatten(0, shape)


def _linear(linear: nn.Linear, x: Tensor, condition: Tensor | None, rows: Tensor | None) -> Tensor:
    if condition is None:
        return linear(x)
    of_x, of_condition = linear.weight.split([x.shape[-1], condition.shape[-1]], dim=-1)
    shared = F.linear(x, of_x)
    given = F.linear(condition, of_condition, linear.bias)
    return shared[rows] + given.unsqueeze(-2)


def rest_of_block(read: Tensor, weight: Tensor) -> Tensor:
    """relu(outer(relu(inner)) + shortcut) of [inner, shortcut] side by side.

    `read` [N, 2 w] and `weight` [w, w] of the outer layer -> [N, w], or all of them with a leading
    axis of members.
    """
    return _Rest.apply(read, weight)


class _Rest(Function):
    """`rest_of_block`.

    Its gradient is written side by side too, so that the layer before goes backward in one product,
    and sums are taken by the products themselves.
    """

    @staticmethod
    def forward(ctx, read: Tensor, weight: Tensor) -> Tensor:
        inner, shortcut = read.chunk(2, dim=-1)
        hidden = inner.relu()
        add_product = torch.addmm if read.dim() == 2 else torch.baddbmm
        out = add_product(shortcut, hidden, weight.mT).relu_()
        ctx.save_for_backward(hidden, out, weight)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor]:
        hidden, out, weight = ctx.saved_tensors
        by_read = grad.new_empty(*grad.shape[:-1], 2 * grad.shape[-1])
        inner, shortcut = by_read.chunk(2, dim=-1)
        _relu_backward(grad, out, shortcut)
        torch.matmul(shortcut, weight, out=inner)
        _relu_backward(inner, hidden, inner)
        return by_read, shortcut.mT @ hidden


def _relu_backward(grad: Tensor, activation: Tensor, result: Tensor) -> None:
    torch.ops.aten.threshold_backward.grad_input(grad, activation, 0, grad_input=result)
