"""Small utterances, small systems, small settings."""

from importlib import import_module

import numpy as np
import pytest
import torch

from ibpapers.datasets import cmu_sentiment
from ibpapers.papers.toc.systems import Split, System

CPU = torch.device("cpu")
WIDTHS = {"text": 5, "audio": 3, "video": 4}


def utterances(size, seed, modalities=tuple(WIDTHS), longest=6):
    """Sentiment in the first column of every modality; `longest` None: one vector each."""
    draw = np.random.default_rng(seed)
    sentiment = draw.uniform(-3, 3, size).astype(np.float32)
    words = draw.integers(1, (longest or 1) + 1, size)
    views = {}
    for name in modalities:
        view = draw.standard_normal((size, longest or 1, WIDTHS[name]), dtype=np.float32)
        view[..., 0] += sentiment[:, None]
        view[np.arange(longest or 1) >= words[:, None]] = 0
        views[name] = view if longest else view[:, 0]
    return cmu_sentiment.Split(views, words, sentiment)


def make_system(modalities=tuple(WIDTHS), longest=6):
    sides = [
        Split(utterances(size, seed, modalities, longest), CPU)
        for seed, size in enumerate((96, 24, 40))
    ]
    return System(sides[0].widths, *sides)


@pytest.fixture(scope="session")
def system():
    """Sequences of text, audio and video. Nothing in it changes."""
    return make_system()


@pytest.fixture
def recipe():
    """A function: the recipe of a method under tiny settings."""

    def of(method="two_stage_vib", channel="awgn", training=(), **changes):
        fades = channel == "rayleigh"
        return {
            "method": method,
            "channel": channel,
            "fading": "block" if fades else None,
            "equaliser": "mmse" if fades else None,
            "dimension": 10,
            "model": {
                "width": 8, "heads": 2, "layers": 1, "feed_forward": 12,
                "code": 4, "hidden": 9, "discriminator": [16],
            },
            "training": {
                "updates": 20, "warm_up_updates": 4, "batch_size": 16, "learning_rate": 1e-2,
                "beta": 1e-3, "gamma": 2e-3, "redundancy": 0.4, "reverse": "first",
                "snrs": [0.0, 21.0], "validation_snrs": [0.0, 12.0],
                **dict(training),
            },
            **changes,
        }  # fmt: skip

    return of


def build(recipe, system, seed=0):
    method = import_module(f"ibpapers.papers.toc.methods.{recipe['method']}")
    return method.build(recipe, system, seed, CPU)
