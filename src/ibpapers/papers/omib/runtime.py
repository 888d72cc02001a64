"""How long an epoch takes, against the number of samples (Fig. 4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ibpapers.datasets import sim
from ibpapers.papers.omib.systems import System, simulated_split
from ibpapers.papers.omib.trainee import Fusion
from ibpapers.training import rooms
from ibpapers.training.finished import Trained

Build = Callable[[dict[str, Any], System, int, torch.device], Fusion]
UNTIMED = 3  # updates of a phase before the clock starts: allocations, caches


def measure(
    run: Trained, dataset: Path, samples: Sequence[int], seed: int
) -> Iterator[tuple[str, float, str]]:
    """``<phase>_seconds_per_epoch/<N>`` for warm_up and main and every N of `samples`.

    The samples are drawn afresh from the generator of the SIM dataset of `run`. A time is a
    measurement: it is the only result that the seed and the settings do not determine.
    """
    recipe, build = run.recipe, rooms.method(run.recipe).build
    data = sim.load(dataset)
    for count in samples:
        rng = np.random.default_rng([seed, count])
        drawn = sim.draw(data.dims, data.delta, count, rng)
        epoch = run.system._replace(
            train=simulated_split(drawn, dict(recipe["views"]), run.device)
        )
        for phase, seconds in epoch_seconds(recipe, epoch, build, seed, run.device).items():
            yield f"{phase}_seconds_per_epoch/{count}", seconds, "s"


def epoch_seconds(
    recipe: Mapping[str, Any],
    system: System,
    build: Build,
    seed: int,
    device: torch.device,
    clock: Callable[[], float] | None = None,
) -> dict[str, float]:
    """Seconds of one epoch of warm-up and of main training on `system.train`.

    On a CPU they are the process's own: what else the machine does while a workflow runs would
    bend the line. An update ends with its losses on the CPU, so that a GPU has done its part too.
    """
    clock = clock or (time.process_time if device.type == "cpu" else time.perf_counter)
    seconds = {}
    for phase, warm_up in (("warm_up", 2**31), ("main", 0)):
        training = {**recipe["training"], "warm_up_updates": warm_up}
        trainee = build({**recipe, "training": training}, system, seed, device)
        for update in range(1, UNTIMED + 1):
            trainee.update(update)
        start = clock()
        for update in range(UNTIMED + 1, UNTIMED + trainee.updates_per_epoch + 1):
            trainee.update(update)
        seconds[phase] = clock() - start
    return seconds
