"""What is observed and what is asked: the datasets as OMIB and its baselines see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ibpapers.datasets import cmu_sentiment, sim
from ibpapers.inputs import Inputs
from ibpapers.papers.omib import bounds
from ibpapers.papers.omib.bounds import Bounds
from ibpapers.papers.omib.tasks import Classification, Regression, Task


@dataclass(frozen=True)
class Layout:
    """`views`: the shape of one observation of each, [width] or [time, width]."""

    views: Mapping[str, tuple[int, ...]]
    task: Task


class Batch(NamedTuple):
    """`views` [n, width] or [n, time, width] each, `label` [n]."""

    views: list[Tensor]
    label: Tensor


class Split:
    """One side of a dataset, held on the device: every view is some blocks side by side."""

    def __init__(
        self,
        blocks: Mapping[str, np.ndarray],
        views: Mapping[str, Sequence[str]],
        label: np.ndarray,
        device: torch.device,
    ):
        used = {name for names in views.values() for name in names}
        self.size = len(label)
        self._blocks = {name: torch.from_numpy(blocks[name]).to(device) for name in used}
        self._views = views
        self._label = torch.from_numpy(label).to(device)

    def batch(self, index: Tensor) -> Batch:
        """The samples `index` [n]."""
        views = [
            torch.cat([self._blocks[name][index] for name in names], dim=-1)
            for names in self._views.values()
        ]
        return Batch(views, self._label[index])

    def layout(self, task: Task) -> Layout:
        """The shapes of its views."""
        one = self.batch(torch.zeros(1, dtype=torch.int64, device=self._label.device))
        shapes = (tuple(view.shape[1:]) for view in one.views)
        return Layout(dict(zip(self._views, shapes, strict=True)), task)

    def all(self) -> Batch:
        """Every sample in its order."""
        return self.batch(torch.arange(self.size, device=self._label.device))


class System(NamedTuple):
    """A dataset as the paper uses it.

    `beta` is a number, None for a method without one; `bounds` are there where beta is a multiple
    of one of them.
    """

    layout: Layout
    train: Split
    validation: Split | None
    test: Split
    beta: float | None
    bounds: Bounds | None


def load(recipe: Mapping[str, Any], inputs: Inputs, device: torch.device) -> System:
    """The system of `recipe`, its data on `device`, its beta a number.

    A beta given as a multiple of a bound is resolved with the estimates in `inputs.entropies`.
    """
    read = bounds.read(inputs.entropies) if inputs.entropies else None
    return System(
        *LOADERS[recipe["dataset"]](dict(recipe["views"]), inputs.dataset, device),
        beta=bounds.resolve(recipe["beta"], read),
        bounds=read,
    )


def axes(system: System) -> dict[str, np.ndarray]:
    """Nothing in a history has an axis of its own beside seeds and updates."""
    return {}


Data = tuple[Layout, Split, Split | None, Split]  # layout, train, validation, test


def _simulated(views: Mapping[str, Sequence[str]], folder: Path, device: torch.device) -> Data:
    data = sim.load(folder)
    sides = [simulated_split(side, views, device) for side in (data.train, data.test)]
    return sides[0].layout(Classification(2)), sides[0], None, sides[1]


def simulated_split(
    data: sim.Split, views: Mapping[str, Sequence[str]], device: torch.device
) -> Split:
    """Blocks of SIM-I..III and their class as `Split`."""
    blocks = {name: getattr(data, name) for names in views.values() for name in names}
    return Split(blocks, views, data.label, device)


def _mosi(views: Mapping[str, Sequence[str]], folder: Path, device: torch.device) -> Data:
    data = cmu_sentiment.load(folder)
    sides = [
        Split(side.modalities, views, side.sentiment, device)
        for side in (data.train, data.validation, data.test)
    ]
    return sides[0].layout(Regression()), *sides


LOADERS = {
    "sim1": _simulated,
    "sim2": _simulated,
    "sim3": _simulated,
    "mosi_bclstm": _mosi,
    "mosi_transcripts": _mosi,
}
