"""Verdicts on a paper's claims: ``claims.<name>(view)`` in the paper's folder gives a `Verdict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ibpapers.files import write_json
from ibpapers.papers import PAPERS
from ibpapers.plan import Plan
from ibpapers.report import results, stored
from ibpapers.report.exhibits import view
from ibpapers.report.results import Estimate

LEVEL = 0.05  # of every test
MINIMUM_SEEDS = 5  # fewer carry no statistics


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
