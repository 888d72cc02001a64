"""The numbers printed in the papers, and where they may stand beside ours.

``published/<paper>_<table>.csv`` holds one table each. A printed number is compared with ours only
where data and settings are the paper's; elsewhere it is listed with the reason why not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ibpapers.errors import UserError

PUBLISHED = Path("published")


@dataclass(frozen=True)
class Printed:
    """A printed number and its printed 95% interval, where there is one."""

    value: float
    half_width: float | None


def read(paper: str, folder: Path = PUBLISHED) -> dict[str, pd.DataFrame]:
    """The printed tables of `paper` by name ("table1", ...).

    Raises:
        UserError: there is none.
    """
    files = sorted(folder.glob(f"{paper}_*.csv"))
    if not files:
        raise UserError(f"{folder}: no printed numbers of {paper} ({paper}_*.csv)")
    return {file.stem.removeprefix(f"{paper}_"): pd.read_csv(file) for file in files}


def printed(table: pd.DataFrame, **where: Any) -> Printed | None:
    """The one number of a long table (columns value, ci95) under `where`; None if not printed."""
    for column, wanted in where.items():
        table = table[table[column] == wanted]
    if table.empty:
        return None
    (row,) = table.to_dict("records")
    half_width = row.get("ci95")
    return Printed(row["value"], None if pd.isna(half_width) else half_width)


def why_not_comparable(
    tier: str, scale: str, settings: Mapping[str, Any], printed_settings: Mapping[str, Any]
) -> str | None:
    """Why our number under `settings` must not stand beside the printed one; None if it may.

    Data have to be real, the scale the paper's, and every setting that the paper states
    (`printed_settings`, a tree) has to be ours.
    """
    foreign = [f"{tier} data"] * (tier != "real") + [f"{scale} scale"] * (scale != "paper")
    if foreign:
        return f"{' at '.join(foreign)}, not the paper's"
    differences = [
        f"{key} is {ours}, in the paper {theirs}"
        for key, ours, theirs in _differences(settings, printed_settings)
    ]
    return "; ".join(differences) or None


def _differences(ours: Mapping, theirs: Mapping, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    for key, value in theirs.items():
        if isinstance(value, Mapping):
            yield from _differences(ours[key], value, f"{path}{key}.")
        elif ours[key] != value:
            yield f"{path}{key}", ours[key], value
