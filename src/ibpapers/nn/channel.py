"""The wireless channel in complex baseband: power, fading, noise, equalisation.

Transmitted symbols have unit average power, so that noise of the power 10^(-SNR/10) makes the
SNR what it is called. All randomness comes from the generator that a transmission is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


def to_symbols(reals: Tensor) -> Tensor:
    """[..., d] -> complex [..., d / 2]: pairs of reals, of unit average power along the last axis.

    d is even. Reals that are all zero stay so.
    """
    normalised = F.normalize(reals, dim=-1) * math.sqrt(reals.shape[-1] / 2)
    return torch.view_as_complex(normalised.unflatten(-1, (-1, 2)))


def to_reals(symbols: Tensor) -> Tensor:
    """Complex [..., k] -> [..., 2k], the inverse of the pairing in `to_symbols`."""
    return torch.view_as_real(symbols).flatten(-2)


class Received(NamedTuple):
    """gain * sent + noise, complex [..., k].

    The gain, complex [..., k] or [..., 1], and the noise's power are known at the receiver.
    """

    symbols: Tensor
    gain: Tensor
    noise_power: float


@dataclass(frozen=True)
class Channel:
    """Additive white Gaussian noise, after Rayleigh fading or none.

    Attributes:
        kind: ``awgn``: gain 1; ``rayleigh``: gain h ~ CN(0, 1), so that E|h|^2 = 1.
        fading: how long an h lasts: ``block``, along the last axis, or ``fast``, one symbol.
        equaliser: what turns received y into an estimate of what was sent: ``mmse``,
            h* y / (|h|^2 + noise power); ``zf``, y / h; ``none``, y. Without fading always y.
    """

    kind: Literal["awgn", "rayleigh"]
    fading: Literal["block", "fast"] | None = None
    equaliser: Literal["mmse", "zf", "none"] | None = None

    def transmit(self, symbols: Tensor, snr: float, draw: torch.Generator) -> Received:
        """Complex `symbols` [..., k] of unit average power through the channel at `snr` dB."""
        noise_power = 10 ** (-snr / 10)
        shape, noise = symbols.shape, math.sqrt(noise_power) * _standard(symbols.shape, draw)
        if self.kind == "awgn":
            gain = torch.ones((*shape[:-1], 1), dtype=noise.dtype, device=noise.device)
            return Received(symbols + noise, gain, noise_power)
        gain = _standard(shape if self.fading == "fast" else (*shape[:-1], 1), draw)
        return Received(gain * symbols + noise, gain, noise_power)

    def equalise(self, received: Received) -> Tensor:
        """What was sent, as the equaliser finds it: complex [..., k]."""
        y, gain, noise_power = received
        if self.kind == "awgn" or self.equaliser == "none":
            return y
        if self.equaliser == "zf":
            return y / gain
        return gain.conj() * y / (gain.abs().square() + noise_power)

    def carry(self, reals: Tensor, snr: float, draw: torch.Generator) -> Tensor:
        """[..., d] as the receiver has them: normalised, paired, transmitted, equalised."""
        return to_reals(self.equalise(self.transmit(to_symbols(reals), snr, draw)))


def _standard(shape: tuple[int, ...], draw: torch.Generator) -> Tensor:
    """CN(0, 1): real and imaginary part of variance 1/2 each."""
    return torch.randn(shape, generator=draw, device=draw.device, dtype=torch.complex64)
