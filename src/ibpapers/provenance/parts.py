"""Which runs are behind one cell of a table, one claim, or one number of the paper.

A number that is the mean over the seeds of a run is found by its value in the table of results;
what is computed from several runs has all runs of its study, or of its paper, behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ibpapers.errors import UserError, choices

PRINTED = "printed"  # the source of a table's row that shows the paper's own numbers
SAME = 1e-12  # relative; means differ by the order of their terms


@dataclass(frozen=True)
class Part:
    """A part of a result: its value, the runs behind it, and how these were found."""

    value: Any
    runs: tuple[str, ...]
    found: str
    study: str | None = None


def of_table(table: Mapping[str, Any], name: str, rows: pd.DataFrame, study: str) -> Part:
    """The cell of a table (as `exhibits.draw_table` writes it) called ``ROW/COLUMN``.

    ROW is a label, or ``LABEL/SOURCE`` where several lines have it; without, the first is meant.

    Args:
        rows: the table of results, of all studies.

    Raises:
        UserError: there is no such cell.
    """
    cells: dict[str, tuple[Mapping, int]] = {}
    for row in table["rows"]:
        for column, header in enumerate(table["header"]):
            cells[f"{row['label']}/{row['source']}/{header}"] = row, column
            cells.setdefault(f"{row['label']}/{header}", (row, column))
    if name not in cells:
        labels = dict.fromkeys(f"{row['label']}/{row['source']}" for row in table["rows"])
        raise UserError(
            f"the table has no cell {name!r}. A cell is ROW/COLUMN; rows: {' | '.join(labels)}; "
            f"columns: {' | '.join(table['header'])}"
        )
    row, column = cells[name]
    return _of_cell(table, row, column, rows[rows["study"] == study], study)


def of_claim(verdicts: Sequence[Mapping[str, Any]], name: str, rows: pd.DataFrame) -> Part:
    """The claim called `name` of claims.json. Raises UserError where there is none."""
    named = {verdict["name"]: verdict for verdict in verdicts}
    if name not in named:
        raise UserError(f"there is no claim {name!r}; there are: {choices(name, named)}")
    verdict = named[name]
    value = {key: verdict[key] for key in ("claim", "outcome", "reason")}
    shown = [float(evidence["value"]) for evidence in verdict["evidence"]]
    known = _numbers(rows)
    found = [set() if number.is_integer() else _with_value(known, number) for number in shown]
    if found and all(found):  # a whole number may be a count of anything
        runs = _in_order(rows, set.union(*found))
        return Part(value, runs, "by the values that its evidence shows")
    return Part(value, _in_order(rows), "all of the paper: its evidence is computed from several")


def of_paper(numbers: Mapping[str, Any], path: str, tables: Mapping[str, pd.DataFrame]) -> Part:
    """The number at a dotted `path` of numbers.json; items of lists by place or name.

    Args:
        tables: paper to its table of results.

    Raises:
        UserError: nothing is there.
    """
    keys = path.split(".")
    value = _lookup(numbers, keys, path)
    match keys:
        case ["papers", paper, "results", study, method, *_]:
            rows = tables[paper]
            own = rows[(rows["study"] == study) & (rows["method"] == method)]
            return Part(value, _in_order(own), "the run of this method in this study", study)
        case ["papers", paper, "claims", claim, *_]:
            verdicts = numbers["papers"][paper]["claims"]
            name = _item(verdicts, claim)["name"]
            return replace(of_claim(verdicts, name, tables[paper]), value=value)
        case ["papers", paper, "studies", study, "tables", t, "table", "rows", row, "cells", i, *_]:
            there = _item(numbers["papers"][paper]["studies"], study)
            table = _item(there["tables"], t)["table"]
            rows = tables[paper][tables[paper]["study"] == there["name"]]
            cell = _of_cell(table, table["rows"][int(row)], int(i), rows, there["name"])
            return replace(cell, value=value)
        case ["papers", paper, "settings", *_]:
            return Part(value, _in_order(tables[paper]), "a setting of all runs of the paper")
        case ["papers", paper, *_]:
            return Part(value, _in_order(tables[paper]), "all runs of the paper")
    return Part(value, tuple(r for t in tables.values() for r in _in_order(t)), "all runs")


def _of_cell(
    table: Mapping[str, Any], row: Mapping[str, Any], column: int, rows: pd.DataFrame, study: str
) -> Part:
    cell = row["cells"][column]
    value = {key: content for key, content in cell.items() if content is not None}
    if row["source"] == PRINTED and cell["difference"] is None:
        return Part(value, (), "the paper's own number, from published/", study)
    known = _numbers(rows)
    own = _with_value(known, cell["value"])
    of_column = _of_column(table, column, known)
    runs = (own & of_column) or own or of_column
    if runs:
        how = "by its value in results.parquet" if own else "the run of its column"
        return Part(value, _in_order(rows, runs), how, study)
    return Part(value, _in_order(rows), "all runs of the study: it is computed from several", study)


def _of_column(table: Mapping[str, Any], column: int, known: pd.DataFrame) -> set[str]:
    """The runs in which every number of ours in the column is found."""
    ours = (row["cells"][column]["value"] for row in table["rows"] if row["source"] != PRINTED)
    found = [runs for value in ours if (runs := _with_value(known, value))]
    return set.intersection(*found) if found else set()


def _numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Every metric's mean over the seeds of a run, and its value for one seed: run, value, one."""
    means = rows.groupby(["study", "run", "metric"], sort=False)["value"].mean().reset_index()
    return pd.concat([means.assign(one=False), rows.assign(one=True)])[["run", "value", "one"]]


def _with_value(known: pd.DataFrame, value: float | None) -> set[str]:
    """The runs of which `value` is one of the `_numbers`.

    A whole number says nothing where it is of one seed: many have the same.
    """
    if value is None:
        return set()
    same = np.isclose(known["value"], value, rtol=SAME, atol=0)
    if float(value).is_integer():
        same &= ~known["one"]
    return set(known.loc[same, "run"])


def _in_order(rows: pd.DataFrame, runs: Iterable[str] | None = None) -> tuple[str, ...]:
    every = dict.fromkeys(rows["run"])
    return tuple(every if runs is None else [run for run in every if run in set(runs)])


def _lookup(tree: Any, keys: Sequence[str], path: str) -> Any:
    for number, key in enumerate(keys):
        try:
            tree = _item(tree, key) if isinstance(tree, list) else tree[key]
        except (KeyError, IndexError, ValueError, TypeError):
            above = ".".join(keys[:number]) or "the numbers of the paper"
            raise UserError(
                f"no number is called {path!r}: {above} has no {key!r}, but: "
                f"{choices(key, _names(tree))}"
            ) from None
    return tree


def _item(items: Sequence[Any], key: str) -> Any:
    """The item of a list by its name or its place, counted from 0."""
    named = (item for item in items if isinstance(item, Mapping) and item.get("name") == key)
    found = next(named, None)
    return items[int(key)] if found is None else found


def _names(tree: Any) -> list[str]:
    if isinstance(tree, Mapping):
        return [str(key) for key in tree]
    if isinstance(tree, list):
        return [
            str(item.get("name", number)) if isinstance(item, Mapping) else str(number)
            for number, item in enumerate(tree)
        ]
    return []
