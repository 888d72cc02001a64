"""T-DeepSC: semantic communication for one task, without bottlenecks.

Zhang, Hu, Qin, Cai, Yu and Tao, A unified multi-task semantic communication system for multimodal
data, IEEE Trans. Commun. 2024: the variant that is trained for its task alone. Every modality has
its Transformer encoder, a linear channel encoder and a linear channel decoder; a Transformer
decoder attends to what has arrived of them from a learned query of the task. They share as many
symbols as the proposal has, and the semantic encoders are the proposal's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.papers.toc.networks import DecoderLayer, SequenceEncoders, Sizes, normalised
from ibpapers.papers.toc.systems import System
from ibpapers.papers.toc.trainee import Transceiver, Transmission


def build(recipe: dict[str, Any], system: System, seed: int, device: torch.device) -> Transmission:
    """Trained on the task loss alone."""
    model = TDeepSC(system.widths, recipe["model"], recipe["dimension"])
    return Transmission(recipe, system, seed, device, model)


class TDeepSC(Transceiver):
    """Encoders, `dimension` values shared out among the modalities, and a decoder with a query."""

    def __init__(self, widths: Mapping[str, int], sizes: Sizes, dimension: int):
        super().__init__()
        width, modalities = sizes["width"], len(widths)
        # As even as it goes: 17, 17 and 16 of 50.
        self.shares = [(dimension + i) // modalities for i in reversed(range(modalities))]
        self.encoders = SequenceEncoders(widths, sizes)
        self.channel_encoders = nn.ModuleList(nn.Linear(width, share) for share in self.shares)
        self.channel_decoders = nn.ModuleList(nn.Linear(share, width) for share in self.shares)
        self.query = TaskQuery(width)
        self.layers = nn.ModuleList(DecoderLayer(sizes) for _ in range(sizes["layers"]))
        self.head = nn.Linear(width, 1)

    def send(self, views: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        encoded = zip(self.channel_encoders, self.encoders(views, mask), strict=True)
        return torch.cat([channel_encoder(x) for channel_encoder, x in encoded], dim=-1)

    def receive(self, received: Tensor) -> Tensor:
        parts = received.flatten(0, -2).split(self.shares, dim=-1)
        decoded = [decode(part) for decode, part in zip(self.channel_decoders, parts, strict=True)]
        memory = torch.stack(decoded, dim=-2)[None]
        query = self.query().expand(1, memory.shape[1], 1, -1)
        for layer in self.layers:
            query = layer(query, memory)
        return self.head(normalised(query)).view(received.shape[:-1])


class TaskQuery(nn.Module):
    """A learned vector [width] that asks for the task, drawn as the weights of a linear layer."""

    def __init__(self, width: int):
        super().__init__()
        self.vector = nn.Parameter(torch.empty(width))

    def initialise(self, generator: torch.Generator) -> None:
        bound = 1 / math.sqrt(len(self.vector))
        nn.init.uniform_(self.vector, -bound, bound, generator=generator)

    def forward(self) -> Tensor:
        return self.vector
