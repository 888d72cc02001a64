"""The utterances as the paper's systems see them: one sequence per modality, and a sentiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ibpapers.datasets import cmu_sentiment
from ibpapers.inputs import Inputs
from ibpapers.training import finished
from ibpapers.training.finished import Finished


class Batch(NamedTuple):
    """Views by modality [n, T, width]; `mask` bool [n, T], False on padding; `sentiment` [n]."""

    views: dict[str, Tensor]
    mask: Tensor
    sentiment: Tensor


class Split:
    """One side of a dataset, held on the device."""

    def __init__(self, data: cmu_sentiment.Split, device: torch.device):
        self.size = len(data.sentiment)
        self._views = {
            # What is one vector per utterance is a sequence of length 1.
            name: torch.from_numpy(x if x.ndim == 3 else x[:, None]).to(device)
            for name, x in data.modalities.items()
        }
        longest = max(view.shape[1] for view in self._views.values())
        self._mask = torch.arange(longest) < torch.from_numpy(data.words)[:, None]
        self._mask = self._mask.to(device)
        self.sentiment = torch.from_numpy(data.sentiment).to(device)

    @property
    def widths(self) -> dict[str, int]:
        return {name: view.shape[-1] for name, view in self._views.items()}

    def batch(self, index: Tensor) -> Batch:
        """The utterances `index` [n]."""
        views = {name: view[index] for name, view in self._views.items()}
        return Batch(views, self._mask[index], self.sentiment[index])

    def batches(self, size: int) -> Iterator[Batch]:
        """Every utterance in its order, at most `size` at a time."""
        for index in torch.arange(self.size, device=self.sentiment.device).split(size):
            yield self.batch(index)


@dataclass(frozen=True)
class System:
    """`widths` by modality; `noiseless`: the trained run that one starts from, where one does."""

    widths: Mapping[str, int]
    train: Split
    validation: Split
    test: Split
    noiseless: Finished | None = None


def load(recipe: Mapping[str, Any], inputs: Inputs, device: torch.device) -> System:
    """The dataset of `recipe` on `device`, and the run that it starts from."""
    data = cmu_sentiment.load(inputs.dataset)
    splits = [Split(side, device) for side in (data.train, data.validation, data.test)]
    runs = [finished.read(folder) for folder in inputs.runs.values()]
    return System(splits[0].widths, *splits, *runs)


def axes(system: System) -> dict[str, np.ndarray]:
    """Nothing in a history has an axis of its own beside seeds and updates."""
    return {}
