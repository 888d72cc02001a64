"""What receivers want to know: the loss of a task, its metrics, and the baseline of its policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor
from torch.nn import functional as F

from ibpapers.information.pose_error import mpjpe, pa_mpjpe

UNITS = {"top1": "percent", "mpjpe": "mm", "pa_mpjpe": "mm"}  # of metrics


class Task(Protocol):
    """`baseline`, about H(Y) in nats, is what the cost of its policy is held to."""

    name: str
    baseline: float
    metrics: ClassVar[tuple[str, ...]]

    @property
    def outputs(self) -> int:
        """Of a decoder."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean over samples, [P, n, outputs] and [P, n, ...] -> [P]."""

    def measure(self, output: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        """Its `metrics`, means over samples [P] each."""


@dataclass(frozen=True)
class Classification:
    """Cross entropy in nats; targets are int64 [P, n]."""

    name: str
    classes: int
    baseline: float
    metrics: ClassVar = ("top1",)

    @property
    def outputs(self) -> int:
        return self.classes

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output.transpose(-1, -2), target, reduction="none").mean(-1)

    def measure(self, output: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        return (100 * (output.argmax(-1) == target).float().mean(-1),)


@dataclass(frozen=True)
class PoseRegression:
    """Squared error in square metres, mean over coordinates; targets are float32 [P, n, J, 3]."""

    name: str
    joints: int
    baseline: float
    metrics: ClassVar = ("mpjpe", "pa_mpjpe")

    @property
    def outputs(self) -> int:
        return 3 * self.joints

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target.flatten(-2)).square().mean((-1, -2))

    def measure(self, output: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        pose = output.detach().unflatten(-1, (self.joints, 3))
        return tuple(1000 * error(pose, target).mean(-1) for error in (mpjpe, pa_mpjpe))
