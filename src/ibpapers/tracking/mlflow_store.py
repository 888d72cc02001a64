"""Finished runs in MLflow: an experiment per paper, a run per study, in it one per run and seed.

MLflow is a view of results that are complete without it. So `track` never fails, and it can be
called again, by several processes at once: every run carries a key and is written once.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from filelock import FileLock

from ibpapers import arrays
from ibpapers.files import read_json
from ibpapers.plan import RESULTS, Plan, Study
from ibpapers.report.results import read as read_results
from ibpapers.secrets import without_secrets
from ibpapers.tracking import marker

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import Run as StoredRun

POINTS_PER_CURVE = 500
METRICS_PER_CALL = 1000  # MLflow's limit
KEY, FINAL = "ibpapers.key", "ibpapers.final"

# An unreachable server must not hold up a run for MLflow's default of several minutes.
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}


def track(plan: Plan, paper: str) -> bool:
    """Bring the finished runs of `paper` into MLflow, each once; True when all are there.

    Writes the keys of the tracked runs to the paper's `marker`. Any failure of MLflow becomes one
    line of warning, without the user and password that its address may hold.
    """
    keys: list[str] = []
    try:
        with FileLock(RESULTS / "mlflow.lock"):
            keys += _Tracker(plan, paper).sync()
    except Exception as error:
        reason = without_secrets(f"{type(error).__name__}: {error}").partition("\n")[0]
        print(f"ibpapers: warning: {paper} is not tracked: {reason}", file=sys.stderr)
    marker.write(plan, paper, keys, complete=bool(keys))
    return bool(keys)


def serve(plan: Plan, port: int) -> None:
    """Become MLflow's user interface at http://127.0.0.1:`port`."""
    # Not on the command line, which others on the machine can read.
    os.environ["MLFLOW_BACKEND_STORE_URI"] = plan.params.tracking.uri
    address = ["--host", "127.0.0.1", "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *address])


def key(study: str, run_id: str, seed: int, record: Mapping[str, Any]) -> str:
    """By what a seed of a run, as part of a study, is known; `record` is the run's recipe.json."""
    made_from = [_recipe_of_a_seed(record), record["code"], record["inputs"]]
    return _hash([study, run_id, seed, *made_from])


def find(database: Path, paper: str) -> dict[str, str]:
    """The runs of `paper` in an SQLite store of MLflow: their keys to MLflow's own ids."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{database}")
    experiment = client.get_experiment_by_name(paper)
    runs = [] if experiment is None else _runs(client, experiment.experiment_id)
    return {r.data.tags[KEY]: r.info.run_id for r in runs if KEY in r.data.tags}


def _runs(client: MlflowClient, experiment: str) -> Iterator[StoredRun]:
    token = None
    while token != "":
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        yield from page
        token = page.token or ""


def _recipe_of_a_seed(record: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe without the seeds: the others of its run are no part of a seed."""
    return {k: v for k, v in record["recipe"].items() if k != "seeds"}


@dataclass(frozen=True)
class _Seed:
    """One child: a seed of a run, as part of a study."""

    study: str
    run_id: str
    seed: int
    record: Mapping[str, Any]  # the run's recipe.json
    curves: Mapping[str, np.ndarray]  # [updates]
    final: Mapping[str, float]

    @property
    def recipe(self) -> dict[str, Any]:
        return _recipe_of_a_seed(self.record)

    @property
    def key(self) -> str:
        return key(self.study, self.run_id, self.seed, self.record)

    @property
    def name(self) -> str:
        return f"{self.run_id.rpartition('/')[2]} seed {self.seed}"


class _Tracker:
    def __init__(self, plan: Plan, paper: str) -> None:
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        self.plan, self.paper = plan, paper
        self.uri = plan.params.tracking.uri
        self.client = MlflowClient(tracking_uri=self.uri)
        self.experiment = self._experiment()
        self.stored = {run.data.tags.get(KEY): run for run in self._stored_runs()}

    def sync(self) -> list[str]:
        """Write what is missing. Returns the keys of all children."""
        results = read_results(self.plan, self.paper)
        keys = []
        for study in self.plan.papers[self.paper].studies:
            parent = self._parent(study)
            rows = results[results["study"] == study.name]
            for child in _children(self.plan, study, rows):
                self._write(child, parent)
                keys.append(child.key)
        return keys

    def _experiment(self) -> str:
        known = self.client.get_experiment_by_name(self.paper)
        if known is not None:
            return known.experiment_id
        local = self.uri.startswith("sqlite:")
        folder = (RESULTS / "mlartifacts").absolute().as_uri() if local else None
        return self.client.create_experiment(self.paper, artifact_location=folder)

    def _stored_runs(self) -> Iterator[StoredRun]:
        """The finished runs of the experiment; what a killed process left half-written goes."""
        for run in _runs(self.client, self.experiment):
            if run.info.status == "FINISHED":
                yield run
            elif KEY in run.data.tags:
                self.client.delete_run(run.info.run_id)

    def _parent(self, study: Study) -> str:
        axes = {"tier": self.plan.tier, "scale": self.plan.params.scale}
        key = _hash([study.name, axes])
        if key in self.stored:
            return self.stored[key].info.run_id
        tags = {KEY: key, "study": study.name, **axes, "mlflow.note.content": study.title}
        name = f"{study.name} ({self.plan.tier}, {self.plan.params.scale})"
        run = self.client.create_run(self.experiment, tags=tags, run_name=name)
        self.client.set_terminated(run.info.run_id)
        return run.info.run_id

    def _write(self, child: _Seed, parent: str) -> None:
        final = _hash(child.final)
        stored = self.stored.get(child.key)
        if stored is None:
            self._create(child, parent, final)
        elif stored.data.tags.get(FINAL) != final:
            self._log(stored.info.run_id, _final_metrics(child))
            self.client.set_tag(stored.info.run_id, FINAL, final)

    def _create(self, child: _Seed, parent: str, final: str) -> None:
        from mlflow.entities import Param

        tags = {
            KEY: child.key,
            FINAL: final,
            "mlflow.parentRunId": parent,
            "study": child.study,
            "run": child.run_id,
            "recipe": json.dumps(child.record["recipe"], sort_keys=True),
            "code": child.record["code"],
            "dataset": child.record["inputs"]["dataset"],
        }
        run = self.client.create_run(self.experiment, tags=tags, run_name=child.name)
        settings = {**child.recipe, "seed": child.seed}
        params = [Param(key, str(value)) for key, value in _flat(settings)]
        self._log(run.info.run_id, [*_curve_metrics(child), *_final_metrics(child)], params)
        self.client.set_terminated(run.info.run_id)

    def _log(self, run_id: str, points: list[tuple[str, float, int]], params=()) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value, step in points]
        for start in range(0, len(metrics), METRICS_PER_CALL):
            batch = metrics[start : start + METRICS_PER_CALL]
            self.client.log_batch(run_id, metrics=batch, params=params if start == 0 else ())


def _children(plan: Plan, study: Study, rows: pd.DataFrame) -> Iterator[_Seed]:
    for run_id in study.runs:
        record = read_json(plan.run_folder(run_id) / "recipe.json")
        history = arrays.read(plan.run_folder(run_id) / "history.npz")
        of_run = rows[rows["run"] == run_id]
        seeds = record["recipe"]["seeds"]
        shape = len(seeds), len(history["update"])
        for number, seed in enumerate(seeds):
            of_seed = of_run[of_run["seed"] == seed]
            yield _Seed(
                study=study.name,
                run_id=run_id,
                seed=seed,
                record=record,
                curves={k: a[number] for k, a in history.items() if a.shape == shape},
                final=dict(zip(of_seed["metric"], of_seed["value"], strict=True)),
            )


def _curve_metrics(child: _Seed) -> list[tuple[str, float, int]]:
    """(name, value, update) of at most `POINTS_PER_CURVE` evenly spread points a curve."""
    points = []
    for name, values in child.curves.items():
        number = min(len(values), POINTS_PER_CURVE)
        chosen = np.linspace(0, len(values) - 1, number).round().astype(int)
        points += [(f"training/{name}", float(values[i]), int(i) + 1) for i in chosen]
    return points


def _final_metrics(child: _Seed) -> list[tuple[str, float, int]]:
    return [(f"final/{name}", float(value), 0) for name, value in child.final.items()]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
