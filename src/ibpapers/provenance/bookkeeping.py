"""Snakemake's books on what it has made, put right by the records beside the results.

Snakemake takes a result that its books do not know for fresh, whatever it was made of; one that was
finished after Snakemake had been killed for half-made; and a file of the project with an old time
for unedited.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from ibpapers.errors import UserError
from ibpapers.files import sha256
from ibpapers.jobs import Job
from ibpapers.plan import RESULTS
from ibpapers.provenance import record

MADE = Path(".snakemake/metadata")
HALF_MADE = Path(".snakemake/incomplete")
NEEDED = {"rule", "input", "params", "code", "input_checksums", "record_format_version"}


def put_right(jobs: Iterable[Job]) -> None:
    """Judge by its record each result that is marked as half-made, has a part that is missing or
    not in the books, or was made of a file of the project that has been edited since.

    If that is what the job would write now, the result is no longer marked as half-made; else it
    is, so that it is made again. `jobs` come in an order in which they can run.
    """
    hashed = cache(sha256)
    for job in jobs:
        every = (*job.outputs, job.record)
        there = [path for path in every if os.path.isfile(path)]
        in_doubt = [path for path in there if _is_half_made(path) or not _is_known(path)]
        if there and (in_doubt or len(there) < len(every) or _is_edited(job, hashed)):
            if _is_current(job, hashed):
                twins = [path for path in there if path not in in_doubt]
                for path in in_doubt:
                    _accept(path, twins)
                if not all(map(_is_known, there)):
                    _date(there, job.inputs)
            else:
                for path in there:
                    _reject(path)


def _accept(path: str, twins: list[str]) -> None:
    """Outputs of one job, which are twins, have the same entry in the books."""
    _place(HALF_MADE, path).unlink(missing_ok=True)
    if not _is_known(path):
        _place(MADE, path).unlink(missing_ok=True)
        if twins:
            _place(MADE, path).write_bytes(_place(MADE, twins[0]).read_bytes())


def _reject(path: str) -> None:
    marker = _place(HALF_MADE, path)
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text('{"external_jobid": null}', encoding="utf-8")


def _date(outputs: Iterable[str], inputs: Iterable[str]) -> None:
    """Make `outputs` as new as `inputs`: Snakemake goes by times where its books do not help."""
    newest = max((os.path.getmtime(path) for path in inputs if os.path.isfile(path)), default=0.0)
    for path in outputs:
        if os.path.getmtime(path) < newest:
            os.utime(path)


def _is_edited(job: Job, hashed: Callable[[str], str]) -> bool:
    own = [p for p in job.inputs if RESULTS not in Path(p).parents and os.path.isfile(p)]
    try:
        recorded = record.read(Path(job.record))["inputs"] if own else {}
    except UserError:
        return True
    return any(recorded.get(path) != hashed(path) for path in own)


def _is_current(job: Job, hashed: Callable[[str], str]) -> bool:
    """Whether all outputs are there, made of today's settings, code and inputs.

    That they are whole has been seen to before. An input that is missing, as are sources where
    only results were restored, is taken for what it was.
    """
    try:
        found = record.read(Path(job.record))
    except UserError:
        return False
    return (
        found.get("settings") == json.loads(job.settings)
        and found.get("code") == job.code
        and set(found["inputs"]) == set(job.inputs)
        and all(hashed(p) == content for p, content in found["inputs"].items() if os.path.isfile(p))
        and all(map(os.path.isfile, job.outputs))
    )


def _is_half_made(path: str) -> bool:
    return _place(HALF_MADE, path).exists()


def _is_known(path: str) -> bool:
    try:
        return set(json.loads(_place(MADE, path).read_bytes())) >= NEEDED
    except (OSError, ValueError, TypeError):
        return False


def _place(book: Path, path: str) -> Path:
    """Where Snakemake notes something about `path`: its base64, cut to what a name may have."""
    name = urlsafe_b64encode(path.encode()).decode()
    longest = os.pathconf(".", "PC_NAME_MAX") - 1
    *folders, last = [name[i : i + longest] for i in range(0, len(name), longest)]
    return book.joinpath(*(f"@{folder}" for folder in folders), last)
