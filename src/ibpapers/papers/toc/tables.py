"""Table I: the scores by the number of transmitted values, with the printed ones."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ibpapers.papers.toc.curves import CHANNELS, name_of, scores, why_not_printed
from ibpapers.report.exhibits import Cell, Metric, Row, Table, View
from ibpapers.report.published import not_comparable
from ibpapers.report.results import Estimate, estimate, select

COLUMNS = (
    Metric("acc2", "Acc2, −/0+", "%", "acc2", 4),
    Metric("acc2_nonzero", "Acc2, −/+", "%", "acc2", 4),
    Metric("acc7", "Acc7", "%", "acc7", 4),
    Metric("f1", "F1, −/0+", "%", "f1", 4),
    Metric("f1_nonzero", "F1, −/+", "%", "f1", 4),
    Metric("mae", "MAE", "", "mae", 4),
)
PRINTED_SNR = 12  # dB, AWGN


def table_1(view: View) -> Table:
    """Table I: scores by transmitted dimension at one SNR, all as fractions, as in print.

    A printed number stands under both conventions of Acc2 and F1, since the text names none; with
    the difference (ours minus printed) where the two are comparable.
    """
    asked = view.settings["studies"]["dimension"]
    dataset, channel, snr = (asked[name] for name in ("dataset", "channel", "snr"))
    why_not = why_not_printed(view, dataset, at_dimension=False)
    if (channel, snr) != ("awgn", PRINTED_SNR):
        why_not = (
            why_not or f"{CHANNELS[channel]} at {snr:g} dB, in the paper AWGN at {PRINTED_SNR} dB"
        )
    return Table(
        caption=f"Performance with different transmitted dimensions on {name_of(view, dataset)}, "
        f"{CHANNELS[channel]} at {snr:g} dB",
        header=tuple(metric.label for metric in COLUMNS),
        rows=tuple(_rows(view, select(scores(view), snr=snr), why_not)),
        notes=(
            "−/0+: negative against non-negative, all utterances. −/+: negative against positive, "
            "those with sentiment zero left out. The text does not say which is printed; the "
            "number stands under both.",
            not_comparable([why_not]) or "Δ: ours minus the printed number.",
        ),
    )


def _rows(view: View, found: pd.DataFrame, why_not: str | None) -> Iterator[Row]:
    """Of every dimension, here or printed, ours and what is printed."""
    printed = view.printed["table1"].set_index("transmitted_dimension")
    for dimension in sorted({*found["dimension"], *printed.index}):
        means = _means(select(found, dimension=dimension))
        label = f"{dimension}"
        if means:
            yield Row(label, "", "ours", tuple(Cell.of(means[m.name]) for m in COLUMNS), 4)
        if dimension in printed.index:
            comparable = bool(means) and why_not is None
            cells = []
            for metric in COLUMNS:
                number = float(printed.loc[dimension, metric.printed])
                difference = means[metric.name].mean - number if comparable else None
                cells.append(Cell(number, difference=difference))
            yield Row(label, "", "printed", tuple(cells), 4, comparable)


def _means(found: pd.DataFrame) -> dict[str, Estimate]:
    """Mean over seeds of every score, percentages as fractions."""
    percent = {metric.name for metric in COLUMNS if metric.unit == "%"}
    return {
        name: estimate(values / 100 if name in percent else values)
        for name, values in found.groupby("metric")["value"]
    }
