"""The source of tied halves against enumeration and the reference points of the release."""

import itertools
import math

import numpy as np
import pytest

from ibpapers.datasets.gray_wyner_source import SYMBOLS, VALUES, symbol_pmf
from ibpapers.information.blahut_arimoto import blahut_arimoto
from ibpapers.information.entropy import entropy
from ibpapers.information.tied_source import Ties, bounds, curves, entropies

PMF = symbol_pmf()
# In expectation: a step of the walk makes a pair with probability 4/5 and takes 9/5 positions.
PAIRS = 4 / 5 / (9 / 5)
EXPECTED = Ties(9000, across=round(9000 * PAIRS), within=(round(4500 * PAIRS),) * 2)

# Slope: root of the summed mean squared errors, joint, sum of marginals, mutual information.
REFERENCE = {
    2.0: (0.495, 0.517, 0.724, 0.208),
    5.0: (0.313, 1.236, 1.732, 0.496),
    7.0: (0.271, 1.468, 2.057, 0.589),
}


def test_the_symbols_are_a_clipped_and_rounded_normal():
    draws = np.random.default_rng(0).normal(0, 2, 400_000)
    found = np.bincount(np.rint(np.clip(draws, -4, 4)).astype(int) + 4, minlength=9) / len(draws)
    assert pytest.approx(found, abs=0.003) == PMF
    assert entropy(PMF) == pytest.approx(2.966231, abs=1e-6)
    assert SYMBOLS.tolist() == list(range(-4, 5))
    assert VALUES.tolist() == [k / 4 for k in range(-4, 5)]


def test_entropies_are_those_of_an_enumerated_source():
    # Positions 0-3 and 4-7; ties 0=5 (across), 2=3 and 6=7 (within), 1 and 4 alone.
    partner = np.array([5, 1, 3, 2, 4, 0, 7, 6])
    pmf = [0.7, 0.3]
    ties = Ties.of(partner)
    assert ties == Ties(4, across=1, within=(1, 1))
    roots = sorted({min(i, j) for i, j in enumerate(partner)})
    joint: dict[tuple, float] = {}
    for symbols in itertools.product((0, 1), repeat=len(roots)):
        at = dict(zip(roots, symbols))
        word = tuple(at[min(i, int(partner[i]))] for i in range(8))
        joint[word] = math.prod(pmf[s] for s in symbols)
    halves: list[dict[tuple, float]] = [{}, {}]
    for word, p in joint.items():
        for half, part in zip(halves, (word[:4], word[4:])):
            half[part] = half.get(part, 0) + p
    h, h1, h2 = (entropy(list(x.values())) / 4 for x in (joint, *halves))
    found = entropies(ties, pmf)
    assert found["joint"] == pytest.approx(h)
    assert found["marginal_sum"] == pytest.approx(h1 + h2)
    assert found["mutual_information"] == pytest.approx(h1 + h2 - h)


def test_the_printed_entropies_in_expectation():
    found = entropies(EXPECTED, PMF)
    assert found["joint"] == pytest.approx(3.3, rel=0.01)
    assert found["marginal_sum"] == pytest.approx(4.62, rel=0.01)
    assert found["mutual_information"] == pytest.approx(1.32, rel=0.01)


def test_reference_points_of_the_theory_curves():
    # Theirs are of one random map and of a PMF counted in draws: rates agree to 0.5%,
    # distortions to the last digit given.
    found = curves(EXPECTED, PMF, VALUES, list(REFERENCE))
    expected = np.array(list(REFERENCE.values())).T
    np.testing.assert_allclose(math.sqrt(2) * found.rmse, expected[0], atol=1e-3)
    np.testing.assert_allclose(found.joint, expected[1], rtol=5e-3)
    np.testing.assert_allclose(found.marginal_sum, expected[2], rtol=5e-3)
    np.testing.assert_allclose(found.mutual_information, expected[3], rtol=5e-3)
    assert (found.residual < 2e-6).all()


def test_the_ends_of_the_theory_curves():
    found = curves(EXPECTED, PMF, VALUES, [0.1, 100])
    np.testing.assert_allclose(math.sqrt(2) * found.rmse[0], 0.687, atol=5e-4)
    np.testing.assert_allclose(found.joint, [0, 3.292], rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(found.marginal_sum, [0, 4.607], rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(found.mutual_information, [0, 1.315], rtol=3e-3, atol=1e-6)


def test_a_pair_is_a_symbol_whose_error_counts_twice():
    """Blahut-Arimoto on all 81 reproductions of an exact pair finds no better than equal ones."""
    pair = blahut_arimoto(PMF, _pair_distortion(), [3.0, 7.0])
    one = blahut_arimoto(PMF, np.square(VALUES[:, None] - VALUES), [6.0, 14.0])
    np.testing.assert_allclose(pair.rate, one.rate, atol=1e-6)
    np.testing.assert_allclose(pair.distortion, 2 * one.distortion, atol=1e-6)


def test_reference_distortions_of_the_releases_own_pair():
    # Their pair PMF is a histogram of 100,000 draws that starts from one in every cell.
    draws = 100_000
    pmf = ((draws * np.diag(PMF) + 1) / (draws + 81)).ravel()
    error = np.square(VALUES[:, None] - VALUES)
    table = error[:, None, :, None] + error[None, :, None, :]
    found = blahut_arimoto(pmf, table.reshape(81, 81), list(REFERENCE), 1e-3, 1000)
    expected = [point[0] for point in REFERENCE.values()]
    np.testing.assert_allclose(np.sqrt(found.distortion), expected, atol=7.5e-4)


def test_no_curve_of_the_paper_is_below_the_bound():
    slopes = np.geomspace(0.5, 60, 25)
    theory = curves(EXPECTED, PMF, VALUES, slopes)
    for bound, rates in zip(
        bounds(EXPECTED, PMF, VALUES, slopes), (theory.joint, theory.marginal_sum)
    ):
        gap = np.array([r - bound.at(x**2) for r, x in zip(rates, theory.rmse)])
        assert (gap > -1e-5).all()
        assert 0.001 < gap.max() < 0.2


def test_the_bound_is_reached_and_convex():
    slopes = np.geomspace(0.5, 60, 25)
    joint, marginal = bounds(EXPECTED, PMF, VALUES, slopes)
    for bound, ceiling in ((joint, "joint"), (marginal, "marginal_sum")):
        touched = [bound.at(x) for x in bound.mse]
        np.testing.assert_allclose(touched, bound.rate, atol=1e-5)
        assert bound.at(1.0) == 0
        assert bound.at(1e-4) <= entropies(EXPECTED, PMF)[ceiling] + 1e-9
        finer = (bound.at(x) for x in (bound.mse[1:] + bound.mse[:-1]) / 2)
        assert (np.array(list(finer)) <= (bound.rate[1:] + bound.rate[:-1]) / 2 + 1e-5).all()


def test_a_source_without_ties_has_one_curve_for_all():
    ties = Ties(8, 0, (0, 0))
    joint, marginal = bounds(ties, PMF, VALUES, [4.0, 9.0])
    np.testing.assert_allclose(joint.rate, marginal.rate)
    theory = curves(ties, PMF, VALUES, [2.0, 4.5])
    np.testing.assert_allclose(theory.joint, joint.rate)
    np.testing.assert_allclose(theory.rmse**2, joint.mse)
    assert not theory.mutual_information.any()


def _pair_distortion():
    error = np.square(VALUES[:, None] - VALUES)
    return (error[:, :, None] + error[:, None, :]).reshape(9, 81)
