"""H(v) = MINE(v, v) and I(v; w) = MINE(v, w) of a dataset, estimated before any training.

What such an estimate is: for continuous v the information I(v; v) is infinite, so MINE(v, v) is no
entropy of v. It is what a critic of given size certifies from given batches in given steps, and
cannot exceed its ceiling; see `information.mine`. All that shapes it is in the recipe.

As a cross-check, the nearest-neighbour estimate of what the same letters stand for elsewhere: the
differential entropy of v (Kozachenko-Leonenko), which depends on the scale of v, may be negative
and is another quantity than MINE(v, v); and I(v; w) (KSG). Both mean little in many dimensions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ibpapers.information import ksg, mine
from ibpapers.papers.omib import systems
from ibpapers.training import device


def estimate(recipe: dict[str, Any], dataset_folder: Path) -> dict[str, Any]:
    """The estimate that `recipe` asks for, on the training side of the dataset; all in nats.

    Returns:
        `value` the mean over `seeds` of `per_seed`, `std` their deviation (0 with one seed),
        `pairs` n of p(x) p(y) behind each, their `ceiling` ln n, `touches_ceiling` (of any seed),
        `knn` the cross-check, and what they were made from: `term` (the two modalities), `samples`,
        `dimensions`, `mine`.
    """
    device.make_deterministic(recipe["threads"])
    where = device.pick()
    x, y = _views(recipe, dataset_folder, where)
    settings = mine.Settings(**recipe["mine"])
    found = mine.mutual_information(x, y, recipe["seeds"], settings, "/".join(recipe["term"]))
    return {
        "term": recipe["term"],
        "value": float(found.values.mean()),
        "std": float(found.values.std(ddof=1)) if len(found.values) > 1 else 0.0,
        "seeds": recipe["seeds"],
        "per_seed": found.values.tolist(),
        "pairs": found.pairs,
        "ceiling": found.ceiling,
        "touches_ceiling": bool(found.touches_ceiling.any()),
        "samples": len(x),
        "dimensions": [x.shape[1], y.shape[1]],
        "mine": recipe["mine"],
        "knn": _nearest_neighbours(recipe, x.cpu().numpy(), y.cpu().numpy()),
        "device": device.describe(where),
    }


def _views(recipe: dict[str, Any], folder: Path, where: torch.device) -> list[torch.Tensor]:
    """The two modalities of the recipe's term, [N, d] each; a sequence counts as one vector."""
    load = systems.LOADERS[recipe["dataset"]]
    wanted = {name: recipe["views"][name] for name in recipe["term"]}
    _, train, *_ = load(wanted, folder, where)
    views = dict(zip(wanted, train.all().views, strict=True))
    return [views[name].flatten(1) for name in recipe["term"]]


def _nearest_neighbours(recipe: dict[str, Any], x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """The cross-check on at most as many samples as the recipe's `knn` says."""
    k, most = recipe["knn"]["neighbours"], recipe["knn"]["samples"]
    rng = np.random.default_rng(recipe["seeds"][0])
    rows = rng.permutation(len(x))[:most]
    if recipe["term"][0] == recipe["term"][1]:
        quantity, value = "differential entropy", ksg.entropy(x[rows], k, rng)
    else:
        quantity, value = "mutual information", ksg.mutual_information(x[rows], y[rows], k, rng)
    return {"quantity": quantity, "value": value, "neighbours": k, "samples": len(rows)}
