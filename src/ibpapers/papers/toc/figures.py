"""Fig. 5 to 9; a method has the same colour, marker and line in every figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from ibpapers.papers.toc.curves import (
    CHANNELS,
    DATASETS,
    INDEPENDENT,
    METHODS,
    MOSEI,
    PAIRS,
    SCORES,
    means_over_snr,
    name_of,
    printed_score,
    scores,
    why_not_printed,
    without_channel,
)
from ibpapers.report import style
from ibpapers.report.exhibits import History, Metric, View, signed
from ibpapers.report.published import not_comparable
from ibpapers.report.results import estimate, select
from ibpapers.report.style import GREY, MILLIMETRE, OKABE_ITO, PAGE, Look

LOOKS = {
    "two_stage_vib": Look(METHODS["two_stage_vib"], OKABE_ITO["blue"], "o", "-"),
    "two_stage_vib_no_red": Look(
        METHODS["two_stage_vib_no_red"], OKABE_ITO["orange"], "v", (0, (3, 1, 1, 1))
    ),
    "t_deepsc": Look(METHODS["t_deepsc"], OKABE_ITO["vermillion"], "s", "--"),
    "conventional": Look(METHODS["conventional"], OKABE_ITO["bluish green"], "^", "-."),
}
BOUND = Look(METHODS["noiseless"], OKABE_ITO["black"], "", (0, (4, 2)))
CHANCE = Look("One answer to all", GREY, "", (0, (1, 2)))
REDUCTION = {"two_stage_vib": "with reduction", "two_stage_vib_no_red": "without"}
GUESS = {"color": GREY, "lw": 0.9, "ls": (0, (4, 2)), "zorder": 3}
PROBABILITIES = {
    "p_positive": Look("p⁺, codes of one utterance", OKABE_ITO["blue"], "o", "-"),
    "p_negative": Look("p⁻, codes of two", OKABE_ITO["vermillion"], "s", "--"),
}
STAR = {"marker": "*", "ls": "none", "markersize": 8, "mfc": "none", "mew": 0.8}
LINES = 60  # points of a line over updates


def figure_5(view: View) -> Figure:
    """Fig. 5: the four scores against SNR (dB) on MOSEI, a row of panels a channel.

    Lines are means over seeds with 95% t-intervals; dashed black is the bound without a channel,
    dotted the best single answer to all. Stars are printed numbers, where comparable.
    """
    return _scores_over_snr(view, view.present("dataset", [MOSEI]))


def figure_6(view: View) -> Figure:
    """Fig. 6: as Fig. 5, on MOSI, with two rows for each variant of its features."""
    others = [dataset for dataset in DATASETS if dataset != MOSEI]
    return _scores_over_snr(view, view.present("dataset", others))


def _scores_over_snr(view: View, datasets: Sequence[str]) -> Figure:
    found = scores(view)
    rows = [(dataset, channel) for dataset in datasets for channel in _channels(found, dataset)]
    figure = Figure(figsize=(PAGE, (44 * len(rows) + 26) * MILLIMETRE))
    grid = figure.subplots(len(rows), len(SCORES), sharex=True, squeeze=False)
    for line, (dataset, channel) in zip(grid, rows, strict=True):
        for axes, score in zip(line, SCORES, strict=True):
            _draw_scores(axes, select(found, dataset=dataset), channel, score)
            if why_not_printed(view, dataset) is None:
                _draw_printed(axes, view, dataset, channel, score)
        line[0].set_title(f"{name_of(view, dataset)}, {CHANNELS[channel]}")
    _same_limits(grid, rows)
    for axes, score in zip(grid.T, SCORES, strict=True):
        for one in axes:
            one.set_ylabel(f"{score.label} ({score.unit})" if score.unit else score.label)
        axes[-1].set_xlabel("SNR (dB)")
    _title(figure, _finding_at_lowest_snr(found, datasets), _handles(found))
    style.footnote(figure, _snr_footnote(view, found, datasets))
    return figure


def _channels(found: pd.DataFrame, dataset: str) -> list[str]:
    there = set(select(found, dataset=dataset)["channel"])
    return [channel for channel in CHANNELS if channel in there]


def _draw_scores(axes: Axes, found: pd.DataFrame, channel: str, score: Metric) -> None:
    for method, look in LOOKS.items():
        means = means_over_snr(found, method=method, channel=channel, metric=score.name)
        if means:
            style.draw_means(axes, look, means)
    for look, metric in ((BOUND, score.name), (CHANCE, f"{score.name}_chance")):
        level = without_channel(found, metric)
        if len(level):
            axes.axhline(level.mean(), color=look.color, ls=look.linestyle, lw=0.9, zorder=1.5)
    axes.xaxis.set_major_locator(MultipleLocator(6))


def _draw_printed(axes: Axes, view: View, dataset: str, channel: str, score: Metric) -> None:
    for method, look in LOOKS.items():
        numbers = printed_score(view, dataset, channel, method, score.printed)
        axes.plot(list(numbers), list(numbers.values()), mec=look.color, zorder=6, **STAR)


def _same_limits(grid: np.ndarray, rows: Sequence[tuple[str, str]]) -> None:
    """The channels of a dataset are to be compared: one axis for both.

    It has room for all means; an interval of few seeds may leave it.
    """
    for column in grid.T:
        for dataset in {dataset for dataset, _ in rows}:
            those = [axes for axes, (of, _) in zip(column, rows, strict=True) if of == dataset]
            drawn = np.concatenate([line.get_ydata() for axes in those for line in axes.lines])
            room = 0.08 * np.ptp(drawn)
            for axes in those:
                axes.set_ylim(drawn.min() - room, drawn.max() + room)


def _handles(found: pd.DataFrame) -> list[Line2D]:
    there, metrics = set(found["method"]), set(found["metric"])
    looks = [look for method, look in LOOKS.items() if method in there]
    looks += [BOUND] * ("noiseless" in there) + [CHANCE] * ("acc2_chance" in metrics)
    return [_handle(look, look.label, marker=look.marker) for look in looks]


def _handle(look: Look, label: str, marker: str = "") -> Line2D:
    return Line2D([], [], color=look.color, ls=look.linestyle, label=label, marker=marker)


def _title(figure: Figure, text: str, handles: Sequence[Line2D]) -> None:
    """The title, and in a line of its own below it what the lines of all panels are."""
    style.title(figure, f"{text}\n")
    below = 1 - 5 * MILLIMETRE / figure.get_figheight()
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.004, below), ncols=len(handles),
        columnspacing=1.6, borderaxespad=0,
    )  # fmt: skip


def _finding_at_lowest_snr(found: pd.DataFrame, datasets: Sequence[str]) -> str:
    """Acc2 where the channel is worst, in one line; of several datasets there is no one finding."""
    if len(datasets) > 1:
        return "Sentiment against the SNR"
    found = select(found, dataset=datasets[0], metric="acc2")
    channels = _channels(found, datasets[0])
    parts = []
    for method in ("two_stage_vib", "t_deepsc"):
        means = [means_over_snr(found, method=method, channel=channel) for channel in channels]
        lowest = ", ".join(f"{one[min(one)].mean:.1f}" for one in means if one)
        parts += [f"{METHODS[method]} {lowest}%"] * bool(lowest)
    snr, on = signed(f"{found['snr'].min():g}"), ", ".join(CHANNELS[one] for one in channels)
    return f"Acc2 at {snr} dB ({on}): {'; '.join(parts)}"


def _snr_footnote(view: View, found: pd.DataFrame, datasets: Sequence[str]) -> str:
    text = (
        "Means over seeds, 95% intervals (may leave a panel), on the whole test set, averaged over "
        "draws of the channel. Acc2 and F1: negative against non-negative. No channel: the bound, "
        "two-stage VIB whose values arrive as they are sent. "
    )
    lines = [text + _channel_uses(found)]
    why = not_comparable(why_not_printed(view, dataset) for dataset in datasets)
    lines.append(why or "Stars: printed in Section VI.")
    return "\n".join(lines)


def _channel_uses(found: pd.DataFrame) -> str:
    """What an utterance costs: pairs of transmitted values, and what the coded stream took."""
    dimension = select(found, method="two_stage_vib")["dimension"].max()
    learnt = f"Channel uses an utterance: {dimension / 2:,.0f}"
    rows = select(found, method="conventional")
    uses, utterances = (
        select(rows, metric=metric)["value"] for metric in ("channel_uses", "utterances")
    )
    if uses.empty:
        return f"{learnt}."
    ends = dict.fromkeys(f"{value:,.0f}" for value in (uses.min(), uses.max()))
    return (
        f"{learnt}; {METHODS['conventional'].lower()}, evaluated on {utterances.min():,.0f} "
        f"utterances: {' to '.join(ends)}."
    )


def figure_7(view: View) -> Figure:
    """Fig. 7: BCE (nats) of the discriminators against updates, MOSEI; a row a channel.

    Lines are means over seeds and a stretch of updates, bands hold 90% of the updates in it.
    """
    return _bce(view)


def figure_8(view: View) -> Figure:
    """Fig. 8: as Fig. 7, on MOSI."""
    return _bce(view)


def _bce(view: View) -> Figure:
    runs = _runs(view)
    rows = list(dict.fromkeys(zip(runs["dataset"], runs["channel"], strict=True)))
    pairs = _pairs(view)
    figure = Figure(figsize=(PAGE, (44 * len(rows) + 26) * MILLIMETRE))
    grid = figure.subplots(len(rows), len(pairs), sharex=True, sharey=True, squeeze=False)
    for line, (dataset, channel) in zip(grid, rows, strict=True):
        of_row = select(runs, dataset=dataset, channel=channel)
        for axes, pair in zip(line, pairs, strict=True):
            for run, method in zip(of_row["run"], of_row["method"], strict=True):
                _draw_updates(axes, view.histories[run], f"bce/{pair}", LOOKS[method])
            axes.axhline(INDEPENDENT, **GUESS)
        line[0].set_ylabel(f"{name_of(view, dataset)}\n{CHANNELS[channel]}: BCE (nat)")
    _label_pairs(grid, pairs)
    handles = [_handle(LOOKS[method], label) for method, label in REDUCTION.items()]
    handles.append(Line2D([], [], label="2 ln 2, a guess", **GUESS))
    _title(figure, _finding_of_bce(view, runs, pairs), handles)
    style.footnote(
        figure,
        "Of the training batches. Lines: means over seeds and stretches of updates; bands: 90% of "
        "the updates there. Below 2 ln 2 a discriminator tells codes of one utterance from codes "
        "of two.",
    )
    return figure


def figure_9(view: View) -> Figure:
    """Fig. 9: what the discriminators hold for the chance of a pair to be of one utterance.

    Means over positive and over negative pairs against updates, a row a run, a column a pair.
    """
    runs, pairs = _runs(view), _pairs(view)
    figure = Figure(figsize=(PAGE, (44 * len(runs) + 26) * MILLIMETRE))
    grid = figure.subplots(len(runs), len(pairs), sharex=True, sharey=True, squeeze=False)
    for line, run in zip(grid, runs.to_dict("records"), strict=True):
        for axes, pair in zip(line, pairs, strict=True):
            for name, look in PROBABILITIES.items():
                _draw_updates(axes, view.histories[run["run"]], f"{name}/{pair}", look)
            axes.axhline(0.5, **GUESS)
        channel = CHANNELS[run["channel"]]
        line[0].set_ylabel(f"{name_of(view, run['dataset'])}\n{channel}: probability")
    grid[0, 0].set_ylim(0, 1)
    _label_pairs(grid, pairs)
    handles = [_handle(look, look.label) for look in PROBABILITIES.values()]
    handles.append(Line2D([], [], label="0.5, a guess", **GUESS))
    _title(figure, _finding_of_probabilities(view, runs, pairs), handles)
    style.footnote(
        figure,
        "What the discriminators say that two codes are of one utterance, means over the pairs of "
        "a training batch. Lines: means over seeds and stretches of updates; bands: 90% of the "
        "updates there.",
    )
    return figure


def _runs(view: View) -> pd.DataFrame:
    """The runs whose histories are drawn: run, dataset, channel and method, in a fixed order."""
    found = scores(view).drop_duplicates("run").set_index("run", drop=False)
    runs = found.loc[list(view.histories), ["run", "dataset", "channel", "method"]]
    order = {name: place for place, name in enumerate((*DATASETS, *CHANNELS, *METHODS))}
    return runs.sort_values(["dataset", "channel", "method"], key=lambda names: names.map(order))


def _pairs(view: View) -> list[str]:
    return [pair for pair in PAIRS if any(f"bce/{pair}" in one for one in view.histories.values())]


def _label_pairs(grid: np.ndarray, pairs: Sequence[str]) -> None:
    for axes, pair in zip(grid[0], pairs, strict=True):
        axes.set_title(PAIRS[pair].capitalize(), fontweight="normal")
    for axes in grid[-1]:
        axes.set_xlabel("Update")


def _draw_updates(axes: Axes, history: History, name: str, look: Look) -> None:
    """A history [seeds, updates]: mean and the middle 90% of every stretch of updates."""
    values = history[name]
    stretches = np.array_split(np.arange(values.shape[1]), min(LINES, values.shape[1]))
    update = [1 + stretch.mean() for stretch in stretches]
    mean = [values[:, stretch].mean() for stretch in stretches]
    low, high = zip(
        *(np.quantile(values[:, stretch], (0.05, 0.95)) for stretch in stretches), strict=True
    )
    axes.fill_between(update, low, high, color=look.color, alpha=0.18, lw=0)
    axes.plot(update, mean, color=look.color, ls=look.linestyle, lw=1.2, zorder=4)


def _finding_of_bce(view: View, runs: pd.DataFrame, pairs: Sequence[str]) -> str:
    ends = []
    for method, name in REDUCTION.items():
        last = _last(view, select(runs, method=method)["run"], "bce", pairs)
        ends += [f"{name} {_range(last)}"] * bool(last)
    return f"BCE of the discriminators at the end: {', '.join(ends)} nat"


def _finding_of_probabilities(view: View, runs: pd.DataFrame, pairs: Sequence[str]) -> str:
    ends = []
    for name, sign in (("p_positive", "p⁺"), ("p_negative", "p⁻")):
        last = _last(view, runs["run"], name, pairs)
        ends.append(f"{sign} {_range(last)}")
    return f"Discriminators at the end: {', '.join(ends)}"


def _last(view: View, runs: Sequence[str], name: str, pairs: Sequence[str]) -> list[float]:
    """Means over seeds of a metric over the last tenth of the updates, by run and pair."""
    return [
        estimate(select(view.rows, run=run, metric=f"{name}_last/{pair}")["value"]).mean
        for run in runs
        for pair in pairs
    ]


def _range(values: Sequence[float]) -> str:
    ends = dict.fromkeys(f"{value:.2f}" for value in (min(values), max(values)))
    return " to ".join(ends)
