"""Made-up results in the schema of real ones, so that the report is tested without training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ibpapers import plan as plans
from ibpapers.evaluations import tidy
from ibpapers.files import write_json
from ibpapers.papers.pom2dib.settings import NO_LIMITS
from ibpapers.plan import Plan, Run
from ibpapers.report import exhibits
from ibpapers.report.exhibits import View

ENVIRONMENT = {"python": "3.11.7", "torch": "2.13.0", "device": "cpu", "threads": 1}
ONE_PAPER = "include=[pom2dib]"
ONE_DATASET = "papers.pom2dib.datasets=[handwritten]"
FEWER = (  # quick
    ONE_PAPER,
    ONE_DATASET,
    "papers.pom2dib.studies.rate_relevance.betas=[0.0, 1e-3, 0.1]",
    "papers.pom2dib.studies.no_limits.datasets=[]",
    "papers.pom2dib.studies.sparse_prior.datasets=[]",
)
REPOSITORY = Path(__file__).parents[2]

TASKS = ("t1", "t2", "t3")
LINKS = {
    "handwritten": (
        "x1/C1", "x1/C2", "x1/A", "x2/C2", "x2/A", "x2/B", "x3/A", "x3/B", "x3/C1",
    ),
    "mm_fi": (
        "x1/A", "x1/B", "x1/C", "x1/H", "x2/D", "x2/E", "x2/F", "x2/H",
        "x3/G", "x3/E", "x3/F", "x3/H", "x4/B", "x4/C", "x4/F", "x4/H",
    ),
}  # fmt: skip
NOISE = {"handwritten": ("C1", "C2"), "mm_fi": ("H",)}
SETTINGS = ("beta", "limits", "model", "training", "threads")
UNITS = {"n_ce": "nat", "links": "count", "limit_violations": "count"}
POLICIES = ("pom2dib", "pom2dib_stable")
RELEVANCE = {"pom2dib": -0.45, "pom2dib_stable": -0.5, "rsdib": -1.6, "tadib": -0.35, "dlsc": -0.3}
RATE = {"pom2dib": 150.0, "pom2dib_stable": 155.0, "rsdib": 120.0, "tadib": 180.0, "dlsc": 810.0}


def write(plan: Plan) -> None:
    """Evaluations, histories and recipes of every run in the plan."""
    for run in plan.runs.values():
        path = plan.evaluation_file(run.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        evaluation(run).to_parquet(path, index=False)
        folder = plan.run_folder(run.id)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "history.npz", **history(run))
        write_json(folder / "recipe.json", {"recipe": run.recipe, "environment": ENVIRONMENT})


def view(*overrides: str) -> View:
    """Made-up results of all studies under the repository's settings and `overrides`."""
    plan = plans.read(REPOSITORY / "params.yaml", overrides)
    rows = pd.concat(
        [
            evaluation(plan.run(run_id)).assign(study=study.name)
            for study in plan.papers["pom2dib"].studies
            for run_id in study.runs
        ],
        ignore_index=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        return exhibits.view(plan, "pom2dib", rows, histories={})


def evaluation(run: Run) -> pd.DataFrame:
    """One row per seed and metric, numbers near those the specification reports."""
    rows = [
        (seed, metric, float(value), _unit(metric))
        for seed in run.recipe["seeds"]
        for metric, value in _metrics(run, seed).items()
    ]
    return tidy(rows, run.recipe, SETTINGS)


def history(run: Run) -> dict[str, np.ndarray]:
    """Every seed moves from the initial selection to its final one."""
    seeds, updates = run.recipe["seeds"], run.recipe["training"]["updates"]
    every = run.recipe["training"]["log_selection_every"]
    at = np.array([1, *range(every, updates + 1, every)])
    progress = 1 / (1 + np.exp(-(at / updates - 0.35) * 14))[None, :, None, None]
    final = np.stack([_selection(run, seed) for seed in seeds])[:, None]
    trained = [_metrics(run, seed) for seed in seeds]
    rate, n_ce = (
        np.array([[one[f"training_{m}"]] for one in trained]) for m in ("sum_rate", "n_ce")
    )
    done = np.arange(1, updates + 1) / updates
    return {
        # From nothing over twice the last sum-rate; from guessing; from below 0 and above it.
        "sum_rate": rate * (4 * done - 3 * done**2),
        "n_ce": n_ce - 4 * (1 - done),
        "log_likelihood": np.ones_like(rate) * (1 - done) * (8 * done - 2),
        "update": np.arange(1, updates + 1),
        "snapshot_update": at,
        "snapshot/selection_probability": (0.37 * (1 - progress) + final * progress).astype(
            np.float32
        ),
        "task": np.array(TASKS),
        "link": np.array(LINKS[run.dataset]),
    }


def _metrics(run: Run, seed: int) -> dict[str, float]:
    random = np.random.default_rng([seed, len(run.name)])
    beta = run.recipe["beta"]
    steps = 0.0 if beta is None else np.log10(max(beta, 1e-5) / 1e-3)  # decades from 1e-3
    spread = 0.12 if run.method == "rsdib" else 0.04
    rate = RATE[run.method] * 10 ** (-0.42 * steps) * random.normal(1, spread)
    n_ce = RELEVANCE[run.method] * 10 ** (0.3 * max(steps, 0) + 0.03 * steps**2)
    n_ce = max(n_ce * random.normal(1, 2 * spread), -4.6)
    levels = 99 * np.exp(n_ce * np.array([0.05, 0.1, 0.2]))
    accuracy = {f"{task}_top1": level for task, level in zip(TASKS, levels, strict=True)}
    errors = {}
    if run.dataset == "mm_fi":
        del accuracy["t1_top1"]
        errors = {"t1_mpjpe": 110 - 10 * n_ce, "t1_pa_mpjpe": 60 - 10 * n_ce}
    selection = _selection(run, seed)
    metrics = {
        "sum_rate": rate,
        "n_ce": n_ce,
        **accuracy,
        "links": selection.sum(),
        "unserved_draws": 0.01 * (run.method in POLICIES),
        "limit_violations": 0 if run.method in (*POLICIES, "rsdib") else 500,
        "training_sum_rate": 1.1 * rate,
        "training_n_ce": 0.7 * n_ce,
        **{f"training_{name}": min(value + 1, 100) for name, value in accuracy.items()},
        **errors,
        **{f"training_{name}": 0.9 * value for name, value in errors.items()},
    }
    if run.method != "dlsc":
        metrics |= {"sum_rate_factorised": rate, "sum_rate_joint": min(rate, 8.0)}
    links = LINKS[run.dataset]
    for t, task in enumerate(TASKS):
        metrics |= {f"selection/{task}/{x}": selection[t, i] for i, x in enumerate(links)}
    return metrics


def _selection(run: Run, seed: int) -> np.ndarray:
    """[T, L] final probability of each link, within E_t = 2 and E_k = 4."""
    random = np.random.default_rng([seed, 7])
    names = LINKS[run.dataset]
    if run.method in ("tadib", "dlsc"):
        return np.ones((3, len(names)))
    chosen = np.zeros((3, len(names)))
    noise = np.array([name.split("/")[1] in NOISE[run.dataset] for name in names])
    transmitters = len({name.split("/")[0] for name in names})
    each = len(names) // transmitters
    for t in range(3):
        for transmitter in random.choice(transmitters, size=2, replace=False):
            links = np.arange(each) + each * transmitter
            informative = links[~noise[links]] if run.method in POLICIES else links
            chosen[t, random.choice(informative)] = 1.0
    if run.recipe["limits"] == NO_LIMITS[run.dataset].model_dump():
        if "gamma" in run.recipe["training"]:
            chosen *= (chosen.cumsum(axis=1) == 1) * (1 - seed / 100)  # one each
        elif run.recipe["beta"] == 0:
            chosen[:, ~noise] = 1 - seed / 100
    return chosen if run.method == "rsdib" else np.where(chosen > 0, 0.93 * chosen, 0.02 * noise)


def _unit(metric: str) -> str:
    if metric.startswith("selection/") or metric == "unserved_draws":
        return "probability"
    if metric.endswith("top1"):
        return "percent"
    if metric.endswith("mpjpe"):
        return "mm"
    return UNITS.get(metric, "nat")
