"""Finished runs of a small plan, without training any."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from ibpapers import plan as plans
from ibpapers.files import write_json
from ibpapers.report.results import results_file

if TYPE_CHECKING:
    from mlflow import MlflowClient

PROJECT = Path(__file__).parents[2]
SMALL = (
    "include=[pom2dib]",
    "papers.pom2dib.datasets=[handwritten]",
    "papers.pom2dib.seeds=[0,1]",
    "papers.pom2dib.studies.comparison.methods=[pom2dib,tadib]",
    "papers.pom2dib.studies.rate_relevance.methods=[pom2dib]",
    "papers.pom2dib.studies.rate_relevance.betas=[1e-3,1e-1]",
    "papers.pom2dib.studies.rate_relevance.points=[]",
    "papers.pom2dib.studies.dynamics.datasets=[]",
    "papers.pom2dib.studies.learning_rate_ratio.datasets=[]",
    "papers.pom2dib.studies.stability.methods=[]",
    "papers.pom2dib.studies.no_limits.datasets=[]",
    "papers.pom2dib.studies.sparse_prior.datasets=[]",
)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: MLflow takes seconds to lay out its tables."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}")
    return path


@pytest.fixture
def client(finished: plans.Plan, empty_database: Path) -> MlflowClient:
    from mlflow import MlflowClient  # takes seconds: only where it is tested

    uri = finished.params.tracking.uri
    shutil.copy(empty_database, uri.removeprefix("sqlite:///"))
    return MlflowClient(tracking_uri=uri)


@pytest.fixture
def overrides(tmp_path: Path) -> list[str]:
    """Settings of the plan; the store's path is absolute as MLflow keeps open what it opened."""
    return [*SMALL, f"tracking.uri=sqlite:///{tmp_path}/mlflow.db"]


@pytest.fixture
def finished(tmp_path: Path, overrides: list[str], monkeypatch: pytest.MonkeyPatch) -> plans.Plan:
    """A plan of two studies whose runs lie finished in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT / "src"))
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    plan = plans.read(overrides=overrides)
    write_results(plan)
    return plan


def write_results(plan: plans.Plan, updates: int = 3, final: float = 1.0) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for run in plan.runs.values():
        seeds = run.recipe["seeds"]
        folder = plan.run_folder(run.id)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(
            folder / "history.npz",
            update=np.arange(1, updates + 1),
            sum_rate=rng.normal(size=(len(seeds), updates)).astype(np.float32),
            selection_probability=np.zeros((len(seeds), 3, 3, 9)),
        )
        record = {"recipe": dict(run.recipe), "code": "c0de", "inputs": {"dataset": "da7a"}}
        write_json(folder / "recipe.json", record)
        rows += [
            {
                "paper": run.paper,
                "study": study.name,
                "dataset": run.dataset,
                "tier": plan.tier,
                "scale": plan.params.scale,
                "run": run.id,
                "method": run.method,
                "settings": json.dumps(run.recipe),
                "seed": seed,
                "metric": metric,
                "value": final + seed,
                "unit": "nat",
            }
            for study in plan.papers[run.paper].studies
            if run.id in study.runs
            for seed in seeds
            for metric in ("sum_rate", "selection/t1/x1/C1")
        ]
    path = results_file(plan, "pom2dib")
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_parquet(path)


@pytest.fixture
def rewrite():
    return write_results
