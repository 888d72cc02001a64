"""Mutual information by a neural network: MINE (Belghazi et al. 2018), bias-corrected.

A critic T(x, y) is trained to raise the Donsker-Varadhan bound

    I(X; Y) >= E_{p(x, y)} T - ln E_{p(x) p(y)} exp T    (nats).

The gradient of the second term is E exp(T) grad T / E exp(T); on a batch the ratio is biased, so
its denominator is a moving average over batches (Section 3.2 there).

What an estimate is. It is what a critic of this size certifies on samples it was not trained on
(on its own it also finds what is not there: 2 nats between independent vectors of 1,100 and 700
dimensions, from 9,000 samples), and from n pairs of the product p(x) p(y): a mean of exp T over n
pairs cannot resolve what is rarer than 1 / n, so estimates end at ln n, and one that comes near
it only says "at least that much". For continuous X, I(X; X) is infinite, and an estimate of it
tells of the critic, the batches and the steps. So an estimate comes from several independent
trainings, with its ceiling.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from ibpapers.training.adam import Adam
from ibpapers.training.seeds import generator

PROGRESS_SECONDS = 10.0
MARGIN = 1.0  # nats below the ceiling: there e of the n pairs carry the whole mean of exp T


@dataclass(frozen=True)
class Settings:
    """How a critic is trained and read off.

    Attributes:
        batch_size: samples; of sides, held out and not, of which one has fewer, that many.
        widths: of the critic's hidden layers.
        learning_rate: at first; it falls linearly to zero, since a critic that goes on at one rate
            swings by nats from batch to batch where the information is large.
        ema_rate: weight of the newest batch in the moving average of E exp T.
        held_out: share of the samples that the critic is not trained on, but read off.
        window: last steps, each of which reads the critic off on one batch.
    """

    batch_size: int
    widths: Sequence[int]
    steps: int
    learning_rate: float
    ema_rate: float
    held_out: float
    window: int


@dataclass(frozen=True)
class Estimate:
    """One value per seed [S] in nats, and the number n of pairs of p(x) p(y) behind each."""

    values: np.ndarray
    pairs: int

    @property
    def ceiling(self) -> float:
        """ln n, nats: values end there."""
        return math.log(self.pairs)

    @property
    def touches_ceiling(self) -> np.ndarray:
        """[S] whether a value is within `MARGIN` of the ceiling, so that it says "at least"."""
        return self.values > self.ceiling - MARGIN


def mutual_information(
    x: Tensor, y: Tensor, seeds: Sequence[int], settings: Settings, label: str = "MINE"
) -> Estimate:
    """Estimates of I(X; Y) from paired samples x [N, dx] and y [N, dy], one per seed.

    Columns are standardised, constant ones dropped (neither changes I). The critics of all seeds
    train side by side, each with its own weights, held-out samples and batches; a seed's value
    does not depend on the other seeds. In the last `window` steps each critic is read off on a
    held-out batch, and the estimate is the bound over all of these joined: their mean T less
    ln mean exp T of as many pairs of p(x) p(y). (By Jensen's inequality it is still a bound.)

    Raises ValueError unless a batch has two samples and the window at most all steps.
    """
    size = len(x)
    held_out = int(size * settings.held_out)
    batch = min(settings.batch_size, held_out, size - held_out)
    if batch < 2 or settings.window > settings.steps:
        raise ValueError(
            f"MINE: batches of {batch} from {size - held_out} samples and {held_out} held out, a "
            f"window of {settings.window} of {settings.steps} steps; a batch needs at least 2, the "
            "window at most all steps"
        )
    x, y = standardise(x), standardise(y)
    critics = Critics(x.shape[1], y.shape[1], settings.widths, seeds).to(x.device)
    optimiser = Adam(critics.parameters(), settings.learning_rate, fused=True)
    split = [torch.randperm(size, generator=generator("mine", seed, "split")) for seed in seeds]
    training, unseen = (
        _batches(torch.stack([rows[side] for rows in split]), batch, use, seeds)
        for use, side in (
            ("training", slice(held_out, None)),
            ("estimate", slice(held_out)),
        )
    )
    rate = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0, settings.steps)
    average, readings = None, []
    said = time.monotonic()
    for step in range(1, settings.steps + 1):
        index = next(training).to(x.device)
        joint, product = critics(x[index], y[index])
        log_mean = log_mean_exp(product.detach())
        average = log_mean if average is None else _moved(average, log_mean, settings.ema_rate)
        # Its gradient is that of E T - E exp(T) / average, with the average held fixed.
        objective = joint.mean(-1) - (product - average.unsqueeze(-1)).exp().mean(-1)
        optimiser.zero_grad()
        (-objective.sum()).backward()
        optimiser.step()
        rate.step()
        if step > settings.steps - settings.window:
            index = next(unseen).to(x.device)
            with torch.no_grad():
                readings.append(torch.stack(critics(x[index], y[index])).double())
        if time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            print(f"{label}: step {step} of {settings.steps}", file=sys.stderr, flush=True)
    joint, product = torch.cat(readings, dim=-1)
    bound = joint.mean(-1) - log_mean_exp(product)
    pairs = product.shape[-1]
    return Estimate(bound.clamp(max=math.log(pairs)).cpu().numpy(), pairs)


class Critics(nn.Module):
    """S critics T(x, y), one per seed: fully connected, ReLU, evaluated together.

    x and y have weights of their own in the first layer, so that what it makes of a sample serves
    the pairs of p(x, y) and those of p(x) p(y).
    """

    def __init__(self, x_width: int, y_width: int, widths: Sequence[int], seeds: Sequence[int]):
        super().__init__()
        draws = [generator("mine", seed, "critic") for seed in seeds]

        def uniform(*shape: int, fan_in: int) -> nn.Parameter:
            scale = fan_in**-0.5
            values = [(2 * torch.rand(shape, generator=g) - 1) * scale for g in draws]
            return nn.Parameter(torch.stack(values))

        self.of_x = uniform(x_width, widths[0], fan_in=x_width + y_width)
        self.of_y = uniform(y_width, widths[0], fan_in=x_width + y_width)
        sizes = [*widths, 1]
        self.weights = nn.ParameterList(uniform(a, b, fan_in=a) for a, b in pairwise(sizes))
        inputs = [x_width + y_width, *widths[:-1]]
        self.biases = nn.ParameterList(
            uniform(1, width, fan_in=n) for width, n in zip(widths, inputs, strict=True)
        )

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """T [S, B] of the pairs (x_i, y_i) and of the pairs (x_i, y_{i+1}); x [S, B, dx]."""
        of_x, of_y = x @ self.of_x, y @ self.of_y
        hidden = torch.cat([of_x + of_y, of_x + of_y.roll(1, dims=1)], dim=1)
        for bias, weight in zip(self.biases, self.weights, strict=True):
            hidden = (hidden + bias).relu() @ weight
        return hidden.squeeze(-1).chunk(2, dim=1)


def standardise(x: Tensor) -> Tensor:
    """x [N, d] with columns of mean 0 and variance 1; constant columns are dropped."""
    x = x.double()
    x = x[:, x.amax(0) > x.amin(0)]
    return ((x - x.mean(0)) / x.std(0, correction=0)).float()


def log_mean_exp(x: Tensor) -> Tensor:
    """ln of the mean of exp(x) over the last axis."""
    return x.logsumexp(-1) - math.log(x.shape[-1])


def _batches(rows: Tensor, batch: int, use: str, seeds: Sequence[int]) -> Iterator[Tensor]:
    """Endless batches [S, batch] of each seed's `rows` [S, M]; none has a row twice.

    Epoch by epoch, each a fresh permutation, of which the rest that fills no batch is left out.
    """
    draws = [generator("mine", seed, use) for seed in seeds]
    while True:
        order = torch.stack([torch.randperm(rows.shape[1], generator=g) for g in draws])
        whole = rows.shape[1] // batch * batch
        yield from rows.gather(1, order)[:, :whole].split(batch, dim=1)


def _moved(average: Tensor, newest: Tensor, rate: float) -> Tensor:
    """ln[(1 - rate) exp(average) + rate exp(newest)]."""
    return torch.logaddexp(average + math.log1p(-rate), newest + math.log(rate))
