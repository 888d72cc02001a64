"""One update of PoM2-DIB and its relatives (Algorithm 1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ibpapers.papers.pom2dib.coding import Codes, Coding, Outcome, embedding, sum_over_links
from ibpapers.papers.pom2dib.selection import Policy, Selection
from ibpapers.papers.pom2dib.systems import Batches, Layout, System
from ibpapers.training.adam import Adam
from ibpapers.training.loop import Trainee
from ibpapers.training.order import Order
from ibpapers.training.seeds import generator

SNAPSHOT_DRAWS = 500  # draws of u behind a recorded selection probability
# How the paper's policy learns, from the first update on; a method may bring its own.
AS_PRINTED = {"wait": 0, "baseline": "constant", "likelihood": "order"}


class Selector(Protocol):
    def draw(self, draws: int, generator: torch.Generator) -> Selection:
        """`draws` selections."""


class FixedSelection(nn.Module):
    """The same selection in every draw; it is stored with the model."""

    def __init__(self, selection: Selection):
        super().__init__()
        self.register_buffer("requests", selection.requests)
        self.register_buffer("links", selection.links)

    def draw(self, draws: int, generator: torch.Generator) -> Selection:
        """The one selection, `draws` times, with log-probability 0."""
        links = self.links.expand(draws, -1, -1)
        certain = torch.zeros(links.shape[:2], device=links.device)
        return Selection(self.requests.expand(draws, -1, -1), links, certain)


class Losses(NamedTuple):
    """`cost` [B, T]: L_t of Problem P3, nats; `rate` [P]: of each code, nats."""

    cost: Tensor
    codes: Codes
    outcome: Outcome
    rate: Tensor


class DIB(Trainee):
    """A coding, a selector, and the update that trains both.

    `rate` gives the rate of each code in nats; it enters the objective times beta, as the local
    losses do. A method without beta has neither in its objective, and the rate is only recorded.
    """

    def __init__(
        self,
        recipe: dict[str, Any],
        system: System,
        seed: int,
        device: torch.device,
        selector: Callable[[Layout, Tensor, torch.Generator], nn.Module],
        rate: Callable[[Codes], Tensor],
        stochastic: bool = True,
    ):
        self.system = system
        self.seed = seed
        self.device = device
        self.beta = recipe["beta"]
        self.rate = rate
        self.training = recipe["training"]
        self.policy = self.training.get("policy", AS_PRINTED)
        self.gamma = self.training.get("gamma", 0.0)  # nats, of the sparse prior
        self.order = Order(system.train.size, seed)
        layout, model = system.layout, recipe["model"]

        initial = generator(seed, "initial")
        tasks = embedding(len(layout.tasks), model["code_dimension"], initial)
        self.coding = Coding(
            layout, model["code_dimension"], model["widths"], tasks, initial, stochastic
        )
        self.selector: Any = selector(layout, tasks, initial)
        self.model = nn.ModuleDict({"coding": self.coding, "selector": self.selector}).to(device)
        self.constant = torch.tensor([task.baseline for task in layout.tasks], device=device)
        self.learns_selection = isinstance(self.selector, Policy)

    @cached_property
    def optimisers(self) -> dict[str, Adam]:
        """AdamW; made when first asked for, as an evaluation needs none."""
        rates = self.training["learning_rate"]
        learning = {"coding": self.coding}
        if self.learns_selection:
            learning["selection"] = self.selector
        return {name: self._optimiser(module, rates[name]) for name, module in learning.items()}

    def _optimiser(self, module: nn.Module, learning_rate: float) -> Adam:
        # What took no part in an update has no gradient and is left as it is, decay included.
        return Adam(
            module.parameters(),
            lr=learning_rate,
            weight_decay=self.training["weight_decay"],
            decoupled_weight_decay=True,
            fused=True,
        )

    def update(self, update: int) -> dict[str, float]:
        """One step of every optimiser on `batches_per_update` batches, each with its own draw.

        The gradient is summed over batches and tasks. The policy's is that of Eq. 21,
        log p(a_t | u) (L_t + penalty - b_t), the cost held constant; the penalty is 1 for a task
        that the transmitters' limit left without any link, and with a sparse prior gamma more for
        every connection (Remark 7). During the policy's `wait` its selectors stay as they are.
        """
        draw = generator(self.seed, "update", update, device=self.device)
        batches, size = self.training["batches_per_update"], self.training["batch_size"]
        index = self.order.take((update - 1) * batches * size, batches * size)
        data = self.system.train.batches(index.view(batches, size).to(self.device), draw)

        selection = self.selector.draw(batches, draw)
        found = self.losses(data, selection.links, draw)
        objective = found.cost.sum()

        relevance, metrics = found.outcome
        record = {"sum_rate": found.rate.sum() / batches, "n_ce": -relevance.sum() / batches}
        record |= {name: value.mean() for name, value in metrics.items()}
        record["links"] = selection.links.sum() / batches
        if self.learns_selection:
            penalty = (~selection.links.any(-1)).float()
            cost = found.cost.detach() + penalty + self.gamma * selection.connections
            policy = (selection.log_probability * (cost - self.baseline(cost))).sum()
            record["log_likelihood"] = policy / batches
            if update > self.policy["wait"]:
                objective = objective + policy

        objective.backward()
        if self.learns_selection:
            for selector in [*self.selector.receivers, *self.selector.transmitters]:
                nn.utils.clip_grad_norm_(
                    selector.parameters(), self.training["selector_gradient_norm"]
                )
        for optimiser in self.optimisers.values():
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        values = torch.stack([value.detach() for value in record.values()]).tolist()
        return dict(zip(record, values, strict=True))

    def baseline(self, cost: Tensor) -> Tensor:
        """What the `cost` [B, T] of a batch and task is held to, whatever was drawn for it.

        The paper's constant b_t [T], or `leave_one_out`: the mean over the update's other batches.
        """
        if self.policy["baseline"] == "constant":
            return self.constant
        return (cost.sum(0) - cost) / (len(cost) - 1)

    def losses(self, data: Batches, links: Tensor, draw: torch.Generator) -> Losses:
        """What sending `data` over the selected `links` [B, T, L] costs."""
        codes = self.coding.encode(data, links, draw)
        outcome = self.coding.outcome(codes, data.targets, links.shape, draw)
        rate = self.rate(codes)
        cost = outcome.relevance
        if self.beta is not None:
            per_code = self.coding.local_loss(codes, data.targets) + rate
            cost = cost + self.beta * sum_over_links(per_code, codes, links.shape)
        return Losses(cost, codes, outcome, rate)

    def snapshot(self, update: int) -> dict[str, Tensor]:
        """The marginal probability of each link, [T, L], after the transmitters' limit."""
        if update % self.training["log_selection_every"] and update != 1:
            return {}
        draw = generator(self.seed, "snapshot", update, device=self.device)
        with torch.no_grad():
            links = self.selector.draw(SNAPSHOT_DRAWS, draw).links
        return {"selection_probability": links.float().mean(0)}
