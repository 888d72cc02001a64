"""Verdicts on a paper's claims: ``claims.<name>(view)`` in the paper's folder gives a `Verdict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ibpapers.files import write_json
from ibpapers.papers import PAPERS
from ibpapers.plan import Plan
from ibpapers.report import results, stored
from ibpapers.report.exhibits import View, view
from ibpapers.report.results import Estimate

LEVEL = 0.05  # of every test
MINIMUM_SEEDS = 5  # fewer carry no statistics
MINIMUM_PAIRS = 3  # of a paired test


class Outcome(StrEnum):
    HOLDS = "holds"
    FAILS = "fails"
    NOT_TESTABLE = "not testable here"


@dataclass(frozen=True)
class Evidence:
    """A number behind a verdict, with its 95% half-width and number of seeds where it has them."""

    label: str
    value: float
    unit: str = ""
    half_width: float | None = None
    seeds: int | None = None
    digits: int = 2

    @classmethod
    def of(cls, label: str, estimate: Estimate, unit: str, digits: int = 2) -> Evidence:
        return cls(label, estimate.mean, unit, estimate.half_width, estimate.seeds, digits)


@dataclass(frozen=True)
class Verdict:
    """What became of a claim: `test` is the rule, `reason` why the rule gave `outcome`."""

    claim: str
    outcome: Outcome
    reason: str
    test: str
    evidence: tuple[Evidence, ...]


def verdict(
    claim: str,
    test: str,
    evidence: Sequence[Evidence],
    untestable: str | None,
    findings: Mapping[str, bool],
) -> Verdict:
    """The verdict from `findings`, each a statement and whether it is so.

    A claim holds where all are so and fails where one is not, unless something makes it
    `untestable`: then that is the reason, and the evidence is shown all the same.
    """
    if untestable:
        return Verdict(claim, Outcome.NOT_TESTABLE, untestable, test, tuple(evidence))
    failed = [statement for statement, so in findings.items() if not so]
    outcome = Outcome.FAILS if failed else Outcome.HOLDS
    reason = f"not so: {'; '.join(failed)}" if failed else "; ".join(findings)
    return Verdict(claim, outcome, reason, test, tuple(evidence))


def too_short(view: View) -> str | None:
    """Why training at this scale settles nothing; None where it may."""
    return "smoke scale: training is too short to settle" if view.scale == "smoke" else None


def few_seeds(view: View, needed: int = MINIMUM_SEEDS) -> str | None:
    """Why the view's seeds are too few for a test; None where they are enough."""
    seeds = view.rows["seed"].nunique()
    return f"seeds: {seeds}, needed: {needed}" if seeds < needed else None


def p_paired(larger: pd.Series, smaller: pd.Series) -> float:
    """p of the paired one-sided t-test; seeds, the index of both, are the pairs."""
    difference = (larger - smaller).to_numpy()
    if np.ptp(difference) == 0:
        return 0.0 if difference[0] > 0 else 1.0
    return stats.ttest_1samp(difference, 0, alternative="greater").pvalue


def p_text(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def claims_file(plan: Plan, paper: str) -> Path:
    return plan.report_folder(paper) / "claims.json"


def read(plan: Plan, paper: str) -> list[dict[str, Any]]:
    """The verdicts that `judge` wrote, as JSON.

    Raises:
        UserError: they are missing or damaged.
    """
    return stored.read(claims_file(plan, paper), list[Verdict], f"claims {paper}")


def judge(plan: Plan, paper: str) -> None:
    """Write the verdict on every claim of `paper` to `claims.json`, in the order of the plan.

    Raises:
        UserError: the results of `paper` are missing.
    """
    evidence = view(plan, paper, results.read(plan, paper))
    functions = PAPERS[paper].room("claims")
    verdicts = [
        {"name": name, **asdict(getattr(functions, name)(evidence))}
        for name in plan.papers[paper].claims
    ]
    write_json(claims_file(plan, paper), verdicts)
