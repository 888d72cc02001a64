"""BD-rate and empirical mutual information: exact cases, the integral by hand, what is refused."""

import numpy as np
import pytest

from ibpapers.errors import UserError
from ibpapers.information.bd_rate import Curve, bd_rate, empirical_mutual_information

D = np.array([0.1, 0.2, 0.35, 0.6, 0.9])
A = Curve.of("A", 3 * np.exp(-3 * D) + 0.1, D)
B = Curve.of("B", 4 * np.exp(-2.5 * D[1:]) + 0.2, D[1:] + 0.03)
METHODS = ["cubic", "pchip"]


@pytest.mark.parametrize("method", METHODS)
def test_same_curve_scaled_curve_and_swapped_curves(method):
    assert bd_rate(A, A, method) == pytest.approx(0, abs=1e-9)
    assert bd_rate(A, Curve.of("0.9 A", 0.9 * A.rate, D), method) == pytest.approx(-10)
    a, b = bd_rate(A, B, method) / 100, bd_rate(B, A, method) / 100
    assert (1 + a) * (1 + b) == pytest.approx(1)
    assert a > 0.05


def test_cubic_is_the_integral_of_vceg_m33():
    low, high = 0.23, 0.9
    at = np.linspace(low, high, 20_001)
    fits = [np.polyval(np.polyfit(c.distortion, np.log(c.rate), 3), at) for c in (A, B)]
    mean = np.trapezoid(fits[1] - fits[0], at) / (high - low)
    assert bd_rate(A, B, "cubic") == pytest.approx(100 * (np.exp(mean) - 1), rel=1e-6)


def test_order_of_the_points_does_not_matter():
    shuffled = Curve.of("A", A.rate[[3, 0, 4, 1, 2]], D[[3, 0, 4, 1, 2]])
    assert bd_rate(shuffled, B) == bd_rate(A, B)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (Curve.of("far", A.rate, D + 1), r"far against A: the curves do not overlap"),
        (Curve.of("touching", A.rate, D + 0.8), r"do not overlap \(distortions 0\.9 to 1\.7"),
        (Curve.of("bent", A.rate[[0, 2, 1, 3, 4]], D), r"bent: it is not monotone.*points 2 and 3"),
        (Curve.of("flat", A.rate[[0, 1, 1, 3, 4]], D), r"flat: it is not monotone"),
        (Curve.of("twice", A.rate, D[[0, 1, 1, 3, 4]]), r"twice: it is not monotone"),
        (Curve.of("free", [*A.rate[:4], 0.0], D), r"free: its lowest rate is 0; rates are"),
        (Curve.of("short", A.rate[:1], D[:1]), r"short: 1 points, at least"),
    ],
    ids=lambda x: x.name if isinstance(x, Curve) else "",
)
def test_curves_that_have_no_bd_rate_are_refused(method, other, complaint):
    with pytest.raises(UserError, match=complaint):
        bd_rate(A, other, method)
    with pytest.raises(UserError):
        bd_rate(other, A, method)


def test_a_polynomial_of_degree_three_needs_four_points():
    three = Curve.of("three", A.rate[:3], D[:3])
    with pytest.raises(UserError, match="three: 3 points, at least 4 are needed"):
        bd_rate(A, three, "cubic")
    assert bd_rate(A, three, "pchip") == pytest.approx(0, abs=5)


def test_empirical_mutual_information_subtracts_at_common_distortions():
    joint = Curve.of("joint", [4.0, 2.0, 1.0], [0.1, 0.3, 0.5])
    independent = Curve.of("independent", [5.0, 3.0, 2.0], [0.2, 0.4, 0.6])
    found = empirical_mutual_information(joint, independent)
    # At 0.2, 0.3, 0.4, 0.5; at 0.1 and 0.6 there is only one of the two.
    np.testing.assert_allclose(found.distortion, [0.2, 0.3, 0.4, 0.5])
    np.testing.assert_allclose(found.rate, [5 - 3, 4 - 2, 3 - 1.5, 2.5 - 1])
    with pytest.raises(UserError, match="joint and far do not overlap"):
        empirical_mutual_information(joint, Curve.of("far", [1.0], [0.7]))
