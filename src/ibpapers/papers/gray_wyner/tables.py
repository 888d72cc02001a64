"""Tables 2 to 6: a line per codec and eta, ours and as printed; measured bits in Table 6."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ibpapers.papers.gray_wyner.curves import (
    ABLATION,
    BASELINES,
    COLOURED,
    METHODS,
    PRINTED_BETA,
    points,
    printed_coloured,
    printed_synthetic,
    why_not_printed,
)
from ibpapers.report.exhibits import Cell, Row, Table, View
from ibpapers.report.published import not_comparable
from ibpapers.report.results import Estimate, estimate, select

HEADER = ("R₁", "R₂", "R₀", "Rₜ", "Rᵣ")
SYNTHETIC = (
    "rate_1", "rate_2", "rate_0", "transmit_rate", "receive_rate", "distortion_1", "distortion_2",
)  # fmt: skip
ACCURACIES = ("accuracy_1", "accuracy_2")
ESTIMATED = ("bits_1", "bits_2", "bits_0", "transmit_bits", "receive_bits", *ACCURACIES)
MEASURED = (
    "measured_bits_1", "measured_bits_2", "measured_bits_0", "measured_transmit_bits",
    "measured_receive_bits", *ACCURACIES,
)  # fmt: skip


def table_2(view: View) -> Table:
    """Table 2: the joint and the independent codec on the synthetic source."""
    return _synthetic(view, "baselines", BASELINES, None)


def table_3(view: View) -> Table:
    """Table 3: shared, separated and combined at beta = 1."""
    return _synthetic(view, "proposed methods", ABLATION, 1.0)


def table_4(view: View) -> Table:
    """Table 4: the same at beta = 3/2."""
    return _synthetic(view, "proposed methods", ABLATION, 1.5)


def table_5(view: View) -> Table:
    """Table 5: the same at beta = 2."""
    return _synthetic(view, "proposed methods", ABLATION, 2.0)


def table_6(view: View) -> Table:
    """Table 6: coloured MNIST, bits per image by the entropy models and as they leave the coder.

    What is decoded from the bitstreams are the very symbols, so that its accuracies are the same.
    """
    why_not = why_not_printed(view, "coloured_mnist")
    ours, printed = points(view), printed_coloured(view)
    rows: list[Row] = []
    for label, (method, pmf) in COLOURED.items():
        line = {"method": method, "pmf": pmf}
        rows += _lines(
            view, label, select(ours, **line), select(printed, **line), ESTIMATED, why_not,
            {"estimate": ESTIMATED, "bitstreams": MEASURED},
        )  # fmt: skip
    return Table(
        caption="Rates (bits per image) and top-1 accuracies on coloured MNIST",
        header=(*HEADER, "digit", "colour"),
        rows=tuple(rows),
        notes=(
            "R₁: digit, R₂: colour, R₀: common. Estimate: by the entropy models, on the test set. "
            "Bitstreams: what an entropy coder with the same distributions writes for a batch of "
            "images, divided by their number; the decoded symbols, and so the accuracies, are the "
            "same.",
            f"Mixture (Independent) is the codec without a common channel; the others are the "
            f"shared codec at β = {PRINTED_BETA:g}.",
            _comparison(why_not),
        ),
    )


def _synthetic(view: View, what: str, methods: tuple[str, ...], beta: float | None) -> Table:
    why_not = why_not_printed(view, "gray_wyner_source")
    ours, printed = points(view), printed_synthetic(view)
    rows: list[Row] = []
    for method in methods:
        line = {"method": method, "beta": beta}
        rows += _lines(
            view, METHODS[method], select(ours, **line), select(printed, **line), SYNTHETIC,
            why_not, {"ours": SYNTHETIC},
        )  # fmt: skip
    at = "" if beta is None else f" at β = {beta:g}"
    return Table(
        caption=f"Rates (bits per pixel) and RMSE of {what} on the synthetic source{at}",
        header=(*HEADER, "D₁", "D₂"),
        rows=tuple(rows),
        notes=(
            "Rₜ = R₀ + R₁ + R₂ and Rᵣ = 2 R₀ + R₁ + R₂; a pixel is a pair of positions, one of "
            "each half. Ours on samples that no training has seen.",
            _comparison(why_not),
        ),
    )


def _lines(
    view: View,
    label: str,
    ours: pd.DataFrame,
    printed: pd.DataFrame,
    names: tuple[str, ...],
    why_not: str | None,
    sources: dict[str, tuple[str, ...]],
) -> Iterator[Row]:
    """For every eta, run here or printed: a row per source of ours, and one as printed."""
    for eta in sorted({*ours["eta"], *printed["eta"]}):
        head = f"{label}, η = {eta:g}"
        (run,) = select(ours, eta=eta)["run"] if eta in set(ours["eta"]) else (None,)
        means = _means(view, run)
        for source, metrics in sources.items():
            if means.keys() >= set(metrics):
                yield Row(head, "", source, tuple(Cell.of(means[m]) for m in metrics), digits=3)
        if eta in set(printed["eta"]):
            (line,) = select(printed, eta=eta).to_dict("records")
            comparable = run is not None and why_not is None
            cells = tuple(_printed(line[m], means[m] if comparable else None) for m in names)
            yield Row(head, "", "printed", cells, digits=3, comparable=comparable)


def _means(view: View, run: str | None) -> dict[str, Estimate]:
    """Mean over seeds of every metric of `run`."""
    rows = view.rows[view.rows["run"] == run]
    return {metric: estimate(values) for metric, values in rows.groupby("metric")["value"]}


def _printed(value: float, ours: Estimate | None) -> Cell:
    """With how much ours is above it, where the two are comparable."""
    return Cell(value, difference=None if ours is None else ours.mean - value)


def _comparison(why_not: str | None) -> str:
    return not_comparable([why_not]) or "Δ: ours minus the printed number."
