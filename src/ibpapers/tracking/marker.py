"""Which runs of a paper are in MLflow: report/<paper>/tracking.json."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ibpapers.files import read_json, write_json
from ibpapers.plan import Plan


def path(plan: Plan, paper: str) -> Path:
    return plan.report_folder(paper) / "tracking.json"


def write(plan: Plan, paper: str, keys: Iterable[str], complete: bool) -> None:
    write_json(path(plan, paper), {"complete": complete, "keys": sorted(keys)})


def is_incomplete(plan: Plan, paper: str) -> bool:
    """Whether tracking was tried and failed, or its marker is damaged."""
    if not path(plan, paper).exists():
        return False
    content = read_json(path(plan, paper))
    return not (isinstance(content, dict) and content.get("complete") is True)
