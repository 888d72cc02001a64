"""What OMIB and its baselines are trained with: encoders, heads, data order, optimiser, budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.nn.initialise import initialise
from ibpapers.nn.perceptron import Perceptron
from ibpapers.papers.omib.networks import encoder
from ibpapers.papers.omib.systems import Batch, Layout, System
from ibpapers.training.minibatch import Losses, MinibatchTrainee
from ibpapers.training.seeds import generator


class FusionModel(nn.Module):
    """A method: encoders Enc_i, what is its own, and a head. `sizes` is the recipe's "model".

    The encoders come first, so that under one seed every method starts from the same ones.
    """

    def __init__(self, layout: Layout, sizes: Mapping[str, Any]):
        super().__init__()
        self.task = layout.task
        self.names = tuple(layout.views)
        self.encoding, self.code = sizes["encoding"], sizes["code"]
        self._head = sizes["head"]
        self.encoders = nn.ModuleList(
            encoder(shape, sizes["hidden"], self.encoding) for shape in layout.views.values()
        )

    def head(self, inputs: int) -> Perceptron:
        """A prediction head Dec on `inputs` values (Appendix H)."""
        return Perceptron(inputs, *self._head, self.task.outputs)

    def encode(self, views: list[Tensor]) -> list[Tensor]:
        """z_i [n, encoding] of every view."""
        return [encode(view) for encode, view in zip(self.encoders, views, strict=True)]

    def losses(self, batch: Batch, draw: torch.Generator) -> Losses:
        """What the method descends on a batch."""
        raise NotImplementedError

    def predict(self, views: list[Tensor], draw: torch.Generator | None) -> Tensor:
        """The head's output [n, outputs]; codes are drawn, or at their means without `draw`."""
        raise NotImplementedError

    def predictions(self, views: list[Tensor], draw: torch.Generator | None) -> dict[str, Tensor]:
        """Every output that is evaluated, by the name its metrics get: here the only one."""
        return {"": self.predict(views, draw)}


class Fusion(MinibatchTrainee):
    """A `FusionModel` and the update that trains it: one step of Adam on one batch."""

    def __init__(
        self,
        recipe: Mapping[str, Any],
        system: System,
        seed: int,
        device: torch.device,
        model: FusionModel,
    ):
        initialise(model, generator(seed, "initial"))
        super().__init__(recipe, system, seed, device, model)

    def losses(self, update: int, batch: Batch, draw: torch.Generator) -> Losses:
        """Of `update`: a method with phases has its own."""
        return self.model.losses(batch, draw)

    def update(self, update: int) -> dict[str, float]:
        """One step on the next `batch_size` samples in the seed's order."""
        draw = generator(self.seed, "update", update, device=self.device)
        return self.descend(self.losses(update, self.batch(update), draw))

    def validate(self, update: int) -> float | None:
        """The loss of predictions on the validation set, once an epoch; None without such a set."""
        held_out = self.system.validation
        if held_out is None or update % self.updates_per_epoch:
            return None
        with torch.no_grad():
            views, label = held_out.all()
            return self.system.layout.task.loss(self.model.predict(views, None), label).item()
