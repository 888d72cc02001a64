"""What would run and why: Snakemake says which jobs, the records beside the results say why.

A job is a cause where its own settings, code, inputs or outputs are not what its record says; any
other job that would run only follows from one. Jobs with the same cause share its line.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ibpapers.errors import UserError, choices
from ibpapers.files import sha256
from ibpapers.fingerprint import module_hashes
from ibpapers.jobs import Job, Table
from ibpapers.plan import Plan
from ibpapers.provenance import record

LINES = 22  # of an explanation; what is longer is cut, with a count
NAMES = 4  # of jobs, or of items of a list, before they are only counted
UNKNOWN_TO_SNAKEMAKE = "as recorded, but unknown to Snakemake (.snakemake/metadata)"
CODE_OF_ALL = "identity.code"  # a setting of the paper, which shows it
WIDTH = 60  # characters of a value


@dataclass(frozen=True)
class Due:
    """A job that would run; `causes` are its own, none where it only follows from another."""

    job: Job
    causes: tuple[str, ...]


def due(plan: Plan, jobs: Table, target: str | None = None, overrides: str = "") -> list[Due]:
    """The jobs that Snakemake would run for `target` (None: everything), in order.

    Args:
        target: a file in results/, a job such as ``train pom2dib/...``, or a rule.
        overrides: what the environment variable IBPAPERS_SET shall hold.

    Raises:
        UserError: there is no such target, or Snakemake fails.
    """
    pending = _pending(targets(jobs, target), overrides)
    would_run = [job for job in _all(jobs) if job.id in pending]
    made_again = {path for job in would_run for path in job.outputs}
    hashed = cache(sha256)  # the same dataset is an input of many
    found = []
    for job in would_run:
        causes = tuple(_causes(plan, job, made_again, hashed))
        if not causes and made_again.isdisjoint(job.inputs):
            causes = (UNKNOWN_TO_SNAKEMAKE,)
        found.append(Due(job, causes))
    return found


def text(jobs: Table, found: Sequence[Due], target: str | None = None) -> str:
    """What `due` found, in at most a screen."""
    purpose = f" for {target}" if target else ""
    if not found:
        return f"Nothing would run{purpose}."
    total = sum(map(len, jobs.values()))
    head = f"{len(found):,} of {total:,} jobs would run{purpose}."
    lines = list(_explained(found))
    if len(lines) > LINES:
        more = len(lines) - LINES + 1
        lines = [*lines[: LINES - 1], f"... {more:,} more lines: `why JOB` explains one job"]
    return "\n".join([head, *lines])


def targets(jobs: Table, target: str | None) -> list[str]:
    """The files by which Snakemake knows `target`; none for everything. Raises UserError."""
    if target is None:
        return []
    if target in jobs:
        if not jobs[target]:
            raise UserError(f"the plan has no job of the rule {target!r}")
        return [job.outputs[0] for job in jobs[target].values()]
    rule, _, name = target.partition(" ")
    if name in jobs.get(rule, {}):
        return [jobs[rule][name].outputs[0]]
    path = os.path.normpath(target)
    if any(path == job.record or path in job.outputs for job in _all(jobs)):
        return [path]
    known = [*jobs, *(job.id for job in _all(jobs)), *(p for j in _all(jobs) for p in j.outputs)]
    raise UserError(
        f"the plan has no target {target!r}: give a file in results/, a job or a rule, such as: "
        f"{choices(target, known)}"
    )


def changed_settings(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path of the key, what changed) for every leaf in which two JSON values differ."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            inner = f"{path}.{key}" if path else key
            yield from changed_settings(old.get(key), new.get(key), inner)
    elif _are_lists_of(Mapping, old, new):
        for number, (left, right) in enumerate(zip_longest(old, new)):
            name = (right or left).get("name", number)
            yield from changed_settings(left, right, f"{path}[{name}]" if path else str(name))
    elif _are_lists_of(str, old, new):
        added = [f"+ {item}" for item in new if item not in old]
        removed = [f"- {item}" for item in old if item not in new]
        yield path, _few(added + removed) or "in another order"
    else:
        yield path, f"{_short(old)} -> {_short(new)}"


def changed_modules(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """What became of modules, by name, between two tables of their hashes."""
    yield from (f"code: {name} edited" for name in old if new.get(name, old[name]) != old[name])
    yield from (f"code: {name} is used now" for name in new if name not in old)
    yield from (f"code: {name} is not used any more" for name in old if name not in new)


def _pending(files: Sequence[str], overrides: str) -> set[str]:
    """The ids of all jobs that Snakemake would run for `files`, by their commands."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--printshellcmds", *files]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "IBPAPERS_SET": overrides}
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("ibpapers: ")]
    if done.returncode:
        last = said or [line for line in done.stderr.splitlines() if line.strip()][-5:]
        raise UserError("snakemake cannot say what would run:\n" + "\n".join(last))
    print("".join(f"{line}\n" for line in said), end="", file=sys.stderr)
    commands = re.findall(r" -m ibpapers (\w+) ?(\S*) > ", done.stdout)
    return {f"{rule} {name or rule}" for rule, name in commands}


def _causes(
    plan: Plan, job: Job, made_again: Collection[str], hashed: Callable[[str], str] = sha256
) -> Iterator[str]:
    missing = [path for path in job.outputs if not Path(path).exists()]
    if not Path(job.record).is_file():
        yield "never made" if missing else "no record of how it was made"
        return
    recorded = record.read(Path(job.record))
    for path in missing:
        yield f"missing {path}"
    for path, change in changed_settings(recorded["settings"], json.loads(job.settings)):
        yield f"{_key(plan, job, path)}: {change}"
    if recorded["code"] != job.code:
        yield from changed_modules(recorded.get("modules", {}), module_hashes(*job.modules))
    yield from _changed_inputs(recorded["inputs"], job.inputs, made_again, hashed)


def _changed_inputs(
    old: Mapping[str, str],
    new: Iterable[str],
    made_again: Collection[str],
    hashed: Callable[[str], str],
) -> Iterator[str]:
    new = set(new)
    for path in sorted(new - set(made_again)):
        if path not in old:
            yield f"input {path} is new"
        elif Path(path).is_file() and hashed(path) != old[path]:
            yield f"input {path} changed"
    gone = [path for path in old if path not in new]
    if gone:
        yield f"not read any more: {_few(gone, 1)}"


def _key(plan: Plan, job: Job, path: str) -> str:
    """`path` in the settings of a job as the key of params.yaml, where it is one."""
    parts = re.sub(r"\[(.*?)\]", r".\1", path).split(".")
    inner = [part for part in parts if part != "settings"]
    params = plan.params.model_dump(mode="json")
    paper, _, run = job.name.partition("/")
    sections = (
        [],
        ["sources", job.name],
        ["datasets", job.name],
        ["papers", paper, run.partition("/")[0]],  # of a dataset, where it has one
        ["papers", paper],
        ["papers", paper, "evaluation"],
    )
    for above in sections:
        if _is_in(params, [*above, *inner]):
            return ".".join([*above, *inner])
    return f"{job.rule}: {path or 'settings'}"


def _is_in(tree: Any, path: Sequence[str]) -> bool:
    for part in path:
        if not isinstance(tree, Mapping) or part not in tree:
            return False
        tree = tree[part]
    return True


def _explained(found: Sequence[Due]) -> Iterator[str]:
    jobs_of: dict[str, list[Job]] = {}
    for one in found:
        for cause in one.causes:
            jobs_of.setdefault(cause, []).append(one.job)
    if len(jobs_of) > 1:  # what changed in the code is said by the jobs whose code it is
        jobs_of = {cause: jobs for cause, jobs in jobs_of.items() if CODE_OF_ALL not in cause}
    by_jobs: dict[tuple[Job, ...], list[str]] = {}
    for cause, jobs in jobs_of.items():
        by_jobs.setdefault(tuple(jobs), []).append(cause)
    for jobs, causes in by_jobs.items():
        yield from causes[:NAMES]
        if len(causes) > NAMES:
            yield f"... and {len(causes) - NAMES:,} more differences"
        yield f"    {_counted(jobs)}"
    following = [one.job for one in found if not one.causes]
    if following:
        yield "what follows from that"
        yield f"    {_counted(following)}"


def _counted(jobs: Sequence[Job]) -> str:
    """Their names where they are few, else how many of each rule."""
    if len(jobs) <= NAMES:
        return ", ".join(job.id for job in jobs)
    return ", ".join(f"{number:,} {rule}" for rule, number in Counter(j.rule for j in jobs).items())


def _all(jobs: Table) -> Iterator[Job]:
    return (job for of_rule in jobs.values() for job in of_rule.values())


def _are_lists_of(kind: type, *values: Any) -> bool:
    return all(isinstance(v, list) and all(isinstance(i, kind) for i in v) for v in values)


def _few(items: Sequence[str], most: int = NAMES) -> str:
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def _short(value: Any) -> str:
    shown = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= WIDTH else f"{shown[: WIDTH - 3]}..."
