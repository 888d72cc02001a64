"""A result made again, from its sources on, in a folder of its own, and compared file by file."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ibpapers import jobs, plan
from ibpapers.datasets.fetch import verified_card
from ibpapers.errors import UserError
from ibpapers.files import sha256
from ibpapers.fingerprint import module_hashes
from ibpapers.jobs import Job, Table
from ibpapers.provenance import record, trace
from ibpapers.provenance.record import Record
from ibpapers.provenance.why import changed_modules, changed_settings

SAME, SAME_CONTENT = "same bytes", "same but for the record it carries"
DIFFERS, MISSING, REUSED = "differs", "not made", "reused"
SHOWN = 5  # differences in settings
NOT_LINKED = ("results",)  # beside what is hidden


def reproduce(file: str, overrides: str = "", keep: str | None = None) -> bool:
    """Make `file` and all behind it again elsewhere, and say of each file whether it is the same.

    `results/` is only read. Sources are taken from there if they are those of the record.

    Args:
        overrides: of settings, as in the environment variable IBPAPERS_SET.
        keep: an empty or new folder to work in, left as it is; None: a temporary one.

    Returns:
        Whether all are the same.

    Raises:
        UserError: the present settings are not those of the record, or a job fails.
    """
    source = trace.source_of(Path(os.path.relpath(file)))
    chain = _chain(source)
    tier, scale = trace.axes(source)
    overrides = " ".join([overrides, f"data={tier}" * bool(tier), f"scale={scale}" * bool(scale)])
    table = jobs.table(plan.read(overrides=shlex.split(overrides)))
    _refuse_other_settings(chain, table, file)
    for note in _expected_differences(chain, table):
        print(f"note: {note}, so that a difference is no surprise")
    with _scratch(keep) as scratch:
        reused = _reuse_sources(chain, scratch)
        print(f"making {len(chain) - len(reused)} jobs again in {scratch}", flush=True)
        _make(table, chain[-1]["job"], scratch, overrides)
        verdicts = list(_compared(chain, scratch, reused))
    for path, verdict in verdicts:
        print(f"{verdict:<{len(SAME_CONTENT)}}  {path}")
    counts = Counter(verdict for _, verdict in verdicts)
    print(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))
    return not counts[DIFFERS] and not counts[MISSING]


def _chain(source: trace.Source) -> list[Record]:
    """The records of all jobs behind a result, its own last."""
    own = source.record
    if own["job"].startswith("track "):
        raise UserError(f"{source.path} says what is in MLflow; there is nothing to make again")
    if "outputs" not in own:  # the record that a PDF carries was written before the PDF
        if not source.path.is_relative_to(plan.RESULTS):
            raise UserError(f"{source.path} is a copy: name what `{own['job']}` makes in results/")
        own = {**own, "outputs": {str(source.path): sha256(source.path)}}
    return [*source.jobs.values(), own]


def _refuse_other_settings(chain: Sequence[Record], table: Table, file: str) -> None:
    found: dict[str, None] = {}
    for one in chain:
        rule, _, name = one["job"].partition(" ")
        if name not in table[rule]:
            found[f"the plan has no {one['job']}"] = None
            continue
        present = json.loads(table[rule][name].settings)
        for path, change in changed_settings(one["settings"], present):
            if not path.startswith("identity"):  # of code and environment, which are noted
                found[f"{rule}: {path}: {change}"] = None
    if found:
        more = f"\n... and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
        commit = chain[-1].get("commit")
        way = f", or check out commit {commit}" if commit else ""
        raise UserError(
            f"{file} was made with other settings than the present ones (then -> now):\n"
            + "\n".join([*found][:SHOWN])
            + more
            + f"\nPut them back in params.yaml{way}."
        )


def _expected_differences(chain: Sequence[Record], table: Table) -> Iterator[str]:
    """What is not as it was when the records were written."""
    edited: dict[str, None] = {}
    for one in chain:
        rule, _, name = one["job"].partition(" ")
        job = table[rule][name]
        if job.code != one["code"]:
            edited |= dict.fromkeys(_edited(one, job) or [f"code: that of {one['job']}"])
    if edited:
        more = f" and {len(edited) - SHOWN:,} more" if len(edited) > SHOWN else ""
        yield f"the code is not the same ({', '.join([*edited][:SHOWN])}{more})"
    present = record.environment()
    changed = {
        f"{key} {one['environment'].get(key)} -> {value}": None
        for one in chain
        for key, value in present.items()
        if one["environment"].get(key) != value
    }
    if changed:
        yield f"the environment is another one ({', '.join(changed)})"


def _edited(one: Record, job: Job) -> list[str]:
    """The modules that changed; none where the record that names them is not beside the result."""
    path = Path(job.record)
    found = record.read(path) if path.is_file() else {}
    if found.get("code") != one["code"]:
        return []
    return list(changed_modules(found.get("modules", {}), module_hashes(*job.modules)))


@contextmanager
def _scratch(keep: str | None) -> Iterator[Path]:
    """A folder in which the project's files are at hand, as links, but none of its results."""
    folder = Path(keep or tempfile.mkdtemp(prefix="ibpapers-"))
    if keep and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"--keep {keep}: is not an empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in Path.cwd().iterdir():
            is_ours = path.name not in NOT_LINKED and not path.name.startswith(".")
            if is_ours and not folder.resolve().is_relative_to(path.resolve()):
                (folder / path.name).symlink_to(path)
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _reuse_sources(chain: Sequence[Record], scratch: Path) -> set[str]:
    """Copy the sources that are still those of the records; returns their jobs."""
    reused = set()
    for one in chain[:-1]:
        if one["job"].startswith("fetch "):
            (card,) = one["outputs"]
            folder = Path(card).parent
            if Path(card).is_file() and sha256(card) == one["outputs"][card] and _is_whole(folder):
                shutil.copytree(folder, scratch / folder, symlinks=True)
                reused.add(one["job"])
    return reused


def _is_whole(source: Path) -> bool:
    try:
        verified_card(source)
    except UserError:
        return False
    return True


def _make(table: Table, job: str, scratch: Path, overrides: str) -> None:
    rule, _, name = job.partition(" ")
    target = table[rule][name].outputs[0]
    command = [sys.executable, "-m", "snakemake", target, "--logger", "ibpapers"]
    done = subprocess.run(command, cwd=scratch, env={**os.environ, "IBPAPERS_SET": overrides})
    if done.returncode:
        raise UserError(f"{target} could not be made again: see above (--keep FOLDER keeps it)")


def _compared(
    chain: Sequence[Record], scratch: Path, reused: set[str]
) -> Iterator[tuple[str, str]]:
    for one in chain:
        for path, content in one["outputs"].items():
            yield path, REUSED if one["job"] in reused else _verdict(path, content, scratch / path)


def _verdict(path: str, recorded: str, again: Path) -> str:
    if not again.is_file():
        return MISSING
    if sha256(again) == recorded:
        return SAME
    if again.suffix == ".pdf" and Path(path).is_file() and sha256(path) == recorded:
        from ibpapers.provenance.carried import content_hash

        return SAME_CONTENT if content_hash(again) == content_hash(Path(path)) else DIFFERS
    return DIFFERS
