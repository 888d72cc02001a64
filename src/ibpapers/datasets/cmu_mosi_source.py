"""The two files of CMU-MOSI at hand: bc-LSTM's feature vectors, and labels with transcripts."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import cmu_sentiment_write, stored
from ibpapers.datasets.cmu_sentiment import SIDES, Split
from ibpapers.datasets.fetch import verified_card
from ibpapers.errors import UserError

FEATURES = "mosi_bclstm_features.npz"
LABELS = "mosi_labels.csv.gz"
FOLDS = {"train": "train", "valid": "validation", "test": "test"}


@dataclass(frozen=True)
class Utterances:
    """All N utterances, in one order; `card` is that of the source.

    Attributes:
        features: text [N, 100], audio [N, 73] and video [N, 100] of the bc-LSTM release, float32.
        sentiment: float32 [N], -3 to 3.
        fold: the standard fold, one of `SIDES`.
        bclstm_side: the side of the split that the features were trained on, train or test.
        video: which video an utterance is from.
        transcript: what was said, in capitals.
    """

    features: dict[str, NDArray[np.float32]]
    sentiment: NDArray[np.float32]
    fold: NDArray[np.str_]
    bclstm_side: NDArray[np.str_]
    video: NDArray[np.str_]
    transcript: list[str]
    card: dict[str, Any]


def read(folder: str | Path) -> Utterances:
    """Read the fetched source `cmu_mosi`, or the stand-in of the same form.

    Raises:
        UserError: a file is missing or changed, or the two disagree on the utterances.
    """
    card = verified_card(folder)
    with np.load(Path(folder) / FEATURES, allow_pickle=False) as stored_features:
        arrays = dict(stored_features)
    rows = _rows(Path(folder) / LABELS)
    if [row["utterance_id"] for row in rows] != arrays["utterance_id"].tolist():
        raise UserError(
            f"{Path(folder) / LABELS} lists other utterances than {FEATURES}, or in another order. "
            "Fetch the source again."
        )
    return Utterances(
        features={name: arrays[name] for name in ("text", "audio", "video")},
        sentiment=arrays["sentiment"],
        fold=np.array([FOLDS[fold] for fold in arrays["standard_fold"].tolist()]),
        bclstm_side=arrays["bclstm_split"],
        video=np.array([row["video_id"] for row in rows]),
        transcript=[row["text"] for row in rows],
        card=card,
    )


def write_splits(
    folder: str | Path,
    modalities: Mapping[str, NDArray[np.float32]],
    side: NDArray[np.str_],
    utterances: Utterances,
    card: Mapping[str, Any],
) -> None:
    """Write a dataset that `cmu_sentiment.load` reads: `modalities` [N, d] parted by `side` [N]."""
    splits = {
        one: Split(
            {name: values[side == one] for name, values in modalities.items()},
            np.ones((side == one).sum(), np.int64),
            utterances.sentiment[side == one],
        )
        for one in SIDES
    }
    cmu_sentiment_write.write(
        folder, splits, {**card, "sources": stored.of_sources([utterances.card])}
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        return list(csv.DictReader(text))
