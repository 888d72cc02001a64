"""The networks that OMIB and its baselines share (Appendix H)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ibpapers.nn.gaussian import Gaussian
from ibpapers.nn.perceptron import Perceptron

KERNEL = 3  # words that a Conv1d encoder sees at once; not in the paper
LOG_VARIANCE = 10.0  # of a code stays within +- this


class SequenceEncoder(nn.Module):
    """Conv1d over time, GELU, the mean over time, a linear layer."""

    def __init__(self, inputs: int, hidden: int, outputs: int):
        super().__init__()
        self.convolution = nn.Conv1d(inputs, hidden, KERNEL, padding=KERNEL // 2)
        self.out = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[n, time, inputs] -> [n, outputs]; steps that are all zero are padding and left out."""
        present = (x != 0).any(-1, keepdim=True).to(x.dtype)
        steps = nn.functional.gelu(self.convolution(x.mT).mT) * present
        return self.out(steps.sum(1) / present.sum(1).clamp_min(1))


def encoder(shape: tuple[int, ...], hidden: int, outputs: int) -> nn.Module:
    """Enc_i for observations of `shape`: [width], or [time, width] for a sequence.

    One vector per observation has no time to convolve over: a Conv1d on a sequence of length one
    is a linear layer on it, so a two-layer perceptron stands there, as on SIM.
    """
    if len(shape) == 1:
        return Perceptron(shape[0], hidden, outputs)
    return SequenceEncoder(shape[1], hidden, outputs)


class VariationalEncoder(nn.Module):
    """VAE_i of Eq. 5: a two-layer perceptron with two heads, mean and log-variance."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.body = Perceptron(inputs, inputs, 2 * outputs)

    def forward(self, z: Tensor) -> Gaussian:
        """[n, inputs] -> N(mean, diag(std^2)), both [n, outputs]."""
        mean, log_variance = self.body(z).chunk(2, dim=-1)
        return Gaussian(mean, (log_variance.clamp(-LOG_VARIANCE, LOG_VARIANCE) / 2).exp())


class Bottlenecks(nn.ModuleList):
    """A `VariationalEncoder` for every modality."""

    def __init__(self, modalities: int, inputs: int, outputs: int):
        super().__init__(VariationalEncoder(inputs, outputs) for _ in range(modalities))

    def forward(self, encoded: list[Tensor]) -> list[Gaussian]:
        """p(zeta_i | z_i) for every z_i [n, inputs]."""
        return [bottleneck(z) for bottleneck, z in zip(self, encoded, strict=True)]


def rates(codes: list[Gaussian]) -> Tensor:
    """KL(p(zeta_i | z_i) || N(0, I)) of every code, nats, mean over the batch: [M]."""
    return torch.stack([code.divergence_from_standard().mean() for code in codes])


class CrossAttention(nn.Module):
    """CAN of Eq. 7, 105 and 106: attention among the modalities' codes, then a linear map.

    Eq. 105 joins the codes along the feature dimension, which would leave attention one token and
    nothing to choose from; here every code is a token, as the cost in Section 6.7 (M^2) has it.
    """

    def __init__(self, modalities: int, width: int, outputs: int):
        super().__init__()
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(modalities * width, outputs)
        self.scale = 1 / math.sqrt(width)

    def forward(self, codes: list[Tensor]) -> Tensor:
        """M codes [n, width], each a token -> [n, outputs]."""
        tokens = torch.stack(codes, dim=1)
        query, key, value = self.query_key_value(tokens).chunk(3, dim=-1)
        attention = (query @ key.mT * self.scale).softmax(-1)
        return self.out((attention @ value).flatten(1))


class Concatenation(nn.Module):
    """The codes side by side and a linear map: E-, L- and C-MIB's fusion, CAN's in an ablation."""

    def __init__(self, modalities: int, width: int, outputs: int):
        super().__init__()
        self.out = nn.Linear(modalities * width, outputs)

    def forward(self, codes: list[Tensor]) -> Tensor:
        """M codes [n, width] -> [n, outputs]."""
        return self.out(torch.cat(codes, dim=-1))
