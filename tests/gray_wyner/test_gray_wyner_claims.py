"""Every claim on the printed numbers, bent ones, and where it cannot be told."""

import printed_results
import pytest
from bent_views import without
from printed_results import changed

from ibpapers.papers.gray_wyner import claims
from ibpapers.report.claims import Outcome

ALL = (
    claims.common_rate_falls_with_beta,
    claims.transmit_rate_ordering,
    claims.shared_beats_ablations,
    claims.independent_pmf_needs_no_common_channel,
    claims.dependent_pmf_is_common,
    claims.rates_above_theory,
    claims.pmf_ordering,
)
TRAINED = [claim for claim in ALL if claim is not claims.rates_above_theory]
# What the printed numbers themselves say; and what they would have to be for the claim to hold.
NOT_AS_PRINTED = {
    claims.common_rate_falls_with_beta: (
        "not so: R₀ falls at η = 0.001",
        lambda view: changed(view, lambda x: x - 0.1, "rate_0", beta=2.0, eta=0.001),
    ),
    claims.transmit_rate_ordering: (
        "not so: below independent's at β = 1 (+0.2%)",
        lambda view: changed(view, lambda x: 0.97 * x, "transmit_rate", method="shared", beta=1.0),
    ),
}


@pytest.fixture(scope="module")
def printed():
    return printed_results.view()


@pytest.mark.parametrize("claim", ALL)
def test_on_the_printed_numbers(printed, claim):
    verdict = claim(printed)
    if claim in NOT_AS_PRINTED:
        reason, mend = NOT_AS_PRINTED[claim]
        assert verdict.outcome is Outcome.FAILS
        assert verdict.reason == reason
        verdict = claim(mend(printed))
    assert verdict.outcome is Outcome.HOLDS, verdict.reason
    assert verdict.evidence


BENT = {
    "common rate rises at one eta": (
        claims.common_rate_falls_with_beta,
        lambda view: changed(view, lambda x: x + 2, "rate_0", method="shared", beta=1.5, eta=0.1),
        "R₀ falls at η = 0.1",
    ),
    "joint needs more": (
        claims.transmit_rate_ordering,
        lambda view: changed(view, lambda x: 2 * x, "transmit_rate", method="joint"),
        "at least joint's at β = 2",
    ),
    "independent needs less": (
        claims.transmit_rate_ordering,
        lambda view: changed(view, lambda x: x / 2, "transmit_rate", method="independent"),
        "below independent's at β = 1.5",
    ),
    "combined receives less at one beta": (
        claims.shared_beats_ablations,
        lambda view: changed(
            view, lambda x: x / 2, "receive_rate", method="combined", beta=2.0
        ),
        "combined, receive rate, β = 2",
    ),
    "a common bit at one eta": (
        claims.independent_pmf_needs_no_common_channel,
        lambda view: changed(
            view, lambda _: 1.0, "bits_0", method="shared", pmf="independent", eta=10
        ),
        "below one bit at η = 10",
    ),
    "private channels carry most": (
        claims.dependent_pmf_is_common,
        lambda view: changed(view, lambda x: 3 * x, "bits_1", method="shared", pmf="dependent"),
        "the common channel carries the most",
    ),
    "private channels carry nothing": (
        claims.dependent_pmf_is_common,
        lambda view: changed(view, lambda x: x / 3, "bits_2", method="shared", pmf="dependent"),
        "private channels carry about 0.2922",
    ),
    "one transmit rate below its bound": (
        claims.rates_above_theory,
        lambda view: changed(
            view, lambda _: 1.0, "transmit_rate", method="shared", beta=2.0, eta=0.01
        ),
        "transmit rates on synthetic",
    ),
    "one receive rate below its bound": (
        claims.rates_above_theory,
        lambda view: changed(
            view, lambda _: 6 / 1024, "receive_rate", method="independent", pmf="mixture", eta=1
        ),
        "receive rates on coloured MNIST",
    ),
    "mixture transmits least at one eta": (
        claims.pmf_ordering,
        lambda view: changed(
            view, lambda _: 12.0, "transmit_bits", method="shared", pmf="mixture", eta=25
        ),
        "dependent has the lowest transmit rate at η = 25",
    ),
    "dependent receives least at one eta": (
        claims.pmf_ordering,
        lambda view: changed(
            view, lambda _: 12.0, "receive_bits", method="shared", pmf="dependent", eta=50
        ),
        "independent has the lowest receive rate at η = 50",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("claim", "bend", "reason"), BENT.values(), ids=BENT)
def test_fails_where_results_are_bent(printed, claim, bend, reason):
    verdict = claim(bend(printed))
    assert verdict.outcome is Outcome.FAILS, verdict.reason
    assert reason in verdict.reason


@pytest.mark.parametrize("claim", TRAINED)
def test_smoke_scale_tests_no_convergence_but_shows_the_evidence(claim):
    verdict = claim(printed_results.view("sample", "smoke"))
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert "smoke scale" in verdict.reason
    assert verdict.evidence


def test_bounds_are_tested_everywhere_but_where_they_are_all_zero(printed):
    assert (
        claims.rates_above_theory(printed_results.view("sample", "smoke")).outcome is Outcome.HOLDS
    )
    trivial = printed
    for quantity in ("transmit_bound", "receive_bound"):
        for method in ("shared", "separated", "combined", "joint", "independent"):
            trivial = changed(trivial, lambda _: 0.0, quantity, method=method)
    verdict = claims.rates_above_theory(trivial)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert "no codec answers well enough" in verdict.reason


@pytest.mark.parametrize(
    ("claim", "pmf", "task", "label"),
    [
        (claims.independent_pmf_needs_no_common_channel, "independent", 1, "digit"),
        (claims.dependent_pmf_is_common, "dependent", 2, "colour"),
        (claims.pmf_ordering, "mixture", 1, "digit"),
    ],
)
def test_codecs_that_answer_badly_carry_no_claim(printed, claim, pmf, task, label):
    found = changed(printed, lambda x: x - 0.05, f"accuracy_{task}", pmf=pmf)
    verdict = claim(found)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert f"not trained far enough: {label} accuracy on the {pmf} PMF" in verdict.reason


def test_codecs_that_send_next_to_nothing_carry_no_claim(printed):
    found = changed(printed, lambda _: 0.45, "distortion_1", method="shared", pmf=None)
    found = changed(found, lambda _: 0.45, "distortion_2", method="shared", pmf=None)
    for claim in ALL[:3]:
        verdict = claim(found)
        assert verdict.outcome is Outcome.NOT_TESTABLE
        assert "D₁ + D₂ is 0.90 at best, needed below 0.78" in verdict.reason


def test_curves_without_a_bd_rate_leave_the_claim_open(printed):
    found = changed(printed, lambda _: 99.0, "transmit_rate", method="shared", beta=1.0, eta=0.5)
    for claim in (claims.transmit_rate_ordering, claims.shared_beats_ablations):
        verdict = claim(found)
        assert verdict.outcome is Outcome.NOT_TESTABLE
        assert "shared: it is not monotone" in verdict.reason


@pytest.mark.slow
@pytest.mark.parametrize("method", ["shared", "separated", "combined", "joint", "independent"])
def test_a_plan_without_a_method_is_judged_all_the_same(printed, method):
    for claim in ALL:
        claim(without(printed, method=method))
