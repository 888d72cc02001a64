"""Entropies and common information against the closed forms of the literature, in bits."""

import itertools
import math

import numpy as np
import pytest

from ibpapers.information.entropy import (
    entropy,
    gacs_korner,
    mutual_information,
    wyner_binary,
    wyner_gaussian,
)

MIXED = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(3, 4)


def binary(p):
    return np.array([[1 - p, p], [p, 1 - p]]) / 2


@pytest.mark.parametrize("k", [1, 2, 10])
def test_uniform_symbols_and_their_copies(k):
    assert entropy(np.full(k, 1 / k)) == pytest.approx(math.log2(k))
    assert mutual_information(np.eye(k) / k) == pytest.approx(math.log2(k))
    assert gacs_korner(np.eye(k) / k) == pytest.approx(math.log2(k))


def test_zero_cells_add_nothing_and_certainty_is_plus_zero():
    assert entropy([0.5, 0.0, 0.5]) == 1
    assert math.copysign(1, entropy([1.0, 0.0])) == 1


def test_mutual_information_is_the_sum_it_is_defined_by():
    px, py = MIXED.sum(1), MIXED.sum(0)
    expected = sum(
        MIXED[i, j] * math.log2(MIXED[i, j] / (px[i] * py[j])) for i in range(3) for j in range(4)
    )
    assert mutual_information(MIXED) == pytest.approx(expected)
    assert mutual_information(MIXED.T) == pytest.approx(expected)
    assert mutual_information(MIXED[::-1, [2, 0, 3, 1]]) == pytest.approx(expected)
    assert mutual_information(np.outer(px, py)) == pytest.approx(0, abs=1e-12)


def test_gacs_korner_is_the_entropy_of_the_block():
    blocks = np.zeros((5, 4))
    blocks[:2, :1] = 0.25  # half of the mass
    blocks[2:4, 1:3] = [[0.1, 0.1], [0.0, 0.1]]
    blocks[4, 3] = 0.2
    assert gacs_korner(blocks) == pytest.approx(entropy([0.5, 0.3, 0.2]))
    assert gacs_korner(MIXED) == 0


@pytest.mark.parametrize(("p", "expected"), [(0, 1), (0.1, 0.872761), (0.2, 0.705905), (0.5, 0)])
def test_doubly_symmetric_binary_source(p, expected):
    assert wyner_binary(p) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("p", [0.0, 0.05, 0.1, 0.3, 0.5])
def test_the_order_of_the_notions(p):
    joint = binary(p)
    parts = gacs_korner(joint), mutual_information(joint), wyner_binary(p), entropy(joint)
    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(parts))


@pytest.mark.parametrize(
    ("distortion", "expected"), [(0.01, 1.584963), (0.2, 1.584963), (0.7, 0.292481), (1, 0)]
)
def test_gaussian_plateau_and_slope(distortion, expected):
    assert wyner_gaussian(0.8, distortion) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda: entropy([0.5, 0.6]),
        lambda: entropy([1.5, -0.5]),
        lambda: entropy([np.nan, 1.0]),
        lambda: wyner_binary(0.6),
        lambda: wyner_gaussian(1.0, 0.5),
        lambda: wyner_gaussian(0.5, 0.0),
    ],
)
def test_what_is_no_distribution_is_refused(call):
    with pytest.raises(ValueError, match=r"not a PMF|allowed: "):
        call()
