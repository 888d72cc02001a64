"""The training loop, read from top to bottom: update, record, checkpoint, resume."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ibpapers.training import checkpoint, interruption

CHECKPOINT_SECONDS = 30.0
PROGRESS_SECONDS = 10.0


class Trainee(Protocol):
    """One method with one seed: what a paper hands to the loop."""

    model: nn.Module
    optimisers: dict[str, Optimizer]

    def update(self, update: int) -> dict[str, float]:
        """Step every optimiser once; `update` counts from 1. Returns what is recorded of it.

        All randomness comes from the seed and `update`, so that a resumed training goes on as if
        it had never stopped.
        """

    def snapshot(self, update: int) -> dict[str, Tensor]:
        """What is recorded from time to time; empty where nothing is due at `update`."""


History = dict[str, np.ndarray]


def fit(
    trainee: Trainee,
    updates: int,
    path: Path,
    identity: str,
    label: str,
    clock: Callable[[], float] = time.monotonic,
) -> History:
    """Train to the end of `updates`, from the checkpoint at `path` if it belongs to `identity`.

    Leaves the final state at `path`. Returns the history: ``<name>`` [updates] float32 of what
    `update` returned, ``snapshot_update`` [S] and ``snapshot/<name>`` [S, ...] of the snapshots.
    Ends bit for bit where an uninterrupted training ends, on one machine and thread count.

    Raises:
        KeyboardInterrupt: it was asked to stop (`interruption.SIGNALS`), and has saved its state.
    """
    progress = _Progress(trainee, path, identity)
    if progress.update:
        _say(f"{label}: resumed after update {progress.update} of {updates}")
    saved = said = clock()
    with interruption.awaited() as is_asked_to_stop:
        while progress.update < updates:
            progress.step()
            now, is_last, stops = clock(), progress.update == updates, is_asked_to_stop()
            if is_last or stops or now - saved >= CHECKPOINT_SECONDS:
                progress.save()
                saved = now
            if is_last or now - said >= PROGRESS_SECONDS:
                _say(f"{label}: update {progress.update} of {updates}, {progress.last()}")
                said = now
            if stops:
                _say(f"{label}: stopped after update {progress.update} of {updates}, saved")
                raise KeyboardInterrupt
    return progress.history()


class _Progress:
    """A trainee, how far it is, and what was recorded on the way."""

    def __init__(self, trainee: Trainee, path: Path, identity: str):
        self.trainee = trainee
        self.path = path
        self.identity = identity
        self.records: list[dict[str, float]] = []
        self.snapshots: dict[int, dict[str, Tensor]] = {}
        tensors = checkpoint.load(path, identity)
        if tensors is not None:
            self._restore(tensors)

    @property
    def update(self) -> int:
        return len(self.records)

    def step(self) -> None:
        update = self.update + 1
        self.records.append(self.trainee.update(update))
        snapshot = self.trainee.snapshot(update)
        if snapshot:
            self.snapshots[update] = snapshot

    def last(self) -> str:
        return ", ".join(f"{name} {value:.3g}" for name, value in self.records[-1].items())

    def history(self) -> History:
        return {name: tensor.numpy() for name, tensor in self._recorded().items()}

    def save(self) -> None:
        tensors = {f"model/{k}": v for k, v in self.trainee.model.state_dict().items()}
        for name, optimiser in self.trainee.optimisers.items():
            state = checkpoint.optimiser_tensors(optimiser)
            tensors |= {f"optimiser/{name}/{k}": v for k, v in state.items()}
        tensors |= {f"history/{k}": v for k, v in self._recorded().items()}
        checkpoint.save(self.path, tensors, self.identity)

    def _recorded(self) -> dict[str, Tensor]:
        # In one order, whether recorded or restored: the order is part of the file's bytes.
        names = sorted(self.records[0]) if self.records else ()
        recorded = {
            name: torch.tensor([record[name] for record in self.records], dtype=torch.float32)
            for name in names
        }
        if self.snapshots:
            recorded["snapshot_update"] = torch.tensor(list(self.snapshots))
            for name in next(iter(self.snapshots.values())):
                pictures = [snapshot[name].cpu() for snapshot in self.snapshots.values()]
                recorded[f"snapshot/{name}"] = torch.stack(pictures)
        return recorded

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.trainee.model.load_state_dict(checkpoint.under("model/", tensors))
        for name, optimiser in self.trainee.optimisers.items():
            checkpoint.restore_optimiser(optimiser, checkpoint.under(f"optimiser/{name}/", tensors))
        history = checkpoint.under("history/", tensors)
        when = history.pop("snapshot_update", torch.empty(0)).tolist()
        pictures = checkpoint.under("snapshot/", history)
        self.snapshots = {
            update: {name: picture[i] for name, picture in pictures.items()}
            for i, update in enumerate(when)
        }
        curves = {k: v.tolist() for k, v in history.items() if not k.startswith("snapshot/")}
        self.records = [
            dict(zip(curves, values, strict=True)) for values in zip(*curves.values(), strict=True)
        ]


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
