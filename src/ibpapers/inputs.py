"""What a training, or an evaluation of it, reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ibpapers.datasets import cards
from ibpapers.files import sha256


@dataclass(frozen=True)
class Inputs:
    """The folder of the dataset; files of `entropies` and folders of trained `runs` by id."""

    dataset: Path
    entropies: Mapping[str, Path] = field(default_factory=dict)
    runs: Mapping[str, Path] = field(default_factory=dict)

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the content of each: the dataset's arrays, estimates, trained models."""
        dataset = cards.of_dataset(self.dataset)["arrays"]["sha256"]
        models = {run: folder / "model.safetensors" for run, folder in self.runs.items()}
        others = {**self.entropies, **models}
        return {"dataset": dataset, **{name: sha256(path) for name, path in others.items()}}
