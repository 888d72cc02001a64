"""An estimate as a job makes it: what it holds, and that it is of the right variables."""

import math

import numpy as np
import pytest

from ibpapers.datasets import sim, stored
from ibpapers.information import ksg
from ibpapers.papers.omib import entropies

DIMS = {"a0": 1, "b0": 1, "a1": 1, "b1": 1, "a2": 1, "b2": 1}


@pytest.fixture
def folder(tmp_path):
    """A dataset whose first modality is all zero but for a0, which the second has as well."""
    rng = np.random.default_rng(0)
    delta = np.ones(3, np.float32)
    arrays = {"delta": delta}
    for side in ("train", "test"):
        split = vars(sim.draw(DIMS, delta, 600, rng))
        for name in ("b0", "a1", "b1"):
            split[name] = np.zeros_like(split[name])
        arrays |= {f"{side}_{name}": array for name, array in split.items()}
    stored.write(tmp_path, arrays, {"tier": "sample", "dims": DIMS})
    return tmp_path


def recipe(*term, **changes):
    return {
        "dataset": "sim1",
        "views": {"v1": ["a0", "b0", "a1", "b1"], "v2": ["a0", "b0", "a2", "b2"]},
        "threads": 1,
        "term": list(term),
        "seeds": [0, 1],
        "mine": {
            "batch_size": 32, "widths": [16], "steps": 60, "learning_rate": 1e-2,
            "ema_rate": 0.05, "held_out": 0.2, "window": 20,
        },
        "knn": {"neighbours": 3, "samples": 200},
        **changes,
    }  # fmt: skip


def test_an_estimate_says_what_it_is_and_how_sure(folder):
    found = entropies.estimate(recipe("v1", "v2"), folder)
    assert found["value"] == pytest.approx(np.mean(found["per_seed"]))
    assert found["std"] == pytest.approx(np.std(found["per_seed"], ddof=1))
    assert found["pairs"] == 20 * 32
    assert found["ceiling"] == pytest.approx(math.log(20 * 32))
    assert found["touches_ceiling"] == (max(found["per_seed"]) > found["ceiling"] - 1)
    assert found["samples"] == 600
    assert found["dimensions"] == [4, 4]
    assert found["mine"] == recipe("v1", "v2")["mine"]
    assert found["value"] > 0.1


def test_one_seed_has_no_spread(folder):
    assert entropies.estimate(recipe("v1", "v2", seeds=[3]), folder)["std"] == 0


def test_the_cross_check_is_of_the_same_samples(folder):
    found = entropies.estimate(recipe("v1", "v2"), folder)["knn"]
    train, rng = sim.load(folder).train, np.random.default_rng(0)
    rows = rng.permutation(600)[:200]
    x, y = (
        np.hstack([getattr(train, name) for name in names])[rows]
        for names in recipe("v1", "v2")["views"].values()
    )
    assert found["quantity"] == "mutual information"
    assert found["value"] == pytest.approx(ksg.mutual_information(x, y, 3, rng))
    assert found["samples"] == 200
    assert entropies.estimate(recipe("v2", "v2"), folder)["knn"]["quantity"] == (
        "differential entropy"
    )


def test_the_same_recipe_gives_the_same_estimate(folder):
    twice = [entropies.estimate(recipe("v2", "v2"), folder) for _ in range(2)]
    assert twice[0] == twice[1]
