"""Tensors in a file that is whole, knows what it belongs to, and is not believed when damaged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor
from torch.optim import Optimizer

from ibpapers.files import atomic_write


def save(path: Path, tensors: dict[str, Tensor], identity: str) -> None:
    """Write `tensors` with the `identity` of what they belong to and a hash of their content."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {"identity": identity, "content": _hash(tensors)}
    with atomic_write(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, metadata))


def load(path: Path, identity: str) -> dict[str, Tensor] | None:
    """The tensors of `path`, or None where it is absent, damaged, or of another identity."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("identity") != identity:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    return tensors if metadata.get("content") == _hash(tensors) else None


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those `tensors` whose names begin with `prefix`, by the rest of their names."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    """The state of `optimiser` as ``<parameter number>/<name>`` -> tensor."""
    state = optimiser.state_dict()["state"]
    return {f"{i}/{name}": value for i, slot in state.items() for name, value in slot.items()}


def restore_optimiser(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the state written by `optimiser_tensors` back."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        state.setdefault(int(number), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def _hash(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
