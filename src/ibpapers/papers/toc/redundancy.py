"""Redundancy between the codes of two modalities, and discriminators that measure it (Section V).

A discriminator T tells codes of one utterance (positive) from codes of two (negative). With

    J = E log sigma(T(positive)) + E log(1 - sigma(T(negative))) + 2 ln 2        (Eq. 34, nats)

its binary cross-entropy is BCE = 2 ln 2 - J: 2 ln 2 where the codes are independent, and for the
best discriminator never above.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ibpapers.nn.gradient_reversal import reverse_gradient, scale_gradient
from ibpapers.nn.grouped import GroupedPerceptron

PAIRS = (("video", "text"), ("video", "audio"), ("text", "audio"))  # T_it, T_ia, T_ta
TRIES = 32  # permutations that are drawn at once


class Pressure(NamedTuple):
    """How hard the encoders push against the discriminators.

    Attributes:
        alpha: of the gradient reversal (Eq. 39).
        weight: lambda_red (Eq. 43).
        reverse: ``first``: before the first argument only, as printed (Eq. 40-42), so that the
            second one's encoder helps the discriminator; ``both``.
    """

    alpha: float
    weight: float
    reverse: Literal["first", "both"]


class Judgement(NamedTuple):
    """Of every pair of modalities, [pairs]: BCE in nats, and mean sigma(T)."""

    bce: Tensor
    p_positive: Tensor
    p_negative: Tensor


class Discriminators(nn.Module):
    """A discriminator T of each of `pairs`, those of `PAIRS` whose modalities are there."""

    def __init__(self, modalities: Sequence[str], code: int, widths: Sequence[int]):
        super().__init__()
        self.pairs = [pair for pair in PAIRS if {*pair} <= {*modalities}]
        self._first, self._second = (
            [modalities.index(pair[side]) for pair in self.pairs] for side in range(2)
        )
        self.networks = GroupedPerceptron(len(self.pairs), 2 * code, *widths, 1)

    @property
    def names(self) -> list[str]:
        return [f"{a}_{b}" for a, b in self.pairs]

    def forward(self, codes: Tensor, pressure: Pressure, draw: torch.Generator) -> Judgement:
        """What they make of the modalities' codes [M, n, code] and of their derangements.

        The sum of the BCE is to be descended with weight 1. Then every discriminator ascends its
        J; the encoder of its first argument descends alpha lambda_red J; that of the second one
        ascends lambda_red J, as printed, or descends it like the first. This is the printed
        objective but for the discriminators' own gradient, which is not multiplied by lambda_red:
        Adam takes no notice of the scale of a loss, except where it is 0. There they learn
        nevertheless, on codes that get no gradient from them, as they have to where their BCE is
        to measure something.
        """
        reversal = pressure.alpha * pressure.weight
        first = reverse_gradient(_rows(codes, self._first), reversal)
        second = _rows(codes, self._second)
        if pressure.reverse == "both":
            second = reverse_gradient(second, reversal)
        else:
            second = scale_gradient(second, pressure.weight)
        partners = torch.cat([second, second[:, derangement(codes.shape[1], draw)]], dim=1)
        pairs = torch.cat([first.repeat(1, 2, 1), partners], dim=-1)
        positive, negative = self.networks(pairs).squeeze(-1).chunk(2, dim=-1)
        return Judgement(
            binary_cross_entropy(positive, negative),
            positive.detach().sigmoid().mean(-1),
            negative.detach().sigmoid().mean(-1),
        )


def binary_cross_entropy(positive: Tensor, negative: Tensor) -> Tensor:
    """2 ln 2 - J of T on positive and on negative pairs, [..., n] each; nats, [...]."""
    return F.softplus(-positive).mean(-1) + F.softplus(negative).mean(-1)


def _rows(codes: Tensor, which: list[int]) -> Tensor:
    return torch.stack([codes[i] for i in which])


def derangement(n: int, draw: torch.Generator) -> Tensor:
    """A permutation of n >= 2 that leaves nothing in its place, uniform among those; int64 [n].

    One permutation in e is one (n = 3: in 3), so that `TRIES` of them nearly always hold one.
    """
    if n < 2:
        raise ValueError(f"no permutation of {n} leaves nothing in its place")
    place = torch.arange(n, device=draw.device)
    while True:
        drawn = torch.rand(TRIES, n, generator=draw, device=draw.device, dtype=torch.float64)
        permutations = drawn.argsort(-1)
        found = (permutations != place).all(-1).nonzero()
        if len(found):
            return permutations[found[0, 0]]
