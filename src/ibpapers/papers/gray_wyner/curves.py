"""Results as rate-distortion points and curves, ours and printed; shared by all exhibits."""

from __future__ import annotations

import json

import pandas as pd

from ibpapers.errors import UserError
from ibpapers.information.bd_rate import Curve, Method, bd_rate, empirical_mutual_information
from ibpapers.report.exhibits import View
from ibpapers.report.published import why_not_comparable
from ibpapers.report.results import select, with_settings

METHODS = {
    "shared": "Shared",
    "separated": "Separated",
    "combined": "Combined",
    "joint": "Joint",
    "independent": "Independent",
}
ABLATION = ("shared", "separated", "combined")
BASELINES = ("joint", "independent")
BETAS = (1.0, 1.5, 2.0)
PMFS = {"dependent": "Dependent", "independent": "Independent", "mixture": "Mixture"}
# The curves of Table 6 and Fig. 4: label -> method and PMF.
COLOURED = {
    "Dependent": ("shared", "dependent"),
    "Independent": ("shared", "independent"),
    "Mixture": ("shared", "mixture"),
    "Mixture (Independent)": ("independent", "mixture"),
}

# Table 1 and Appendix D. Both tasks' losses share one eta; E as an image's channels.
PRINTED_SETTINGS = {
    "gray_wyner_source": {
        "gamma": 1.0,
        "gamma_scale": "one",
        "model": {
            "representation_channels": 512,
            "widths": [8, 32, 128],
            "blocks": 1,
            "initial_weights": "pytorch",
        },
        "training": {
            "batch_size": 100,
            "learning_rate": 1e-4,
            "final_learning_rate": 1e-4,
            "rate_warm_up": 0,
            "gradient_norm": 1.0,
            "patience": 10,
            "validate_every": 1000,
            "updates": 100_000,
        },
    },
    "coloured_mnist": {
        "gamma": 1.0,
        "gamma_scale": "one",
        "model": {
            "representation_channels": 6,
            "widths": [24, 48, 192],
            "blocks": 3,
            "initial_weights": "pytorch",
        },
        "training": {
            "batch_size": 100,
            "learning_rate": 1e-4,
            "final_learning_rate": 1e-4,
            "rate_warm_up": 0,
            "gradient_norm": 1.0,
            "patience": 25,
        },
    },
}
PRINTED_BETA = 0.1  # of the shared codec on coloured MNIST


def why_not_printed(view: View, dataset: str) -> str | None:
    """Why printed numbers must not stand beside ours on `dataset`; None where they may.

    The synthetic source is the paper's at every tier.
    """
    rows = view.rows[(view.rows["dataset"] == dataset) & (view.rows["method"] != "probe")]
    if rows.empty:
        return "there is no run"
    tier = "real" if dataset == "gray_wyner_source" else view.tier
    stated = PRINTED_SETTINGS[dataset]
    reasons = {
        why_not_comparable(tier, view.scale, json.loads(text), stated)
        for text in rows["settings"].unique()
    }
    return next(filter(None, sorted(reasons, key=str)), None)


def points(view: View) -> pd.DataFrame:
    """One line a codec and setting: dataset, method, pmf, beta, eta, and means over its seeds.

    `beta` is NaN without a common channel or with it alone, `pmf` None on the synthetic source.
    `distortion` is what the curves are over: D1 + D2, or how far the accuracies are from 2.
    """
    rows = view.rows[view.rows["method"] != "probe"].drop_duplicates(["run", "seed", "metric"])
    by_run = rows.pivot_table(
        index=["run", "dataset", "method", "settings"], columns="metric", values="value"
    ).reset_index()
    found = with_settings(by_run, "pmf", "beta", "eta").sort_values("eta", ignore_index=True)
    found["beta"] = found["beta"].astype(float)
    accuracies = [found.get(f"accuracy_{task}", float("nan")) for task in (1, 2)]
    sums = found["distortion_1"] + found["distortion_2"]
    return found.assign(
        distortion=sums.where(found["dataset"] == "gray_wyner_source", 2 - sum(accuracies))
    )


def curve(name: str, found: pd.DataFrame, rate: str) -> Curve:
    """The curve of the column `rate` over distortion through the lines of `found`."""
    return Curve.of(name, found[rate], found["distortion"])


def printed_synthetic(view: View) -> pd.DataFrame:
    """Tables 2 to 5 with the columns of `points`, bits per pixel."""
    table = view.printed["synthetic"].rename(columns=_RATES)
    codecs = {label: method for method, label in METHODS.items()}
    return table.assign(
        dataset="gray_wyner_source",
        method=table["codec"].map(codecs),
        pmf=None,
        distortion=table["distortion_1"] + table["distortion_2"],
    )


def printed_coloured(view: View) -> pd.DataFrame:
    """Table 6 with the columns of `points`, bits per image."""
    table = view.printed["colored_mnist"].rename(columns=_BITS)
    pairs = table["pmf"].map(COLOURED)
    return table.assign(
        dataset="coloured_mnist",
        method=pairs.str[0],
        pmf=pairs.str[1],
        beta=float("nan"),
        distortion=2 - table["accuracy_1"] - table["accuracy_2"],
    )


_RATES = {
    **{f"r{channel}": f"rate_{channel}" for channel in range(3)},
    "d1_rmse": "distortion_1",
    "d2_rmse": "distortion_2",
}
_BITS = {
    **{f"r{channel}_bits": f"bits_{channel}" for channel in range(3)},
    "digit_accuracy": "accuracy_1",
    "color_accuracy": "accuracy_2",
}


def bd_rate_or_why(anchor: Curve, test: Curve, method: Method) -> float | str:
    """The BD-rate in percent, or why there is none."""
    try:
        return bd_rate(anchor, test, method)
    except UserError as error:
        return str(error)


def common_rate_of_baselines(found: pd.DataFrame) -> Curve | None:
    """The empirical mutual information by the joint and the independent codec, bits per pixel."""
    lines = {method: select(found, method=method) for method in BASELINES}
    if any(line.empty for line in lines.values()):
        return None
    curves = (curve(METHODS[method], line, "transmit_rate") for method, line in lines.items())
    try:
        return empirical_mutual_information(*curves)
    except UserError:
        return None
