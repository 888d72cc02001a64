"""Made-up results in the schema of real ones, so that the report is tested without training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ibpapers import plan as plans
from ibpapers.papers.omib import bounds
from ibpapers.plan import Run
from ibpapers.report import exhibits
from ibpapers.report.exhibits import View

REPOSITORY = Path(__file__).parents[2]
LAPTOP = (
    "scale=laptop",
    "papers.omib.seeds=[0, 1, 2]",
    "papers.omib.studies.beta_sweep.betas=[1e-6, 1e-4, 1e-2, 0.5 M_l, 1.0 M_u, 0.1, 1.0, 10.0]",
    "papers.omib.studies.runtime.samples=[10000, 50000, 100000, 200000]",
    "papers.omib.studies.sentiment.datasets=[mosi_bclstm, mosi_transcripts]",
)
ESTIMATES = {"h": 6.0, "i": 2.0}  # nats, of every entropy and of every pair
ACCURACY = {
    "consistent_relevant": 64.0, "specific_relevant": 83.0, "unimodal_1": 85.0,
    "unimodal_2": 67.0, "authentic_optimal_mib": 94.5, "union": 91.0,
}  # fmt: skip
COST = {"full": 0.0, "without_warm_up": 2.0, "without_cross_attention": 1.5, "without_omf": 3.0,
        "without_r": 1.0}  # fmt: skip


def view(*overrides: str) -> View:
    """Made-up results of all studies under the repository's settings and `overrides`."""
    plan = plans.read(REPOSITORY / "params.yaml", overrides)
    paper = plan.papers["omib"]
    rows = pd.concat(
        [
            evaluation(plan.run(run)).assign(study=study.name)
            for study in paper.studies
            for run in study.runs
        ],
        ignore_index=True,
    )
    found = {entropy.id: estimate(entropy.recipe) for entropy in paper.entropies}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        return exhibits.view(plan, "omib", rows, entropies=found)


def estimate(recipe) -> dict:
    v, w = recipe["term"]
    value = ESTIMATES["h" if v == w else "i"]
    return {
        "term": [v, w],
        "value": value,
        "std": 0.3,
        "seeds": recipe["seeds"],
        "per_seed": list(value + np.linspace(-0.3, 0.3, len(recipe["seeds"]))),
        "ceiling": 9.0,
        "touches_ceiling": v == w == "v1",
        "samples": 9000,
        "knn": {"value": 12.5},
    }


def evaluation(run: Run) -> pd.DataFrame:
    settings = {k: run.recipe[k] for k in ("beta", "ablation", "model", "training", "threads")}
    rows = [
        {
            "paper": run.paper, "dataset": run.dataset, "tier": run.recipe["tier"],
            "scale": run.recipe["scale"], "run": run.id, "method": run.method,
            "settings": json.dumps(settings, sort_keys=True), "seed": seed, "metric": metric,
            "value": float(value), "unit": "1",
        }
        for seed in run.recipe["seeds"]
        for metric, value in metrics(run, seed).items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def metrics(run: Run, seed: int) -> dict[str, float]:
    random = np.random.default_rng([seed, len(run.id)])
    if "samples" in run.evaluation:
        return {
            f"{phase}_seconds_per_epoch/{n}": cost * n * random.normal(1, 0.005)
            for phase, cost in (("warm_up", 4e-5), ("main", 9e-5))
            for n in run.evaluation["samples"]
        }
    if run.method == "features":
        return {f"accuracy/{k}": v + random.normal(0, 0.1) for k, v in ACCURACY.items()}
    found = {}
    if run.recipe["beta"] is not None:
        modalities = len(run.recipe["views"])
        h, pairs = [ESTIMATES["h"]] * modalities, modalities * (modalities - 1) // 2
        lower, upper = bounds.lower_bound(h), bounds.upper_bound(h, [ESTIMATES["i"]] * pairs)
        limits = bounds.Bounds(lower, upper, 0.1 * lower, 0.1 * upper, ())
        found["beta"] = bounds.resolve(run.recipe["beta"], limits)
        if run.entropies:
            found |= {f"bound_{k}": v for k, v in vars(limits).items() if k != "touching"}
    loss = COST.get(run.recipe["ablation"], 0.0) + random.normal(0, 0.1)
    if run.dataset.startswith("sim"):
        decades = max(np.log10(found["beta"] / upper), 0)
        small = 3 * (found["beta"] < upper / 1000)
        return {**found, "accuracy": max(93 - small - 20 * decades - loss, 50)}
    lead = 2.0 * (run.method == "omib")
    percent = dict.fromkeys(
        ("acc2_nonnegative", "acc2_positive", "f1_nonnegative", "f1_positive"), 80 + lead - loss
    )
    return {**found, **percent, "acc7": 40.0, "mae": 0.9 - lead / 10 + loss / 50, "corr": 0.7}
