"""The network behind every part of PoM2-DIB: two residual blocks and a linear layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """relu(linear(relu(linear(x))) + shortcut(x)), the shortcut projected to the block's width."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.inner = nn.Linear(inputs, width)
        self.outer = nn.Linear(width, width)
        self.shortcut = nn.Linear(inputs, width)

    def forward(
        self, x: Tensor, condition: Tensor | None = None, rows: Tensor | None = None
    ) -> Tensor:
        """[..., inputs] -> [..., width]; `condition` and `rows` as in `FeedForward`."""
        inner = _linear(self.inner, x, condition, rows)
        shortcut = _linear(self.shortcut, x, condition, rows)
        return F.relu_(self.outer(F.relu_(inner)) + shortcut)


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
            ResidualBlock(size, width) for size, width in zip(sizes, widths, strict=False)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in widths)
        self.out = nn.Linear(sizes[-1], outputs)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight, generator=generator)
                nn.init.zeros_(module.bias)

    def forward(
        self, x: Tensor, condition: Tensor | None = None, rows: Tensor | None = None
    ) -> Tensor:
        """x [..., inputs] -> [..., outputs].

        With `condition` [P, conditions] and `rows` [P]: x is [G, n, inputs], and output p
        [P, n, outputs] is the network at [x[rows[p]], condition[p]]. What the first layer makes of
        x is computed once per group, however many conditions it meets.
        """
        for i, (block, norm) in enumerate(zip(self.blocks, self.norms, strict=True)):
            x = norm(block(x, condition, rows) if i == 0 else block(x))
        return self.out(x)


def _linear(linear: nn.Linear, x: Tensor, condition: Tensor | None, rows: Tensor | None) -> Tensor:
    if condition is None:
        return linear(x)
    split = x.shape[-1]
    shared = F.linear(x, linear.weight[:, :split])
    given = F.linear(condition, linear.weight[:, split:], linear.bias)
    return shared[rows] + given.unsqueeze(-2)
