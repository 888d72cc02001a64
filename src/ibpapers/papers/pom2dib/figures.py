"""Fig. 2 to 8; a method has the same colour, marker and line in every figure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ibpapers.papers.pom2dib import dynamics, marginals
from ibpapers.papers.pom2dib.looks import (
    HANDWRITTEN,
    LOOKS,
    MM_FI,
    STAR,
    Dataset,
    information_plane,
    power,
)
from ibpapers.papers.pom2dib.tables import METHODS, PRINTED_BETA, printed_number, why_not_printed
from ibpapers.report import style
from ibpapers.report.exhibits import View, signed
from ibpapers.report.results import Estimate, estimate, with_beta
from ibpapers.report.style import GREY, MILLIMETRE, PAGE, Look


def figure_2a(view: View) -> Figure:
    """Fig. 2(a): HandWritten."""
    return _rate_relevance(view, HANDWRITTEN)


def figure_2b(view: View) -> Figure:
    """Fig. 2(b): MM-Fi."""
    return _rate_relevance(view, MM_FI)


def _rate_relevance(view: View, dataset: Dataset) -> Figure:
    """Relevance (N-CE, nat) against sum-rate (nat), a curve over beta per method.

    Left on the whole test set, right as the training log has it. Large signs are means over
    seeds with 95% t-intervals in both directions, small ones the seeds; stars are Table I.
    """
    figure = Figure(figsize=(PAGE, 88 * MILLIMETRE))
    window = view.settings["evaluation"]["log_window"]
    sources = {"": "whole test set", "training_": f"training log, last {window} updates"}
    panels = figure.subplots(1, len(sources), sharex=True, sharey=True)
    for axes, (prefix, name) in zip(panels, sources.items(), strict=True):
        for method in view.present("method", LOOKS):
            _draw_curve(axes, _points(view, method, prefix), method)
            _draw_printed(axes, view, dataset, method)
        information_plane(axes, dataset)
        axes.set_title(name, fontweight="normal")
    panels[0].set_ylabel("Relevance: N-CE, sum of three tasks (nat)")
    style.title(figure, _tradeoff_finding(view))
    style.footnote(figure, _tradeoff_footnote(view, dataset))
    handles = [
        *(_handle(LOOKS[method]) for method in view.present("method", LOOKS)),
        _printed_handle(view, dataset),
    ]
    panels[0].legend(handles=handles, loc="upper left")
    panels[1].text(0.02, 0.97, "↖ better", color=GREY, transform=panels[1].transAxes, va="top")
    return figure


@dataclass(frozen=True)
class _Point:
    """A method at one beta (None: it has no rate term): its seeds, and its means over them."""

    beta: float | None
    rates: np.ndarray
    relevances: np.ndarray

    @property
    def rate(self) -> Estimate:
        return estimate(self.rates)

    @property
    def relevance(self) -> Estimate:
        return estimate(self.relevances)


def _points(view: View, method: str, prefix: str) -> list[_Point]:
    """In order of beta; `prefix` is "training_" for the training log."""
    rows = with_beta(view.rows[view.rows["method"] == method])
    points = []
    for beta, run in rows.groupby("beta", dropna=False):
        by_metric = run.pivot(index="seed", columns="metric", values="value")
        rates, relevances = (by_metric[f"{prefix}{m}"].to_numpy() for m in ("sum_rate", "n_ce"))
        points.append(_Point(None if np.isnan(beta) else beta, rates, relevances))
    return points


_BETA_OFFSET = {"pom2dib": (3, -9), "rsdib": (3, -9), "tadib": (-9, 5)}  # points, off the curve


def _draw_curve(axes: Axes, points: list[_Point], method: str) -> None:
    look = LOOKS[method]
    rates, relevances = [p.rate for p in points], [p.relevance for p in points]
    sign = {"color": look.color, "marker": look.marker}
    for point, rate, relevance in zip(points, rates, relevances, strict=True):
        axes.plot(point.rates, point.relevances, ls="none", ms=2, mew=0, alpha=0.4, **sign)
        axes.errorbar(
            rate.mean, relevance.mean, xerr=rate.half_width, yerr=relevance.half_width,
            fmt="none", ecolor=look.color, elinewidth=0.6, alpha=0.6,
        )  # fmt: skip
        if point.beta is not None:
            axes.annotate(
                power(point.beta), (rate.mean, relevance.mean), xytext=_BETA_OFFSET[method],
                textcoords="offset points", fontsize=5.5, color=look.color, zorder=5,
            )  # fmt: skip
    means = [r.mean for r in rates], [r.mean for r in relevances]
    axes.plot(*means, ls=look.linestyle, mec="white", mew=0.6, zorder=4, **sign)


def _draw_printed(axes: Axes, view: View, dataset: Dataset, method: str) -> None:
    rate = printed_number(view, dataset.name, method, "sum_rate_nat")
    relevance = printed_number(view, dataset.name, method, "n_ce_nat")
    axes.plot(rate.value, relevance.value, zorder=6, mec=LOOKS[method].color, **STAR)


def _tradeoff_finding(view: View) -> str:
    """What the left panel shows at the paper's beta, in one line."""
    points = [
        f"{METHODS[method]} {signed(f'{point.relevance.mean:.2f}')} at {point.rate.mean:.0f} nat"
        for method in ("pom2dib", "tadib")
        for point in _points(view, method, "")
        if point.beta == PRINTED_BETA
    ]
    where = f"; at β = {power(PRINTED_BETA)} {', '.join(points)}" if points else ""
    return f"N-CE against sum-rate{where}"


def _tradeoff_footnote(view: View, dataset: Dataset) -> str:
    lines = ["Large signs: means over seeds, 95% intervals; small: seeds; labels: β; stars: print."]
    if "dlsc" in view.present("method", LOOKS):
        n = view.settings["evaluation"]["batch_size"]
        lines[0] += f" DLSC: k-NN entropy of its codes at n = {n}, not a rate, not comparable."
    why = why_not_printed(view, dataset.name, view.present("method", LOOKS)[0], at_beta=False)
    if why:
        lines.append(f"Printed numbers are not comparable: {why}.")
    return "\n".join(lines)


def _handle(look: Look) -> Line2D:
    sign = {"color": look.color, "marker": look.marker, "ls": look.linestyle}
    return Line2D([], [], label=look.label, **sign)


def _printed_handle(view: View, dataset: Dataset) -> Line2D:
    why = why_not_printed(view, dataset.name, view.present("method", LOOKS)[0], at_beta=False)
    label = f"printed, β = {power(PRINTED_BETA)}{', not comparable' if why else ''}"
    return Line2D([], [], mec=GREY, label=label, **STAR)


def figure_2c(view: View) -> Figure:
    """Fig. 2(c): HandWritten."""
    return dynamics.trajectories(view, HANDWRITTEN)


def figure_2d(view: View) -> Figure:
    """Fig. 2(d): MM-Fi."""
    return dynamics.trajectories(view, MM_FI)


def figure_2e(view: View) -> Figure:
    """Fig. 2(e): HandWritten."""
    return dynamics.log_likelihoods(view, HANDWRITTEN)


def figure_2f(view: View) -> Figure:
    """Fig. 2(f): MM-Fi."""
    return dynamics.log_likelihoods(view, MM_FI)


def figure_3(view: View) -> Figure:
    """Fig. 3: HandWritten."""
    return marginals.under_limits(view, HANDWRITTEN)


def figure_4(view: View) -> Figure:
    """Fig. 4: MM-Fi."""
    return marginals.under_limits(view, MM_FI)


def figure_5(view: View) -> Figure:
    """Fig. 5: at a positive beta."""
    return marginals.without_limits(view, 5)


def figure_6(view: View) -> Figure:
    """Fig. 6: at beta 0."""
    return marginals.without_limits(view, 6)


def figure_7(view: View) -> Figure:
    """Fig. 7: HandWritten."""
    return marginals.sparse_prior(view, HANDWRITTEN)


def figure_8(view: View) -> Figure:
    """Fig. 8: MM-Fi."""
    return marginals.sparse_prior(view, MM_FI)
