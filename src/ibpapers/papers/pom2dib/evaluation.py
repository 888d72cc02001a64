"""What a trained run is worth: on the whole test set, and by its own training log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ibpapers.errors import UserError
from ibpapers.evaluations import tidy
from ibpapers.information.rate import RATE_ESTIMATORS
from ibpapers.inputs import Inputs
from ibpapers.papers.pom2dib.tasks import UNITS
from ibpapers.papers.pom2dib.trainee import DIB
from ibpapers.training import finished
from ibpapers.training.seeds import generator

Row = tuple[str, float, str]  # metric, value, unit

SETTINGS = ("beta", "limits", "model", "training", "threads")

CHUNK = 25  # batches that go through the networks together: bounds memory, fixes the draws


def evaluate(run_folder: Path, inputs: Inputs, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per seed and metric of the run in `run_folder`.

    On the whole test set, in batches of ``settings["batch_size"]`` (the estimators' n) with a draw
    of u each: sum-rate, N-CE, metrics of tasks, links; a rest that fills no batch is left out. From
    ``selection_draws`` further draws of u: the marginal probability of every link and how many
    draws break a limit. From the last ``log_window`` updates of the history: the ``training_*``
    metrics.

    Raises:
        UserError: the test set does not fill a batch.
    """
    run = finished.load(run_folder, inputs)
    recipe = run.recipe
    if run.system.test.size < settings["batch_size"]:
        raise UserError(
            f"{inputs.dataset} has {run.system.test.size} test samples: too few for evaluation's "
            f"batch_size = {settings['batch_size']}. Make that smaller, or the dataset larger."
        )
    rows = []
    for number, seed in enumerate(recipe["seeds"]):
        trainee = run.trainee(seed)
        with torch.no_grad():
            found = [
                *_test_set(trainee, settings, seed),
                *_selection(trainee, recipe["limits"], settings, seed),
            ]
        found += _training_log(run.history, number, settings["log_window"], trainee)
        rows += [(seed, *row) for row in found]
    return tidy(rows, recipe, SETTINGS)


def _test_set(trainee: DIB, settings: Mapping[str, Any], seed: int) -> Iterator[Row]:
    size, test = settings["batch_size"], trainee.system.test
    batches = test.size // size
    index = torch.arange(batches * size).view(batches, size).to(trainee.device)
    sums: dict[str, float] = {}

    def add(name: str, per_batch: torch.Tensor) -> None:
        sums[name] = sums.get(name, 0.0) + per_batch.double().sum().item()

    for start in range(0, batches, CHUNK):
        draw = generator(settings["seed"], seed, "test", start, device=trainee.device)
        piece = index[start : start + CHUNK]
        data = test.batches(piece, draw)
        selection = trainee.selector.draw(len(piece), draw)
        codes = trainee.coding.encode(data, selection.links, draw)
        if trainee.coding.stochastic:
            for name, estimator in RATE_ESTIMATORS.items():
                add(f"sum_rate_{name}", estimator(codes.code, codes.z))
        else:
            add("sum_rate", trainee.rate(codes))
        outcome = trainee.coding.outcome(codes, data.targets, selection.links.shape, draw)
        add("n_ce", -outcome.relevance)
        for name, value in outcome.metrics.items():
            add(name, value)
        add("links", selection.links.sum((-1, -2)))
    means = {name: total / batches for name, total in sums.items()}
    if trainee.coding.stochastic:
        means["sum_rate"] = means[f"sum_rate_{trainee.training['rate_estimator']}"]
    for name, value in means.items():
        yield name, value, _unit(name)


def _selection(
    trainee: DIB, limits: Mapping[str, int], settings: Mapping[str, Any], seed: int
) -> Iterator[Row]:
    draw = generator(settings["seed"], seed, "selection", device=trainee.device)
    selection = trainee.selector.draw(settings["selection_draws"], draw)
    layout = trainee.system.layout
    probability = selection.links.float().mean(0)
    for task, row in zip(layout.tasks, probability.tolist(), strict=True):
        for link, value in zip(layout.links, row, strict=True):
            yield f"selection/{task.name}/{link}", value, "probability"
    asked = selection.requests.sum(-1)
    sent = selection.links.unflatten(-1, (len(layout.transmitters), -1)).sum((1, 3))
    broken = ((asked < 1) | (asked > limits["transmitters_per_task"])).any(-1)
    broken |= (sent > limits["encodings_per_transmitter"]).any(-1)
    unserved = (~selection.links.any(-1)).any(-1)
    yield "limit_violations", broken.sum().item(), "count"
    yield "unserved_draws", unserved.float().mean().item(), "probability"


def _training_log(
    curves: Mapping[str, np.ndarray], number: int, window: int, trainee: DIB
) -> Iterator[Row]:
    for name in ("sum_rate", "n_ce", *trainee.system.layout.metrics):
        value = curves[name][number, -window:].astype(np.float64).mean()
        yield f"training_{name}", value, _unit(name)


def _unit(metric: str) -> str:
    if metric == "links":
        return "count"
    return UNITS.get(metric.partition("_")[2], "nat")
