"""Who observes what and who wants to know what: transmitters, modalities, tasks (Eq. 25, 26)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from ibpapers.datasets import handwritten, mm_fi
from ibpapers.inputs import Inputs
from ibpapers.papers.pom2dib.tasks import Classification, PoseRegression, Task


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

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names such as t1_top1, task by task."""
        return tuple(f"{task.name}_{metric}" for task in self.tasks for metric in task.metrics)


class Batches(NamedTuple):
    """B batches of n samples: `modalities` name -> [B, n, width], `targets` a task [B, n, ...]."""

    modalities: dict[str, Tensor]
    targets: tuple[Tensor, ...]


def joined(parts: Sequence[Batches]) -> Batches:
    """Batches one after the other, those of the first part first."""
    modalities = {
        name: torch.cat([part.modalities[name] for part in parts]) for name in parts[0].modalities
    }
    targets = zip(*(part.targets for part in parts), strict=True)
    return Batches(modalities, tuple(map(torch.cat, targets)))


class Split(Protocol):
    """One side of a dataset, whose batches are on the device."""

    size: int

    def batches(self, index: Tensor, generator: torch.Generator) -> Batches:
        """The samples `index` [B, n], with noise modalities drawn afresh."""


HANDWRITTEN = Layout(
    transmitters=(("C1", "C2", "A"), ("C2", "A", "B"), ("A", "B", "C1")),
    widths={"A": 196, "B": 512, "C1": 196, "C2": 196},
    tasks=(
        Classification("t1", 2, 0.6),
        Classification("t2", 6, 1.3),
        Classification("t3", 10, 2.1),
    ),
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
        self._labels = digit % 2, torch.tensor(RING, device=device)[digit], digit
        if fft_scaling == "sample":
            self._fft = _to_unit_range(self._fft, dims=(-1,))

    def batches(self, index: Tensor, generator: torch.Generator) -> Batches:
        fft = self._fft[index]
        if self._fft_scaling == "batch":
            fft = _to_unit_range(fft, dims=(-2, -1))
        noise = torch.randn(2, *fft.shape, generator=generator, device=fft.device)
        modalities = {"A": fft, "B": self._mel[index], "C1": noise[0], "C2": noise[1]}
        return Batches(modalities, tuple(labels[index] for labels in self._labels))


# Bottom to top as Eq. 26 has it. The noise is as wide as key points; the paper does not say.
MM_FI = Layout(
    transmitters=(
        ("A", "B", "C", "H"),
        ("D", "E", "F", "H"),
        ("G", "E", "F", "H"),
        ("B", "C", "F", "H"),
    ),
    widths={
        "A": 34, "B": 34, "C": 34, "D": 128 * 128, "E": 1200 * 3, "F": 50 * 5, "G": 3 * 90 * 10,
        "H": 34,
    },
    tasks=(
        PoseRegression("t1", 17, 0.0),
        Classification("t2", 27, 3.0),
        Classification("t3", 4, 1.3),
    ),
)  # fmt: skip
SENSORS = {
    "A": "rgb", "B": "infra1", "C": "infra2", "D": "depth", "E": "lidar", "F": "mmwave",
    "G": "wifi-csi",
}  # fmt: skip


class MMFiSplit:
    """Seven sensors (A to G), standardised, and noise (H); pose, action and scene as tasks.

    The sensors' values stay on disk: a batch reads its own.
    """

    def __init__(self, data: mm_fi.MMFi, split: mm_fi.Split, device: torch.device):
        self.size = len(split.action)
        self._device = device
        self._rows = {name: split.modalities[sensor] for name, sensor in SENSORS.items()}
        self._mean, self._deviation = (
            {name: _to(moment[sensor], device) for name, sensor in SENSORS.items()}
            for moment in (data.mean, data.deviation)
        )
        self._targets = tuple(_to(x, device) for x in (split.pose, split.action, split.scene))

    def batches(self, index: Tensor, generator: torch.Generator) -> Batches:
        modalities = {name: self._read(name, index) for name in SENSORS}
        shape = (*index.shape, MM_FI.widths["H"])
        modalities["H"] = torch.randn(shape, generator=generator, device=self._device)
        return Batches(modalities, tuple(target[index] for target in self._targets))

    def _read(self, name: str, index: Tensor) -> Tensor:
        values = self._rows[name].take(index.cpu().numpy()).astype(np.float32, copy=False)
        return ((_to(values, self._device) - self._mean[name]) / self._deviation[name]).flatten(2)


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


def _mm_fi(training: dict[str, Any], folder: Path, device: torch.device) -> System:
    data = mm_fi.load(folder)
    return System(MM_FI, *(MMFiSplit(data, split, device) for split in (data.train, data.test)))


def _to(array: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(array).to(device)


def _to_unit_range(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    low, high = x.amin(dims, keepdim=True), x.amax(dims, keepdim=True)
    return (x - low) / (high - low).clamp_min(torch.finfo(x.dtype).tiny)


SYSTEMS = {"handwritten": _handwritten, "mm_fi": _mm_fi}
