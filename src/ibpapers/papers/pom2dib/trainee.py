"""One update of PoM2-DIB and its relatives (Algorithm 1)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ibpapers.nn.ensemble import Ensemble
from ibpapers.nn.members import Rows, Source
from ibpapers.papers.pom2dib.coding import (
    Codes,
    Coding,
    Codings,
    Outcome,
    embedding,
    sum_over_links,
)
from ibpapers.papers.pom2dib.selection import Policies, Policy, Selection
from ibpapers.papers.pom2dib.systems import Batches, Layout, System, joined
from ibpapers.training.adam import Adam
from ibpapers.training.loop import Trainee
from ibpapers.training.order import Order
from ibpapers.training.seeds import generator
from ibpapers.training.together import Together

SNAPSHOT_DRAWS = 500  # draws of u behind a recorded selection probability
# How the paper's policy learns, from the first update on; a method may bring its own.
AS_PRINTED = {"wait": 0, "baseline": "constant", "likelihood": "order"}


class Selector(Protocol):
    def draw(self, draws: int, source: Source) -> Selection:
        """`draws` selections, of each member as many."""


class FixedSelection(nn.Module):
    """The same selection in every draw, of each member its own; it is stored with the model."""

    def __init__(self, selection: Selection):
        super().__init__()
        self.register_buffer("requests", selection.requests)
        self.register_buffer("links", selection.links)

    @classmethod
    def together(cls, members: Sequence[FixedSelection]) -> FixedSelection:
        selections = [one.draw(1) for one in members]
        return cls(Selection(*map(torch.cat, zip(*selections, strict=True))))

    def draw(self, draws: int, source: Source | None = None) -> Selection:
        """The one selection, `draws` times, with log-probability 0."""
        times = draws // len(self.links)
        links = self.links.repeat_interleave(times, 0)
        certain = torch.zeros(links.shape[:2], device=links.device)
        return Selection(self.requests.repeat_interleave(times, 0), links, certain)


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
        self.members: Sequence[DIB] = (self,)

    @classmethod
    def joint(cls, members: Sequence[DIB]) -> DIB:
        """What updates several seeds of one method at once; each member's model is its own.

        Draws of all stand side by side, and networks of one place are an `Ensemble`.
        """
        joint = copy.copy(members[0])
        joint.members = members
        joint.coding = Codings([one.coding for one in members])
        of_all = Policies if joint.learns_selection else FixedSelection.together
        joint.selector = of_all([one.selector for one in members])
        vars(joint).pop("optimisers", None)  # those of the first member alone
        return joint

    @cached_property
    def optimisers(self) -> dict[str, Adam]:
        """AdamW; made when first asked for, as an evaluation needs none."""
        learning = {"coding": [one.coding for one in self.members]}
        if self.learns_selection:
            learning["selection"] = [one.selector for one in self.members]
        return {name: self._optimiser(modules, name) for name, modules in learning.items()}

    def _optimiser(self, modules: Sequence[nn.Module], name: str) -> Adam:
        # What took no part in an update has no gradient and is left as it is, decay included.
        return Adam(
            nn.ModuleList(modules).parameters(),
            lr=self.training["learning_rate"][name],
            weight_decay=self.training["weight_decay"],
            decoupled_weight_decay=True,
            fused=True,
        )

    def update(self, update: int) -> dict[str, float]:
        (record,) = self.update_members(update)
        return record

    def update_members(self, update: int) -> list[dict[str, float]]:
        """One step of every optimiser on `batches_per_update` batches, each with its own draw.

        The gradient is summed over batches and tasks. The policy's is that of Eq. 21,
        log p(a_t | u) (L_t + penalty - b_t), the cost held constant; the penalty is 1 for a task
        that the transmitters' limit left without any link, and with a sparse prior gamma more for
        every connection (Remark 7). During the policy's `wait` its selectors stay as they are.
        Returns a record for each member, means over its batches.
        """
        data, source = self._data(update)
        draws = len(self.members) * self.training["batches_per_update"]
        selection = self.selector.draw(draws, source)
        found = self.losses(data, selection.links, source)
        objective = found.cost.sum()

        rate = found.rate.new_zeros(draws).index_add(0, found.codes.draw, found.rate)
        record = {"sum_rate": rate, "n_ce": -found.outcome.relevance.sum(-1)}
        record |= found.outcome.metrics
        record["links"] = selection.links.sum((1, 2))
        if self.learns_selection:
            penalty = (~selection.links.any(-1)).float()
            cost = found.cost.detach() + penalty + self.gamma * selection.connections
            policy = (selection.log_probability * (cost - self.baseline(cost))).sum(-1)
            record["log_likelihood"] = policy
            if update > self.policy["wait"]:
                objective = objective + policy.sum()

        objective.backward()
        self._step()
        values = torch.stack([value.detach().float() for value in record.values()], -1)
        means = values.unflatten(0, (len(self.members), -1)).mean(1).tolist()
        return [dict(zip(record, of_member, strict=True)) for of_member in means]

    def _data(self, update: int) -> tuple[Batches, Source]:
        """The members' batches one after the other, and the source of their further draws."""
        batches, size = self.training["batches_per_update"], self.training["batch_size"]
        generators, data = [], []
        for one in self.members:
            generators.append(generator(one.seed, "update", update, device=self.device))
            index = one.order.take((update - 1) * batches * size, batches * size)
            index = index.view(batches, size).to(self.device)
            data.append(self.system.train.batches(index, generators[-1]))
        if len(data) == 1:
            return data[0], generators[0]
        member = torch.arange(len(data), device=self.device).repeat_interleave(batches)
        return joined(data), Rows(generators, member)

    def _step(self) -> None:
        if self.learns_selection:
            norm = self.training["selector_gradient_norm"]
            for selector in [*self.selector.receivers, *self.selector.transmitters]:
                if isinstance(selector, Ensemble):
                    selector.clip_gradient(norm)
                else:
                    nn.utils.clip_grad_norm_(selector.parameters(), norm)
        for part in (*self.coding.modules(), *self.selector.modules()):
            if isinstance(part, Ensemble):
                part.hand_out()
        for optimiser in self.optimisers.values():
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def baseline(self, cost: Tensor) -> Tensor:
        """What the `cost` [B, T] of a batch and task is held to, whatever was drawn for it.

        The paper's constant b_t [T], or `leave_one_out`: the mean over the update's other batches.
        """
        if self.policy["baseline"] == "constant":
            return self.constant
        own = cost.unflatten(0, (len(self.members), -1))
        return ((own.sum(1, keepdim=True) - own) / (own.shape[1] - 1)).flatten(0, 1)

    def losses(self, data: Batches, links: Tensor, source: Source) -> Losses:
        """What sending `data` over the selected `links` [B, T, L] costs."""
        codes = self.coding.encode(data, links, source)
        outcome = self.coding.outcome(codes, data.targets, links.shape, source)
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


def together(members: Mapping[int, DIB]) -> Together:
    """The trainees of several seeds as one ensemble."""
    joint = DIB.joint(list(members.values()))
    return Together(members, joint.update_members, joint.optimisers)
