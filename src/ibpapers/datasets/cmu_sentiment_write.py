"""CMU-MOSI and CMU-MOSEI, written: utterances of a split become what `cmu_sentiment` reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import stored
from ibpapers.datasets.cmu_sentiment import SIDES, Split

BLOCK = 2048  # utterances standardised at a time: of MOSEI, all are too many for the memory


def write(folder: str | Path, splits: Mapping[str, Split], card: Mapping[str, Any]) -> None:
    """Write a dataset of `splits`, by side, with raw columns.

    Every column is standardised with the mean and deviation over the words of the training side;
    columns that are constant there are left out.
    """
    arrays: dict[str, NDArray] = {}
    for name in splits["train"].modalities:
        mean, deviation = _moments(splits["train"], name)
        kept = deviation > 0
        for side in SIDES:
            values = splits[side].modalities[name]
            scaled = np.zeros((*values.shape[:-1], kept.sum()), np.float32)
            for rows, there, vectors in _words(splits[side], name):
                scaled[rows][there] = (vectors - mean)[:, kept] / deviation[kept]
            arrays[f"{side}_{name}"] = scaled
    arrays |= {f"{side}_sentiment": splits[side].sentiment for side in SIDES}
    if any(values.ndim > 2 for values in splits["train"].modalities.values()):
        arrays |= {f"{side}_words": splits[side].words for side in SIDES}
    about = {
        "modalities": list(splits["train"].modalities),
        "utterances": {side: len(splits[side].sentiment) for side in SIDES},
    }
    stored.write(folder, arrays, {**card, **about})


def _words(split: Split, name: str) -> Iterator[tuple[slice, NDArray[np.bool_], NDArray]]:
    """By blocks of utterances: which, where there are words, and their vectors [n, width]."""
    values = split.modalities[name]
    for start in range(0, len(values), BLOCK):
        rows = slice(start, start + BLOCK)
        block = values[rows]
        there = np.ones(len(block), bool)
        if values.ndim == 3:
            there = np.arange(values.shape[1]) < split.words[rows, None]
        yield rows, there, block[there].astype(float)


def _moments(split: Split, name: str) -> tuple[NDArray, NDArray]:
    """Mean and deviation of each column over all words."""
    count = split.words.sum()
    mean = sum(vectors.sum(axis=0) for _, _, vectors in _words(split, name)) / count
    squares = (((vectors - mean) ** 2).sum(axis=0) for _, _, vectors in _words(split, name))
    return mean, np.sqrt(sum(squares) / count)
