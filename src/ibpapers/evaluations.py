"""The form in which every paper's evaluation leaves: one row per seed and metric."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def tidy(
    rows: Sequence[tuple[int, str, float, str]], recipe: Mapping[str, Any], kept: Sequence[str]
) -> pd.DataFrame:
    """`rows` of seed, metric, value and unit, with what says of which run of `recipe` they are.

    Its entries `kept` stand in the column `settings`, as JSON.
    """
    table = pd.DataFrame(rows, columns=["seed", "metric", "value", "unit"])
    for position, name in enumerate(("paper", "dataset", "tier", "scale", "run", "method")):
        table.insert(position, name, recipe[name])
    settings = {name: recipe[name] for name in kept}
    table.insert(6, "settings", json.dumps(settings, sort_keys=True))
    return table
