"""Every claim on made-up results: as printed (holds), bent (fails), and where it cannot be told."""

from dataclasses import replace

import pytest
from bent_views import changed, without
from fake_results import view as view_under

from ibpapers.papers.pom2dib import claims
from ibpapers.report.claims import Outcome

ALL = (
    claims.relevance_near_full_participation,
    claims.sum_rate_ordering,
    claims.noise_is_dropped,
    claims.limits_hold,
    claims.sum_rate_falls_with_beta,
    claims.partial_without_limits,
    claims.sparse_prior_selects_fewer,
)
COMPARISON = {"study": "comparison_handwritten"}


def reversed_over_beta(view):
    """The sum-rates of tadib at the smallest beta and at the largest change places."""
    rows = view.rows.copy()
    settings = sorted(
        view.where(study="rate_relevance_handwritten", method="tadib").rows["settings"].unique()
    )
    at = dict(zip(settings, reversed(settings), strict=True))
    tadib = rows["method"] == "tadib"
    rows.loc[tadib, "settings"] = rows.loc[tadib, "settings"].map(at)
    return replace(view, rows=rows)


def selecting(view, probability, run):
    """Every link of a run is selected with `probability`, a little more with a larger seed."""
    chosen = view.rows["metric"].str.startswith("selection/") & (view.rows["run"] == run)
    rows = view.rows.copy()
    rows.loc[chosen, "value"] = probability + rows.loc[chosen, "seed"] / 1e4
    return replace(view, rows=rows)


def few_seeds(view):
    return replace(view, rows=view.rows[view.rows["seed"] < 4])


@pytest.mark.parametrize("claim", ALL)
def test_holds_where_results_are_as_printed(comparable, claim):
    verdict = claim(comparable)
    assert verdict.outcome is Outcome.HOLDS, verdict.reason
    assert verdict.evidence


NOISE = {"method": "pom2dib", "metric": "selection/t2/x2/C2", "seed": 3, **COMPARISON}
BENT = {
    "no better than chance selection": (
        claims.relevance_near_full_participation,
        lambda view: changed(view, lambda x: x * 4, method="pom2dib", metric="n_ce"),
    ),
    "better than chance selection, far from full participation": (
        claims.relevance_near_full_participation,
        lambda view: changed(view, lambda x: x - 0.2, method="pom2dib", metric="n_ce"),
    ),
    "as much rate as full participation": (
        claims.sum_rate_ordering,
        lambda view: changed(view, lambda x: x + 40, method="pom2dib", metric="sum_rate"),
    ),
    "one noise link of one seed": (
        claims.noise_is_dropped,
        lambda view: changed(view, lambda _: 0.05, **NOISE),
    ),
    "one noise link, too few seeds to hold": (
        claims.noise_is_dropped,
        lambda view: few_seeds(changed(view, lambda _: 0.05, **NOISE)),
    ),
    "one draw over the limits": (
        claims.limits_hold,
        lambda view: changed(view, lambda _: 1, method="rsdib", metric="limit_violations", seed=1),
    ),
    "three transmitters for a task": (
        claims.limits_hold,
        lambda view: changed(view, lambda _: 1.0, method="rsdib", metric="selection/t1/x1/A"),
    ),
    "one method's rate rises": (claims.sum_rate_falls_with_beta, reversed_over_beta),
    "most links without limits": (
        claims.partial_without_limits,
        lambda view: selecting(view, 0.52, run="pom2dib/mm_fi/pom2dib_no_limits_beta=0.001"),
    ),
    "no growth at beta 0": (
        claims.partial_without_limits,
        lambda view: selecting(view, 0.2, run="pom2dib/handwritten/pom2dib_no_limits_beta=0.0"),
    ),
    "as many links with gamma as under limits": (
        claims.sparse_prior_selects_fewer,
        lambda view: selecting(view, 0.3, run="pom2dib/mm_fi/pom2dib_sparse_prior_beta=0.001"),
    ),
}


@pytest.mark.parametrize(("claim", "bend"), BENT.values(), ids=BENT)
def test_fails_where_results_are_bent(comparable, claim, bend):
    verdict = claim(bend(comparable))
    assert verdict.outcome is Outcome.FAILS, verdict.reason
    assert verdict.reason.startswith("not so: ")


@pytest.mark.parametrize("claim", [c for c in ALL if c is not claims.limits_hold])
def test_smoke_scale_tests_no_convergence_but_shows_the_evidence(smoke, claim):
    verdict = claim(smoke)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert "smoke scale" in verdict.reason
    assert verdict.evidence


@pytest.mark.parametrize("claim", [c for c in ALL if c is not claims.limits_hold])
def test_few_seeds_carry_no_statistics(comparable, claim):
    verdict = claim(few_seeds(comparable))
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert verdict.reason == "seeds: 4, needed: 5"


def test_limits_are_tested_everywhere_but_without_a_method_that_has_them(smoke):
    assert claims.limits_hold(smoke).outcome is Outcome.HOLDS
    nobody = without(without(smoke, method="pom2dib"), method="rsdib")
    assert claims.limits_hold(nobody).outcome is Outcome.NOT_TESTABLE


def test_a_run_under_other_limits_breaks_none(smoke):
    run = "pom2dib/handwritten/pom2dib_beta=0.1"
    wide = changed(smoke, lambda _: 1.0, run=run, metric="selection/t1/x1/A")
    wide = changed(changed(wide, lambda _: 1.0, run=run, metric="selection/t1/x2/A"),
                   lambda _: 1.0, run=run, metric="selection/t1/x3/A")  # fmt: skip
    assert claims.limits_hold(wide).outcome is Outcome.FAILS
    of_run = wide.rows["run"] == run
    three = wide.rows["settings"].str.replace(
        '"transmitters_per_task": 2', '"transmitters_per_task": 3'
    )
    rows = wide.rows.assign(settings=wide.rows["settings"].mask(of_run, three))
    assert claims.limits_hold(replace(wide, rows=rows)).outcome is Outcome.HOLDS


@pytest.mark.parametrize("method", ["pom2dib", "rsdib", "tadib", "dlsc"])
def test_a_plan_without_a_method_is_judged_all_the_same(smoke, method):
    for claim in ALL:
        claim(without(smoke, method=method))


def test_trend_is_tested_on_other_data_once_training_is_long_enough():
    view = view_under("scale=laptop", "papers.pom2dib.seeds=[0,1,2,3,4]")
    assert claims.sum_rate_falls_with_beta(view).outcome is Outcome.HOLDS
    assert claims.sum_rate_ordering(view).outcome is Outcome.NOT_TESTABLE


def test_near_is_the_printed_distance_plus_the_printed_intervals(comparable):
    assert "less 0.16 nat" in claims.relevance_near_full_participation(comparable).test
