"""Small systems with random data, and small settings."""

from importlib import import_module

import numpy as np
import pytest
import torch

from ibpapers.papers.omib.systems import Split, System
from ibpapers.papers.omib.tasks import Classification, Regression

CPU = torch.device("cpu")
BASELINES = (
    "concat", "bigated", "misa", "deep_ib", "mmib_cui", "mmib_zhang", "dmib",
    "e_mib", "l_mib", "c_mib",
)  # fmt: skip
VIEWS = {"v1": ("shared", "own1"), "v2": ("shared", "own2")}


@pytest.fixture(autouse=True)
def same_weights():
    """Modules that a test makes without a generator begin alike in every run of the test."""
    torch.manual_seed(0)


@pytest.fixture
def recipe():
    """A function: the recipe of a method under tiny settings."""

    def of(method="omib", **changes):
        return {
            "method": method,
            "ablation": "full",
            "model": {"hidden": 12, "encoding": 6, "code": 5, "head": [8, 7]},
            "training": {
                "updates": 6,
                "warm_up_updates": 2,
                "batch_size": 16,
                "learning_rate": 1e-2,
            },
            **changes,
        }

    return of


def split(size, seed, views=VIEWS, task="class"):
    """The class, or the sentiment, is decided by one shared and two own values."""
    draw = np.random.default_rng(seed)
    blocks = {
        name: draw.standard_normal((size, width), dtype=np.float32)
        for name, width in (("shared", 4), ("own1", 3), ("own2", 2), ("own3", 2))
    }
    score = blocks["shared"][:, 0] + blocks["own1"][:, 0] + blocks["own2"][:, 0]
    label = (score > 0).astype(np.int64) if task == "class" else score.clip(-3, 3)
    return Split(blocks, views, label, CPU)


def make_system(beta=0.02, views=VIEWS, task="class"):
    train, test = split(96, 0, views, task), split(32, 1, views, task)
    held_out = None if task == "class" else split(24, 2, views, task)
    layout = train.layout(Classification(2) if task == "class" else Regression())
    return System(layout, train, held_out, test, beta, None)


@pytest.fixture
def system():
    return make_system()


@pytest.fixture
def three():
    """Three modalities, regression, with a validation set."""
    return make_system(views={**VIEWS, "v3": ("own3",)}, task="sentiment")


def build(recipe, system, seed=0):
    method = import_module(f"ibpapers.papers.omib.methods.{recipe['method']}")
    return method.build(recipe, system, seed, CPU)
