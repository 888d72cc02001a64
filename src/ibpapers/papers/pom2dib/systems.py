"""Who observes what and who wants to know what: transmitters, modalities and tasks (Eq. 25)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from ibpapers.datasets import handwritten
from ibpapers.inputs import Inputs


@dataclass(frozen=True)
class Task:
    """A classification task. `baseline`, about H(Y) in nats, is what its policy cost is held to."""

    name: str
    classes: int
    baseline: float


@dataclass(frozen=True)
class Layout:
    """`transmitters` lists the modalities of each, `widths` the values of one modality."""

    transmitters: tuple[tuple[str, ...], ...]
    widths: dict[str, int]
    tasks: tuple[Task, ...]

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modality of every link, transmitter by transmitter."""
        return tuple(name for transmitter in self.transmitters for name in transmitter)

    @property
    def modalities_each(self) -> int:
        """How many modalities every transmitter has."""
        (count,) = {len(names) for names in self.transmitters}
        return count

    @property
    def links(self) -> tuple[str, ...]:
        """Names such as x1/A: transmitter 1, modality A."""
        return tuple(
            f"x{k}/{name}" for k, names in enumerate(self.transmitters, 1) for name in names
        )


class Batches(NamedTuple):
    """B batches of n samples: `modalities` name -> [B, n, width], `labels` [B, T, n]."""

    modalities: dict[str, Tensor]
    labels: Tensor


class Split(Protocol):
    """One side of a dataset, held on the device."""

    size: int

    def batches(self, index: Tensor, generator: torch.Generator) -> Batches:
        """The samples `index` [B, n], with noise modalities drawn afresh."""


HANDWRITTEN = Layout(
    transmitters=(("C1", "C2", "A"), ("C2", "A", "B"), ("A", "B", "C1")),
    widths={"A": 196, "B": 512, "C1": 196, "C2": 196},
    tasks=(Task("t1", 2, 0.6), Task("t2", 6, 1.3), Task("t3", 10, 2.1)),
)
RING = (0, 5, 5, 5, 1, 5, 2, 5, 3, 4)  # 0, 4, 6, 8, 9 have a ring, each its own class


class HandWrittenSplit:
    """Images (A), spoken digits (B) and two noises (C1, C2); parity, ring and digit as tasks."""

    def __init__(self, split: handwritten.Split, fft_scaling: str, device: torch.device):
        self.size = len(split.digit)
        self._fft_scaling = fft_scaling
        self._fft = _to(split.fft, device)
        self._mel = _to(split.mel, device)
        digit = _to(split.digit, device)
        self._labels = torch.stack(
            [digit % 2, torch.tensor(RING, device=device)[digit], digit], dim=-1
        )
        if fft_scaling == "sample":
            self._fft = _to_unit_range(self._fft, dims=(-1,))

    def batches(self, index: Tensor, generator: torch.Generator) -> Batches:
        fft = self._fft[index]
        if self._fft_scaling == "batch":
            fft = _to_unit_range(fft, dims=(-2, -1))
        noise = torch.randn(2, *fft.shape, generator=generator, device=fft.device)
        modalities = {"A": fft, "B": self._mel[index], "C1": noise[0], "C2": noise[1]}
        return Batches(modalities, self._labels[index].movedim(-1, -2))


class System(NamedTuple):
    """A dataset as the paper uses it."""

    layout: Layout
    train: Split
    test: Split


def load(recipe: dict[str, Any], inputs: Inputs, device: torch.device) -> System:
    """The system of `recipe["dataset"]`, its data read onto `device`."""
    return SYSTEMS[recipe["dataset"]](recipe["training"], inputs.dataset, device)


def axes(system: System) -> dict[str, np.ndarray]:
    """The names along the axes of a history's arrays, by axis."""
    layout = system.layout
    return {"task": np.array([task.name for task in layout.tasks]), "link": np.array(layout.links)}


def _handwritten(training: dict[str, Any], folder: Path, device: torch.device) -> System:
    data = handwritten.load(folder)
    splits = (
        HandWrittenSplit(split, training["fft_scaling"], device)
        for split in (data.train, data.test)
    )
    return System(HANDWRITTEN, *splits)


def _to(array: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(array).to(device)


def _to_unit_range(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    low, high = x.amin(dims, keepdim=True), x.amax(dims, keepdim=True)
    return (x - low) / (high - low).clamp_min(torch.finfo(x.dtype).tiny)


SYSTEMS = {"handwritten": _handwritten}
