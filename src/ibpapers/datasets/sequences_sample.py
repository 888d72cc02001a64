"""A generated stand-in for CMU-MOSI and CMU-MOSEI with one vector per word, of known factors.

Independent standard normal factors stand behind an utterance, in groups: one that all modalities
have, one of each pair, one of each modality alone. A modality sees a factor f of its groups as
v = sqrt(r) f + sqrt(1 - r) noise, with noise of its own, so that what two modalities see of the
same factor has the correlation r. The first factor of every group tells of the sentiment, which is
their weighted sum and some noise. The others do not: they are what modalities have in common, or
for themselves, without need.

All is Gaussian, hence known: the information between modalities, and how much of the sentiment is
to be had from any of them (`about`).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import asin, log, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import cmu_sentiment_sample
from ibpapers.datasets.cmu_sentiment import MODALITIES, SIDES, Split


class Group(NamedTuple):
    """`count` factors in each of `modalities`; `share`: of the sentiment's variance."""

    modalities: tuple[str, ...]
    count: int
    share: float


GROUPS = (
    Group(("text", "audio", "video"), 6, 0.04),
    Group(("text", "audio"), 2, 0.05),
    Group(("text", "video"), 2, 0.05),
    Group(("audio", "video"), 2, 0.01),
    Group(("text",), 3, 0.60),
    Group(("audio",), 3, 0.06),
    Group(("video",), 3, 0.06),
)
CORRELATION = 0.9  # r
PASSING = 4  # factors in each modality that are others in every word
NOISE = 0.2  # deviation in each column; the factors make about 1
SHORTEST = 0.25  # utterance, as a share of the longest


def draw(
    counts: Mapping[str, int], words: int, widths: Mapping[str, int], rng: np.random.Generator
) -> dict[str, Split]:
    """`counts` utterances of each side, of up to `words` words; vectors of `widths`."""
    mixing = {name: _mixing(name, width, rng) for name, width in widths.items()}
    return {side: _draw(counts[side], words, mixing, rng) for side in SIDES}


def about() -> dict[str, Any]:
    """What is known, for the card.

    `information` between the factors that two modalities see, in nats; and of each modality and
    of all: the share of the sentiment's variance that they tell at best, and the accuracy in
    telling negative from positive (of a normal sentiment, not yet rounded) that goes with it.
    """
    sets = {**{name: (name,) for name in MODALITIES}, "all": MODALITIES}
    explained = {name: _explained(members) for name, members in sets.items()}
    return {
        "correlation": CORRELATION,
        "groups": [group._asdict() for group in GROUPS],
        "information_nats": {
            f"{one}_{other}": -log(1 - CORRELATION**2) / 2 * len(_seen_by(one) & _seen_by(other))
            for one, other in combinations(MODALITIES, 2)
        },
        "explained_at_best": explained,
        "acc2_at_best": {name: 0.5 + asin(sqrt(share)) / pi for name, share in explained.items()},
    }


def _seen_by(name: str) -> set[tuple[int, int]]:
    """The factors that a modality sees: number of the group, number in it."""
    groups = ((i, group) for i, group in enumerate(GROUPS) if name in group.modalities)
    return {(i, j) for i, group in groups for j in range(group.count)}


def _explained(members: tuple[str, ...]) -> float:
    """Share of the variance of a factor seen m times, m r / (1 + (m - 1) r), over all groups."""
    seen = [(len({*group.modalities} & {*members}), group.share) for group in GROUPS]
    return sum(share * m * CORRELATION / (1 + (m - 1) * CORRELATION) for m, share in seen if m)


def _mixing(name: str, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    factors = len(_seen_by(name)) + PASSING
    return rng.standard_normal((factors, width), np.float32) / np.float32(sqrt(factors))


def _draw(
    count: int, longest: int, mixing: Mapping[str, NDArray], rng: np.random.Generator
) -> Split:
    factors = [rng.standard_normal((count, group.count)) for group in GROUPS]
    score = sum(sqrt(group.share) * f[:, 0] for group, f in zip(GROUPS, factors, strict=True))
    unseen = 1 - sum(group.share for group in GROUPS)
    score = score + sqrt(unseen) * rng.standard_normal(count)
    words = rng.integers(max(1, round(SHORTEST * longest)), longest, size=count, endpoint=True)
    there = np.arange(longest) < words[:, None]
    modalities = {}
    for name, matrix in mixing.items():
        own = [f for f, group in zip(factors, GROUPS, strict=True) if name in group.modalities]
        true = np.hstack(own)
        noise = rng.standard_normal(true.shape)
        seen = sqrt(CORRELATION) * true + sqrt(1 - CORRELATION) * noise
        modalities[name] = _vectors(seen, there, matrix, rng)
    sentiment = cmu_sentiment_sample.sentiment(score).astype(np.float32)
    return Split(modalities, words, sentiment)


def _vectors(
    seen: NDArray, there: NDArray[np.bool_], mixing: NDArray, rng: np.random.Generator
) -> NDArray[np.float32]:
    """[N, T, width]: some words say more of the factors than others; the mean of all says 1."""
    emphasis = rng.gamma(4, size=there.shape) * there
    emphasis /= emphasis.sum(axis=1, keepdims=True) / there.sum(axis=1, keepdims=True)
    passing = rng.standard_normal((*there.shape, PASSING))
    factors = np.concatenate([emphasis[..., None] * seen[:, None], passing], axis=-1)
    vectors = factors.astype(np.float32) @ mixing
    vectors += np.float32(NOISE) * rng.standard_normal(vectors.shape, np.float32)
    return np.where(there[..., None], vectors, np.float32(0))
