"""A small system with random data, and small settings."""

import numpy as np
import pytest
import torch

from ibpapers import config, plan
from ibpapers.datasets.handwritten import Split
from ibpapers.papers.pom2dib import systems

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def recipe():
    """A function: the recipe of a method under tiny settings."""
    overrides = [
        "papers.pom2dib.model.widths=[16, 8]",
        "papers.pom2dib.model.code_dimension=4",
        "papers.pom2dib.training.batches_per_update=3",
        "papers.pom2dib.training.batch_size=6",
    ]
    runs = plan.make(config.load("params.yaml", overrides)).runs.values()

    def of(method, **changes):
        first = next(r for r in runs if r.method == method and r.recipe["beta"] in (None, 1e-3))
        return {**first.recipe, **changes}

    return of


@pytest.fixture
def system():
    draw = np.random.default_rng(0)

    def split(size):
        return systems.HandWrittenSplit(
            Split(
                fft=draw.random((size, 196), dtype=np.float32),
                mel=draw.standard_normal((size, 512), dtype=np.float32),
                digit=draw.integers(0, 10, size),
            ),
            "sample",
            CPU,
        )

    return systems.System(systems.HANDWRITTEN, split(60), split(20))
