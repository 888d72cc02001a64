"""What every system is trained and evaluated with: data order, channel, optimiser, metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.nn.channel import Channel, to_reals, to_symbols
from ibpapers.nn.initialise import initialise
from ibpapers.papers.toc.scores import chance, scores
from ibpapers.papers.toc.systems import Batch, Split, System
from ibpapers.training.minibatch import Losses, MinibatchTrainee
from ibpapers.training.seeds import generator

Carry = Callable[[Tensor], Tensor]  # [..., dimension] as sent -> as received
Row = tuple[str, float, str]  # metric, value, unit

ENCODED_AT_ONCE = 512  # utterances


class Transceiver(nn.Module):
    """A transmitter and a receiver, which are trained together."""

    def send(self, views: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """What is transmitted, [n, dimension]; stochastic codes at their means."""
        raise NotImplementedError

    def receive(self, received: Tensor) -> Tensor:
        """The sentiment told from what is received, [..., dimension] -> [...]."""
        raise NotImplementedError


class Transmission(MinibatchTrainee):
    """A `Transceiver` over the recipe's channel, trained at random SNRs by Adam."""

    model: Transceiver

    def __init__(
        self,
        recipe: Mapping[str, Any],
        system: System,
        seed: int,
        device: torch.device,
        model: Transceiver,
    ):
        initialise(model, generator(seed, "initial"))
        super().__init__(recipe, system, seed, device, model)
        self.channel = None
        if recipe["channel"] is not None:
            self.channel = Channel(recipe["channel"], recipe["fading"], recipe["equaliser"])

    def losses(self, update: int, batch: Batch, carry: Carry, draw: torch.Generator) -> Losses:
        """What `update` descends on a batch: here the task loss, end to end."""
        received = carry(self.model.send(batch.views, batch.mask))
        return {"loss": task_loss(self.model.receive(received), batch.sentiment)}

    def carry(self, snr: float = math.inf, draw: torch.Generator | None = None) -> Carry:
        """The channel at `snr` dB; without one, what is sent arrives as it is, normalised."""
        if self.channel is None:
            return lambda sent: to_reals(to_symbols(sent))
        return partial(self.channel.carry, snr=snr, draw=draw)

    def update(self, update: int) -> dict[str, float]:
        """One step on the next `batch_size` utterances in the seed's order, at one random SNR.

        The channel's draws are seeded apart from those of the codes.
        """
        low, high = self.training["snrs"]
        snr = low + (high - low) * torch.rand((), generator=self._draw("snr", update)).item()
        carry = self.carry(snr, self._draw("channel", update, device=self.device))
        draw = self._draw("update", update, device=self.device)
        return self.descend(self.losses(update, self.batch(update), carry, draw))

    @torch.no_grad()
    def validate(self, update: int) -> float | None:
        """The squared error on the validation set, once an epoch.

        Mean over the setting's `validation_snrs`, each with the same draws of the channel.
        """
        if update % self.updates_per_epoch:
            return None
        held_out = self.system.validation
        sent = self.sent(held_out)
        errors = []
        for snr in self.training["validation_snrs"]:
            carry = self.carry(snr, self._draw("validation", snr, device=self.device))
            errors.append(task_loss(self.model.receive(carry(sent)), held_out.sentiment))
        return torch.stack(errors).mean().item()

    @torch.no_grad()
    def sent(self, split: Split) -> Tensor:
        """What is transmitted of every utterance of `split`, [N, dimension]."""
        batches = split.batches(ENCODED_AT_ONCE)
        return torch.cat([self.model.send(batch.views, batch.mask) for batch in batches])

    @torch.no_grad()
    def rows(self, settings: Mapping[str, Any]) -> Iterator[Row]:
        """Every metric on the test set, ``<metric>/<snr>dB``: the mean over draws of the channel.

        ``<metric>_std/<snr>dB``: the deviation over them. `settings`: `seed`, `draws` and `snrs`;
        every system meets the same draws. Without a channel ``<metric>`` alone, and
        ``<metric>_chance``: what the best single answer to all utterances reaches.
        """
        sent, label = self.sent(self.system.test), self.system.test.sentiment
        if self.channel is None:
            predicted = self.model.receive(self.carry()(sent))
            for metric, (value, _, unit) in scores(predicted[None], label).items():
                yield metric, value, unit
            for metric, (value, unit) in chance(label).items():
                yield f"{metric}_chance", value, unit
            return
        several = sent.expand(settings["draws"], *sent.shape)
        for snr in settings["snrs"]:
            draw = generator(settings["seed"], "channel", snr, device=self.device)
            predicted = self.model.receive(self.carry(snr, draw)(several))
            for metric, (mean, deviation, unit) in scores(predicted, label).items():
                yield f"{metric}/{snr:g}dB", mean, unit
                yield f"{metric}_std/{snr:g}dB", deviation, unit

    def _draw(self, *key: str | float, device: torch.device | str = "cpu") -> torch.Generator:
        return generator(self.seed, *key, device=device)


def task_loss(predicted: Tensor, sentiment: Tensor) -> Tensor:
    """-log q(y | z) of a Gaussian of fixed variance: the mean squared error, [..., n] -> [...].

    Eq. 10 prints the cross entropy of classes, and no loss for the sentiment in [-3, 3] that
    Section VI predicts. A Gaussian q is what the codes' own are, and the squared error is what
    T-DeepSC is released with for this task.
    """
    return (predicted - sentiment).square().mean(-1)
