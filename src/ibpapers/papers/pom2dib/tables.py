"""Table I and II beside print; and that of the stable selection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import pandas as pd

from ibpapers.papers.pom2dib import stability
from ibpapers.papers.pom2dib.settings import Limits
from ibpapers.report.exhibits import Cell, Metric, Row, Table, View
from ibpapers.report.published import (
    Printed,
    needed,
    not_comparable,
    printed,
    why_not_comparable,
)
from ibpapers.report.results import settings_of, with_settings

METHODS = {"pom2dib": "PoM²-DIB", "rsdib": "RS-DIB", "tadib": "TADIB", "dlsc": "DLSC"}

# By our names and by those of published/.
DATASETS = {"handwritten": "HandWritten", "mm_fi": "MM-Fi"}
PRINTED_DATASETS = {"handwritten": "handwritten", "mm_fi": "mmfi"}

# Section VIII-A. Not in the text: 20 batches an update (from the authors' release) and the
# factorised marginal (the printed sum-rates exceed what the joint one can reach).
PRINTED_DIMENSIONS = {"handwritten": 24, "mm_fi": 48}  # of a code
PRINTED_LIMITS = Limits(transmitters_per_task=2, encodings_per_transmitter=4)
PRINTED_TRAINING = {
    "updates": 2000,
    "batches_per_update": 20,
    "batch_size": 20,
    "rate_estimator": "factorised",
}
PRINTED_BETA = 1e-3
PRINTED_CODING_RATE = 1e-4
PRINTED_RATIO = 0.5  # of the selection's learning rate to the coding's
PRINTED_UNDER_LIMITS = {"pom2dib": True, "rsdib": True, "tadib": False, "dlsc": False}


_OVERALL = (
    Metric("sum_rate", "Sum-rate", "nat", "sum_rate_nat", 1),
    Metric("n_ce", "N-CE", "nat", "n_ce_nat", 2),
)
_METRICS = {
    "handwritten": (
        *_OVERALL,
        Metric("t1_top1", "Parity, Top-1", "%", "t1_top1_percent", 1),
        Metric("t2_top1", "Ring, Top-1", "%", "t2_top1_percent", 1),
        Metric("t3_top1", "Digit, Top-1", "%", "t3_top1_percent", 1),
    ),
    "mm_fi": (
        *_OVERALL,
        Metric("t1_mpjpe", "Pose, MPJPE", "mm", "t1_mpjpe_mm", 1),
        Metric("t1_pa_mpjpe", "Pose, PA-MPJPE", "mm", "t1_pa_mpjpe_mm", 1),
        Metric("t2_top1", "Action, Top-1", "%", "t2_top1_percent", 1),
        Metric("t3_top1", "Scene, Top-1", "%", "t3_top1_percent", 1),
    ),
}


def table_1a(view: View) -> Table:
    """Table I(a): HandWritten."""
    return _table_1(view, "handwritten")


def table_1b(view: View) -> Table:
    """Table I(b): MM-Fi. N-CE is minus the sum of two cross entropies and a squared error."""
    return _table_1(view, "mm_fi")


def _table_1(view: View, dataset: str) -> Table:
    """Metrics by methods; ours on the test set and in the training log, and printed."""
    columns = {
        METHODS[method]: _Column(
            view.where(method=method),
            partial(printed_number, view, dataset, method),
            why_not_printed(view, dataset, method),
            is_entropy=method == "dlsc",
        )
        for method in view.present("method", METHODS)
    }
    methods = view.present("method", METHODS)
    limits = (_under_limits(view, methods), _under_limits_printed(methods))
    return Table(
        caption=f"Overall and task-specific performance on {DATASETS[dataset]}",
        header=tuple(columns),
        rows=(*limits, *_beside_print(columns.values(), _METRICS[dataset])),
        notes=(_entropy_note(view), *_notes(view, columns.values())),
    )


def table_2a(view: View) -> Table:
    """Table II(a): HandWritten."""
    return _table_2(view, "handwritten")


def table_2b(view: View) -> Table:
    """Table II(b): MM-Fi."""
    return _table_2(view, "mm_fi")


def _table_2(view: View, dataset: str) -> Table:
    """Sum-rate and N-CE of pom2dib by the ratio of its learning rates, beside print.

    The ratio is the selection's learning rate over the coding's; the latter is the same in all.
    """
    columns = {}
    for ratio, run in runs_by_ratio(view).items():
        one = view.where(run=run)
        columns[ratio_text(ratio)] = _Column(
            one,
            partial(_printed_at_ratio, view, dataset, ratio),
            why_not_printed(one, dataset, "pom2dib", ratio=ratio),
        )
    return Table(
        caption=f"{METHODS['pom2dib']} by the learning rate of its selection over that of its "
        f"coding, {DATASETS[dataset]}",
        header=tuple(columns),
        rows=tuple(_beside_print(columns.values(), _OVERALL)),
        notes=_notes(view, columns.values()),
    )


def runs_by_ratio(view: View) -> dict[float, str]:
    """Run ids by the selection's learning rate over the coding's, rising."""
    runs = with_settings(view.rows.drop_duplicates("run"), "training")
    rates = [training["learning_rate"] for training in runs["training"]]
    ratios = [rate["selection"] / rate["coding"] for rate in rates]
    return dict(sorted(zip(ratios, runs["run"], strict=True)))


def ratio_text(ratio: float) -> str:
    """As it is printed: 1:16."""
    fraction = Fraction(ratio).limit_denominator(10**6)
    return f"{fraction.numerator}:{fraction.denominator}"


def table_stability(view: View) -> Table:
    """What keeps the selection from collapsing."""
    return stability.table(view, METHODS)


def links_selected(rows: pd.DataFrame) -> pd.Series:
    """The expected number of selected links, by seed, from the rows of one run."""
    rows = rows[rows["metric"].str.startswith("selection/")]
    return rows.groupby("seed")["value"].sum()


def why_not_printed(
    view: View,
    dataset: str,
    method: str,
    *,
    at_beta: bool = True,
    beta: float = PRINTED_BETA,
    ratio: float = PRINTED_RATIO,
    limits: Limits = PRINTED_LIMITS,
    gamma: float | None = None,
) -> str | None:
    """Why the method's printed numbers must not stand beside ours; None where they may.

    The numbers are those printed for `beta`, a `ratio` of the learning rates and `limits`, with a
    sparse prior where there is a `gamma`. A curve over beta has not `at_beta`: it may be any.
    """
    runs = view.rows[view.rows["method"] == method].drop_duplicates("run")
    settings = settings_of(runs if at_beta else runs.head(1))
    model = {"code_dimension": PRINTED_DIMENSIONS[dataset], "widths": [512, 256]}
    coding = PRINTED_CODING_RATE
    training: dict = {
        **PRINTED_TRAINING,
        "learning_rate": {"coding": coding, "selection": ratio * coding},
    }
    if gamma is not None:
        training["gamma"] = gamma
    stated: dict = {"limits": limits.model_dump(), "model": model, "training": training}
    if at_beta and settings["beta"] is not None:
        stated["beta"] = beta
    return why_not_comparable(view.tier, view.scale, settings, stated)


def printed_number(view: View, dataset: str, method: str, metric: str) -> Printed:
    """The number of Table I."""
    table = view.printed["table1"]
    return needed(table, dataset=PRINTED_DATASETS[dataset], method=method, metric=metric)


def _printed_at_ratio(view: View, dataset: str, ratio: float, metric: str) -> Printed | None:
    """The number of Table II; None for a ratio that it does not have."""
    return printed(
        view.printed["table2"],
        dataset=PRINTED_DATASETS[dataset],
        selection_to_coding_lr_ratio=ratio_text(ratio),
        metric=metric,
    )


def _under_limits(view: View, methods: list[str]) -> Row:
    """Whether no draw of any seed broke Eq. 9 or 10."""
    kept = {m: (view.values(method=m, metric="limit_violations") == 0).all() for m in methods}
    return Row("Under limits", "", "ours", tuple(_yes_no(kept[m]) for m in methods))


def _under_limits_printed(methods: list[str]) -> Row:
    cells = tuple(_yes_no(PRINTED_UNDER_LIMITS[m]) for m in methods)
    return Row("Under limits", "", "printed", cells)


def _yes_no(answer: bool) -> Cell:
    return Cell(text="yes" if answer else "no")


@dataclass(frozen=True)
class _Column:
    """What stands beside print: the rows of one run, and its printed number of a metric.

    `why_not`: why the two must not be compared. `is_entropy`: its sum-rate is no rate.
    """

    view: View
    printed: Callable[[str], Printed | None]
    why_not: str | None
    is_entropy: bool = False

    def note(self, metric: Metric) -> int | None:
        return _ENTROPY if self.is_entropy and metric.name == "sum_rate" else None

    def ours(self, metric: Metric, name: str) -> Cell:
        return Cell.of(self.view.estimate(metric=name), self.note(metric))

    def beside(self, metric: Metric) -> Cell:
        """The printed number; and its distance from our training log, most likely its like."""
        number, note = self.printed(metric.printed), self.note(metric)
        if number is None:
            return Cell(text="not printed")
        difference = None
        if self.why_not is None and note is None:
            difference = self.view.estimate(metric=f"training_{metric.name}").mean - number.value
        return Cell(number.value, number.half_width, difference=difference, note=note)


_ENTROPY = 1  # its note


def _beside_print(columns: Collection[_Column], metrics: Iterable[Metric]) -> Iterator[Row]:
    """Three lines a metric: whole test set, training log, printed.

    Ours are means over seeds with 95% t-intervals (none with one seed).
    """
    comparable = not any(column.why_not for column in columns)
    for metric in metrics:
        for source, name in (
            ("whole test set", metric.name),
            ("training log", f"training_{metric.name}"),
        ):
            cells = tuple(column.ours(metric, name) for column in columns)
            yield Row(metric.label, metric.unit, source, cells, metric.digits)
        cells = tuple(column.beside(metric) for column in columns)
        yield Row(metric.label, metric.unit, "printed", cells, comparable=comparable)


def _entropy_note(view: View) -> str:
    return (
        f"k-nearest-neighbour entropy of the codes at n = {_samples(view)} samples, as in print: "
        "a differential entropy, not a rate, and not comparable with the other columns."
    )


def _notes(view: View, columns: Collection[_Column]) -> tuple[str, str]:
    why_not = not_comparable(column.why_not for column in columns)
    return (
        why_not or "Δ: our training log minus the printed number.",
        f"Rates are estimated on batches of n = {_samples(view)} and grow with n.",
    )


def _samples(view: View) -> int:
    return view.settings["evaluation"]["batch_size"]
