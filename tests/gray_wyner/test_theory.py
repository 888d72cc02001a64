"""Bounds and curves of the two sources: their ends, and what cannot be beaten."""

import math

import numpy as np
import printed_results
import pytest

from ibpapers.datasets import stored
from ibpapers.datasets.coloured_mnist import joint_pmf
from ibpapers.papers.gray_wyner import entropies, theory

CARD = printed_results.CARD


def test_coloured_bounds_of_perfect_answers_are_the_entropies():
    for pmf, transmit in (
        ("dependent", 3.321928),
        ("independent", 6.643856),
        ("mixture", 5.118507),
    ):
        bounds = theory.coloured_bounds(joint_pmf(pmf), (1.0, 1.0))
        assert bounds.transmit == pytest.approx(transmit, abs=1e-6)
    assert bounds.receive == pytest.approx(3.321928 + 3.196931, abs=1e-6)


def test_guessing_needs_no_bits_and_one_perfect_answer_its_own():
    guessing = theory.coloured_bounds(joint_pmf("independent"), (0.1, 0.1))
    assert guessing == pytest.approx((0, 0), abs=1e-9)
    only_digit = theory.coloured_bounds(joint_pmf("independent"), (1.0, 0.1))
    assert only_digit == pytest.approx((math.log2(10), math.log2(10)))


def test_fano_is_met_by_symmetric_errors():
    # Answers that are right with probability 0.9 and else any other digit: I = log2 10 - h - ...
    joint = joint_pmf("dependent")
    answer = np.full((10, 10), 0.1 / 9) + np.eye(10) * (0.9 - 0.1 / 9)
    information = (0.1 * answer * np.log2(answer / 0.1)).sum()
    bounds = theory.coloured_bounds(joint, (0.9, 0.1))
    assert bounds.receive == pytest.approx(information)


def test_accuracy_that_float32_rounded_above_one_is_one():
    assert theory.coloured_bounds(joint_pmf("mixture"), (1.0 + 1e-7, 1.0)) == pytest.approx(
        theory.coloured_bounds(joint_pmf("mixture"), (1.0, 1.0))
    )


def test_synthetic_bounds_end_at_the_entropies_and_at_nothing():
    exact = theory.synthetic_bounds(CARD, (1e-3, 1e-3))
    assert exact.transmit == pytest.approx(3.2956, abs=0.01)
    assert exact.receive == pytest.approx(4.6144, abs=0.01)
    assert theory.synthetic_bounds(CARD, (0.486, 0.486)) == (0, 0)


def test_stretching_transforms_make_an_error_cheaper():
    rigid = {**CARD, "transforms": {"norm_of_logarithm": [0.0, 0.0]}}
    errors = (0.2, 0.3)
    same = theory.synthetic_bounds(rigid, tuple(x * math.exp(0.17) for x in errors))
    assert theory.synthetic_bounds(CARD, errors) == pytest.approx(same)
    assert theory.synthetic_bounds(rigid, errors).transmit > same.transmit


def test_estimates_from_the_cards(tmp_path):
    stored.write(tmp_path, {"nothing": np.zeros(1)}, CARD)
    source = entropies.estimate({"dataset": "gray_wyner_source"}, tmp_path)
    assert source["unit"] == "bit/pixel"
    assert source["entropies"] == CARD["entropies"]
    assert 0 < source["residual"] < 3e-6
    curves = source["curves"]
    assert curves["rmse"] == sorted(curves["rmse"], reverse=True)
    differences = np.subtract(curves["marginal_sum"], curves["joint"])
    np.testing.assert_allclose(differences, curves["mutual_information"])
    assert curves["joint"][0] == pytest.approx(0, abs=1e-4)
    assert curves["joint"][-1] == pytest.approx(3.2956, abs=1e-3)

    coloured = entropies.estimate({"dataset": "coloured_mnist"}, tmp_path)["entropies"]
    assert coloured["mixture"]["mutual_information"] == pytest.approx(1.400353, abs=1e-6)
    assert coloured["dependent"]["gacs_korner"] == pytest.approx(3.321928, abs=1e-6)
    assert coloured["mixture"]["gacs_korner"] == pytest.approx(0, abs=1e-12)
