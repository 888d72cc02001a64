"""Blahut-Arimoto against closed forms and against values computed to convergence."""

import math

import numpy as np
import pytest

from ibpapers.information.blahut_arimoto import blahut_arimoto

TOLERANCE = 1e-8


def h(p):
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def hamming(n):
    return 1.0 - np.eye(n)


def slope_of_hamming(distortion, n):
    """Nats: where R = log n - h(D) - D log(n - 1) has its derivative."""
    return math.log((1 - distortion) * (n - 1) / distortion)


def rate_at(point, distortion):
    """On the tangent: `distortion` is near the point's, R is convex."""
    (rate,) = point.rate - point.slope / math.log(2) * (distortion - point.distortion)
    return rate


def test_bernoulli_under_hamming_distortion():
    found = blahut_arimoto([0.7, 0.3], hamming(2), [slope_of_hamming(0.119203, 2)])
    assert found.distortion == pytest.approx(0.119203, abs=1e-6)
    assert found.rate == pytest.approx(0.354226, abs=1e-6)
    assert found.rate == pytest.approx(h(0.3) - h(0.119203), abs=1e-6)


def test_uniform_on_eight_under_hamming_distortion():
    found = blahut_arimoto(np.full(8, 1 / 8), hamming(8), [slope_of_hamming(0.113640, 8)])
    assert found.distortion == pytest.approx(0.113640, abs=1e-6)
    assert found.rate == pytest.approx(3 - h(0.113640) - 0.113640 * math.log2(7), abs=1e-6)
    assert found.rate == pytest.approx(2.170175, abs=3e-6)  # their D has six digits


@pytest.mark.parametrize(("distortion", "expected"), [(0.25, 0.999990), (0.1, 1.660954)])
def test_clipped_normal_on_401_levels(distortion, expected):
    x = np.linspace(-5, 5, 401)
    weight = np.exp(-(x**2) / 2)
    found = blahut_arimoto(
        weight / weight.sum(), np.square(x[:, None] - x), [1 / (2 * distortion)], tolerance=1e-4,
        max_iterations=2000,
    )  # fmt: skip
    assert rate_at(found, distortion) == pytest.approx(expected, abs=3e-6)


def test_a_vector_of_slopes_is_each_slope_alone():
    p = np.random.default_rng(1).dirichlet(np.ones(6))
    d = np.random.default_rng(2).random((6, 4))  # no zeros, more symbols than reproductions
    slopes = [0.5, 3.0, 20.0]
    together = blahut_arimoto(p, d, slopes)
    for i, slope in enumerate(slopes):
        alone = blahut_arimoto(p, d, slope)
        assert together.rate[i] == pytest.approx(alone.rate[0], abs=1e-7)
        assert together.distortion[i] == pytest.approx(alone.distortion[0], abs=1e-7)


def test_rate_is_the_mutual_information_of_the_test_channel():
    p = np.random.default_rng(1).dirichlet(np.ones(6))
    d = np.random.default_rng(2).random((6, 4))
    found = blahut_arimoto(p, d, [2.0, 20.0])
    np.testing.assert_allclose(found.conditional.sum(axis=2), 1)
    for rate, distortion, channel in zip(found.rate, found.distortion, found.conditional):
        joint = p[:, None] * channel
        product = p[:, None] * joint.sum(0)
        used = joint > 0
        information = (joint[used] * np.log2(joint[used] / product[used])).sum()
        assert rate == pytest.approx(information, abs=1e-6)
        assert distortion == pytest.approx((joint * d).sum())


def test_the_residual_is_a_bound_and_says_what_has_not_converged():
    p = np.random.default_rng(3).dirichlet(np.ones(9))
    x = np.linspace(-1, 1, 9)
    slopes = np.geomspace(0.1, 100, 12)
    exact = blahut_arimoto(p, np.square(x[:, None] - x), slopes, TOLERANCE)
    assert (exact.residual < TOLERANCE).all()
    early = blahut_arimoto(p, np.square(x[:, None] - x), slopes, TOLERANCE, max_iterations=7)
    assert early.residual.max() > 1e-3
    on_exact_tangents = exact.rate - slopes / math.log(2) * (early.distortion - exact.distortion)
    excess = early.rate - on_exact_tangents
    assert (excess >= -1e-7).all()
    assert (excess <= early.residual + 1e-7).all()


def test_no_distortion_is_the_entropy_and_nothing_is_sent_at_a_flat_slope():
    p = [0.5, 0.25, 0.25]
    found = blahut_arimoto(p, hamming(3), [0.01, 60.0])
    assert found.rate == pytest.approx([0, 1.5], abs=1e-6)
    assert found.distortion == pytest.approx([0.5, 0], abs=1e-6)


def test_impossible_symbols_change_nothing():
    d = np.random.default_rng(2).random((3, 4))
    without = blahut_arimoto([0.4, 0.6], d[1:], [5.0])
    with_one = blahut_arimoto([0.0, 0.4, 0.6], d, [5.0])
    assert with_one.rate == pytest.approx(without.rate)
    assert np.isfinite(with_one.conditional).all()


def test_a_slope_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match=r"smallest slope is 0\.0; slopes are positive"):
        blahut_arimoto([0.5, 0.5], hamming(2), [0.0, 1.0])
