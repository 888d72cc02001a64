"""The two-stage bottleneck: one on every modality, one on what arrives (Sections III to V)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ibpapers.nn.gaussian import Gaussian
from ibpapers.nn.grouped import GroupedPerceptron
from ibpapers.nn.perceptron import Perceptron
from ibpapers.papers.toc.networks import Bottlenecks, SequenceEncoders, Sizes
from ibpapers.papers.toc.redundancy import Discriminators, Pressure
from ibpapers.papers.toc.systems import Batch, System
from ibpapers.papers.toc.trainee import Carry, Losses, Transceiver, Transmission, task_loss


class TwoStage(Transmission):
    """The two stages and the discriminators between them, trained in one step (Algorithm 1)."""

    model: TwoStageModel

    def __init__(self, recipe: Mapping[str, Any], system: System, seed: int, device: torch.device):
        training = recipe["training"]
        model = TwoStageModel(
            system.widths,
            recipe["model"],
            recipe["dimension"],
            beta=training["beta"],
            gamma=training["gamma"],
        )
        super().__init__(recipe, system, seed, device, model)

    def pressure(self, update: int) -> Pressure:
        """Of `update`: alpha rises from 0 to 1 over the warm-up, then lambda_red over the rest.

        While alpha rises lambda_red is 0: as printed, alpha's rise moves nothing.
        """
        warm_up, last = self.training["warm_up_updates"], self.training["updates"]
        return Pressure(
            alpha=min(1.0, update / warm_up) if warm_up else 1.0,
            weight=self.training["redundancy"] * max(0, update - warm_up) / (last - warm_up),
            reverse=self.training["reverse"],
        )

    def losses(self, update: int, batch: Batch, carry: Carry, draw: torch.Generator) -> Losses:
        pressure = self.pressure(update)
        found = self.model.losses(batch, carry, draw, pressure)
        alpha, weight = found["loss"].new_tensor([pressure.alpha, pressure.weight])
        return {**found, "alpha": alpha, "redundancy_weight": weight}


class TwoStageModel(Transceiver):
    """Eq. 2: S^m -> X^m -> Z^m -> X -> Z, channel, Zhat -> Yhat.

    Args:
        widths: of the modalities' words.
        sizes: the recipe's "model".
        dimension: real values transmitted of an utterance.
        beta: weight of the divergence of the codes of the modalities.
        gamma: weight of that of the code at the receiver.
    """

    def __init__(
        self, widths: Mapping[str, int], sizes: Sizes, dimension: int, beta: float, gamma: float
    ):
        super().__init__()
        self.names = tuple(widths)
        modalities, code, hidden = len(widths), sizes["code"], sizes["hidden"]
        self.beta, self.gamma = beta, gamma
        self.encoders = SequenceEncoders(widths, sizes)
        self.bottlenecks = Bottlenecks(modalities, sizes["width"], code)
        self.branches = GroupedPerceptron(modalities, code, hidden, 1)
        self.discriminators = Discriminators(self.names, code, sizes["discriminator"])
        self.fuse = Perceptron(modalities * code, hidden, dimension)
        self.receiver = Perceptron(dimension, hidden, 2 * code)
        self.decoder = Perceptron(code, hidden, 1)

    def losses(
        self, batch: Batch, carry: Carry, draw: torch.Generator, pressure: Pressure
    ) -> Losses:
        """Eq. 43, with the signs that make sense of Eq. 13 and 23: every stage descends

            task loss + beta (gamma) KL(code || N(0, I)),

        KL in nats, mean over the batch. `branch/<m>`: the task loss of the decoder of modality m
        alone (Eq. 10). The discriminators' part: see there.
        """
        codes = self.encode(batch.views, batch.mask)
        drawn = codes.draw(draw)
        received = self.code(carry(self.pack(drawn)))
        task = task_loss(self.told(received.draw(draw)), batch.sentiment)
        kl = received.divergence_from_standard().mean()
        branches = task_loss(self.branches(drawn).squeeze(-1), batch.sentiment)
        kls = codes.divergence_from_standard().mean(-1)
        judged = self.discriminators(drawn, pressure, draw)
        first_stage = (branches + self.beta * kls).sum()
        return {
            "loss": first_stage + task + self.gamma * kl + judged.bce.sum(),
            "task": task,
            "kl": kl,
            **_named("branch", self.names, branches),
            **_named("kl", self.names, kls),
            **{
                name: value
                for quantity, values in judged._asdict().items()
                for name, value in _named(quantity, self.discriminators.names, values).items()
            },
        }

    def encode(self, views: Mapping[str, Tensor], mask: Tensor) -> Gaussian:
        """p(z^m | s^m) of every modality, [M, n, code]."""
        return self.bottlenecks(self.encoders(views, mask))

    def pack(self, codes: Tensor) -> Tensor:
        """The codes [M, n, code] side by side and the multi-modal encoder eta: [n, dimension]."""
        return self.fuse(torch.cat(codes.unbind(), dim=-1))

    def code(self, received: Tensor) -> Gaussian:
        """p(zhat | .) from what is received, [..., dimension] -> [..., code]."""
        return Gaussian.from_output(self.receiver(received))

    def told(self, code: Tensor) -> Tensor:
        """The sentiment that a code [..., code] tells, [...]."""
        return self.decoder(code).squeeze(-1)

    def send(self, views: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        return self.pack(self.encode(views, mask).mean)

    def receive(self, received: Tensor) -> Tensor:
        return self.told(self.code(received).mean)


def _named(quantity: str, names: Sequence[str], values: Tensor) -> dict[str, Tensor]:
    """``<quantity>/<name>`` of `values` [names], without gradient."""
    each = values.detach().unbind()
    return {f"{quantity}/{name}": value for name, value in zip(names, each, strict=True)}
