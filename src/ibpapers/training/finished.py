"""A trained run, read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from ibpapers import arrays
from ibpapers.errors import UserError
from ibpapers.files import read_json, sha256
from ibpapers.inputs import Inputs
from ibpapers.training import checkpoint, device, rooms
from ibpapers.training.loop import Trainee


@dataclass(frozen=True)
class Finished:
    """`tensors` as ``<seed>/<parameter>``, `history` as ``<name>`` [seeds, updates]."""

    recipe: dict[str, Any]
    tensors: dict[str, Tensor]
    history: arrays.Arrays


@dataclass(frozen=True)
class Trained(Finished):
    """A trained run with its paper's `system`, on `device`: all that its models are used with."""

    system: Any
    device: torch.device

    def trainee(self, seed: int) -> Trainee:
        """What was trained with `seed`, its model as training left it."""
        trainee = rooms.method(self.recipe).build(self.recipe, self.system, seed, self.device)
        trainee.model.load_state_dict(checkpoint.under(f"{seed}/", self.tensors))
        return trainee


def read(folder: Path) -> Finished:
    """What `train` left in `folder`.

    Raises:
        UserError: a file is missing, or is not the one that recipe.json was written with.
    """
    path = folder / "recipe.json"
    made = read_json(path)
    files = made.get("files") if isinstance(made, dict) else None
    if not isinstance(files, dict) or not isinstance(made.get("recipe"), dict):
        raise UserError(f"{path} is no record of a training. Train the run again.")
    for name in ("history.npz", "model.safetensors"):
        file = folder / name
        if not file.is_file() or sha256(file) != files.get(name):
            raise UserError(
                f"{file} is missing or is not the file that {path.name} was written with. "
                "Train the run again."
            )
    tensors = load_file(folder / "model.safetensors")
    return Finished(made["recipe"], tensors, arrays.read(folder / "history.npz"))


def load(folder: Path, inputs: Inputs) -> Trained:
    """`read`, ready to be used: arithmetic is made that of training, deterministic.

    Raises:
        UserError: as `read`, or an input is missing or damaged.
    """
    run = read(folder)
    device.make_deterministic(run.recipe["threads"])
    where = device.pick()
    system = rooms.systems(run.recipe).load(run.recipe, inputs, where)
    return Trained(**vars(run), system=system, device=where)
