"""The table of a paper's results: every run of every study, one row per seed and metric."""

from __future__ import annotations

import json
import reprlib
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow.parquet as pq
from scipy.special import stdtrit

from ibpapers.errors import UserError
from ibpapers.files import atomic_write
from ibpapers.plan import Plan, Run

COLUMNS = (
    "paper", "study", "dataset", "tier", "scale", "run", "method", "settings", "seed", "metric",
    "value", "unit",
)  # fmt: skip
MOST_ROWS = 10_000_000  # of a table: a small file can promise more than memory holds


def results_file(plan: Plan, paper: str) -> Path:
    return plan.report_folder(paper) / "results.parquet"


def collect(plan: Plan, paper: str) -> None:
    """Write `results.parquet`: the checked evaluations of `paper`, one block per study.

    A run in two studies has its rows in both. The same evaluations give the same bytes.

    Raises:
        UserError: an evaluation is missing, incomplete, or not what the plan asks for; the
            message names the file.
    """
    blocks = [
        _evaluation(plan, plan.run(run_id)).assign(study=study.name)
        for study in plan.papers[paper].studies
        for run_id in study.runs
    ]
    table = pd.concat(blocks, ignore_index=True)[list(COLUMNS)]
    with atomic_write(results_file(plan, paper)) as temporary:
        table.to_parquet(temporary, index=False)


def read(plan: Plan, paper: str) -> pd.DataFrame:
    """The table that `collect` wrote, columns `COLUMNS`.

    Raises:
        UserError: it is not there, cannot be read, or is not the plan's.
    """
    path, made_by = results_file(plan, paper), f"collect {paper}"
    return _checked(_read_parquet(path, made_by), _schema_of_paper(plan, paper), path, made_by)


def select(rows: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The lines of `rows` in which every column is as given; None stands for NaN or None."""
    return rows[found_in(rows, **columns)]


def found_in(rows: pd.DataFrame, **columns: Any) -> np.ndarray:
    """Where in `rows` the lines are that `select` gives, bool [lines]."""
    found = np.ones(len(rows), bool)
    for column, wanted in columns.items():
        same = rows[column].isna() if wanted is None else rows[column] == wanted
        found &= same.to_numpy(bool)
    return found


def settings_of(rows: pd.DataFrame) -> dict:
    """The settings that all `rows` share. Raises ValueError where they differ."""
    (text,) = rows["settings"].unique()
    return json.loads(text)


def with_settings(rows: pd.DataFrame, *names: str) -> pd.DataFrame:
    """`rows` with entries of their settings as columns of these names."""
    settings = {text: json.loads(text) for text in rows["settings"].unique()}
    return rows.assign(
        **{
            name: rows["settings"].map({text: one[name] for text, one in settings.items()})
            for name in names
        }
    )


def with_beta(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with the beta of their settings as a column; NaN for a method without a rate term."""
    return with_settings(rows, "beta").astype({"beta": float})


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds; `half_width` of its 95% confidence interval, None with one seed."""

    mean: float
    half_width: float | None
    seeds: int


def estimate(values: Iterable[float], level: float = 0.95) -> Estimate:
    """The mean of one value per seed, with Student's t interval: t(n - 1) * s / sqrt(n)."""
    sample = np.asarray(list(values), dtype=float)
    n = len(sample)
    if n == 1:
        return Estimate(float(sample[0]), None, 1)
    quantile = stdtrit(n - 1, (1 + level) / 2)
    half_width = quantile * sample.std(ddof=1) / np.sqrt(n)
    return Estimate(float(sample.mean()), float(half_width), n)


def _evaluation(plan: Plan, run: Run) -> pd.DataFrame:
    path, made_by = plan.evaluation_file(run.id), f"evaluate {run.id}"
    return _checked(_read_parquet(path, made_by), _schema_of_run(plan, run), path, made_by)


def _checked(
    rows: pd.DataFrame, schema: pa.DataFrameSchema, path: Path, made_by: str
) -> pd.DataFrame:
    try:
        return schema.validate(rows, lazy=True)
    except pa.errors.SchemaErrors as error:
        problems = "; ".join(_problems(error.failure_cases))
        raise UserError(
            f"{path}: {problems}. Make it again: python -m ibpapers {made_by}"
        ) from None


def _text(*allowed: str) -> pa.Column:
    among = pa.Check.isin(allowed, error=f"one of {', '.join(allowed)}")
    return pa.Column(str, among if allowed else None)


def _columns() -> dict[str, pa.Column]:
    """The columns that are the same in all tables."""
    return {
        "settings": pa.Column(str, pa.Check(_are_settings, name="a mapping as JSON")),
        "seed": pa.Column(int),
        "metric": _text(),
        "value": pa.Column(float, pa.Check(np.isfinite, name="finite numbers")),
        "unit": _text(),
    }


def _are_settings(column: pd.Series) -> pd.Series:
    return column.isin([text for text in column.unique() if _is_settings(text)])


def _is_settings(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (TypeError, ValueError, RecursionError):
        return False


def _schema_of_paper(plan: Plan, paper: str) -> pa.DataFrameSchema:
    """One finite value per study, run, seed and metric, of the plan's studies and runs."""
    planned = plan.papers[paper]
    return pa.DataFrameSchema(
        {
            "paper": _text(paper),
            "study": _text(*(study.name for study in planned.studies)),
            "dataset": _text(),
            "tier": _text(plan.params.data),
            "scale": _text(plan.params.scale),
            "run": _text(*(run.id for run in planned.runs)),
            "method": _text(),
            **_columns(),
        },
        strict=True,
        unique=["study", "run", "seed", "metric"],
    )


def _schema_of_run(plan: Plan, run: Run) -> pa.DataFrameSchema:
    """One finite value per seed and metric, of this run, for every seed of its recipe."""
    seeds = set(run.recipe["seeds"])
    every_seed = pa.Check(
        lambda rows: rows.groupby("metric")["seed"].agg(lambda column: set(column) == seeds).all(),
        name="every metric has every seed of the recipe",
    )
    return pa.DataFrameSchema(
        {
            "paper": _text(run.paper),
            "dataset": _text(run.dataset),
            "tier": _text(plan.params.data),
            "scale": _text(plan.params.scale),
            "run": _text(run.id),
            "method": _text(run.method),
            **_columns(),
        },
        checks=every_seed,
        strict=True,
        unique=["seed", "metric"],
    )


def _problems(failures: pd.DataFrame) -> list[str]:
    """One phrase per kind of failure: which column, what is expected, an example."""
    phrases = []
    for (schema, column, check), cases in failures.groupby(
        ["schema_context", "column", "check"], dropna=False, sort=False
    ):
        example = reprlib.repr(cases["failure_case"].iloc[0])
        expected = textwrap.shorten(str(check), 200, placeholder=" ...")
        match check:
            case "column_in_dataframe":
                phrases.append(f"column {example} is missing")
            case "column_in_schema":
                phrases.append(f"column {example} is not known")
            case "not_nullable":
                phrases.append(f"column {column!r} has {len(cases)} missing values (NaN)")
            case "multiple_fields_uniqueness":
                phrases.append("a seed and metric stands twice")
            case _ if schema == "DataFrameSchema":
                phrases.append(f"expected {expected}")
            case _:
                phrases.append(f"column {column!r}: expected {expected}, found {example}")
    return list(dict.fromkeys(phrases))


def _read_parquet(path: Path, made_by: str) -> pd.DataFrame:
    try:
        promised = pq.read_metadata(path).num_rows
        if promised <= MOST_ROWS:
            return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors are either
        raise UserError(
            f"{path}: cannot be read: {error}. Make it: python -m ibpapers {made_by}"
        ) from None
    raise UserError(
        f"{path}: promises {promised:,} rows; at most {MOST_ROWS:,} are allowed. Make it again: "
        f"python -m ibpapers {made_by}"
    )
