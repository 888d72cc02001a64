"""The plan: everything that is to be computed, as one table. No torch here.

It is the only list of jobs. The Snakefile expands it, dvc.yaml is written from it, and every
command of ``python -m ibpapers`` looks its work up in it.

A result's path is its identity::

    results/sources/<source>/                      as downloaded or generated
    results/datasets/<dataset>-<tier>/             arrays.npz, card.json
    results/<tier>-<scale>/entropies/<id>.json     estimates that trainings and figures read
    results/<tier>-<scale>/runs/<run id>/          model.safetensors, history.npz, recipe.json
    results/<tier>-<scale>/evaluations/<run id>.parquet
    results/<tier>-<scale>/report/<paper>/         results.parquet, figures, tables, claims.json
    results/<tier>-<scale>/paper.pdf               the latest one is results/paper.pdf

Beside each, ``trace.json`` or ``<name>.trace.json`` records how it came to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ibpapers.config import Params, load
from ibpapers.datasets import DATASETS
from ibpapers.errors import UserError, choices
from ibpapers.inputs import Inputs
from ibpapers.papers import PAPERS

RESULTS = Path("results")
MOST_RUNS = 3000


@dataclass(frozen=True)
class Entropy:
    """An entropy or information of a dataset, estimated once, before the trainings that read it.

    `recipe` is all that the estimate depends on beside its code and its dataset.
    """

    paper: str
    dataset: str
    name: str
    recipe: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{self.paper}/{self.dataset}/{self.name}"


@dataclass(frozen=True)
class Run:
    """One training: a method on a dataset under one setting, with all its seeds.

    `recipe` is all that the training depends on beside its code and its inputs; `evaluation`
    is what only the evaluation depends on. Inputs beside the dataset: the estimates `entropies`
    (ids), and the trained models of the runs `after` (ids, of the same paper).
    """

    paper: str
    dataset: str
    method: str
    name: str
    recipe: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    entropies: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.paper}/{self.dataset}/{self.name}"

    @property
    def module(self) -> str:
        """The module whose import closure is the code of this run."""
        return f"ibpapers.papers.{self.paper}.methods.{self.method}"


@dataclass(frozen=True)
class Study:
    """A question put to some runs; their evaluations become its rows in the paper's table."""

    name: str
    title: str
    runs: tuple[str, ...]  # run ids


@dataclass(frozen=True)
class Exhibit:
    """A figure or a table: drawn by the function of the same name in the paper's folder."""

    name: str
    title: str
    study: str
    histories: tuple[str, ...] = ()  # run ids whose training history it shows
    entropies: tuple[str, ...] = ()  # ids of the estimates that it shows


@dataclass(frozen=True)
class PaperPlan:
    """What one paper asks for. `claims` are functions of its `claims.py`, in order."""

    runs: tuple[Run, ...]
    studies: tuple[Study, ...]
    figures: tuple[Exhibit, ...]
    tables: tuple[Exhibit, ...]
    claims: tuple[str, ...]
    entropies: tuple[Entropy, ...] = ()


@dataclass(frozen=True)
class Plan:
    params: Params
    papers: Mapping[str, PaperPlan]
    runs: Mapping[str, Run] = field(default_factory=dict)
    entropies: Mapping[str, Entropy] = field(default_factory=dict)

    @property
    def tier(self) -> str:
        return self.params.data

    @property
    def root(self) -> Path:
        """The folder of everything that depends on tier and scale."""
        return RESULTS / f"{self.params.data}-{self.params.scale}"

    def run(self, run_id: str) -> Run:
        if run_id not in self.runs:
            raise UserError(f"the plan has no run {run_id!r}; it has: {choices(run_id, self.runs)}")
        return self.runs[run_id]

    def datasets(self) -> tuple[str, ...]:
        users = (*self.runs.values(), *self.entropies.values())
        return tuple(sorted({user.dataset for user in users}))

    def sources(self) -> tuple[str, ...]:
        used = {s for name in self.datasets() for s in DATASETS[name].sources[self.tier]}
        return tuple(sorted(used))

    def source_folder(self, source: str) -> Path:
        return RESULTS / "sources" / source

    def source_settings(self, source: str) -> dict[str, Any]:
        """What shapes a source that is generated; empty where nothing does."""
        chosen = getattr(self.params.sources, source, None)
        return {} if chosen is None else chosen.model_dump(mode="json")

    def dataset_folder(self, dataset: str) -> Path:
        return RESULTS / "datasets" / f"{dataset}-{self.tier}"

    def dataset_settings(self, dataset: str) -> dict[str, Any]:
        return getattr(self.params.datasets, dataset).model_dump(mode="json")

    def entropy_file(self, entropy_id: str) -> Path:
        return self.root / "entropies" / f"{entropy_id}.json"

    def run_folder(self, run_id: str) -> Path:
        return self.root / "runs" / run_id

    def inputs(self, run_id: str) -> Inputs:
        """What the training of a run, and its evaluation, read."""
        run = self.run(run_id)
        return Inputs(
            dataset=self.dataset_folder(run.dataset),
            entropies={entropy: self.entropy_file(entropy) for entropy in run.entropies},
            runs={other: self.run_folder(other) for other in run.after},
        )

    def evaluation_file(self, run_id: str) -> Path:
        return self.root / "evaluations" / f"{run_id}.parquet"

    def report_folder(self, paper: str) -> Path:
        return self.root / "report" / paper


def make(params: Params) -> Plan:
    """The plan that `params` ask for.

    Raises:
        UserError: two runs share an id, or there are more than `MOST_RUNS`.
    """
    papers = {
        name: PAPERS[name].room("studies").plan(getattr(params.papers, name), params)
        for name in params.include
    }
    runs = _by_id("runs", (run for paper in papers.values() for run in paper.runs))
    if len(runs) > MOST_RUNS:
        raise UserError(
            f"params.yaml asks for {len(runs):,} runs; at most {MOST_RUNS:,} are allowed in one "
            "plan. Shorten a list of a study, such as its betas."
        )
    return Plan(
        params=params,
        papers=papers,
        runs=runs,
        entropies=_by_id("entropies", (e for paper in papers.values() for e in paper.entropies)),
    )


def _by_id(kind: str, listed: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in listed:
        if found.setdefault(one.id, one) is not one:
            raise UserError(f"params.yaml asks for two different {kind} named {one.id}")
    return found


def read(path: Path | str = "params.yaml", overrides: Sequence[str] = ()) -> Plan:
    """The plan of a params file: `config.load`, then `make`."""
    return make(load(path, overrides))
