"""The two estimators of I(X; Z) against their bounds, a closed form and an explicit loop."""

import math

import pytest
import torch

from ibpapers.information.rate import VALUES_AT_ONCE, factorised_rate, joint_rate
from ibpapers.nn.gaussian import Gaussian

N, D = 20, 24


def far_apart(codes=3):
    """Codes whose conditionals do not overlap in any dimension."""
    mean = torch.arange(N, dtype=torch.double).view(1, N, 1).expand(codes, N, D) * 100
    return Gaussian(mean, torch.full_like(mean, 0.1))


def random_code(seed=0, shape=(3, 7, 4)):
    draw = torch.Generator().manual_seed(seed)
    mean = torch.randn(shape, generator=draw, dtype=torch.double)
    std = 0.1 + torch.rand(shape, generator=draw, dtype=torch.double)
    z = mean + std * torch.randn(shape, generator=draw, dtype=torch.double)
    return Gaussian(mean, std), z


def test_codes_far_apart_reach_the_ceilings():
    code = far_apart()
    assert joint_rate(code, code.mean) == pytest.approx(math.log(N))
    assert factorised_rate(code, code.mean) == pytest.approx(D * math.log(N))


@pytest.mark.parametrize("seed", range(5))
def test_joint_stays_below_ln_n_and_factorised_below_d_ln_n(seed):
    code, z = random_code(seed)
    n, d = z.shape[-2:]
    assert (joint_rate(code, z) <= math.log(n)).all()
    assert (factorised_rate(code, z) <= d * math.log(n)).all()


@pytest.mark.parametrize("rate", [joint_rate, factorised_rate])
def test_codes_that_ignore_their_input_have_no_rate(rate):
    same = Gaussian(torch.ones(2, N, D), torch.full((2, N, D), 0.3))
    z = torch.randn(2, N, D, generator=torch.Generator().manual_seed(0))
    assert rate(same, z) == pytest.approx(0, abs=1e-4)


def test_in_one_dimension_the_estimators_agree():
    code, z = random_code(shape=(5, 20, 1))
    assert torch.allclose(factorised_rate(code, z), joint_rate(code, z))


def test_gaussian_channel_has_its_closed_form():
    # x ~ N(0, 1), z = x + N(0, s^2): I = ln(1 + 1/s^2) / 2; 16 batches of 1,000 give it to 0.02.
    s, draw = 0.5, torch.Generator().manual_seed(0)
    x = torch.randn(16, 1000, 1, generator=draw)
    code = Gaussian(x, torch.full_like(x, s))
    expected = math.log(1 + 1 / s**2) / 2
    assert joint_rate(code, code.draw(draw)).mean().item() == pytest.approx(expected, abs=0.02)


def test_factorised_rate_is_the_formula_written_as_loops():
    code, z = random_code()
    codes, n, d = z.shape
    for c in range(codes):
        total = 0.0
        for k in range(d):
            for i in range(n):
                density = [
                    torch.distributions.Normal(code.mean[c, j, k], code.std[c, j, k])
                    .log_prob(z[c, i, k])
                    .exp()
                    for j in range(n)
                ]
                total += math.log(density[i] / (sum(density) / n)) / n
        assert factorised_rate(code, z)[c].item() == pytest.approx(total)


def test_the_gradient_written_by_hand_is_the_numerical_one():
    code, z = random_code()
    inputs = [x.clone().requires_grad_() for x in (*code, z)]
    assert torch.autograd.gradcheck(lambda m, s, z: factorised_rate(Gaussian(m, s), z), inputs)


def test_pieces_that_fit_the_cache_change_nothing(monkeypatch):
    code, z = random_code(shape=(9, 5, 3))
    whole = factorised_rate(code, z)
    monkeypatch.setitem(VALUES_AT_ONCE, "cpu", 1)
    assert torch.equal(factorised_rate(code, z), whole)
