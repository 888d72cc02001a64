"""The jobs of a plan, and what each depends on beside its input files: the rules' `params`.

A job runs again when one of these texts changes, when an input's content changes, or when its
output is missing. What is left out (the mirror, paths, times) cannot make a result stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ibpapers import files
from ibpapers.datasets import DATASETS, sources
from ibpapers.fingerprint import code_hash
from ibpapers.plan import Exhibit, Plan, Run
from ibpapers.tracking.secrets import without_secrets

LOCK = Path("requirements.lock")
STYLE = "src/ibpapers/report/ibpapers.mplstyle"


def names(plan: Plan) -> dict[str, list[str]]:
    """Every job by the rule (and verb) that does it, in the order in which they can run."""
    figures = [f"{paper}/{x.name}" for paper in plan.papers for x in plan.papers[paper].figures]
    tables = [f"{paper}/{x.name}" for paper in plan.papers for x in plan.papers[paper].tables]
    return {
        "fetch": list(plan.sources()),
        "dataset": list(plan.datasets()),
        "train": list(plan.runs),
        "evaluate": list(plan.runs),
        "collect": list(plan.papers),
        "figure": figures,
        "table": tables,
        "claims": list(plan.papers),
        "track": list(plan.papers) if plan.params.tracking.enabled else [],
        "paper": ["paper"],
    }


def canonical(value: Any) -> str:
    """`value` as JSON in its one compact spelling."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def source_contents(source: str) -> str:
    """The files of a source and the checksums they are held to."""
    return canonical({file.name: file.expected for file in sources.find(source).files})


def source_code(source: str) -> str:
    return code_hash(*_source_modules(source))


def dataset_sources(plan: Plan, dataset: str) -> tuple[str, ...]:
    return DATASETS[dataset].sources[plan.tier]


def dataset_code(dataset: str) -> str:
    return code_hash(DATASETS[dataset].build_module)


def training_code(run: Run) -> str:
    return code_hash(*_training_modules(run))


def evaluation_code(run: Run) -> str:
    return code_hash(*_evaluation_modules(run))


def report_code(paper: str, room: str) -> str:
    """The code behind a paper's ``figures``, ``tables`` or ``claims``."""
    return code_hash(*_report_modules(paper, room))


def exhibit_settings(plan: Plan, paper: str, exhibit: Exhibit) -> str:
    return canonical({"exhibit": asdict(exhibit), **_paper_settings(plan, paper)})


def claims_settings(plan: Plan, paper: str) -> str:
    return canonical({"claims": plan.papers[paper].claims, **_paper_settings(plan, paper)})


def studies(plan: Plan, paper: str) -> str:
    """A paper's studies and the runs in each."""
    return canonical([asdict(study) for study in plan.papers[paper].studies])


def report_settings(plan: Plan) -> str:
    """What the report says of every paper beside its results."""
    return canonical(
        {
            name: {
                "studies": [asdict(study) for study in paper.studies],
                "exhibits": [asdict(one) for one in (*paper.figures, *paper.tables)],
                **_paper_settings(plan, name),
            }
            for name, paper in plan.papers.items()
        }
    )


def identity(plan: Plan) -> dict[str, str]:
    """What made the results: short hashes of all their code and of the locked environment."""
    modules = {m for source in plan.sources() for m in _source_modules(source)}
    modules |= {DATASETS[dataset].build_module for dataset in plan.datasets()}
    for run in plan.runs.values():
        modules |= {*_training_modules(run), *_evaluation_modules(run)}
    for paper in plan.papers:
        for room in ("figures", "tables", "claims"):
            modules |= {*_report_modules(paper, room)}
    modules |= {"ibpapers.report.results", "ibpapers.report.paper"}
    return {"code": code_hash(*modules)[:12], "environment": files.sha256(LOCK)[:12]}


def tracking_store(plan: Plan) -> str:
    """The tracking address, without the user and password it may hold."""
    return without_secrets(plan.params.tracking.uri)


def published(paper: str) -> list[str]:
    """The files with the numbers that the paper prints."""
    return _sorted(Path("published").glob(f"{paper}_*.csv"))


def paper_sources() -> list[str]:
    """The files that the report is typeset from."""
    return _sorted(path for path in Path("paper").rglob("*") if path.is_file())


def _sorted(paths: Iterable[Path]) -> list[str]:
    return sorted(map(str, paths))


def _paper_settings(plan: Plan, paper: str) -> dict[str, Any]:
    settings = getattr(plan.params.papers, paper).model_dump(mode="json")
    return {"tier": plan.tier, "scale": plan.params.scale, "settings": settings}


def _source_modules(source: str) -> tuple[str, ...]:
    generated = sources.find(source).is_generated
    return ("ibpapers.datasets.fetch", *([f"ibpapers.datasets.{source}"] if generated else []))


def _training_modules(run: Run) -> tuple[str, ...]:
    systems = f"ibpapers.papers.{run.paper}.systems"
    return ("ibpapers.training", systems, run.module, DATASETS[run.dataset].load_module)


def _evaluation_modules(run: Run) -> tuple[str, ...]:
    return (f"ibpapers.papers.{run.paper}.evaluation", *_training_modules(run))


def _report_modules(paper: str, room: str) -> tuple[str, ...]:
    writer = "ibpapers.report.claims" if room == "claims" else "ibpapers.report.exhibits"
    return (writer, f"ibpapers.papers.{paper}.{room}")
