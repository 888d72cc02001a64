"""The training loop, read from top to bottom: update, validate, record, checkpoint, resume."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ibpapers.training import checkpoint

CHECKPOINT_SECONDS = 30.0
PROGRESS_SECONDS = 10.0


class Trainee:
    """One method with one seed: what a paper hands to the loop."""

    model: nn.Module
    optimisers: dict[str, Optimizer]

    def update(self, update: int) -> dict[str, float]:
        """Step every optimiser once; `update` counts from 1. Returns what is recorded of it.

        All randomness comes from the seed and `update`, so that a resumed training goes on as if
        it had never stopped.
        """
        raise NotImplementedError

    def validate(self, update: int) -> float | None:
        """The score of the model after `update`, to be made small; None where none is due."""
        return None

    def snapshot(self, update: int) -> dict[str, Tensor]:
        """What is recorded from time to time; empty where nothing is due at `update`."""
        return {}

    def examples(self) -> dict[str, Tensor]:
        """What is recorded once, of the model that is kept."""
        return {}


History = dict[str, np.ndarray]


def fit(
    trainee: Trainee,
    updates: int,
    path: Path,
    identity: str,
    label: str,
    patience: int | None = None,
    is_asked_to_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> History:
    """Train to the end of `updates`, from the checkpoint at `path` if it belongs to `identity`.

    Where the trainee validates, the model with the lowest score is the one left in
    `trainee.model`, and training stops after `patience` validations without a lower one.

    Leaves the final state at `path`. Returns the history: ``<name>`` [updates] float32 of what
    `update` returned, ``snapshot_update`` [S] and ``snapshot/<name>`` [S, ...] of the snapshots,
    ``examples/<name>``; where there was a validation, ``validation`` [updates] float32 (NaN where
    none was due) and ``best_update`` [] of the model that was kept.
    Ends bit for bit where an uninterrupted training ends, on one machine and thread count.

    Raises:
        KeyboardInterrupt: `is_asked_to_stop`, and it has saved its state.
    """
    progress = _Progress(trainee, path, identity)
    if progress.update:
        _say(f"{label}: resumed after update {progress.update} of {updates}")
    elif path.exists():
        why = "is damaged, or of other settings, data or code"
        _say(f"{label}: the checkpoint {path} {why}: begins anew")
    saved = said = clock()
    while not progress.is_over(updates, patience):
        progress.step()
        is_last, stops = progress.is_over(updates, patience), is_asked_to_stop()
        now = clock()
        if is_last or stops or now - saved >= CHECKPOINT_SECONDS:
            progress.save()
            saved = now
        if is_last or now - said >= PROGRESS_SECONDS:
            _say(f"{label}: update {progress.update} of {updates}, {progress.last()}")
            said = now
        if stops:
            _say(f"{label}: stopped after update {progress.update} of {updates}, saved")
            raise KeyboardInterrupt
    return progress.finish()


class _Progress:
    """A trainee, how far it is, and what was recorded on the way."""

    def __init__(self, trainee: Trainee, path: Path, identity: str):
        self.trainee = trainee
        self.path = path
        self.identity = identity
        self.records: list[dict[str, float]] = []
        self.snapshots: dict[int, dict[str, Tensor]] = {}
        self.scores: dict[int, float] = {}
        self.best: dict[str, Tensor] = {}  # the model's state after the lowest score
        tensors = checkpoint.load(path, identity)
        if tensors is not None:
            self._restore(tensors)

    @property
    def update(self) -> int:
        return len(self.records)

    @property
    def best_update(self) -> int:
        return min(self.scores, key=self.scores.__getitem__)  # the first of equals

    def is_over(self, updates: int, patience: int | None) -> bool:
        if self.update >= updates:
            return True
        if patience is None or not self.scores:
            return False
        return sum(update > self.best_update for update in self.scores) >= patience

    def step(self) -> None:
        update = self.update + 1
        self.records.append(self.trainee.update(update))
        snapshot = self.trainee.snapshot(update)
        if snapshot:
            self.snapshots[update] = snapshot
        score = self.trainee.validate(update)
        if score is not None:
            # As precise as it is stored; what is not a number is worse than all.
            self.scores[update] = math.inf if math.isnan(score) else float(np.float32(score))
            if self.best_update == update:
                state = self.trainee.model.state_dict()
                self.best = {name: tensor.clone() for name, tensor in state.items()}

    def last(self) -> str:
        said = ", ".join(f"{name} {value:.3g}" for name, value in self.records[-1].items())
        if not self.scores:
            return said
        best = self.best_update
        return f"{said}, best validation {self.scores[best]:.4g} after {best}"

    def finish(self) -> History:
        """Put the best model in place; returns the history."""
        if self.best:
            self.trainee.model.load_state_dict(self.best)
        history = {name: tensor.numpy() for name, tensor in self._recorded().items()}
        examples = self.trainee.examples().items()
        return history | {f"examples/{name}": tensor.cpu().numpy() for name, tensor in examples}

    def save(self) -> None:
        tensors = {f"model/{k}": v for k, v in self.trainee.model.state_dict().items()}
        for name, optimiser in self.trainee.optimisers.items():
            state = checkpoint.optimiser_tensors(optimiser)
            tensors |= {f"optimiser/{name}/{k}": v for k, v in state.items()}
        tensors |= {f"best/{k}": v for k, v in self.best.items()}
        tensors |= {f"history/{k}": v for k, v in self._recorded().items()}
        checkpoint.save(self.path, tensors, self.identity)

    def _recorded(self) -> dict[str, Tensor]:
        # In one order, whether recorded or restored: the order is part of the file's bytes.
        names = sorted(self.records[0]) if self.records else ()
        recorded = {
            name: torch.tensor([record[name] for record in self.records], dtype=torch.float32)
            for name in names
        }
        if self.scores:
            every = range(1, self.update + 1)
            scores = [self.scores.get(update, math.nan) for update in every]
            recorded["validation"] = torch.tensor(scores, dtype=torch.float32)
            recorded["best_update"] = torch.tensor(self.best_update)
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
        device = next(iter(self.trainee.model.state_dict().values())).device
        best = checkpoint.under("best/", tensors)
        self.best = {name: tensor.to(device) for name, tensor in best.items()}
        history = checkpoint.under("history/", tensors)
        scores = history.pop("validation", torch.empty(0)).tolist()
        self.scores = {u: score for u, score in enumerate(scores, 1) if not math.isnan(score)}
        history.pop("best_update", None)
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
