"""r of Eq. 11: its formula, its range, which modality it spares."""

import math

import pytest
import torch

from ibpapers.papers.omib.relevance import EPSILON, weights


@pytest.mark.parametrize("left", [(0.3, 0.3), (0.2, 0.5), (0.5, 0.2), (1e-4, 3.0), (0.7, 0.1, 0.9)])
def test_weights_are_those_of_equation_11(left):
    found = weights(torch.tensor(left, dtype=torch.double)).tolist()
    for r, divergence in zip(found, left):
        ratio = (divergence + EPSILON) / (left[0] + EPSILON)
        assert r == pytest.approx(1 - math.tanh(math.log(ratio)), abs=1e-12)
    assert found[0] == 1


def test_the_modality_with_more_left_to_give_weighs_less():
    assert weights(torch.tensor([0.1, 0.4]))[1] < 1 < weights(torch.tensor([0.4, 0.1]))[1]


@pytest.mark.parametrize("left", [(0.0, 0.0), (0.0, 9.0), (9.0, 0.0)])
def test_weights_stay_inside_their_range(left):
    r = weights(torch.tensor(left))[1].item()
    assert 0 < r <= 2
    assert math.isfinite(r)


def test_no_gradient_flows_through():
    divergences = torch.tensor([0.3, 0.1], requires_grad=True)
    assert not weights(divergences).requires_grad
