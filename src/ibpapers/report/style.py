"""One look for every figure: sizes, colours, the stamp of tier and scale, bytes that repeat."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ibpapers.report.results import Estimate

MILLIMETRE = 1 / 25.4  # inches
COLUMN = 86 * MILLIMETRE  # width of one column of the paper
PAGE = 178 * MILLIMETRE  # width of both

# Okabe and Ito: eight colours that colour-blind readers tell apart.
OKABE_ITO = MappingProxyType(
    {
        "black": "#000000",
        "orange": "#E69F00",
        "sky blue": "#56B4E9",
        "bluish green": "#009E73",
        "yellow": "#F0E442",
        "blue": "#0072B2",
        "vermillion": "#D55E00",
        "reddish purple": "#CC79A7",
    }
)
GREY = "#6b6b6b"
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"  # also the paper's sans-serif


@dataclass(frozen=True)
class Look:
    """How one method is drawn, the same in every figure: colour, marker and line all differ."""

    label: str
    color: str
    marker: str
    linestyle: str | tuple


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's settings for the block: a figure is made and saved in it."""
    with matplotlib.style.context(["default", Path(__file__).with_name("ibpapers.mplstyle")]):
        yield


def title(figure: Figure, text: str) -> None:
    """Write what the figure shows above it, flush left."""
    figure.suptitle(text, x=0.008, ha="left", fontsize=8.5, fontweight="bold")


def footnote(figure: Figure, text: str) -> None:
    """Write what must not be overlooked below the figure, leaving the corner to the stamp."""
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 165)]
    if len(lines) == 1 or len(lines[-1]) > 130:
        lines.append("")
    figure.supxlabel("\n".join(lines), x=0.008, ha="left", fontsize=6, color=GREY, linespacing=1.4)


def draw_means(axes: Axes, look: Look, means: Mapping[float, Estimate]) -> None:
    """A line through means over seeds, by what they stand at, with their intervals."""
    values = [mean.mean for mean in means.values()]
    half_widths = [mean.half_width or 0.0 for mean in means.values()]
    axes.errorbar(
        list(means), values, yerr=half_widths, fmt="none", ecolor=look.color, elinewidth=0.6,
        alpha=0.6,
    )  # fmt: skip
    axes.plot(
        list(means), values, color=look.color, marker=look.marker, ls=look.linestyle,
        mec="white", mew=0.6, zorder=4,
    )  # fmt: skip


def stamp(figure: Figure, tier: str, scale: str) -> None:
    """Write into the lower right corner which data and scale the figure shows."""
    figure.text(
        0.995, 0.008, f"{tier} data, {scale} scale",
        ha="right", va="bottom", fontsize=6.5, color="white",
        bbox={"boxstyle": "round,pad=0.25", "facecolor": GREY, "edgecolor": "none"},
    )  # fmt: skip


def save_pdf(figure: Figure, path: Path, trace: str = "") -> None:
    """Write a vector PDF with embedded fonts and `trace`, how it came to be, as its keywords.

    The same figure and trace give the same bytes.
    """
    undated = {"Creator": "ibpapers", "Producer": "matplotlib", "CreationDate": None}
    figure.savefig(path, format="pdf", metadata={**undated, "Keywords": trace})
