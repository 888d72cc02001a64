"""The jobs of a plan: what each makes, of what, and what else shapes it.

A job runs again when the content of an input, its settings or its code change, or when an output
is missing. What is left out (the mirror, paths, times) cannot make a result stale. The rules of
the Snakefile, the records beside the results and `python -m ibpapers why` all read this table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ibpapers import files
from ibpapers.datasets import DATASETS, sources
from ibpapers.errors import UserError, choices
from ibpapers.fingerprint import code_hash
from ibpapers.plan import RESULTS, Entropy, Exhibit, Plan, Run
from ibpapers.secrets import without_secrets

LOCK = Path("requirements.lock")
STYLE = "src/ibpapers/report/ibpapers.mplstyle"


@dataclass(frozen=True)
class Job:
    """One command: ``python -m ibpapers <rule> <name>``.

    `settings` is canonical JSON, `modules` are those whose import closure is its code, `record` is
    where it says how its outputs came to be (see `provenance.record`).
    """

    rule: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    record: str
    settings: str
    modules: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.rule} {self.name}"

    @property
    def code(self) -> str:
        return code_hash(*self.modules)


RULES = (
    "fetch", "dataset", "entropy", "train", "evaluate", "collect", "figure", "table", "claims",
    "track", "paper",
)  # fmt: skip


class JobsOfRule(dict[str, Job]):
    """The jobs of one rule by name. Raises UserError for a name that the plan does not have."""

    def __init__(self, rule: str):
        super().__init__()
        self.rule = rule

    def __missing__(self, name: str) -> Job:
        raise UserError(f"the plan has no {self.rule} {name!r}; it has: {choices(name, self)}")


Table = Mapping[str, JobsOfRule]


def find(plan: Plan, rule: str, name: str) -> Job:
    """One job. Those after it are not worked out: the last one reads all the code there is.

    Raises:
        UserError: the plan has no such job.
    """
    wanted = (job for job in _jobs(plan) if (job.rule, job.name) == (rule, name))
    return next(wanted, None) or table(plan)[rule][name]


def table(plan: Plan) -> Table:
    """Every job, by rule (and verb) and name, in an order in which they can run."""
    by_rule = {rule: JobsOfRule(rule) for rule in RULES}
    for job in _jobs(plan):
        by_rule[job.rule][job.name] = job
    return by_rule


def _jobs(plan: Plan) -> Iterator[Job]:
    yield from (_fetch(plan, source) for source in plan.sources())
    yield from (_dataset(plan, dataset) for dataset in plan.datasets())
    yield from (_entropy(plan, entropy) for entropy in plan.entropies.values())
    for run in plan.runs.values():
        yield _train(plan, run)
        yield _evaluate(plan, run)
    for paper in plan.papers:
        yield _collect(plan, paper)
        yield from (_exhibit(plan, paper, "figure", x) for x in plan.papers[paper].figures)
        yield from (_exhibit(plan, paper, "table", x) for x in plan.papers[paper].tables)
        yield _claims(plan, paper)
        if plan.params.tracking.enabled:
            yield _track(plan, paper)
    yield _paper(plan)


def _fetch(plan: Plan, source: str) -> Job:
    # A source's files are checked against their checksums and kept from one fetch to the next; so
    # its card alone, written last, is an output.
    return _job(
        "fetch",
        source,
        folder=plan.source_folder(source),
        outputs=["card.json"],
        settings={**_contents(source), **plan.source_settings(source)},
        modules=("ibpapers.datasets.fetch", *_generators(source)),
    )


def _dataset(plan: Plan, dataset: str) -> Job:
    used = DATASETS[dataset].sources[plan.tier]
    # Where results were restored without their sources, these alone tell that a source changed.
    contents = {source: _contents(source) for source in used}
    return _job(
        "dataset",
        dataset,
        inputs=[plan.source_folder(source) / "card.json" for source in used],
        folder=plan.dataset_folder(dataset),
        outputs=["arrays.npz", "card.json", *DATASETS[dataset].shards],
        settings={"settings": plan.dataset_settings(dataset), "sources": contents},
        modules=(DATASETS[dataset].build_module, *(m for s in used for m in _generators(s))),
    )


def _entropy(plan: Plan, entropy: Entropy) -> Job:
    return _job(
        "entropy",
        entropy.id,
        inputs=_dataset_files(plan, entropy.dataset),
        outputs=[plan.entropy_file(entropy.id)],
        settings=entropy.recipe,
        modules=(
            f"ibpapers.papers.{entropy.paper}.entropies",
            DATASETS[entropy.dataset].load_module,
        ),
    )


def _train(plan: Plan, run: Run) -> Job:
    return _job(
        "train",
        run.id,
        inputs=[
            *_dataset_files(plan, run.dataset),
            *(plan.entropy_file(entropy) for entropy in run.entropies),
            *(file for other in run.after for file in _run_files(plan, other)),
        ],
        folder=plan.run_folder(run.id),
        outputs=["model.safetensors", "history.npz", "recipe.json"],
        settings=run.recipe,
        modules=_training_modules(run),
    )


def _evaluate(plan: Plan, run: Run) -> Job:
    return _job(
        "evaluate",
        run.id,
        inputs=[
            *_run_files(plan, run.id),
            *_dataset_files(plan, run.dataset),
            *(plan.entropy_file(entropy) for entropy in run.entropies),
            *(file for other in run.after for file in _run_files(plan, other)),
        ],
        outputs=[plan.evaluation_file(run.id)],
        settings=run.evaluation,
        modules=(f"ibpapers.papers.{run.paper}.evaluation", *_training_modules(run)),
    )


def _collect(plan: Plan, paper: str) -> Job:
    return _job(
        "collect",
        paper,
        inputs=[plan.evaluation_file(run.id) for run in plan.papers[paper].runs],
        outputs=[plan.report_folder(paper) / "results.parquet"],
        settings=[asdict(study) for study in plan.papers[paper].studies],
        modules=("ibpapers.report.results",),
    )


def _exhibit(plan: Plan, paper: str, rule: str, exhibit: Exhibit) -> Job:
    suffix, look = (".pdf", [STYLE]) if rule == "figure" else (".json", [])
    return _job(
        rule,
        f"{paper}/{exhibit.name}",
        inputs=[
            plan.report_folder(paper) / "results.parquet",
            *(plan.run_folder(run) / "history.npz" for run in exhibit.histories),
            *(plan.entropy_file(entropy) for entropy in exhibit.entropies),
            *_published(paper),
            *look,
        ],
        outputs=[plan.report_folder(paper) / f"{exhibit.name}{suffix}"],
        settings={"exhibit": asdict(exhibit), **_paper_settings(plan, paper)},
        modules=("ibpapers.report.exhibits", f"ibpapers.papers.{paper}.{rule}s"),
    )


def _claims(plan: Plan, paper: str) -> Job:
    return _job(
        "claims",
        paper,
        inputs=[plan.report_folder(paper) / "results.parquet", *_published(paper)],
        outputs=[plan.report_folder(paper) / "claims.json"],
        settings={"claims": plan.papers[paper].claims, **_paper_settings(plan, paper)},
        modules=("ibpapers.report.claims", f"ibpapers.papers.{paper}.claims"),
    )


def _track(plan: Plan, paper: str) -> Job:
    return _job(
        "track",
        paper,
        inputs=[
            plan.report_folder(paper) / "results.parquet",
            *(file for run in plan.papers[paper].runs for file in _run_files(plan, run.id)),
        ],
        outputs=[plan.report_folder(paper) / "tracking.json"],
        settings=without_secrets(plan.params.tracking.uri),
        modules=("ibpapers.tracking.mlflow_store",),
    )


def _paper(plan: Plan) -> Job:
    papers = plan.papers.items()
    settings = {
        name: {
            "studies": [asdict(study) for study in paper.studies],
            "exhibits": [asdict(one) for one in (*paper.figures, *paper.tables)],
            **_paper_settings(plan, name),
        }
        for name, paper in papers
    }
    report = plan.root / "report"
    return _job(
        "paper",
        "paper",
        inputs=[
            *(report / name / "results.parquet" for name in plan.papers),
            *(report / name / "claims.json" for name in plan.papers),
            *(plan.run_folder(run) / "recipe.json" for run in plan.runs),
            *(report / name / f"{x.name}.pdf" for name, paper in papers for x in paper.figures),
            *(report / name / f"{x.name}.json" for name, paper in papers for x in paper.tables),
            *(path for name in plan.papers for path in _published(name)),
            *_sorted(path for path in Path("paper").rglob("*") if path.is_file()),
        ],
        outputs=[plan.root / "paper.pdf", RESULTS / "paper.pdf", report / "numbers.json"],
        settings={"papers": settings, "identity": identity(plan)},
        modules=("ibpapers.report.paper",),
    )


def identity(plan: Plan) -> dict[str, str]:
    """What made the results: short hashes of all their code and of the locked environment."""
    modules = {m for source in plan.sources() for m in _generators(source)}
    modules |= {DATASETS[dataset].build_module for dataset in plan.datasets()}
    for entropy in plan.entropies.values():
        modules |= {*_entropy(plan, entropy).modules}
    for run in plan.runs.values():
        modules |= {f"ibpapers.papers.{run.paper}.evaluation", *_training_modules(run)}
    for paper in plan.papers:
        modules |= {f"ibpapers.papers.{paper}.{room}" for room in ("figures", "tables", "claims")}
    modules |= {f"ibpapers.report.{name}" for name in ("claims", "exhibits", "paper", "results")}
    return {"code": code_hash(*sorted(modules))[:12], "environment": files.sha256(LOCK)[:12]}


def canonical(value: Any) -> str:
    """`value` as JSON in its one compact spelling."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _job(
    rule: str,
    name: str,
    *,
    outputs: Iterable[Path | str],
    settings: Any,
    modules: tuple[str, ...],
    inputs: Iterable[Path | str] = (),
    folder: Path | None = None,
) -> Job:
    """A job whose `outputs` lie in a `folder` of its own, or are files with a record beside."""
    if folder is not None:
        outputs = [folder / name for name in outputs]
        record = folder / "trace.json"
    else:
        outputs = [Path(path) for path in outputs]
        record = outputs[0].with_suffix(".trace.json")
    return Job(
        rule=rule,
        name=name,
        inputs=tuple(map(str, inputs)),
        outputs=tuple(map(str, outputs)),
        record=str(record),
        settings=canonical(settings),
        modules=modules,
    )


def _contents(source: str) -> dict[str, str | None]:
    """The files of a source and the checksums they are held to."""
    return {file.name: file.expected for file in sources.find(source).files}


def _generators(source: str) -> tuple[str, ...]:
    """The module that makes the source, where it is not downloaded."""
    return (f"ibpapers.datasets.{source}",) if sources.find(source).is_generated else ()


def _dataset_files(plan: Plan, dataset: str) -> tuple[Path, ...]:
    return tuple(plan.dataset_folder(dataset) / name for name in ("arrays.npz", "card.json"))


def _run_files(plan: Plan, run_id: str) -> tuple[Path, ...]:
    names = ("model.safetensors", "history.npz", "recipe.json")
    return tuple(plan.run_folder(run_id) / name for name in names)


def _training_modules(run: Run) -> tuple[str, ...]:
    systems = f"ibpapers.papers.{run.paper}.systems"
    return ("ibpapers.training", systems, run.module, DATASETS[run.dataset].load_module)


def _paper_settings(plan: Plan, paper: str) -> dict[str, Any]:
    settings = getattr(plan.params.papers, paper).model_dump(mode="json")
    return {"tier": plan.tier, "scale": plan.params.scale, "settings": settings}


def _published(paper: str) -> list[str]:
    """The files with the numbers that the paper prints."""
    return _sorted(Path("published").glob(f"{paper}_*.csv"))


def _sorted(paths: Iterable[Path]) -> list[str]:
    return sorted(map(str, paths))
