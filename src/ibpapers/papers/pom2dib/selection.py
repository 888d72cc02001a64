"""Which modalities of which transmitters serve which task (PoM2-DIB, Sections IV and VII-A).

Shapes: B draws, T tasks (receivers), K transmitters of M modalities each; a link is one modality
of one transmitter, and links are numbered k M + m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ibpapers.nn.ensemble import ensembles
from ibpapers.nn.feed_forward import FeedForward
from ibpapers.nn.members import Source, entries, members_of, rand, randn, rows_of
from ibpapers.papers.pom2dib.systems import Layout


class Selection(NamedTuple):
    """`requests` [B, T, K]: transmitters asked by each task, what Eq. 9 limits.

    `links` [B, T, K M]: what is sent after the transmitters' limit of Eq. 10.
    `log_probability` [B, T], nats: of the draw before that limit, given u. Of what was drawn in
    the order drawn, or of the sets alone: see `Policy`.
    """

    requests: Tensor
    links: Tensor
    log_probability: Tensor

    @property
    def connections(self) -> Tensor:
        """What Remark 7 counts, a task's share of it [B, T]: codes sent and transmitters asked."""
        return self.links.sum(-1) + self.requests.sum(-1)


def draw_ordered(logits: Tensor, count: Tensor, source: Source) -> tuple[Tensor, Tensor]:
    """Draw `count` [...] of the last axis of `logits` [..., n] without replacement.

    Each draw is from the softmax of what is left. Returns the chosen ones as a mask [..., n] and
    the log-probability [...] of this draw in this order (Plackett-Luce), in nats.
    """
    order = (logits + _gumbel(logits, source)).argsort(-1, descending=True)
    chosen = torch.arange(logits.shape[-1], device=logits.device) < count.unsqueeze(-1)
    ranked = logits.gather(-1, order)
    left = ranked.flip(-1).logcumsumexp(-1).flip(-1)
    mask = torch.zeros_like(chosen).scatter(-1, order, chosen)
    return mask, ((ranked - left) * chosen).sum(-1)


def log_probability_of_set(logits: Tensor, chosen: Tensor) -> Tensor:
    """ln of the chance to draw the set `chosen` [..., n] without replacement, in any order, [...].

    Each draw is from the softmax of what is left of `logits` [..., n]. The sum over orders is one
    over subsets: what was drawn before i is a set too.
    """
    n = logits.shape[-1]
    members = [[i for i in range(n) if subset >> i & 1] for subset in range(2**n)]
    reached = [torch.zeros_like(logits[..., 0])]  # ln of the chance to pass through a subset
    for subset in range(1, 2**n):
        ways = []
        for last in members[subset]:
            before = subset ^ (1 << last)
            left = [i for i in range(n) if i not in members[before]]
            step = logits[..., last] - logits[..., left].logsumexp(-1)
            ways.append(reached[before] + step)
        reached.append(torch.stack(ways, -1).logsumexp(-1))
    number = (chosen.long() << torch.arange(n, device=chosen.device)).sum(-1, keepdim=True)
    return torch.stack(reached, -1).gather(-1, number).squeeze(-1)


def draw_set(
    logits: Tensor, most: int, source: Source, ordered: bool = True
) -> tuple[Tensor, Tensor]:
    """A number of 1..most from the first logits, then that many of the rest (Section V-B).

    Returns a mask and its log-probability, in the order drawn unless `ordered` is false.
    """
    number, logits = logits[..., :most], logits[..., most:]
    count = (number + _gumbel(number, source)).argmax(-1)
    log_probability = number.log_softmax(-1).gather(-1, count.unsqueeze(-1)).squeeze(-1)
    mask, of_draw = draw_ordered(logits, count + 1, source)
    if not ordered:
        of_draw = log_probability_of_set(logits, mask)
    return mask, log_probability + of_draw


def _gumbel(like: Tensor, source: Source) -> Tensor:
    uniform = rand(like.shape, source)
    return -(-uniform.clamp_min(torch.finfo(uniform.dtype).tiny).log()).log()


def limit_encodings(links: Tensor, transmitters: int, most: int, source: Source) -> Tensor:
    """Where a transmitter has more than `most` (task, modality) encodings, keep that many of them.

    Which ones is uniformly random (Section VII-A). links [B, T, K M] -> [B, T, K M].
    """
    draws, tasks, _ = links.shape
    per_transmitter = links.view(draws, tasks, transmitters, -1).transpose(1, 2)
    flat = per_transmitter.reshape(draws, transmitters, -1)
    lot = rand(flat.shape, source)
    rank = lot.masked_fill(~flat, -1).argsort(-1, descending=True).argsort(-1)
    kept = flat & (rank < most)
    return kept.view(per_transmitter.shape).transpose(1, 2).reshape(links.shape)


class Policy(nn.Module):
    """The selectors of all receivers and transmitters, coordinated by a common u alone.

    The log-probability of a draw is that of its parts in the order they were drawn, or, with
    `ordered` false, that of the sets that came of it. No cost depends on the order, and given the
    set the expected score of the order is 0: it adds nothing to the policy's gradient but noise.
    """

    def __init__(
        self,
        layout: Layout,
        limits: Mapping[str, int],
        task_embedding: Tensor,
        widths: Sequence[int],
        generator: torch.Generator,
        ordered: bool = True,
    ):
        super().__init__()
        self.limits = limits
        self.ordered = ordered
        self.dimension = task_embedding.shape[-1]  # of u
        self.modalities = layout.modalities_each
        self.register_buffer("task_embedding", task_embedding.clone())
        outputs = limits["transmitters_per_task"] + len(layout.transmitters)
        self.receivers = nn.ModuleList(
            FeedForward(self.dimension, widths, outputs, generator) for _ in layout.tasks
        )
        self.transmitters = nn.ModuleList(
            FeedForward(2 * self.dimension, widths, 2 * self.modalities, generator)
            for _ in layout.transmitters
        )

    def draw(self, draws: int, source: Source) -> Selection:
        """`draws` selections, each under its own u ~ N(0, I)."""
        u = randn((draws, self.dimension), source, self.task_embedding.dtype)
        member = members_of(source)
        logits = torch.stack([receiver(u, member=member) for receiver in self.receivers], dim=1)
        requests, log_probability = draw_set(
            logits, self.limits["transmitters_per_task"], source, self.ordered
        )
        links = []
        for k, transmitter in enumerate(self.transmitters):
            chosen = requests.new_zeros(*requests.shape[:2], self.modalities)
            draw, task = requests[..., k].nonzero(as_tuple=True)
            if len(draw):
                own = rows_of(source, draw)
                asked = entries(self.task_embedding, task, members_of(own))
                logits = transmitter(torch.cat([u[draw], asked], dim=-1), member=members_of(own))
                chosen[draw, task], part = draw_set(logits, self.modalities, own, self.ordered)
                log_probability = log_probability.index_put((draw, task), part, accumulate=True)
            links.append(chosen)
        limited = limit_encodings(
            torch.cat(links, dim=-1),
            len(self.transmitters),
            self.limits["encodings_per_transmitter"],
            source,
        )
        return Selection(requests, limited, log_probability)


class Policies(Policy):
    """The policies of several seeds as one: draws are of the members of their source."""

    def __init__(self, policies: Sequence[Policy]):
        nn.Module.__init__(self)
        first = policies[0]
        self.limits, self.ordered = first.limits, first.ordered
        self.dimension, self.modalities = first.dimension, first.modalities
        self.register_buffer("task_embedding", torch.stack([p.task_embedding for p in policies]))
        self.receivers = ensembles([policy.receivers for policy in policies])
        self.transmitters = ensembles([policy.transmitters for policy in policies])


def random_selection(
    layout: Layout, limits: Mapping[str, int], generator: torch.Generator
) -> Selection:
    """One selection [1, ...] by indifferent selectors, redrawn until every task is served."""
    most, transmitters = limits["transmitters_per_task"], len(layout.transmitters)

    def indifferent(*shape: int) -> Tensor:
        return torch.zeros(1, len(layout.tasks), *shape, device=generator.device)

    while True:
        requests, _ = draw_set(indifferent(most + transmitters), most, generator)
        chosen, _ = draw_set(
            indifferent(transmitters, 2 * layout.modalities_each),
            layout.modalities_each,
            generator,
        )
        wanted = (chosen & requests.unsqueeze(-1)).flatten(2)
        links = limit_encodings(
            wanted, transmitters, limits["encodings_per_transmitter"], generator
        )
        if links.any(-1).all():
            return Selection(requests, links, indifferent())


def full_selection(layout: Layout) -> Selection:
    """Every modality of every transmitter for every task, [1, ...]."""
    tasks, transmitters, links = len(layout.tasks), len(layout.transmitters), len(layout.links)
    return Selection(
        torch.ones(1, tasks, transmitters, dtype=torch.bool),
        torch.ones(1, tasks, links, dtype=torch.bool),
        torch.zeros(1, tasks),
    )
