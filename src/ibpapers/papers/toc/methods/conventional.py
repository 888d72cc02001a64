"""Separate source and channel coding: features as video, H.264, LDPC and QAM, a classifier.

The classifier is that of the run `noiseless` with the same seed. Training takes the ranges of the
quantiser from the training set; there is one run for all channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from ibpapers.errors import not_installed
from ibpapers.nn.channel import Channel
from ibpapers.papers.toc.methods import noiseless
from ibpapers.papers.toc.quantiser import Quantiser
from ibpapers.papers.toc.scores import scores
from ibpapers.papers.toc.systems import Batch, System
from ibpapers.papers.toc.trainee import Row
from ibpapers.training import checkpoint
from ibpapers.training.loop import Trainee

NEVER = 2**62  # bytes after which a word that is not there is known


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Conventional:
    """`system.noiseless` is the run whose classifier is at the receiver."""
    return Conventional(recipe, system, seed, device)


class Conventional(Trainee):
    model: Quantiser

    def __init__(self, recipe: Mapping[str, Any], system: System, seed: int, device: torch.device):
        self.recipe = recipe
        self.system = system
        self.device = device
        self.optimisers: dict[str, Optimizer] = {}
        self.model = Quantiser(system.widths).to(device)
        run = system.noiseless
        self.classifier = noiseless.build(run.recipe, system, seed, device)
        self.classifier.model.load_state_dict(checkpoint.under(f"{seed}/", run.tensors))

    def update(self, update: int) -> dict[str, float]:
        """Calibrate the quantiser; `clipped`: share of the training set's values that it cuts."""
        return {"clipped": self.model.calibrate(self.system.train)}

    @torch.no_grad()
    def rows(self, settings: Mapping[str, Any]) -> Iterator[Row]:
        """Every metric, ``<metric>/<channel>/<snr>dB`` and ``<metric>_std/...``, as `trainee.rows`.

        `settings`: `seed`, `snrs` and `channels`. Of an utterance there is what its
        stream brings before its first lost block, zeros for the other words. ``decoded/...``:
        share of the utterances that arrive whole, percent. ``channel_uses``: of an utterance, the
        mean; ``utterances``: of the test set, how many.

        Raises:
            UserError: what codes the video or the bits is not installed.
        """
        try:
            from ibpapers.papers.toc import video
            from ibpapers.papers.toc.coded_link import carry
        except ModuleNotFoundError as error:
            raise not_installed("the conventional system", error, "methods") from error
        test, own = self.system.test, self.recipe["conventional"]
        count = min(own["utterances"] or test.size, test.size)
        batch = test.batch(torch.arange(count, device=self.device))
        words = batch.mask.sum(1)
        frames = self.model.frames(batch.views).cpu().numpy()
        streams = tuple(
            tuple(video.encode(sequence[:length], own["qp"]))
            for sequence, length in zip(frames, words.tolist(), strict=True)
        )
        told = self._told(batch, [video.decode(packets) for packets in streams])
        ends = torch.full_like(batch.mask, NEVER, dtype=torch.int64)
        for row, packets in enumerate(streams):
            ends[row, : len(packets)] = torch.tensor([len(one) for one in packets]).cumsum(0)
        channels = [
            Channel(kind, self.recipe["fading"], self.recipe["equaliser"])
            for kind in settings["channels"]
        ]
        uses, arrivals = carry(
            tuple(map(b"".join, streams)),
            frozenset(own.items()),
            tuple(channels),
            tuple(settings["snrs"]),
            own["draws"],
            settings["seed"],
            self.device,
        )
        yield "utterances", float(count), "1"
        yield "channel_uses", uses, "1"
        for (kind, snr), arrived in arrivals.items():
            known = (ends <= arrived[..., None]).sum(-1)  # words, [draws, n]
            predicted = told.gather(0, known)
            for metric, (mean, deviation, unit) in scores(predicted, batch.sentiment).items():
                yield f"{metric}/{kind}/{snr:g}dB", mean, unit
                yield f"{metric}_std/{kind}/{snr:g}dB", deviation, unit
            whole = 100 * (known == words).float().mean().item()
            yield f"decoded/{kind}/{snr:g}dB", whole, "percent"

    def _told(self, batch: Batch, decoded: list[NDArray[np.uint8]]) -> Tensor:
        """The sentiment told of each utterance from its first 0, 1, ... T words, [T + 1, n]."""
        frames = np.zeros((*batch.mask.shape, *self.model.shape), np.uint8)
        for row, sequence in zip(frames, decoded, strict=True):
            row[: len(sequence)] = sequence
        views = self.model.views(torch.from_numpy(frames).to(self.device))
        place = torch.arange(batch.mask.shape[1], device=self.device)
        send, receive = self.classifier.model.send, self.classifier.model.receive
        carry = self.classifier.carry(0.0, torch.Generator())
        told = []
        for known in range(len(place) + 1):
            there = (batch.mask & (place < known))[..., None]
            zeroed = {name: torch.where(there, view, 0.0) for name, view in views.items()}
            told.append(receive(carry(send(zeroed, batch.mask))))
        return torch.stack(told)
