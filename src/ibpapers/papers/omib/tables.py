"""Tables 2, 4 and 6, and the estimates behind the bound on beta, with the printed numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ibpapers.papers.omib import bounds
from ibpapers.report.exhibits import Cell, Metric, Row, Table, View
from ibpapers.report.published import not_comparable, why_not_comparable
from ibpapers.report.results import estimate, settings_of

DATASETS = {
    "sim1": "SIM-I",
    "sim2": "SIM-II",
    "sim3": "SIM-III",
    "mosi_bclstm": "MOSI, bc-LSTM",
    "mosi_transcripts": "MOSI, transcripts",
}
METHODS = {
    "concat": "Concat",
    "bigated": "BiGated",
    "misa": "MISA",
    "deep_ib": "deep IB",
    "mmib_cui": "MMIB-Cui",
    "mmib_zhang": "MMIB-Zhang",
    "dmib": "DMIB",
    "e_mib": "E-MIB",
    "l_mib": "L-MIB",
    "c_mib": "C-MIB",
    "omib": "OMIB",
}
FEATURES = {
    "consistent_relevant": "a0",
    "specific_relevant": "[a1; a2]",
    "unimodal_1": "v1",
    "unimodal_2": "v2",
    "authentic_optimal_mib": "[a0; a1; a2]",
    "union": "[v1; v2]",
}
ABLATIONS = {
    "full": "full",
    "without_warm_up": "no warm-up",
    "without_cross_attention": "no cross-attention",
    "without_omf": "no OMF",
    "without_r": "no r",
}

# Appendices F, H and I; what the text leaves open (b1 and b2, batch, hidden layers) is not here.
PRINTED_SETTINGS = {
    "model": {"encoding": 256, "head": [512, 100]},
    "training": {"learning_rate": 1e-4},
}
RELEVANT_DIMENSIONS = {
    "sim1": {"a0": 200, "a1": 500, "a2": 100},
    "sim2": {"a0": 200, "a1": 100, "a2": 500},
    "sim3": {"a0": 200, "a1": 300, "a2": 300},
}
RELEVANT_IN = {
    "consistent_relevant": ("a0",),
    "specific_relevant": ("a1", "a2"),
    "unimodal_1": ("a0", "a1"),
    "unimodal_2": ("a0", "a2"),
    "authentic_optimal_mib": ("a0", "a1", "a2"),
    "union": ("a0", "a1", "a2"),
    "omib": ("a0", "a1", "a2"),
}
TEST_SAMPLES = 1000  # behind a printed accuracy
NOTHING = Cell(text="–")


SENTIMENT = (
    Metric("acc7", "Acc7", "%", "acc7", 1),
    Metric("acc2_nonnegative", "Acc2, negative / non-negative", "%", "acc2", 1),
    Metric("acc2_positive", "Acc2, negative / positive", "%", "acc2", 1),
    Metric("f1_nonnegative", "F1, negative / non-negative", "%", "f1", 1),
    Metric("f1_positive", "F1, negative / positive", "%", "f1", 1),
    Metric("mae", "MAE", "", "mae", 3),
    Metric("corr", "Corr", "", "corr", 3),
)


def with_setting(view: View, key: str, value: Any) -> View:
    """The view of those rows whose settings have `value` at `key`."""
    texts = [text for text in view.rows["settings"].unique() if json.loads(text)[key] == value]
    return View(**{**vars(view), "rows": view.rows[view.rows["settings"].isin(texts)]})


def attainable(dataset: str, features: str) -> tuple[float, float]:
    """The best accuracy (0 to 1) that `features` allow, and by how much chance may exceed it.

    1 - arccos(sqrt(p)) / pi, with p = |delta_S|^2 / |delta|^2 the share of delta that the relevant
    factors S in them carry: in the mean the share of dimensions, p ~ Beta(d_S / 2, (d - d_S) / 2)
    over draws of delta. The second number is the deviation that this and a test set of 1,000 make.
    """
    dims = RELEVANT_DIMENSIONS[dataset]
    all_of_it = sum(dims.values())
    p = sum(dims[name] for name in RELEVANT_IN[features]) / all_of_it
    limit = 1 - math.acos(math.sqrt(p)) / math.pi
    if p == 1:
        return limit, 0.0
    of_p = math.sqrt(p * (1 - p) / (all_of_it / 2 + 1))
    of_delta = of_p / (2 * math.pi * math.sqrt(p * (1 - p)))
    return limit, math.hypot(of_delta, math.sqrt(limit * (1 - limit) / TEST_SAMPLES))


def table_2(view: View) -> Table:
    """Table 2: accuracy (percent) of parts of the observation and of OMIB's code, by SIM set.

    Beside ours what is attainable at best, and the printed number: with note a where it exceeds
    that by more than two deviations, with note b where it exceeds it at all.
    """
    rows = []
    why_not = set()
    for dataset in view.present("dataset", DATASETS):
        of_dataset = view.where(dataset=dataset)
        label = DATASETS[dataset]
        why = why_not_printed(of_dataset)
        why_not.add(why)
        rows += [
            Row(label, "%", "whole test set", _accuracies(of_dataset), 1),
            Row(label, "%", "attainable", _limits(dataset), 1),
            Row(label, "%", "printed", _printed(view, dataset), 1, comparable=why is None),
        ]
    return Table(
        caption="Classification by parts of the observation and by OMIB's code",
        header=(*FEATURES.values(), "OMIB's code"),
        rows=tuple(rows),
        notes=(
            "Not attainable as described: more than two deviations above 1 − arccos(√p) / π, the "
            "best that any classifier reaches on isotropic Gaussians which carry the share p of "
            "|δ|² (deviations: of p over draws of δ, and of a test set of 1,000).",
            "Above that limit, by no more than two deviations.",
            "The first six are a network each, of OMIB's encoder and head; attainable is without "
            "a limit on samples or training.",
            *filter(None, [not_comparable(why_not)]),
        ),
    )


def table_4(view: View) -> Table:
    """Table 4: sentiment metrics by methods, in both conventions of Acc2 and F1."""
    methods = view.present("method", METHODS)
    datasets = view.present("dataset", DATASETS)
    rows = []
    for metric in SENTIMENT:
        for dataset in datasets:
            rows += _sentiment(view.where(dataset=dataset), methods, metric, DATASETS[dataset])
        printed = [
            view.printed["table4_mosi"].set_index("method")[metric.printed].get(method)
            for method in methods
        ]
        cells = tuple(Cell(float(number)) for number in printed)
        rows.append(
            Row(metric.label, metric.unit, "printed", cells, metric.digits, comparable=False)
        )
    return Table(
        caption="Sentiment analysis on CMU-MOSI",
        header=tuple(METHODS[m] for m in methods),
        rows=tuple(rows),
        notes=(
            "Printed numbers are not comparable: they are from other features (BERT for the text) "
            "than are at hand. The text does not say which convention of Acc2 and F1 it uses; the "
            "number stands under both.",
            "bc-LSTM: the vectors of that release on its own split; they were trained on the "
            "labels of its training side, which is therefore unnaturally separable. Transcripts: "
            "own sentence embeddings and audio vectors on the standard folds, without video.",
        ),
    )


def table_6(view: View) -> Table:
    """Table 6: accuracy (percent) of OMIB without one of its parts; printed is CREMA-D's."""
    variants = [one for one in ABLATIONS if len(with_setting(view, "ablation", one).rows)]
    rows = []
    for dataset in view.present("dataset", DATASETS):
        cells = []
        for variant in variants:
            found = with_setting(view.where(dataset=dataset), "ablation", variant)
            cells.append(_mean(found, ablation_metric(dataset)))
        rows.append(Row(DATASETS[dataset], "%", "whole test set", tuple(cells), 1))
    printed = view.printed["table6_ablation_cremad"].set_index("variant")["accuracy_percent"]
    cells = tuple(Cell(float(printed[variant])) for variant in variants)
    rows.append(Row("CREMA-D", "%", "printed", cells, 1, comparable=False))
    return Table(
        caption="OMIB without one of its parts",
        header=tuple(ABLATIONS[variant] for variant in variants),
        rows=tuple(rows),
        notes=(
            "Printed numbers are CREMA-D's and not comparable. On MOSI: Acc2, negative / positive.",
        ),
    )


def table_entropies(view: View) -> Table:
    """What the bounds are made of: MINE's estimates, their ceilings and the k-NN cross-check."""
    by_dataset: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, one in view.entropies.items():
        by_dataset.setdefault(name.split("/")[1], {})[name] = one
    rows = []
    for dataset in (one for one in DATASETS if one in by_dataset):
        estimates, label = by_dataset[dataset], DATASETS[dataset]
        rows += [_estimate(label, one) for one in estimates.values()]
        found = bounds.bounds(estimates)
        for name, side in (("M_l", "lower"), ("M_u", "upper")):
            cell = Cell(getattr(found, side), getattr(found, f"{side}_std"))
            rows.append(Row(f"{label}, bound", "1/nat", name, (cell, *[NOTHING] * 3), 4))
    return Table(
        caption="Estimates before training, and the bounds on β made of them",
        header=("MINE", "ceiling", "k-NN", "samples"),
        rows=tuple(rows),
        notes=(
            "Touches its ceiling ln n for the n pairs it was read off from: a lower bound at "
            "best, so that bounds made of it carry no weight.",
            "H(v) is MINE(v, v), as in the paper. For continuous v the information of v with "
            "itself is infinite: the number is what a critic of the given size certifies on "
            "held-out samples, and depends on its training.",
            "k-NN: for H(v) the differential entropy (Kozachenko-Leonenko), another quantity, for "
            "I the mutual information (KSG); in this many dimensions both are far off.",
            "Of a bound ± is one deviation, what the spread of the estimates makes of it.",
        ),
    )


def why_not_printed(view: View) -> str | None:
    """Why the printed numbers on SIM must not stand beside those of the view's rows."""
    runs = view.where(method="omib").rows
    if runs.empty:
        return "the plan has no OMIB"
    return why_not_comparable(view.tier, view.scale, settings_of(runs), PRINTED_SETTINGS)


def ablation_metric(dataset: str) -> str:
    """The accuracy that an ablation is judged by."""
    return "accuracy" if dataset in RELEVANT_DIMENSIONS else "acc2_positive"


def _mean(view: View, metric: str) -> Cell:
    """The mean over seeds of a metric in the view's rows."""
    if view.where(metric=metric).rows.empty:
        return NOTHING
    return Cell.of(view.estimate(metric=metric))


def _accuracies(view: View) -> tuple[Cell, ...]:
    parts = [_mean(view.where(method="features"), f"accuracy/{name}") for name in FEATURES]
    return (*parts, _mean(view.where(method="omib"), "accuracy"))


def _limits(dataset: str) -> tuple[Cell, ...]:
    return tuple(Cell(100 * attainable(dataset, name)[0]) for name in (*FEATURES, "omib"))


def _printed(view: View, dataset: str) -> tuple[Cell, ...]:
    column = {"sim1": "sim_1", "sim3": "sim_3"}.get(dataset)
    if column is None:
        return (NOTHING,) * (len(FEATURES) + 1)
    numbers = view.printed["table2"].set_index("features")[column]
    cells = []
    for name in (*FEATURES, "omib"):
        limit, deviation = attainable(dataset, name)
        above = numbers[name] - limit
        note = None if above <= 0 else 1 if above > 2 * deviation else 2
        cells.append(Cell(100 * float(numbers[name]), note=note))
    return tuple(cells)


def _sentiment(view: View, methods: list[str], metric: Metric, label: str) -> list[Row]:
    """Means, and below them the half-widths of their intervals (beside them there is no room)."""
    means = [_mean(view.where(method=method), metric.name) for method in methods]
    half_widths = [NOTHING if mean.half_width is None else Cell(mean.half_width) for mean in means]
    bare = tuple(Cell(mean.value, None, mean.seeds, mean.text) for mean in means)
    rows = [Row(metric.label, metric.unit, label, bare, metric.digits)]
    if any(mean.half_width is not None for mean in means):
        rows.append(Row(metric.label, metric.unit, "±", tuple(half_widths), metric.digits))
    return rows


def _estimate(label: str, one: Mapping[str, Any]) -> Row:
    v, w = one["term"]
    cells = (
        Cell.of(estimate(one["per_seed"]), note=1 if one["touches_ceiling"] else None),
        Cell(one["ceiling"]),
        Cell(one["knn"]["value"]),
        Cell(text=str(one["samples"])),
    )
    return Row(label, "nat", f"H({v})" if v == w else f"I({v}; {w})", cells)


def betas(view: View) -> pd.DataFrame:
    """Accuracy (percent) of OMIB by run: columns run, seed, beta, accuracy, in order of beta."""
    rows = view.where(method="omib").rows
    rows = rows[rows["metric"].isin(["beta", "accuracy"])]
    wide = rows.pivot_table(index=["run", "seed"], columns="metric", values="value").reset_index()
    return wide.sort_values(["beta", "seed"], ignore_index=True)


def found_bounds(view: View) -> dict[str, tuple[float, float]] | None:
    """M_l and M_u (1/nat) of the view's dataset with a deviation each, if a run has read them."""
    rows = view.where(method="omib").rows.drop_duplicates("metric").set_index("metric")["value"]
    if "bound_upper" not in rows:
        return None
    return {
        name: (rows[f"bound_{side}"], rows[f"bound_{side}_std"])
        for name, side in (("M_l", "lower"), ("M_u", "upper"))
    }
