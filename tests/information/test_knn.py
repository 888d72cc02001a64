"""The k-nearest-neighbour entropy against closed forms."""

import math

import pytest
import torch

from ibpapers.information.knn import knn_entropy


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_standard_normal():
    # True value 1.4189; 2,000 samples are within 0.03.
    expected = 0.5 * math.log(2 * math.pi * math.e)
    assert knn_entropy(normal(2000, 1), k=3).item() == pytest.approx(expected, abs=0.03)


def test_bias_in_24_dimensions_is_the_known_one():
    # N(0, I_24), true 34.05, gives about 42.0 at n = 20, k = 5.
    mean = knn_entropy(normal(400, 20, 24), k=5).mean().item()
    assert mean == pytest.approx(42.0, abs=0.3)


def test_scaling_adds_d_ln_s():
    z = normal(50, 4)
    difference = knn_entropy(3 * z, k=5) - knn_entropy(z, k=5)
    assert difference.item() == pytest.approx(4 * math.log(3), abs=1e-4)


def test_batches_are_estimated_one_by_one():
    z = normal(3, 20, 4)
    assert torch.allclose(knn_entropy(z, 5), torch.stack([knn_entropy(one, 5) for one in z]))


@pytest.mark.parametrize("k", [0, 20])
def test_more_neighbours_than_samples_are_refused(k):
    with pytest.raises(ValueError, match="allowed: 1 to 19"):
        knn_entropy(normal(20, 2), k)
