"""The numbers printed in the papers, and where they may stand beside ours.

``published/<paper>_<table>.csv`` holds one table each. A printed number is compared with ours only
where data and settings are the paper's; elsewhere it is listed with the reason why not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ibpapers.errors import UserError
from ibpapers.report.results import select

PUBLISHED = Path("published")
RESTORE = "Restore it: git checkout published"


@dataclass(frozen=True)
class Printed:
    """A printed number and its printed 95% interval, where there is one."""

    value: float
    half_width: float | None


class Tables(dict[str, pd.DataFrame]):
    """Printed tables by name. One that is not there raises a UserError."""

    def __missing__(self, name: str) -> pd.DataFrame:
        raise UserError(f"the printed numbers {name!r} are missing. {RESTORE}")


def read(paper: str, folder: Path = PUBLISHED) -> Tables:
    """The printed tables of `paper` by name ("table1", ...).

    Raises:
        UserError: there is none, or one is no table.
    """
    files = sorted(folder.glob(f"{paper}_*.csv"))
    if not files:
        raise UserError(f"{folder}: no printed numbers of {paper} ({paper}_*.csv)")
    return Tables({file.stem.removeprefix(f"{paper}_"): _read_csv(file) for file in files})


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:  # pandas' own errors are among the latter
        raise UserError(f"{path}: cannot be read: {error}. {RESTORE}") from None
    table.attrs["file"] = str(path)
    return table


def require(table: pd.DataFrame, *columns: str) -> None:
    """Raise UserError, which names the file, where a table of `read` lacks one of `columns`."""
    for column in columns:
        if column not in table:
            known = ", ".join(map(str, table.columns))
            raise UserError(
                f"{table.attrs['file']}: has no column {column!r}; it has {known}. {RESTORE}"
            )


def printed(table: pd.DataFrame, **where: Any) -> Printed | None:
    """The one number of a long table (columns value, ci95) under `where`; None if not printed.

    Raises:
        UserError: a column is missing, or the number stands twice or is none.
    """
    require(table, *where, "value")
    rows = select(table, **where)
    if rows.empty:
        return None
    row, *more = rows.to_dict("records")
    half_width = row.get("ci95")
    numbers = [row["value"], *([] if pd.isna(half_width) else [half_width])]
    if more or not all(isinstance(number, int | float) for number in numbers):
        at = ", ".join(map(str, where.values()))
        what = "stands twice" if more else f"is {numbers[0]!r}, which is no number"
        raise UserError(f"{table.attrs['file']}: what is printed for {at} {what}. {RESTORE}")
    return Printed(row["value"], None if pd.isna(half_width) else half_width)


def needed(table: pd.DataFrame, **where: Any) -> Printed:
    """Like `printed`. Raises UserError where it is not printed."""
    number = printed(table, **where)
    if number is None:
        at = ", ".join(map(str, where.values()))
        raise UserError(f"{table.attrs['file']}: has no number for {at}. {RESTORE}")
    return number


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


def not_comparable(reasons: Iterable[str | None]) -> str:
    """What a table notes where `reasons` hold its printed numbers apart; "" where none does."""
    listed = "; ".join(sorted({why for why in reasons if why}))
    return f"Printed numbers are not comparable here: {listed}." if listed else ""


def _differences(ours: Mapping, theirs: Mapping, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    for key, value in theirs.items():
        if isinstance(value, Mapping):
            yield from _differences(ours[key], value, f"{path}{key}.")
        elif ours[key] != value:
            yield f"{path}{key}", ours[key], value
