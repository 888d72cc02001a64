import math

import pytest
import torch
from torch.distributions import Normal

from ibpapers.nn import discretised_gaussian
from ibpapers.nn.discretised_gaussian import likelihood


@pytest.mark.parametrize("scale", [0.11, 0.5, 3.0, 20.0])
@pytest.mark.parametrize("mean", [0.0, 0.37, -5.5])
def test_likelihoods_sum_to_one_over_the_integers(mean, scale):
    symbols = torch.arange(-400.0, 401.0, dtype=torch.double)
    parameters = torch.tensor(mean).double(), torch.tensor(scale).double()
    assert likelihood(symbols, *parameters).sum().item() == pytest.approx(1, abs=1e-12)


def test_likelihood_is_the_normal_mass_around_the_symbol():
    symbols, mean, scale = torch.tensor([[3.0, -1.0], [0.4, 0.2], [0.7, 2.5]]).double()
    normal = Normal(mean, scale)
    expected = normal.cdf(symbols + 0.5) - normal.cdf(symbols - 0.5)
    assert torch.allclose(likelihood(symbols, mean, scale), expected, atol=1e-12)


def test_bits_are_bits_and_bounded():
    zeros, ones = torch.zeros(5, 2), torch.ones(5, 2)
    mass = math.erf(0.5 / math.sqrt(2))  # of N(0, 1) within half a unit
    found = discretised_gaussian.bits(zeros, zeros, ones).item()
    assert found == pytest.approx(-10 * math.log2(mass), rel=1e-6)
    impossible = discretised_gaussian.bits(100 * ones, zeros, ones).item()
    assert impossible == pytest.approx(-10 * math.log2(1e-9), rel=1e-6)
    narrow = discretised_gaussian.bits(zeros, zeros + 0.3, 1e-6 * ones).item()
    assert narrow == pytest.approx(
        discretised_gaussian.bits(zeros, zeros + 0.3, 0.11 * ones).item()
    )


def test_the_gradient_of_bits_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    symbols, mean = torch.randn(2, 6, generator=generator, dtype=torch.double).mul(2)
    scale = 0.3 + torch.rand(6, generator=generator, dtype=torch.double)
    inputs = [x.requires_grad_() for x in (symbols, mean, scale)]
    assert torch.autograd.gradcheck(discretised_gaussian.bits, inputs)
