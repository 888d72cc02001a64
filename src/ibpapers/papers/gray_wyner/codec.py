"""A codec with up to three channels: a common one (0) and a private one for each task (1, 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ibpapers.nn import discretised_gaussian
from ibpapers.nn.entropy_model import EntropyModel

COMMON = 0
PRIVATE = (1, 2)
CHANNELS = (COMMON, *PRIVATE)
Symbols = dict[int, Tensor]  # channel -> integers [N, C, h, w]; an absent channel is no key


class Encoded(NamedTuple):
    """`symbols` of the channels there are; `copies` of Y0 made by the tasks, where there are."""

    symbols: Symbols
    copies: tuple[Tensor, Tensor] | None = None


class Coded(NamedTuple):
    """`outputs` of the tasks; `bits` [3]: estimated length of each channel for the whole batch."""

    encoded: Encoded
    outputs: tuple[Tensor, Tensor]
    bits: Tensor


class Codec(nn.Module):
    """An encoder x -> `Encoded`, a decoder per task, an entropy model per channel.

    Args:
        encoder: the method: analysis transforms, quantiser, and which channel gets what.
        widths: channels of the representation of each channel, by its number.
        decoders: from C channels to a task's output, made for the C that the task receives.
    """

    def __init__(
        self,
        encoder: nn.Module,
        widths: dict[int, int],
        decoders: Sequence[Callable[[int], nn.Module]],
    ):
        super().__init__()
        self.encoder = encoder
        self.widths = widths
        common = widths.get(COMMON, 0)
        self.decoders = nn.ModuleDict(
            {
                str(task): decoder(common + widths.get(task, 0))
                for task, decoder in zip(PRIVATE, decoders, strict=True)
            }
        )
        self.entropy_models = nn.ModuleDict(
            {
                str(channel): EntropyModel(width, given=0 if channel == COMMON else common)
                for channel, width in widths.items()
            }
        )

    def forward(self, x: Tensor) -> Coded:
        encoded = self.encoder(x)
        outputs = tuple(self.answer(task, encoded.symbols) for task in PRIVATE)
        return Coded(encoded, outputs, self.bits(encoded.symbols))

    def answer(self, task: int, symbols: Symbols) -> Tensor:
        """A task's output from its private channel and the common one; no other is looked at."""
        received = [symbols[channel] for channel in (task, COMMON) if channel in self.widths]
        return self.decoders[str(task)](torch.cat(received, dim=1))

    def bits(self, symbols: Symbols) -> Tensor:
        """-log2 P(Y0), -log2 P(Y1 | Y0), -log2 P(Y2 | Y0) of all symbols together, bits [3]."""
        common = symbols.get(COMMON)
        lengths = [next(iter(symbols.values())).new_zeros(())] * len(CHANNELS)
        for channel, representation in symbols.items():
            model = self.entropy_models[str(channel)]
            mine = position_major(representation)
            parameters = model(mine, model.condition(common))
            lengths[channel] = discretised_gaussian.bits(mine, *parameters)
        return torch.stack(lengths)


def position_major(representation: Tensor) -> Tensor:
    """[N, C, h, w] -> [h, w, N, C], the layout of the entropy models."""
    return representation.permute(2, 3, 0, 1).contiguous()
