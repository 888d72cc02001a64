"""Results that are not what their job wrote are removed, so that they are made again, not read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ibpapers.errors import UserError
from ibpapers.files import sha256, write_json
from ibpapers.jobs import Job
from ibpapers.provenance import record

# A file is hashed again only when its size or time has changed since it was found to be whole.
SEEN = Path(".snakemake/ibpapers/seen.json")


def remove_damaged(jobs: Iterable[Job]) -> list[str]:
    """Delete outputs of `jobs` whose content is not the recorded one; returns their paths.

    An output that is missing is no damage, nor is one without a record: both are made again.
    """
    seen = _read_seen()
    whole: dict[str, list] = {}
    removed = []
    for job in jobs:
        for path, expected in _recorded_outputs(job, removed):
            try:
                status = Path(path).stat()
            except FileNotFoundError:
                continue
            facts = [status.st_size, status.st_mtime_ns, expected]
            if seen.get(path) == facts or sha256(path) == expected:
                whole[path] = facts
            else:
                Path(path).unlink()
                removed.append(path)
    if whole != seen:
        write_json(SEEN, whole)
    return removed


def _recorded_outputs(job: Job, removed: list[str]) -> Iterable[tuple[str, str]]:
    path = Path(job.record)
    if not path.is_file():
        return []
    try:
        return record.read(path)["outputs"].items()
    except UserError:
        path.unlink()
        removed.append(str(path))
        return []


def _read_seen() -> dict[str, list]:
    try:
        return json.loads(SEEN.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
