"""Fig. 2(c) to (f): trainings of pom2dib over their updates, by beta and by learning rates."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from ibpapers.papers.pom2dib.looks import Dataset, information_plane, power
from ibpapers.papers.pom2dib.tables import DATASETS, ratio_text, runs_by_ratio
from ibpapers.report import style
from ibpapers.report.exhibits import History, View, signed
from ibpapers.report.results import with_beta
from ibpapers.report.style import GREY, MILLIMETRE, PAGE

POINTS = 40  # of a curve
# Curves brighten by decades of beta, the first of which is 0, and by doublings of a ratio.
LEAST_BETA, LEAST_RATIO, STEPS = 1e-5, 1 / 16, 6
MARKERS = "osD^vPX"


def trajectories(view: View, dataset: Dataset) -> Figure:
    """N-CE against sum-rate from the first update to the last, a curve per beta.

    Left the means over seeds, right every seed. A point is the mean of a fortieth of the updates,
    on training batches; a large sign is where training ended.
    """
    runs = with_beta(view.rows.drop_duplicates("run")).sort_values("beta")
    histories = {
        beta: view.histories[run] for beta, run in zip(runs["beta"], runs["run"], strict=True)
    }
    figure = Figure(figsize=(PAGE, 84 * MILLIMETRE))
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for beta, history in histories.items():
        look = _look(np.log10(max(beta, LEAST_BETA) / LEAST_BETA))
        rates, relevances = (_points(history[name]) for name in ("sum_rate", "n_ce"))
        _draw_way(panels[0], rates.mean(0), relevances.mean(0), f"β = {power(beta)}", **look)
        for rate, relevance in zip(rates, relevances, strict=True):
            _draw_way(panels[1], rate, relevance, **look)
    for axes, what in zip(panels, ("mean over seeds", "every seed"), strict=True):
        information_plane(axes, dataset)
        axes.set_title(what, fontweight="normal")
    panels[0].set_ylabel("Relevance: N-CE, sum of three tasks (nat)")
    panels[0].legend(loc="upper left")
    style.title(figure, _rise_and_fall(histories))
    style.footnote(
        figure,
        f"PoM²-DIB on {DATASETS[dataset.name]}, batches of its training. {_points_are(histories)} "
        "Large signs: the last ones. The paper prints these curves without numbers.",
    )
    return figure


def _draw_way(
    axes: Axes, rates: NDArray, relevances: NDArray, label: str | None = None, **look: Any
) -> None:
    axes.plot(rates, relevances, ms=3, lw=0.8, alpha=0.85, label=label, **look)
    axes.plot(rates[-1], relevances[-1], ms=7, zorder=5, **look)


def _rise_and_fall(histories: dict[float, History]) -> str:
    """At which betas the mean sum-rate rose and fell: to less than 90% of its largest value."""
    falling = []
    for beta, history in histories.items():
        rate = _points(history["sum_rate"]).mean(0)
        if rate[-1] < 0.9 * rate.max() and rate.argmax() > 0:
            falling.append(power(beta))
    return f"The sum-rate first rises and then falls again at {_listed(falling)}"


def _listed(betas: list[str]) -> str:
    return f"β = {', '.join(betas)}" if betas else "no β"


def log_likelihoods(view: View, dataset: Dataset) -> Figure:
    """The policy's term of Eq. 21 (nat²) over updates, a curve per ratio of learning rates.

    A batch's sum over tasks of log p(a_t | u) (L_t + penalty - b_t), meaned over batches, seeds
    and a fortieth of the updates. The band goes from the least to the greatest seed.
    """
    histories = {ratio: view.histories[run] for ratio, run in runs_by_ratio(view).items()}
    figure = Figure(figsize=(PAGE, 74 * MILLIMETRE))
    axes = figure.subplots()
    for ratio, history in histories.items():
        look = _look(np.log2(ratio / LEAST_RATIO))
        curves, update = _points(history["log_likelihood"]), _points(history["update"])
        band = {"color": look["color"], "alpha": 0.12, "lw": 0}
        axes.fill_between(update, curves.min(0), curves.max(0), **band)
        axes.plot(update, curves.mean(0), ms=3, lw=1.2, label=ratio_text(ratio), **look)
    axes.axhline(0, color=GREY, lw=0.6, ls=(0, (1, 2)))
    axes.set_yscale("symlog", linthresh=1)
    bottom, top = axes.get_ylim()
    axes.set_ylim(min(-100, bottom), max(100, top))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: signed(f"{value:,g}")))
    axes.set_xlim(left=0)
    axes.set_xlabel("Update")
    axes.set_ylabel("Log-likelihood, Eq. 21 (nat²)")
    axes.legend(
        title="selection : coding", loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False
    )
    style.title(figure, _last_likelihoods(histories))
    style.footnote(
        figure,
        f"PoM²-DIB on {DATASETS[dataset.name]}, batches of its training. {_points_are(histories)} "
        "Lines: means over seeds; bands: from the least to the greatest of them. A policy that is "
        "deterministic given u stays at 0. The paper prints these curves without numbers.",
    )
    return figure


def _last_likelihoods(histories: dict[float, History]) -> str:
    last = {
        ratio: _points(history["log_likelihood"]).mean(0)[-1]
        for ratio, history in histories.items()
    }
    ends = [
        f"{signed(f'{last[ratio]:.2f}')} at {ratio_text(ratio)}"
        for ratio in (min(last, key=last.get), max(last, key=last.get))
    ]
    return f"The policy's log-likelihood ends between {' and '.join(ends)}"


def _points(curve: NDArray) -> NDArray:
    """Means over consecutive updates, the last axis: [..., updates] -> [..., at most POINTS]."""
    parts = np.array_split(curve, min(POINTS, curve.shape[-1]), axis=-1)
    return np.stack([part.mean(-1) for part in parts], axis=-1)


def _points_are(histories: dict[float, History]) -> str:
    updates = len(next(iter(histories.values()))["update"])
    each = round(updates / POINTS)
    what = f"means over {each} of {updates:,}" if each > 1 else f"all {updates:,}"
    return f"Points: {what} updates."


def _look(step: float) -> dict[str, Any]:
    """Of the step from the least beta or ratio of the paper: the same wherever it is drawn."""
    return {
        "color": matplotlib.colormaps["viridis"](0.88 * min(max(step / STEPS, 0.0), 1.0)),
        "marker": MARKERS[round(step) % len(MARKERS)],
        "mec": "white",
        "mew": 0.3,
    }
