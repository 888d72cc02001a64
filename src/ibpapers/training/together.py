"""Several seeds of a method that are updated as one: to the training loop they are a trainee."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from ibpapers.training.loop import History, Trainee

# A name in a history: "<seed>/n_ce", "snapshot/<seed>/selection_probability", "snapshot_update".
NAME = re.compile(r"(snapshot/|examples/|)(?:(\d+)/)?(.+)")


class Together(Trainee):
    """`members` by seed. What is recorded of one has a name that begins with ``<seed>/``.

    `update_members` steps all of them and returns a record each; `optimisers` hold what it steps.
    Members keep their models and their snapshots. They are not validated: all are trained alike.
    """

    def __init__(
        self,
        members: Mapping[int, Trainee],
        update_members: Callable[[int], list[dict[str, float]]],
        optimisers: dict[str, Optimizer],
    ):
        self.members = members
        self.update_members = update_members
        self.optimisers = optimisers
        self.model = nn.ModuleDict({str(seed): one.model for seed, one in members.items()})

    def update(self, update: int) -> dict[str, float]:
        return self._named(self.update_members(update))

    def snapshot(self, update: int) -> dict[str, Tensor]:
        return self._named(one.snapshot(update) for one in self.members.values())

    def examples(self) -> dict[str, Tensor]:
        return self._named(one.examples() for one in self.members.values())

    def separate(self, history: History) -> list[History]:
        """The histories of the members, as each would have it alone."""
        separated: dict[str, History] = {str(seed): {} for seed in self.members}
        for name, array in history.items():
            kind, seed, own = NAME.fullmatch(name).groups()
            for one in separated if seed is None else [seed]:
                separated[one][kind + own] = array
        return list(separated.values())

    def _named(self, of_each: Iterable[dict[str, Any]]) -> dict[str, Any]:
        return {
            f"{seed}/{name}": value
            for seed, found in zip(self.members, of_each, strict=True)
            for name, value in found.items()
        }
