"""What no plan asks for any more: listed with its size, and removed where that is wanted."""

from __future__ import annotations

import binascii
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ibpapers import jobs, locking
from ibpapers.jobs import Job
from ibpapers.plan import RESULTS, Plan
from ibpapers.provenance.bookkeeping import MADE
from ibpapers.workplace import LOCK

KEPT = ("mlflow.db", "mlflow.lock", "mlartifacts", "paper.pdf")
SHARED = ("sources", "datasets", "logs", "benchmarks")  # the other folders are a tier and scale
NOTES = {"logs": ".log", "benchmarks": ".tsv"}  # of every job, by folder


@dataclass(frozen=True)
class Group:
    """Files that one thing of an earlier plan left, such as a run."""

    name: str
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(path.lstat().st_size for path in self.files)


def prune(plan: Plan, other_roots: bool = False, unasked: bool = False) -> None:
    """List what `plan` does not ask for, and remove it after a yes (`unasked`: at once).

    Results of other data tiers and scales stay, unless `other_roots`. MLflow's store always does.

    Raises:
        UserError: a workflow is at work here.
    """
    lock = locking.hold(LOCK, "results/ is being worked on")
    try:
        groups = superfluous(plan, other_roots)
        if not groups:
            print("Nothing to prune: the plan asks for all that is in results/.")
            return
        print(text(groups))
        if unasked or _agreed():
            remove(groups)
            print("removed")
        else:
            print("nothing removed; `prune --yes` removes it")
    finally:
        lock.release()


def superfluous(plan: Plan, other_roots: bool = False) -> list[Group]:
    """Files in results/ that `plan` does not make, and Snakemake's records of what is not there.

    What another tier or scale has in common with this one, such as its datasets, is that one's as
    long as its results are kept.
    """
    kept_elsewhere = [] if other_roots else [p.name for p in _roots() if p != plan.root]
    wanted, folders = _wanted(plan)
    grouped: dict[str, list[Path]] = {}
    for path in sorted(RESULTS.rglob("*")):
        inside = path.relative_to(RESULTS)
        if path.is_dir() and not path.is_symlink():
            continue
        if inside.parts[0] in KEPT or path in wanted or not folders.isdisjoint(path.parents):
            continue
        if _is_kept(path, kept_elsewhere):
            continue
        grouped.setdefault(_group(inside), []).append(path)
    leaving = {path for files in grouped.values() for path in files}
    staying = wanted | {path for path, _ in _books() if _is_kept(path, kept_elsewhere)}
    books = [
        book for path, book in _books() if path in leaving or not (path.exists() or path in staying)
    ]
    if books:
        grouped[f"records of vanished files in {MADE}"] = sorted(books)
    return [Group(name, tuple(files)) for name, files in grouped.items()]


def text(groups: Sequence[Group]) -> str:
    """The groups with their sizes."""
    lines = [
        f"{_bytes(group.size):>10}  {len(group.files):>5,} files  {group.name}" for group in groups
    ]
    total = sum(group.size for group in groups)
    count = sum(len(group.files) for group in groups)
    return "\n".join([*lines, f"{_bytes(total):>10}  {count:>5,} files in all"])


def remove(groups: Sequence[Group]) -> None:
    """Delete the files, and folders that are empty then."""
    for group in groups:
        for path in group.files:
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder in (RESULTS, MADE) or any(folder.iterdir()):
                    break
                folder.rmdir()


def _wanted(plan: Plan) -> tuple[set[Path], set[Path]]:
    """Files that the plan makes, and folders all of whose content is the plan's."""
    every = [job for of_rule in jobs.table(plan).values() for job in of_rule.values()]
    files = {Path(path) for job in every for path in (*job.outputs, job.record)}
    files |= {path for job in every for path in _notes(plan, job)}
    # Files of sources are only named in their cards; checkpoints lie in the folder of their run.
    folders = {Path(job.record).parent for job in every if job.rule in ("fetch", "train")}
    return files, folders


def _notes(plan: Plan, job: Job) -> Iterator[Path]:
    """The log and the benchmark of a job, where the Snakefile puts them."""
    match job.rule:
        case "fetch":
            inside = job.name
        case "dataset":
            inside = plan.dataset_folder(job.name).name
        case "paper":
            inside = plan.root.name
        case _:
            inside = f"{plan.root.name}/{job.name}"
    for folder, suffix in NOTES.items():
        yield RESULTS / folder / job.rule / f"{inside}{suffix}"


def _roots() -> list[Path]:
    """The folders of a data tier and scale: those with results of runs."""
    folders = (path for path in RESULTS.iterdir() if path.is_dir()) if RESULTS.is_dir() else ()
    return [path for path in folders if path.name not in (*SHARED, *KEPT)]


def _is_kept(path: Path, roots: Sequence[str]) -> bool:
    """Whether a file is, or may be, of one of other `roots` (``<tier>-<scale>``)."""
    inside = path.relative_to(RESULTS)
    if inside.parts[0] not in SHARED:
        return inside.parts[0] in roots
    tiers = {root.partition("-")[0] for root in roots}
    if inside.parts[0] == "sources" or inside.parts[1:2] == ("fetch",):
        return bool(tiers)
    names = {Path(part).stem for part in inside.parts[1:]}
    return bool(names & set(roots)) or any(n.endswith(f"-{t}") for n in names for t in tiers)


def _group(inside: Path) -> str:
    """What a file belongs to: a source, a dataset, a run, or a kind of file."""
    first, *rest = inside.parts
    if first in ("sources", "datasets"):
        return str(RESULTS / first / rest[0])
    if first in NOTES:
        return str(RESULTS / first)
    if rest and rest[0] == "runs":
        return str(RESULTS / inside.parent)
    return str(RESULTS.joinpath(first, *rest[:1]))


def _books() -> Iterator[tuple[Path, Path]]:
    """Every file that Snakemake has a record of, with that record."""
    for book in MADE.rglob("*"):
        if book.is_file() and (path := _recorded(book)) and path.is_relative_to(RESULTS):
            yield path, book


def _recorded(book: Path) -> Path | None:
    """The file whose record is called so: base64, cut into folders that begin with @."""
    *folders, last = book.relative_to(MADE).parts
    encoded = "".join(folder.removeprefix("@") for folder in folders) + last
    try:
        return Path(urlsafe_b64decode(encoded).decode())
    except (binascii.Error, UnicodeDecodeError):
        return None


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    return input("Remove all of it? [y/N] ").strip().lower() in ("y", "yes")


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
