"""Fig. 2, 3 and 4; a method has the same colour, marker and line in every figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ibpapers.papers.pom2dib import dynamics
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
from ibpapers.report.exhibits import History, View, signed
from ibpapers.report.published import needed
from ibpapers.report.results import Estimate, estimate, with_beta
from ibpapers.report.style import GREY, MILLIMETRE, OKABE_ITO, PAGE, Look


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
    return _selection(view, HANDWRITTEN)


def figure_4(view: View) -> Figure:
    """Fig. 4: MM-Fi."""
    return _selection(view, MM_FI)


def _selection(view: View, dataset: Dataset) -> Figure:
    """Marginal selection probability per (task, link) over updates, downwards.

    Above the mean over seeds, one chunk per task, with the expected number of selected links at
    the side; below, in the same columns, what each seed ended with.
    """
    (history,) = view.histories.values()
    seeds, _, tasks, links = history["snapshot/selection_probability"].shape
    heights = 52, max(2.6 * seeds, 9)  # mm
    figure = Figure(figsize=(PAGE, (sum(heights) + 26) * MILLIMETRE))
    grid = figure.subplots(2, tasks + 1, width_ratios=[links] * tasks + [7], height_ratios=heights)
    figure.get_layout_engine().set(h_pad=0.02, w_pad=0.02, hspace=0, wspace=0)
    for task in range(tasks):
        image = _draw_chunk(grid[0, task], history, task, dataset)
        _draw_last(grid[1, task], history, task, dataset, view.rows["seed"].unique())
    _draw_number_selected(grid[0, -1], view, history, dataset)
    grid[1, -1].set_axis_off()
    bar = figure.colorbar(
        image, cax=grid[1, -1].inset_axes([0.05, 0.3, 0.9, 0.2]), orientation="horizontal",
        ticks=[0, 0.5, 1], label="probability of selection",
    )  # fmt: skip
    bar.outline.set_visible(False)
    grid[0, 0].set_ylabel("Update (mean over seeds)")
    grid[1, 0].set_ylabel("Seed")
    style.title(figure, _selection_finding(history, dataset))
    style.footnote(figure, _selection_footnote(view, dataset))
    return figure


_PROBABILITY = {"cmap": "magma_r", "vmin": 0, "vmax": 1}


def _draw_chunk(axes: Axes, history: History, task: int, dataset: Dataset) -> QuadMesh:
    """One task: columns are links, rows updates."""
    mean = history["snapshot/selection_probability"][:, :, task].mean(axis=0)
    image = axes.pcolormesh(
        np.arange(mean.shape[1] + 1), _edges(history["snapshot_update"]), mean,
        edgecolors="face", linewidth=0.5, **_PROBABILITY,
    )  # fmt: skip
    axes.set_title(dataset.tasks[task], fontweight="normal")
    axes.set_xticks([])
    axes.tick_params(labelleft=task == 0, left=task == 0)
    _as_chunk(axes, history)
    return image


def _draw_last(
    axes: Axes, history: History, task: int, dataset: Dataset, seeds: Iterable[int]
) -> None:
    """The last record of every seed, in the columns of the chunk above."""
    last = history["snapshot/selection_probability"][:, -1, task]
    axes.pcolormesh(last, edgecolors="white", linewidth=0.8, **_PROBABILITY)
    axes.set_yticks(np.arange(len(last)) + 0.5, [str(seed) for seed in seeds], fontsize=5.5)
    axes.tick_params(labelleft=task == 0, left=False, bottom=False, pad=1)
    axes.set_xticks(np.arange(last.shape[1]) + 0.5, history["link"], rotation=90, fontsize=5.5)
    for label, noise in zip(axes.get_xticklabels(), _noise(history, dataset), strict=True):
        label.set_color(OKABE_ITO["vermillion"] if noise else "black")
    _as_chunk(axes, history)


def _as_chunk(axes: Axes, history: History) -> None:
    """Rows downwards, a line between the transmitters, nothing else."""
    axes.invert_yaxis()
    axes.grid(False)
    axes.spines[:].set_visible(False)
    for i, (left, right) in enumerate(pairwise(_transmitters(history)), start=1):
        if left != right:
            axes.axvline(i, color="white", lw=1.8)


def _draw_number_selected(axes: Axes, view: View, history: History, dataset: Dataset) -> None:
    """The expected number of selected links per update: seeds, mean, limit, and the printed one."""
    update = history["snapshot_update"]
    number = history["snapshot/selection_probability"].sum(axis=(2, 3))
    color = LOOKS["pom2dib"].color
    axes.plot(number.T, update, color=color, lw=0.6, alpha=0.5)
    axes.plot(number.mean(axis=0), update, color=color, lw=1.8)
    limit = view.settings["limits"]["encodings_per_transmitter"] * len(set(_transmitters(history)))
    axes.axvline(limit, color=GREY, lw=0.8, ls=(0, (4, 2)))
    printed = _printed_selected(view, dataset)
    axes.plot(printed, update[-1], mec=color, clip_on=False, zorder=6, **STAR)
    axes.set_ylim(_edges(update)[[-1, 0]])
    axes.set_xlim(0, max(14, limit + 2))
    axes.tick_params(left=False, labelleft=False, bottom=False, pad=1)
    for label in axes.get_xticklabels():
        label.set_in_layout(False)  # there is room for it beside the seeds
    axes.set_title("links selected", fontweight="normal")


def _printed_selected(view: View, dataset: Dataset) -> float:
    """ "Total selection number (converged)" under Fig. 3 and 4."""
    table = view.printed["figures"].rename(columns={"selected_modalities": "value"})
    return needed(table, figure=dataset.selection_figure).value


def _selection_finding(history: History, dataset: Dataset) -> str:
    last = history["snapshot/selection_probability"][:, -1]
    noise = last[..., _noise(history, dataset)].mean(axis=0).max()
    return (
        f"After {history['update'][-1]:,} updates {last.sum(axis=(1, 2)).mean():.1f} of "
        f"{last[0].size} links are selected; the likeliest noise link with probability {noise:.2f}"
    )


def _selection_footnote(view: View, dataset: Dataset) -> str:
    lines = [
        f"Links: transmitter/modality. {dataset.modalities}. "
        "Below: the last record of each seed. Dashed: what Eq. 10 allows. Star: printed."
    ]
    why = why_not_printed(view, dataset.name, "pom2dib")
    if why:
        lines.append(f"The printed number is not comparable: {why}.")
    return "\n".join(lines)


def _transmitters(history: History) -> list[str]:
    return [str(link).split("/")[0] for link in history["link"]]


def _noise(history: History, dataset: Dataset) -> list[bool]:
    """Which links carry the noise of Eq. 25 or 26."""
    return [str(link).split("/")[1].startswith(dataset.noise) for link in history["link"]]


def _edges(updates: np.ndarray) -> np.ndarray:
    """Borders of the rows: halfway between records, from the start of training to its end."""
    return np.concatenate([[0], (updates[1:] + updates[:-1]) / 2, updates[-1:]])
