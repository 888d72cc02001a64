"""Fig. 3 to 8: the probability of every link to be selected, whatever u is."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from ibpapers.papers.pom2dib.looks import HANDWRITTEN, LOOKS, MM_FI, STAR, Dataset, power
from ibpapers.papers.pom2dib.settings import NO_LIMITS
from ibpapers.papers.pom2dib.tables import (
    DATASETS,
    PRINTED_BETA,
    PRINTED_DATASETS,
    links_selected,
    why_not_printed,
)
from ibpapers.report import style
from ibpapers.report.exhibits import History, View, signed
from ibpapers.report.published import needed, not_comparable
from ibpapers.report.results import settings_of
from ibpapers.report.style import GREY, MILLIMETRE, OKABE_ITO, PAGE

PRINTED_FREE_BETAS = {5: PRINTED_BETA, 6: 0.0}  # by figure
PRINTED_GAMMA = 0.1


def under_limits(view: View, dataset: Dataset) -> Figure:
    """Fig. 3 or 4: how the selection converges under the limits."""
    (history,) = view.histories.values()
    limit = view.settings["limits"]["encodings_per_transmitter"] * len(set(_transmitters(history)))
    number = {"handwritten": 3, "mm_fi": 4}[dataset.name]
    figure = _convergence(view, dataset, number, limit)
    last = history["snapshot/selection_probability"][:, -1]
    noise = last[..., _noise(history, dataset)].mean(axis=0).max()
    style.title(
        figure,
        f"After {history['update'][-1]:,} updates {last.sum(axis=(1, 2)).mean():.1f} of "
        f"{last[0].size} links are selected; the likeliest noise link with probability {noise:.2f}",
    )
    why = why_not_printed(view, dataset.name, "pom2dib")
    footnote = f"{_reading(dataset)} Dashed: what Eq. 10 allows. Star: printed."
    if why:
        footnote += f"\nThe printed number is not comparable: {why}."
    style.footnote(figure, footnote)
    return figure


def sparse_prior(view: View, dataset: Dataset) -> Figure:
    """Fig. 7 or 8: how the selection converges with a price on every connection, without limits."""
    ((run, history),) = view.histories.items()
    ours = view.where(run=run)
    (other,) = set(view.rows["run"]) - {run}
    limited = links_selected(view.where(run=other).rows).mean()
    number = {"handwritten": 7, "mm_fi": 8}[dataset.name]
    figure = _convergence(ours, dataset, number, limited)
    selected = history["snapshot/selection_probability"].sum(axis=(2, 3)).mean(axis=0)
    gamma = settings_of(ours.rows)["training"]["gamma"]
    style.title(
        figure,
        f"With γ = {gamma:g} in place of limits the selected links go from {selected[0]:.1f} to "
        f"{selected[-1]:.1f} of {len(history['link']) * len(history['task'])}; with limits they "
        f"end at {limited:.1f}",
    )
    why = why_not_printed(
        ours, dataset.name, "pom2dib", limits=NO_LIMITS[dataset.name], gamma=PRINTED_GAMMA
    )
    style.footnote(
        figure,
        f"{_reading(dataset)} Dashed: with limits. Star: printed.\n"
        f"{_beside_print(ours, number, dataset)}\n{not_comparable([why])}",
    )
    return figure


def without_limits(view: View, number: int) -> Figure:
    """Fig. 5 or 6: what each seed ended with, and how many links that is; a row per dataset."""
    shown = [
        (_DATASETS[view.where(run=run).rows["dataset"].iloc[0]], view.where(run=run), history)
        for run, history in view.histories.items()
    ]
    heights = [max(3.2 * len(_last_selected(history)), 12) for *_, history in shown]  # mm
    figure = Figure(figsize=(PAGE, (sum(heights) + 14 * len(shown) + 18) * MILLIMETRE))
    grid = figure.subplots(
        len(shown), 4, width_ratios=(9, 9, 9, 7), height_ratios=heights, squeeze=False
    )
    figure.get_layout_engine().set(w_pad=0.02, wspace=0)
    for row, (dataset, ours, history) in zip(grid, shown, strict=True):
        seeds = ours.rows["seed"].unique()
        for task, axes in enumerate(row[:-1]):
            image = _draw_last(axes, history, task, dataset, seeds)
            axes.set_title(dataset.tasks[task], fontweight="normal")
        row[0].set_ylabel(f"{DATASETS[dataset.name]}\nSeed")
        _draw_number_of_last(row[-1], history)
    bar = figure.colorbar(
        image, ax=grid, location="right", aspect=30, shrink=0.8, pad=0.01, ticks=[0, 0.5, 1],
        label="probability",
    )  # fmt: skip
    bar.outline.set_visible(False)
    beta = settings_of(shown[0][1].rows)["beta"]
    ends = [
        f"{_last_selected(history).mean():.1f} of "
        f"{history['snapshot/selection_probability'][0, 0].size} on {DATASETS[dataset.name]}"
        for dataset, _, history in shown
    ]
    style.title(figure, f"Links selected without limits at β = {power(beta)}: {', '.join(ends)}")
    why = [
        why_not_printed(
            ours,
            dataset.name,
            "pom2dib",
            beta=PRINTED_FREE_BETAS[number],
            limits=NO_LIMITS[dataset.name],
        )
        for dataset, ours, _ in shown
    ]
    style.footnote(
        figure,
        "\n".join(
            [
                "Links: transmitter/modality, noise in red. Dashed: all links.",
                *(_beside_print(ours, number, dataset) for dataset, ours, _ in shown),
                not_comparable(why),
            ]
        ),
    )
    return figure


_DATASETS = {dataset.name: dataset for dataset in (HANDWRITTEN, MM_FI)}
_PROBABILITY = {"cmap": "magma_r", "vmin": 0, "vmax": 1}


def _convergence(view: View, dataset: Dataset, number: int, reference: float) -> Figure:
    """Marginal selection probability per (task, link) over updates, downwards.

    Above the mean over seeds, one chunk per task, with the expected number of selected links at
    the side, a dashed `reference` and the one printed under Fig. `number`; below, in the same
    columns, what each seed ended with.
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
    _draw_number_selected(grid[0, -1], history, reference, _printed(view, number, dataset))
    grid[1, -1].set_axis_off()
    bar = figure.colorbar(
        image, cax=grid[1, -1].inset_axes([0.05, 0.3, 0.9, 0.2]), orientation="horizontal",
        ticks=[0, 0.5, 1], label="probability of selection",
    )  # fmt: skip
    bar.outline.set_visible(False)
    grid[0, 0].set_ylabel("Update (mean over seeds)")
    grid[1, 0].set_ylabel("Seed")
    return figure


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
) -> QuadMesh:
    """The last record of every seed: columns are links, rows seeds."""
    last = history["snapshot/selection_probability"][:, -1, task]
    image = axes.pcolormesh(last, edgecolors="white", linewidth=0.8, **_PROBABILITY)
    axes.set_yticks(np.arange(len(last)) + 0.5, [str(seed) for seed in seeds], fontsize=5.5)
    axes.tick_params(labelleft=task == 0, left=False, bottom=False, pad=1)
    axes.set_xticks(np.arange(last.shape[1]) + 0.5, history["link"], rotation=90, fontsize=5.5)
    for label, noise in zip(axes.get_xticklabels(), _noise(history, dataset), strict=True):
        label.set_color(OKABE_ITO["vermillion"] if noise else "black")
    _as_chunk(axes, history)
    return image


def _as_chunk(axes: Axes, history: History) -> None:
    """Rows downwards, a line between the transmitters, nothing else."""
    axes.invert_yaxis()
    axes.grid(False)
    axes.spines[:].set_visible(False)
    for i, (left, right) in enumerate(pairwise(_transmitters(history)), start=1):
        if left != right:
            axes.axvline(i, color="white", lw=1.8)


def _draw_number_selected(axes: Axes, history: History, reference: float, printed: float) -> None:
    """The expected number of selected links per update: seeds, mean, reference, printed one."""
    update = history["snapshot_update"]
    number = history["snapshot/selection_probability"].sum(axis=(2, 3))
    color = LOOKS["pom2dib"].color
    axes.plot(number.T, update, color=color, lw=0.6, alpha=0.5)
    axes.plot(number.mean(axis=0), update, color=color, lw=1.8)
    axes.axvline(reference, color=GREY, lw=0.8, ls=(0, (4, 2)))
    axes.plot(printed, update[-1], mec=color, clip_on=False, zorder=6, **STAR)
    axes.set_ylim(_edges(update)[[-1, 0]])
    axes.set_xlim(0, max(14, reference + 2, number.max() + 2))
    axes.tick_params(left=False, labelleft=False, bottom=False, pad=1)
    for label in axes.get_xticklabels():
        label.set_in_layout(False)  # there is room for it beside the seeds
    axes.set_title("links selected", fontweight="normal")


def _draw_number_of_last(axes: Axes, history: History) -> None:
    """The expected number of links that every seed ended with, in its row, and all there are."""
    number = _last_selected(history)
    axes.barh(np.arange(len(number)) + 0.5, number, height=0.6, color=LOOKS["pom2dib"].color)
    links = history["snapshot/selection_probability"][0, 0].size
    axes.axvline(links, color=GREY, lw=0.8, ls=(0, (4, 2)))
    axes.set_xlim(0, 1.05 * links)
    axes.set_ylim(len(number), 0)
    axes.grid(False, axis="y")
    axes.tick_params(left=False, labelleft=False)
    axes.set_title("links selected", fontweight="normal")


def _last_selected(history: History) -> np.ndarray:
    """The expected number of selected links at the end, by seed."""
    return history["snapshot/selection_probability"][:, -1].sum(axis=(1, 2))


def _printed(
    view: View, number: int, dataset: Dataset, column: str = "selected_modalities"
) -> float:
    """What is printed under Fig. `number`, such as "Total selection number (converged)"."""
    table = view.printed["figures"].rename(columns={column: "value"})
    return needed(table, figure=number, dataset=PRINTED_DATASETS[dataset.name]).value


def _beside_print(view: View, number: int, dataset: Dataset) -> str:
    """Sum-rate and N-CE as the training log has them, and as printed under Fig. `number`."""
    ours = [view.estimate(metric=f"training_{name}").mean for name in ("sum_rate", "n_ce")]
    theirs = [_printed(view, number, dataset, f"{name}_nat") for name in ("sum_rate", "n_ce")]
    return f"{DATASETS[dataset.name]}, training log: sum-rate {ours[0]:.1f} nat, N-CE " + signed(
        f"{ours[1]:.2f} nat; printed: {theirs[0]:.1f} and {theirs[1]:.2f}."
    )


def _reading(dataset: Dataset) -> str:
    return f"Links: transmitter/modality. {dataset.modalities}. Below: each seed's last record."


def _transmitters(history: History) -> list[str]:
    return [str(link).split("/")[0] for link in history["link"]]


def _noise(history: History, dataset: Dataset) -> list[bool]:
    """Which links carry the noise of Eq. 25 or 26."""
    return [str(link).split("/")[1].startswith(dataset.noise) for link in history["link"]]


def _edges(updates: np.ndarray) -> np.ndarray:
    """Borders of the rows: halfway between records, from the start of training to its end."""
    return np.concatenate([[0], (updates[1:] + updates[:-1]) / 2, updates[-1:]])
