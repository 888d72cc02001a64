"""What has to be in order in this folder before Snakemake starts on its jobs."""

from __future__ import annotations

import sys
from pathlib import Path

from ibpapers import locking
from ibpapers.jobs import Table
from ibpapers.plan import Plan
from ibpapers.provenance import integrity
from ibpapers.tracking import marker

LOCK = Path(".snakemake/ibpapers/workflow.lock")


def prepare(plan: Plan, jobs: Table, alone: bool) -> None:
    """Remove what must not be taken for done; with `alone`, make sure that nobody else works here.

    Raises:
        UserError: another process does.
    """
    if alone:
        locking.hold(LOCK, "results/ is being worked on")
        _clear_stale_locks()
    for path in integrity.remove_damaged(job for rule in jobs.values() for job in rule.values()):
        print(f"ibpapers: {path} was damaged and is made again", file=sys.stderr)
    # Runs that an unreachable tracking server has missed are sent again.
    for paper in jobs["track"]:
        if marker.is_incomplete(plan, paper):
            marker.path(plan, paper).unlink()


def _clear_stale_locks() -> None:
    """Whoever left Snakemake's own locks is dead: alive, it would hold `LOCK`."""
    for path in Path(".snakemake/locks").glob("*.lock"):
        path.unlink(missing_ok=True)
