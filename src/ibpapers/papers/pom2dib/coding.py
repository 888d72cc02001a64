"""Encoders, decoders and the objective they are trained on (PoM2-DIB, Eq. 17-19, Problem P3).

All batches, tasks and links of an update go through the networks together: an encoder sees the
samples of every (batch, task) that selected its link in one matrix product, a local decoder those
of every link of its task. Shapes: B batches of n samples, T tasks, L links, P selected
(batch, task, link) triples, d the code's dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ibpapers.information.rate import RATE_ESTIMATORS
from ibpapers.nn.ensemble import ensembles
from ibpapers.nn.feed_forward import FeedForward
from ibpapers.nn.gaussian import Gaussian
from ibpapers.nn.members import Source, entries, members_of, randn, rows_of
from ibpapers.papers.pom2dib.systems import Batches, Layout

EMPTY_CODE_STD = 1e-6  # of the code of a task that is left without any link


class Codes(NamedTuple):
    """What is sent: `z` and `code` [P, n, d], for `draw`, `task` and `link` [P] each.

    `member` [P]: the seed of each, where several are trained together.
    """

    z: Tensor
    code: Gaussian | None
    draw: Tensor
    task: Tensor
    link: Tensor
    member: Tensor | None


class Outcome(NamedTuple):
    """Of the global decoders, means over samples.

    `relevance` [B, T]: the tasks' losses, Eq. 19 (cross entropies in nats, squared errors).
    `metrics` [B] each by name, such as t1_top1.
    """

    relevance: Tensor
    metrics: dict[str, Tensor]


class Coding(nn.Module):
    """An encoder per link, a global decoder per task, a local decoder per task over all links."""

    def __init__(
        self,
        layout: Layout,
        dimension: int,
        widths: Sequence[int],
        task_embedding: Tensor,
        generator: torch.Generator,
        stochastic: bool = True,
    ):
        super().__init__()
        self.layout = layout
        self.dimension = dimension
        self.stochastic = stochastic
        links = len(layout.links)
        self.register_buffer("task_embedding", task_embedding)
        self.register_buffer("link_embedding", embedding(links, dimension, generator))
        self.encoders = nn.ModuleList(
            FeedForward(
                layout.widths[name],
                widths,
                2 * dimension if stochastic else dimension,
                generator,
                conditions=dimension,
            )
            for name in layout.modalities
        )
        self.global_decoders = nn.ModuleList(
            FeedForward(links * dimension, widths, task.outputs, generator) for task in layout.tasks
        )
        self.local_decoders = nn.ModuleList(
            FeedForward(2 * dimension, widths, task.outputs, generator) for task in layout.tasks
        )

    def encode(self, batches: Batches, links: Tensor, source: Source) -> Codes:
        """The codes of the selected `links` [B, T, L]; a deterministic code is its own mean."""
        outputs, draws, tasks, numbers = [], [], [], []
        for number, (name, encoder) in enumerate(
            zip(self.layout.modalities, self.encoders, strict=True)
        ):
            draw, task = links[..., number].nonzero(as_tuple=True)
            if not len(draw):
                continue
            needed, rows = draw.unique(return_inverse=True)
            x = batches.modalities[name][needed]
            member = members_of(rows_of(source, draw))
            condition = entries(self.task_embedding, task, member)
            outputs.append(encoder(x, condition, rows, member))
            draws.append(draw)
            tasks.append(task)
            numbers.append(torch.full_like(draw, number))
        output = torch.cat(outputs)
        own = rows_of(source, torch.cat(draws))
        where = torch.cat(draws), torch.cat(tasks), torch.cat(numbers), members_of(own)
        if not self.stochastic:
            return Codes(output, None, *where)
        code = Gaussian.from_output(output)
        return Codes(code.draw(own), code, *where)

    def outcome(
        self,
        codes: Codes,
        targets: Sequence[Tensor],
        shape: torch.Size,
        source: Source,
    ) -> Outcome:
        """What the global decoders make of the codes of a selection of `shape` (B, T, L)."""
        relevance, metrics = [], {}
        everything = zip(
            self.layout.tasks,
            self.global_decoders,
            self._receive(codes, shape, source),
            targets,
            strict=True,
        )
        for task, decoder, received, target in everything:
            output = decoder(received, member=members_of(source))
            relevance.append(task.loss(output, target))
            measured = zip(task.metrics, task.measure(output, target), strict=True)
            metrics |= {f"{task.name}_{metric}": value for metric, value in measured}
        return Outcome(torch.stack(relevance, -1), metrics)

    def local_loss(self, codes: Codes, targets: Sequence[Tensor]) -> Tensor:
        """The loss of the local decoder of each code's task [P], Eq. 18."""
        losses = codes.z.new_zeros(len(codes.z))
        for number, (task, decoder) in enumerate(
            zip(self.layout.tasks, self.local_decoders, strict=True)
        ):
            (mine,) = (codes.task == number).nonzero(as_tuple=True)
            if not len(mine):
                continue
            z = codes.z[mine]
            member = None if codes.member is None else codes.member[mine]
            name = entries(self.link_embedding, codes.link[mine], member).unsqueeze(1)
            output = decoder(torch.cat([z, name.expand_as(z)], dim=-1), member=member)
            loss = task.loss(output, targets[number][codes.draw[mine]])
            losses = losses.index_put((mine,), loss)
        return losses

    def _receive(self, codes: Codes, shape: torch.Size, source: Source) -> tuple[Tensor, ...]:
        """Per task, all links' codes side by side [B, n, L d], zeros where none was selected."""
        draws, tasks, links = shape
        n, d = codes.z.shape[1:]
        received = codes.z.new_zeros(draws, tasks, links, n, d)
        received[codes.draw, codes.task, codes.link] = codes.z
        unserved = torch.ones(draws, tasks, dtype=torch.bool, device=received.device)
        unserved[codes.draw, codes.task] = False
        if unserved.any():
            draw, _ = unserved.nonzero(as_tuple=True)
            noise = randn((len(draw), links, n, d), rows_of(source, draw), received.dtype)
            received[unserved] = EMPTY_CODE_STD * noise
        return received.transpose(2, 3).flatten(3).unbind(1)


class Codings(Coding):
    """The codings of several seeds as one: codes are of the members of their source."""

    def __init__(self, codings: Sequence[Coding]):
        nn.Module.__init__(self)
        first = codings[0]
        self.layout, self.dimension = first.layout, first.dimension
        self.stochastic = first.stochastic
        for name in ("task_embedding", "link_embedding"):
            self.register_buffer(name, torch.stack([getattr(one, name) for one in codings]))
        for name in ("encoders", "global_decoders", "local_decoders"):
            setattr(self, name, ensembles([getattr(one, name) for one in codings]))


def sum_over_links(per_code: Tensor, codes: Codes, shape: torch.Size) -> Tensor:
    """Add up a value of each code [P] within its batch and task, [B, T]."""
    zeros = per_code.new_zeros(shape[:2])
    return zeros.index_put((codes.draw, codes.task), per_code, accumulate=True)


def gaussian_rate(estimator: str) -> Callable[[Codes], Tensor]:
    """The rate I(X; Z) of each code [P] by the named estimator, nats."""
    return lambda codes: RATE_ESTIMATORS[estimator](codes.code, codes.z)


def embedding(count: int, dimension: int, generator: torch.Generator) -> Tensor:
    """Fixed random names of tasks or links, 0.1 N(0, 1) [count, dimension]."""
    return 0.1 * torch.randn(count, dimension, generator=generator)
