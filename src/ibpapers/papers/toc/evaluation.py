"""What a trained run is worth on the test set, and how redundant its codes were at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ibpapers.evaluations import tidy
from ibpapers.inputs import Inputs
from ibpapers.papers.toc.trainee import Row
from ibpapers.training import finished

SETTINGS = (
    "channel", "fading", "equaliser", "dimension", "model", "training", "conventional", "threads",
)  # fmt: skip
REDUNDANCY = {"bce": "nat", "p_positive": "1", "p_negative": "1"}
LAST = 10  # the last one in so many updates is the end of a training


def evaluate(run_folder: Path, inputs: Inputs, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per seed and metric of the run in `run_folder`.

    The metrics of its method's `rows`, on the whole test set under `settings`; and where there
    are discriminators ``<bce | p_positive | p_negative>_last/<pair>``: as in the history of the
    training, mean over its last tenth.
    """
    run = finished.load(run_folder, inputs)
    rows: list[tuple[int, str, float, str]] = []
    for number, seed in enumerate(run.recipe["seeds"]):
        rows += [(seed, *row) for row in run.trainee(seed).rows(settings)]
        rows += [(seed, *row) for row in _redundancy(run.history, number)]
    return tidy(rows, run.recipe, SETTINGS)


def _redundancy(history: Mapping[str, np.ndarray], number: int) -> Iterator[Row]:
    for name, curves in history.items():
        quantity, _, pair = name.partition("/")
        if quantity in REDUNDANCY:
            last = curves[number, -max(1, curves.shape[1] // LAST) :].mean(dtype=np.float64)
            yield f"{quantity}_last/{pair}", float(last), REDUNDANCY[quantity]
