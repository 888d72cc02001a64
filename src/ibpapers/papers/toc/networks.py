"""The networks of the transmitters and receivers: small Transformers, and Gaussian codes.

The modalities' networks have one shape, and run side by side: see `nn.grouped`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ibpapers.nn.gaussian import Gaussian
from ibpapers.nn.grouped import GroupedLinear, GroupedPerceptron

Sizes = Mapping[str, Any]  # the section `model` of a recipe


class SequenceEncoders(nn.Module):
    """The semantic encoders: a Transformer over the words of each modality, averaged over them.

    An utterance that is one vector is a sequence of length 1.
    """

    def __init__(self, widths: Mapping[str, int], sizes: Sizes):
        super().__init__()
        width = sizes["width"]
        self.embed = nn.ModuleDict(
            {name: nn.Linear(inputs, width) for name, inputs in widths.items()}
        )
        self.layers = nn.ModuleList(
            EncoderLayer(len(widths), sizes) for _ in range(sizes["layers"])
        )

    def forward(self, views: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """Views [n, T, inputs] and `mask` bool [n, T], False on padding -> [M, n, width]."""
        x = torch.stack([embed(views[name]) for name, embed in self.embed.items()])
        x = x + positions(*x.shape[-2:], x.device)
        for layer in self.layers:
            x = layer(x, mask)
        share = mask / mask.sum(-1, keepdim=True)
        return (share[:, None] @ normalised(x)).squeeze(-2)


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each normalised before and added to its input."""

    def __init__(self, groups: int, sizes: Sizes):
        super().__init__()
        width = sizes["width"]
        self.attention = Attention(groups, width, sizes["heads"])
        self.feed_forward = GroupedPerceptron(groups, width, sizes["feed_forward"], width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[groups, n, T, width], attending where `mask` bool [n, T] is True."""
        seen = normalised(x)
        x = x + self.attention(seen, seen, mask)
        return x + self.feed_forward(normalised(x))


class DecoderLayer(nn.Module):
    """Attention from a query to a memory and a feed-forward network, as in `EncoderLayer`.

    Of one query: attention among queries would have nothing to choose from.
    """

    def __init__(self, sizes: Sizes):
        super().__init__()
        width = sizes["width"]
        self.attention = Attention(1, width, sizes["heads"])
        self.feed_forward = GroupedPerceptron(1, width, sizes["feed_forward"], width)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """A query [1, n, 1, width] to a memory [1, n, T, width]."""
        query = query + self.attention(normalised(query), memory)
        return query + self.feed_forward(normalised(query))


class Attention(nn.Module):
    """Multi-head scaled dot-product attention (Vaswani et al., 2017) in every group."""

    def __init__(self, groups: int, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = GroupedLinear(groups, width, width)
        self.key_value = GroupedLinear(groups, width, 2 * width)
        self.out = GroupedLinear(groups, width, width)

    def forward(self, query: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """[groups, n, Q, width] to [groups, n, T, width], where `mask` bool [n, T] is True."""
        q = self._by_head(self.query(query))
        k, v = self._by_head(self.key_value(memory)).chunk(2, dim=-1)
        keys = None if mask is None else mask.repeat(len(query), 1)[:, None, None]
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=keys)
        return self.out(attended.transpose(1, 2).reshape(query.shape))

    def _by_head(self, x: Tensor) -> Tensor:
        """[groups, n, T, d] -> [groups n, heads, T, d / heads]."""
        return x.view(-1, x.shape[-2], self.heads, x.shape[-1] // self.heads).transpose(1, 2)


class Bottlenecks(nn.Module):
    """Linear maps to mean and deviation of diagonal Gaussians: [groups, ..., inputs] -> code."""

    def __init__(self, groups: int, inputs: int, code: int):
        super().__init__()
        self.moments = GroupedLinear(groups, inputs, 2 * code)

    def forward(self, x: Tensor) -> Gaussian:
        return Gaussian.from_output(self.moments(x))


def normalised(x: Tensor) -> Tensor:
    """Layer normalisation; its scale and shift are left to the linear map that always follows."""
    return F.layer_norm(x, x.shape[-1:])


@lru_cache(maxsize=8)
def positions(length: int, width: int, device: torch.device) -> Tensor:
    """Sines and cosines of the position [length, width], width even (Vaswani et al., 2017)."""
    steps = torch.arange(length, dtype=torch.float32, device=device)
    rates = torch.arange(0, width, 2, dtype=torch.float32, device=device) * (-math.log(1e4) / width)
    angles = steps[:, None] * rates.exp()
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
