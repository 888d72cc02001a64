"""Fig. 3, 4, 9 and 10; a codec has the same colour, marker and line in every figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from ibpapers.information.bd_rate import Curve
from ibpapers.papers.gray_wyner.curves import (
    ABLATION,
    BETAS,
    COLOURED,
    METHODS,
    PMFS,
    bd_rate_or_why,
    common_rate_of_baselines,
    curve,
    points,
    printed_coloured,
    printed_synthetic,
    why_not_printed,
)
from ibpapers.report import style
from ibpapers.report.exhibits import View, signed
from ibpapers.report.results import select
from ibpapers.report.style import GREY, MILLIMETRE, OKABE_ITO, PAGE, Look

LOOKS = {
    "shared": Look(METHODS["shared"], OKABE_ITO["blue"], "o", "-"),
    "separated": Look(METHODS["separated"], OKABE_ITO["vermillion"], "s", "--"),
    "combined": Look(METHODS["combined"], OKABE_ITO["bluish green"], "^", "-."),
    "joint": Look("Joint, empirical", OKABE_ITO["reddish purple"], "D", (0, (1, 1))),
    "independent": Look("Independent, empirical", OKABE_ITO["orange"], "v", (0, (1, 1))),
}
BETA_LOOKS = {
    1.0: Look("β = 1", OKABE_ITO["sky blue"], "o", "-"),
    1.5: Look("β = 3/2", OKABE_ITO["blue"], "s", "--"),
    2.0: Look("β = 2", OKABE_ITO["black"], "^", "-."),
}
PMF_LOOKS = {
    "Dependent": Look("Dependent", OKABE_ITO["bluish green"], "s", "--"),
    "Independent": Look("Independent", OKABE_ITO["vermillion"], "^", "-."),
    "Mixture": Look("Mixture", OKABE_ITO["blue"], "o", "-"),
    "Mixture (Independent)": Look(
        "Mixture, no common channel", OKABE_ITO["orange"], "v", (0, (1, 1))
    ),
}
EMPIRICAL = Look("Mutual information, empirical", OKABE_ITO["reddish purple"], "D", (0, (1, 1)))
THEORY = {"color": GREY, "lw": 0.9, "ls": (0, (4, 2))}
PRINTED = {"marker": "*", "ls": "none", "markersize": 5.5, "mfc": "none", "mew": 0.6}

RATES = {"transmit_rate": "Transmit rate", "receive_rate": "Receive rate", "rate_0": "Common rate"}
# Quantity -> the theory curve of the same name, its label, and the baseline that measures it.
THEORY_OF = {
    "transmit_rate": ("joint", "joint, theory", "joint"),
    "receive_rate": ("marginal_sum", "independent, theory", "independent"),
    "rate_0": ("mutual_information", "theory", None),
}
RATE_AXIS = {"transmit_rate": (0.05, 30), "receive_rate": (0.05, 30), "rate_0": (0.02, 10)}
DISTORTION_AXIS = (0, 1.02)  # a codec that sends nothing is at 0.97
SMALLEST_ERROR = 1e-3  # of the two accuracies together, upper end of the axis


def figure_3(view: View) -> Figure:
    """Fig. 3: (a) common rate, (c) transmit and (d) receive rate of shared by beta; (b) codecs.

    Rates in bits per pixel (log) against D1 + D2. Lines are means over seeds; dashed grey is
    theory, stars are Tables 2 to 5.
    """
    found = points(view)
    figure = Figure(figsize=(PAGE, 132 * MILLIMETRE))
    panels = dict(zip("abcd", figure.subplots(2, 2, sharey=True).flat, strict=True))
    by_beta = [_Line(BETA_LOOKS[beta], {"method": "shared", "beta": beta}) for beta in BETAS]
    by_codec = [_Line(LOOKS[method], {"method": method, "beta": 1.0}) for method in ABLATION]
    _draw_panel(view, panels["a"], found, "rate_0", by_beta)
    _draw_panel(view, panels["b"], found, "transmit_rate", by_codec)
    _draw_panel(view, panels["c"], found, "transmit_rate", by_beta)
    _draw_panel(view, panels["d"], found, "receive_rate", by_beta)
    titles = {
        "a": "(a) common rate, shared codec",
        "b": "(b) transmit rate at β = 1",
        "c": "(c) transmit rate, shared codec",
        "d": "(d) receive rate, shared codec",
    }
    for letter, axes in panels.items():
        axes.set_title(titles[letter], fontweight="normal")
    for letter in "ac":
        panels[letter].set_ylabel("Distortion D₁ + D₂ (RMSE)")
    style.title(figure, _finding_of_betas(found))
    style.footnote(figure, _synthetic_footnote(view))
    return figure


def figure_9(view: View) -> Figure:
    """Fig. 9: transmit, receive and common rate (rows) of the three codecs at each beta (columns).

    Axes and signs as in Fig. 3.
    """
    found = points(view)
    figure = Figure(figsize=(PAGE, 176 * MILLIMETRE))
    grid = figure.subplots(len(RATES), len(BETAS), sharey=True, sharex="row")
    for row, rate in zip(grid, RATES, strict=True):
        for axes, beta in zip(row, BETAS, strict=True):
            lines = [_Line(LOOKS[method], {"method": method, "beta": beta}) for method in ABLATION]
            _draw_panel(view, axes, found, rate, lines)
        row[0].set_ylabel("D₁ + D₂ (RMSE)")
    for axes, beta in zip(grid[0], BETAS, strict=True):
        axes.set_title(BETA_LOOKS[beta].label)
    style.title(figure, "Three codecs at three prices of the common channel")
    style.footnote(figure, _synthetic_footnote(view))
    return figure


@dataclass(frozen=True)
class _Line:
    """A curve of a panel: how it is drawn, and which results it goes through."""

    look: Look
    where: Mapping[str, Any]


def _draw_panel(
    view: View, axes: Axes, found: pd.DataFrame, rate: str, lines: Sequence[_Line]
) -> None:
    """Rate over distortion: `lines`, what the baselines measure, theory; BD-rates in the legend."""
    theory, label, baseline = THEORY_OF[rate]
    values = view.entropies["gray_wyner/gray_wyner_source/theory"]["curves"]
    axes.plot(values[theory], 2 * np.array(values["rmse"]), label=label, zorder=1, **THEORY)
    printed = printed_synthetic(view)
    if baseline is None:
        look, anchor = EMPIRICAL, common_rate_of_baselines(found)
    else:
        own, look = {"method": baseline}, LOOKS[baseline]
        measured = select(found, **own)
        anchor = curve(look.label, measured, rate) if len(measured) else None
        _draw_printed(axes, look, select(printed, **own), rate)
    if anchor is not None:
        _draw(axes, look, anchor, look.label)
    for line in lines:
        _draw_printed(axes, line.look, select(printed, **line.where), rate)
        through = select(found, **line.where)
        if len(through):
            ours = curve(line.look.label, through, rate)
            _draw(axes, line.look, ours, line.look.label + _bd_label(anchor, ours))
    _rate_axes(axes, rate)
    where = "center right" if rate == "rate_0" else "lower left"
    axes.legend(loc=where, fontsize=5.5, handlelength=2.2, labelspacing=0.35)


def _draw(axes: Axes, look: Look, ours: Curve, label: str) -> None:
    axes.plot(
        ours.rate, ours.distortion, label=label, color=look.color, marker=look.marker,
        ls=look.linestyle, lw=1.0, markersize=4, mec="white", mew=0.5, zorder=4,
    )  # fmt: skip


def _draw_printed(axes: Axes, look: Look, printed: pd.DataFrame, rate: str) -> None:
    axes.plot(printed[rate], printed["distortion"], mec=look.color, zorder=3, **PRINTED)


def _bd_label(anchor: Curve | None, ours: Curve) -> str:
    """ ": -12.3%" by the cubic fit, or by piecewise cubics (p) where that has too few points.

    Nothing where the anchor itself admits of no BD-rate.
    """
    if anchor is None or isinstance(bd_rate_or_why(anchor, anchor, "pchip"), str):
        return ""
    for method, sign in (("cubic", ""), ("pchip", " p")):
        value = bd_rate_or_why(anchor, ours, method)
        if isinstance(value, float):
            return ": " + signed(f"{value:+.1f}%{sign}")
    return ": no BD-rate"


def _rate_axes(axes: Axes, rate: str) -> None:
    """The same axes at every scale; they only give way to a point outside them."""
    axes.set_xscale("log")
    left, right = RATE_AXIS[rate]
    drawn = [x for line in axes.lines[1:] for x in line.get_xdata() if x > left / 100]
    axes.set_xlim(min([left, *drawn]), max([right, *drawn]))
    bottom, top = DISTORTION_AXIS
    axes.set_ylim(bottom, max(top, axes.get_ylim()[1]))
    _plain_log_ticks(axes, (1,))
    axes.set_xlabel(f"{RATES[rate]} (bits per pixel)")


def _plain_log_ticks(axes: Axes, multiples: tuple[int, ...]) -> None:
    axes.xaxis.set_major_locator(LogLocator(subs=multiples, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _finding_of_betas(found: pd.DataFrame) -> str:
    """How the common rate moves with beta, in one line."""
    means = {beta: select(found, method="shared", beta=beta)["rate_0"].mean() for beta in BETAS}
    parts = [f"{rate:.2g} at {BETA_LOOKS[b].label}" for b, rate in means.items() if rate == rate]
    where = f": on average {', '.join(parts)} bits per pixel" if parts else ""
    return f"The common channel by its price{where}"


def _synthetic_footnote(view: View) -> str:
    lines = [
        "Signs: means over seeds on samples that no training has seen, a curve over η. Dashed "
        "grey: theory, both tasks at one distortion. Stars: printed. Percentages: BD-rate, cubic "
        "fit of VCEG-M33 (p: piecewise cubic), to the empirical curve; none where a curve is not "
        "monotone."
    ]
    why = why_not_printed(view, "gray_wyner_source")
    if why:
        lines.append(f"Printed numbers are not comparable: {why}.")
    return "\n".join(lines)


def figure_4(view: View) -> Figure:
    """Fig. 4: sum of top-1 accuracies against (a) transmit and (b) receive rate, bits per image.

    A curve over eta per PMF; the dotted lines are H(digit, colour) and H(digit) + H(colour),
    which both answers take. Stars are Table 6.
    """
    found = points(view)
    figure = Figure(figsize=(PAGE, 92 * MILLIMETRE))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, rate, title in zip(
        panels, ("transmit_bits", "receive_bits"), ("(a) transmit rate", "(b) receive rate"),
        strict=True,
    ):  # fmt: skip
        _draw_pmfs(view, axes, found, rate)
        _draw_entropies(view, axes, rate)
        _accuracy_axes(axes)
        axes.set_title(title, fontweight="normal")
        axes.set_xlabel(f"{title[4:].capitalize()} (bits per image)")
        axes.legend(loc="lower right", fontsize=6)
    panels[0].set_ylabel("Top-1 accuracy, digit + colour")
    style.title(figure, _finding_of_pmfs(found))
    style.footnote(figure, _coloured_footnote(view))
    return figure


def _draw_pmfs(view: View, axes: Axes, found: pd.DataFrame, rate: str) -> None:
    """Errors over rate, a curve per PMF; the first is what BD-rates are to."""
    printed, anchor = printed_coloured(view), None
    for label, (method, pmf) in COLOURED.items():
        look, line = PMF_LOOKS[label], {"method": method, "pmf": pmf}
        theirs, ours = select(printed, **line), select(found, **line)
        errors = theirs["distortion"].clip(lower=SMALLEST_ERROR)
        axes.plot(theirs[rate], errors, mec=look.color, zorder=3, **PRINTED)
        if ours.empty:
            continue
        through = curve(look.label, ours, rate)
        drawn = replace(through, distortion=through.distortion.clip(SMALLEST_ERROR))
        _draw(axes, look, drawn, look.label + _bd_label(anchor, through))
        if label == "Dependent":
            anchor = through


def _draw_entropies(view: View, axes: Axes, rate: str) -> None:
    for pmf, label in PMFS.items():
        bits = view.entropies["gray_wyner/coloured_mnist/theory"]["entropies"][pmf]
        least = bits["joint"] if rate == "transmit_bits" else bits["digit"] + bits["colour"]
        axes.axvline(least, color=PMF_LOOKS[label].color, lw=0.8, ls=(0, (1, 2)), zorder=1)


def _accuracy_axes(axes: Axes) -> None:
    """The same axes at every scale: errors by their logarithm, labelled with accuracies."""
    axes.set_xscale("log")
    left, right = axes.get_xlim()
    axes.set_xlim(min(2, left), max(60, right))
    _plain_log_ticks(axes, (1, 2, 5))
    axes.set_yscale("log")
    axes.set_ylim(2, SMALLEST_ERROR)
    accuracies = (0.2, 1, 1.5, 1.8, 1.9, 1.95, 1.98, 1.99, 1.995, 1.998)
    axes.set_yticks([2 - a for a in accuracies], [f"{a:g}" for a in accuracies])
    axes.yaxis.set_minor_locator(NullLocator())


def _finding_of_pmfs(found: pd.DataFrame) -> str:
    """What share of the transmit rate is common under each PMF, in one line."""
    shares = []
    for pmf, label in PMFS.items():
        ours = select(found, method="shared", pmf=pmf)
        total = ours["transmit_bits"].sum() if len(ours) else 0
        if total > 0:
            shares.append(f"{label.lower()} {100 * ours['bits_0'].sum() / total:.0f}%")
    return f"Common share of the transmit rate: {', '.join(shares) or 'nothing is sent'}"


def _coloured_footnote(view: View) -> str:
    lines = [
        "Signs: means over seeds on the test images, a curve over η. Dotted: what naming both "
        "labels takes, (a) H(digit, colour), (b) H(digit) + H(colour), under each PMF. Stars: "
        "printed. Percentages: BD-rate to the dependent PMF, cubic fit (p: piecewise cubic), where "
        "curves are monotone."
    ]
    why = why_not_printed(view, "coloured_mnist")
    if why:
        lines.append(f"Printed numbers are not comparable: {why}.")
    return "\n".join(lines)


def figure_10(view: View) -> Figure:
    """Fig. 10: test images, one of each digit, and what each channel alone shows of them.

    A block per PMF, of its first seed; a row per image, a column per channel.
    """
    examples = {run.rsplit("probe_", 1)[1]: history for run, history in view.histories.items()}
    images = max(len(history["examples/image"][0]) for history in examples.values())
    figure = Figure(figsize=(PAGE, (14.2 * images + 32) * MILLIMETRE))
    panels = figure.subplots(1, len(examples), squeeze=False)[0]
    for axes, (pmf, history) in zip(panels, examples.items(), strict=True):
        columns = [history["examples/image"][0], *history["examples/reconstruction"][0]]
        _draw_mosaic(axes, columns, _column_titles(view, pmf))
        axes.set_title(f"{PMFS[pmf]} PMF", fontweight="normal")
    style.title(figure, _finding_of_probes(view, examples))
    style.footnote(
        figure,
        "Test images of one seed. Y₀: common, Y₁: digit, Y₂: colour channel of the frozen codec "
        "with the largest η.\nA synthesis transform learns the image from each of them; below the "
        "names its RMSE on the test images.",
    )
    return figure


def _draw_mosaic(axes: Axes, columns: Sequence[np.ndarray], titles: Sequence[str]) -> None:
    """Pictures [N, 3, H, W] side by side, in columns with `titles`, white between them."""
    tiles = np.stack(columns).transpose(1, 0, 3, 4, 2).clip(0, 1)
    rows, count, height, width, _ = tiles.shape
    gap = ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0))
    framed = np.pad(tiles, gap, constant_values=1).swapaxes(1, 2)
    axes.imshow(framed.reshape(rows * (height + 2), count * (width + 2), 3), interpolation="none")
    axes.set_xticks((np.arange(count) + 0.5) * (width + 2) - 0.5, titles, fontsize=6)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelleft=False)
    axes.grid(False)
    axes.spines[:].set_visible(False)


def _column_titles(view: View, pmf: str) -> list[str]:
    errors = _reconstruction_errors(view, pmf)
    return ["image\n", *(f"{name}\n{errors[c]:.3f}" for c, name in enumerate(("Y₀", "Y₁", "Y₂")))]


def _finding_of_probes(view: View, examples: Iterable[str]) -> str:
    best = {}
    for pmf in examples:
        errors = _reconstruction_errors(view, pmf)
        best[PMFS[pmf].lower()] = ("common", "digit", "colour")[min(errors, key=errors.get)]
    listed = ", ".join(f"{pmf} {channel}" for pmf, channel in best.items())
    return f"Channel that shows most: {listed}"


def _reconstruction_errors(view: View, pmf: str) -> dict[int, float]:
    """RMSE by channel, mean over seeds."""
    rows = view.rows[view.rows["run"].str.endswith(f"/probe_{pmf}")]
    means = rows.groupby("metric")["value"].mean()
    return {channel: means[f"reconstruction_{channel}"] for channel in range(3)}
