"""Rows that belong to several members, such as the seeds of a run that are trained together.

A row is what stands at one index of a tensor's first axis: a sample, a code, a draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor


class Rows(NamedTuple):
    """The generators of several members, and the `member` [P] that each row of numbers is for."""

    generators: Sequence[torch.Generator]
    member: Tensor


Source = torch.Generator | Rows


def rows_of(source: Source, rows: Tensor) -> Source:
    """The source of what is drawn for each of `rows` [P], numbers of rows of `source`."""
    if isinstance(source, torch.Generator):
        return source
    return source._replace(member=source.member[rows])


def members_of(source: Source) -> Tensor | None:
    """The member of each row; None where there is but one."""
    return None if isinstance(source, torch.Generator) else source.member


def randn(shape: Sequence[int], source: Source, dtype: torch.dtype | None = None) -> Tensor:
    """N(0, 1) on the source's device; a row is drawn from the generator of its member.

    A member is given the numbers that it would be given alone.
    """
    return _drawn(torch.randn, shape, source, dtype)


def rand(shape: Sequence[int], source: Source) -> Tensor:
    """Uniform on [0, 1), otherwise as `randn`."""
    return _drawn(torch.rand, shape, source, None)


def _drawn(
    draw: Callable[..., Tensor], shape: Sequence[int], source: Source, dtype: torch.dtype | None
) -> Tensor:
    if isinstance(source, torch.Generator):
        return draw(shape, generator=source, device=source.device, dtype=dtype)
    counts = source.member.bincount(minlength=len(source.generators)).tolist()
    drawn = [
        draw((count, *shape[1:]), generator=one, device=one.device, dtype=dtype)
        for one, count in zip(source.generators, counts, strict=True)
    ]
    place = source.member.argsort(stable=True).argsort()
    return torch.cat(drawn)[place]


def entries(table: Tensor, index: Tensor, member: Tensor | None) -> Tensor:
    """Entries `index` [P] of a table [n, ...], or of the one of each row's member, [E, n, ...]."""
    return table[index] if member is None else table[member, index]


class Packing:
    """Rows of E members side by side: [P, ...] <-> [E, N, ...], N those of the busiest member.

    `member` [P] says whose each row is. Members with fewer rows are filled up with copies of a
    row, which `unpack` leaves out.
    """

    def __init__(self, member: Tensor, members: int):
        self.member = member
        self.counts = member.bincount(minlength=members)
        self._most = int(self.counts.max())
        in_order = len(member) == self._most * members and (member.diff() >= 0).all()
        self._is_view = bool(in_order)

    @cached_property
    def slot(self) -> Tensor:
        """Where each row lies in [E N], [P]."""
        order = self.member.argsort(stable=True)
        owner = self.member[order]
        first = self.counts.cumsum(0) - self.counts
        place = torch.arange(len(order), device=order.device) - first[owner]
        return torch.empty_like(order).index_put_((order,), owner * self._most + place)

    def pack(self, rows: Tensor) -> Tensor:
        if not self._is_view:
            source = self.slot.new_zeros(len(self.counts) * self._most)
            source[self.slot] = torch.arange(len(rows), device=rows.device)
            rows = rows[source]
        return rows.unflatten(0, (len(self.counts), self._most))

    def unpack(self, packed: Tensor) -> Tensor:
        rows = packed.flatten(0, 1)
        return rows if self._is_view else rows[self.slot]
