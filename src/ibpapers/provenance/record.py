"""How a result came to be: a JSON file beside it, written by the job that made it.

``trace.json`` in a folder of its own (source, dataset, run), ``<name>.trace.json`` beside a single
file. It names the job, its settings, code, commit and environment, and the SHA-256 of everything
read and written; so a result can be followed back to its sources, and damage is recognised.
"""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ibpapers.errors import AlreadyDone, UserError
from ibpapers.files import read_json, sha256, write_json
from ibpapers.fingerprint import module_hashes
from ibpapers.jobs import LOCK, Job, canonical
from ibpapers.locking import waited_for

Record = dict[str, Any]

LOCKS = Path(".snakemake/ibpapers/locks")
EXHIBITS = ("figure", "table", "claims", "paper")  # what a reader asks about: with lineage
OWN = ("lineage", "modules")
PACKAGES = ("matplotlib", "numpy", "pandas", "scipy", "torch", "typst")


@dataclass
class Recorded:
    """A job at work and its record so far, which has no outputs yet."""

    job: Job
    content: Record

    @property
    def code(self) -> str:
        return self.content["code"]

    def trace(self) -> str:
        """The record and its lineage as JSON, to be carried by a figure or a paper."""
        return canonical(self.content)


@contextmanager
def recorded(job: Job) -> Iterator[Recorded]:
    """Do `job` in the block: alone, on checked inputs, and with its record written at the end.

    Raises:
        UserError: an input is missing, or is not what the job that made it has written.
        AlreadyDone: another process, waited for, has done this very job.
    """
    lock = LOCKS / job.rule / f"{job.name}.lock"
    with waited_for(lock, f"{job.id} is being done") as has_waited:
        content = _begin(job)
        if has_waited and _is_done(job, content):
            raise AlreadyDone(f"{job.id}: done by another process: {job.outputs[0]}")
        if job.rule in EXHIBITS:
            content["lineage"] = lineage(content)
        yield Recorded(job, content)
        content["outputs"] = {path: sha256(path) for path in job.outputs}
        write_json(job.record, content)


def _begin(job: Job) -> Record:
    return {
        "job": job.id,
        "command": f"python -m ibpapers {job.id}",
        "settings": json.loads(job.settings),
        "code": job.code,
        "modules": module_hashes(*job.modules),
        "commit": commit(),
        "environment": environment(),
        "inputs": {path: _checked(path) for path in job.inputs},
    }


def _is_done(job: Job, wanted: Record) -> bool:
    """Whether the outputs are there, whole, and what `wanted` would make again."""
    if not Path(job.record).is_file():
        return False
    found = read(Path(job.record))
    same = all(found[key] == wanted[key] for key in ("settings", "code", "inputs"))
    outputs = found["outputs"].items()
    return same and all(Path(p).is_file() and sha256(p) == content for p, content in outputs)


def _checked(path: str) -> str:
    """The SHA-256 of an input, which must be what its record says."""
    try:
        found = sha256(path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}. `make paper` makes it.") from None
    record = of(path)
    if record is not None and record["outputs"].get(path, found) != found:
        raise UserError(
            f"{path} is damaged: its content is not what `{record['job']}` wrote. "
            "`make paper` removes it and makes it again."
        )
    return found


def path_of(result: str | Path) -> Path | None:
    """Where the record of `result` is; None where there is none, as for a file of the project."""
    result = Path(result)
    candidates = (result.with_suffix(".trace.json"), result.parent / "trace.json")
    return next((path for path in candidates if path.is_file()), None)


def of(result: str | Path) -> Record | None:
    """The record of the job that wrote `result`; None where there is none."""
    path = path_of(result)
    return None if path is None else read(path)


def read(path: Path) -> Record:
    """The record at `path`. Raises UserError where it cannot be one."""
    record = read_json(path)
    if not isinstance(record, dict) or not {"job", "inputs", "outputs"} <= set(record):
        raise UserError(f"{path} is damaged: it is not a record. Delete it; `make paper` goes on.")
    return record


def lineage(record: Record) -> list[Record]:
    """The records of everything that `record`'s inputs were made from, sources first.

    Without their own lineages, and without the hashes of single modules.
    """
    found: dict[str, Record] = {}

    def visit(paths: dict[str, str]) -> None:
        for path in paths:
            above = of(path)
            if above is not None and above["job"] not in found:
                visit(above["inputs"])
                found[above["job"]] = {k: v for k, v in above.items() if k not in OWN}

    visit(record["inputs"])
    return list(found.values())


@cache
def commit() -> str | None:
    """The checked-out commit, and whether files differ from it; None outside a repository."""
    try:
        head = _git("rev-parse", "HEAD")
        return f"{head} with uncommitted changes" if _git("status", "--porcelain", "-uno") else head
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@cache
def environment() -> dict[str, str]:
    """What the job ran on: interpreter, machine, the locked environment and its main packages."""
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}",
        "lock": sha256(LOCK),
        **{name: version for name in PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()
