"""What is coded and for which two tasks: the synthetic source, coloured MNIST."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ibpapers.datasets import coloured_mnist, gray_wyner_source
from ibpapers.datasets.gray_wyner_sampler import Sampler
from ibpapers.errors import UserError
from ibpapers.inputs import Inputs
from ibpapers.nn.residual_bottleneck import ResidualBottleneck
from ibpapers.papers.gray_wyner import transforms
from ibpapers.papers.gray_wyner.transforms import Scaling
from ibpapers.training.order import Order
from ibpapers.training.seeds import generator

Model = Mapping[str, Any]  # the section `model` of a recipe


class Batch(NamedTuple):
    """Images `x` [B, M, H, W] and what each task is to answer, [B, ...]."""

    x: Tensor
    targets: tuple[Tensor, Tensor]


class Task(Protocol):
    """`unit` is that of its distortion."""

    name: str
    unit: str

    def head(self, shape: tuple[int, int, int], model: Model) -> nn.Module:
        """From a synthesised image [B, *shape] to the answer."""

    def distortion(self, answer: Tensor, target: Tensor) -> Tensor:
        """The sum of the samples' distortions, []."""

    def correct(self, answer: Tensor, target: Tensor) -> Tensor | None:
        """How many answers are right, []; None where nothing is right or wrong."""


class Regression(NamedTuple):
    """Find an image [H, W]: root of the mean square error of each sample."""

    name: str
    unit: str = "rmse"

    def head(self, shape: tuple[int, int, int], model: Model) -> nn.Module:
        return nn.Sequential(ResidualBottleneck(shape[0]), nn.Conv2d(shape[0], 1, 5, padding=2))

    def distortion(self, answer: Tensor, target: Tensor) -> Tensor:
        return rmse(answer.squeeze(1), target).sum()

    def correct(self, answer: Tensor, target: Tensor) -> None:
        return None


class Classification(NamedTuple):
    """Name one of `classes`: cross entropy."""

    name: str
    classes: int
    unit: str = "nat"

    def head(self, shape: tuple[int, int, int], model: Model) -> nn.Module:
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(shape), model["classifier_width"]),
            nn.Sigmoid(),
            nn.Linear(model["classifier_width"], self.classes),
        )

    def distortion(self, answer: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(answer, target, reduction="sum")

    def correct(self, answer: Tensor, target: Tensor) -> Tensor:
        return (answer.argmax(-1) == target).sum()


def rmse(answer: Tensor, target: Tensor) -> Tensor:
    """The root of the mean square error of each sample, [B, ...] and [B, ...] -> [B]."""
    # A norm has a gradient, zero, where there is no error; a square root has none.
    difference = (answer - target).flatten(1)
    return torch.linalg.vector_norm(difference, dim=1) / math.sqrt(difference.shape[1])


class Data(Protocol):
    """Where batches come from; all of it lies on the device."""

    shape: tuple[int, int, int]

    def training(self, seed: int, update: int, size: int) -> Batch:
        """The batch of `update`, which counts from 1."""

    def validation(self, images: int, size: int) -> Iterator[Batch]:
        """The same at most `images` samples every time, in batches of at most `size`."""

    def test(self, images: int, size: int) -> Iterator[Batch]:
        """As `validation`, of samples that no training has seen."""

    def examples(self) -> Tensor:
        """Some test images to look at, [N, *shape]."""


@dataclass(frozen=True)
class System:
    """Data, the tasks on it, and the changes of resolution that suit it."""

    data: Data
    tasks: tuple[Task, Task]
    down: Scaling
    up: Scaling
    runs: Mapping[str, Path] = field(default_factory=dict)  # trained runs to start from

    def analysis(self, model: Model, outputs: int) -> nn.Module:
        """A transform from images to a representation with `outputs` channels."""
        inputs = self.data.shape[0]
        return transforms.analysis(self.down, inputs, model["widths"], outputs, model["blocks"])

    def synthesis(self, model: Model, inputs: int) -> nn.Module:
        """A transform from a representation with `inputs` channels to images."""
        outputs = self.data.shape[0]
        return transforms.synthesis(self.up, inputs, model["widths"], outputs, model["blocks"])


def load(recipe: dict[str, Any], inputs: Inputs, device: torch.device) -> System:
    """The system of `recipe["dataset"]`, its data on `device`.

    Raises:
        UserError: the images cannot be halved as often as the transforms do.
    """
    system = SYSTEMS[recipe["dataset"]](recipe, inputs, device)
    factor = transforms.factor(recipe["model"]["widths"])
    _, height, width = system.data.shape
    if height % factor or width % factor:
        raise UserError(
            f"{recipe['run']}: the widths {recipe['model']['widths']} of its model make transforms "
            f"by a factor of {factor}, which does not divide images of {height} x {width}. "
            "Use fewer widths, or another size."
        )
    return system


def axes(system: System) -> dict[str, np.ndarray]:
    """The names along the axes of a history's arrays, by axis."""
    return {"task": np.array([task.name for task in system.tasks])}


class SyntheticData:
    """Samples of the tied source, drawn as they are asked for; they never end."""

    def __init__(self, folder: Path, device: torch.device):
        self._sampler = Sampler(gray_wyner_source.load(folder), device)
        self._device = device
        self.shape = (2, *self._sampler.shape)

    def training(self, seed: int, update: int, size: int) -> Batch:
        return self._draw(size, seed, "update", update)

    def validation(self, images: int, size: int) -> Iterator[Batch]:
        return self._fixed("validation", images, size)

    def test(self, images: int, size: int) -> Iterator[Batch]:
        return self._fixed("test", images, size)

    def examples(self) -> Tensor:
        return self._draw(1, "test", 0).x

    def _fixed(self, side: str, images: int, size: int) -> Iterator[Batch]:
        for start in range(0, images, size):
            yield self._draw(min(size, images - start), side, start)

    def _draw(self, count: int, *key: int | str) -> Batch:
        x, z = self._sampler.draw(count, generator(*key, device=self._device))
        return Batch(x, (z[:, 0], z[:, 1]))


class ColouredDigits:
    """Coloured MNIST; a training epoch has every image once, and an image always its colour."""

    def __init__(self, folder: Path, pmf: str, device: torch.device):
        data = coloured_mnist.load(folder)
        self._training = _Side(data.train, pmf, device)
        self._validation = _Side(data.validation, pmf, device)
        self._test = _Side(data.test, pmf, device)
        self._orders: dict[int, Order] = {}
        self.shape = (3, *data.train.image.shape[1:])

    def training(self, seed: int, update: int, size: int) -> Batch:
        order = self._orders.setdefault(seed, Order(self._training.size, seed))
        return self._training.batch(order.take((update - 1) * size, size))

    def validation(self, images: int, size: int) -> Iterator[Batch]:
        return self._validation.batches(images, size)

    def test(self, images: int, size: int) -> Iterator[Batch]:
        return self._test.batches(images, size)

    def examples(self) -> Tensor:
        """The first test image of each digit."""
        digit = self._test.digit.cpu().numpy()
        _, first = np.unique(digit, return_index=True)
        return self._test.batch(torch.from_numpy(first)).x


class _Side:
    """One side of the split, on the device."""

    def __init__(self, split: coloured_mnist.Split, pmf: str, device: torch.device):
        colour = split.colour(pmf)
        self.size = len(split.digit)
        self.digit = torch.from_numpy(split.digit).to(device)
        self._image = torch.from_numpy(split.image).to(device)
        self._colour = torch.from_numpy(colour).to(device)
        self._palette = torch.from_numpy(coloured_mnist.PALETTE).to(device) / 255**2

    def batch(self, index: Tensor) -> Batch:
        index = index.to(self.digit.device)
        colour = self._colour[index]
        x = self._palette[colour][:, :, None, None] * self._image[index][:, None]
        return Batch(x, (self.digit[index], colour))

    def batches(self, images: int, size: int) -> Iterator[Batch]:
        for index in torch.arange(min(images, self.size)).split(size):
            yield self.batch(index)


def _synthetic(recipe: dict[str, Any], inputs: Inputs, device: torch.device) -> System:
    return System(
        data=SyntheticData(inputs.dataset, device),
        tasks=(Regression("z1"), Regression("z2")),
        down=transforms.unshuffle,
        up=transforms.shuffle,
        runs=inputs.runs,
    )


def _coloured_mnist(recipe: dict[str, Any], inputs: Inputs, device: torch.device) -> System:
    return System(
        data=ColouredDigits(inputs.dataset, recipe["pmf"], device),
        tasks=(Classification("digit", 10), Classification("colour", 10)),
        down=transforms.strided_convolution,
        up=transforms.strided_deconvolution,
        runs=inputs.runs,
    )


SYSTEMS = {"gray_wyner_source": _synthetic, "coloured_mnist": _coloured_mnist}
