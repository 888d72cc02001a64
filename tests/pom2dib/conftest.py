"""A small system with random data, and small settings."""

import numpy as np
import pytest
import torch

from ibpapers import config, plan
from ibpapers.datasets.handwritten import Split
from ibpapers.files import sha256, write_json
from ibpapers.inputs import Inputs
from ibpapers.papers.pom2dib import systems

CPU = torch.device("cpu")
N_TEST = 18


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


@pytest.fixture
def inputs(tmp_path):
    """A dataset of 40 samples to train on and `N_TEST` to test on, in its files."""
    draw, arrays = np.random.default_rng(0), {}
    for side, size in (("train", 40), ("test", N_TEST)):
        arrays[f"{side}_fft"] = draw.random((size, 196), dtype=np.float32)
        arrays[f"{side}_mel"] = draw.standard_normal((size, 512), dtype=np.float32)
        arrays[f"{side}_digit"] = draw.integers(0, 10, size)
    folder = tmp_path / "dataset"
    folder.mkdir()
    np.savez(folder / "arrays.npz", **arrays)
    content = {"sha256": sha256(folder / "arrays.npz")}
    write_json(folder / "card.json", {"tier": "sample", "arrays": content})
    return Inputs(folder)
