"""SIM-I to SIM-III against the closed forms of their generator."""

import math

import numpy as np
import pytest

from ibpapers import datasets
from ibpapers.datasets import sim, stored
from ibpapers.errors import UserError

DIMS = {"a0": 3, "b0": 2, "a1": 5, "b1": 4, "a2": 1, "b2": 6}


def build(folder, seed=0, samples=2_000, dims=DIMS):
    settings = {"seed": seed, "samples": samples, "dims": dims}
    datasets.build("sim1", "sample", folder, folder / "out", settings)
    return sim.load(folder / "out")


def test_factors_are_standard_normal_and_the_class_follows_the_hyperplane(tmp_path):
    found = build(tmp_path)
    assert (len(found.train.label), len(found.test.label)) == (1_800, 200)
    for split in (found.train, found.test):
        factors = {name: getattr(split, name) for name in sim.FACTORS}
        assert {name: factor.shape[1] for name, factor in factors.items()} == DIMS
        assert all(factor.dtype == np.float32 for factor in factors.values())
        side = split.a0 @ found.delta[:3] + split.a1 @ found.delta[3:8] + split.a2 @ found.delta[8:]
        np.testing.assert_array_equal(split.label, side > 0)
        assert split.label.dtype == np.int64
    everything = np.hstack([getattr(found.train, name) for name in sim.FACTORS])
    covariance = np.cov(everything.T)
    np.testing.assert_allclose(covariance, np.eye(21), atol=0.13)
    np.testing.assert_allclose(everything.mean(0), 0, atol=0.1)


def test_the_hyperplane_does_not_depend_on_the_number_of_samples(tmp_path):
    few, many = build(tmp_path, samples=10), build(tmp_path, samples=500)
    np.testing.assert_array_equal(few.delta, many.delta)


def test_same_seed_same_bytes_other_seed_other_samples(tmp_path):
    build(tmp_path)
    first = [(tmp_path / "out" / name).read_bytes() for name in (stored.ARRAYS, stored.CARD)]
    build(tmp_path)
    assert first == [(tmp_path / "out" / n).read_bytes() for n in (stored.ARRAYS, stored.CARD)]
    assert build(tmp_path, seed=1).train.a0[0, 0] != build(tmp_path).train.a0[0, 0]


def test_parts_allow_the_accuracy_of_their_share_of_the_hyperplane():
    # Knowing some factors, the best guess is the side of the hyperplane restricted to them. It is
    # right with probability 1 - arccos(sqrt(p)) / pi, p their share of |delta|^2.
    rng = np.random.default_rng(0)
    delta = rng.standard_normal(9, dtype=np.float32)
    split = sim.draw(DIMS, delta, 200_000, rng)
    guess = split.a0 @ delta[:3] + split.a1 @ delta[3:8] > 0
    share = (delta[:8] @ delta[:8]) / (delta @ delta)
    limit = 1 - math.acos(math.sqrt(share)) / math.pi
    assert (guess == split.label).mean() == pytest.approx(limit, abs=0.004)


def test_changed_arrays_are_refused(tmp_path):
    build(tmp_path)
    with open(tmp_path / "out" / stored.ARRAYS, "ab") as file:
        file.write(b"!")
    with pytest.raises(UserError, match=r"arrays\.npz is missing or is not the file of its card"):
        sim.load(tmp_path / "out")
