"""Claims on made-up results: they hold, fail where results are bent, and know their limits."""

from dataclasses import replace

import pytest
from bent_views import changed, without
from omib.made_up import LAPTOP, view

from ibpapers.papers.omib import claims
from ibpapers.report.claims import Outcome

ALL = (
    claims.accuracy_peaks_below_bound,
    claims.code_near_authentic_optimum,
    claims.every_part_counts,
    claims.omib_leads_on_mosi,
    claims.time_is_linear,
)


@pytest.fixture(scope="module")
def smoke():
    return view()


@pytest.fixture(scope="module")
def laptop():
    return view(*LAPTOP)


@pytest.fixture(scope="module")
def real():
    return view("data=real", *LAPTOP)


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.__name__)
def test_holds_on_results_as_the_paper_has_them(real, claim):
    verdict = claim(real)
    assert verdict.outcome is Outcome.HOLDS, verdict.reason
    assert verdict.evidence


@pytest.mark.parametrize("claim", [one for one in ALL if one is not claims.omib_leads_on_mosi])
def test_simulated_data_are_judged_in_every_tier(laptop, claim):
    assert claim(laptop).outcome is Outcome.HOLDS, claim(laptop).reason


def test_a_stand_in_says_nothing_of_mosi(laptop):
    verdict = claims.omib_leads_on_mosi(laptop)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert verdict.reason == "sample data are not CMU-MOSI"


def at(beta):
    return {"study": "beta_sweep", "run": f"omib/sim2/omib_beta={beta}", "metric": "accuracy"}


BENT = {
    "a peak far above M_u": (
        claims.accuracy_peaks_below_bound, lambda v: changed(v, lambda x: x + 40, **at("1.0")),
    ),
    "no fall": (
        claims.accuracy_peaks_below_bound, lambda v: changed(v, lambda x: x + 38.5, **at("10.0")),
    ),
    "a union that is better": (
        claims.code_near_authentic_optimum,
        lambda v: changed(v, lambda x: x + 3, study="feature_sets", dataset="sim3",
                          metric="accuracy/union"),
    ),
    "an optimum that is far": (
        claims.code_near_authentic_optimum,
        lambda v: changed(v, lambda x: x + 2, dataset="sim1",
                          metric="accuracy/authentic_optimal_mib"),
    ),
    "a part that costs nothing": (
        claims.every_part_counts,
        lambda v: changed(v, lambda x: x + 1.3, study="ablation", dataset="sim1",
                          metric="accuracy", run="omib/sim1/omib_without_r_beta=1.0M_u"),
    ),
    "a baseline that leads": (
        claims.omib_leads_on_mosi,
        lambda v: changed(v, lambda x: x + 3, dataset="mosi_transcripts", method="misa",
                          metric="f1_positive"),
    ),
    "a smaller error of a baseline": (
        claims.omib_leads_on_mosi,
        lambda v: changed(v, lambda x: x - 0.5, dataset="mosi_bclstm", method="dmib",
                          metric="mae"),
    ),
    "times that curve": (
        claims.time_is_linear,
        lambda v: changed(v, lambda x: 9 * x, metric="warm_up_seconds_per_epoch/200000"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("claim", "bend"), BENT.values(), ids=BENT)
def test_fails_where_results_are_bent(real, claim, bend):
    verdict = claim(bend(real))
    assert verdict.outcome is Outcome.FAILS, verdict.reason
    assert verdict.reason.startswith("not so: ")


@pytest.mark.parametrize("claim", [one for one in ALL if one is not claims.time_is_linear])
def test_smoke_scale_tests_nothing_but_shows_the_evidence(smoke, claim):
    verdict = claim(smoke)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert "smoke scale" in verdict.reason
    assert verdict.evidence


def test_two_seeds_are_too_few(real):
    few = replace(real, rows=real.rows[real.rows["seed"] < 2])
    for claim in ALL[:3]:
        assert claim(few).reason == "seeds: 2, needed: 3"


def test_sizes_have_to_span_a_decade(real):
    few = without(real, metric="main_seconds_per_epoch/200000")
    few = without(few, metric="warm_up_seconds_per_epoch/200000")
    verdict = claims.time_is_linear(few)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert verdict.reason.startswith("3 sizes from 10,000 to 100,000")


def test_epochs_of_a_moment_are_not_judged(real):
    rows = real.rows["metric"].str.contains("seconds_per_epoch")
    short = real.rows.assign(value=real.rows["value"].where(~rows, real.rows["value"] / 1000))
    verdict = claims.time_is_linear(replace(real, rows=short))
    assert verdict.outcome is Outcome.NOT_TESTABLE and "longest epoch" in verdict.reason


def test_a_sweep_that_ends_below_the_bound_tells_nothing():
    short = view(*LAPTOP, "papers.omib.studies.beta_sweep.betas=[1e-6, 1e-2, 1.0 M_u]")
    verdict = claims.accuracy_peaks_below_bound(short)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert "no beta on SIM-I is far above M_u" in verdict.reason


@pytest.mark.parametrize(
    "study", ["beta_sweep", "feature_sets", "ablation", "sentiment", "runtime"]
)
def test_a_plan_without_a_study_is_judged_all_the_same(real, study):
    for claim in ALL:
        claim(without(real, study=study))


@pytest.mark.parametrize("method", ["omib", "features", "misa"])
def test_a_plan_without_a_method_is_judged_all_the_same(real, method):
    for claim in ALL:
        claim(without(real, method=method))
