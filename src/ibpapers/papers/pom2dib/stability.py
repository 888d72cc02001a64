"""What keeps the selection from collapsing: PoM2-DIB, the stable one, and that less each change."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ibpapers.report.exhibits import Cell, History, Row, Table, View, signed
from ibpapers.report.results import estimate

N_CE_KEPT = -0.7  # nats: below it, a seed has lost links that it needed
DECIDED = 0.05  # a link this close to a probability of 0 or 1 is decided
_VARIANTS = {
    "pom2dib_stable": "stable",
    "pom2dib_stable_without_wait": "no wait",
    "pom2dib_stable_without_leave_one_out": "constant baseline",
    "pom2dib_stable_without_sets": "in order",
}


def table(view: View, methods: Mapping[str, str]) -> Table:
    """How each ends on the test set, over seeds, and when its links were decided in training.

    The worst seed counts, not the mean alone: the collapse is a matter of seed. A selection that
    is decided while N-CE is low was decided between codes that had learned little. `methods`: how
    the paper's own are called.
    """
    runs = {_variant(run, methods): run for run in view.rows["run"].unique()}
    found = [view.where(run=run) for run in runs.values()]
    n_ce = [one.values(metric="n_ce") for one in found]
    decided = [_half_decided(view.histories[run]) for run in runs.values()]

    def row(label: str, unit: str, source: str, cells: list[Cell], digits: int = 2) -> Row:
        return Row(label, unit, source, tuple(cells), digits)

    def tested(label: str, unit: str, metric: str, digits: int = 2) -> Row:
        cells = [Cell.of(one.estimate(metric=metric)) for one in found]
        return row(label, unit, _TEST, cells, digits)

    return Table(
        caption="What keeps the selection from collapsing",
        header=tuple(runs),
        rows=(
            tested("N-CE", "nat", "n_ce"),
            row("N-CE, worst seed", "nat", _TEST, [Cell(values.min()) for values in n_ce]),
            row(
                f"Seeds above {signed(f'{N_CE_KEPT:g}')}",
                "",
                _TEST,
                [Cell(text=f"{(v > N_CE_KEPT).sum()} of {len(v)}") for v in n_ce],
            ),
            tested("Sum-rate", "nat", "sum_rate", 1),
            tested("Links per draw", "", "links", 1),
            row("Noise link, worst seed", "", _TEST, [Cell(_noise(one).max()) for one in found]),
            row("Links decided at update", "", _LOG, [_over_seeds(at) for at, _ in decided], 0),
            row("N-CE at that update", "nat", _LOG, [_over_seeds(then) for _, then in decided]),
        ),
        notes=(
            "Noise link: the probability that the most selected link to a noise modality is used.",
            "Decided: from this update on, at least half of the links have a probability within "
            f"{DECIDED:g} of 0 or 1; the mean over seeds, or how many seeds came to it.",
        ),
    )


_TEST, _LOG = "whole test set", "training log"


def _variant(run: str, methods: Mapping[str, str]) -> str:
    """Of which method and change a run id such as pom2dib/handwritten/tadib_beta=0.1 is."""
    return {**methods, **_VARIANTS}[run.rpartition("/")[2].partition("_beta=")[0]]


def _noise(view: View) -> pd.Series:
    """The probability of every link to a noise modality, of every task and seed."""
    return view.rows.loc[view.rows["metric"].str.fullmatch(r"selection/.*/C\d"), "value"]


def _half_decided(history: History) -> tuple[np.ndarray, np.ndarray]:
    """By seed, from which update on half of all links are decided, and N-CE up to there.

    Both are nan for a seed that never comes to it. N-CE is the mean since the snapshot before.
    """
    probability = history["snapshot/selection_probability"]  # (seeds, snapshots, tasks, links)
    share = (np.abs(probability - 0.5) >= 0.5 - DECIDED).mean(axis=(2, 3))
    updates = history["snapshot_update"]
    at, then = np.full((2, len(share)), np.nan)
    for seed, undecided in enumerate(share < 0.5):
        if undecided[-1]:
            continue
        first = len(undecided) - np.argmax(undecided[::-1]) if undecided.any() else 0
        before = updates[first - 1] if first else -np.inf
        since = (history["update"] > before) & (history["update"] <= updates[first])
        at[seed], then[seed] = updates[first], history["n_ce"][seed, since].mean()
    return at, then


def _over_seeds(values: np.ndarray) -> Cell:
    came = np.isfinite(values)
    if came.all():
        return Cell.of(estimate(values))
    return Cell(text=f"{came.sum()} of {len(came)} seeds" if came.any() else "not yet")
