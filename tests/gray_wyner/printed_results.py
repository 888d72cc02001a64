"""The printed numbers as if they had been measured here, so that the report is tested on them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from ibpapers.datasets.coloured_mnist import joint_pmf
from ibpapers.datasets.gray_wyner_source import symbol_pmf
from ibpapers.papers.gray_wyner import entropies, theory
from ibpapers.papers.gray_wyner.curves import (
    PRINTED_BETA,
    PRINTED_SETTINGS,
    printed_coloured,
    printed_synthetic,
)
from ibpapers.report import published
from ibpapers.report.exhibits import View
from ibpapers.report.results import select

REPOSITORY = Path(__file__).parents[2]
IMAGES = 2  # in a picture of reconstructions
PIXELS = {"gray_wyner_source": 64**2, "coloured_mnist": 32**2}
CARD = {
    "tier": "sample",
    "symbols": {"pmf": symbol_pmf().tolist()},
    "ties": {"positions": 4096, "across": 1820, "within": [910, 910]},
    "entropies": {"joint": 3.2956, "marginal_sum": 4.6144, "mutual_information": 1.3183},
    "transforms": {"norm_of_logarithm": [0.17, 0.17]},
    "images_per_digit": {"test": [100] * 10},
}


@cache
def view(tier="real", scale="paper", seeds=(0,)) -> View:
    """All studies with the printed numbers as results; every run under the printed settings."""
    empty = View(tier, scale, pd.DataFrame(), {}, {}, _printed(), {})
    blocks = []
    for row in printed_synthetic(empty).to_dict("records"):
        metrics = _synthetic(row)
        name = f"{row['method']}_beta={row['beta']}_eta={row['eta']}"
        rows = _rows(row, name, "gray_wyner_source", metrics, row["beta"], None, seeds, tier, scale)
        blocks.append(rows.assign(study="synthetic_ablation"))
        if row["method"] in ("joint", "independent"):
            blocks.append(rows.assign(study="synthetic_baselines"))
    for row in printed_coloured(empty).to_dict("records"):
        beta = PRINTED_BETA if row["method"] == "shared" else None
        name = f"{row['method']}_{row['pmf']}_eta={row['eta']}"
        metrics = _coloured(row)
        rows = _rows(row, name, "coloured_mnist", metrics, beta, row["pmf"], seeds, tier, scale)
        blocks.append(rows.assign(study="coloured_mnist"))
    for pmf in ("dependent", "independent", "mixture"):
        row = {"method": "probe", "eta": None}
        metrics = {f"reconstruction_{c}": 0.1 * (c + 1) for c in range(3)}
        rows = _rows(row, f"probe_{pmf}", "coloured_mnist", metrics, None, pmf, seeds, tier, scale)
        blocks.append(rows.assign(study="reconstruction"))
    return replace(empty, rows=pd.concat(blocks, ignore_index=True))


def drawn(view: View, study: str) -> View:
    """`view` as an exhibit of `study` gets it: its rows, the theory, the probes' pictures."""
    estimates = {f"gray_wyner/{name}/theory": _estimate(name) for name in PIXELS}
    histories = {}
    if study == "reconstruction":
        histories = {
            f"gray_wyner/coloured_mnist/probe_{pmf}": _examples(seed)
            for seed, pmf in enumerate(("dependent", "independent", "mixture"))
        }
    return replace(view.where(study=study), entropies=estimates, histories=histories)


def changed(view: View, change, metric: str, **columns) -> View:
    """`view` with `change` applied to `metric` of the points in which every column is as given."""
    texts = view.rows["settings"]
    settings = {text: json.loads(text) for text in texts.unique()}
    known = view.rows[["method", "metric"]].assign(
        **{name: [settings[text][name] for text in texts] for name in ("pmf", "beta", "eta")}
    )
    found = select(known, metric=metric, **columns).index
    assert len(found)
    rows = view.rows.copy()
    rows.loc[found, "value"] = change(rows.loc[found, "value"])
    return replace(view, rows=rows)


@cache
def _estimate(dataset: str) -> dict:
    return entropies.SOURCES[dataset](CARD)


def _printed() -> dict[str, pd.DataFrame]:
    return published.read("gray_wyner", REPOSITORY / "published")


def _synthetic(row: dict) -> dict[str, float]:
    errors = row["distortion_1"], row["distortion_2"]
    bounds = theory.synthetic_bounds(CARD, errors)
    rates = {f"rate_{c}": row[f"rate_{c}"] for c in range(3)}
    return {
        **rates,
        **{f"bits_{c}": 4096 * row[f"rate_{c}"] for c in range(3)},
        **{name: row[name] for name in ("transmit_rate", "receive_rate")},
        "transmit_bits": 4096 * row["transmit_rate"],
        "receive_bits": 4096 * row["receive_rate"],
        "transmit_bound": bounds.transmit,
        "receive_bound": bounds.receive,
        "distortion_1": errors[0],
        "distortion_2": errors[1],
    }


def _coloured(row: dict) -> dict[str, float]:
    accuracies = {f"accuracy_{task}": row[f"accuracy_{task}"] for task in (1, 2)}
    bounds = theory.coloured_bounds(joint_pmf(row["pmf"]), tuple(accuracies.values()))
    bits = {f"bits_{c}": row[f"bits_{c}"] for c in range(3)}
    sums = {name: row[name] for name in ("transmit_bits", "receive_bits")}
    return {
        **bits,
        **sums,
        **{name.replace("bits", "rate"): value / 1024 for name, value in {**bits, **sums}.items()},
        **{f"measured_{name}": 1.004 * value for name, value in {**bits, **sums}.items()},
        "transmit_bound": bounds.transmit / 1024,
        "receive_bound": bounds.receive / 1024,
        **{f"distortion_{task}": 2 * (1 - row[f"accuracy_{task}"]) for task in (1, 2)},
        **accuracies,
    }


def _rows(row, name, dataset, metrics, beta, pmf, seeds, tier, scale) -> pd.DataFrame:
    settings = {
        "pmf": pmf, "beta": None if beta is None or np.isnan(beta) else beta, "eta": row["eta"],
        **PRINTED_SETTINGS[dataset],
    }  # fmt: skip
    return pd.DataFrame(
        [
            {
                "paper": "gray_wyner", "dataset": dataset, "tier": tier, "scale": scale,
                "run": f"gray_wyner/{dataset}/{name}", "method": row["method"],
                "settings": json.dumps(settings, sort_keys=True), "seed": seed,
                "metric": metric, "value": float(value), "unit": "",
            }
            for seed in seeds
            for metric, value in metrics.items()
        ]
    )  # fmt: skip


def _examples(seed: int) -> dict[str, np.ndarray]:
    """Coloured discs, and darker ones with noise for what channels show."""
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    random = np.random.default_rng(seed)
    disc = (x**2 + y**2 < 0.5).astype(np.float32)
    image = random.random((1, IMAGES, 3, 1, 1), dtype=np.float32) * disc
    noise = 0.15 * random.random((1, 3, IMAGES, 3, 32, 32), dtype=np.float32)
    shown = image[:, None] * np.array([1, 0.6, 0.2])[None, :, None, None, None, None] + noise
    return {"examples/image": image, "examples/reconstruction": shown.astype(np.float32)}
