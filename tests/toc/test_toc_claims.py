"""Claims on made-up results: they hold, fail where results are bent, and know their limits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bent_views import changed, without
from toc import made_up
from toc.made_up import LAPTOP, ONE_CHANNEL, ONE_DATASET, TOC

from ibpapers.papers.toc import claims
from ibpapers.report.claims import Outcome

ALL = (
    claims.robust_at_low_snr,
    claims.conventional_has_a_cliff,
    claims.pairs_become_independent,
    claims.discriminators_are_fooled,
    claims.few_dimensions_suffice,
    claims.approaches_noiseless,
)
MOSEI, MOSI = "mosei_sequences", "mosi_sequences"
SNRS = (-12, -9, -6, -3, 0, 6, 12, 21)


@pytest.fixture(scope="module")
def smoke():
    return made_up.view(TOC, *ONE_CHANNEL, *ONE_DATASET)


@pytest.fixture(scope="module")
def laptop():
    return made_up.view(*LAPTOP, *ONE_CHANNEL)


@pytest.fixture(scope="module")
def small():
    return made_up.view(*LAPTOP, *ONE_CHANNEL, *ONE_DATASET)


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.__name__)
def test_holds_on_results_as_the_paper_has_them(small, claim):
    verdict = claim(small)
    assert verdict.outcome is Outcome.HOLDS, verdict.reason
    assert verdict.evidence


def test_every_dataset_and_channel_counts():
    both = made_up.view(*LAPTOP)
    for claim in (ALL[0], ALL[2], ALL[5]):
        verdict = claim(both)
        assert verdict.outcome is Outcome.HOLDS, verdict.reason
        for name in ("MOSEI stand-in, AWGN", "MOSI stand-in, Rayleigh"):
            assert name in verdict.reason
            assert any(name in one.label for one in verdict.evidence)
    verdict = claims.conventional_has_a_cliff(both)
    assert verdict.outcome is Outcome.HOLDS and "Rayleigh" not in verdict.reason
    assert any("Rayleigh" in one.label for one in verdict.evidence)


def with_gap(view, points, snrs):
    """F1 is `points` above T-DeepSC's at these SNRs, in every seed a little differently."""
    ours, other = (f"toc/{MOSI}/{method}_awgn" for method in ("two_stage_vib", "t_deepsc"))
    for snr in snrs:
        at = {"study": "snr", "metric": f"f1/{snr:g}dB"}
        gap = points + np.array([-0.01, 0.0, 0.01]) * snr
        theirs = view.values(run=other, **at).to_numpy()
        view = changed(view, lambda _, new=theirs + gap: new, run=ours, **at)
    return view


def falling(view):
    """T-DeepSC has a cliff of its own."""
    for snr in SNRS:
        view = changed(view, lambda _, snr=snr: 83.0 if snr > 0 else 60.0, study="snr",
                       run=f"toc/{MOSEI}/t_deepsc_awgn", metric=f"acc2/{snr:g}dB")  # fmt: skip
    return view


def smooth(view):
    """The conventional system loses as little, and as slowly, as the learnt ones."""
    for score in ("acc2", "decoded"):
        for snr in SNRS:
            view = changed(view, lambda _, snr=snr: 54.0 + (snr + 12), dataset=MOSI,
                           metric=f"{score}/awgn/{snr:g}dB")  # fmt: skip
    return view


BENT = {
    "behind at one SNR, where training was": (
        claims.robust_at_low_snr,
        lambda v: changed(v, lambda x: x - 3, dataset=MOSEI, method="two_stage_vib",
                          run=f"toc/{MOSEI}/two_stage_vib_awgn", metric="acc2/6dB"),
        "MOSEI stand-in, AWGN: nowhere behind",
    ),
    "T-DeepSC as good below 0 dB": (
        claims.robust_at_low_snr, lambda v: with_gap(v, 0.0, (-12, -9, -6, -3)),
        "MOSI stand-in, AWGN: ahead below 0 dB (p = ",
    ),
    "a gap that does not grow": (
        claims.robust_at_low_snr, lambda v: with_gap(v, 10.0, SNRS),
        "MOSI stand-in, AWGN: the gap grows as the SNR falls (p = 0.500)",
    ),
    "no cliff": (
        claims.conventional_has_a_cliff, smooth,
        "MOSI stand-in, AWGN: 6% of the streams are lost within 6 dB",
    ),
    "better than chance without a stream": (
        claims.conventional_has_a_cliff,
        lambda v: changed(v, lambda x: x + 2.5, dataset=MOSEI, metric="acc2/awgn/-12dB"),
        "MOSEI stand-in, AWGN: conventional ends +2.6 points from one answer to all",
    ),
    "a learnt system that falls as fast": (
        claims.conventional_has_a_cliff, falling,
        "MOSEI stand-in, AWGN: the learnt fall by 23.0, conventional by 29.0 points",
    ),
    "one pair that stays dependent": (
        claims.pairs_become_independent,
        lambda v: changed(v, lambda x: x - 0.05, study="redundancy", dataset=MOSI,
                          run=f"toc/{MOSI}/two_stage_vib_awgn", metric="bce_last/text_audio"),
        "MOSI stand-in, AWGN: with reduction",
    ),
    "independent without reduction": (
        claims.pairs_become_independent,
        lambda v: changed(v, lambda x: x + 0.2, run=f"toc/{MOSEI}/two_stage_vib_no_red_awgn",
                          metric="bce_last/text_audio"),
        "MOSEI stand-in, AWGN: without, 1.300 nat at most",
    ),
    "a discriminator that knows": (
        claims.discriminators_are_fooled,
        lambda v: changed(v, lambda x: x - 0.07, study="discriminators",
                          metric="p_negative_last/video_audio"),
        "negative pairs end 0.073 from 0.5 at most",
    ),
    "ten values as good": (
        claims.few_dimensions_suffice,
        lambda v: changed(v, lambda x: x - 0.05, metric="mae/12dB",
                          run=f"toc/{MOSEI}/two_stage_vib_awgn_dimension=10"),
        "MAE at 10 is above that of more",
    ),
    "a gain beyond fifty in MAE": (
        claims.few_dimensions_suffice,
        lambda v: changed(v, lambda x: x - 0.06, metric="mae/12dB",
                          run=f"toc/{MOSEI}/two_stage_vib_awgn_dimension=80"),
        "beyond 50 MAE falls by less than 0.02",
    ),
    "a gain beyond fifty in Acc2": (
        claims.few_dimensions_suffice,
        lambda v: changed(v, lambda x: x + 3, metric="acc2/12dB",
                          run=f"toc/{MOSEI}/two_stage_vib_awgn_dimension=60"),
        "beyond 50 Acc2 gains less than 1 point",
    ),
    "a bound out of reach": (
        claims.approaches_noiseless,
        lambda v: changed(v, lambda x: x + 2, study="snr", dataset=MOSI, method="noiseless",
                          metric="f1"),
        "MOSI stand-in, AWGN, F1 less than 2 from the bound",
    ),
    "a larger error than without channel": (
        claims.approaches_noiseless,
        lambda v: changed(v, lambda x: x + 0.06, study="snr", metric="mae/21dB",
                          run=f"toc/{MOSEI}/two_stage_vib_awgn"),
        "MOSEI stand-in, AWGN, MAE less than 0.05 from the bound",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("claim", "bend", "why"), BENT.values(), ids=BENT)
def test_fails_where_results_are_bent(laptop, claim, bend, why):
    verdict = claim(bend(laptop))
    assert verdict.outcome is Outcome.FAILS, verdict.reason
    assert verdict.reason.startswith(f"not so: {why}")
    assert verdict.reason.count(";") <= 4, "no more is said than what was bent"


@pytest.mark.parametrize("claim", ALL)
def test_smoke_scale_tests_nothing_but_shows_the_evidence(smoke, claim):
    verdict = claim(smoke)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert verdict.reason == "smoke scale: training is too short to settle"
    assert verdict.evidence


@pytest.mark.parametrize("claim", ALL)
def test_two_seeds_are_too_few(small, claim):
    few = replace(small, rows=small.rows[small.rows["seed"] < 2])
    assert claim(few).reason == "seeds: 2, needed: 3"


def test_a_classifier_that_learnt_nothing_says_nothing_of_channels(laptop):
    view = changed(laptop, lambda x: x * 0 + 58.0, dataset=MOSI, method="noiseless", metric="acc2")
    for claim in (ALL[0], ALL[1], ALL[5]):
        verdict = claim(view)
        assert verdict.outcome is Outcome.NOT_TESTABLE
        assert verdict.reason == (
            "not trained far enough: Acc2 on MOSI stand-in without a channel is 4.0 points above "
            "one answer to all, needed: 5"
        )


def test_what_has_nothing_to_lose_has_no_cliff(laptop):
    view = laptop
    for snr in SNRS:
        view = changed(view, lambda x: 54 + (x - 54) / 6, metric=f"acc2/awgn/{snr:g}dB")
    verdict = claims.conventional_has_a_cliff(view)
    assert verdict.reason == (
        "MOSEI stand-in, AWGN: conventional loses 4.8 points of Acc2, needed: 5"
    )
    assert verdict.outcome is Outcome.NOT_TESTABLE


def test_a_part_of_the_test_set_has_no_cliff(small):
    some = {**small.settings["conventional"], "utterances": 24}
    view = replace(small, settings={**small.settings, "conventional": some})
    verdict = claims.conventional_has_a_cliff(view)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert verdict.reason == "conventional has seen 24 utterances, not all"


def test_two_low_snrs_have_no_slope():
    view = made_up.view(
        *LAPTOP,
        *ONE_CHANNEL,
        *ONE_DATASET,
        "papers.toc.evaluation.snrs=[-12.0, -6.0, 0.0, 12.0, 21.0]",
    )
    verdict = claims.robust_at_low_snr(view)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert verdict.reason == "MOSEI stand-in, AWGN: fewer than 3 SNRs below 0 dB"


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ([10], "the plan has no dimension 10"),
        ([50, 10], "the plan has no dimension 10 and no 50"),
        ([60, 80], "the plan has no dimension above 50"),
    ],
)
def test_the_claim_about_dimensions_needs_them(small, missing, why):
    view = small
    for dimension in missing:
        name = "" if dimension == 50 else f"_dimension={dimension}"
        view = without(view, study="dimension", run=f"toc/{MOSEI}/two_stage_vib_awgn{name}")
    verdict = claims.few_dimensions_suffice(view)
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_TESTABLE, why)


def test_real_data_are_called_by_their_name():
    real = made_up.view("data=real", *LAPTOP, *ONE_CHANNEL, *ONE_DATASET)
    verdict = claims.conventional_has_a_cliff(real)
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.evidence[0].label == "MOSEI, AWGN, Conventional, steepest fall of Acc2"


def test_one_modality_has_no_pairs(small):
    rows = small.rows[~small.rows["metric"].str.contains("_last/")]
    for claim in (claims.pairs_become_independent, claims.discriminators_are_fooled):
        verdict = claim(replace(small, rows=rows))
        assert verdict.outcome is Outcome.NOT_TESTABLE
        assert verdict.reason == "no run has discriminators: they need two modalities"


@pytest.mark.parametrize("study", ["snr", "redundancy", "discriminators", "dimension"])
def test_a_plan_without_a_study_is_judged_all_the_same(small, study):
    reasons = [claim(without(small, study=study)).reason for claim in ALL]
    assert any(reason.startswith("the plan has no run of two_stage_vib") for reason in reasons)


@pytest.mark.parametrize(
    "method", ["two_stage_vib", "two_stage_vib_no_red", "t_deepsc", "conventional", "noiseless"]
)
def test_a_plan_without_a_method_is_judged_all_the_same(small, method):
    verdicts = [claim(without(small, method=method)) for claim in ALL]
    missing = [one for one in verdicts if one.reason == f"the plan has no run of {method}"]
    assert missing and all(one.outcome is Outcome.NOT_TESTABLE for one in missing)


def test_a_system_that_is_missing_on_one_dataset(laptop):
    view = without(laptop, method="conventional", dataset=MOSI)
    verdict = claims.conventional_has_a_cliff(view)
    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert verdict.reason == "MOSI stand-in, AWGN: the plan lacks a system"


def test_the_steepest_fall_is_within_6_db():
    curve = pd.Series({-12.0: 50.0, -9.0: 50.0, -6.0: 52.0, -3.0: 60.0, 0.0: 66.0, 9.0: 80.0})
    assert claims._steepest_fall(curve) == 14  # from 0 to -6 dB; 9 dB is too far
    assert claims._steepest_fall(-curve) == 0


def test_slopes_are_those_of_straight_lines():
    snr = np.array([-12.0, -9.0, -6.0, -3.0])
    gap = pd.DataFrame([1 - 0.5 * snr, 0.25 * snr], index=[0, 1], columns=snr)
    assert list(claims._slopes(gap).round(9)) == [-0.5, 0.25]
