"""Made-up results in the schema of real ones, so that the report is tested without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ibpapers import plan as plans
from ibpapers.evaluations import tidy
from ibpapers.papers.toc.curves import INDEPENDENT, PAIRS
from ibpapers.plan import Run
from ibpapers.report import exhibits
from ibpapers.report.exhibits import View

REPOSITORY = Path(__file__).parents[2]
TOC = "include=[toc]"
LAPTOP = (
    TOC,
    "scale=laptop",
    "papers.toc.seeds=[0, 1, 2]",
    "papers.toc.studies.dimension.dimensions=[10, 20, 30, 50, 60, 80]",
    "papers.toc.evaluation.snrs=[-12.0, -9.0, -6.0, -3.0, 0.0, 6.0, 12.0, 21.0]",
)
ONE_CHANNEL = (
    "papers.toc.studies.snr.channels=[awgn]",
    "papers.toc.studies.redundancy.channels=[awgn]",
)
ONE_DATASET = (
    "papers.toc.studies.snr.datasets=[mosei_sequences]",
    "papers.toc.studies.redundancy.datasets=[mosei_sequences]",
)
KEPT = ("channel", "fading", "equaliser", "dimension", "model", "training", "threads")
BEST = {"acc2": 83.0, "acc2_nonzero": 84.0, "f1": 82.9, "f1_nonzero": 83.9, "acc7": 44.0}
CHANCE = {"acc2": 54.0, "acc2_nonzero": 53.0, "f1": 38.0, "f1_nonzero": 37.0, "acc7": 22.0}
MAE = {"best": 0.62, "chance": 1.31}
HALF = {"two_stage_vib": -11.0, "two_stage_vib_no_red": -10.5, "t_deepsc": -5.0}  # dB
DECODES = 3.5  # dB, of the conventional stream
UPDATES = 400


def view(*overrides: str) -> View:
    """Made-up results of all studies under the repository's settings and `overrides`."""
    plan = plans.read(REPOSITORY / "params.yaml", overrides or (TOC,))
    rows = [
        evaluation(plan.run(run)).assign(study=study.name)
        for study in plan.papers["toc"].studies
        for run in study.runs
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        return exhibits.view(plan, "toc", pd.concat(rows, ignore_index=True))


def drawn(view: View, study: str, dataset: str | None = None) -> View:
    """`view` as an exhibit of `study` gets it: its rows, and the histories of `dataset`'s runs."""
    view = view.where(study=study)
    runs = [run for run in view.rows["run"].unique() if dataset and run.split("/")[1] == dataset]
    seeds = view.rows["seed"].nunique()
    return replace(view, histories={run: history(run, seeds) for run in runs})


def evaluation(run: Run) -> pd.DataFrame:
    rows = [
        (seed, metric, float(value), _unit(metric))
        for seed in run.recipe["seeds"]
        for metric, value in metrics(run, seed).items()
    ]
    return tidy(rows, run.recipe, KEPT)


def metrics(run: Run, seed: int) -> dict[str, float]:
    random = np.random.default_rng([seed, len(run.id)])
    off = random.normal(0, 0.15)
    if run.method == "noiseless":
        chance = {f"{score}_chance": value for score, value in _scores(0.0).items()}
        return {**_scores(1.0, off), **chance}
    found = {}
    if run.method == "conventional":
        found = {"channel_uses": 5312.0, "utterances": 686.0}
    for channel in run.evaluation.get("channels", [run.recipe["channel"]]):
        for snr in run.evaluation["snrs"]:
            if run.method == "conventional":
                at, through = f"{channel}/{snr:g}dB", _decoded(channel, snr)
                found |= {f"{score}/{at}": v for score, v in _scores(through, off).items()}
                found[f"decoded/{at}"] = 100 * through
                continue
            slope = (0.22 if channel == "awgn" else 0.13) * (1 + off / 40)
            share = 1 / (1 + np.exp(-slope * (snr - HALF[run.method])))
            small = 0.06 * max(0, 20 - run.recipe["dimension"]) / 10
            for score, value in _scores(share - small, off).items():
                found[f"{score}/{snr:g}dB"] = value
    if run.method.startswith("two_stage_vib"):
        reduced = run.method == "two_stage_vib"
        for number, pair in enumerate(PAIRS):
            found[f"bce_last/{pair}"] = (1.37 if reduced else 0.7 + 0.2 * number) + off / 20
            found[f"p_positive_last/{pair}"] = (0.507 if reduced else 0.8) + off / 20
            found[f"p_negative_last/{pair}"] = (0.494 if reduced else 0.2) + off / 20
    return found


def history(run_id: str, seeds: int) -> dict[str, np.ndarray]:
    """Reduction holds the discriminators at guessing; without, they learn."""
    random = np.random.default_rng(len(run_id))
    reduced = "no_red" not in run_id
    learnt = 1 - np.exp(-np.arange(UPDATES) / 120)
    found = {"update": np.arange(1, UPDATES + 1)}
    for number, pair in enumerate(PAIRS):
        noise = 0.05 * random.standard_normal((3, seeds, UPDATES))
        dip = 0.3 * np.exp(-(((np.arange(UPDATES) - 60) / 25) ** 2))
        fall = dip if reduced else (0.68 - 0.2 * number) * learnt
        found[f"bce/{pair}"] = INDEPENDENT - fall + noise[0]
        found[f"p_positive/{pair}"] = 0.5 + fall / 3 + noise[1] / 2
        found[f"p_negative/{pair}"] = 0.5 - fall / 3 + noise[2] / 2
    return {name: values.astype(np.float32) for name, values in found.items()}


def _decoded(channel: str, snr: float) -> float:
    if channel == "awgn":
        return float(np.clip((snr - DECODES) / 2 + 0.5, 0, 1))
    return float(np.exp(-(10 ** ((DECODES - snr) / 10))))


def _scores(share: float, off: float = 0.0) -> dict[str, float]:
    """`share` of the way from one answer to all up to what is possible; `off` by the seed."""
    found = {score: CHANCE[score] + share * (BEST[score] - CHANCE[score]) + off for score in BEST}
    return {**found, "mae": MAE["chance"] + share * (MAE["best"] - MAE["chance"]) - off / 50}


def _unit(metric: str) -> str:
    if metric.startswith("bce"):
        return "nat"
    ones = ("mae", "p_positive", "p_negative", "channel_uses", "utterances")
    return "1" if metric.startswith(ones) else "percent"
