"""Nearest-neighbour estimates against closed forms."""

import math

import numpy as np
import pytest

from ibpapers.information import ksg

N = 4_000


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def correlated(rho, rng, n=N):
    x, noise = rng.standard_normal((2, n, 1))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def test_entropy_of_a_normal(rng):
    # ln sqrt(2 pi e) = 1.4189 a dimension; 4,000 samples are within 0.04.
    x = rng.standard_normal((N, 2))
    expected = math.log(2 * math.pi * math.e)
    assert ksg.entropy(x, 3, rng) == pytest.approx(expected, abs=0.04)
    assert ksg.entropy(x * [3, 5], 3, rng) == pytest.approx(expected + math.log(15), abs=0.04)


def test_entropy_is_biased_upward_in_24_dimensions_as_known(rng):
    # N(0, I_24), true 34.05, gives about 42.0 at n = 20, k = 5.
    found = [ksg.entropy(rng.standard_normal((20, 24)), 5, rng) for _ in range(200)]
    assert np.mean(found) == pytest.approx(42.0, abs=0.4)


@pytest.mark.parametrize(("rho", "expected"), [(0.75, 0.413339), (0.7, 0.336672), (0.0, 0.0)])
def test_information_of_normals(rho, expected, rng):
    x, y = correlated(rho, rng)
    assert ksg.mutual_information(x, y, 3, rng) == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(("e", "expected"), [(0.1, 1.709438), (0.75, 1 / 3)])
def test_information_of_a_uniform_and_its_noisy_copy(e, expected, rng):
    x = rng.random((N, 1))
    y = x + rng.uniform(-e, e, (N, 1))
    assert ksg.mutual_information(x, y, 3, rng) == pytest.approx(expected, abs=0.04)


def test_information_of_a_symbol_and_a_continuous_value(rng):
    # Gao et al.: X uniform on 5 symbols, Y uniform on [X, X + 2].
    x = rng.integers(5, size=(N, 1))
    y = x + 2 * rng.random((N, 1))
    assert ksg.mutual_information(x, y, 3, rng) == pytest.approx(1.054920, abs=0.04)


def test_copies_of_a_symbol_have_its_entropy(rng):
    x = rng.integers(10, size=(N, 1))
    assert ksg.mutual_information(x, x, 3, rng) == pytest.approx(math.log(10), abs=0.02)


def test_scale_does_not_matter_to_information(rng):
    x, y = correlated(0.75, rng, n=500)
    scaled = ksg.mutual_information(1e6 * x - 3, y, 3, np.random.default_rng(1))
    assert scaled == pytest.approx(ksg.mutual_information(x, y, 3, np.random.default_rng(1)))


@pytest.mark.parametrize("k", [0, 30])
def test_more_neighbours_than_samples_are_refused(k, rng):
    x = rng.standard_normal((30, 2))
    with pytest.raises(ValueError, match="allowed: 1 to 29"):
        ksg.entropy(x, k, rng)
    with pytest.raises(ValueError, match="allowed: 1 to 29"):
        ksg.mutual_information(x, x, k, rng)
