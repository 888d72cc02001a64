"""Fig. 3, accuracy against beta with the bounds drawn; Fig. 4, seconds per epoch against N."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import correlation, linear_regression

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from ibpapers.papers.omib.tables import DATASETS, betas, found_bounds, why_not_printed
from ibpapers.report import style
from ibpapers.report.exhibits import View
from ibpapers.report.results import estimate
from ibpapers.report.style import GREY, MILLIMETRE, OKABE_ITO, PAGE, Look

OMIB = Look("OMIB", OKABE_ITO["blue"], "o", "-")
BOUNDS = {"M_l": OKABE_ITO["bluish green"], "M_u": OKABE_ITO["vermillion"]}
PHASES = {
    "warm_up": Look("warm-up", OKABE_ITO["orange"], "s", "--"),
    "main": Look("main training", OKABE_ITO["blue"], "o", "-"),
}


def figure_3(view: View) -> Figure:
    """Fig. 3: accuracy (percent, test set) against beta, one panel for each SIM set.

    Large signs are means over seeds with 95% t-intervals, small ones the seeds. Lines are M_l and
    M_u, bands one deviation of them over MINE's seeds.
    """
    datasets = view.present("dataset", DATASETS)
    figure = Figure(figsize=(PAGE, 68 * MILLIMETRE))
    panels = figure.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
    for axes, dataset in zip(panels, datasets, strict=True):
        of_dataset = view.where(dataset=dataset)
        _draw_bounds(axes, of_dataset)
        _draw_accuracy(axes, of_dataset)
        axes.set_title(_peak(of_dataset, DATASETS[dataset]), fontweight="normal")
        axes.set_xlabel("β (1/nat)")
    lowest, highest = panels[0].get_ylim()  # of all panels
    panels[0].set_ylim(max(0, min(47, lowest)), min(100, max(95, highest)))
    panels[0].set_ylabel("Accuracy (%), whole test set")
    if any(line.get_label() == "$M_u$" for line in panels[0].get_lines()):
        panels[0].legend(loc="lower left")
    style.title(figure, "Accuracy of OMIB against β, and the bounds made of MINE's estimates")
    style.footnote(figure, _sweep_footnote(view))
    return figure


def _draw_accuracy(axes: Axes, view: View) -> None:
    table = betas(view)
    axes.plot(table["beta"], table["accuracy"], ls="none", ms=2, mew=0, alpha=0.4,
              color=OMIB.color, marker=OMIB.marker)  # fmt: skip
    means = {beta: estimate(run["accuracy"]) for beta, run in table.groupby("beta")}
    style.draw_means(axes, OMIB, means)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=9))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(min(5e-7, *means), max(20, *means))
    axes.axhline(50, color=GREY, lw=0.6, ls=(0, (1, 2)))


def _draw_bounds(axes: Axes, view: View) -> None:
    for name, (value, deviation) in (found_bounds(view) or {}).items():
        color = BOUNDS[name]
        axes.axvspan(max(value - deviation, value / 10), value + deviation, color=color, alpha=0.2,
                     lw=0)  # fmt: skip
        axes.axvline(value, color=color, lw=0.9, label=f"${name}$")


def _peak(view: View, name: str) -> str:
    means = betas(view).groupby("beta")["accuracy"].mean()
    return f"{name}: highest, {means.max():.1f}%, at β = {means.idxmax():.2g}"


def _sweep_footnote(view: View) -> str:
    lines = [
        "Large signs: means over seeds, 95% intervals; small: seeds. Dotted: guessing. Bands: one "
        "deviation of M_l and M_u over MINE's seeds.",
        "The bounds depend on how MINE was trained. The paper prints no numbers of this figure.",
    ]
    why = why_not_printed(view.where(run=view.rows["run"].iloc[0]))
    if why:
        lines[1] += f" Not its setting: {why}."
    return "\n".join(lines)


def figure_4(view: View) -> Figure:
    """Fig. 4: seconds per epoch against the number of samples N, with a straight line fitted.

    Signs are measurements (one per seed), the line is the least-squares fit of both phases.
    """
    figure = Figure(figsize=(PAGE, 66 * MILLIMETRE))
    axes = figure.subplots()
    phrases = []
    for phase, look in PHASES.items():
        fit = fit_of(view, phase)
        axes.plot(fit.samples, fit.seconds, ls="none", color=look.color, marker=look.marker,
                  mec="white", mew=0.4)  # fmt: skip
        ends = np.array([0, fit.samples.max()])
        label = f"{look.label}: {1e6 * fit.slope:.3g} µs a sample, R² = {fit.r_squared:.4f}"
        axes.plot(ends, fit.slope * ends + fit.intercept, color=look.color, ls=look.linestyle,
                  label=label)  # fmt: skip
        phrases.append(f"R² = {fit.r_squared:.3f} ({look.label})")
    axes.set_xlim(0, None)
    axes.set_ylim(0, None)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("Training samples N (SIM-III)")
    axes.set_ylabel("Seconds per epoch")
    axes.legend(loc="upper left")
    style.title(figure, f"Seconds per epoch against N, a line fitted: {', '.join(phrases)}")
    style.footnote(
        figure,
        "Signs: measured, one per seed; on a CPU in seconds of processor time. Times are those of "
        "the machine that evaluated the run, and the one result here that differs from run to run.",
    )
    return figure


@dataclass(frozen=True)
class Fit:
    """seconds = slope N + intercept, by least squares over all measurements."""

    samples: np.ndarray
    seconds: np.ndarray
    slope: float
    intercept: float
    r_squared: float


def fit_of(view: View, phase: str) -> Fit:
    """The line through the measurements of a phase; through one size of N, a level one."""
    prefix = f"{phase}_seconds_per_epoch/"
    rows = view.rows[view.rows["metric"].str.startswith(prefix)]
    samples = rows["metric"].str.removeprefix(prefix).astype(float).to_numpy()
    seconds = rows["value"].to_numpy()
    if len(set(samples)) < 2:
        return Fit(samples, seconds, slope=0.0, intercept=float(seconds.mean()), r_squared=0.0)
    slope, intercept = linear_regression(samples, seconds)
    return Fit(samples, seconds, slope, intercept, correlation(samples, seconds) ** 2)
