"""What a trained run is worth on the whole test set; and for Fig. 4, how long an epoch takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ibpapers.evaluations import tidy
from ibpapers.inputs import Inputs
from ibpapers.papers.omib import runtime
from ibpapers.papers.omib.trainee import Fusion
from ibpapers.training import finished
from ibpapers.training.seeds import generator

Row = tuple[str, float, str]  # metric, value, unit

SETTINGS = ("beta", "ablation", "model", "training", "threads")


def evaluate(run_folder: Path, inputs: Inputs, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per seed and metric of the run in `run_folder`.

    On the whole test set, every metric of the task: of the mean prediction over
    ``settings["draws"]`` draws of the codes, q(y | v) = E q(y | xi), as Alemi et al. (2017) do with
    12; and ``<metric>_of_one_draw``, the mean of the metric over predictions from single draws.
    ``training_<metric>``: on the training set, from one draw. Of OMIB also beta and its bounds, the
    KL terms on the test set, and r.

    With ``settings["samples"]`` instead: seconds per epoch, as `runtime` measures them. They are
    the one result that is another one every time.
    """
    run = finished.load(run_folder, inputs)
    recipe = run.recipe
    rows: list[tuple[int, str, float, str]] = []
    if "samples" in settings:
        for seed in recipe["seeds"]:
            found = runtime.measure(run, inputs.dataset, settings["samples"], seed)
            rows += [(seed, *row) for row in found]
        return tidy(rows, recipe, SETTINGS)

    for number, seed in enumerate(recipe["seeds"]):
        trainee = run.trainee(seed)
        with torch.no_grad():
            rows += [(seed, *row) for row in _metrics(trainee, settings, seed)]
            if run.system.beta is not None:
                rows += [(seed, *row) for row in _bottleneck(trainee, run.history, number)]
    return tidy(rows, recipe, SETTINGS)


def _metrics(trainee: Fusion, settings: Mapping[str, Any], seed: int) -> Iterator[Row]:
    def outputs(side: str, views: list[Tensor], draws: int) -> dict[str, Tensor]:
        """Of every prediction, [draws, n, outputs]."""
        found = [
            trainee.model.predictions(
                views, generator(settings["seed"], seed, side, draw, device=trainee.device)
            )
            for draw in range(draws)
        ]
        return {name: torch.stack([one[name] for one in found]) for name in found[0]}

    task, system = trainee.model.task, trainee.system
    views, label = system.test.all()
    for name, drawn in outputs("test", views, settings["draws"]).items():
        each = [task.metrics(output, label) for output in drawn]
        for metric, (value, unit) in task.metrics(task.average(drawn), label).items():
            yield _of(metric, name), value, unit
            mean = float(np.mean([one[metric][0] for one in each]))
            yield _of(f"{metric}_of_one_draw", name), mean, unit
    views, label = system.train.all()
    for name, drawn in outputs("train", views, 1).items():
        for metric, (value, unit) in task.metrics(drawn[0], label).items():
            yield _of(f"training_{metric}", name), value, unit


def _of(metric: str, prediction: str) -> str:
    return f"{metric}/{prediction}" if prediction else metric


def _bottleneck(trainee: Fusion, curves: Mapping[str, np.ndarray], number: int) -> Iterator[Row]:
    """Of OMIB: beta, its bounds (1/nat), KL per modality, and r over the last epoch."""
    system, model = trainee.system, trainee.model
    yield "beta", system.beta, "1/nat"
    if system.bounds is not None:
        for side in ("lower", "upper"):
            yield f"bound_{side}", getattr(system.bounds, side), "1/nat"
            yield f"bound_{side}_std", getattr(system.bounds, f"{side}_std"), "1/nat"
    _, rates = model.fused(model.encode(system.test.all().views), None)
    for name, rate in zip(model.names, rates.tolist(), strict=True):
        yield f"kl/{name}", rate, "nat"
    for name in model.names[1:]:
        last = curves[f"r/{name}"][number, -trainee.updates_per_epoch :]
        yield f"r_last/{name}", np.nanmean(last.astype(np.float64)), "1"
