"""A model trained by Adam on batches of a training set that is held on the device."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.training.adam import Adam
from ibpapers.training.loop import Trainee
from ibpapers.training.order import Order

Losses = dict[str, Tensor]  # scalars; "loss" is what is descended, the others are recorded


class MinibatchTrainee(Trainee):
    """Update by update the next `batch_size` samples of `system.train`, in the seed's order.

    `model` has its initial weights. Of ``recipe["training"]``: `batch_size`, `learning_rate`.
    """

    def __init__(
        self,
        recipe: Mapping[str, Any],
        system: Any,
        seed: int,
        device: torch.device,
        model: nn.Module,
    ):
        self.system = system
        self.seed = seed
        self.device = device
        self.training = recipe["training"]
        self.order = Order(system.train.size, seed)
        self.model = model.to(device)

    @cached_property
    def optimisers(self) -> dict[str, Adam]:
        """Made when first asked for: an evaluation needs none."""
        rate = self.training["learning_rate"]
        return {"adam": Adam(self.model.parameters(), lr=rate, fused=True)}

    @property
    def updates_per_epoch(self) -> int:
        return -(-self.system.train.size // self.training["batch_size"])

    def batch(self, update: int) -> Any:
        """The training batch of `update`, which counts from 1."""
        size = self.training["batch_size"]
        index = self.order.take((update - 1) * size, size).to(self.device)
        return self.system.train.batch(index)

    def descend(self, losses: Losses) -> dict[str, float]:
        """One step down `losses["loss"]`; returns the values of all."""
        losses["loss"].backward()
        for optimiser in self.optimisers.values():
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        values = torch.stack([loss.detach() for loss in losses.values()]).tolist()
        return dict(zip(losses, values, strict=True))
