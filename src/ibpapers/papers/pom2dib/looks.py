"""What the figures share: how methods, datasets and the information plane look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ibpapers.papers.pom2dib.tables import METHODS
from ibpapers.report.exhibits import signed
from ibpapers.report.style import GREY, OKABE_ITO, Look

LOOKS = {
    "pom2dib": Look(METHODS["pom2dib"], OKABE_ITO["blue"], "o", "-"),
    "rsdib": Look(METHODS["rsdib"], OKABE_ITO["vermillion"], "s", "--"),
    "tadib": Look(METHODS["tadib"], OKABE_ITO["bluish green"], "^", "-."),
    "dlsc": Look(METHODS["dlsc"], OKABE_ITO["reddish purple"], "D", "none"),
}


@dataclass(frozen=True)
class Dataset:
    """What its figures say. `guessing`: minus the entropies of its classes, nat."""

    name: str
    tasks: tuple[str, ...]
    guessing: float
    noise: str  # its modality, or the first letter of several
    modalities: str


HANDWRITTEN = Dataset(
    "handwritten",
    ("task 1: parity", "task 2: ring structure", "task 3: digit"),
    # All digits are equally likely.
    -(np.log(2) + (np.log(2) + np.log(10)) / 2 + np.log(10)),
    "C",
    "A: image, B: audio, C: noise (red)",
)
MM_FI = Dataset(
    "mm_fi",
    ("task 1: pose", "task 2: action", "task 3: scene"),
    -(np.log(27) + np.log(4)),
    "H",
    "A: RGB, B, C: infra-red, D: depth, E: LiDAR, F: mmWave, G: WiFi, H: noise (red)",
)

STAR = {"marker": "*", "markersize": 8, "mfc": "none", "mew": 0.8, "ls": "none"}  # a printed number


def information_plane(axes: Axes, dataset: Dataset) -> None:
    """The same axes at every tier and scale; they only give way to a point outside them."""
    axes.set_xscale("symlog", linthresh=10, linscale=0.5)
    axes.set_yscale("symlog", linthresh=0.1, linscale=0.3)
    right, bottom = axes.get_xlim()[1], axes.get_ylim()[0]
    axes.set_xlim(0, max(3000, right))
    axes.set_ylim(min(-8, bottom), 0)
    axes.xaxis.set_major_locator(FixedLocator([0, 10, 100, 1000]))
    axes.yaxis.set_major_locator(FixedLocator([-5, -2, -1, -0.5, -0.2, -0.1, 0]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: signed(f"{value:,g}")))
    axes.set_xlabel("Sum-rate (nat)")
    axes.axhline(dataset.guessing, color=GREY, lw=0.6, ls=(0, (1, 2)))
    axes.text(
        0.985, dataset.guessing, "guessing without any code", color=GREY, fontsize=5.5, ha="right",
        va="bottom", transform=axes.get_yaxis_transform(),
    )  # fmt: skip


def power(beta: float) -> str:
    """A beta as a reader writes it: 0, 10⁻³, 0.02."""
    exponent = np.log10(beta) if beta > 0 else 0.0
    if exponent and exponent == round(exponent):
        return "10" + f"{exponent:.0f}".translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{beta:g}"
