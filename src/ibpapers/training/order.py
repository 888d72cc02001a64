"""In which order samples are visited: epoch by epoch, each a fresh permutation."""

from __future__ import annotations

import torch
from torch import Tensor

from ibpapers.training.seeds import generator


class Order:
    """An endless sequence over 0..size-1 in which every epoch has every index once.

    Any piece can be asked for in any order, so that nothing has to be remembered to resume.
    """

    def __init__(self, size: int, seed: int):
        self._size = size
        self._seed = seed
        self._permutations: dict[int, Tensor] = {}

    def take(self, start: int, count: int) -> Tensor:
        """Entries start .. start + count - 1 of the sequence, int64 [count]."""
        first, last = start // self._size, (start + count - 1) // self._size
        epochs = range(first, last + 1)
        self._permutations = {epoch: self._permutation(epoch) for epoch in epochs}
        sequence = torch.cat(list(self._permutations.values()))
        offset = start - first * self._size
        return sequence[offset : offset + count]

    def _permutation(self, epoch: int) -> Tensor:
        if epoch in self._permutations:
            return self._permutations[epoch]
        return torch.randperm(self._size, generator=generator(self._seed, "order", epoch))
