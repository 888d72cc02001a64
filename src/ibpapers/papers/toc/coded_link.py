"""Bits over the channel: 5G LDPC blocks as QAM symbols, decoded by belief propagation.

Code, constellation and their decoders are sionna's; the channel is the one that all systems use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
from sionna.phy.mapping import Constellation, Demapper, Mapper
from torch import Tensor
from torch.nn import functional as F

from ibpapers.nn.channel import Channel
from ibpapers.training.seeds import generator

AT_ONCE = 32  # streams on the channel
MARGIN = 20  # bits
STEP = 2  # iterations after which a decoder looks whether it may end


@lru_cache(maxsize=1)  # the classifiers of all seeds receive the same
def carry(
    streams: tuple[bytes, ...],
    settings: frozenset[tuple[str, Any]],
    channels: tuple[Channel, ...],
    snrs: tuple[float, ...],
    draws: int,
    seed: int,
    device: torch.device,
) -> tuple[float, dict[tuple[str, float], Tensor]]:
    """Streams over `channels` at `snrs` dB, `draws` times: mean uses of a channel, and arrivals.

    The arrivals are, by kind of channel and SNR, how many bytes of each stream are there before
    the first that is not, int64 [draws, n].
    """
    link = CodedLink(dict(settings), device)
    draw = {
        (channel, snr): generator(seed, "coded", channel.kind, snr, device=device)
        for channel in channels
        for snr in snrs
    }
    arrived: dict[tuple[str, float], list[Tensor]] = {}
    uses = 0
    for start in range(0, len(streams), AT_ONCE):
        blocks = link.blocks(streams[start : start + AT_ONCE])
        uses += link.uses(blocks).sum().item()
        for (channel, snr), drawn in draw.items():
            ratios = link.transmit(blocks, channel, snr, draws, drawn)
            arrived.setdefault((channel.kind, snr), []).append(link.delivered(blocks, ratios))
    return uses / len(streams), {at: torch.cat(parts, dim=1) for at, parts in arrived.items()}


class Blocks(NamedTuple):
    """Streams as they are transmitted: shorter ones are filled up with blocks of nothing.

    `sent` float [N, blocks, information bits], `coded` [N, blocks, coded bits], both of 0 and 1;
    `count` int64 [N]: how many blocks a stream has.
    """

    sent: Tensor
    coded: Tensor
    count: Tensor


class CodedLink:
    """What the recipe's section `conventional` describes."""

    def __init__(self, settings: Mapping[str, Any], device: torch.device):
        self.information_bits: int = settings["information_bits"]
        self.bits_per_symbol: int = settings["bits_per_symbol"]
        symbols = round(self.information_bits / settings["rate"] / self.bits_per_symbol)
        self.uses_per_block = max(1, symbols)
        self.device = device
        # The library takes a GPU by its number only.
        where = f"cuda:{device.index or 0}" if device.type == "cuda" else str(device)
        constellation = Constellation("qam", self.bits_per_symbol, device=where)
        self.map = Mapper(constellation=constellation, device=where)
        self.demap = Demapper("app", constellation=constellation, device=where)
        self.encode = LDPC5GEncoder(
            self.information_bits,
            self.uses_per_block * self.bits_per_symbol,
            num_bits_per_symbol=self.bits_per_symbol,
            device=where,
        )
        self.decode = LDPC5GDecoder(self.encode, return_state=True, device=where)
        self.iterations: int = settings["iterations"]

    def blocks(self, streams: Sequence[bytes]) -> Blocks:
        """The blocks of `streams`, the last one of each filled up with zeros."""
        size = self.information_bits // 8
        count = [-(-len(stream) // size) for stream in streams]
        filled = b"".join(stream.ljust(max(count) * size, b"\0") for stream in streams)
        bits = np.unpackbits(np.frombuffer(filled, np.uint8)).astype(np.float32)
        shape = len(streams), max(count), self.information_bits
        sent = torch.from_numpy(bits).view(shape).to(self.device)
        return Blocks(sent, self.encode(sent), torch.tensor(count, device=self.device))

    def uses(self, blocks: Blocks) -> Tensor:
        """Channel uses of each stream, int64 [N]."""
        return blocks.count * self.uses_per_block

    def transmit(
        self, blocks: Blocks, channel: Channel, snr: float, draws: int, draw: torch.Generator
    ) -> Tensor:
        """Log-likelihood ratios of the coded bits, [draws, N, blocks, coded bits]; positive: 1.

        A stream is one transmission: where h lasts an utterance, it lasts all its blocks.
        """
        symbols = self.map(blocks.coded.flatten(1))
        received = channel.transmit(symbols.expand(draws, *symbols.shape), snr, draw)
        # The gain is known: what is received, divided by it, has noise of this power.
        power = received.noise_power / received.gain.abs().square()
        found = received.symbols / received.gain
        ratios = self.demap(found, power.expand(found.shape))
        return ratios.unflatten(-1, blocks.coded.shape[1:])

    def delivered(self, blocks: Blocks, ratios: Tensor) -> Tensor:
        """How many bytes of each stream arrive before the first block that is lost, [draws, N].

        A lost block is known to be lost, as if by a checksum. What comes after it is not decoded.
        """
        signed = ratios * (2 * blocks.coded - 1)
        # Where all decisions are right as they are, all checks hold: nothing is left to decode.
        right = (signed > 0).all(-1)
        # Of blocks with less information than they should bring, no decoder saves more than one
        # in 2^MARGIN (Verdu and Han 1994, Theorem 4).
        information = (1 - F.softplus(-signed) / math.log(2)).sum(-1)
        hopeless = information < self.information_bits - MARGIN
        going = torch.ones_like(right[..., 0])
        total = torch.zeros_like(going, dtype=torch.int64)
        for number in range(right.shape[-1]):
            going = going & (blocks.count > number) & ~hopeless[..., number]
            tried = going & ~right[..., number]
            sent = blocks.sent[:, number].expand(len(ratios), -1, -1)
            going[tried] = self._decodes(ratios[:, :, number][tried], sent[tried])
            total += going
        return total * (self.information_bits // 8)

    def _decodes(self, ratios: Tensor, sent: Tensor) -> Tensor:
        """Of blocks [n, coded bits], whether `sent` [n, information bits] comes out, bool [n].

        Some iterations at a time, and the next ones for the blocks that are not out yet.
        """
        found = torch.zeros(len(sent), dtype=torch.bool, device=self.device)
        left, messages = torch.arange(len(sent), device=self.device), None
        for done in range(0, self.iterations, STEP):
            if not len(left):
                break
            more = min(STEP, self.iterations - done)
            bits, messages = self.decode(ratios[left], num_iter=more, msg_v2c=messages)
            out = (bits == sent[left]).all(-1)
            found[left[out]] = True
            left, messages = left[~out], messages[~out]
        return found
