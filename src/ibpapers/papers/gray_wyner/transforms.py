"""Analysis and synthesis transforms (Gray-Wyner, Fig. 6), and what they are made of.

A transform is a chain of changes of resolution by two with residual blocks between them. For
images these are strided 5 x 5 convolutions; for the synthetic source pixel shuffles, which lose
no dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

from ibpapers.nn.residual_bottleneck import ResidualBottleneck

Scaling = Callable[[int, int], nn.Module]  # from so many channels to so many


def factor(widths: Sequence[int]) -> int:
    """By how much the transforms of these `widths` change height and width."""
    return 2 ** (len(widths) + 1)


def analysis(
    down: Scaling, inputs: int, widths: Sequence[int], outputs: int, blocks: int
) -> nn.Sequential:
    """[N, inputs, H, W] -> [N, outputs, H / s, W / s], s = `factor(widths)`."""
    return _chain(down, [inputs, *widths, outputs], blocks)


def synthesis(
    up: Scaling, inputs: int, widths: Sequence[int], outputs: int, blocks: int
) -> nn.Sequential:
    """The mirror image of the analysis of these `widths`, from `inputs` channels to `outputs`."""
    return _chain(up, [inputs, *reversed(widths), outputs], blocks)


def strided_convolution(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 5, stride=2, padding=2)


def strided_deconvolution(inputs: int, outputs: int) -> nn.Module:
    return nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)


def unshuffle(inputs: int, outputs: int) -> nn.Module:
    """Four pixels become four channels; a 1 x 1 convolution where `outputs` are not as many."""
    if outputs == 4 * inputs:
        return nn.PixelUnshuffle(2)
    return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * inputs, outputs, 1))


def shuffle(inputs: int, outputs: int) -> nn.Module:
    """The way back: a 1 x 1 convolution where there are not four times `outputs`, then pixels."""
    if inputs == 4 * outputs:
        return nn.PixelShuffle(2)
    return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 1), nn.PixelShuffle(2))


def _chain(scaling: Scaling, channels: Sequence[int], blocks: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        parts += [scaling(inputs, outputs), *(ResidualBottleneck(outputs) for _ in range(blocks))]
    return nn.Sequential(*parts[: len(parts) - blocks])  # none after the last change
