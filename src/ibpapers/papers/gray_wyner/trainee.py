"""One update of a codec: rates, distortions, and the loss of Eq. 12 and 15."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from ibpapers.nn.initialise import initialise
from ibpapers.papers.gray_wyner.codec import Codec
from ibpapers.papers.gray_wyner.encoders import Analysis
from ibpapers.papers.gray_wyner.systems import Batch, System
from ibpapers.training.adam import Adam
from ibpapers.training.loop import Trainee
from ibpapers.training.seeds import generator

BETAS = (0.9, 0.999)  # of Adam


class Learner(Trainee):
    """A model on batches of a system: clipped Adam steps, and a validation every so often."""

    def __init__(
        self,
        model: nn.Module,
        recipe: dict[str, Any],
        system: System,
        seed: int,
        device: torch.device,
    ):
        self.system = system
        self.seed = seed
        self.training = recipe["training"]
        initialise(model, generator(seed, "initial"), recipe["model"]["initial_weights"])
        self.model = model.to(device)
        self.parameters = [p for p in model.parameters() if p.requires_grad]

    @cached_property
    def optimisers(self) -> dict[str, Adam]:
        """Made when first asked for: an evaluation needs none."""
        return {"all": Adam(self.parameters, self.learning_rate(1), betas=BETAS, fused=True)}

    def losses(self, batch: Batch, update: int | None = None) -> dict[str, Tensor]:
        """Means over the batch, each []: `loss`, which is made small, and what it is made of.

        At an `update` of the training; without one as the trained model is judged.
        """
        raise NotImplementedError

    def score(self, means: dict[str, float]) -> float:
        """What validations are compared by, from means of `losses` over the validation set."""
        raise NotImplementedError

    def learning_rate(self, update: int) -> float:
        """From the first update to the last along half a cosine."""
        first, last = self.training["learning_rate"], self.training["final_learning_rate"]
        passed = (update - 1) / self.training["updates"]
        return last + (first - last) * (1 + math.cos(math.pi * passed)) / 2

    def update(self, update: int) -> dict[str, float]:
        """One step, its gradient clipped by its norm over all parameters."""
        batch = self.system.data.training(self.seed, update, self.training["batch_size"])
        found = self.losses(batch, update)
        found["loss"].backward()
        nn.utils.clip_grad_norm_(self.parameters, self.training["gradient_norm"])
        (adam,) = self.optimisers.values()
        adam.param_groups[0]["lr"] = self.learning_rate(update)
        adam.step()
        adam.zero_grad(set_to_none=True)
        values = torch.stack([value.detach() for value in found.values()]).tolist()
        return dict(zip(found, values, strict=True))

    def validate(self, update: int) -> float | None:
        """The score on the validation set after every `validate_every` updates and the last."""
        if update % self.training["validate_every"] and update != self.training["updates"]:
            return None
        images, size = self.training["validation_images"], self.training["batch_size"]
        return self.score(self.means(self.system.data.validation(images, size)))

    @torch.no_grad()
    def means(self, batches: Iterator[Batch]) -> dict[str, float]:
        """Means of `losses` over all samples of `batches`."""
        sums: dict[str, Any] = {}
        samples = 0
        for batch in batches:
            samples += len(batch.x)
            for name, value in self.losses(batch).items():
                sums[name] = sums.get(name, 0.0) + len(batch.x) * value.double()
        return {name: value.item() / samples for name, value in sums.items()}


class GrayWyner(Learner):
    """A codec for the two tasks of a system under one beta and eta.

    Args:
        encoder: makes the method's encoder from an analysis transform's maker and `widths`.
        widths: channels of the representation of each channel, by its number.
    """

    def __init__(
        self,
        recipe: dict[str, Any],
        system: System,
        seed: int,
        device: torch.device,
        encoder: Callable[[Analysis, dict[int, int]], nn.Module],
        widths: dict[int, int],
    ):
        model, shape = recipe["model"], system.data.shape

        def decoder(task) -> Callable[[int], nn.Module]:
            return lambda inputs: nn.Sequential(
                system.synthesis(model, inputs), task.head(shape, model)
            )

        self.codec = Codec(
            encoder(lambda outputs: system.analysis(model, outputs), widths),
            widths,
            [decoder(task) for task in system.tasks],
        )
        super().__init__(self.codec, recipe, system, seed, device)
        beta = 1.0 if recipe["beta"] is None else recipe["beta"]
        self.eta = recipe["eta"]
        self.cost = torch.tensor([beta, 1.0, 1.0], device=device)  # of a bit of each channel
        self.auxiliary_weight = (
            recipe["gamma"] * {"one": 1.0, "eta": self.eta}[recipe["gamma_scale"]]
        )

    def losses(self, batch: Batch, update: int | None = None) -> dict[str, Tensor]:
        """The loss eta (beta r0 + r1 + r2) + d1 + d2 + gamma mean (Y0^(1) - Y0^(2))^2.

        `rate_0`, `rate_1` and `rate_2` are in bits per pixel, `distortion_1` and `distortion_2`
        those of the tasks; `objective` is the loss without the auxiliary term (Eq. 12 by eta =
        1 / lambda), `auxiliary` the mean square without gamma, 0 where there are no copies;
        `accuracy_1` and `accuracy_2` stand where answers can be right, `agreement`, the share of
        equal elements, where there are copies. During the first `rate_warm_up` updates eta rises
        from 0 to its value.
        """
        warm_up = self.training["rate_warm_up"]
        eta = self.eta if update is None or update >= warm_up else self.eta * update / warm_up
        coded = self.codec(batch.x)
        count, _, height, width = batch.x.shape
        rates = coded.bits / (count * height * width)
        pairs = zip(self.system.tasks, coded.outputs, batch.targets, strict=True)
        distortions, found = [], {}
        for number, (task, answer, target) in enumerate(pairs, 1):
            distortions.append(task.distortion(answer, target) / count)
            correct = task.correct(answer, target)
            if correct is not None:
                found[f"accuracy_{number}"] = correct / count
        objective = eta * (self.cost * rates).sum() + sum(distortions)
        auxiliary = torch.zeros_like(objective)
        if coded.encoded.copies:
            one, other = coded.encoded.copies
            auxiliary = (one - other).square().mean()
            found["agreement"] = (one == other).float().mean()
        return found | {
            "loss": objective + self.auxiliary_weight * auxiliary,
            "objective": objective,
            "auxiliary": auxiliary,
            **{f"rate_{channel}": rate for channel, rate in enumerate(rates)},
            **{f"distortion_{number}": d for number, d in enumerate(distortions, 1)},
        }

    def score(self, means: dict[str, float]) -> float:
        return means["objective"]
