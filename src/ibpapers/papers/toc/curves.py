"""Scores over SNR, ours and printed; shared by all exhibits."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd

from ibpapers.report.exhibits import Metric, View
from ibpapers.report.published import require, why_not_comparable
from ibpapers.report.results import Estimate, estimate, select, with_settings

MOSEI = "mosei_sequences"
DATASETS = {
    MOSEI: "MOSEI",
    "mosi_sequences": "MOSI",
    "mosi_transcripts": "MOSI, transcripts",
    "mosi_bclstm": "MOSI, bc-LSTM",
}
CHANNELS = {"awgn": "AWGN", "rayleigh": "Rayleigh"}
METHODS = {
    "two_stage_vib": "Two-stage VIB",
    "two_stage_vib_no_red": "Two-stage VIB, no reduction",
    "t_deepsc": "T-DeepSC",
    "conventional": "Conventional",
    "noiseless": "No channel",
}
PAIRS = {
    "video_audio": "video and audio",
    "video_text": "video and text",
    "text_audio": "text and audio",
}
# In the order of Fig. 5; negative against non-negative where there are two classes.
SCORES = (
    Metric("acc2", "Acc2", "%", "acc2", 1),
    Metric("mae", "MAE", "", "mae", 3),
    Metric("f1", "F1", "%", "f1", 1),
    Metric("acc7", "Acc7", "%", "acc7", 1),
)
INDEPENDENT = 2 * math.log(2)  # BCE of a discriminator that can only guess, nats

PRINTED_DATASETS = {MOSEI: "mosei", "mosi_sequences": "mosi"}
# Section VI-A; beta, gamma, optimiser and rates are not in the text.
PRINTED_DIMENSION = {"dimension": 50}
PRINTED_TRAINING = {
    "two_stage_vib": {
        "batch_size": 32,
        "snrs": [0, 21],
        "redundancy": 0.4,
        "reverse": "first",
    },
    "t_deepsc": {"batch_size": 32, "snrs": [0, 21]},
}

COLUMNS = (
    "dataset", "run", "method", "channel", "dimension", "seed", "metric", "snr", "value",
)  # fmt: skip
_SCORE = r"^(?P<score>\w+)(?:/(?P<of>awgn|rayleigh))?(?:/(?P<snr>-?[\d.]+)dB)?$"


def scores(view: View) -> pd.DataFrame:
    """The results of a study by `COLUMNS`; `snr` in dB.

    `metric` is left without channel and SNR; of `noiseless` these are None and NaN.
    """
    found = with_settings(view.rows, "channel", "dimension")
    parts = found["metric"].str.extract(_SCORE)
    channel = parts["of"].fillna(found["channel"])
    found = found.assign(metric=parts["score"], channel=channel, snr=parts["snr"].astype(float))
    return found[list(COLUMNS)].dropna(subset="metric")


def over_snr(found: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """One score of one run: a line a seed, a column an SNR."""
    return select(found, **where).pivot(index="seed", columns="snr", values="value")


def means_over_snr(found: pd.DataFrame, **where: Any) -> dict[float, Estimate]:
    table = over_snr(found, **where)
    return {snr: estimate(table[snr]) for snr in table}


def without_channel(found: pd.DataFrame, metric: str, **where: Any) -> pd.Series:
    """A score of `noiseless`, indexed by seed; empty where the plan has none."""
    rows = select(found, method="noiseless", metric=metric, **where)
    return rows.set_index("seed")["value"].sort_index()


def name_of(view: View, dataset: str) -> str:
    return DATASETS[dataset] + ("" if view.tier == "real" else " stand-in")


def why_not_printed(view: View, dataset: str, *, at_dimension: bool = True) -> str | None:
    """Why what is printed must not stand beside our results on `dataset`; None where it may.

    `at_dimension` asks for the paper's dimension too, as all but Table I does.
    """
    if dataset not in PRINTED_DATASETS:
        return f"{DATASETS[dataset]}: other features than the paper's"
    stated = PRINTED_DIMENSION if at_dimension else {}
    for method, training in PRINTED_TRAINING.items():
        for text in view.where(dataset=dataset, method=method).rows["settings"].unique():
            why = why_not_comparable(
                view.tier, view.scale, json.loads(text), {**stated, "training": training}
            )
            if why:
                return why
    return None


def printed_score(
    view: View, dataset: str, channel: str, method: str, metric: str
) -> dict[float, float]:
    """By SNR (dB) what the text of Section VI prints, percent."""
    table = view.printed["text"]
    require(table, "dataset", "channel", "method", "metric", "snr_db", "value_percent")
    of = PRINTED_DATASETS.get(dataset)
    found = select(table, dataset=of, channel=channel, method=method, metric=metric)
    return dict(zip(found["snr_db"].astype(float), found["value_percent"], strict=True))
