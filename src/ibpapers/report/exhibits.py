"""Figures and tables: drawn by the function of the same name in the paper's folder.

``figures.<name>(view)`` returns a matplotlib Figure, ``tables.<name>(view)`` a `Table`; both see
nothing but the `View` of their study.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from ibpapers import arrays
from ibpapers.errors import UserError
from ibpapers.files import atomic_write, read_json, write_json
from ibpapers.papers import PAPERS
from ibpapers.plan import Exhibit, Plan
from ibpapers.report import published, results, stored
from ibpapers.report.results import Estimate

History = Mapping[str, np.ndarray]  # the arrays of a run's history.npz


@dataclass(frozen=True)
class View:
    """What an exhibit or a claim is made from.

    Attributes:
        rows: results table (`results.COLUMNS`) of the study, or of all studies for a claim.
        histories: run id to training history, for the runs the exhibit names.
        entropies: id to estimate, for those the exhibit names.
        printed: the paper's printed tables by name.
        settings: the paper's section of params.yaml.
    """

    tier: str
    scale: str
    rows: pd.DataFrame
    histories: Mapping[str, History]
    entropies: Mapping[str, Mapping[str, Any]]
    printed: Mapping[str, pd.DataFrame]
    settings: Mapping[str, Any]

    def where(self, **columns: Any) -> View:
        """The view of those rows in which each column is as asked."""
        return replace(self, rows=results.select(self.rows, **columns))

    def present(self, column: str, known: Iterable[str]) -> list[str]:
        """Those of `known`, in their order, that stand in a column of the rows."""
        there = set(self.rows[column])
        return [one for one in known if one in there]

    def values(self, **columns: Any) -> pd.Series:
        """One value per seed, indexed by seed, of the rows in which each column is as asked."""
        found = results.found_in(self.rows, **columns)
        return self.rows.loc[found, ["seed", "value"]].set_index("seed")["value"].sort_index()

    def estimate(self, **columns: Any) -> Estimate:
        """Mean and 95% interval over seeds of `values`."""
        return results.estimate(self.values(**columns))


@dataclass(frozen=True)
class Metric:
    """How tables call a metric of the results, and the column of the printed table."""

    name: str
    label: str
    unit: str
    printed: str
    digits: int


@dataclass(frozen=True)
class Cell:
    """A number with its 95% half-width and number of seeds, or a text in its place.

    `difference` is ours minus the printed number, where the two are comparable; `note` counts the
    table's notes from 1.
    """

    value: float | None = None
    half_width: float | None = None
    seeds: int | None = None
    text: str | None = None
    difference: float | None = None
    note: int | None = None

    @classmethod
    def of(cls, estimate: Estimate, note: int | None = None) -> Cell:
        return cls(estimate.mean, estimate.half_width, estimate.seeds, note=note)


@dataclass(frozen=True)
class Row:
    """One line: a metric, whose number it is ("whole test set", "printed"), one cell a column."""

    label: str
    unit: str
    source: str
    cells: tuple[Cell, ...]
    digits: int = 2
    comparable: bool = True


@dataclass(frozen=True)
class Table:
    caption: str
    header: tuple[str, ...]  # of the cells
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def signed(number: str) -> str:
    """With a true minus sign."""
    return number.replace("-", "−")


def figure_file(plan: Plan, paper: str, name: str) -> Path:
    return plan.report_folder(paper) / f"{name}.pdf"


def table_file(plan: Plan, paper: str, name: str) -> Path:
    return plan.report_folder(paper) / f"{name}.json"


def read_table(plan: Plan, paper: str, name: str) -> dict[str, Any]:
    """The table that `draw_table` wrote, as JSON.

    Raises:
        UserError: it is missing, damaged, or of other data or another scale.
    """
    path, made_by = table_file(plan, paper, name), f"table {paper}/{name}"
    content = stored.read(path, Table, made_by)
    if (content.get("tier"), content.get("scale")) != (plan.params.data, plan.params.scale):
        raise UserError(
            f"{path} is not of {plan.params.data} data at {plan.params.scale} scale. "
            f"Make it again: python -m ibpapers {made_by}"
        )
    return content


def draw_figure(plan: Plan, paper: str, name: str, trace: str = "") -> None:
    """Draw a figure of the plan as a vector PDF that carries `trace` among its metadata.

    Raises:
        UserError: the plan has no such figure, or what it is drawn from is missing.
    """
    from ibpapers.report import style  # matplotlib takes its time to import

    exhibit = _named(plan.papers[paper].figures, paper, "figure", name)
    draw = _function(paper, "figures", name)
    with style.house_style():
        figure = draw(_view(plan, paper, exhibit))
        style.stamp(figure, plan.params.data, plan.params.scale)
        with atomic_write(figure_file(plan, paper, name)) as temporary:
            style.save_pdf(figure, temporary, trace)


def draw_table(plan: Plan, paper: str, name: str) -> None:
    """Write a table of the plan as JSON, with tier and scale.

    Raises:
        UserError: the plan has no such table, or what it is drawn from is missing.
    """
    exhibit = _named(plan.papers[paper].tables, paper, "table", name)
    table: Table = _function(paper, "tables", name)(_view(plan, paper, exhibit))
    content = {"tier": plan.params.data, "scale": plan.params.scale, **asdict(table)}
    write_json(table_file(plan, paper, name), content)


def view(
    plan: Plan,
    paper: str,
    rows: pd.DataFrame,
    histories: Mapping[str, History] = MappingProxyType({}),
    entropies: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> View:
    """What a paper's functions look at: these, with the settings and the printed numbers."""
    return View(
        tier=plan.params.data,
        scale=plan.params.scale,
        rows=rows,
        histories=histories,
        entropies=entropies,
        printed=published.read(paper),
        settings=getattr(plan.params.papers, paper).model_dump(mode="json"),
    )


def _view(plan: Plan, paper: str, exhibit: Exhibit) -> View:
    rows = results.read(plan, paper)
    histories = {run_id: _history(plan, run_id) for run_id in exhibit.histories}
    entropies = {one: read_json(plan.entropy_file(one)) for one in exhibit.entropies}
    return view(plan, paper, rows[rows["study"] == exhibit.study], histories, entropies)


def _history(plan: Plan, run_id: str) -> History:
    return arrays.read(plan.run_folder(run_id) / "history.npz")


def _named(exhibits: tuple[Exhibit, ...], paper: str, kind: str, name: str) -> Exhibit:
    for exhibit in exhibits:
        if exhibit.name == name:
            return exhibit
    known = ", ".join(exhibit.name for exhibit in exhibits) or "none"
    raise UserError(f"{paper} has no {kind} {name!r}; the plan has: {known}")


def _function(paper: str, room: str, name: str) -> Callable[[View], Any]:
    return getattr(PAPERS[paper].room(room), name)
