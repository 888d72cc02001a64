"""How a result, or one part of it, came to be: from the records alone, whatever is asked for now.

The record of a result lies beside it; a PDF that was moved elsewhere carries its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ibpapers.datasets.cards import CARD
from ibpapers.errors import UserError
from ibpapers.files import read_json, sha256
from ibpapers.plan import RESULTS
from ibpapers.provenance import record
from ibpapers.provenance.record import Record

if TYPE_CHECKING:
    from ibpapers.provenance.parts import Part

NUMBERS = Path("report/numbers.json")


@dataclass(frozen=True)
class Source:
    """A result and its record, with the records of all that it was made from by job."""

    path: Path
    record: Record
    jobs: Mapping[str, Record]

    def of_rule(self, *rules: str) -> list[Record]:
        every = (*self.jobs.values(), self.record)
        return [one for one in every if one["job"].partition(" ")[0] in rules]

    def inputs(self, name: str) -> list[Path]:
        """The files called `name` that it was made from.

        Raises:
            UserError: one is gone, or has changed since.
        """
        found = [path for path in self.record["inputs"] if Path(path).name == name]
        for path in found:
            if not Path(path).is_file() or sha256(path) != self.record["inputs"][path]:
                raise UserError(
                    f"{path}, from which {self.path} was made, is gone or has changed since: its "
                    "parts cannot be followed. Without #PART it can."
                )
        return [Path(path) for path in found]


def trace(target: str) -> dict[str, Any]:
    """What is known of ``FILE`` or ``FILE#PART``, as it can be written as JSON.

    A part is a cell of a table (ROW/COLUMN as printed), a claim (its name), or a number of the
    paper (its path in report/numbers.json).

    Raises:
        UserError: there is no such file or part, or no record of how it was made.
    """
    name, _, part_name = target.partition("#")
    source = source_of(Path(os.path.relpath(name)))
    tier, scale = axes(source)
    found: dict[str, Any] = {
        "file": str(source.path),
        "sha256": sha256(source.path),
        "state": _state(source, tier, scale),
        "tier": tier,
        "scale": scale,
        **{key: source.record.get(key) for key in ("job", "code", "commit", "environment")},
        "settings": source.record.get("settings"),
    }
    runs, study = _shown(source)
    if part_name:
        part = _part(source, part_name, tier, scale)
        found["part"] = {"name": part_name, "value": part.value, "runs found": part.found}
        runs, study = part.runs, part.study
    found["runs"] = list(_runs(source, runs, study))
    read = None if runs is None else {path for one in found["runs"] for path in one["inputs"]}
    found["estimates"] = [_facts(one) for one in source.of_rule("entropy") if _is_in(one, read)]
    found["datasets"] = list(_datasets(source, read))
    found["read"] = {p: c for p, c in source.record["inputs"].items() if not _is_result(p)}
    return found


def source_of(path: Path) -> Source:
    """The record of the result at `path`, relative to the folder of the project, and its lineage.

    Raises:
        UserError: there is no such file, or no record of how it was made.
    """
    if path.name.endswith("trace.json"):
        raise UserError(f"{path} is a record itself: name the result beside it")
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    beside = record.of(path)
    if beside is not None and not _is_of(path, beside):
        beside = None
    if beside is None and path.suffix == ".pdf":
        from ibpapers.provenance import carried

        beside = carried.record(path)
    if beside is None:
        raise UserError(
            f"there is no record of how {path} was made: it is no result, or was made by hand"
        )
    lineage = beside["lineage"] if "lineage" in beside else record.lineage(beside)
    if not _are_records([beside, *lineage] if isinstance(lineage, list) else []):
        raise UserError(f"the record of how {path} was made is damaged; make {path.name} again")
    return Source(path, beside, {one["job"]: one for one in lineage})


def axes(source: Source) -> tuple[str | None, str | None]:
    """Data tier and scale, where they are part of what was made."""
    for one in (source.record, *source.jobs.values()):
        settings = one.get("settings")
        if isinstance(settings, Mapping):
            papers = settings.get("papers")
            for place in (settings, *(papers.values() if isinstance(papers, Mapping) else ())):
                if isinstance(place, Mapping) and {"tier", "scale"} <= set(place):
                    return place["tier"], place["scale"]
    card = source.path.with_name(CARD)
    return (read_json(card).get("tier") if card.is_file() else None), None


def _are_records(candidates: Sequence[Any]) -> bool:
    kinds = {"job": str, "code": str, "inputs": Mapping, "environment": Mapping}
    return bool(candidates) and all(
        isinstance(one, Mapping) and isinstance(one.get(key), kind)
        for one in candidates
        for key, kind in kinds.items()
    )


def _is_of(path: Path, beside: Record) -> bool:
    """Whether a record is about `path`: its output, or a file of a source with its card."""
    outputs = beside["outputs"]
    return str(path) in outputs or str(path.with_name(CARD)) in outputs


def _state(source: Source, tier: str | None, scale: str | None) -> str:
    """Whether the file is still what its record says."""
    recorded = source.record.get("outputs", {}).get(str(source.path))
    if recorded is None and source.path.with_name(CARD).is_file():
        described = read_json(source.path.with_name(CARD)).get("files", {})
        recorded = described.get(source.path.name, {}).get("sha256")
    if recorded is None and source.path == RESULTS / "paper.pdf":
        beside = record.of(RESULTS / f"{tier}-{scale}" / "paper.pdf")
        recorded = beside and beside["outputs"].get(str(source.path))
    if recorded is None:
        return "unknown: a copy, traced by the record it carries"
    return "as recorded" if recorded == sha256(source.path) else "CHANGED since it was made"


def _part(source: Source, name: str, tier: str | None, scale: str | None) -> Part:
    import pandas as pd

    from ibpapers.provenance import parts

    rule = source.record["job"].partition(" ")[0]
    if rule not in ("table", "claims", "paper"):
        raise UserError(f"{source.path} has no parts: leave #{name} out")
    tables = {path.parent.name: pd.read_parquet(path) for path in source.inputs("results.parquet")}
    if rule == "paper":
        numbers = read_json(RESULTS / f"{tier}-{scale}" / NUMBERS)
        return parts.of_paper(numbers, name, tables)
    (rows,) = tables.values()
    if rule == "claims":
        return parts.of_claim(read_json(source.path), name, rows)
    study = source.record["settings"]["exhibit"]["study"]
    return parts.of_table(read_json(source.path), name, rows, study)


def _shown(source: Source) -> tuple[list[str] | None, str | None]:
    """The runs that a figure or a table shows, and its study; all runs of anything else."""
    settings = source.record.get("settings")
    if not isinstance(settings, Mapping) or "exhibit" not in settings:
        return None, None
    exhibit = settings["exhibit"]
    (collected,) = source.of_rule("collect")
    studies = {study["name"]: study["runs"] for study in collected["settings"]}
    return [*studies[exhibit["study"]], *exhibit["histories"]], exhibit["study"]


def _runs(source: Source, chosen: Sequence[str] | None, study: str | None) -> Iterator[dict]:
    """Facts about the trained runs behind a result; only the `chosen` ones, if any are given."""
    evaluations = {one["job"].partition(" ")[2]: one for one in source.of_rule("evaluate")}
    wanted = None if chosen is None else _with_those_before(source, chosen)
    for one in source.of_rule("train"):
        run = one["job"].partition(" ")[2]
        if wanted is None or run in wanted:
            facts = {"run": run, **_facts(one), "trained with": one.get("training")}
            if run in evaluations:
                facts["evaluation"] = _facts(evaluations[run])
            yield {**facts, "mlflow": _mlflow(source, one, run, study)}


def _with_those_before(source: Source, runs: Iterable[str]) -> set[str]:
    """`runs` and those from whose models they started."""
    found: set[str] = set()
    waiting = list(runs)
    made_by = {path: one["job"] for one in source.of_rule("train") for path in one["outputs"]}
    while waiting:
        run = waiting.pop()
        if run not in found:
            found.add(run)
            above = source.jobs.get(f"train {run}", {"inputs": {}})["inputs"]
            waiting += {made_by[p].partition(" ")[2] for p in above if p in made_by}
    return found


def _facts(one: Record) -> dict[str, Any]:
    keys = ("job", "settings", "code", "commit", "environment", "inputs", "outputs")
    return {key: one.get(key) for key in keys}


def _mlflow(source: Source, one: Record, run: str, study: str | None) -> dict[str, Any] | None:
    """The keys of the run's seeds in MLflow, one per study and seed, and MLflow's ids of them.

    None where the run's own folder is not at hand, or no study is known to show it.
    """
    recipe = next((p for p in one["outputs"] if Path(p).name == "recipe.json"), None)
    if recipe is None or not Path(recipe).is_file() or sha256(recipe) != one["outputs"][recipe]:
        return None
    from ibpapers.tracking import mlflow_store

    content, paper = read_json(recipe), run.partition("/")[0]
    report = Path(recipe.partition("/runs/")[0]) / "report" / paper
    collected = source.jobs.get(f"collect {paper}") or record.of(report / "results.parquet")
    studies = [s["name"] for s in collected["settings"] if run in s["runs"]] if collected else []
    keys = {
        f"{name}, seed {seed}": mlflow_store.key(name, run, seed, content)
        for name in studies
        if study in (None, name)
        for seed in content["recipe"]["seeds"]
    }
    tracked = record.of(report / "tracking.json")
    address = tracked["settings"] if tracked else None
    ids = _in_store(str(address), paper)
    return {"address": address, "keys": keys, "runs": {n: ids.get(key) for n, key in keys.items()}}


@cache
def _in_store(address: str, paper: str) -> dict[str, str]:
    """MLflow's ids by key, where the store is a file of this machine."""
    database = Path(address.removeprefix("sqlite:///"))
    if not address.startswith("sqlite:///") or not database.is_file():
        return {}
    from ibpapers.tracking import mlflow_store

    return mlflow_store.find(database, paper)


def _is_in(one: Record, read: set[str] | None) -> bool:
    """Whether an output of a job is among what was `read`; None: whatever it was made from."""
    return read is None or not read.isdisjoint(one.get("outputs", ()))


def _datasets(source: Source, read: set[str] | None) -> Iterator[dict[str, Any]]:
    """Facts about the datasets among what was `read`, and of each about its sources."""
    sources = {path: one for one in source.of_rule("fetch") for path in one["outputs"]}
    for one in source.of_rule("dataset"):
        if _is_in(one, read):
            name = one["job"].partition(" ")[2]
            card = next((p for p in one["outputs"] if Path(p).name == CARD), None)
            whole = card and Path(card).is_file() and sha256(card) == one["outputs"][card]
            made_from = [_facts(sources[p]) for p in one["inputs"] if p in sources]
            described = read_json(card).get("sources") if whole else None
            yield {"dataset": name, **_facts(one), "sources": made_from, "card": described}


def _is_result(path: str) -> bool:
    return Path(path).parts[0] == RESULTS.name
