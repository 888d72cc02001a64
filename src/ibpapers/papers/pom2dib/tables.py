"""Table I, every method beside print; and what keeps the selection from collapsing."""

from __future__ import annotations

import pandas as pd

from ibpapers.report.exhibits import Cell, Metric, Row, Table, View
from ibpapers.report.published import Printed, needed, not_comparable, why_not_comparable
from ibpapers.report.results import settings_of

METHODS = {"pom2dib": "PoM²-DIB", "rsdib": "RS-DIB", "tadib": "TADIB", "dlsc": "DLSC"}

# By our names and by those of published/.
DATASETS = {"handwritten": "HandWritten", "mm_fi": "MM-Fi"}
PRINTED_DATASETS = {"handwritten": "handwritten", "mm_fi": "mmfi"}

# Section VIII-A. Not in the text: 20 batches an update (from the authors' release) and the
# factorised marginal (the printed sum-rates exceed what the joint one can reach).
PRINTED_DIMENSIONS = {"handwritten": 24, "mm_fi": 48}  # of a code
PRINTED_SETTINGS = {
    "limits": {"transmitters_per_task": 2, "encodings_per_transmitter": 4},
    "training": {
        "updates": 2000,
        "batches_per_update": 20,
        "batch_size": 20,
        "learning_rate": {"coding": 1e-4, "selection": 5e-5},
        "rate_estimator": "factorised",
    },
}
PRINTED_BETA = 1e-3
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
    """Metrics by methods; ours on the test set and in the training log, and printed.

    Mean over seeds with 95% t-interval (none with one seed). A difference (training log minus
    printed, which most likely is training-log too) is given only where the two are comparable.
    """
    methods = view.present("method", METHODS)
    why_not = {m: why_not_printed(view, dataset, m) for m in methods}
    rows = [_under_limits(view, methods), _under_limits_printed(methods)]
    for metric in _METRICS[dataset]:
        rows += [
            _ours(view, methods, metric, "whole test set", metric.name),
            _ours(view, methods, metric, "training log", f"training_{metric.name}"),
            _printed(view, dataset, methods, metric, why_not),
        ]
    return Table(
        caption=f"Overall and task-specific performance on {DATASETS[dataset]}",
        header=tuple(METHODS[m] for m in methods),
        rows=tuple(rows),
        notes=_notes(view, why_not),
    )


def table_stability(view: View) -> Table:
    """PoM2-DIB, the stable one, and that without each of its changes: over seeds, test set.

    The worst seed counts, not the mean alone: the collapse is a matter of seed.
    """
    runs = {_variant(run): view.where(run=run) for run in view.rows["run"].unique()}
    found = tuple(runs.values())
    n_ce = [one.values(metric="n_ce") for one in found]

    def row(label: str, unit: str, cells: list[Cell], digits: int = 2) -> Row:
        return Row(label, unit, "whole test set", tuple(cells), digits)

    return Table(
        caption="What keeps the selection from collapsing",
        header=tuple(runs),
        rows=(
            row("N-CE", "nat", [Cell.of(one.estimate(metric="n_ce")) for one in found]),
            row("N-CE, worst seed", "nat", [Cell(values.min()) for values in n_ce]),
            row(
                f"Seeds above {N_CE_KEPT:g}".replace("-", "−"),
                "",
                [Cell(text=f"{(v > N_CE_KEPT).sum()} of {len(v)}") for v in n_ce],
            ),
            row("Sum-rate", "nat", [Cell.of(one.estimate(metric="sum_rate")) for one in found], 1),
            row("Links per draw", "", [Cell.of(one.estimate(metric="links")) for one in found], 1),
            row("Noise link, worst seed", "", [Cell(_noise(one).max()) for one in found]),
        ),
        notes=(
            "Noise link: the probability that the most selected link to a noise modality is used.",
        ),
    )


N_CE_KEPT = -0.7  # nats: below it, a seed has lost links that it needed
_VARIANTS = {
    **METHODS,
    "pom2dib_stable": "stable",
    "pom2dib_stable_without_wait": "no wait",
    "pom2dib_stable_without_leave_one_out": "constant baseline",
    "pom2dib_stable_without_sets": "in order",
}


def _variant(run: str) -> str:
    """Of which method and change a run id such as pom2dib/handwritten/tadib_beta=0.1 is."""
    return _VARIANTS[run.rpartition("/")[2].partition("_beta=")[0]]


def _noise(view: View) -> pd.Series:
    """The probability of every link to a noise modality, of every task and seed."""
    return view.rows.loc[view.rows["metric"].str.fullmatch(r"selection/.*/C\d"), "value"]


def why_not_printed(view: View, dataset: str, method: str, *, at_beta: bool = True) -> str | None:
    """Why the method's printed numbers must not stand beside ours; None where they may.

    `at_beta` asks for Table I's beta too, as a table does; a curve over beta does not.
    """
    runs = view.rows[view.rows["method"] == method].drop_duplicates("run")
    settings = settings_of(runs if at_beta else runs.head(1))
    model = {"code_dimension": PRINTED_DIMENSIONS[dataset], "widths": [512, 256]}
    stated: dict = {**PRINTED_SETTINGS, "model": model}
    if at_beta and settings["beta"] is not None:
        stated["beta"] = PRINTED_BETA
    return why_not_comparable(view.tier, view.scale, settings, stated)


def printed_number(view: View, dataset: str, method: str, metric: str) -> Printed:
    """The number of Table I."""
    table = view.printed["table1"]
    return needed(table, dataset=PRINTED_DATASETS[dataset], method=method, metric=metric)


def _under_limits(view: View, methods: list[str]) -> Row:
    """Whether no draw of any seed broke Eq. 9 or 10."""
    kept = {m: (view.values(method=m, metric="limit_violations") == 0).all() for m in methods}
    return Row("Under limits", "", "ours", tuple(_yes_no(kept[m]) for m in methods))


def _under_limits_printed(methods: list[str]) -> Row:
    cells = tuple(_yes_no(PRINTED_UNDER_LIMITS[m]) for m in methods)
    return Row("Under limits", "", "printed", cells)


def _yes_no(answer: bool) -> Cell:
    return Cell(text="yes" if answer else "no")


def _ours(view: View, methods: list[str], metric: Metric, source: str, name: str) -> Row:
    cells = []
    for method in methods:
        note = _ENTROPY if _is_entropy(method, metric) else None
        cells.append(Cell.of(view.estimate(method=method, metric=name), note))
    return Row(metric.label, metric.unit, source, tuple(cells), metric.digits)


def _printed(view: View, dataset: str, methods: list[str], metric: Metric, why_not: dict) -> Row:
    cells = []
    for method in methods:
        number = printed_number(view, dataset, method, metric.printed)
        entropy = _is_entropy(method, metric)
        difference = None
        if why_not[method] is None and not entropy:
            ours = view.estimate(method=method, metric=f"training_{metric.name}")
            difference = ours.mean - number.value
        note = _ENTROPY if entropy else None
        cells.append(Cell(number.value, number.half_width, difference=difference, note=note))
    comparable = not any(why_not.values())
    return Row(metric.label, metric.unit, "printed", tuple(cells), comparable=comparable)


_ENTROPY = 1  # its note


def _is_entropy(method: str, metric: Metric) -> bool:
    return method == "dlsc" and metric.name == "sum_rate"


def _notes(view: View, why_not: dict[str, str | None]) -> tuple[str, ...]:
    n = view.settings["evaluation"]["batch_size"]
    entropy = (
        f"k-nearest-neighbour entropy of the codes at n = {n} samples, as in print: "
        "a differential entropy, not a rate, and not comparable with the other columns."
    )
    comparison = not_comparable(why_not.values()) or "Δ: our training log minus the printed number."
    rate = f"Rates are estimated on batches of n = {n} and grow with n."
    return entropy, comparison, rate
