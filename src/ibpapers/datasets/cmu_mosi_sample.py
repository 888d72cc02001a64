"""A generated stand-in for CMU-MOSI, in the form of its two files, with known factors.

A factor s is in all modalities, one more in each of them alone; the sentiment is their weighted
sum. Everything else in the vectors is noise. So the share of the sentiment's variance that is to
be had from a modality is weight(shared)^2 + weight(its own)^2, and all of it from all three.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibpapers import files
from ibpapers.datasets import cmu_sentiment_sample
from ibpapers.datasets.cmu_mosi_source import FEATURES, LABELS

SEED = 20_240_502
VIDEOS, UTTERANCES_EACH = 30, 20
WIDTHS = {"text": 100, "audio": 73, "video": 100}
CONSTANT_VIDEO_COLUMNS = 32  # as many as in the release
WEIGHTS = {"shared": 0.7, "text": 0.5, "audio": 0.4, "video": 0.316}  # squares add up to 1
NUISANCES = 10  # factors in each modality that say nothing of the sentiment
NOISE = 0.3  # deviation in each column; the factors make about 1
COLUMNS = (
    "video_id", "clip_id", "utterance_id", "sentiment", "standard_fold", "bclstm_split", "text",
)  # fmt: skip

# From the least to the most positive, in equal shares.
FELT = ("terrible", "awful", "bad", "dull", "fine", "good", "great", "wonderful")
WOULD = ("hated it", "regret it", "was bored", "doubt it", "liked it", "enjoyed it", "loved it")
TOPICS = ("the story", "the acting", "the ending", "the music", "this movie", "the dialogue")


def generate(folder: str | Path) -> str:
    """Write the two files into `folder`, always the same. Returns where the data come from."""
    rng = np.random.default_rng(SEED)
    count = VIDEOS * UTTERANCES_EACH
    factors = {name: rng.standard_normal(count) for name in WEIGHTS}
    total = sum(WEIGHTS[name] * factor for name, factor in factors.items())
    sentiment = cmu_sentiment_sample.sentiment(total)
    vectors = {name: _vectors(factors["shared"], factors[name], name, rng) for name in WIDTHS}
    vectors["video"][:, :CONSTANT_VIDEO_COLUMNS] = 0
    videos = [f"video{number:02}" for number in range(VIDEOS)]
    ids = [f"{video}_{clip}" for video in videos for clip in range(1, UTTERANCES_EACH + 1)]
    of_video = np.repeat(np.arange(VIDEOS), UTTERANCES_EACH)
    fold = np.array(["train"] * 17 + ["valid"] * 4 + ["test"] * 9)[of_video]
    side = np.array(["train"] * 20 + ["test"] * 10)[(of_video + 7) % VIDEOS]
    transcripts = _transcripts(factors["shared"], factors["text"], rng)

    arrays = {
        **vectors,
        "sentiment": sentiment.astype(np.float32),
        "label_binary": (sentiment >= 0).astype(np.int8),
        "utterance_id": np.array(ids),
        "standard_fold": fold,
        "bclstm_split": side,
    }
    with files.atomic_write(Path(folder) / FEATURES) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for i, text in enumerate(transcripts):
        video, clip = ids[i].split("_")
        writer.writerow([video, clip, ids[i], sentiment[i], fold[i], side[i], text])
    with files.atomic_write(Path(folder) / LABELS) as temporary:
        temporary.write_bytes(gzip.compress(table.getvalue().encode(), mtime=0))
    return f"generated here (seed {SEED}); a stand-in, no utterance of it is real"


def _vectors(
    shared: NDArray, own: NDArray, name: str, rng: np.random.Generator
) -> NDArray[np.float32]:
    """[N, width]: the two factors and nuisances, mixed at random; audio is not normalised."""
    width = WIDTHS[name]
    factors = np.column_stack([shared, own, rng.standard_normal((len(own), NUISANCES))])
    mixing = rng.standard_normal((factors.shape[1], width)) / np.sqrt(factors.shape[1])
    values = factors @ mixing + NOISE * rng.standard_normal((len(own), width))
    if name == "audio":
        values = values * rng.lognormal(1, 2, width) + rng.normal(0, 100, width)
    return values.astype(np.float32)


def _transcripts(shared: NDArray, own: NDArray, rng: np.random.Generator) -> Iterator[str]:
    topics = rng.choice(TOPICS, size=len(own))
    for topic, felt, would in zip(topics, _ranked(shared, FELT), _ranked(own, WOULD), strict=True):
        yield f"{topic} was {felt} and i {would}".upper()


def _ranked(factor: NDArray, words: tuple[str, ...]) -> list[str]:
    """For each value the word at its rank, so that every word is used equally often."""
    rank = np.argsort(np.argsort(factor))
    return [words[i] for i in rank * len(words) // len(factor)]
