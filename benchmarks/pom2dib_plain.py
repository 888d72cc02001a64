"""PoM2-DIB's update as Algorithm 1 reads: one batch, task, transmitter and modality at a time.

What the grouped update is timed against, and what its gradients are tested against. It works on
a trainee's own networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F
from torch.optim import AdamW

from ibpapers.nn.feed_forward import FeedForward
from ibpapers.nn.gaussian import Gaussian
from ibpapers.papers.pom2dib import coding as grouped
from ibpapers.papers.pom2dib.selection import Policy, draw_set, limit_encodings
from ibpapers.papers.pom2dib.trainee import DIB
from ibpapers.training.seeds import generator

Noise = Callable[[int, int, int], Tensor]  # of a batch, task and link: N(0, 1) [n, d]


class PlainUpdate:
    """`update` does what `DIB.update` does, with the same networks and its own random draws."""

    def __init__(self, trainee: DIB):
        self.trainee = trainee
        rates, decay = trainee.training["learning_rate"], trainee.training["weight_decay"]
        parts = [(trainee.coding, rates["coding"]), (trainee.selector, rates["selection"])]
        self.optimisers = [
            AdamW(module.parameters(), lr=rate, weight_decay=decay, foreach=False)
            for module, rate in parts
            if list(module.parameters())
        ]

    def update(self, update: int) -> dict[str, float]:
        """One step of every optimiser; returns how many links a batch had."""
        sent = 0
        one, draw = self.trainee, generator(self.trainee.seed, "plain update", update)
        n, d = one.training["batch_size"], one.coding.dimension
        for batch in range(one.training["batches_per_update"]):
            start = (update - 1) * one.training["batches_per_update"] + batch
            index = one.order.take(start * n, n)
            data = one.system.train.batches(index.unsqueeze(0), draw)
            links, log_probability = select(one.selector, draw)
            sent += int(links.sum())
            costs = task_costs(one, data, links, lambda *_: torch.randn(n, d, generator=draw))
            objective = costs.sum()
            if log_probability is not None:
                penalty = (~links[0].any(-1)).float()
                advantage = costs[0].detach() + penalty - one.constant
                objective = objective + (log_probability * advantage).sum()
            objective.backward()
        if isinstance(one.selector, Policy):
            for selector in [*one.selector.receivers, *one.selector.transmitters]:
                nn.utils.clip_grad_norm_(
                    selector.parameters(), one.training["selector_gradient_norm"], foreach=False
                )
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        return {"links": sent / one.training["batches_per_update"]}


def select(selector: nn.Module, draw: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """The links [1, T, L] of one batch and, of a policy, their log-probability [T]."""
    if not isinstance(selector, Policy):
        return selector.draw(1, draw).links, None
    u = torch.randn(selector.dimension, generator=draw)
    links = torch.zeros(
        len(selector.receivers), len(selector.transmitters), selector.modalities, dtype=torch.bool
    )
    log_probabilities = []
    for task, receiver in enumerate(selector.receivers):
        requests, log_probability = draw_set(
            network(receiver, u), selector.limits["transmitters_per_task"], draw
        )
        for k in requests.nonzero().flatten().tolist():
            asked = torch.cat([u, selector.task_embedding[task]])
            logits = network(selector.transmitters[k], asked)
            links[task, k], part = draw_set(logits, selector.modalities, draw)
            log_probability = log_probability + part
        log_probabilities.append(log_probability)
    most = selector.limits["encodings_per_transmitter"]
    flat = links.flatten(1).unsqueeze(0)
    limited = limit_encodings(flat, len(selector.transmitters), most, draw)
    return limited, torch.stack(log_probabilities)


def task_costs(trainee: DIB, data, links: Tensor, noise: Noise) -> Tensor:
    """L_t of Problem P3 for every batch and task [B, T], `links` [B, T, L]."""
    coding, costs = trainee.coding, []
    for batch in range(len(links)):
        for task, decoder in enumerate(coding.global_decoders):
            labels, received, side = data.targets[task][batch], [], 0.0
            for link, name in enumerate(coding.layout.modalities):
                if not links[batch, task, link]:
                    received.append(torch.zeros_like(noise(batch, task, link)))
                    continue
                x = data.modalities[name][batch]
                e_t = coding.task_embedding[task].expand(len(x), -1)
                code = Gaussian.from_output(network(coding.encoders[link], torch.cat([x, e_t], -1)))
                z = code.mean + code.std * noise(batch, task, link)
                received.append(z)
                e_m = coding.link_embedding[link].expand(len(x), -1)
                logits = network(coding.local_decoders[task], torch.cat([z, e_m], -1))
                side = side + F.cross_entropy(logits, labels) + rate(code, z)
            if not links[batch, task].any():
                small = grouped.EMPTY_CODE_STD
                received = [small * noise(batch, task, link) for link in range(len(received))]
            relevance = F.cross_entropy(network(decoder, torch.cat(received, -1)), labels)
            costs.append(relevance + trainee.beta * side)
    return torch.stack(costs).view(links.shape[:2])


def network(layers: FeedForward, x: Tensor) -> Tensor:
    """What the network makes of x, one linear layer after the other."""
    for block, norm in zip(layers.blocks, layers.norms, strict=True):
        inner, shortcut = block.first.weight.chunk(2)
        inner_bias, shortcut_bias = block.first.bias.chunk(2)
        hidden = F.relu(F.linear(x, inner, inner_bias))
        x = norm(F.relu(block.outer(hidden) + F.linear(x, shortcut, shortcut_bias)))
    return layers.out(x)


def rate(code: Gaussian, z: Tensor) -> Tensor:
    """The factorised estimate of I(X; Z), sample by sample, nats []."""
    conditional, total = Normal(*code), 0.0
    for own, z_i in enumerate(z):
        density = conditional.log_prob(z_i)  # of z_i under the code of every sample, [n, d]
        total = total + (density[own] - density.logsumexp(0) + math.log(len(z))).sum()
    return total / len(z)
