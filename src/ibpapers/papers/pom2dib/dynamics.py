"""Fig. 2(c) to (f): trainings of pom2dib over their updates, by beta and by learning rates."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from ibpapers.papers.pom2dib.looks import Dataset, information_plane, power
from ibpapers.papers.pom2dib.tables import DATASETS, ratio_text, runs_by_ratio
from ibpapers.report import style
from ibpapers.report.exhibits import History, View, signed
from ibpapers.report.results import with_beta
from ibpapers.report.style import GREY, MILLIMETRE, PAGE

POINTS = 40  # of a curve, each the mean of as many updates
MARKERS = "osD^vPX<>*"


def trajectories(view: View, dataset: Dataset) -> Figure:
    """N-CE against sum-rate from the first update to the last, a curve per beta.

    Left the means over seeds, right every seed. A point is the mean of a fortieth of the updates,
    on training batches; the largest sign is where training ended.
    """
    runs = with_beta(view.rows.drop_duplicates("run")).sort_values("beta")
    histories = {
        beta: view.histories[run] for beta, run in zip(runs["beta"], runs["run"], strict=True)
    }
    figure = Figure(figsize=(PAGE, 84 * MILLIMETRE))
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for beta, color, marker in zip(histories, _colors(len(histories)), MARKERS, strict=False):
        rates, relevances = (_points(histories[beta][name]) for name in ("sum_rate", "n_ce"))
        label = f"β = {power(beta)}"
        _draw_way(panels[0], rates.mean(0), relevances.mean(0), color, marker, label)
        for rate, relevance in zip(rates, relevances, strict=True):
            _draw_way(panels[1], rate, relevance, color, marker)
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
    axes: Axes, rates: NDArray, relevances: NDArray, color: ArrayLike, marker: str, label: str = ""
) -> None:
    look = {"color": color, "marker": marker, "mec": "white", "mew": 0.3}
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
    for ratio, color, marker in zip(histories, _colors(len(histories)), MARKERS, strict=False):
        curves = _points(histories[ratio]["log_likelihood"])
        update = _points(histories[ratio]["update"])
        axes.fill_between(update, curves.min(0), curves.max(0), color=color, alpha=0.12, lw=0)
        axes.plot(
            update, curves.mean(0), color=color, marker=marker, ms=3, lw=1.2, mec="white", mew=0.3,
            label=ratio_text(ratio),
        )  # fmt: skip
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
    return f"Points: means over {max(1, round(updates / POINTS))} of {updates:,} updates."


def _colors(number: int) -> NDArray:
    """In order, from dark to bright; [number, 4]."""
    return matplotlib.colormaps["viridis"](np.linspace(0, 0.88, number))
