"""What is asked of a representation: a class (SIM) or a sentiment (CMU-MOSI)."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from ibpapers import sentiment


class Task(Protocol):
    outputs: int  # of a head

    def loss(self, output: Tensor, label: Tensor) -> Tensor:
        """-log q(y | .) as the paper implements it, mean over the batch."""

    def divergence(self, output: Tensor, other: Tensor) -> Tensor:
        """KL(p(y | output) || p(y | other)) of every sample [n], nats."""

    def average(self, outputs: Tensor) -> Tensor:
        """The mean prediction over draws of the codes, outputs [draws, n, .] -> [n, .]."""

    def metrics(self, output: Tensor, label: Tensor) -> dict[str, tuple[float, str]]:
        """Metric -> value and unit, over all samples."""


class Classification:
    """Heads give logits [n, classes]; labels are int64 [n]."""

    def __init__(self, classes: int):
        self.outputs = classes

    def loss(self, output: Tensor, label: Tensor) -> Tensor:
        """Cross entropy, nats."""
        return F.cross_entropy(output, label)

    def divergence(self, output: Tensor, other: Tensor) -> Tensor:
        """Between categorical distributions."""
        log_p, log_q = output.log_softmax(-1), other.log_softmax(-1)
        return (log_p.exp() * (log_p - log_q)).sum(-1)

    def average(self, outputs: Tensor) -> Tensor:
        """Logits of the mean probabilities."""
        return outputs.log_softmax(-1).logsumexp(0)

    def metrics(self, output: Tensor, label: Tensor) -> dict[str, tuple[float, str]]:
        """Accuracy in percent."""
        right = (output.argmax(-1) == label).double().mean()
        return {"accuracy": (100 * right.item(), "percent")}


class Regression:
    """Heads give the mean [n, 1] of a Gaussian of unit variance; labels are float32 [n]."""

    outputs = 1

    def loss(self, output: Tensor, label: Tensor) -> Tensor:
        """Mean squared error."""
        return F.mse_loss(output.squeeze(-1), label)

    def divergence(self, output: Tensor, other: Tensor) -> Tensor:
        """Between Gaussians of unit variance: half the squared difference."""
        return (output - other).square().squeeze(-1) / 2

    def average(self, outputs: Tensor) -> Tensor:
        """The mean of the means."""
        return outputs.mean(0)

    def metrics(self, output: Tensor, label: Tensor) -> dict[str, tuple[float, str]]:
        """`sentiment.metrics` of the predictions."""
        return sentiment.metrics(output.squeeze(-1).double().cpu().numpy(), label.cpu().numpy())


def mean_divergences(task: Task, outputs: list[Tensor], fused: Tensor) -> Tensor:
    """Mean over the batch of KL(p(y_i | xi, z_i) || p(y | xi)) per modality, [M], nats."""
    return torch.stack([task.divergence(output, fused).mean() for output in outputs])
