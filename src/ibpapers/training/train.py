"""One run: all seeds of one method under one setting, from its recipe to its files.

Needs Python, torch, numpy and safetensors only, as a GPU node may have no more.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as to_bytes

from ibpapers.files import atomic_write, sha256, write_json
from ibpapers.inputs import Inputs
from ibpapers.training import device, interruption, rooms
from ibpapers.training.loop import Trainee, fit


def train(recipe: dict[str, Any], inputs: Inputs, output_folder: Path, code: str) -> None:
    """Train `recipe` on `inputs`; `code` is the hash of the code at work.

    Writes model.safetensors (``<seed>/<parameter>``), history.npz (``<name>`` [seeds, updates],
    float32; ``snapshot/<name>`` [seeds, S, ...]; what else `loop.fit` returns) and last recipe.json
    (what was done with what) into `output_folder`. Checkpoints lie beside them until then.

    Raises:
        KeyboardInterrupt: it was asked to stop (`interruption.SIGNALS`), and has saved its state.
    """
    with interruption.awaited() as is_asked_to_stop:
        device.use_large_pages()
        device.make_deterministic(recipe["threads"])
        where = device.pick()
        print(f"training on {device.describe(where)}", file=sys.stderr, flush=True)
        systems = rooms.systems(recipe)
        system = systems.load(recipe, inputs, where)
        hashes = inputs.hashes()

        output_folder.mkdir(parents=True, exist_ok=True)
        models, histories, checkpoints = {}, [], []
        for members, trainee in _trainees(recipe, system, where):
            seeds, done = [str(seed) for seed in members], len(histories) + len(members)
            path = output_folder / f"checkpoint-{'-'.join(seeds)}.safetensors"
            history = fit(
                trainee,
                recipe["training"]["updates"],
                path,
                identity=_identity(recipe, list(members), hashes, code, where),
                label=f"seed {', '.join(seeds)} ({done} of {len(recipe['seeds'])})",
                patience=recipe["training"].get("patience"),
                is_asked_to_stop=is_asked_to_stop,
            )
            histories += trainee.separate(history) if len(members) > 1 else [history]
            for seed, member in members.items():
                state = member.model.state_dict()
                models |= {f"{seed}/{name}": tensor.cpu() for name, tensor in state.items()}
            checkpoints.append(path)

        with atomic_write(output_folder / "model.safetensors") as temporary:
            temporary.write_bytes(to_bytes(models))
        with atomic_write(output_folder / "history.npz") as temporary:
            np.savez(temporary, **_together(histories), **systems.axes(system))
        write_json(
            output_folder / "recipe.json",
            {
                "recipe": recipe,
                "code": code,
                "inputs": hashes,
                "files": {
                    name: sha256(output_folder / name)
                    for name in ("history.npz", "model.safetensors")
                },
                "environment": _environment(recipe, where),
            },
        )
        for path in checkpoints:
            path.unlink(missing_ok=True)


def _trainees(
    recipe: dict[str, Any], system: Any, where: torch.device
) -> Iterator[tuple[dict[int, Trainee], Trainee]]:
    """Some seeds' trainees and what trains them; between them all the recipe's seeds.

    All seeds at once where the method can and the device gains from it: a GPU spends a small
    network's time in starting its products, a CPU in the products.
    """
    method = rooms.method(recipe)
    at_once = hasattr(method, "together") and device.gains_from_ensembles(where)
    for seeds in [recipe["seeds"]] if at_once else [[seed] for seed in recipe["seeds"]]:
        members = {seed: method.build(recipe, system, seed, where) for seed in seeds}
        yield members, method.together(members) if len(members) > 1 else members[seeds[0]]


def _identity(recipe: dict, seeds: list[int], inputs: dict, code: str, where: torch.device) -> str:
    """What a checkpoint has to agree with; other seeds of the run are no part of it."""
    own = {k: v for k, v in recipe.items() if k != "seeds"}
    facts = [own, seeds, inputs, code, _environment(recipe, where)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _environment(recipe: dict, where: torch.device) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "device": device.describe(where),
        "threads": recipe["threads"],
    }


def _together(histories: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Histories of several seeds with a leading axis of seeds; counters of updates stay as are.

    Seeds that stopped earlier than others are filled up with NaN.
    """
    together = {
        name: max(arrays, key=len) if name == "snapshot_update" else _stacked(arrays)
        for name in histories[0]
        if (arrays := [history[name] for history in histories])
    }
    updates = next(iter(together.values())).shape[1]
    return {"update": np.arange(1, updates + 1)} | together


def _stacked(arrays: list[np.ndarray]) -> np.ndarray:
    if len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    longest = max(map(len, arrays))
    rest = [(0, 0)] * (arrays[0].ndim - 1)
    return np.stack(
        [np.pad(a, [(0, longest - len(a)), *rest], constant_values=np.nan) for a in arrays]
    )
